//! Workflows: their names, then what can be looked up of them. Their properties and graphs are never read.

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{Workflow, WorkflowRunStatistics, WorkflowRunStatus};
use futures::StreamExt;

use crate::aws::collect::ask::ask;
use crate::aws::collect::instant::utc;
use crate::aws::collect::outcome::{Outcome, cover_all};
use crate::aws::collect::pages::list;
use crate::aws::collect::{Failed, Read, Scope, Sink};
use crate::model::Row;
use crate::store::tables::glue::GLUE_WORKFLOWS;

/// Names on a page and in one look-up (Glue API reference).
const PAGE: i32 = 25;
/// Look-ups at the same time.
const AT_ONCE: usize = 4;

/// The names.
pub const NAMES: Read = Read::rows("glue:ListWorkflows", "glue:ListWorkflows", "glue_workflows");
/// What is known of them.
pub const WORKFLOWS: Read = Read::columns(
    "glue:BatchGetWorkflows",
    "glue:BatchGetWorkflows",
    "glue_workflows",
    &[
        "created",
        "last_modified",
        "max_concurrent_runs",
        "last_run_id",
        "last_run_status",
        "last_run_started",
        "last_run_completed",
        "last_run_failed_actions",
    ],
);

/// Reads the workflows of the Region.
pub async fn read(scope: &Scope, sink: &Sink, client: &Client) {
    let names = list(|token| {
        let call = client.list_workflows().max_results(PAGE).set_next_token(token);
        async {
            let page = ask(scope, call.send()).await?;
            Ok((page.workflows.unwrap_or_default(), page.next_token))
        }
    })
    .await;
    names.cover(scope, sink, &NAMES, &[]).await;
    let chunks = names.found.chunks(PAGE.unsigned_abs() as usize);
    let answers: Vec<_> = chunks.map(|names| look_up(scope, client, names)).collect();
    let mut answers = futures::stream::iter(answers).buffered(AT_ONCE);
    let mut outcomes = Vec::new();
    while let Some((rows, ended)) = answers.next().await {
        sink.rows(&GLUE_WORKFLOWS, rows).await;
        outcomes.extend(ended);
    }
    cover_all(scope, sink, &WORKFLOWS, &outcomes).await;
}

/// Returns the rows of `names`, each with what is known of it, and how the look-up ended.
async fn look_up(scope: &Scope, client: &Client, names: &[String]) -> (Vec<Row>, Vec<Outcome>) {
    let call = client.batch_get_workflows().set_names(Some(names.to_vec())).include_graph(false);
    let answer = ask(scope, call.send()).await.map(|answer| {
        let missing = answer.missing_workflows.unwrap_or_default();
        (answer.workflows.unwrap_or_default(), missing)
    });
    let of = |name: &String| -> Result<&Workflow, Failed> {
        let (found, missing) = answer.as_ref().map_err(Failed::clone)?;
        let gone = missing.contains(name);
        let why = || if gone { Failed::gone("the workflow") } else { Failed::left_out("the workflow") };
        found.iter().find(|flow| flow.name() == Some(name)).ok_or_else(why)
    };
    let known: Vec<_> = names.iter().map(|name| (name, of(name))).collect();
    let rows = known.iter().map(|(name, found)| row(scope, name, found.as_ref().ok().copied())).collect();
    (rows, known.iter().map(|(name, found)| Outcome::of(name, Some(&scope.region), found)).collect())
}

fn row(scope: &Scope, name: &str, found: Option<&Workflow>) -> Row {
    let row = super::place(Row::new(), scope).with("workflow", name);
    let Some(found) = found else { return row };
    let row = row
        .with("created", found.created_on().and_then(utc))
        .with("last_modified", found.last_modified_on().and_then(utc))
        .with("max_concurrent_runs", found.max_concurrent_runs());
    let Some(run) = found.last_run() else { return row };
    row.with("last_run_id", run.workflow_run_id())
        .with("last_run_status", run.status().map(WorkflowRunStatus::as_str))
        .with("last_run_started", run.started_on().and_then(utc))
        .with("last_run_completed", run.completed_on().and_then(utc))
        .with("last_run_failed_actions", run.statistics().map(WorkflowRunStatistics::failed_actions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::stand_in::{self, answer};

    #[tokio::test]
    async fn a_workflow_that_is_gone_or_left_out_when_it_is_asked_for_is_a_gap_of_its_own() {
        let scope = stand_in::answered(&[NAMES, WORKFLOWS], |operation| match operation {
            "glue:ListWorkflows" => answer(200, r#"{"Workflows":["nightly","gone","silent"]}"#),
            _ => answer(200, r#"{"Workflows":[{"Name":"nightly"}],"MissingWorkflows":["gone"]}"#),
        });
        let handed = stand_in::handed(async |sink| read(&scope, sink, &scope.glue()).await).await;
        assert_eq!(handed.rows["glue_workflows"].len(), 3, "they were listed");
        let looked_up = handed.coverage.iter().filter(|row| row.read == WORKFLOWS.operation);
        let (resource, all): (Vec<_>, Vec<_>) = looked_up.partition(|row| row.resource.is_some());
        assert_eq!((all[0].seen, all[0].expected), (Some(1), Some(3)));
        let why = |row: &&crate::model::Coverage| {
            let text = |text: &Option<crate::model::Untrusted>| text.as_ref().unwrap().raw().to_owned();
            (text(&row.resource), text(&row.reason))
        };
        let told: Vec<_> = resource.iter().map(why).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told.iter().any(|(name, why)| name == "gone" && why.contains("gone when it was asked for")),
            "{told:?}"
        );
        assert!(told.iter().any(|(name, why)| name == "silent" && why.contains("left the workflow out")), "{told:?}");
    }
}
