//! Which proposals to keep: the set with the best low end of 12-month net. Exact, whatever the order they come in.
//!
//! Two proposals that work on the same axis of the same leaf exclude each other, and so do two that turn one knob to
//! different values. A usage cut takes from a rate cut on the same leaf what it leaves less of: a *loss* between two.
//! So the best set is a best weighted set in a graph. It is found part by part: connected parts are solved apart, a
//! part is split by deciding about its best connected proposal, and a branch that cannot win is not entered.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::ground::Ground;
use super::proposal::{Proposal, Stake, cents};

/// Why two proposals cannot both count in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// The same axis of the same leaf.
    SameBytes,
    /// One knob, two values.
    Knob,
    /// Kept together they bring this much less.
    Loss(Decimal),
}

/// Proposals and what stands between them. Numbers are places in the list of proposals, which is sorted by id.
#[derive(Debug)]
pub(super) struct Field {
    values: Vec<Decimal>,
    ties: Vec<BTreeMap<usize, Tie>>,
}

/// A set of proposals and what it brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pick {
    pub value: Decimal,
    pub members: Vec<usize>,
}

impl Pick {
    fn none() -> Self {
        Pick { value: Decimal::ZERO, members: Vec::new() }
    }

    fn join(&mut self, other: &Pick) {
        self.value += other.value;
        self.members.extend(&other.members);
        self.members.sort_unstable();
    }

    /// More dollars, then fewer changes, then the earlier ids.
    pub(super) fn beats(&self, other: &Pick) -> bool {
        let by_value = self.value.cmp(&other.value);
        let by_count = other.members.len().cmp(&self.members.len());
        let by_ids = other.members.cmp(&self.members);
        by_value.then(by_count).then(by_ids) == Ordering::Greater
    }
}

impl Field {
    /// Finds what stands between the proposals, which must be sorted by id.
    pub(super) fn of(proposals: &[Proposal], ground: &Ground<'_>) -> Self {
        let values = proposals.iter().map(|p| cents(p.net_12m.low.usd())).collect();
        let stakes: Vec<Vec<Stake>> = proposals.iter().map(|p| p.stakes(ground)).collect();
        let mut field = Field { values, ties: vec![BTreeMap::new(); proposals.len()] };
        field.tie_by_leaf(&stakes);
        field.tie_by_knob(proposals);
        field
    }

    /// Returns what stands between two proposals.
    pub(super) fn tie(&self, one: usize, other: usize) -> Option<Tie> {
        self.ties[one].get(&other).copied()
    }

    /// Returns the best set.
    pub(super) fn best(&self) -> Pick {
        let mut best = Pick::none();
        let all = (0..self.values.len()).map(|at| (at, self.values[at])).collect();
        for part in self.parts(&worth_it(all)) {
            best.join(&self.solve(&part, &mut BTreeMap::new()));
        }
        best
    }

    fn tie_by_leaf(&mut self, stakes: &[Vec<Stake>]) {
        let mut on_leaf: BTreeMap<usize, Vec<(usize, Stake)>> = BTreeMap::new();
        for (at, own) in stakes.iter().enumerate() {
            for stake in own {
                on_leaf.entry(stake.leaf).or_default().push((at, *stake));
            }
        }
        let mut losses: BTreeMap<(usize, usize), Decimal> = BTreeMap::new();
        for touching in on_leaf.values() {
            for (place, (one, a)) in touching.iter().enumerate() {
                for (other, b) in &touching[place + 1..] {
                    if a.shares_axis(b) {
                        self.set(*one, *other, Tie::SameBytes);
                    }
                    *losses.entry((*one, *other)).or_default() += a.lost_to(b);
                    *losses.entry((*other, *one)).or_default() += b.lost_to(a);
                }
            }
        }
        self.tie_by_loss(stakes, &losses);
    }

    fn tie_by_loss(&mut self, stakes: &[Vec<Stake>], losses: &BTreeMap<(usize, usize), Decimal>) {
        for (&(loser, taker), lost) in losses {
            let whole: Decimal = stakes[loser].iter().map(Stake::saved_low).sum();
            if lost.is_zero() || whole.is_zero() {
                continue;
            }
            let loss = cents(self.values[loser] * *lost / whole);
            let before = match self.tie(loser, taker) {
                Some(Tie::SameBytes | Tie::Knob) => continue,
                Some(Tie::Loss(before)) => before,
                None => Decimal::ZERO,
            };
            self.set(loser, taker, Tie::Loss(before + loss));
        }
    }

    fn tie_by_knob(&mut self, proposals: &[Proposal]) {
        let mut turned: BTreeMap<(&str, &str), Vec<(usize, &str)>> = BTreeMap::new();
        for (at, proposal) in proposals.iter().enumerate() {
            for (resource, knob, value) in &proposal.claims {
                turned.entry((resource, knob)).or_default().push((at, value));
            }
        }
        for hands in turned.values() {
            for (place, (one, value)) in hands.iter().enumerate() {
                let against = hands[place + 1..].iter().filter(|(other, theirs)| other != one && theirs != value);
                for (other, _) in against {
                    if self.tie(*one, *other) != Some(Tie::SameBytes) {
                        self.set(*one, *other, Tie::Knob);
                    }
                }
            }
        }
    }

    fn set(&mut self, one: usize, other: usize, tie: Tie) {
        self.ties[one].insert(other, tie);
        self.ties[other].insert(one, tie);
    }

    /// The best set within one connected part. `left` holds what each proposal still brings; what was solved once
    /// (the same proposals with the same values) is not solved again.
    fn solve(&self, left: &BTreeMap<usize, Decimal>, solved: &mut Solved) -> Pick {
        let key: Vec<(usize, Decimal)> = left.iter().map(|(at, value)| (*at, *value)).collect();
        if let Some(pick) = solved.get(&key) {
            return pick.clone();
        }
        let Some(pivot) = self.pivot(left) else { return Pick::none() };
        let mut best = self.with(pivot, left, solved);
        let mut without = left.clone();
        without.remove(&pivot);
        if self.bound(&without) >= best.value {
            let other = self.solve_parts(&without, solved);
            if other.beats(&best) {
                best = other;
            }
        }
        solved.insert(key, best.clone());
        best
    }

    /// The best set that holds `pivot`.
    fn with(&self, pivot: usize, left: &BTreeMap<usize, Decimal>, solved: &mut Solved) -> Pick {
        let mut rest = left.clone();
        let value = rest.remove(&pivot).unwrap_or_default();
        for (other, tie) in &self.ties[pivot] {
            match tie {
                Tie::SameBytes | Tie::Knob => drop(rest.remove(other)),
                Tie::Loss(loss) => {
                    rest.entry(*other).and_modify(|brings| *brings -= loss);
                }
            }
        }
        let mut pick = self.solve_parts(&worth_it(rest), solved);
        pick.join(&Pick { value, members: vec![pivot] });
        pick
    }

    fn solve_parts(&self, left: &BTreeMap<usize, Decimal>, solved: &mut Solved) -> Pick {
        let mut pick = Pick::none();
        for part in self.parts(left) {
            pick.join(&self.solve(&part, solved));
        }
        pick
    }

    /// The proposal with the most others tied to it, then the most valuable, then the earliest id.
    fn pivot(&self, left: &BTreeMap<usize, Decimal>) -> Option<usize> {
        let degree = |at: usize| self.ties[at].keys().filter(|other| left.contains_key(other)).count();
        let ranked = left.iter().map(|(at, value)| (degree(*at), *value, std::cmp::Reverse(*at)));
        ranked.max().map(|(_, _, std::cmp::Reverse(at))| at)
    }

    /// No set can bring more: of proposals that exclude each other pairwise only one counts, and losses are left out.
    fn bound(&self, left: &BTreeMap<usize, Decimal>) -> Decimal {
        let mut open: BTreeSet<usize> = left.keys().copied().collect();
        let mut bound = Decimal::ZERO;
        while let Some(first) = open.pop_first() {
            let mut clique = vec![first];
            for other in self.ties[first].keys().filter(|other| open.contains(other)) {
                if clique.iter().all(|member| self.excludes(*member, *other)) {
                    clique.push(*other);
                }
            }
            open.retain(|member| !clique.contains(member));
            bound += clique.iter().map(|member| left[member]).max().unwrap_or_default();
        }
        bound
    }

    fn excludes(&self, one: usize, other: usize) -> bool {
        matches!(self.tie(one, other), Some(Tie::SameBytes | Tie::Knob))
    }

    /// Splits proposals into connected parts, by their first member.
    fn parts(&self, left: &BTreeMap<usize, Decimal>) -> Vec<BTreeMap<usize, Decimal>> {
        let mut open: BTreeSet<usize> = left.keys().copied().collect();
        let mut parts = Vec::new();
        while let Some(first) = open.pop_first() {
            let (mut part, mut edge) = (BTreeMap::new(), vec![first]);
            while let Some(at) = edge.pop() {
                part.insert(at, left[&at]);
                edge.extend(self.ties[at].keys().filter(|other| open.remove(other)));
            }
            parts.push(part);
        }
        parts
    }
}

/// Parts already solved: (proposal, what it still brings) in order → the best set.
type Solved = BTreeMap<Vec<(usize, Decimal)>, Pick>;

/// A proposal that brings nothing more is not worth a change.
fn worth_it(mut left: BTreeMap<usize, Decimal>) -> BTreeMap<usize, Decimal> {
    left.retain(|_, brings| *brings > Decimal::ZERO);
    left
}

impl Stake {
    fn cuts_usage(&self) -> bool {
        self.usage.high < Decimal::ONE
    }

    fn cuts_rate(&self) -> bool {
        self.rate.high < Decimal::ONE
    }

    fn shares_axis(&self, other: &Stake) -> bool {
        self.cuts_usage() && other.cuts_usage() || self.cuts_rate() && other.cuts_rate()
    }

    /// Dollars a month that this stake saves at the low end.
    fn saved_low(&self) -> Decimal {
        self.cost.sure * (Decimal::ONE - self.usage.low * self.rate.low)
    }

    /// Dollars a month of this stake's rate cut that are gone when `other` leaves less to be cheaper.
    fn lost_to(&self, other: &Stake) -> Decimal {
        self.cost.sure * self.usage.low * (Decimal::ONE - self.rate.low) * (Decimal::ONE - other.usage.high)
    }
}
