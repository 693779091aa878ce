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

#[cfg(test)]
mod tests {
    use super::super::{decide, tests};
    use super::*;
    use crate::model::{Axis, Range};

    #[test]
    fn the_parts_of_the_headline_add_up_to_it_and_each_is_the_weakest_of_its_leaves() {
        let billed = |path: &str, own_lines: bool| {
            let mut pool = tests::pool(path, "STANDARD", "9");
            (pool.billed, pool.own_lines) = (Some(Money::new(10.into())), own_lines);
            pool
        };
        let listed = tests::pool("b/list/current", "STANDARD", "10");
        let pools =
            [billed("b/own/current", true), billed("b/mixed/current", true), billed("b/mixed/old", false), listed];
        let saving = |usd: i64| {
            let usd = Money::new(usd.into());
            Range { low: usd, expected: usd, high: Some(usd) }
        };
        let find =
            |id, scope, usd| tests::finding(id, scope, None, Axis::Usage, saving(usd), (Range::ZERO, Range::ZERO));
        let found = vec![find(1, "b/own", 1), find(2, "b/mixed", 2), find(3, "b/list", 4), find(4, "b/none", 8)];
        let portfolio = decide(found, &pools);
        let dollars = Dollars::of(&portfolio.findings, &pools);
        let sources: Vec<DollarSource> = dollars.by_finding.values().copied().collect();
        assert_eq!(sources, [DollarSource::Bill, DollarSource::Allocated, DollarSource::List]);
        let parts: Vec<_> = dollars.headline.iter().map(|part| part.low).collect();
        assert_eq!(parts, [1, 2, 4].map(|usd: i64| Money::new(usd.into())));
        assert_eq!(parts.into_iter().sum::<Money>(), portfolio.totals.headline_low);
    }
}
