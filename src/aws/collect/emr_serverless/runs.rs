//! The list of an application's job runs, by day of submission. Figures are looked up elsewhere.

use aws_sdk_emrserverless::Client;
use aws_sdk_emrserverless::types::{JobRunMode, JobRunState, JobRunSummary};
use chrono::{Days, NaiveDate};
use futures::StreamExt;

use super::AT_ONCE;
use super::usage::GONE;
use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope, Sink, instant};
use crate::model::{Coverage, CoverageState, Row};

/// Most runs in one answer (EMR Serverless API reference).
const PAGE: i32 = 50;
/// Days that a first scan goes back.
const DAYS: u64 = 30;
/// Days before the newest one held that are listed again.
const AGAIN: u64 = 1;

/// The list of one application's runs.
pub const LIST: Read = Read::rows("emr-serverless:ListJobRuns", "emr-serverless:ListJobRuns", "emr_serverless_runs");

/// A run that was listed.
#[derive(Debug)]
pub struct Listed {
    /// Application.
    pub application: String,
    /// Id of the run.
    pub id: String,
    /// The row that the list alone makes.
    pub row: Row,
}

/// Lists the runs of each application and says which days that covers.
pub async fn list(scope: &Scope, sink: &Sink, client: &Client, applications: &[&str]) -> Vec<Listed> {
    let asked: Vec<_> = applications.iter().map(|id| of_application(scope, client, id)).collect();
    let mut answers = futures::stream::iter(asked).buffered(AT_ONCE);
    let mut found = Vec::new();
    while let Some((runs, rows)) = answers.next().await {
        for row in rows {
            sink.cover(row.at(&scope.account_id, Some(&scope.region))).await;
        }
        found.extend(runs);
    }
    found
}

/// Returns the runs of an application since the newest day held, and the coverage of that.
async fn of_application(scope: &Scope, client: &Client, id: &str) -> (Vec<Listed>, Vec<Coverage>) {
    let last = scope.as_of.date_naive();
    let (first, from) = days(scope, id);
    let (runs, failed) = pages(scope, client, id, first).await;
    let new = |state| Coverage::new(LIST.table, LIST.operation, state).of(id);
    let row = match failed {
        None => new(CoverageState::Seen).days(from, last).counted(runs.len(), None),
        // Without days: the next scan that may list them says of each day how it was read.
        Some(failed) if runs.is_empty() => failed.gap(&LIST).of(id),
        Some(failed) => Coverage { state: CoverageState::Partial, ..failed.gap(&LIST).of(id).days(first, last) },
    };
    (runs, vec![row])
}

/// Returns the first day to list, and the first day that the table holds after that.
fn days(scope: &Scope, id: &str) -> (NaiveDate, NaiveDate) {
    let horizon = back(scope.as_of.date_naive(), DAYS);
    let mine = |c: &&Coverage| c.resource.as_ref().is_some_and(|resource| resource.raw() == id);
    let held = scope.seen_before(LIST.table, LIST.operation).filter(mine).filter_map(|c| c.from.zip(c.to));
    match held.max_by_key(|(_, to)| *to).filter(|(_, to)| *to >= horizon) {
        Some((from, to)) => (back(to, AGAIN).max(horizon), from),
        None => (horizon, horizon),
    }
}

fn back(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(day)
}

async fn pages(scope: &Scope, client: &Client, id: &str, first: NaiveDate) -> (Vec<Listed>, Option<Failed>) {
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let call = client.list_job_runs().application_id(id).created_at_after(instant::start_of(first));
        let page = match ask(scope, call.max_results(PAGE).set_next_token(token.take()).send()).await {
            Ok(page) => page,
            // Deleted since the applications were listed.
            Err(failed) if failed.code.as_deref() == Some(GONE) => return (found, None),
            Err(failed) => return (found, Some(failed)),
        };
        found.extend(page.job_runs.iter().map(|run| listed(scope, run)));
        match page.next_token {
            Some(next) if !next.is_empty() => token = Some(next),
            _ => return (found, None),
        }
    }
}

fn listed(scope: &Scope, run: &JobRunSummary) -> Listed {
    let row = Row::new()
        .with("account_id", scope.account_id.as_str())
        .with("region", scope.region.as_str())
        .with("application_id", run.application_id())
        .with("run_id", run.id())
        .with("name", run.name())
        .with("type", run.r#type())
        .with("mode", run.mode().map(JobRunMode::as_str))
        .with("state", JobRunState::as_str(run.state()))
        .with("created", instant::utc(run.created_at()))
        .with("updated", instant::utc(run.updated_at()))
        .with("release_label", run.release_label());
    Listed { application: run.application_id().to_owned(), id: run.id().to_owned(), row }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::collect::emr_serverless::usage::tests::scope;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn held(from: &str, to: &str) -> Coverage {
        let row = Coverage::new(LIST.table, LIST.operation, CoverageState::Seen).at("123456789012", Some("eu-west-1"));
        row.of("app-1").days(day(from), day(to))
    }

    #[test]
    fn a_first_scan_goes_a_month_back_and_a_later_one_begins_a_day_before_what_is_held() {
        assert_eq!(days(&scope(vec![]), "app-1"), (day("2026-10-25"), day("2026-10-25")));
        let earlier = || vec![held("2026-08-01", "2026-11-20")];
        assert_eq!(days(&scope(earlier()), "app-1"), (day("2026-11-19"), day("2026-08-01")));
        assert_eq!(days(&scope(earlier()), "app-2").0, day("2026-10-25"), "another application says nothing");
    }

    #[test]
    fn days_held_with_a_hole_before_today_do_not_count() {
        assert_eq!(days(&scope(vec![held("2026-08-01", "2026-10-01")]), "app-1").1, day("2026-10-25"));
    }
}
