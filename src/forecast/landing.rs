//! Where the month lands if the days that are left are like the same weekdays of the last four weeks.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, Months, NaiveDate};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{Money, Range};

/// Weeks of the same weekday that a day to come is judged by.
const WEEKS: u64 = 4;

/// The month's end by run rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Landing {
    /// Last day of the month.
    pub month_end: NaiveDate,
    /// Days that are not final yet.
    pub days_left: u32,
    /// USD of the whole month. Low, expected, high: each day left costs the least, the mean, the most of the same
    /// weekday in the last four weeks. Charges that come once a month are in only where they are in the month so far.
    pub cost: Range,
}

/// Returns where the month of `final_through` lands; `None` unless every weekday was seen in the last four weeks.
pub fn landing(month_to_date: Money, steady: &BTreeMap<NaiveDate, Money>, final_through: NaiveDate) -> Option<Landing> {
    let month_end = final_through.with_day(1)?.checked_add_months(Months::new(1))?.pred_opt()?;
    let mut cost = Range::exact(month_to_date);
    let mut days_left = 0;
    let mut day = final_through.succ_opt()?;
    while day <= month_end {
        cost = cost + like_it(steady, day, final_through)?;
        days_left += 1;
        day = day.succ_opt()?;
    }
    Some(Landing { month_end, days_left, cost })
}

fn like_it(steady: &BTreeMap<NaiveDate, Money>, day: NaiveDate, final_through: NaiveDate) -> Option<Range> {
    let since_same_weekday =
        (7 + day.weekday().num_days_from_monday() - final_through.weekday().num_days_from_monday()) % 7;
    let newest = final_through - Days::new((7 - u64::from(since_same_weekday)) % 7);
    let seen: Vec<Money> = (0..WEEKS).filter_map(|week| steady.get(&(newest - Days::new(7 * week))).copied()).collect();
    let (low, high) = (seen.iter().min().copied()?, seen.iter().max().copied()?);
    let mean = Money::new(seen.iter().copied().sum::<Money>().usd() / Decimal::from(seen.len()));
    Range::new(low, mean.clamp(low, high), Some(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(n: i64) -> Money {
        Money::new(n.into())
    }

    #[test]
    fn days_left_cost_what_the_same_weekdays_did() {
        let last: NaiveDate = "2026-11-22".parse().unwrap();
        let steady = (0..28).map(|back| {
            let day = last - Days::new(back);
            let weekend = day.weekday().num_days_from_monday() >= 5;
            (day, dollars(if weekend { 1 } else { 10 + i64::try_from(back / 7).unwrap() }))
        });
        let landing = landing(dollars(1000), &steady.collect(), last).unwrap();
        // 23 to 30 November: Monday to Friday, a weekend, a Monday.
        assert_eq!((landing.days_left, landing.month_end), (8, "2026-11-30".parse().unwrap()));
        assert_eq!(landing.cost, Range::new(dollars(1062), dollars(1071), Some(dollars(1080))).unwrap());
    }

    #[test]
    fn without_history_there_is_no_landing() {
        assert!(landing(dollars(10), &BTreeMap::new(), "2026-11-22".parse().unwrap()).is_none());
    }

    #[test]
    fn on_the_last_day_the_month_has_landed() {
        let landed = landing(dollars(10), &BTreeMap::new(), "2026-11-30".parse().unwrap()).unwrap();
        assert_eq!((landed.days_left, landed.cost), (0, Range::exact(dollars(10))));
    }
}
