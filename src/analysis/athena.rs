//! What Athena bills for a query, and the window that is taken for a month.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, Utc};

use crate::engine::{Engine, EngineError};
use crate::model::Row;
use crate::prices::scanned::{MEGABYTE, MINIMUM};

/// Days of history that stand for a month.
pub(super) const WINDOW_DAYS: u64 = 30;
/// Days of history below which nothing is scaled up to a month.
const LEAST_DAYS: i64 = 7;
/// Returns [`billed_bytes`](crate::prices::scanned::billed_bytes) as SQL, for sums over many queries.
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

    /// Returns the days of the window from `first` to `last`, both in.
    fn days(self, first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        first.max(self.from).iter_days().take_while(move |day| *day <= last && *day < self.until)
    }
}

/// Which days of the window the history of each workgroup holds. A day that was not read is unknown; a day that was
/// read without a query is a day of nothing.
#[derive(Debug)]
pub(super) struct History {
    window: Window,
    /// Account, Region and workgroup to the days that a scan says it read.
    read: BTreeMap<[String; 3], BTreeSet<NaiveDate>>,
    /// Account and Region to the day of the first query of all: what is left to go by where no scan says anything.
    first: BTreeMap<[String; 2], NaiveDate>,
}

impl History {
    pub async fn of(engine: &Engine, window: Window) -> Result<Self, EngineError> {
        let mut history = History { window, read: BTreeMap::new(), first: BTreeMap::new() };
        // Where Athena left queries out, the days were read for all that. Where a call failed, they were not.
        let read = "select account_id, region, resource as workgroup, from_day, to_day from coverage \
                    where table_name = 'athena_queries' and read = 'athena:BatchGetQueryExecution' \
                    and (state = 'seen' or state = 'partial' and expected is not null) and resource is not null";
        for row in engine.rows(read).await? {
            if let Some((from, to)) = row.date("from_day").zip(row.date("to_day")) {
                history.read.entry(group(&row)).or_default().extend(window.days(from, to));
            }
        }
        let first = format!(
            "select account_id, region, min(submitted) as first from athena_queries \
             where submitted < timestamp '{}T00:00:00Z' group by 1, 2",
            window.until
        );
        for row in engine.rows(&first).await? {
            let [account_id, region, _] = group(&row);
            history.first.extend(row.time("first").map(|first| ([account_id, region], first.date_naive())));
        }
        Ok(history)
    }

    /// Returns the days that are known of the workgroup that `row` is about.
    pub fn days(&self, row: &Row) -> BTreeSet<NaiveDate> {
        let key = group(row);
        if let Some(days) = self.read.get(&key) {
            return days.clone();
        }
        let [account_id, region, _] = key;
        let first = self.first.get(&[account_id, region]);
        first.into_iter().flat_map(|first| self.window.days(*first, self.window.until)).collect()
    }
}

fn group(row: &Row) -> [String; 3] {
    ["account_id", "region", "workgroup"].map(|column| row.key(column).to_owned())
}

/// Returns `amount` of `days` as an amount of 30 days; a history shorter than a week is left as it is: a lower bound.
pub(super) fn monthly(amount: i64, days: usize) -> i64 {
    let days = i64::try_from(days).unwrap_or(i64::MAX);
    if days < LEAST_DAYS {
        return amount;
    }
    let scaled = i128::from(amount) * i128::from(WINDOW_DAYS) / i128::from(days);
    i64::try_from(scaled).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::scanned::billed_bytes;

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
