//! Which days to ask Cost Explorer for, and which are covered.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, Months, NaiveDate};

/// Whole months that Cost Explorer keeps by day, beside the current one.
const KEPT_MONTHS: u32 = 13;

/// Days from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
}

impl Span {
    /// Returns each day.
    pub fn days(self) -> impl Iterator<Item = NaiveDate> {
        self.from.iter_days().take_while(move |day| *day <= self.to)
    }

    /// Returns the day after the last: Cost Explorer's periods end before their end.
    pub fn end(self) -> NaiveDate {
        self.to.checked_add_days(Days::new(1)).unwrap_or(self.to)
    }

    /// Returns true when the two share a day.
    pub fn touches(self, other: Span) -> bool {
        self.from <= other.to && other.from <= self.to
    }

    /// Returns true when `day` is in it.
    pub fn contains(self, day: NaiveDate) -> bool {
        self.from <= day && day <= self.to
    }
}

/// Returns the months that can be asked for on `today`, newest first. The current one ends yesterday: today has barely
/// begun to be billed.
pub fn months(today: NaiveDate) -> Vec<Span> {
    let first = first_of_month(today);
    let yesterday = today.pred_opt().unwrap_or(today);
    let starts = (0..=KEPT_MONTHS).filter_map(|back| first.checked_sub_months(Months::new(back)));
    let month = |from: NaiveDate| {
        let next = from.checked_add_months(Months::new(1)).unwrap_or(from);
        Span { from, to: next.pred_opt().unwrap_or(from).min(yesterday) }
    };
    starts.map(month).filter(|span| span.from <= span.to).collect()
}

/// Returns those of `months` that an earlier scan has not settled. A scan sees bills change until the month after the
/// one they are for has ended, so what it saw of its own and of its previous month is read again.
pub fn unsettled(months: &[Span], earlier: &[Span]) -> Vec<Span> {
    let settled = |month: &Span| {
        earlier.iter().any(|seen| {
            let changing = first_of_month(seen.to).checked_sub_months(Months::new(1)).unwrap_or(seen.from);
            seen.from <= month.from && month.to < changing
        })
    };
    months.iter().copied().filter(|month| !settled(month)).collect()
}

/// Returns the days as spans without holes.
pub fn spans(days: &BTreeSet<NaiveDate>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for &day in days {
        match spans.last_mut() {
            Some(span) if span.end() == day => span.to = day,
            _ => spans.push(Span { from: day, to: day }),
        }
    }
    spans
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn span(from: &str, to: &str) -> Span {
        Span { from: day(from), to: day(to) }
    }

    #[test]
    fn the_first_scan_asks_for_thirteen_months_and_the_current_one_newest_first() {
        let months = months(day("2026-11-24"));
        assert_eq!(months.len(), 14);
        assert_eq!(months[0], span("2026-11-01", "2026-11-23"));
        assert_eq!(months[1], span("2026-10-01", "2026-10-31"));
        assert_eq!(months[13], span("2025-10-01", "2025-10-31"));
    }

    #[test]
    fn on_the_first_of_a_month_the_current_month_has_no_day_yet() {
        assert_eq!(months(day("2026-03-01"))[0], span("2026-02-01", "2026-02-28"));
    }

    #[test]
    fn a_week_later_only_the_current_and_the_previous_month_are_read() {
        let months = months(day("2026-11-24"));
        let again = unsettled(&months, &[span("2025-10-01", "2026-11-16")]);
        assert_eq!(again, months[..2]);
    }

    #[test]
    fn after_a_long_break_what_could_still_change_then_is_read_again() {
        let months = months(day("2026-11-24"));
        let again = unsettled(&months, &[span("2025-10-01", "2026-08-14")]);
        assert_eq!(again.last(), Some(&span("2026-07-01", "2026-07-31")));
    }

    #[test]
    fn a_hole_in_an_earlier_scan_is_read() {
        let months = months(day("2026-11-24"));
        let again = unsettled(&months, &[span("2025-10-01", "2026-03-31"), span("2026-05-01", "2026-11-23")]);
        assert!(again.contains(&span("2026-04-01", "2026-04-30")));
    }

    #[test]
    fn spans_have_no_holes() {
        let days = [day("2026-01-31"), day("2026-02-01"), day("2026-02-03")].into();
        assert_eq!(spans(&days), [span("2026-01-31", "2026-02-01"), span("2026-02-03", "2026-02-03")]);
    }
}
