//! The bill against the pools: what each line is made of, and what no collected resource explains.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::LineCost;
use crate::model::{BillLine, Money, Pool, service};

/// One line of the last full month's bill and how much of it the pools explain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reconciled {
    /// The line.
    pub line: BillLine,
    /// USD on the bill.
    pub billed: Money,
    /// USD that the pools hold of it.
    pub explained: Money,
    /// Pools that stand on it.
    pub pools: usize,
    /// True for the services of a data lake.
    pub lake: bool,
}

impl Reconciled {
    /// Returns the spend that no collected resource explains.
    pub fn unexplained(&self) -> Money {
        self.billed - self.explained
    }
}

/// The last full month's bill in three parts that add up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BillTotals {
    /// USD of all lines.
    pub billed: Money,
    /// USD that the pools hold.
    pub explained: Money,
    /// USD of these that the bill charges to the resources themselves; the rest is their share of lines of many.
    pub by_resource: Money,
    /// USD of lake services that no collected resource explains.
    pub unexplained: Money,
    /// USD of other services, which leanlake does not look at.
    pub other: Money,
}

impl BillTotals {
    /// Adds up the lines; `None` without a bill.
    pub fn of(lines: &[Reconciled], pools: &[Pool]) -> Option<Self> {
        let sum = |of: &dyn Fn(&Reconciled) -> Money| lines.iter().map(of).sum::<Money>();
        let when = |yes: bool, usd: Money| if yes { usd } else { Money::ZERO };
        (!lines.is_empty()).then(|| BillTotals {
            billed: sum(&|line| line.billed),
            explained: sum(&|line| line.explained),
            by_resource: pools.iter().filter(|pool| pool.own_lines).filter_map(|pool| pool.billed).sum(),
            unexplained: sum(&|line| when(line.lake, line.unexplained())),
            other: sum(&|line| when(!line.lake, line.unexplained())),
        })
    }
}

/// Returns the lines of the bill with what the pools explain of each, lake services first, dearest first.
pub fn reconcile(pools: &[Pool], bill: &[LineCost]) -> Vec<Reconciled> {
    let mut held: BTreeMap<(&str, &str), (Money, usize)> = BTreeMap::new();
    for pool in pools {
        if let Some(billed) = pool.billed {
            let (sum, count) = held.entry((family(&pool.line.service), &pool.line.usage_type)).or_default();
            *sum += billed;
            *count += 1;
        }
    }
    let mut lines: Vec<Reconciled> = bill.iter().map(|cost| explain(cost, &mut held)).collect();
    lines.sort_by(|a, b| (b.lake, b.billed).cmp(&(a.lake, a.billed)).then_with(|| a.line.cmp(&b.line)));
    lines
}

/// Archive classes of S3 stand under S3 or under Glacier.
fn family(service: &str) -> &str {
    if service.contains("Glacier") { service::S3 } else { service }
}

/// One usage type may stand on several lines (Regions that could not be told apart): each takes what is left.
fn explain<'a>(cost: &'a LineCost, held: &mut BTreeMap<(&'a str, &'a str), (Money, usize)>) -> Reconciled {
    let line = &cost.line;
    let mut explained = Money::ZERO;
    let mut pools = 0;
    if let Some((left, count)) = held.get_mut(&(family(&line.service), line.usage_type.as_str())) {
        explained = (*left).min(cost.net).max(Money::ZERO);
        *left = *left - explained;
        pools = *count;
    }
    Reconciled { line: line.clone(), billed: cost.net, explained, pools, lake: service::is_lake(&line.service) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(service: &str, usage_type: &str, usd: i64) -> LineCost {
        let (service, usage_type) = (service.to_owned(), usage_type.to_owned());
        LineCost { line: BillLine { account_id: None, region: None, service, usage_type }, net: Money::new(usd.into()) }
    }

    fn pool(usage_type: &str, usd: i64) -> Pool {
        let cost = line(service::S3, usage_type, usd);
        let mut pool = super::super::tests::pool("a/b", "STANDARD", "0");
        (pool.line, pool.billed) = (cost.line, Some(cost.net));
        pool
    }

    #[test]
    fn what_no_bucket_explains_is_shown_and_other_services_stand_apart() {
        let bill = [line(service::S3, "T", 100), line(service::S3, "Requests", 7), line("Amazon SageMaker", "X", 50)];
        let lines = reconcile(&[pool("T", 60), pool("T", 30)], &bill);
        let shown: Vec<_> = lines.iter().map(|l| (l.line.usage_type.as_str(), l.unexplained(), l.pools)).collect();
        let usd = |n: i64| Money::new(n.into());
        assert_eq!(shown, [("T", usd(10), 2), ("Requests", usd(7), 0), ("X", usd(50), 0)]);
        let totals = BillTotals::of(&lines, &[]).unwrap();
        assert_eq!([totals.billed, totals.explained, totals.unexplained, totals.other], [157, 90, 17, 50].map(usd));
    }

    proptest! {
        #[test]
        fn the_parts_of_the_bill_add_up_to_it(costs in proptest::collection::vec((0..3_usize, -5_i64..50), 0..8),
                                              pools in proptest::collection::vec((0..3_usize, 0_i64..60), 0..8)) {
            let names = ["T", "U", "V"];
            let bill: Vec<LineCost> = costs.iter().map(|(at, usd)| line(service::S3, names[*at], *usd)).collect();
            let pools: Vec<Pool> = pools.iter().map(|(at, usd)| pool(names[*at], *usd)).collect();
            let lines = reconcile(&pools, &bill);
            prop_assert!(lines.iter().all(|line| line.explained >= Money::ZERO && line.explained <= line.billed.max(Money::ZERO)));
            if let Some(totals) = BillTotals::of(&lines, &[]) {
                prop_assert_eq!(totals.billed, totals.explained + totals.unexplained + totals.other);
            }
        }
    }
}
