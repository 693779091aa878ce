//! Which days to ask for, and how many series in one call. Pure.

use aws_smithy_types::DateTime;
use chrono::{Days, NaiveDate};

use super::data;
use crate::aws::collect::{Scope, instant};

/// Days that can still change or come late: they are read again.
const AGAIN: u64 = 3;

/// The days that one scan asks for, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First day.
    pub first: NaiveDate,
    /// Last day.
    pub last: NaiveDate,
    /// First and last day of what earlier scans hold.
    held: Option<(NaiveDate, NaiveDate)>,
}

impl Window {
    /// Returns the days of storage metrics to ask for in the scope's Region.
    pub fn of(scope: &Scope, read: &str) -> Self {
        Window::over(scope, "storage", read, u64::from(scope.options.storage_days))
    }

    /// Returns the days of `table` to ask for in the scope's Region: so many back, or those since the last scan.
    pub fn over(scope: &Scope, table: &str, read: &str, days: u64) -> Self {
        let last = scope.as_of.date_naive();
        let oldest = back(last, days);
        let regional = scope.seen_before(table, read).filter(|c| c.resource.is_none() && c.region.is_some());
        let held = regional.filter_map(|c| c.from.zip(c.to)).max_by_key(|(_, to)| *to);
        match held {
            Some((from, to)) if to >= oldest => {
                Window { first: back(to, AGAIN - 1).max(oldest), last, held: Some((from, to)) }
            }
            _ => Window { first: oldest, last, held: None },
        }
    }

    /// Returns the first day that the table holds after this scan.
    pub fn covered_from(self) -> NaiveDate {
        self.held.map_or(self.first, |(from, _)| from.min(self.first))
    }

    /// Returns the last day that the table holds when this scan got no point at all.
    pub fn covered_to(self) -> NaiveDate {
        self.held.map_or(self.last, |(_, to)| to)
    }

    /// Returns how many days are asked for.
    pub fn days(self) -> u32 {
        u32::try_from((self.last - self.first).num_days()).unwrap_or(0) + 1
    }

    /// Returns the start of the first day.
    pub fn start(self) -> DateTime {
        instant::start_of(self.first)
    }

    /// Returns the end of the last day.
    pub fn end(self) -> DateTime {
        instant::start_of(self.last.checked_add_days(Days::new(1)).unwrap_or(self.last))
    }

    /// Returns how many series one call asks for, so that their points stay within one call's.
    pub fn series_per_call(self) -> usize {
        data::series_per_call(self.days())
    }
}

fn back(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use aws_types::SdkConfig;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::aws::collect::{Allowance, Heard, Options};
    use crate::model::{Coverage, CoverageState};

    const READ: &str = "cloudwatch:GetMetricData";

    fn scope(earlier: Vec<Coverage>) -> Scope {
        Scope {
            account_id: "1".into(),
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

    fn held(region: &str, state: CoverageState) -> Coverage {
        let days = Coverage::new("storage", READ, state).at("1", Some(region));
        days.days(day("2025-08-26"), day("2026-11-22"))
    }

    #[test]
    fn the_first_scan_asks_for_all_that_cloudwatch_keeps() {
        let window = Window::of(&scope(vec![]), READ);
        assert_eq!((window.first, window.last), (day("2025-08-26"), day("2026-11-24")));
        assert_eq!(window.covered_from(), day("2025-08-26"));
    }

    #[test]
    fn a_later_scan_asks_for_the_newest_three_days_that_it_holds_and_what_came_since() {
        let window = Window::of(&scope(vec![held("eu-west-1", CoverageState::Seen)]), READ);
        assert_eq!((window.first, window.last), (day("2026-11-20"), day("2026-11-24")));
        assert_eq!(window.covered_from(), day("2025-08-26"), "what earlier scans hold still counts as covered");
    }

    #[test]
    fn another_region_or_a_gap_says_nothing_about_what_is_held() {
        for earlier in [held("us-east-1", CoverageState::Seen), held("eu-west-1", CoverageState::Partial)] {
            assert_eq!(Window::of(&scope(vec![earlier]), READ).first, day("2025-08-26"));
        }
    }

    #[test]
    fn one_call_asks_for_few_enough_points_to_be_answered_in_time_and_for_500_series_at_most() {
        let long = Window { first: day("2025-08-26"), last: day("2026-11-24"), held: None };
        assert_eq!(long.series_per_call(), 17);
        let short = Window { first: day("2026-11-22"), ..long };
        assert_eq!(short.series_per_call(), 500);
    }
}
