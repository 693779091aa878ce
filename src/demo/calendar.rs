//! The demo's fixed clock: a window of days that ends on the same Monday for ever. Must never read a real one.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};

/// A day of the simulation; 0 is the first day of the window, days before it are negative.
pub type Day = i32;

/// The window of days that the demo shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Day 0.
    pub first: NaiveDate,
    /// The day of the newest scan.
    pub today: Day,
}

impl Calendar {
    /// Returns the window of `days` whole days before the newest scan.
    pub fn new(days: u32) -> Self {
        let today = Day::try_from(days).unwrap_or(Day::MAX);
        let date = newest().date_naive();
        let first = date.checked_sub_signed(TimeDelta::days(today.into())).unwrap_or(date);
        Calendar { first, today }
    }

    /// Returns the date of `day`.
    pub fn date(self, day: Day) -> NaiveDate {
        self.first.checked_add_signed(TimeDelta::days(day.into())).unwrap_or(self.first)
    }

    /// Returns the day of `date`.
    pub fn day(self, date: NaiveDate) -> Day {
        Day::try_from(date.signed_duration_since(self.first).num_days()).unwrap_or(0)
    }

    /// Returns the instant `seconds` after the start of `day`.
    pub fn at(self, day: Day, seconds: i64) -> DateTime<Utc> {
        self.date(day).and_time(NaiveTime::MIN).and_utc() + TimeDelta::seconds(seconds)
    }

    /// Returns true on Saturdays and Sundays.
    pub fn weekend(self, day: Day) -> bool {
        self.date(day).weekday().num_days_from_monday() >= 5
    }
}

/// When the newest scan of the demo ran: 2026-11-23, 06:00 UTC, a Monday.
pub fn newest() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_413_600, 0).unwrap_or_default()
}

/// When the scan before it ran: a week earlier.
pub fn previous() -> DateTime<Utc> {
    newest() - TimeDelta::days(7)
}

/// Returns how many days the month of `date` has.
pub fn days_in_month(date: NaiveDate) -> u32 {
    date.num_days_in_month().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_scan_is_a_monday_and_the_default_window_is_fourteen_months() {
        assert_eq!(newest().to_rfc3339(), "2026-11-23T06:00:00+00:00");
        assert_eq!(newest().date_naive().weekday(), chrono::Weekday::Mon);
        assert_eq!(Calendar::new(418).first.to_string(), "2025-10-01");
    }
}
