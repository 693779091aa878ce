//! Leaves with their cost: at list by tiers that the payer's whole volume fills, and as a share of the bill's line.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::{Decimal, RoundingStrategy};

use super::super::bill::ByResource;
use super::leaf::Leaf;
use crate::model::money::MONEY_SCALE;
use crate::model::{Money, Row};
use crate::prices::{BilledUsage, RateCard};

/// Returns the rows of the table `pools`.
pub(super) fn price(leaves: &[Leaf], card: &RateCard, billed: &[BilledUsage], exported: &ByResource) -> Vec<Row> {
    let sold = Sold::of(leaves, billed, exported);
    let priced = leaves.iter().map(|leaf| {
        let list = leaf.item.and_then(|item| list(leaf, card, item, sold.by_item[&(leaf.region.as_str(), item)]));
        let cost = sold.cost(leaf);
        let source = cost.source.or(list.map(|_| "list"));
        let row = leaf.row().with("list_usd", list).with("billed_usd", cost.share).with("today_usd", cost.today);
        let row = row.with("source", source);
        match sold.line(leaf) {
            Some((paid, _)) => row.with("usage_type", paid.usage_type.as_str()),
            None => row,
        }
    });
    priced.collect()
}

/// What a leaf cost.
#[derive(Default)]
struct Cost {
    share: Option<Money>,
    today: Option<Money>,
    source: Option<&'static str>,
}

/// What was measured and what was billed, by what they have in common.
struct Sold<'a> {
    by_item: BTreeMap<(&'a str, &'a str), Decimal>,
    by_line: BTreeMap<&'a str, Decimal>,
    by_resource: BTreeMap<(&'a str, &'a str), Decimal>,
    lines: BTreeMap<&'a str, &'a BilledUsage>,
    exported: BTreeMap<(&'a str, &'a str), &'a BilledUsage>,
    /// Usage types whose resources the export names.
    named: BTreeSet<&'a str>,
}

impl<'a> Sold<'a> {
    fn of(leaves: &'a [Leaf], billed: &'a [BilledUsage], exported: &'a ByResource) -> Self {
        let lines = as_lines(billed);
        // Of a usage type that stands there with and without the code only the one that is the line: no leaf takes more.
        let is_line = |name: &str| lines.get(uncoded(name)).is_some_and(|line| line.usage_type == name);
        let exported = exported.iter().filter(|((_, name), _)| is_line(name));
        let sound = sound(exported.clone(), &lines);
        let exported = exported.filter(|((_, name), _)| sound.contains(uncoded(name)));
        let exported: BTreeMap<_, _> =
            exported.map(|((resource, name), usage)| ((resource.as_str(), uncoded(name)), usage)).collect();
        let mut sold = Sold {
            by_item: BTreeMap::new(),
            by_line: BTreeMap::new(),
            by_resource: BTreeMap::new(),
            named: exported.keys().map(|(_, line)| *line).collect(),
            exported,
            lines,
        };
        for leaf in leaves {
            if let Some(item) = leaf.item {
                *sold.by_item.entry((&leaf.region, item)).or_default() += leaf.quantity;
            }
            if let Some(line) = leaf.usage_type.as_deref() {
                *sold.by_line.entry(line).or_default() += leaf.quantity;
                if let Some(resource) = leaf.resource.as_deref() {
                    *sold.by_resource.entry((resource, line)).or_default() += leaf.quantity;
                }
            }
        }
        sold
    }

    /// The line of the bill that the leaf is a part of, and what was measured of it.
    fn line(&self, leaf: &Leaf) -> Option<(&'a BilledUsage, Decimal)> {
        let name = leaf.usage_type.as_deref()?;
        Some((self.lines.get(name)?, self.by_line[name]))
    }

    /// From the resource's own line where the export names resources: one without a line was not billed that month.
    fn cost(&self, leaf: &Leaf) -> Cost {
        let Some((line, measured)) = self.line(leaf) else { return Cost::default() };
        let name = leaf.usage_type.as_deref().unwrap_or_default();
        if !self.named.contains(name) {
            let share = allocated(leaf, line, measured);
            let today = share.and_then(|share| Some(today(leaf, line)?.max(share)));
            return Cost { share, today, source: share.map(|_| "allocated") };
        }
        let own = leaf.resource.as_deref().and_then(|resource| {
            let paid = self.exported.get(&(resource, name))?;
            Some((*paid, *self.by_resource.get(&(resource, name))?))
        });
        let Some((paid, measured)) = own else { return Cost { today: today(leaf, line), ..Cost::default() } };
        let share = allocated(leaf, paid, measured);
        let today = share.and_then(|share| Some(today(leaf, paid)?.max(share)));
        Cost { share, today, source: share.map(|_| "bill") }
    }
}

/// Returns the lines whose resources add up to no more than they: where a correction makes one negative, nothing says
/// what the others owe to it, and the line is shared out instead.
fn sound<'a>(
    exported: impl Iterator<Item = (&'a (String, String), &'a BilledUsage)>,
    lines: &BTreeMap<&str, &BilledUsage>,
) -> BTreeSet<&'a str> {
    let mut sums: BTreeMap<&str, (Money, Money)> = BTreeMap::new();
    for ((_, name), usage) in exported {
        let (sum, least) = sums.entry(uncoded(name)).or_default();
        *sum += usage.net;
        *least = (*least).min(usage.net);
    }
    let whole = |line: &&str, sum: Money| lines.get(line).is_some_and(|line| sum <= line.net);
    let fits =
        |(line, (sum, least)): (&'a str, (Money, Money))| (least >= Money::ZERO && whole(&line, sum)).then_some(line);
    sums.into_iter().filter_map(fits).collect()
}

/// The usage type without the code of us-east-1, which some services write and some do not.
fn uncoded(usage_type: &str) -> &str {
    usage_type.strip_prefix("USE1-").unwrap_or(usage_type)
}

/// Usage by its type without the code of us-east-1. Where it stands on the bill with and without, the larger one is the
/// line.
fn as_lines(billed: &[BilledUsage]) -> BTreeMap<&str, &BilledUsage> {
    let mut lines: BTreeMap<&str, &BilledUsage> = BTreeMap::new();
    for usage in billed {
        let line = lines.entry(uncoded(&usage.usage_type)).or_insert(usage);
        if usage.net > line.net {
            *line = usage;
        }
    }
    lines
}

/// The leaf's share of what the volume costs at list: all leaves of an item fill the tiers together.
fn list(leaf: &Leaf, card: &RateCard, item: &str, measured: Decimal) -> Option<Money> {
    let volume = card.volume(item, &leaf.region).map_or(measured, |billed| billed.max(measured));
    let cost = card.list_cost(item, &leaf.region, volume)?;
    Some(Money::new((cost.usd() * leaf.quantity).checked_div(volume)?.round_dp(MONEY_SCALE)))
}

/// The leaf's share of the line, by quantity. What the line holds beyond the measured quantity stays with the line;
/// where more was measured than was billed, the line is shared out whole and no more.
fn allocated(leaf: &Leaf, line: &BilledUsage, measured: Decimal) -> Option<Money> {
    if line.net < Money::ZERO {
        return None;
    }
    let whole = line.quantity.max(measured);
    let share = (line.net.usd() * leaf.quantity).checked_div(whole)?;
    Some(Money::new(share.round_dp_with_strategy(MONEY_SCALE, RoundingStrategy::ToZero)))
}

/// Today's quantity at what the line paid for a unit: where the lake grew since the bill, more than its share.
fn today(leaf: &Leaf, line: &BilledUsage) -> Option<Money> {
    let usd = (line.net.usd() * leaf.quantity).checked_div(line.quantity)?;
    Some(Money::new(usd.round_dp(MONEY_SCALE)))
}
