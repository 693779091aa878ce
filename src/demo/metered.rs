//! How much of a meter an account used on a day: what ran is worked out from what the demo's bill says of it, so that
//! both agree. Must never add to the bill.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::bill::Ledger;
use super::calendar::Day;

/// Account, usage type with its prefix.
type Key<'a> = (&'static str, &'a str);

/// Usage by day.
#[derive(Clone, Debug, Default)]
pub struct Metered<'a>(BTreeMap<Key<'a>, BTreeMap<Day, Decimal>>);

impl<'a> Metered<'a> {
    /// Returns what was used from `from` on, of the services that bill by time and bytes.
    pub fn of(ledger: &'a Ledger, from: Day) -> Self {
        let wanted = |service: &str| {
            ["AWS Glue", "EC2 - Other", "Amazon Redshift", "Amazon Elastic MapReduce"].contains(&service)
        };
        let mut used: BTreeMap<Key, BTreeMap<Day, Decimal>> = BTreeMap::new();
        for line in ledger.lines.iter().filter(|line| line.day >= from) {
            let meter = &ledger.meters[line.meter];
            if wanted(meter.service) {
                let key = (line.account, meter.usage_type.as_str());
                *used.entry(key).or_default().entry(line.day).or_default() += line.amount.usage;
            }
        }
        Metered(used)
    }

    /// Returns the usage of `day`; what has no bill yet is like the day before.
    pub fn on(&self, account: &'static str, usage_type: &'a str, day: Day) -> Decimal {
        let days = self.0.get(&(account, usage_type));
        days.and_then(|days| days.range(..=day).next_back()).map_or(Decimal::ZERO, |(_, used)| *used)
    }

    /// Returns the same in whole units of which `per_unit` are one of the meter's.
    pub fn whole(&self, account: &'static str, usage_type: &'a str, day: Day, per_unit: i64) -> i64 {
        (self.on(account, usage_type, day) * Decimal::from(per_unit)).round().to_i64().unwrap_or(0)
    }
}

/// Returns `whole` in `count` parts that add up to it, each about `each` of the others by `noise`.
pub fn parts(whole: i64, count: i64, mut noise: impl FnMut(i64) -> i64) -> Vec<i64> {
    let even = whole / count.max(1);
    let mut parts: Vec<i64> = (1..count).map(|_| noise(even)).collect();
    parts.push(whole - parts.iter().sum::<i64>());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::random::Random;
    use crate::demo::{DemoOptions, fill};

    #[test]
    fn parts_add_up_to_the_whole() {
        let mut random = Random::new(1, "parts");
        let parts = parts(1_000_003, 7, |even| random.around(even, 100));
        assert_eq!((parts.len(), parts.iter().sum::<i64>()), (7, 1_000_003));
        assert!(parts.iter().all(|part| *part > 0));
    }

    #[test]
    fn a_day_without_a_bill_is_like_the_one_before() {
        let lake = fill(&DemoOptions { days: 60, ..DemoOptions::default() });
        let metered = Metered::of(&lake.ledger, 0);
        let (account, today) = (crate::demo::catalog::PLATFORM, lake.calendar.today);
        let on = |day| metered.on(account, "USE1-ETL-DPU-Hour", day);
        assert!(on(today - 1) > Decimal::ZERO && on(today) == on(today - 1) && on(today - 1) != on(today - 2));
    }
}
