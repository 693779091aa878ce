//! A finding as an offer on the bill: what it leaves of which pools, what it costs, which knobs it turns.
//!
//! Everything here is at three ends (low, expected, high) and exact; nothing is chosen yet.

use rust_decimal::Decimal;

use super::ground::{Ground, LeafCost};
use crate::model::money::MONEY_SCALE;
use crate::model::{Axis, Confidence, Cost, Estimate, Finding, FindingId, Money, PoolPath, Range, Verdict};

/// Months over which a proposal must pay back.
pub const HORIZON_MONTHS: u32 = 12;

/// The share of a pool's cost that stays, at each end of the saving: `low` ≥ `expected` ≥ `high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// What stays when the saving is at its low end.
    pub low: Decimal,
    /// What stays at the likeliest saving.
    pub expected: Decimal,
    /// What stays when the saving is at its high end.
    pub high: Decimal,
}

impl Keep {
    /// Everything stays.
    pub const ALL: Keep = Keep { low: Decimal::ONE, expected: Decimal::ONE, high: Decimal::ONE };

    /// Returns the share that `saving` leaves of `cost`; a saving that nothing bounds may take all of it.
    pub fn after(saving: Range, cost: LeafCost) -> Self {
        let left = |usd: Money, of: Decimal| {
            if of.is_zero() { Decimal::ONE } else { share(Decimal::ONE - usd.usd() / of) }
        };
        // Of two costs a low end may take the larger share: what others may still take is the least of it.
        let low = left(saving.low, cost.sure);
        let expected = left(saving.expected, cost.most).min(low);
        let high = saving.high.map_or(Decimal::ZERO, |high| left(high, cost.most)).min(expected);
        Keep { low, expected, high }
    }

    fn times(self, other: Keep) -> Keep {
        Keep { low: self.low * other.low, expected: self.expected * other.expected, high: self.high * other.high }
    }
}

fn share(part: Decimal) -> Decimal {
    part.clamp(Decimal::ZERO, Decimal::ONE)
}

/// One effect of a proposal: what it leaves of the pools under a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The subtree of pools that it touches.
    pub scope: PoolPath,
    /// The storage class that it touches; `None` for all of the scope.
    pub class: Option<String>,
    /// Less of it, or the same cheaper.
    pub axis: Axis,
    /// The share of each touched pool's cost that stays.
    pub keep: Keep,
}

impl Cut {
    /// Returns the cut that touches all of a scope and has not taken anything yet.
    pub fn whole(scope: PoolPath) -> Self {
        Cut { scope, class: None, axis: Axis::Usage, keep: Keep::ALL }
    }
}

/// A finding that may be recommended: its saving is known, bounded by the pools, and pays back by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The finding.
    pub id: FindingId,
    /// What it does to which pools; all of it or nothing.
    pub effects: Vec<Cut>,
    /// USD per month, never more than the pools cost.
    pub saving: Range,
    /// USD per month that the changed state costs on top.
    pub running: Cost,
    /// USD that the change costs once.
    pub one_off: Cost,
    /// USD over the first 12 months, one-off and running costs in; the low end is above zero.
    pub net_12m: Range,
    /// Why the saving is less than the finding's, where the pools cut it off.
    pub limit: Option<String>,
    /// Knobs that it turns: resource, knob, value.
    pub claims: Vec<(String, String, String)>,
}

/// What one proposal does to one leaf.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stake {
    pub leaf: usize,
    pub cost: LeafCost,
    pub usage: Keep,
    pub rate: Keep,
}

impl Proposal {
    /// Returns the offer that a finding makes, or the verdict that keeps it out of the competition.
    ///
    /// # Errors
    /// `Unknown` without a number or a pool, `Possible` where only a look can settle it, `NoPayback` where the low end
    /// of its 12 months is not above zero.
    pub fn of(finding: &Finding, ground: &Ground<'_>) -> Result<Proposal, Verdict> {
        let saving = known(&finding.saving, "saving")?;
        if finding.confidence == Confidence::Possible {
            return Err(Verdict::Possible);
        }
        let running = cost(&finding.running, "running cost")?;
        let one_off = cost(&finding.one_off, "one-off cost")?;
        let net = known(&finding.net_saving_12m, "net saving")?;
        let (cut, held) = stand(finding, ground)?;
        let bounded = bound(saving, held);
        let net_12m = shorten(net, saving, bounded, running.least(), one_off.least());
        judge(bounded, running, one_off, net_12m)?;
        Ok(Proposal {
            id: finding.id.clone(),
            effects: vec![Cut { keep: Keep::after(bounded, held), ..cut }],
            saving: bounded,
            running,
            one_off,
            net_12m,
            limit: limit(saving, bounded, held),
            claims: claims(finding),
        })
    }

    /// Returns what the proposal does to each leaf whose cost is known, in leaf order.
    pub(super) fn stakes(&self, ground: &Ground<'_>) -> Vec<Stake> {
        let mut stakes: std::collections::BTreeMap<usize, Stake> = std::collections::BTreeMap::new();
        for cut in &self.effects {
            for leaf in ground.touched(cut) {
                let Some(cost) = ground.cost(leaf) else { continue };
                let fresh = Stake { leaf, cost, usage: Keep::ALL, rate: Keep::ALL };
                let stake = stakes.entry(leaf).or_insert(fresh);
                let side = match cut.axis {
                    Axis::Usage => &mut stake.usage,
                    Axis::Rate => &mut stake.rate,
                };
                *side = side.times(cut.keep);
            }
        }
        stakes.into_values().collect()
    }
}

fn known(estimate: &Estimate, what: &str) -> Result<Range, Verdict> {
    match estimate {
        Estimate::Known(range) => Ok(*range),
        Estimate::Unknown(why) => Err(Verdict::Unknown { why: format!("{what}: {why}") }),
    }
}

fn cost(estimate: &Estimate, what: &str) -> Result<Cost, Verdict> {
    let unbounded = || Verdict::Unknown { why: format!("{what}: nothing bounds it") };
    Cost::of(known(estimate, what)?).ok_or_else(unbounded)
}

/// The pools that the finding stands on, and what they cost a month.
fn stand(finding: &Finding, ground: &Ground<'_>) -> Result<(Cut, LeafCost), Verdict> {
    let unknown = |why: String| Verdict::Unknown { why };
    let Some(effect) = &finding.effect else {
        return Err(unknown("pool: no part of the bill is known to hold it".to_owned()));
    };
    let cut = Cut { scope: effect.scope.clone(), class: effect.class.clone(), axis: effect.axis, keep: Keep::ALL };
    let costs: Vec<LeafCost> = ground.touched(&cut).into_iter().filter_map(|leaf| ground.cost(leaf)).collect();
    if costs.is_empty() {
        return Err(unknown(format!("pool: no part of the bill with a known cost lies under `{}`", cut.scope)));
    }
    Ok((cut, costs.into_iter().sum()))
}

/// A saving is a part of a pool. The low end is cut off at what the last bill held, so that what is promised never
/// exceeds it; the others at what today's quantity costs, since a lake grows between two bills.
fn bound(saving: Range, cost: LeafCost) -> Range {
    let (sure, most) = (Money::new(cost.sure), Money::new(cost.most));
    Range {
        low: saving.low.min(sure),
        expected: saving.expected.min(most),
        high: Some(saving.high.map_or(most, |high| high.min(most))),
    }
}

/// Says which ends of a saving the pools cut off, and where.
fn limit(saving: Range, bounded: Range, cost: LeafCost) -> Option<String> {
    let shown = |usd: Decimal| Money::new(usd).human();
    let cut = saving.expected > bounded.expected || saving.high.zip(bounded.high).is_some_and(|(all, part)| all > part);
    match (saving.low > bounded.low, cut) {
        (false, false) => None,
        (_, true) => Some(format!("no more than its part of the bill, {} a month, counts", shown(cost.most))),
        (true, false) => Some(format!(
            "the low end counts no more than its part of the last full month's bill, {}",
            shown(cost.sure)
        )),
    }
}

/// Twelve months of what the pool cut off are taken from the net: more than a ramp would take, so the low end holds.
/// Where nothing but the pool bounds the saving, twelve months of all of it less the least costs bound the net.
fn shorten(net: Range, saving: Range, bounded: Range, running: Money, one_off: Money) -> Range {
    let months = Decimal::from(HORIZON_MONTHS);
    let less = |net: Money, full: Money, part: Money| net - (full - part) * months;
    let low = less(net.low, saving.low, bounded.low);
    let expected = less(net.expected, saving.expected, bounded.expected).max(low);
    let high = match (net.high, saving.high, bounded.high) {
        (Some(net), Some(full), Some(part)) => Some(less(net, full, part)),
        (_, _, part) => part.map(|part| (part - running) * months - one_off),
    };
    Range { low, expected, high: high.map(|high| high.max(expected)) }
}

/// Costs that eat the saving are a verdict; a saving that may be nothing, at no cost, is a question.
fn judge(saving: Range, running: Cost, one_off: Cost, net: Range) -> Result<(), Verdict> {
    if net.low.is_positive() {
        return Ok(());
    }
    let free = running == Cost::NOTHING && one_off == Cost::NOTHING;
    if free && saving.high.is_none_or(Money::is_positive) {
        return Err(Verdict::Possible);
    }
    Err(Verdict::NoPayback { month: payback_month(saving, running, net) })
}

/// The month after the horizon in which the low end has paid back, when each later month still gains.
fn payback_month(saving: Range, running: Cost, net: Range) -> Option<u32> {
    let a_month = (saving.low - running.most()).usd();
    if a_month <= Decimal::ZERO {
        return None;
    }
    let later: u32 = (-net.low.usd()).checked_div(a_month)?.ceil().try_into().ok()?;
    HORIZON_MONTHS.checked_add(later.max(1))
}

fn claims(finding: &Finding) -> Vec<(String, String, String)> {
    let turned = finding.action.as_ref().map(crate::model::Action::claims).unwrap_or_default();
    turned.into_iter().map(|(resource, knob, value)| (resource, knob.to_owned(), value)).collect()
}

/// Rounds to the scale of money, so that sums are exact in any order.
pub(super) fn cents(usd: Decimal) -> Decimal {
    usd.round_dp(MONEY_SCALE)
}
