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
    sink.rows(&ATHENA_WORKGROUPS, vec![workgroups::row(scope, summary, settings.as_ref().ok())]).await;
    Some(Outcome::of(name, Some(&scope.region), &settings))
}

/// Returns what the list covers; without it the history is blind too.
fn of_list(scope: &Scope, seen: usize, failed: Option<&Failed>) -> Vec<Coverage> {
    let row = listed(scope, &workgroups::LIST, seen, failed);
    let history = failed.map(|_| Coverage { table: history::IDS.table.to_owned(), ..row.clone() });
    std::iter::once(row).chain(history).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::stand_in::{self, answer};

    #[tokio::test]
    async fn a_workgroup_whose_settings_athena_leaves_out_is_a_gap_and_keeps_its_row() {
        let listed = r#"{"WorkGroups":[{"Name":"adhoc","State":"ENABLED"}]}"#;
        for settings in ["{}", r#"{"WorkGroup":{"Name":"adhoc"}}"#] {
            let scope = stand_in::answered(READS, move |operation| match operation {
                "athena:ListWorkGroups" => answer(200, listed),
                "athena:GetWorkGroup" => answer(200, settings),
                "athena:ListCapacityReservations" => answer(200, r#"{"CapacityReservations":[]}"#),
                _ => answer(200, r#"{"QueryExecutionIds":[]}"#),
            });
            let handed = stand_in::handed(async |sink| collect(&scope, sink).await).await;
            assert_eq!(handed.rows["athena_workgroups"][0].key("workgroup"), "adhoc");
            let gap = "athena_workgroups athena:GetWorkGroup missing -".to_owned();
            assert!(handed.gaps().contains(&gap), "{:?}", handed.gaps());
        }
    }

    #[tokio::test]
    async fn a_query_of_which_athena_says_nothing_leaves_its_days_partly_seen() {
        let scope = stand_in::answered(READS, |operation| match operation {
            "athena:ListWorkGroups" => answer(200, r#"{"WorkGroups":[{"Name":"adhoc"}]}"#),
            "athena:GetWorkGroup" => answer(200, r#"{"WorkGroup":{"Name":"adhoc","Configuration":{}}}"#),
            "athena:ListQueryExecutions" => answer(200, r#"{"QueryExecutionIds":["q-1"]}"#),
            "athena:ListCapacityReservations" => answer(200, r#"{"CapacityReservations":[]}"#),
            _ => answer(200, "{}"),
        });
        let handed = stand_in::handed(async |sink| collect(&scope, sink).await).await;
        let gap = "athena_queries athena:BatchGetQueryExecution partial -".to_owned();
        assert!(handed.gaps().contains(&gap), "{:?}", handed.gaps());
    }
}
