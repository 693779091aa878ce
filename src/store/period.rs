//! The days that a part covers, and how a table of events is cut into parts.

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Days from `from` to `to`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Days {
    /// First day, UTC.
    pub from: NaiveDate,
    /// Last day, UTC.
    pub to: NaiveDate,
}

impl Days {
    /// Returns true when the two share a day.
    pub fn touches(self, other: Days) -> bool {
        self.from <= other.to && other.from <= self.to
    }

    /// Returns true when `day` is one of them.
    pub fn contains(self, day: NaiveDate) -> bool {
        self.from <= day && day <= self.to
    }

    /// Returns what is left of the days without those in `taken`, in order.
    pub fn without(self, taken: &[Days]) -> Vec<Days> {
        taken.iter().fold(vec![self], |left, cut| left.into_iter().flat_map(|days| days.minus(*cut)).collect())
    }

    fn minus(self, cut: Days) -> Vec<Days> {
        if !self.touches(cut) {
            return vec![self];
        }
        let before = cut.from.pred_opt().filter(|day| *day >= self.from).map(|to| Days { from: self.from, to });
        let after = cut.to.succ_opt().filter(|day| *day <= self.to).map(|from| Days { from, to: self.to });
        before.into_iter().chain(after).collect()
    }
}

/// Returns the part that `day` belongs to: its month when that is closed, the day alone in the open and the
/// previous month (and later).
pub fn part_of(day: NaiveDate, as_of: DateTime<Utc>) -> Days {
    let open = first_of(as_of.date_naive());
    let previous = open.checked_sub_months(Months::new(1)).unwrap_or(open);
    if day >= previous {
        return Days { from: day, to: day };
    }
    let from = first_of(day);
    let next = from.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX);
    Days { from, to: next.pred_opt().unwrap_or(day) }
}

fn first_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn days(from: &str, to: &str) -> Days {
        Days { from: day(from), to: day(to) }
    }

    #[test]
    fn closed_months_are_whole_and_the_open_and_previous_month_are_cut_by_day() {
        let as_of = "2026-03-02T04:00:00Z".parse().unwrap();
        assert_eq!(part_of(day("2026-03-02"), as_of), days("2026-03-02", "2026-03-02"));
        assert_eq!(part_of(day("2026-02-01"), as_of), days("2026-02-01", "2026-02-01"));
        assert_eq!(part_of(day("2026-01-31"), as_of), days("2026-01-01", "2026-01-31"));
        assert_eq!(part_of(day("2024-02-03"), as_of), days("2024-02-01", "2024-02-29"));
    }

    #[test]
    fn days_without_others_keep_both_ends() {
        let year = days("2026-01-01", "2026-12-31");
        let left = year.without(&[days("2026-03-01", "2026-03-31"), days("2026-12-31", "2027-01-05")]);
        assert_eq!(left, [days("2026-01-01", "2026-02-28"), days("2026-04-01", "2026-12-30")]);
        assert!(year.without(&[year]).is_empty());
    }
}
