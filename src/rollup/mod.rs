//! Roll-ups: SQL files that turn bills and inventories, however large, into tables. The same file runs here on
//! DataFusion and there on Athena, so each keeps to the subset of SQL that both understand alike.
//!
//! Knows no account and no object store: it is handed the files.

pub mod athena;
pub mod bill;
mod encoded;
pub mod export;
pub mod import;
pub mod inventory;
pub mod lens;
mod names;
mod runner;
pub mod subset;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use futures::StreamExt;
use futures::stream::BoxStream;

pub use self::runner::{Elsewhere, Runner};
use crate::engine::files::{Files, Foreign};
use crate::engine::{Complaint, Engine, EngineError};
use crate::store::Table;

/// Every roll-up.
pub const ROLL_UPS: &[&RollUp] =
    &[&bill::CUR, &bill::FOCUS, &lens::SIZES, &lens::ACTIVITY, &lens::BANDS, &lens::SETTINGS, &inventory::AGES];

/// One SQL file: which foreign files it reads, and which table it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollUp {
    /// The file's name, for people.
    pub file: &'static str,
    /// The query.
    pub sql: &'static str,
    /// What it reads.
    pub from: &'static Foreign,
    /// What it fills. Columns that the query does not name are NULL.
    pub into: &'static Table,
}

/// Why a roll-up gave no rows.
#[derive(Debug, thiserror::Error)]
pub enum RollUpError {
    /// Its SQL means different things on different engines.
    #[error("`{file}` cannot run on every engine: line {}: {}", .complaint.line, .complaint.message)]
    Subset {
        /// The SQL file.
        file: &'static str,
        /// The first thing that is wrong with it.
        complaint: Complaint,
    },
    /// The engine could not answer, or a file could not be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Another engine cannot, or may not.
    #[error("{0}; `--engine datafusion` reads it here")]
    Elsewhere(String),
    /// An answer that does not fit the table.
    #[error("the answer of `{file}` does not fit table `{table}`: {source}")]
    Misfit {
        /// The SQL file.
        file: &'static str,
        /// The table.
        table: &'static str,
        /// What does not fit.
        source: ArrowError,
    },
}

/// Batches of one table's schema.
pub type Batches = BoxStream<'static, Result<RecordBatch, RollUpError>>;

impl RollUp {
    /// Runs it over `files` and returns rows of its table, as they come.
    ///
    /// # Errors
    /// SQL outside the subset, or a plan that fails; what fails while it runs comes out of the stream.
    pub async fn run(&'static self, files: Files) -> Result<Batches, RollUpError> {
        if let Some(complaint) = subset::check(self.sql, self.from).into_iter().next() {
            return Err(RollUpError::Subset { file: self.file, complaint });
        }
        let engine = Engine::new()?;
        engine.attach(files)?;
        let answer = engine.stream(self.sql).await?;
        let schema = self.into.schema();
        let fit = move |batch: Result<RecordBatch, EngineError>| {
            fit(&batch?, &schema).map_err(|source| RollUpError::Misfit {
                file: self.file,
                table: self.into.name,
                source,
            })
        };
        Ok(answer.map(fit).boxed())
    }
}

/// Returns the batch in the schema of the table.
fn fit(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let column = |field: &arrow::datatypes::FieldRef| -> Result<ArrayRef, ArrowError> {
        match batch.column_by_name(field.name()) {
            Some(array) => cast_with_options(array, field.data_type(), &strict),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        }
    };
    let stray = |field: &&arrow::datatypes::FieldRef| schema.field_with_name(field.name()).is_err();
    if let Some(stray) = batch.schema().fields().iter().find(stray) {
        return Err(ArrowError::SchemaError(format!("there is no column `{}`", stray.name())));
    }
    let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(SchemaRef::clone(schema), columns)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use futures::TryStreamExt;
    use object_store::ObjectStoreExt;

    use super::*;
    use crate::engine::files::{ForeignFile, Format};

    /// What the roll-up makes of one Parquet file with these columns.
    async fn of(roll_up: &'static RollUp, columns: Vec<(&str, ArrayRef)>) -> Result<Vec<RecordBatch>, RollUpError> {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        let objects = Arc::new(object_store::memory::InMemory::new());
        objects.put(&"1.parquet".into(), writer.into_inner().unwrap().into()).await.unwrap();
        let file = ForeignFile { path: "1.parquet".into(), shown: "1.parquet".to_owned(), format: Format::Parquet };
        let files = Files::open(objects, vec![file], roll_up.from).await.unwrap();
        roll_up.run(files).await?.try_collect().await
    }

    fn texts(values: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[tokio::test]
    async fn what_a_focus_file_leaves_empty_is_unknown_and_another_column_may_say_it() {
        let columns = vec![
            ("ChargePeriodStart", texts(&["2026-10-05T00:00:00Z"])),
            ("ChargeCategory", texts(&["Usage"])),
            ("BillingAccountId", texts(&["111122223333"])),
            ("SubAccountId", texts(&[""])),
            ("ProviderName", texts(&[""])),
            ("ServiceName", texts(&["Amazon S3"])),
            ("x_ServiceCode", texts(&[""])),
            ("x_UsageType", texts(&[""])),
            ("ResourceId", texts(&[""])),
            ("RegionId", texts(&[""])),
            ("ConsumedUnit", texts(&[""])),
            ("PricingUnit", texts(&["GB"])),
            ("PricingQuantity", texts(&["2.5"])),
        ];
        let rows = of(&bill::FOCUS, columns).await.unwrap();
        let rows = crate::store::batch::from_batch(&rows[0]).unwrap();
        let said = ["linked_account_id", "service", "unit", "usage_type", "resource", "region", "pricing_rate_id"];
        let said = said.map(|name| rows[0].text(name).map(|text| text.raw().to_owned()));
        let known = ["111122223333", "Amazon S3", "GB"].map(|text| Some(text.to_owned()));
        assert_eq!(said, [known.as_slice(), &[None, None, None, None]].concat()[..]);
        assert_eq!(rows[0].decimal("usage").map(|usage| usage.to_string()).as_deref(), Some("2.5"));
    }

    #[tokio::test]
    async fn bytes_beyond_what_a_table_holds_are_an_error_and_never_a_negative_number() {
        let sizes = || Arc::new(Int64Array::from(vec![i64::MAX, i64::MAX]));
        let columns = vec![("bucket", texts(&["lake", "lake"])), ("key", texts(&["a", "a"])), ("size", sizes())];
        let error = of(&inventory::AGES, columns).await.unwrap_err();
        assert!(error.to_string().contains("the query failed"), "{error}");
        let texts_of = |text| texts(&[text, text]);
        let columns = vec![
            ("report_date", texts_of("2026-11-20")),
            ("record_type", texts_of("BUCKET")),
            ("bucket_name", texts_of("lake")),
            ("metric_name", texts_of("StorageBytes")),
            ("metric_value", texts_of("9223372036854775807")),
        ];
        assert!(of(&lens::SIZES, columns).await.is_err());
    }

    #[test]
    fn every_roll_up_keeps_to_the_subset_of_both_engines() {
        for roll_up in ROLL_UPS {
            assert_eq!(subset::check(roll_up.sql, roll_up.from), [], "{}", roll_up.file);
        }
    }

    #[tokio::test]
    async fn every_roll_up_answers_an_empty_file_with_the_columns_of_its_table() {
        for roll_up in ROLL_UPS {
            let none = std::sync::Arc::new(object_store::memory::InMemory::new());
            let files = Files::open(none, Vec::new(), roll_up.from).await.unwrap();
            let batches: Vec<_> = roll_up.run(files).await.unwrap().collect().await;
            assert!(batches.into_iter().all(|batch| batch.unwrap().num_rows() == 0), "{}", roll_up.file);
        }
    }
}
