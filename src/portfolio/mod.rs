//! Findings → what to recommend. No dollar is counted twice, and none that the bill does not hold.
//!
//! [`decide`] is pure: findings and pools in, verdicts and totals out, the same for any order of either.
//! Must never scale a saving by bill ÷ list, sum what is only possible, or let the order of policies matter.

mod assess;
mod blind;
mod choose;
mod count;
mod document;
mod dollars;
mod ground;
mod proposal;
mod rank;
mod reconcile;
mod services;

pub use assess::{AssessError, Assessment, Settings, assess, blinded};
pub use blind::{Billed, Blind, BlindSpend, blind};
pub use document::{Document, csv};
pub use dollars::{Dollars, SourceTotal};
pub use ground::{Ground, LeafCost};
pub use proposal::{Cut, HORIZON_MONTHS, Keep, Proposal};
pub use rank::Totals;
pub use reconcile::{BillTotals, Reconciled, reconcile};

use choose::{Field, Tie};
use count::Counted;

use crate::model::{Finding, FindingId, Pool, Verdict};

/// Findings with their verdicts, ranked, and what they add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portfolio {
    /// The findings, best first.
    pub findings: Vec<Finding>,
    /// What is recommended, in all.
    pub totals: Totals,
}

/// Decides what to recommend and ranks the findings.
pub fn decide(mut findings: Vec<Finding>, pools: &[Pool]) -> Portfolio {
    findings.sort_by(|a, b| a.id.cmp(&b.id));
    let ground = Ground::of(pools);
    let (mut proposals, mut proposers) = (Vec::new(), Vec::new());
    for (at, finding) in findings.iter_mut().enumerate() {
        match Proposal::of(finding, &ground) {
            Ok(proposal) => {
                proposals.push(proposal);
                proposers.push(at);
            }
            Err(verdict) => finding.verdict = verdict,
        }
    }
    let (verdicts, whole) = settle(&proposals, &ground);
    for (at, verdict) in proposers.into_iter().zip(verdicts) {
        findings[at].verdict = verdict;
    }
    let totals = Totals::of(&findings, whole);
    rank::rank(&mut findings);
    Portfolio { findings, totals }
}

/// Returns a verdict for each proposal (sorted by id), and what the recommended ones count together.
fn settle(proposals: &[Proposal], ground: &Ground<'_>) -> (Vec<Verdict>, Counted) {
    let field = Field::of(proposals, ground);
    let kept = field.best().members;
    let recommended: Vec<&Proposal> = kept.iter().map(|at| &proposals[*at]).collect();
    let (counted, whole) = count::count(&recommended, ground);
    let verdict = |at: usize| match kept.binary_search(&at) {
        Ok(place) => Verdict::Recommended { counted: counted[place].monthly, limit: proposals[at].limit.clone() },
        Err(_) => refused(at, &kept, proposals, &field),
    };
    ((0..proposals.len()).map(verdict).collect(), whole)
}

/// Says what stood in the way: the same bytes first, then a knob, then a cut that leaves too little.
fn refused(at: usize, kept: &[usize], proposals: &[Proposal], field: &Field) -> Verdict {
    let id = |other: usize| -> FindingId { proposals[other].id.clone() };
    let tied = || kept.iter().copied().filter_map(|other| Some((other, field.tie(at, other)?)));
    let dearest = |those: &dyn Fn(&Tie) -> bool| {
        let worth = |other: usize| (proposals[other].net_12m.low, std::cmp::Reverse(other));
        tied().filter(|(_, tie)| those(tie)).map(|(other, _)| other).max_by_key(|other| worth(*other))
    };
    if let Some(by) = dearest(&|tie| *tie == Tie::SameBytes) {
        return Verdict::Outbid { by: id(by) };
    }
    if let Some(with) = dearest(&|tie| *tie == Tie::Knob) {
        return Verdict::Clashes { with: id(with) };
    }
    match dearest(&|tie| matches!(tie, Tie::Loss(_))) {
        Some(by) => Verdict::Outbid { by: id(by) },
        None => Verdict::Unknown { why: "net saving: rounds to nothing".to_owned() },
    }
}

#[cfg(test)]
mod tests;
