//! What earlier scans know of a history: from which day it must be read, and what is known then.
//!
//! A run that had ended when it was seen is never read again. Days that hold a run which had not are told apart by
//! their counts, and are read again until it has.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use crate::aws::collect::{Failed, Read, Scope, Trouble};
use crate::model::{Coverage, CoverageState, Untrusted};

/// Coverage of one history by earlier scans: by resource, or of all at once.
pub struct Known<'a> {
    read: Read,
    last: NaiveDate,
    horizon: NaiveDate,
    by_resource: BTreeMap<Option<&'a str>, Vec<&'a Coverage>>,
}

impl<'a> Known<'a> {
    /// Returns what earlier scans of the scope's Region know of what `read` fills.
    pub fn of(scope: &'a Scope, read: Read) -> Self {
        let last = scope.as_of.date_naive();
        let horizon = last.checked_sub_days(Days::new(scope.options.glue.days.into())).unwrap_or(last);
        let mut by_resource: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mine = scope.earlier.iter().filter(|c| {
            (c.table.as_str(), c.read.as_str()) == (read.table, read.operation)
                && c.account_id.as_deref() == Some(&scope.account_id)
                && c.region.as_deref() == Some(&scope.region)
        });
        for coverage in mine {
            by_resource.entry(coverage.resource.as_ref().map(Untrusted::raw)).or_default().push(coverage);
        }
        Known { read, last, horizon, by_resource }
    }

    /// Returns what is left to read of a history: what comes after the days that are known without a hole.
    pub fn past(&self, resource: Option<&str>) -> Past {
        let known = self.by_resource.get(&resource).map(Vec::as_slice).unwrap_or_default();
        let mut held: Vec<Held> = known.iter().filter_map(|c| Held::of(c)).collect();
        held.sort_by_key(|held| (held.from, held.to));
        // What a budget cut on purpose is not tried again; what a failure cut is.
        let cut = held.iter().any(|held| held.cut);
        let mut span: Option<Held> = None;
        for next in held {
            span = match span {
                Some(span) if span.reaches(&next) => Some(span.and(&next)),
                None if cut => Some(next),
                _ if next.from <= self.horizon => Some(next),
                span => span,
            };
        }
        let mut past = Past { read: self.read, first: self.horizon, last: self.last, held_from: None, open: false };
        if let Some(span) = span.filter(|span| span.to >= self.horizon) {
            past.first = span.open.unwrap_or(span.to);
            past.held_from = Some(span.from);
            past.open = span.open.is_some();
        }
        past
    }
}

/// Days that earlier scans saw, or that a budget cut.
struct Held {
    /// First of the days that were seen without a cut.
    from: NaiveDate,
    to: NaiveDate,
    /// First day with a run that had not ended.
    open: Option<NaiveDate>,
    cut: bool,
}

impl Held {
    fn of(coverage: &Coverage) -> Option<Held> {
        let (from, to) = coverage.from.zip(coverage.to)?;
        let cut = match coverage.state {
            CoverageState::Seen => false,
            CoverageState::OverBudget => true,
            _ => return None,
        };
        let open = coverage.seen.zip(coverage.expected).is_some_and(|(ended, all)| ended < all) && !cut;
        Some(Held { from, to, open: open.then_some(from), cut })
    }

    fn reaches(&self, next: &Held) -> bool {
        self.to.succ_opt().is_none_or(|after| next.from <= after)
    }

    fn and(self, next: &Held) -> Held {
        let from = if next.cut { next.to.succ_opt().unwrap_or(next.to) } else { self.from };
        let open = self.open.into_iter().chain(next.open).min();
        Held { from, to: self.to.max(next.to), open, cut: self.cut || next.cut }
    }
}

/// The part of one history that is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    read: Read,
    /// First day to read.
    pub first: NaiveDate,
    /// Last day: the scan's own.
    pub last: NaiveDate,
    held_from: Option<NaiveDate>,
    /// True when a run of [`Past::first`] had not ended when it was seen.
    pub open: bool,
}

/// What of a history was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Runs that had ended.
    pub ended: usize,
    /// All runs.
    pub all: usize,
    /// First day with a run that had not ended.
    pub open: Option<NaiveDate>,
}

impl Told {
    /// Counts a run of `day`.
    pub fn add(&mut self, day: NaiveDate, ended: bool) {
        self.all += 1;
        self.ended += usize::from(ended);
        if !ended {
            self.open = self.open.into_iter().chain([day]).min();
        }
    }
}

impl Past {
    /// Returns true when earlier scans hold what came before [`Past::first`].
    pub fn is_held(&self) -> bool {
        self.held_from.is_some()
    }

    /// Returns the coverage of a history that was read to its end.
    pub fn whole(&self, told: Told) -> Vec<Coverage> {
        self.seen(self.held_from.map_or(self.first, |held| held.min(self.first)), told)
    }

    /// Returns the coverage of a history of which only the days after `oldest` were read whole, newest first, before it
    /// `failed`. Days that a budget cut are said as such, and no later scan tries them; those that a failure or the end of
    /// the collector's time cut are read again.
    ///
    /// While a run of earlier days has not ended, what earlier scans said of it stays as it is.
    pub fn cut(&self, failed: &Failed, oldest: Option<NaiveDate>, told: Told) -> Vec<Coverage> {
        let (gap, over_budget) = (failed.gap(&self.read), failed.trouble == Trouble::OverBudget);
        let Some(oldest) = oldest.filter(|_| !self.open) else {
            // Without days, the next scan that may read says of each day how it was read.
            return vec![if over_budget && !self.open { gap.days(self.first, self.last) } else { gap }];
        };
        let state = if over_budget { gap.state } else { CoverageState::Partial };
        let gap = Coverage { state, ..gap }.days(self.first.min(oldest), oldest).counted(told.all, None);
        let whole = oldest.succ_opt().filter(|from| *from <= self.last);
        let of_whole = |from: NaiveDate| Told { open: told.open.filter(|open| *open >= from), ..told };
        let seen = whole.map(|from| self.seen(from, of_whole(from))).unwrap_or_default();
        std::iter::once(gap).chain(seen).collect()
    }

    /// Returns the coverage of the days since `from`: those with a run that had not ended stand apart.
    pub fn seen(&self, from: NaiveDate, told: Told) -> Vec<Coverage> {
        let new = || Coverage::new(self.read.table, self.read.operation, CoverageState::Seen);
        let Some(open) = told.open else { return vec![new().days(from, self.last).counted(told.all, None)] };
        let settled = open.pred_opt().filter(|day| *day >= from).map(|day| new().days(from, day));
        let again = new().days(open, self.last.max(open)).counted(told.ended, Some(told.all));
        settled.into_iter().chain([again]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::collect::glue::runs::RUNS;
    use crate::aws::collect::glue::tests::scope;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn past(earlier: &[Coverage]) -> Past {
        let earlier = earlier.iter().map(|c| c.clone().at("123456789012", Some("eu-west-1")).of("job"));
        Known::of(&scope(earlier.collect()), RUNS).past(Some("job"))
    }

    fn row(state: CoverageState, from: &str, to: &str) -> Coverage {
        Coverage::new(RUNS.table, RUNS.operation, state).days(day(from), day(to))
    }

    fn failed(trouble: Trouble) -> Failed {
        Failed { trouble, code: None, reason: "it ended".to_owned() }
    }

    #[test]
    fn the_first_scan_goes_back_as_far_as_glue_keeps() {
        let past = past(&[]);
        assert_eq!((past.first, past.last), (day("2026-08-26"), day("2026-11-24")));
        assert!(!past.is_held());
    }

    #[test]
    fn a_later_scan_begins_on_the_day_of_the_last_one_and_the_history_grows() {
        let past = past(&[row(CoverageState::Seen, "2026-06-01", "2026-11-20").counted(7, None)]);
        assert_eq!(past.first, day("2026-11-20"));
        let told = past.whole(Told::default());
        assert_eq!((told[0].from, told[0].to), (Some(day("2026-06-01")), Some(day("2026-11-24"))));
    }

    #[test]
    fn a_run_that_had_not_ended_is_read_again_however_old_it_is() {
        let mut told = Told::default();
        told.add(day("2026-11-24"), true);
        told.add(day("2026-07-02"), false);
        let first = past(&[row(CoverageState::Seen, "2026-06-01", "2026-11-23")]).whole(told);
        assert_eq!(
            first.iter().map(|c| (c.from, c.to)).collect::<Vec<_>>(),
            [(Some(day("2026-06-01")), Some(day("2026-07-01"))), (Some(day("2026-07-02")), Some(day("2026-11-24"))),]
        );
        assert!(first.iter().all(|c| !c.is_gap()), "a run that still runs is no gap");
        let next = past(&first);
        assert_eq!(next.first, day("2026-07-02"));
        assert_eq!(next.whole(Told::default())[0].from, Some(day("2026-06-01")), "nothing is forgotten");
    }

    #[test]
    fn what_a_failure_cut_is_tried_again_and_what_a_budget_cut_is_not() {
        let newest = row(CoverageState::Seen, "2026-11-10", "2026-11-20");
        assert_eq!(past(std::slice::from_ref(&newest)).first, day("2026-08-26"));
        let cut = row(CoverageState::OverBudget, "2026-08-20", "2026-11-09");
        assert_eq!(past(&[newest, cut]).first, day("2026-11-20"));
    }

    #[test]
    fn days_that_a_failure_cut_are_read_again_and_not_those_before() {
        let held = row(CoverageState::Seen, "2026-06-01", "2026-11-10");
        let cut = row(CoverageState::Partial, "2026-11-10", "2026-11-15");
        let newest = row(CoverageState::Seen, "2026-11-16", "2026-11-20");
        assert_eq!(past(&[held, cut, newest]).first, day("2026-11-10"));
        assert_eq!(past(&[row(CoverageState::Seen, "2026-01-01", "2026-08-01")]).first, day("2026-08-26"));
    }

    #[test]
    fn what_the_end_of_the_time_cut_is_read_by_the_next_scan_and_what_a_budget_cut_is_not() {
        let next = |trouble, oldest: Option<&str>| {
            past(&past(&[]).cut(&failed(trouble), oldest.map(day), Told::default())).first
        };
        for oldest in [None, Some("2026-11-20")] {
            assert_eq!(next(Trouble::OverTime, oldest), day("2026-08-26"), "{oldest:?}");
            assert_eq!(next(Trouble::TimedOut, oldest), day("2026-08-26"), "{oldest:?}");
            assert_eq!(next(Trouble::OverBudget, oldest), day("2026-11-24"), "{oldest:?}");
        }
    }

    #[test]
    fn what_is_cut_is_told_from_the_days_that_were_read_whole() {
        let spent = failed(Trouble::OverBudget);
        let told = past(&[]).cut(&spent, Some(day("2026-11-20")), Told::default());
        let days: Vec<_> = told.iter().map(|c| (c.state, c.from.unwrap(), c.to.unwrap())).collect();
        assert_eq!(
            days,
            [
                (CoverageState::OverBudget, day("2026-08-26"), day("2026-11-20")),
                (CoverageState::Seen, day("2026-11-21"), day("2026-11-24")),
            ]
        );
        assert_eq!(past(&told).first, day("2026-11-24"));
        let running = row(CoverageState::Seen, "2026-06-01", "2026-11-23").counted(0, Some(1));
        let told = past(&[running]).cut(&spent, Some(day("2026-11-20")), Told::default());
        assert!(told.iter().all(Coverage::is_gap), "the run that still runs is not forgotten: {told:?}");
    }
}
