//! The query history of one Region: newest first, page by page, workgroup by workgroup in turn.
//!
//! Athena has no filter by time: reading stops at the first day asked for, at the days that an earlier scan holds, or
//! when the budget of queries is spent. What was cut is said with its days.

use std::collections::BTreeSet;

use aws_sdk_athena::Client;
use aws_sdk_athena::types::{QueryExecution, UnprocessedQueryExecutionId};
use chrono::NaiveDate;
use futures::StreamExt;

use super::execution;
use super::key::TextHash;
use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope, Sink, Trouble};
use crate::model::{Coverage, CoverageState, Row};
use crate::store::Days;
use crate::store::tables::athena::ATHENA_QUERIES;

/// Ids in one page and in one look-up (Athena API reference).
const PAGE: u32 = 50;
/// Days that Athena keeps.
const KEPT_DAYS: u32 = 45;
/// Days before the newest one held that are read again: a query may have been running then.
const AGAIN: u64 = 1;
/// Workgroups read at the same time.
const AT_ONCE: usize = 4;

/// The ids.
pub const IDS: Read = Read::rows("athena:ListQueryExecutions", "athena:ListQueryExecutions", "athena_queries");
/// The queries.
pub const QUERIES: Read =
    Read::rows("athena:BatchGetQueryExecution", "athena:BatchGetQueryExecution", "athena_queries");

/// Reads the history of `workgroups`.
pub async fn read(scope: &Scope, sink: &Sink, client: &Client, workgroups: &[String]) {
    let key = scope.options.hash_key.as_ref().map(TextHash::new);
    let reader = Reader { scope, sink, client, key };
    let mut groups: Vec<Group> = workgroups.iter().map(|name| Group::of(scope, name)).collect();
    while groups.iter().any(|group| group.end.is_none()) {
        let live = groups.iter_mut().filter(|group| group.end.is_none());
        let turns: Vec<_> = live.map(|group| reader.turn(group)).collect();
        futures::stream::iter(turns).buffer_unordered(AT_ONCE).collect::<()>().await;
        sink.progress(groups.iter().map(|group| group.listed as u64).sum(), None);
    }
    for group in &groups {
        for row in group.coverage() {
            sink.cover(row.at(&scope.account_id, Some(&scope.region)).of(group.name.as_str())).await;
        }
    }
}

/// Why the history of a workgroup was read no further.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// All days asked for were read.
    Reached,
    /// A call failed, or the budget was spent.
    Cut(&'static Read, Failed),
}

/// Ids of queries, and the token of those that come after them.
#[derive(Debug)]
struct Page {
    ids: Vec<String>,
    next: Option<String>,
}

/// How far the history of one workgroup is read.
#[derive(Debug)]
struct Group {
    name: String,
    /// First and last day asked for.
    first: NaiveDate,
    last: NaiveDate,
    /// First day that earlier scans hold, without a hole up to `first`.
    held_from: Option<NaiveDate>,
    token: Option<String>,
    /// The page after that, where it was listed already.
    ahead: Option<Result<Page, End>>,
    listed: usize,
    answered: usize,
    unanswered: Option<String>,
    oldest: Option<NaiveDate>,
    end: Option<End>,
}

impl Group {
    /// Returns the workgroup before its first page: what is held of it decides how far back to read.
    fn of(scope: &Scope, name: &str) -> Self {
        let last = scope.as_of.date_naive();
        let horizon = back(last, scope.options.history_days.min(KEPT_DAYS).into());
        let held = Held::of(scope, name);
        let first = held.first_unknown(horizon, last);
        Group {
            name: name.to_owned(),
            first,
            last,
            held_from: held.whole_before(first),
            token: None,
            ahead: None,
            listed: 0,
            answered: 0,
            unanswered: None,
            oldest: None,
            end: None,
        }
    }

    /// Returns what was seen of the history and what was not.
    ///
    /// Of queries that Athena left out nobody knows the day: none of the days is then whole.
    fn coverage(&self) -> Vec<Coverage> {
        let new = |state| Coverage::new(QUERIES.table, QUERIES.operation, state);
        match (&self.end, &self.unanswered) {
            (Some(End::Cut(read, failed)), _) => self.cut(read, failed),
            (_, Some(why)) => vec![self.left_out(self.first, why)],
            _ => {
                let from = self.held_from.map_or(self.first, |held| held.min(self.first));
                vec![new(CoverageState::Seen).days(from, self.last).counted(self.answered, None)]
            }
        }
    }

    /// The newest days are whole; the one that was being read and those before it are not.
    fn cut(&self, read: &Read, failed: &Failed) -> Vec<Coverage> {
        let gap = failed.gap(read);
        if *read == IDS && self.oldest.is_none() {
            // Without days: the next scan that may list the ids says of each day how it was read.
            return vec![gap];
        }
        // Time that was up is tried again, like a failure; a budget cuts on purpose.
        let or = |state| if failed.trouble == Trouble::OverBudget { gap.state } else { state };
        let (partly, none) = (or(CoverageState::Partial), or(CoverageState::Missing));
        // The days are those of the queries, whichever of the two calls failed.
        let gap = |state| Coverage { state, read: QUERIES.operation.to_owned(), ..gap.clone() };
        let Some(oldest) = self.oldest else { return vec![gap(none).days(self.first, self.last)] };
        let gap = gap(partly).days(self.first.min(oldest), oldest).counted(self.answered, None);
        let whole = oldest.succ_opt().filter(|whole| *whole <= self.last);
        let seen = Coverage::new(QUERIES.table, QUERIES.operation, CoverageState::Seen);
        let newer = whole.map(|from| match &self.unanswered {
            Some(why) => self.left_out(from, why),
            None => seen.days(from, self.last),
        });
        std::iter::once(gap).chain(newer).collect()
    }

    /// The days from `from` on, of which Athena named queries that it did not tell.
    fn left_out(&self, from: NaiveDate, why: &str) -> Coverage {
        let row = Coverage::new(QUERIES.table, QUERIES.operation, CoverageState::Partial).days(from, self.last);
        row.because(why).counted(self.answered, Some(self.listed))
    }
}

/// The days that earlier scans know of one workgroup.
struct Held {
    /// Read whole.
    seen: Vec<Days>,
    /// Left out because a budget said so.
    cut: Vec<Days>,
}

impl Held {
    fn of(scope: &Scope, name: &str) -> Self {
        let here = scope.earlier.iter().filter(|c| {
            (c.table.as_str(), c.read.as_str()) == (QUERIES.table, QUERIES.operation)
                && c.account_id.as_deref().is_none_or(|account| account == scope.account_id)
                && c.region.as_deref() == Some(&scope.region)
                && c.resource.as_ref().is_some_and(|resource| resource.raw() == name)
        });
        let days = |state| {
            let of = here.clone().filter(move |c| c.state == state);
            of.filter_map(|c| Some(Days { from: c.from?, to: c.to? })).collect()
        };
        Held { seen: days(CoverageState::Seen), cut: days(CoverageState::OverBudget) }
    }

    /// Returns the first day to read from `horizon` on: the oldest that is neither held nor left out on purpose, or
    /// those of which a query may have been running when they were read.
    fn first_unknown(&self, horizon: NaiveDate, last: NaiveDate) -> NaiveDate {
        let Some(newest) = self.seen.iter().map(|days| days.to).max().filter(|newest| *newest >= horizon) else {
            return horizon;
        };
        let known: Vec<Days> = self.seen.iter().chain(&self.cut).copied().collect();
        let holes = Days { from: horizon, to: last }.without(&known);
        let again = back(newest, AGAIN).max(horizon);
        holes.first().map_or(again, |hole| hole.from.min(again))
    }

    /// Returns the first of the days before `day` that are held without a hole.
    fn whole_before(&self, day: NaiveDate) -> Option<NaiveDate> {
        let mut from = day;
        while let Some(longer) =
            self.seen.iter().find(|held| held.from < from && held.to.succ_opt().is_none_or(|after| after >= from))
        {
            from = longer.from;
        }
        (from < day).then_some(from)
    }
}

/// What all workgroups share.
struct Reader<'a> {
    scope: &'a Scope,
    sink: &'a Sink,
    client: &'a Client,
    key: Option<TextHash>,
}

impl Reader<'_> {
    /// Looks up a page of a workgroup, and lists the next one meanwhile. The first page is often the only one that is
    /// needed: none is listed beside it.
    async fn turn(&self, group: &mut Group) {
        let first = group.listed == 0;
        let page = match group.ahead.take() {
            Some(page) => page,
            None => self.list(&group.name, group.token.take()).await,
        };
        let Page { ids, next } = match page {
            Ok(page) => page,
            Err(end) => return group.end = Some(end),
        };
        group.listed += ids.len();
        let (name, beside) = (group.name.clone(), next.clone().filter(|_| !first));
        let ahead = async { Some(self.list(&name, Some(beside?)).await) };
        let (ahead, looked_up) = tokio::join!(ahead, self.look_up(group, ids));
        let known = group.oldest.is_some_and(|oldest| oldest < group.first);
        group.end = match looked_up {
            Err(failed) => Some(End::Cut(&QUERIES, failed)),
            Ok(()) if known || next.is_none() => Some(End::Reached),
            Ok(()) => None,
        };
        match ahead {
            // Listed in vain.
            Some(Ok(page)) if group.end.is_some() => self.scope.left.queries.give_back(page.ids.len()),
            ahead => (group.token, group.ahead) = (next, ahead),
        }
    }

    /// Lists the page that `token` begins.
    async fn list(&self, workgroup: &str, token: Option<String>) -> Result<Page, End> {
        let share = self.scope.left.queries.take(PAGE).await.map_err(|spent| End::Cut(&QUERIES, spent))?;
        let most = share.count().cast_signed();
        let call = self.client.list_query_executions().work_group(workgroup).max_results(most).set_next_token(token);
        let page = ask(self.scope, call.send()).await.map_err(|failed| End::Cut(&IDS, failed))?;
        let ids = page.query_execution_ids.unwrap_or_default();
        share.used(ids.len());
        Ok(Page { ids, next: page.next_token.filter(|token| !token.is_empty()) })
    }

    /// Hands over the queries that `ids` name; those that Athena leaves out are asked for once more.
    async fn look_up(&self, group: &mut Group, ids: Vec<String>) -> Result<(), Failed> {
        let mut asked: BTreeSet<String> = ids.into_iter().collect();
        for last in [false, true] {
            if asked.is_empty() {
                break;
            }
            let ids = asked.iter().cloned().collect();
            let call = self.client.batch_get_query_execution().set_query_execution_ids(Some(ids));
            let answer = ask(self.scope, call.send()).await?;
            let told = answer.query_executions();
            self.hand_over(group, told).await;
            let told: BTreeSet<&str> = told.iter().filter_map(QueryExecution::query_execution_id).collect();
            asked.retain(|id| !told.contains(id.as_str()));
            if last && !asked.is_empty() {
                group.unanswered = Some(why(answer.unprocessed_query_execution_ids().first()));
            }
        }
        Ok(())
    }

    async fn hand_over(&self, group: &mut Group, queries: &[QueryExecution]) {
        let rows = queries.iter().map(|query| execution::row(self.scope, self.key.as_ref(), query));
        // A query without a time cannot be placed in the history, and one before the first day was not asked for.
        let (mut kept, mut oldest) = (Vec::new(), group.oldest);
        for (row, day) in rows.filter_map(dated) {
            oldest = oldest.into_iter().chain([day]).min();
            if day >= group.first {
                kept.push(row);
            }
        }
        group.oldest = oldest;
        group.answered += kept.len();
        self.sink.rows(&ATHENA_QUERIES, kept).await;
    }
}

fn dated(row: Row) -> Option<(Row, NaiveDate)> {
    let day = row.time("submitted")?.date_naive();
    Some((row, day))
}

fn why(left_out: Option<&UnprocessedQueryExecutionId>) -> String {
    let code = left_out.and_then(|left| left.error_code()).unwrap_or("no reason given");
    let said = left_out.and_then(|left| left.error_message()).map(|said| format!(": {said}")).unwrap_or_default();
    format!("Athena left queries out of its answer: {code}{said}")
}

fn back(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(chrono::Days::new(days)).unwrap_or(day)
}

#[cfg(test)]
pub mod tests {
    use aws_types::SdkConfig;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::aws::collect::{Allowance, Heard, Options};

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

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn held(state: CoverageState, from: &str, to: &str) -> Coverage {
        let row = Coverage::new("athena_queries", QUERIES.operation, state).at("123456789012", Some("eu-west-1"));
        row.of("adhoc").days(day(from), day(to))
    }

    fn of(earlier: Vec<Coverage>) -> Group {
        Group::of(&scope(earlier), "adhoc")
    }

    fn told(rows: &[Coverage]) -> Vec<(CoverageState, String)> {
        let days = |c: &Coverage| format!("{} {}", c.from.unwrap(), c.to.unwrap());
        rows.iter().map(|c| (c.state, days(c))).collect()
    }

    #[test]
    fn the_first_scan_goes_back_as_far_as_athena_keeps() {
        let group = of(vec![]);
        assert_eq!((group.first, group.last), (day("2026-10-10"), day("2026-11-24")));
        let other = held(CoverageState::Seen, "2026-10-01", "2026-11-20").of("etl");
        assert_eq!(of(vec![other]).first, day("2026-10-10"), "another workgroup says nothing");
    }

    #[test]
    fn a_later_scan_stops_a_day_before_the_newest_one_held_and_the_history_grows() {
        let mut group = of(vec![held(CoverageState::Seen, "2026-09-01", "2026-11-20")]);
        assert_eq!(group.first, day("2026-11-19"));
        group.end = Some(End::Reached);
        assert_eq!(told(&group.coverage()), [(CoverageState::Seen, "2026-09-01 2026-11-24".into())]);
    }

    #[test]
    fn what_a_failure_cut_is_tried_again_and_what_a_budget_cut_is_not() {
        let newest = held(CoverageState::Seen, "2026-11-15", "2026-11-20");
        assert_eq!(of(vec![newest.clone()]).first, day("2026-10-10"));
        let cut = held(CoverageState::OverBudget, "2026-10-05", "2026-11-14");
        assert_eq!(of(vec![newest, cut]).first, day("2026-11-19"));
    }

    #[test]
    fn a_failure_after_a_budget_cut_is_tried_again_down_to_its_own_days() {
        let cut = held(CoverageState::OverBudget, "2026-10-05", "2026-11-14");
        let first = held(CoverageState::Seen, "2026-11-15", "2026-11-20");
        let newest = held(CoverageState::Seen, "2026-11-24", "2026-11-24");
        let group = of(vec![cut, first, newest]);
        assert_eq!(
            group.first,
            day("2026-11-21"),
            "the days between were never read; those before were cut on purpose"
        );
        assert_eq!(group.held_from, Some(day("2026-11-15")));
    }

    #[test]
    fn queries_left_out_below_a_cut_leave_no_day_whole() {
        let spent = Failed { trouble: Trouble::OverBudget, code: None, reason: "spent".into() };
        let mut group = of(vec![]);
        (group.oldest, group.end) = (Some(day("2026-11-22")), Some(End::Cut(&QUERIES, spent)));
        group.unanswered = Some("Athena left queries out".into());
        let rows = group.coverage();
        assert!(rows.iter().all(|row| row.state != CoverageState::Seen), "{rows:?}");
        assert_eq!((rows[1].state, rows[1].from), (CoverageState::Partial, Some(day("2026-11-23"))));
    }

    #[test]
    fn time_that_was_up_is_tried_again() {
        let late = Failed { trouble: Trouble::OverTime, code: None, reason: "up".into() };
        let mut group = of(vec![]);
        (group.oldest, group.end) = (Some(day("2026-11-22")), Some(End::Cut(&IDS, late)));
        let told: Vec<Coverage> =
            group.coverage().into_iter().map(|c| c.at("123456789012", Some("eu-west-1")).of("adhoc")).collect();
        assert_eq!(of(told).first, day("2026-10-10"));
    }

    #[test]
    fn a_hole_that_there_was_no_time_to_fill_is_filled_by_a_later_scan() {
        let hole = held(CoverageState::Partial, "2026-11-06", "2026-11-10");
        let around = [("2026-10-01", "2026-11-05"), ("2026-11-11", "2026-11-20")];
        let mut known: Vec<Coverage> = around.map(|(from, to)| held(CoverageState::Seen, from, to)).to_vec();
        known.push(hole);
        let mut group = of(known.clone());
        assert_eq!(group.first, day("2026-11-06"));
        let late = Failed { trouble: Trouble::OverTime, code: None, reason: "up".into() };
        group.end = Some(End::Cut(&QUERIES, late));
        known.extend(group.coverage().into_iter().map(|c| c.at("123456789012", Some("eu-west-1")).of("adhoc")));
        assert_eq!(of(known).first, day("2026-11-06"));
    }

    #[test]
    fn days_that_were_read_whole_are_told_apart_from_those_that_a_budget_cut() {
        let spent = Failed { trouble: Trouble::OverBudget, code: None, reason: "spent".into() };
        let mut group = of(vec![]);
        group.end = Some(End::Cut(&QUERIES, spent));
        assert_eq!(told(&group.coverage()), [(CoverageState::OverBudget, "2026-10-10 2026-11-24".into())]);
        group.oldest = Some(day("2026-11-22"));
        let whole = (CoverageState::Seen, "2026-11-23 2026-11-24".into());
        assert_eq!(told(&group.coverage()), [(CoverageState::OverBudget, "2026-10-10 2026-11-22".into()), whole]);
    }

    #[test]
    fn a_refusal_names_the_action_that_is_missing() {
        let denied = Failed { trouble: Trouble::Denied, code: None, reason: "no".into() };
        let mut group = of(vec![]);
        group.end = Some(End::Cut(&IDS, denied));
        let rows = group.coverage();
        assert_eq!(rows[0].missing_action.as_deref(), Some("athena:ListQueryExecutions"));
        assert_eq!(rows[0].state, CoverageState::Missing);
    }

    #[test]
    fn queries_that_athena_left_out_make_the_days_partly_seen() {
        let mut group = of(vec![]);
        (group.listed, group.answered, group.end) = (50, 49, Some(End::Reached));
        group.unanswered = Some("Athena left queries out".into());
        let rows = group.coverage();
        assert_eq!((rows[0].state, rows[0].seen, rows[0].expected), (CoverageState::Partial, Some(49), Some(50)));
    }
}
