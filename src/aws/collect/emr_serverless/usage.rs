//! The figures of job runs, looked up one by one within a budget, newest first.
//!
//! A run whose figures were not read keeps its row without them; a later scan tries again while its budget lasts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_emrserverless::Client;
use aws_sdk_emrserverless::types::{JobRun, ResourceUtilization, TotalResourceUtilization};
use futures::StreamExt;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use super::held::Held;
use super::runs::Listed;
use crate::aws::collect::ask::ask;
use crate::aws::collect::outcome::{End, Outcome, regional};
use crate::aws::collect::{Failed, Read, Scope, Sink, Trouble, instant, tags};
use crate::aws::connector::limits::IN_FLIGHT;
use crate::model::Row;
use crate::store::tables::emr::EMR_SERVERLESS_RUNS;

/// The figures of one run.
pub const FIGURES: Read = Read::columns(
    "emr-serverless:GetJobRun",
    "emr-serverless:GetJobRun",
    "emr_serverless_runs",
    &[
        "started",
        "ended",
        "run_seconds",
        "queued_ms",
        "attempt",
        "total_vcpu_hours",
        "total_memory_gb_hours",
        "total_storage_gb_hours",
        "billed_vcpu_hours",
        "billed_memory_gb_hours",
        "billed_storage_gb_hours",
        "tags",
    ],
);

/// The code for a run or an application that is not there.
pub const GONE: &str = "ResourceNotFoundException";

/// Looks up the runs that were listed, and those held that were not over or have no figures yet.
pub async fn read(scope: &Scope, sink: &Sink, client: &Client, listed: Vec<Listed>, held: &Held) {
    let known: BTreeSet<(String, String)> =
        listed.iter().map(|run| (run.application.clone(), run.id.clone())).collect();
    let open = held.open(scope).filter(|run| !known.contains(&(run.application.clone(), run.id.clone())));
    let mut runs: Vec<Listed> = open.chain(listed).collect();
    runs.sort_by_cached_key(|run| Reverse((run.row.time("created"), run.id.clone())));
    let most = usize::try_from(scope.options.emr_serverless_runs).unwrap_or(usize::MAX);
    let cut = runs.split_off(most.min(runs.len()));
    let mut tally = Tally::default();
    let asked: Vec<_> = runs.into_iter().map(|run| one(scope, client, run)).collect();
    let total = asked.len() as u64;
    let mut answers = futures::stream::iter(asked).buffered(IN_FLIGHT);
    let mut done = 0;
    while let Some((run, answer)) = answers.next().await {
        tally.note(&run, answer.as_ref().err());
        let row = match &answer {
            Ok(figures) => with_figures(run.row, figures),
            Err(_) => run.row,
        };
        sink.rows(&EMR_SERVERLESS_RUNS, vec![row]).await;
        done += 1;
        sink.progress(done, Some(total));
    }
    let reason = format!("the budget of {most} job runs was spent");
    let spent = Failed { trouble: Trouble::OverBudget, code: None, reason };
    for run in &cut {
        tally.note(run, Some(&spent));
    }
    sink.rows(&EMR_SERVERLESS_RUNS, cut.into_iter().map(|run| run.row).collect()).await;
    for row in regional(scope, &FIGURES, &tally.outcomes(scope)) {
        sink.cover(row).await;
    }
}

async fn one(scope: &Scope, client: &Client, run: Listed) -> (Listed, Result<JobRun, Failed>) {
    let call = client.get_job_run().application_id(&run.application).job_run_id(&run.id);
    let answer = match ask(scope, call.send()).await {
        // What AWS leaves out, the SDK makes up: empty.
        Ok(answer) => {
            let found = answer.job_run.filter(|found| found.job_run_id() == run.id);
            found.ok_or_else(|| Failed::left_out("the job run"))
        }
        // Perhaps with its application: the row stays as it was last seen.
        Err(failed) if failed.code.as_deref() == Some(GONE) => Err(Failed::gone("the job run")),
        Err(failed) => Err(failed),
    };
    (run, answer)
}

/// How the look-ups ended, by application: seen, all, and why one was not seen.
#[derive(Debug, Default)]
struct Tally(BTreeMap<String, (usize, usize, Option<Failed>)>);

impl Tally {
    fn note(&mut self, run: &Listed, failed: Option<&Failed>) {
        let (seen, all, why) = self.0.entry(run.application.clone()).or_default();
        *all += 1;
        match failed {
            None => *seen += 1,
            Some(failed) => *why = why.take().or_else(|| Some(failed.clone())),
        }
    }

    fn outcomes(self, scope: &Scope) -> Vec<Outcome> {
        let outcome = |(application, (seen, all, why)): (String, (usize, usize, Option<Failed>))| {
            let end = match why {
                None => End::Whole,
                Some(failed) if seen == 0 => End::Failed(failed),
                Some(failed) => End::Cut(failed, seen, Some(all)),
            };
            Outcome { resource: application, region: Some(scope.region.clone()), end }
        };
        self.0.into_iter().map(outcome).collect()
    }
}

/// Returns the row with a run's times and figures; state and times are newer than those of the list.
fn with_figures(row: Row, run: &JobRun) -> Row {
    let (total, billed) = (run.total_resource_utilization(), run.billed_resource_utilization());
    let number = |amount: Option<f64>| amount.and_then(Decimal::from_f64);
    let pairs = run.tags().into_iter().flatten().map(|(key, value)| (Some(key.as_str()), Some(value.as_str())));
    row.with("state", run.state().as_str())
        .with("updated", instant::utc(run.updated_at()))
        .with("started", run.started_at().and_then(instant::utc))
        .with("ended", run.ended_at().and_then(instant::utc))
        .with("run_seconds", run.total_execution_duration_seconds())
        .with("queued_ms", run.queued_duration_milliseconds())
        .with("attempt", run.attempt())
        .with("total_vcpu_hours", number(total.and_then(TotalResourceUtilization::v_cpu_hour)))
        .with("total_memory_gb_hours", number(total.and_then(TotalResourceUtilization::memory_gb_hour)))
        .with("total_storage_gb_hours", number(total.and_then(TotalResourceUtilization::storage_gb_hour)))
        .with("billed_vcpu_hours", number(billed.and_then(ResourceUtilization::v_cpu_hour)))
        .with("billed_memory_gb_hours", number(billed.and_then(ResourceUtilization::memory_gb_hour)))
        .with("billed_storage_gb_hours", number(billed.and_then(ResourceUtilization::storage_gb_hour)))
        .with("tags", tags::object(pairs))
}

#[cfg(test)]
pub mod tests {
    use aws_types::SdkConfig;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::aws::collect::{Allowance, Heard, Options};
    use crate::model::{Coverage, CoverageState};

    pub fn scope(earlier: Vec<Coverage>) -> Scope {
        Scope {
            account_id: "123456789012".into(),
            region: "eu-west-1".into(),
            as_of: "2026-11-24T10:00:00Z".parse().unwrap(),
            sdk: SdkConfig::builder().build(),
            cancel: CancellationToken::new(),
            options: Options::default(),
            left: Allowance::of(&Options::default()),
            heard: Heard::default(),
            earlier,
        }
    }

    fn run(application: &str) -> Listed {
        Listed { application: application.into(), id: "1".into(), row: Row::new() }
    }

    #[test]
    fn an_application_with_some_runs_unread_says_how_many() {
        let spent = Failed { trouble: Trouble::OverBudget, code: None, reason: "spent".into() };
        let mut tally = Tally::default();
        tally.note(&run("a"), None);
        tally.note(&run("a"), Some(&spent));
        tally.note(&run("b"), None);
        let rows = regional(&scope(vec![]), &FIGURES, &tally.outcomes(&scope(vec![])));
        assert_eq!(rows[0].state, CoverageState::Partial);
        assert_eq!((rows[1].state, rows[1].seen, rows[1].expected), (CoverageState::OverBudget, Some(1), Some(2)));
        assert_eq!((rows.len(), rows[1].resource.as_ref().unwrap().raw()), (2, "a"));
    }
}
