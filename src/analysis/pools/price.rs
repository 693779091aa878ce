//! Leaves with their cost: at list by tiers that the payer's whole volume fills, and as a share of the bill's line.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use super::leaf::Leaf;
use crate::model::money::MONEY_SCALE;
use crate::model::{Money, Row};
use crate::prices::{BilledUsage, RateCard};

/// Returns the rows of the table `pools`.
pub(super) fn price(leaves: &[Leaf], card: &RateCard, billed: &[BilledUsage]) -> Vec<Row> {
    let mut by_item: BTreeMap<(&str, &str), Decimal> = BTreeMap::new();
    let mut by_line: BTreeMap<&str, Decimal> = BTreeMap::new();
    for leaf in leaves {
        if let Some(item) = leaf.item {
            *by_item.entry((&leaf.region, item)).or_default() += leaf.quantity;
        }
        if let Some(line) = &leaf.usage_type {
            *by_line.entry(line).or_default() += leaf.quantity;
        }
    }
    let lines = as_lines(billed);
    let priced = leaves.iter().map(|leaf| {
        let list = leaf.item.and_then(|item| list(leaf, card, item, by_item[&(leaf.region.as_str(), item)]));
        let line = leaf.usage_type.as_deref().and_then(|name| Some((lines.get(name)?, by_line[name])));
        let share = line.and_then(|(paid, measured)| allocated(leaf, paid, measured));
        let today = share.and_then(|share| Some(today(leaf, line?.0)?.max(share)));
        let source = share.map(|_| "allocated").or(list.map(|_| "list"));
        let row = leaf.row().with("list_usd", list).with("billed_usd", share).with("today_usd", today);
        let row = row.with("source", source);
        match line {
            Some((paid, _)) => row.with("usage_type", paid.usage_type.as_str()),
            None => row,
        }
    });
    priced.collect()
}

/// Usage by its type without the code of us-east-1, which some services write and some do not. Where both stand on
/// the bill the larger one is the line.
fn as_lines(billed: &[BilledUsage]) -> BTreeMap<&str, &BilledUsage> {
    let mut lines: BTreeMap<&str, &BilledUsage> = BTreeMap::new();
    for usage in billed {
        let name = usage.usage_type.strip_prefix("USE1-").unwrap_or(&usage.usage_type);
        let line = lines.entry(name).or_insert(usage);
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
