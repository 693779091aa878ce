//! What kept proposals count together: on one leaf a rate cut saves only on what a usage cut leaves.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::ground::{Ground, LeafCost};
use super::proposal::{Keep, Proposal, Stake, cents};
use crate::model::{Money, Range};

/// What one kept proposal counts, and all of them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// USD per month, running cost taken off.
    pub monthly: Range,
    /// USD once.
    pub one_off: Range,
    /// USD over the first 12 months.
    pub net_12m: Range,
}

impl Counted {
    pub(super) const NOTHING: Counted = Counted { monthly: Range::ZERO, one_off: Range::ZERO, net_12m: Range::ZERO };

    fn and(&self, other: &Counted) -> Counted {
        Counted {
            monthly: self.monthly + other.monthly,
            one_off: self.one_off + other.one_off,
            net_12m: self.net_12m + other.net_12m,
        }
    }

    /// Ends that shrank differently can cross: the likeliest end holds, the others give way.
    fn in_order(&self) -> Counted {
        let order = |range: Range| Range {
            low: range.low.min(range.expected),
            expected: range.expected,
            high: range.high.map(|high| high.max(range.expected)),
        };
        Counted { monthly: order(self.monthly), one_off: order(self.one_off), net_12m: order(self.net_12m) }
    }
}

/// Which end of a range is looked at.
#[derive(Clone, Copy)]
enum End {
    Low,
    Expected,
    High,
}

/// How much of a proposal is left when others cut usage under it. `low` meets the deepest cuts of the others, `high`
/// the shallowest, `together` is the high end with the deepest cuts of the others: the most that both can reach.
struct Left {
    low: Decimal,
    expected: Decimal,
    high: Decimal,
    together: Decimal,
}

/// Returns what each kept proposal counts, in order, and what they count together.
///
/// The low and expected ends of the parts add up to those of the whole. The high ends do not: two proposals on one
/// leaf cannot both reach theirs.
pub(super) fn count(kept: &[&Proposal], ground: &Ground<'_>) -> (Vec<Counted>, Counted) {
    let stakes: Vec<Vec<Stake>> = kept.iter().map(|p| p.stakes(ground)).collect();
    let mut cuts: BTreeMap<usize, Vec<(usize, Keep)>> = BTreeMap::new();
    for (owner, own) in stakes.iter().enumerate() {
        for stake in own {
            cuts.entry(stake.leaf).or_default().push((owner, stake.usage));
        }
    }
    let mut parts = Vec::new();
    let mut whole = Counted::NOTHING;
    for (owner, proposal) in kept.iter().enumerate() {
        let left = left(owner, &stakes[owner], &cuts);
        whole = whole.and(&shrunk(proposal, &Left { high: left.together, ..left }));
        parts.push(shrunk(proposal, &left).in_order());
    }
    (parts, whole.in_order())
}

fn left(owner: usize, stakes: &[Stake], cuts: &BTreeMap<usize, Vec<(usize, Keep)>>) -> Left {
    let at = |own: End, others: End| {
        let (mut all, mut rest) = (Decimal::ZERO, Decimal::ZERO);
        for stake in stakes {
            let kept: Decimal =
                cuts[&stake.leaf].iter().filter(|(who, _)| *who != owner).map(|(_, k)| k.at(others)).product();
            let (usage, rate) = stake.saved(own);
            all += usage + rate;
            rest += usage + rate * kept;
        }
        if all.is_zero() { Decimal::ONE } else { rest / all }
    };
    let expected = at(End::Expected, End::Expected);
    Left {
        // The leaves weigh differently at the low end, since each grew by itself: it never keeps the larger share.
        low: at(End::Low, End::High).min(expected),
        expected,
        high: at(End::High, End::Low),
        together: at(End::High, End::High),
    }
}

fn shrunk(proposal: &Proposal, left: &Left) -> Counted {
    let shrink = |range: Range| Range {
        low: scale(range.low, left.low),
        expected: scale(range.expected, left.expected),
        high: range.high.map(|high| scale(high, left.high)),
    };
    Counted {
        monthly: shrink(proposal.saving.minus_cost(proposal.running)),
        one_off: shrink(proposal.one_off.range()),
        net_12m: shrink(proposal.net_12m),
    }
}

fn scale(usd: Money, factor: Decimal) -> Money {
    Money::new(cents(usd.usd() * factor))
}

impl Keep {
    fn at(&self, end: End) -> Decimal {
        match end {
            End::Low => self.low,
            End::Expected => self.expected,
            End::High => self.high,
        }
    }
}

impl Stake {
    /// Dollars a month that the usage cut saves, and that the rate cut saves on what is left.
    fn saved(&self, end: End) -> (Decimal, Decimal) {
        let (usage, rate) = (self.usage.at(end), self.rate.at(end));
        let cost = self.cost.at(end);
        (cost * (Decimal::ONE - usage), cost * usage * (Decimal::ONE - rate))
    }
}

impl LeafCost {
    fn at(&self, end: End) -> Decimal {
        match end {
            End::Low => self.sure,
            End::Expected | End::High => self.most,
        }
    }
}
