//! The order in which findings are read, and what they add up to.

use std::cmp::Reverse;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::count::Counted;
use crate::model::{Confidence, Finding, Level, Money, Range, Status, Verdict};

/// What is recommended, in all. What is only possible is counted by number, never summed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// USD per month: the sum of the low ends of what the measured and estimated recommendations count.
    pub headline_low: Money,
    /// USD per month of all recommendations. The high end is what they can reach together, which can be less than the
    /// sum of their high ends.
    pub recommended: Range,
    /// USD that the recommendations cost once.
    pub one_off: Range,
    /// USD that the recommendations bring over the first 12 months, one-off and running costs in.
    pub net_saving_12m: Range,
    /// Findings of each verdict.
    pub recommended_count: usize,
    /// Findings that only a look can settle.
    pub possible_count: usize,
    /// Findings without a number.
    pub unknown_count: usize,
    /// Findings whose costs eat the saving.
    pub no_payback_count: usize,
    /// Findings that lost their part of the bill to a better one.
    pub outbid_count: usize,
    /// Findings that would set a knob to another value.
    pub clash_count: usize,
    /// Findings that the previous snapshot did not have.
    pub new_count: usize,
}

impl Totals {
    pub(super) fn of(findings: &[Finding], whole: Counted) -> Self {
        let count = |word: &str| findings.iter().filter(|finding| finding.verdict.as_str() == word).count();
        Totals {
            headline_low: whole.monthly.low,
            recommended: whole.monthly,
            one_off: whole.one_off,
            net_saving_12m: whole.net_12m,
            recommended_count: count("recommended"),
            possible_count: count("possible"),
            unknown_count: count("unknown"),
            no_payback_count: count("no_payback"),
            outbid_count: count("outbid"),
            clash_count: count("clashes"),
            new_count: findings.iter().filter(|finding| finding.status == Status::New).count(),
        }
    }
}

/// Sorts the findings: by verdict, then net saving × confidence, then effort, then id.
pub(super) fn rank(findings: &mut [Finding]) {
    findings.sort_by_cached_key(place);
}

fn place(finding: &Finding) -> (u8, Reverse<Decimal>, Level, crate::model::FindingId) {
    (verdict_place(&finding.verdict), Reverse(weight(finding)), finding.effort, finding.id.clone())
}

fn verdict_place(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Recommended { .. } => 0,
        Verdict::Possible => 1,
        Verdict::Unknown { .. } => 2,
        Verdict::NoPayback { .. } => 3,
        Verdict::Outbid { .. } => 4,
        Verdict::Clashes { .. } => 5,
    }
}

/// Likely dollars of 12 months × confidence; only for the order, never shown.
fn weight(finding: &Finding) -> Decimal {
    let net = finding.net_saving_12m.known().map_or(Decimal::ZERO, |range| range.expected.usd());
    let counted = match (&finding.verdict, finding.saving.known()) {
        (Verdict::Recommended { counted, .. }, Some(saving)) if saving.expected.is_positive() => {
            net * counted.expected.usd() / saving.expected.usd()
        }
        _ => net,
    };
    counted * confidence_weight(finding.confidence)
}

/// A convention for the order of a list: what was measured goes before what was assumed.
fn confidence_weight(confidence: Confidence) -> Decimal {
    match confidence {
        Confidence::Measured => Decimal::ONE,
        Confidence::Estimated => Decimal::new(7, 1),
        Confidence::Possible => Decimal::new(3, 1),
    }
}
