//! Which Iceberg tables Glue compacts and cleans.
//!
//! An optimizer that was never made is one that is off; one that nobody may see is not known.

use std::collections::BTreeMap;

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{BatchGetTableOptimizerEntry, TableOptimizerConfiguration, TableOptimizerType};
use futures::StreamExt;

use super::tables::Found;
use crate::aws::collect::ask::ask;
use crate::aws::collect::outcome::{End, Outcome, cover_all};
use crate::aws::collect::{Failed, Read, Scope, Sink, Trouble};

/// The optimizers by the column that says whether they are on.
const KINDS: [(&str, TableOptimizerType); 3] = [
    ("compaction", TableOptimizerType::Compaction),
    ("snapshot_retention", TableOptimizerType::Retention),
    ("orphan_file_deletion", TableOptimizerType::OrphanFileDeletion),
];

/// Tables in one look-up, with three optimizers each: Glue documents no limit, its other look-ups take 25 things.
const TABLES: usize = 8;
/// Look-ups at the same time.
const AT_ONCE: usize = 4;

/// The optimizers.
pub const OPTIMIZERS: Read = Read::columns(
    "glue:BatchGetTableOptimizer",
    "glue:BatchGetTableOptimizer",
    "glue_tables",
    &["compaction", "snapshot_retention", "orphan_file_deletion"],
);

type Key = (String, String, String);
type Answers = BTreeMap<Key, Result<bool, Failed>>;

/// Adds to the Iceberg tables which optimizers are on.
pub async fn read(scope: &Scope, sink: &Sink, client: &Client, tables: &mut [Found]) {
    let iceberg: Vec<&mut Found> = tables.iter_mut().filter(|table| table.iceberg).collect();
    let names: Vec<(String, String)> = iceberg.iter().map(|t| (t.database.clone(), t.table.clone())).collect();
    let reads: Vec<_> = names.chunks(TABLES).map(|names| look_up(scope, client, names)).collect();
    let answers: Vec<Result<Answers, Failed>> = futures::stream::iter(reads).buffered(AT_ONCE).collect().await;
    let mut outcomes = Vec::new();
    for (at, table) in iceberg.into_iter().enumerate() {
        let Some(answer) = answers.get(at / TABLES) else { continue };
        outcomes.push(fill(scope, table, answer));
    }
    cover_all(scope, sink, &OPTIMIZERS, &outcomes).await;
}

/// Sets the columns of one table, and returns how the look-up ended for it.
fn fill(scope: &Scope, table: &mut Found, answer: &Result<Answers, Failed>) -> Outcome {
    let resource = format!("{}.{}", table.database, table.table);
    let answers = match answer {
        Ok(answers) => answers,
        Err(failed) => return Outcome::of::<()>(&resource, Some(&scope.region), &Err(failed.clone())),
    };
    let mut end = End::Whole;
    for (column, kind) in &KINDS {
        let key = (table.database.clone(), table.table.clone(), kind.as_str().to_owned());
        match answers.get(&key) {
            Some(Ok(on)) => table.row.set(*column, *on),
            Some(Err(failed)) => end = End::Failed(failed.clone()),
            // Glue names what it does not have among the failures: silence says nothing.
            None => end = End::Failed(unanswered()),
        }
    }
    Outcome { resource, region: Some(scope.region.clone()), end }
}

async fn look_up(scope: &Scope, client: &Client, names: &[(String, String)]) -> Result<Answers, Failed> {
    let entry = |(database, table): &(String, String), kind: &TableOptimizerType| {
        BatchGetTableOptimizerEntry::builder()
            .catalog_id(&scope.account_id)
            .database_name(database)
            .table_name(table)
            .r#type(kind.clone())
            .build()
    };
    let entries = names.iter().flat_map(|name| KINDS.iter().map(move |(_, kind)| entry(name, kind))).collect();
    let answer = ask(scope, client.batch_get_table_optimizer().set_entries(Some(entries)).send()).await?;
    let mut answers = Answers::new();
    for found in answer.table_optimizers() {
        let optimizer = found.table_optimizer();
        let kind = optimizer.and_then(|optimizer| optimizer.r#type()).map(TableOptimizerType::as_str);
        let on =
            optimizer.and_then(|optimizer| optimizer.configuration()).and_then(TableOptimizerConfiguration::enabled);
        answers.insert(key(found.database_name(), found.table_name(), kind), Ok(on.unwrap_or(false)));
    }
    for failure in answer.failures() {
        let kind = failure.r#type().map(TableOptimizerType::as_str);
        let said = failure.error();
        let code = said.and_then(|said| said.error_code()).unwrap_or_default();
        let answer = if code.starts_with("EntityNotFound") {
            Ok(false)
        } else {
            Err(Failed::named(code, said.and_then(|said| said.error_message())))
        };
        answers.insert(key(failure.database_name(), failure.table_name(), kind), answer);
    }
    Ok(answers)
}

fn key(database: Option<&str>, table: Option<&str>, kind: Option<&str>) -> Key {
    let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
    (text(database), text(table), text(kind))
}

fn unanswered() -> Failed {
    let reason = "Glue left the table's optimizers out of its answer".to_owned();
    Failed { trouble: Trouble::Broken, code: None, reason }
}
