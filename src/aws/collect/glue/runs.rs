//! The run history of the Region's jobs: newest first, page by page, job by job in turn.
//!
//! Glue has no filter by time: reading stops at the first day that is not known yet, or when the budget of runs is
//! spent. What was cut is said with its days.

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{Job, JobRun};
use chrono::NaiveDate;
use futures::StreamExt;
use rust_decimal::Decimal;

use super::jobs::job_type;
use super::past::{Known, Past, Told};
use super::run;
use super::tags::Used;
use crate::aws::collect::ask::ask;
use crate::aws::collect::instant::day;
use crate::aws::collect::refusals::Refusals;
use crate::aws::collect::{Budget, Failed, Read, Scope, Sink, Trouble};
use crate::model::{Coverage, Row};
use crate::store::tables::glue::GLUE_JOB_RUNS;

/// Runs on a page (Glue API reference).
const PAGE: u32 = 200;
/// Jobs read at the same time: the pace is kept while an answer takes no longer than a second and a half.
const AT_ONCE: usize = 8;

/// The runs of one job.
pub const RUNS: Read = Read::rows("glue:GetJobRuns", "glue:GetJobRuns", "glue_job_runs");

/// Reads the runs of `jobs`; returns what those that were read used.
pub async fn read(scope: &Scope, sink: &Sink, client: &Client, jobs: &[Job]) -> Used {
    let left = Budget::of(scope.options.glue.runs, "job runs");
    let reader = Reader { scope, sink, client, left, refusals: Refusals::default() };
    let known = Known::of(scope, RUNS);
    let mut histories: Vec<History> = jobs.iter().filter_map(|job| History::of(&known, job)).collect();
    while histories.iter().any(|history| history.end.is_none()) {
        let live = histories.iter_mut().filter(|history| history.end.is_none());
        let turns: Vec<_> = live.map(|history| reader.turn(history)).collect();
        futures::stream::iter(turns).buffer_unordered(AT_ONCE).collect::<()>().await;
        sink.progress(histories.iter().map(|history| history.told.all as u64).sum(), None);
    }
    for row in coverage(&histories) {
        sink.cover(row.at(&scope.account_id, Some(&scope.region))).await;
    }
    histories.into_iter().map(|history| (history.job.to_owned(), history.used)).collect()
}

/// Returns what was seen of all histories. An action that is denied for every job is one gap.
fn coverage(histories: &[History]) -> Vec<Coverage> {
    let denied = histories.iter().filter_map(History::denied);
    match denied.clone().next() {
        Some(first) if denied.count() == histories.len() => {
            vec![first.gap(&RUNS).counted(0, Some(histories.len()))]
        }
        _ => histories.iter().flat_map(History::coverage).collect(),
    }
}

/// Why the history of a job was read no further.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// All days that were not known yet were read.
    Reached,
    /// A call failed, or the budget was spent.
    Cut(Failed),
}

/// How far the history of one job is read.
struct History<'a> {
    job: &'a str,
    job_type: Option<&'a str>,
    past: Past,
    token: Option<String>,
    told: Told,
    /// The oldest day of which a run was listed.
    oldest: Option<NaiveDate>,
    /// DPU-seconds of the runs that were read.
    used: Decimal,
    end: Option<End>,
}

impl<'a> History<'a> {
    fn of(known: &Known<'_>, job: &'a Job) -> Option<Self> {
        let (name, job_type) = (job.name()?, job_type(job));
        let past = known.past(Some(name));
        let (told, used) = (Told::default(), Decimal::ZERO);
        Some(History { job: name, job_type, past, token: None, told, oldest: None, used, end: None })
    }

    /// Takes in a page of runs and returns the rows that are not known yet.
    fn rows(&mut self, scope: &Scope, runs: &[JobRun]) -> Vec<Row> {
        let mut rows = Vec::new();
        for run in runs {
            // A run that was never started has no place in the history yet.
            let Some(day) = run.started_on().and_then(day) else { continue };
            self.oldest = self.oldest.into_iter().chain([day]).min();
            let ended = run::has_ended(run);
            if day >= self.past.first || !ended || !self.past.is_held() {
                self.told.add(day, ended);
                let row = run::row(scope, self.job, self.job_type, run);
                self.used += row.decimal("dpu_seconds").unwrap_or_default();
                rows.push(row);
            }
        }
        rows
    }

    fn denied(&self) -> Option<&Failed> {
        match &self.end {
            Some(End::Cut(failed)) if failed.trouble == Trouble::Denied && self.told.all == 0 => Some(failed),
            _ => None,
        }
    }

    fn coverage(&self) -> Vec<Coverage> {
        let rows = match &self.end {
            Some(End::Cut(failed)) => self.past.cut(failed, self.oldest, self.told),
            _ => self.past.whole(self.told),
        };
        rows.into_iter().map(|row| row.of(self.job)).collect()
    }
}

/// What all jobs share.
struct Reader<'a> {
    scope: &'a Scope,
    sink: &'a Sink,
    client: &'a Client,
    left: Budget,
    refusals: Refusals,
}

impl Reader<'_> {
    /// Reads the next page of a job.
    async fn turn(&self, history: &mut History<'_>) {
        let read = self.page(history).await;
        let known = history.oldest.is_some_and(|oldest| oldest < history.past.first);
        history.end = match read {
            Err(failed) => Some(End::Cut(failed)),
            Ok(()) if known || history.token.is_none() => Some(End::Reached),
            Ok(()) => None,
        };
    }

    async fn page(&self, history: &mut History<'_>) -> Result<(), Failed> {
        if let Some(refusal) = self.refusals.standing() {
            return Err(refusal);
        }
        let taken = self.left.take(PAGE).await?;
        let call = self.client.get_job_runs().job_name(history.job).max_results(taken.count().cast_signed());
        let answer = ask(self.scope, call.set_next_token(history.token.take()).send()).await;
        self.refusals.note(&answer);
        let page = answer?;
        let runs = page.job_runs.unwrap_or_default();
        taken.used(runs.len());
        history.token = page.next_token.filter(|token| !token.is_empty());
        let rows = history.rows(self.scope, &runs);
        self.sink.rows(&GLUE_JOB_RUNS, rows).await;
        Ok(())
    }
}
