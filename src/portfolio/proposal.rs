//! A finding as an offer on the bill: what it leaves of which pools, what it costs, which knobs it turns.
//!
//! Everything here is at three ends (low, expected, high) and exact; nothing is chosen yet.

use rust_decimal::Decimal;

use super::ground::Ground;
use crate::model::money::MONEY_SCALE;
use crate::model::{Axis, Confidence, Estimate, Finding, FindingId, Money, PoolPath, Range, Verdict};

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
    pub fn after(saving: Range, cost: Decimal) -> Self {
        let left = |usd: Money| if cost.is_zero() { Decimal::ONE } else { share(Decimal::ONE - usd.usd() / cost) };
        let high = saving.high.map_or(Decimal::ZERO, left);
        Keep { low: left(saving.low), expected: left(saving.expected), high }
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
    pub running: Range,
    /// USD that the change costs once.
    pub one_off: Range,
    /// USD over the first 12 months, one-off and running costs in; the low end is above zero.
    pub net_12m: Range,
    /// Knobs that it turns: resource, knob, value.
    pub claims: Vec<(String, String, String)>,
}

/// What one proposal does to one leaf.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stake {
    pub leaf: usize,
    pub cost: Decimal,
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
        let running = known(&finding.running, "running cost")?;
        let one_off = known(&finding.one_off, "one-off cost")?;
        let net = known(&finding.net_saving_12m, "net saving")?;
        let (cut, cost) = stand(finding, ground)?;
        let bounded = bound(saving, cost);
        let net_12m = shorten(net, saving, bounded, running.low, one_off.low);
        judge(bounded, running, one_off, net_12m)?;
        Ok(Proposal {
            id: finding.id.clone(),
            effects: vec![Cut { keep: Keep::after(bounded, cost), ..cut }],
            saving: bounded,
            running,
            one_off,
            net_12m,
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

/// The pools that the finding stands on, and what they cost a month.
fn stand(finding: &Finding, ground: &Ground<'_>) -> Result<(Cut, Decimal), Verdict> {
    let unknown = |why: String| Verdict::Unknown { why };
    let Some(effect) = &finding.effect else {
        return Err(unknown("pool: no part of the bill is known to hold it".to_owned()));
    };
    let cut = Cut { scope: effect.scope.clone(), class: effect.class.clone(), axis: effect.axis, keep: Keep::ALL };
    let costs: Vec<Decimal> = ground.touched(&cut).into_iter().filter_map(|leaf| ground.cost(leaf)).collect();
    if costs.is_empty() {
        return Err(unknown(format!("pool: no part of the bill with a known cost lies under `{}`", cut.scope)));
    }
    Ok((cut, costs.into_iter().sum()))
}

/// A saving is a part of a pool: every end is cut off at the pool's cost.
fn bound(saving: Range, cost: Decimal) -> Range {
    let most = Money::new(cost);
    Range {
        low: saving.low.min(most),
        expected: saving.expected.min(most),
        high: Some(saving.high.map_or(most, |high| high.min(most))),
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
fn judge(saving: Range, running: Range, one_off: Range, net: Range) -> Result<(), Verdict> {
    if net.low.is_positive() {
        return Ok(());
    }
    let free = running == Range::ZERO && one_off == Range::ZERO;
    if free && saving.high.is_none_or(Money::is_positive) {
        return Err(Verdict::Possible);
    }
    Err(Verdict::NoPayback { month: payback_month(saving, running, net) })
}

/// The month after the horizon in which the low end has paid back, when each later month still gains.
fn payback_month(saving: Range, running: Range, net: Range) -> Option<u32> {
    let a_month = saving.low.usd() - running.high?.usd();
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
