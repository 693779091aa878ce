//! What Athena bills for a query, and the window that is taken for a month.

use chrono::{DateTime, Days, NaiveDate, Utc};

/// Days of history that stand for a month.
pub(super) const WINDOW_DAYS: u64 = 30;
/// Days of history below which nothing is scaled up to a month.
const LEAST_DAYS: i64 = 7;
/// Athena rounds the bytes of a query up to the next MB (Athena pricing page).
const MEGABYTE: i64 = 1 << 20;
/// Least that a query that scans anything is billed for (Athena pricing page).
const MINIMUM: i64 = 10 * MEGABYTE;

/// Returns the bytes billed for a query that scanned `scanned`: whole MB, at least 10 of them. A query that scanned
/// nothing is taken as free, so that no saving rests on it.
pub(super) fn billed_bytes(scanned: i64) -> i64 {
    if scanned <= 0 {
        return 0;
    }
    let megabytes = (scanned - 1) / MEGABYTE + 1;
    megabytes.saturating_mul(MEGABYTE).max(MINIMUM)
}

/// The same as SQL, for sums over many queries.
pub(super) fn billed_bytes_sql(scanned: &str) -> String {
    let whole = format!("({scanned} + {}) / {MEGABYTE} * {MEGABYTE}", MEGABYTE - 1);
    format!("(case when {scanned} > 0 then greatest({MINIMUM}, {whole}) else 0 end)")
}

/// The last full 30 days before as-of: from the first day on, until the second, which is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub from: NaiveDate,
    pub until: NaiveDate,
}

impl Window {
    pub fn before(as_of: DateTime<Utc>) -> Self {
        let until = as_of.date_naive();
        Window { from: until.checked_sub_days(Days::new(WINDOW_DAYS)).unwrap_or(until), until }
    }

    /// Returns the condition that an instant lies in it.
    pub fn sql(self, column: &str) -> String {
        let Window { from, until } = self;
        format!("{column} >= timestamp '{from}T00:00:00Z' and {column} < timestamp '{until}T00:00:00Z'")
    }

    pub fn holds(self, instant: DateTime<Utc>) -> bool {
        (self.from..self.until).contains(&instant.date_naive())
    }

    /// Returns the days of the window that a history which begins at `first` covers.
    pub fn days_since(self, first: NaiveDate) -> i64 {
        (self.until - first.max(self.from)).num_days().max(0)
    }
}

/// Returns `amount` of `days` as an amount of 30 days; a history shorter than a week is left as it is: a lower bound.
pub(super) fn monthly(amount: i64, days: i64) -> i64 {
    if days < LEAST_DAYS {
        return amount;
    }
    let scaled = i128::from(amount) * i128::from(WINDOW_DAYS) / i128::from(days);
    i64::try_from(scaled).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_pays_for_whole_megabytes_and_for_ten_at_least() {
        let mb = MEGABYTE;
        for (scanned, billed) in [(0, 0), (1, 10 * mb), (10 * mb, 10 * mb), (10 * mb + 1, 11 * mb), (25 * mb, 25 * mb)]
        {
            assert_eq!(billed_bytes(scanned), billed, "{scanned}");
        }
    }

    #[tokio::test]
    async fn the_sum_in_sql_rounds_as_the_replay_does() {
        let engine = crate::engine::Engine::new().unwrap();
        for scanned in [0, 1, MEGABYTE, MINIMUM, MINIMUM + 1, (1 << 50) + 1] {
            let rows =
                engine.rows(&format!("select {} as billed", billed_bytes_sql(&scanned.to_string()))).await.unwrap();
            assert_eq!(rows[0].int("billed"), Some(billed_bytes(scanned)), "{scanned}");
        }
    }

    #[test]
    fn two_weeks_of_history_are_scaled_to_a_month_and_three_days_are_not() {
        assert_eq!((monthly(140, 14), monthly(140, 3), monthly(140, 30)), (300, 140, 140));
    }
}
