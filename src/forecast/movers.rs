//! What moved between two weeks, down to the usage type, and whether it was the usage or the rate.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::spend::UsageCost;
use crate::model::{Money, Untrusted};

/// Usage types by service.
pub type UsageTypes<'a> = BTreeSet<(&'a Untrusted, &'a Untrusted)>;

/// Share of a change that one driver must explain to be named alone, in percent.
const CLEAR_PERCENT: i64 = 80;

/// Why a cost changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    /// More or less was used.
    Usage,
    /// The same use cost more or less: price, tier, discount.
    Rate,
    /// Both.
    Both,
    /// There was no such cost before.
    New,
    /// There is no such cost any more.
    Gone,
    /// Cost Explorer gives no usage in one unit.
    Unknown,
}

impl Driver {
    /// Returns the words for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Driver::Usage => "usage",
            Driver::Rate => "rate",
            Driver::Both => "both",
            Driver::New => "new",
            Driver::Gone => "gone",
            Driver::Unknown => "unknown",
        }
    }
}

/// One usage type whose cost changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mover {
    /// Service as Cost Explorer names it.
    pub service: Untrusted,
    /// Usage type with its Region prefix.
    pub usage_type: Untrusted,
    /// USD in the week before.
    pub before: Money,
    /// USD in the week.
    pub after: Money,
    /// USD more than before; negative when less.
    pub change: Money,
    /// Why.
    pub driver: Driver,
    /// Usage in the week before, in `unit`.
    #[schemars(with = "Option<String>")]
    pub usage_before: Option<Decimal>,
    /// Usage in the week, in `unit`.
    #[schemars(with = "Option<String>")]
    pub usage_after: Option<Decimal>,
    /// Unit of the usage.
    pub unit: Option<Untrusted>,
}

#[derive(Default)]
struct Total {
    cost: Money,
    usage: Option<Decimal>,
    unit: Option<Untrusted>,
}

/// Returns every usage type whose cost differs between the two weeks, largest change first.
pub fn movers(before: &[&UsageCost], after: &[&UsageCost]) -> Vec<Mover> {
    let (was, is) = (totals(before), totals(after));
    let keys: BTreeSet<_> = was.keys().chain(is.keys()).collect();
    let nothing = Total::default();
    let mut moved: Vec<Mover> = keys
        .into_iter()
        .map(|key| mover(key, was.get(key).unwrap_or(&nothing), is.get(key).unwrap_or(&nothing)))
        .filter(|mover| mover.change != Money::ZERO)
        .collect();
    moved.sort_by_key(|mover| Reverse(mover.change.usd().abs()));
    moved
}

fn totals<'a>(rows: &[&'a UsageCost]) -> BTreeMap<(&'a Untrusted, &'a Untrusted), Total> {
    let mut totals: BTreeMap<_, Total> = BTreeMap::new();
    for row in rows {
        let first = !totals.contains_key(&(&row.service, &row.usage_type));
        let total = totals.entry((&row.service, &row.usage_type)).or_default();
        total.cost += row.cost;
        total.usage = if first { row.usage } else { total.usage.zip(row.usage).map(|(a, b)| a + b) };
        total.unit.clone_from(&row.unit);
    }
    totals
}

fn mover(key: &(&Untrusted, &Untrusted), was: &Total, is: &Total) -> Mover {
    Mover {
        service: key.0.clone(),
        usage_type: key.1.clone(),
        before: was.cost,
        after: is.cost,
        change: is.cost - was.cost,
        driver: driver(was, is),
        usage_before: was.usage,
        usage_after: is.usage,
        unit: is.unit.clone().or_else(|| was.unit.clone()),
    }
}

/// Splits the change at the old rate: (usage after − before) × old rate is usage, the rest is rate.
fn driver(was: &Total, is: &Total) -> Driver {
    match (was.cost.usd().is_zero(), is.cost.usd().is_zero()) {
        (true, _) => return Driver::New,
        (_, true) => return Driver::Gone,
        _ => {}
    }
    let (Some(before), Some(after)) = (was.usage.filter(|usage| !usage.is_zero()), is.usage) else {
        return Driver::Unknown;
    };
    let change = (is.cost - was.cost).usd();
    let by_usage = was.cost.usd() / before * (after - before);
    let clear = change.abs() * Decimal::new(CLEAR_PERCENT, 2);
    let by_rate = change - by_usage;
    match (by_usage.abs(), by_rate.abs()) {
        (usage, rate) if usage >= clear && rate <= change.abs() - clear => Driver::Usage,
        (usage, rate) if rate >= clear && usage <= change.abs() - clear => Driver::Rate,
        _ => Driver::Both,
    }
}

/// Returns the usage types that are charged on the first of a month only, over at least two months: support, fees.
pub fn once_a_month(rows: &[UsageCost]) -> UsageTypes<'_> {
    let mut days: BTreeMap<(&Untrusted, &Untrusted), BTreeSet<NaiveDate>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.cost != Money::ZERO) {
        days.entry((&row.service, &row.usage_type)).or_default().insert(row.day);
    }
    days.retain(|_, days| days.len() >= 2 && days.iter().all(|day| day.day() == 1));
    days.into_keys().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(dollars: i64, usage: i64) -> Total {
        Total { cost: Money::new(dollars.into()), usage: Some(usage.into()), unit: None }
    }

    #[test]
    fn a_change_is_told_apart_by_usage_and_rate() {
        assert_eq!(driver(&total(10, 10), &total(20, 20)), Driver::Usage);
        assert_eq!(driver(&total(10, 10), &total(20, 10)), Driver::Rate);
        assert_eq!(driver(&total(10, 10), &total(30, 20)), Driver::Both);
        assert_eq!(driver(&total(0, 0), &total(30, 20)), Driver::New);
        assert_eq!(driver(&total(10, 10), &total(0, 0)), Driver::Gone);
        let mixed = Total { usage: None, ..total(20, 0) };
        assert_eq!(driver(&total(10, 10), &mixed), Driver::Unknown);
    }

    #[test]
    fn more_use_at_a_lower_rate_that_cancel_out_are_both() {
        assert_eq!(driver(&total(100, 10), &total(101, 20)), Driver::Both);
    }
}
