//! SQL over the tables that it is handed. The only module that names DataFusion; holds no credentials.

pub mod files;
mod lint;
mod parts;
mod position;
mod taint;

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::DataFusionError;
use datafusion::datasource::MemTable;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
/// The SQL grammar, for those who read SQL without running it.
pub use datafusion::sql::sqlparser as sql;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

pub use lint::{Complaint, lint};
pub use position::sql_position;

use self::files::{FileError, Files, file_error};
use crate::model::Row;
use crate::store::table::Table;
use crate::store::{Snapshot, StoreError, batch, tables};

/// Memory that all queries together may use before they spill, in bytes.
const MEMORY_BYTES: usize = 1 << 30;
/// Rows that one query may return.
const ROW_CAP: usize = 5_000_000;
/// Time that one query may take.
const DEADLINE: Duration = Duration::from_mins(5);

/// Why a query gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The SQL is wrong: a table, a column, a type, the grammar.
    #[error("{}", plain(.0))]
    Sql(Box<DataFusionError>),
    /// It is SQL, but not a question: DDL, DML and statements are refused.
    #[error("only a query is allowed here: {}", plain(.0))]
    NotAQuery(Box<DataFusionError>),
    /// A part that the query read is missing, cut short or changed.
    #[error(transparent)]
    Part(Box<StoreError>),
    /// A foreign file that the query read is missing, damaged, or holds what does not fit.
    #[error(transparent)]
    File(FileError),
    /// It failed while it ran.
    #[error("the query failed: {}", plain(.0))]
    Run(Box<DataFusionError>),
    /// A value that no cell can hold.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    /// More rows than a screen, a report or a policy can use.
    #[error("the query returns more than {ROW_CAP} rows: add a WHERE or a GROUP BY")]
    TooManyRows,
    /// It took too long.
    #[error("the query took longer than {} seconds: narrow it to fewer days or columns", DEADLINE.as_secs())]
    TooSlow,
}

/// The message on one line. It may quote values of the snapshot, so it is made safe for a terminal.
fn plain(error: &DataFusionError) -> String {
    crate::model::text::terminal(&error.strip_backtrace().replace('\n', " "))
}

impl EngineError {
    /// The error of a query that ran.
    fn run(error: DataFusionError) -> Self {
        file_error(&error).map_or_else(|| EngineError::Run(Box::new(error)), EngineError::File)
    }

    /// Returns what to do next, as hints.
    pub fn hints(&self) -> Vec<String> {
        match self {
            EngineError::Part(damaged) => damaged.hints(),
            EngineError::Sql(_) => vec!["docs/tables.md lists tables and columns".to_owned()],
            _ => Vec::new(),
        }
    }
}

/// A query's answer: batches of one schema.
#[derive(Debug)]
pub struct Answer {
    /// Column names in order.
    pub columns: Vec<String>,
    /// The rows, in the query's order.
    pub batches: Vec<RecordBatch>,
}

impl Answer {
    /// Returns the rows by column name.
    ///
    /// # Errors
    /// A column type that no cell can hold.
    pub fn rows(&self) -> Result<Vec<Row>, EngineError> {
        let parts = self.batches.iter().map(batch::from_batch).collect::<Result<Vec<_>, _>>()?;
        Ok(parts.into_iter().flatten().collect())
    }
}

impl Answer {
    /// Returns the rows for people: values that no cell holds (floating point, lists) come as text.
    ///
    /// # Errors
    /// A number with more digits than a decimal has.
    pub fn shown(&self) -> Result<Vec<Row>, EngineError> {
        let parts =
            self.batches.iter().map(|rows| batch::from_batch(&as_text(rows)?)).collect::<Result<Vec<_>, _>>()?;
        Ok(parts.into_iter().flatten().collect())
    }

    /// Returns for each column whether it holds numbers; never for an answer without rows.
    pub fn numeric(&self) -> Vec<bool> {
        let schema = self.batches.first().map(RecordBatch::schema);
        let number = |at| schema.as_ref().is_some_and(|schema| schema.field(at).data_type().is_numeric());
        (0..self.columns.len()).map(number).collect()
    }
}

/// The batch with text in place of every column that no cell can hold.
fn as_text(rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = rows.schema();
    let columns = schema.fields().iter().zip(rows.columns()).map(|(field, array)| {
        if batch::fits(array.data_type()) {
            return Ok((field.name().clone(), Arc::clone(array)));
        }
        let formatter = ArrayFormatter::try_new(array, &FormatOptions::new())?;
        let texts: StringArray =
            (0..array.len()).map(|at| (!array.is_null(at)).then(|| formatter.value(at).to_string())).collect();
        Ok((field.name().clone(), Arc::new(texts) as ArrayRef))
    });
    let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
    if columns.is_empty() { Ok(rows.clone()) } else { RecordBatch::try_from_iter(columns) }
}

/// SQL over registered tables. Every table that the crate declares exists; those never handed over are empty.
#[derive(Clone)]
pub struct Engine {
    ctx: SessionContext,
    /// Where the parts are from, to name the damaged one when a query fails.
    snapshot: Option<Arc<Snapshot>>,
}

impl Engine {
    /// Returns an engine whose tables are all empty.
    ///
    /// # Errors
    /// The runtime cannot be built (no temporary folder to spill to).
    pub fn new() -> Result<Self, EngineError> {
        let engine = Engine { ctx: context().map_err(Box::new).map_err(EngineError::Run)?, snapshot: None };
        for table in tables::TABLES {
            engine.register(table, &[])?;
        }
        Ok(engine)
    }

    /// Returns an engine over the parts of a snapshot; tables without parts are empty. Reads nothing yet.
    ///
    /// # Errors
    /// The runtime cannot be built.
    pub fn over(snapshot: &Snapshot) -> Result<Self, EngineError> {
        let mut engine = Engine::new()?;
        let run = |error| EngineError::Run(Box::new(error));
        let url = parts::store_url().map_err(run)?;
        engine.ctx.register_object_store(url.as_ref(), snapshot.store.objects());
        for table in tables::TABLES.iter().filter(|table| !snapshot.parts(table.name).is_empty()) {
            engine.replace(table.name, Arc::new(parts::Parts::of(table, snapshot)))?;
        }
        engine.snapshot = Some(Arc::new(snapshot.clone()));
        Ok(engine)
    }

    /// Makes `rows` the content of `table`, in place of what it held.
    ///
    /// # Errors
    /// A row with a column or cell that the table does not declare.
    pub fn register(&self, table: &Table, rows: &[Row]) -> Result<(), EngineError> {
        let held = MemTable::try_new(table.schema(), vec![vec![batch::to_batch(table, rows)?]])
            .map_err(Box::new)
            .map_err(EngineError::Run)?;
        self.replace(table.name, Arc::new(held))
    }

    fn replace(&self, name: &str, held: Arc<dyn datafusion::catalog::TableProvider>) -> Result<(), EngineError> {
        let run = |error| EngineError::Run(Box::new(error));
        self.ctx.deregister_table(name).map_err(run)?;
        self.ctx.register_table(name, held).map_err(run)?;
        Ok(())
    }

    /// Answers one query.
    ///
    /// # Errors
    /// Wrong SQL, something that is not a query, a failure while it runs, or one of the caps.
    pub async fn query(&self, sql: &str) -> Result<Answer, EngineError> {
        let frame = self.plan(sql).await?;
        let columns = frame.schema().fields().iter().map(|f| f.name().clone()).collect();
        let collect = async {
            let mut stream = frame.execute_stream().await.map_err(EngineError::run)?;
            let (mut batches, mut rows) = (Vec::new(), 0);
            while let Some(batch) = stream.next().await {
                let batch = batch.map_err(EngineError::run)?;
                rows += batch.num_rows();
                if rows > ROW_CAP {
                    return Err(EngineError::TooManyRows);
                }
                batches.push(batch);
            }
            Ok(batches)
        };
        match tokio::time::timeout(DEADLINE, collect).await.map_err(|_| EngineError::TooSlow)? {
            Ok(batches) => Ok(Answer { columns, batches }),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// Makes foreign files a table, under the name that their declaration gives.
    ///
    /// # Errors
    /// The engine refuses the table.
    pub fn attach(&self, files: Files) -> Result<(), EngineError> {
        self.replace(files.foreign().name, Arc::new(files))
    }

    /// Answers one query batch by batch, however many rows and however long: for roll-ups, whose answers go to disk.
    ///
    /// # Errors
    /// As [`Engine::query`], without its caps; what fails while it runs comes out of the stream.
    pub async fn stream(&self, sql: &str) -> Result<BoxStream<'static, Result<RecordBatch, EngineError>>, EngineError> {
        let stream = self.plan(sql).await?.execute_stream().await.map_err(EngineError::run)?;
        Ok(stream.map_err(EngineError::run).boxed())
    }

    /// Names the damaged part where one made the query fail; a decoder only says that something did not decode.
    async fn explain(&self, error: EngineError) -> EngineError {
        let (EngineError::Run(cause), Some(snapshot)) = (&error, &self.snapshot) else {
            return error;
        };
        if !parts::is_reading(cause) {
            return error;
        }
        snapshot.check().await.into_iter().next().map_or(error, |damaged| EngineError::Part(Box::new(damaged)))
    }

    /// Answers one query with rows.
    ///
    /// # Errors
    /// As [`Engine::query`].
    pub async fn rows(&self, sql: &str) -> Result<Vec<Row>, EngineError> {
        self.query(sql).await?.rows()
    }

    /// Plans one query without running it and returns its column names: a wrong table or column is found here.
    ///
    /// # Errors
    /// Wrong SQL, or something that is not a query.
    pub async fn check(&self, sql: &str) -> Result<Vec<String>, EngineError> {
        Ok(self.plan(sql).await?.schema().fields().iter().map(|f| f.name().clone()).collect())
    }

    async fn plan(&self, sql: &str) -> Result<datafusion::dataframe::DataFrame, EngineError> {
        let plan = self.ctx.state().create_logical_plan(sql).await.map_err(|e| EngineError::Sql(Box::new(e)))?;
        let only_queries = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        only_queries.verify_plan(&plan).map_err(|e| EngineError::NotAQuery(Box::new(e)))?;
        self.ctx.execute_logical_plan(plan).await.map_err(|e| EngineError::Sql(Box::new(e)))
    }
}

/// The only constructor of a DataFusion context: the same answer on every machine, in bounded memory.
fn context() -> Result<SessionContext, DataFusionError> {
    let mut config = SessionConfig::new().with_target_partitions(2).with_information_schema(false);
    let options = config.options_mut();
    options.execution.time_zone = Some("UTC".to_owned());
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(MEMORY_BYTES))).build_arc()?;
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;
    use crate::store::tables::storage::{BUCKETS, STORAGE};
    use crate::store::{Head, Receipt, Store};

    #[tokio::test]
    async fn every_declared_table_can_be_asked_even_when_it_is_empty() {
        let engine = Engine::new().unwrap();
        for table in tables::TABLES {
            let rows = engine.rows(&format!("select * from {}", table.name)).await.unwrap();
            assert!(rows.is_empty(), "{}", table.name);
        }
    }

    #[tokio::test]
    async fn a_query_answers_with_the_rows_it_was_handed() {
        let engine = Engine::new().unwrap();
        engine.register(&BUCKETS, &[Row::new().with("bucket", "lake").with("lifecycle_rule_count", 0_i64)]).unwrap();
        let rows = engine.rows("select bucket, sum(lifecycle_rule_count) as n from buckets group by 1").await.unwrap();
        assert_eq!(rows, [Row::new().with("bucket", "lake").with("n", 0_i64)]);
    }

    /// A snapshot on disk with one bucket and its sizes over three months.
    async fn snapshot() -> Snapshot {
        let store = Store::temporary().unwrap();
        let as_of = "2026-11-24T00:00:00Z".parse().unwrap();
        let mut writer = store.write(Head { origin: Origin::Demo, payer: None, account_id: None, as_of }, None);
        writer.append(&BUCKETS, vec![Row::new().with("bucket", "lake")]).unwrap();
        let first: chrono::NaiveDate = "2026-08-26".parse().unwrap();
        let size = |(bytes, day)| Row::new().with("bucket", "lake").with("day", day).with("bytes", bytes);
        writer.append(&STORAGE, (0_i64..90).zip(first.iter_days()).map(size).collect()).unwrap();
        writer.finish(Receipt::default(), false).await.unwrap()
    }

    #[tokio::test]
    async fn a_snapshot_is_asked_through_its_parts() {
        let engine = Engine::over(&snapshot().await).unwrap();
        let sql =
            "select b.bucket, count(*) as n, sum(bytes) as bytes from storage s join buckets b on b.bucket = s.bucket
                   where day >= date '2026-09-01' group by 1";
        let sum = (6_i64..90).sum::<i64>();
        assert_eq!(
            engine.rows(sql).await.unwrap(),
            [Row::new().with("bucket", "lake").with("n", 84_i64).with("bytes", sum)]
        );
        assert_eq!(engine.rows("select distinct storage_class from storage").await.unwrap().len(), 1);
        assert!(engine.rows("select * from costs").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_store_in_a_folder_of_any_name_can_be_asked() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open_folder(home.path().join("our lake %20 \u{fc}")).unwrap();
        let as_of = "2026-11-24T00:00:00Z".parse().unwrap();
        let mut writer = store.write(Head { origin: Origin::Demo, payer: None, account_id: None, as_of }, None);
        writer.append(&BUCKETS, vec![Row::new().with("bucket", "lake")]).unwrap();
        let snapshot = writer.finish(Receipt::default(), false).await.unwrap();
        assert_eq!(Engine::over(&snapshot).unwrap().rows("select bucket from buckets").await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_damaged_part_is_named_with_what_to_do() {
        let snapshot = snapshot().await;
        let path = snapshot.parts("storage")[0].path.clone();
        let file = std::path::Path::new(snapshot.store.url()).join(&path);
        for damage in [b"not parquet at all".as_slice(), b""] {
            std::fs::write(&file, damage).unwrap();
            let error = Engine::over(&snapshot).unwrap().rows("select sum(bytes) from storage").await.unwrap_err();
            assert!(error.to_string().contains(&path), "{error}");
            assert!(error.hints().iter().any(|hint| hint.contains("snapshots show --check")), "{error}");
        }
        std::fs::remove_file(&file).unwrap();
        let error = Engine::over(&snapshot).unwrap().rows("select sum(bytes) from storage").await.unwrap_err();
        assert!(error.to_string().contains("missing"), "{error}");
        assert_eq!(Engine::over(&snapshot).unwrap().rows("select * from buckets").await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_query_can_change_nothing_and_read_no_file() {
        let engine = Engine::new().unwrap();
        for sql in [
            "create table x as select 1",
            "drop table buckets",
            "copy buckets to '/tmp/x.parquet'",
            "insert into buckets (bucket) values ('x')",
            "set datafusion.execution.time_zone = '+01:00'",
        ] {
            assert!(matches!(engine.query(sql).await, Err(EngineError::NotAQuery(_))), "{sql}");
        }
        assert!(matches!(engine.query("select * from '/etc/passwd'").await, Err(EngineError::Sql(_))));
    }
}
