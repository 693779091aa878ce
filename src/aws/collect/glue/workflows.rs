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
    let answer: Result<Vec<Workflow>, Failed> =
        ask(scope, call.send()).await.map(|answer| answer.workflows.unwrap_or_default());
    let of = |name: &String| {
        let found = answer.as_ref().ok().and_then(|found| found.iter().find(|flow| flow.name() == Some(name)));
        row(scope, name, found)
    };
    let ended = |name: &String| Outcome::of(name, Some(&scope.region), &answer);
    (names.iter().map(of).collect(), names.iter().map(ended).collect())
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
