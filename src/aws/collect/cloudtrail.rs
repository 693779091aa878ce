//! CloudTrail's event history of one Region: who changed a bucket's lifecycle configuration, and with what tool.
//!
//! Free, two requests a second, newest first, 90 days. Only these events are asked for, and of a session only its role.

pub mod changed;
mod event;
mod tool;

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use chrono::{Days, NaiveDate};

use super::ask::ask;
use super::{Failed, Read, Scope, Sink, Trouble, instant};
use crate::model::{Coverage, CoverageState};
use crate::store::tables::trail::LIFECYCLE_CHANGES;

/// The call.
const EVENTS: Read = Read::rows("cloudtrail:LookupEvents", "cloudtrail:LookupEvents", "lifecycle_changes");

/// The calls of this collector.
pub const READS: &[Read] = &[EVENTS];

/// S3's names of the calls that change a lifecycle configuration; both names of the first stand in the docs.
const NAMES: [&str; 3] = ["PutBucketLifecycle", "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"];
/// Days that CloudTrail keeps (CloudTrail user guide, event history).
const KEPT_DAYS: u64 = 90;
/// Events on a page (CloudTrail API reference, LookupEvents).
const PAGE: i32 = 50;
/// Most pages of one name in one Region: a minute and a half at two requests a second.
const PAGES: usize = 180;
/// Days before the newest one held that are read again: events come late.
const AGAIN: u64 = 1;

/// The days that a scan asks for, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    first: NaiveDate,
    last: NaiveDate,
    /// First day that earlier scans hold, without a hole up to `first`.
    held_from: Option<NaiveDate>,
}

impl Window {
    fn of(scope: &Scope) -> Self {
        let last = scope.as_of.date_naive();
        let horizon = back(last, KEPT_DAYS - 1);
        match scope.held(EVENTS.table, EVENTS.operation).filter(|(from, to)| *from <= horizon && *to >= horizon) {
            Some((from, to)) => Window { first: back(to, AGAIN).max(horizon), last, held_from: Some(from) },
            None => Window { first: horizon, last, held_from: None },
        }
    }
}

fn back(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(day)
}

/// Where the events of one name end early.
#[derive(Clone, Debug)]
struct Cut {
    failed: Failed,
    /// Day of the oldest event that was read; `None` when none was.
    oldest: Option<NaiveDate>,
}

/// Reads the changes in the scope's Region.
pub async fn collect(scope: &Scope, sink: &Sink) {
    let (client, window) = (scope.cloudtrail(), Window::of(scope));
    let (mut seen, mut cuts) = (0, Vec::new());
    for name in NAMES {
        cuts.extend(read(scope, sink, &client, window, name, &mut seen).await);
        sink.progress(seen as u64, None);
    }
    for row in covered(window, &cuts, seen) {
        sink.cover(row.at(&scope.account_id, Some(&scope.region))).await;
    }
}

/// Hands over the events of one name; returns why they end early if they do.
async fn read(
    scope: &Scope,
    sink: &Sink,
    client: &Client,
    window: Window,
    name: &str,
    seen: &mut usize,
) -> Option<Cut> {
    let end = instant::start_of(window.last.succ_opt().unwrap_or(window.last));
    let (mut token, mut oldest) = (None, None);
    for _ in 0..PAGES {
        let call = client.lookup_events().set_lookup_attributes(by_name(name)).max_results(PAGE);
        let call =
            call.set_start_time(Some(instant::start_of(window.first))).end_time(end).set_next_token(token.take());
        let page = match ask(scope, call.send()).await {
            Ok(page) => page,
            Err(failed) => return Some(Cut { failed, oldest }),
        };
        let rows: Vec<_> = page.events().iter().filter_map(|event| event::row(scope, event)).collect();
        oldest = rows.iter().filter_map(|row| Some(row.time("changed")?.date_naive())).chain(oldest).min();
        *seen += rows.len();
        sink.rows(&LIFECYCLE_CHANGES, rows).await;
        token = page.next_token.filter(|token| !token.is_empty());
        token.as_ref()?;
    }
    let reason = format!("the budget of {PAGES} pages of `{name}` was spent");
    Some(Cut { failed: Failed { trouble: Trouble::OverBudget, code: None, reason }, oldest })
}

/// Returns the one attribute that a look-up takes.
fn by_name(name: &str) -> Option<Vec<LookupAttribute>> {
    let by_name = LookupAttribute::builder().attribute_key(LookupAttributeKey::EventName).attribute_value(name);
    by_name.build().ok().map(|attribute| vec![attribute])
}

/// Returns what was seen: whole days are those that the events of every name reach back to.
fn covered(window: Window, cuts: &[Cut], seen: usize) -> Vec<Coverage> {
    let new = |state| Coverage::new(EVENTS.table, EVENTS.operation, state);
    // Of the day of the oldest event there may be more.
    let whole_from = |cut: &Cut| cut.oldest.and_then(|oldest| oldest.succ_opt());
    let Some(worst) = cuts.iter().max_by_key(|cut| whole_from(cut).map_or((1, None), |from| (0, Some(from)))) else {
        let from = window.held_from.map_or(window.first, |held| held.min(window.first));
        return vec![new(CoverageState::Seen).days(from, window.last).counted(seen, None)];
    };
    let gap = worst.failed.gap(&EVENTS);
    let Some(from) = whole_from(worst).filter(|from| *from <= window.last) else {
        return vec![gap.days(window.first, window.last)];
    };
    let state = if gap.state == CoverageState::OverBudget { gap.state } else { CoverageState::Partial };
    let before = from.pred_opt().unwrap_or(from).max(window.first);
    vec![
        Coverage { state, ..gap }.days(window.first, before).counted(seen, None),
        new(CoverageState::Seen).days(from, window.last),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::stand_in::scope;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn held(from: &str, to: &str) -> Coverage {
        let row = Coverage::new(EVENTS.table, EVENTS.operation, CoverageState::Seen).at("1", Some("eu-west-1"));
        row.days(day(from), day(to))
    }

    fn window(earlier: Vec<Coverage>) -> (Window, NaiveDate) {
        let scope = scope(earlier);
        (Window::of(&scope), scope.as_of.date_naive())
    }

    #[test]
    fn the_first_scan_asks_for_ninety_days_and_the_next_for_what_came_since() {
        let (first, today) = window(vec![]);
        assert_eq!((first.first, first.last), (back(today, 89), today));
        let scope = scope(vec![]);
        let mut seen = held(&back(today, 120).to_string(), &back(today, 7).to_string());
        (seen.account_id, seen.region) = (Some(scope.account_id), Some(scope.region));
        let (next, _) = window(vec![seen]);
        assert_eq!((next.first, next.held_from), (back(today, 8), Some(back(today, 120))));
    }

    #[test]
    fn where_one_name_was_cut_only_the_days_that_all_names_reach_are_seen() {
        let window = Window { first: day("2026-08-25"), last: day("2026-11-22"), held_from: None };
        let spent = Failed { trouble: Trouble::OverBudget, code: None, reason: "spent".into() };
        let cut = |oldest: Option<&str>| Cut { failed: spent.clone(), oldest: oldest.map(day) };
        let days = |cuts: &[Cut]| {
            let rows = covered(window, cuts, 7);
            rows.iter().map(|c| (c.state, c.from.unwrap().to_string(), c.to.unwrap().to_string())).collect::<Vec<_>>()
        };
        let row = |state, from: &str, to: &str| (state, from.to_owned(), to.to_owned());
        assert_eq!(days(&[]), [row(CoverageState::Seen, "2026-08-25", "2026-11-22")]);
        assert_eq!(
            days(&[cut(Some("2026-10-01")), cut(Some("2026-11-01"))]),
            [
                row(CoverageState::OverBudget, "2026-08-25", "2026-11-01"),
                row(CoverageState::Seen, "2026-11-02", "2026-11-22")
            ]
        );
        assert_eq!(
            days(&[cut(Some("2026-10-01")), cut(None)]),
            [row(CoverageState::OverBudget, "2026-08-25", "2026-11-22")]
        );
    }
}
