//! Athena: workgroups of one Region, its capacity reservations, and the queries that ran.
//!
//! No literal, comment or parameter of a query leaves `execution.rs`: texts are redacted and hashed as they are read.

mod capacity;
mod execution;
mod history;
mod key;
mod redact;
mod reuse;
mod workgroups;

use aws_sdk_athena::types::WorkGroupSummary;

use super::outcome::{Outcome, coverage, listed};
use super::{Failed, Read, Scope, Sink};
use crate::model::Coverage;
use crate::store::tables::athena::ATHENA_WORKGROUPS;

/// The calls of this collector.
pub const READS: &[Read] = &[
    workgroups::LIST,
    workgroups::SETTINGS,
    history::IDS,
    history::QUERIES,
    capacity::LIST,
    capacity::ASSIGNMENTS,
    capacity::SERIES,
    capacity::METRICS,
];

/// Reads the workgroups of the scope's Region, its capacity reservations, and the history.
pub async fn collect(scope: &Scope, sink: &Sink) {
    let client = scope.athena();
    let (listed, failed) = workgroups::list(scope, &client).await;
    for row in of_list(scope, listed.len(), failed.as_ref()) {
        sink.cover(row).await;
    }
    let mut outcomes = Vec::new();
    for summary in &listed {
        outcomes.extend(settings(scope, sink, &client, summary).await);
    }
    for row in coverage(&scope.account_id, &workgroups::SETTINGS, &outcomes) {
        sink.cover(row).await;
    }
    capacity::read(scope, sink, &client).await;
    let names: Vec<String> = listed.iter().filter_map(|summary| summary.name().map(str::to_owned)).collect();
    history::read(scope, sink, &client, &names).await;
}

/// Hands over the row of a workgroup, with its settings where they can be seen.
async fn settings(
    scope: &Scope,
    sink: &Sink,
    client: &aws_sdk_athena::Client,
    summary: &WorkGroupSummary,
) -> Option<Outcome> {
    let name = summary.name()?;
    let settings = workgroups::settings(scope, client, name).await;
    let seen = settings.as_ref().ok().and_then(Option::as_ref);
    sink.rows(&ATHENA_WORKGROUPS, vec![workgroups::row(scope, summary, seen)]).await;
    Some(Outcome::of(name, Some(&scope.region), &settings))
}

/// Returns what the list covers; without it the history is blind too.
fn of_list(scope: &Scope, seen: usize, failed: Option<&Failed>) -> Vec<Coverage> {
    let row = listed(scope, &workgroups::LIST, seen, failed);
    let history = failed.map(|_| Coverage { table: history::IDS.table.to_owned(), ..row.clone() });
    std::iter::once(row).chain(history).collect()
}
