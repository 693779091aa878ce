//! The spend that gaps make blind: dollars of the services, Regions and resources that could not be looked at.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reconcile::Reconciled;
use super::services;
use crate::model::{Coverage, CoverageState, Money, Pool, PoolPath, Untrusted};
use crate::store::table::Kind;
use crate::store::tables;

/// Spend of one service, Region or resource that a gap covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlindSpend {
    /// Service as Cost Explorer names it.
    pub service: String,
    /// Region; `None` for all of them.
    pub region: Option<String>,
    /// The one resource; `None` for all of them.
    pub resource: Option<Untrusted>,
    /// USD in the last full month, or a month at today's size for a resource; `None` when it is not known.
    pub usd: Option<Money>,
    /// What could not be read.
    pub reads: Vec<String>,
}

/// Everything that gaps make blind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Blind {
    /// USD a month, each line of the bill once; `None` when there is no bill to tell.
    pub usd: Option<Money>,
    /// By service, Region and resource; these overlap where a resource lies in a Region that is blind too.
    pub parts: Vec<BlindSpend>,
}

type Place<'a> = (&'static str, Option<&'a str>, Option<&'a Untrusted>);

/// Returns the spend that `gaps` make blind.
pub fn blind(gaps: &[Coverage], lines: &[Reconciled], pools: &[Pool]) -> Blind {
    let mut reads: BTreeMap<Place<'_>, BTreeSet<&str>> = BTreeMap::new();
    for gap in gaps.iter().filter(|gap| hides(gap)) {
        if let Some(service) = services::of_table(&gap.table) {
            let place = (service, gap.region.as_deref(), gap.resource.as_ref());
            reads.entry(place).or_default().insert(&gap.read);
        }
    }
    let covered = |at: &usize| reads.keys().any(|place| place.2.is_none() && on(&lines[*at], place));
    let by_line: Money = (0..lines.len()).filter(covered).map(|at| lines[at].billed).sum();
    let inside =
        |place: &Place<'_>| reads.keys().any(|wide| wide.2.is_none() && wide.0 == place.0 && within(place.1, wide.1));
    let mut alone = Money::ZERO;
    let mut parts = Vec::new();
    for (place, reads) in &reads {
        let usd = cost(place, lines, pools);
        if place.2.is_some() && !inside(place) {
            alone += usd.unwrap_or(Money::ZERO);
        }
        parts.push(part(place, usd, reads));
    }
    Blind { usd: (!lines.is_empty()).then(|| by_line + alone), parts }
}

fn part(place: &Place<'_>, usd: Option<Money>, reads: &BTreeSet<&str>) -> BlindSpend {
    BlindSpend {
        service: place.0.to_owned(),
        region: place.1.map(str::to_owned),
        resource: place.2.cloned(),
        usd,
        reads: reads.iter().map(|read| (*read).to_owned()).collect(),
    }
}

/// A gap hides resources or their settings unless it only leaves a size or a count open, or some of many rows.
fn hides(gap: &Coverage) -> bool {
    let whole = gap.state != CoverageState::Partial || gap.resource.is_some();
    let size = |kind: Kind| matches!(kind, Kind::Bytes | Kind::Count | Kind::Quantity);
    let only_sizes = tables::find(&gap.table).is_some_and(|table| {
        let mut filled = table.columns.iter().filter(|column| column.read == Some(gap.read.as_str())).peekable();
        filled.peek().is_some() && filled.all(|column| size(column.kind))
    });
    whole && !only_sizes
}

fn on(line: &Reconciled, place: &Place<'_>) -> bool {
    line.line.service == place.0 && within(line.line.region.as_deref(), place.1)
}

fn within(region: Option<&str>, wide: Option<&str>) -> bool {
    wide.is_none() || region == wide
}

/// Dollars of the place: the bill's lines, or the pools of the one resource.
fn cost(place: &Place<'_>, lines: &[Reconciled], pools: &[Pool]) -> Option<Money> {
    let Some(resource) = place.2 else {
        return (!lines.is_empty()).then(|| lines.iter().filter(|line| on(line, place)).map(|line| line.billed).sum());
    };
    let name = PoolPath::of(&[resource.raw()]);
    let of_it = |pool: &&Pool| {
        let segments: Vec<&str> = pool.path.as_str().split('/').collect();
        pool.line.service == place.0
            && segments.get(3) == Some(&name.as_str())
            && within(segments.get(1).copied(), place.1)
    };
    let costs: Vec<Money> = pools.iter().filter(of_it).filter_map(Pool::cost).collect();
    (!costs.is_empty()).then(|| costs.into_iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BillLine;

    fn line(service: &str, region: &str, usd: i64) -> Reconciled {
        let line = BillLine {
            account_id: None,
            region: Some(region.to_owned()),
            service: service.to_owned(),
            usage_type: String::new(),
        };
        Reconciled { line, billed: Money::new(usd.into()), explained: Money::ZERO, pools: 0, lake: true }
    }

    fn gap(table: &str, read: &str, state: CoverageState, region: Option<&str>) -> Coverage {
        Coverage::new(table, read, state).at("1", region)
    }

    #[test]
    fn a_denied_region_hides_its_spend_once_and_a_denied_bucket_only_its_own() {
        let lines = [line(services::S3, "eu-west-1", 100), line(services::S3, "us-east-1", 40)];
        let mut pool = super::super::tests::pool("1/us-east-1/s3/lake/current", "STANDARD", "25");
        pool.line.service = services::S3.to_owned();
        let missing = CoverageState::Missing;
        let gaps = [
            gap("storage", "cloudwatch:GetMetricData", missing, Some("eu-west-1")),
            gap("buckets", "s3:GetBucketVersioning", missing, Some("eu-west-1")).of("other"),
            gap("buckets", "s3:GetBucketVersioning", missing, Some("us-east-1")).of("lake"),
        ];
        let blind = blind(&gaps, &lines, &[pool]);
        assert_eq!(blind.usd, Some(Money::new(125.into())));
        let parts: Vec<_> = blind.parts.iter().map(|part| part.usd.map(|usd| usd.human())).collect();
        assert_eq!(parts, [Some("$100.00".into()), None, Some("$25.00".into())]);
    }

    #[test]
    fn a_size_that_was_not_read_hides_no_spend() {
        let lines = [line(services::S3, "eu-west-1", 100)];
        let over = CoverageState::OverBudget;
        let gaps = [
            gap("multipart_uploads", "s3:ListParts", over, Some("eu-west-1")),
            gap("athena_queries", "athena:BatchGetQueryExecution", CoverageState::Partial, Some("eu-west-1")),
            gap("costs", "ce:GetCostAndUsage", CoverageState::Missing, None),
        ];
        assert_eq!(blind(&gaps, &lines, &[]), Blind { usd: Some(Money::ZERO), parts: Vec::new() });
    }

    #[test]
    fn without_a_bill_blind_spend_is_unknown_and_not_nothing() {
        let gaps = [gap("storage", "cloudwatch:ListMetrics", CoverageState::Missing, Some("eu-west-1"))];
        let blind = blind(&gaps, &[], &[]);
        assert_eq!((blind.usd, blind.parts[0].usd), (None, None));
    }
}
