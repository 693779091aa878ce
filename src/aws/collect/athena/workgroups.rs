//! Workgroups of one Region and their settings.
//!
//! The SDK has no paginator for the list. A workgroup whose settings are denied keeps its row.

use aws_sdk_athena::Client;
use aws_sdk_athena::types::{WorkGroup, WorkGroupSummary};

use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope};
use crate::model::Row;

/// Most workgroups in one answer (Athena API reference).
const PAGE: i32 = 50;

/// The list.
pub const LIST: Read = Read::rows("athena:ListWorkGroups", "athena:ListWorkGroups", "athena_workgroups");
/// Settings of one.
pub const SETTINGS: Read = Read::columns(
    "athena:GetWorkGroup",
    "athena:GetWorkGroup",
    "athena_workgroups",
    &["engine_version", "output_location", "enforced", "bytes_scanned_cutoff", "metrics_published", "managed_results"],
);

/// Returns the workgroups that were listed, and why the list ends early if it does.
pub async fn list(scope: &Scope, client: &Client) -> (Vec<WorkGroupSummary>, Option<Failed>) {
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let call = client.list_work_groups().max_results(PAGE).set_next_token(token.take());
        let page = match ask(scope, call.send()).await {
            Ok(page) => page,
            Err(failed) => return (found, Some(failed)),
        };
        found.extend(page.work_groups.unwrap_or_default());
        match page.next_token {
            Some(next) if !next.is_empty() => token = Some(next),
            _ => return (found, None),
        }
    }
}

/// Returns the settings of the workgroup `name`.
pub async fn settings(scope: &Scope, client: &Client, name: &str) -> Result<WorkGroup, Failed> {
    let answer = ask(scope, client.get_work_group().work_group(name).send()).await?;
    let group = answer.work_group.filter(|group| group.configuration().is_some());
    group.ok_or_else(|| Failed::left_out("the workgroup's settings"))
}

/// Returns the row of a workgroup; without `settings` their columns stay NULL.
pub fn row(scope: &Scope, summary: &WorkGroupSummary, settings: Option<&WorkGroup>) -> Row {
    let row = Row::new()
        .with("account_id", scope.account_id.as_str())
        .with("region", scope.region.as_str())
        .with("workgroup", summary.name())
        .with("state", summary.state().map(aws_sdk_athena::types::WorkGroupState::as_str));
    let Some(set) = settings.and_then(WorkGroup::configuration) else { return row };
    let results = set.result_configuration();
    let managed = set
        .managed_query_results_configuration()
        .is_some_and(aws_sdk_athena::types::ManagedQueryResultsConfiguration::enabled);
    row.with("engine_version", set.engine_version().and_then(|engine| engine.effective_engine_version()))
        .with("output_location", results.and_then(|results| results.output_location()))
        .with("enforced", set.enforce_work_group_configuration())
        .with("bytes_scanned_cutoff", set.bytes_scanned_cutoff_per_query())
        .with("metrics_published", set.publish_cloud_watch_metrics_enabled())
        .with("managed_results", managed)
}

#[cfg(test)]
mod tests {
    use aws_sdk_athena::types::{WorkGroupConfiguration, WorkGroupState};

    use super::*;
    use crate::aws::collect::athena::history::tests::scope;

    #[test]
    fn a_workgroup_without_settings_keeps_its_row_and_knows_nothing_of_its_limit() {
        let summary = WorkGroupSummary::builder().name("adhoc").state(WorkGroupState::Enabled).build();
        let row = row(&scope(vec![]), &summary, None);
        assert_eq!((row.key("workgroup"), row.key("state")), ("adhoc", "ENABLED"));
        assert_eq!(row.flag("enforced"), None);
    }

    #[test]
    fn a_limit_is_a_number_of_bytes_and_none_is_null() {
        let summary = WorkGroupSummary::builder().name("adhoc").build();
        let with = |set: WorkGroupConfiguration| WorkGroup::builder().name("adhoc").configuration(set).build().unwrap();
        let limited = WorkGroupConfiguration::builder().bytes_scanned_cutoff_per_query(10_000_000);
        let limited = with(limited.enforce_work_group_configuration(true).build());
        let row_of = |group| row(&scope(vec![]), &summary, Some(group));
        assert_eq!(row_of(&limited).int("bytes_scanned_cutoff"), Some(10_000_000));
        assert_eq!(row_of(&limited).flag("enforced"), Some(true));
        let free = with(WorkGroupConfiguration::builder().build());
        assert_eq!(
            (row_of(&free).int("bytes_scanned_cutoff"), row_of(&free).flag("managed_results")),
            (None, Some(false))
        );
    }
}
