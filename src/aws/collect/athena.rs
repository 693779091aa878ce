//! Athena: workgroups of one Region and the queries that ran in them.
//!
//! No literal, comment or parameter of a query leaves `execution.rs`: texts are redacted and hashed as they are read.

mod execution;
mod history;
mod key;
mod redact;
mod reuse;
mod workgroups;

use aws_sdk_athena::types::WorkGroupSummary;

use super::outcome::{Outcome, coverage};
use super::{Failed, Read, Scope, Sink};
use crate::model::{Coverage, CoverageState};
use crate::store::tables::athena::ATHENA_WORKGROUPS;

/// The calls of this collector.
pub const READS: &[Read] = &[workgroups::LIST, workgroups::SETTINGS, history::IDS, history::QUERIES];

/// Reads the workgroups of the scope's Region and their history.
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
    let read = &workgroups::LIST;
    let row = match failed {
        None => Coverage::new(read.table, read.operation, CoverageState::Seen),
        Some(failed) if seen == 0 => failed.gap(read),
        Some(failed) => Coverage { state: CoverageState::Partial, ..failed.gap(read) },
    };
    let row = row.at(&scope.account_id, Some(&scope.region)).counted(seen, None);
    let history = failed.map(|_| Coverage { table: history::IDS.table.to_owned(), ..row.clone() });
    std::iter::once(row).chain(history).collect()
}
