//! What to switch on to know more, and how many dollars hang on it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{Finding, Money, Range, Unlock, Verdict};

/// One thing to switch on, over all the findings that it would narrow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnlockOffer {
    /// What to switch on, what it narrows, what it costs.
    #[serde(flatten)]
    pub unlock: Unlock,
    /// Findings that it would narrow.
    pub findings: usize,
    /// Of those, the ones without any number today.
    pub unknown: usize,
    /// USD a month at the high ends of the possible ones: what may be there, never a promise.
    pub up_to: Money,
    /// Of the possible ones, those that nothing bounds: they may bring more than `up_to` says.
    pub unbounded: usize,
}

/// Returns the offers of the findings that are possible or unknown, most dollars first.
pub fn offers(findings: &[Finding]) -> Vec<UnlockOffer> {
    let mut by_unlock: BTreeMap<&Unlock, UnlockOffer> = BTreeMap::new();
    for finding in findings {
        let (Some(unlock), Verdict::Possible | Verdict::Unknown { .. }) = (&finding.unlock, &finding.verdict) else {
            continue;
        };
        let empty =
            || UnlockOffer { unlock: unlock.clone(), findings: 0, unknown: 0, up_to: Money::ZERO, unbounded: 0 };
        let offer = by_unlock.entry(unlock).or_insert_with(empty);
        offer.findings += 1;
        match finding.saving.known() {
            Some(Range { high: Some(high), .. }) => offer.up_to += high,
            Some(range) => {
                offer.up_to += range.expected;
                offer.unbounded += 1;
            }
            None => offer.unknown += 1,
        }
    }
    let mut offers: Vec<UnlockOffer> = by_unlock.into_values().collect();
    offers.sort_by_key(|offer| Reverse((offer.up_to, offer.findings)));
    offers
}
