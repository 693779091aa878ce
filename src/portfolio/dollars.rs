//! What the dollars of a finding, and of the total, rest on. Never adds up what is only possible.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ground::Ground;
use super::proposal::Cut;
use crate::model::{DollarSource, Finding, FindingId, Money, Pool, Verdict};

/// The sources of the dollars of an assessment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dollars {
    /// What each finding's part of the bill rests on; a finding without a pool of a known cost is not here.
    pub by_finding: BTreeMap<FindingId, DollarSource>,
    /// What the headline rests on.
    pub headline: Vec<SourceTotal>,
}

/// A part of the headline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceTotal {
    /// What it rests on.
    pub source: DollarSource,
    /// USD per month: the low ends of the recommendations that rest on it. The parts add up to the headline.
    pub low: Money,
}

impl Dollars {
    /// Returns the sources of findings that have their verdicts.
    pub fn of(findings: &[Finding], pools: &[Pool]) -> Self {
        let ground = Ground::of(pools);
        let source = |finding: &Finding| Some((finding.id.clone(), source(finding, &ground)?));
        let by_finding: BTreeMap<FindingId, DollarSource> = findings.iter().filter_map(source).collect();
        let mut sums: BTreeMap<DollarSource, Money> = BTreeMap::new();
        for finding in findings {
            if let (Verdict::Recommended { counted, .. }, Some(source)) =
                (&finding.verdict, by_finding.get(&finding.id))
            {
                *sums.entry(*source).or_default() += counted.low;
            }
        }
        let headline = sums.into_iter().map(|(source, low)| SourceTotal { source, low }).collect();
        Dollars { by_finding, headline }
    }
}

/// The weakest source of the leaves that the finding reduces: no saving is surer than that.
fn source(finding: &Finding, ground: &Ground<'_>) -> Option<DollarSource> {
    let effect = finding.effect.as_ref()?;
    let cut = Cut { class: effect.class.clone(), ..Cut::whole(effect.scope.clone()) };
    ground.touched(&cut).into_iter().filter_map(|leaf| ground.source(leaf)).max()
}
