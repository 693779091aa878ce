//! The spend that gaps make blind: dollars of the services, Regions and resources that could not be looked at.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reconcile::Reconciled;
use super::services;
use crate::model::service::{EC2_OTHER, is_network};
use crate::model::{BillLine, Coverage, CoverageState, Money, Pool, PoolPath, Untrusted};
use crate::store::table::Kind;
use crate::store::tables;

/// Spend of one service, account, Region or resource that a gap covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlindSpend {
    /// Service as Cost Explorer names it.
    pub service: String,
    /// Account; `None` for all of them.
    pub account_id: Option<String>,
    /// Region; `None` for all of them.
    pub region: Option<String>,
    /// The one resource; `None` for all of them.
    pub resource: Option<Untrusted>,
    /// USD in the last full month, or a month at today's size for a resource; `None` when it is not known. The bill
    /// tells accounts and Regions apart, but not both at once: this is the most that it can be.
    pub usd: Option<Money>,
    /// What could not be read.
    pub reads: Vec<String>,
}

/// Everything that gaps make blind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Blind {
    /// USD a month at most, no service more than its bill; `None` when there is no bill to tell.
    pub usd: Option<Money>,
    /// By service, account, Region and resource; these overlap where a resource lies in a Region that is blind too.
    pub parts: Vec<BlindSpend>,
}

/// What the bill of the last full month says.
#[derive(Clone, Copy, Debug)]
pub struct Billed<'a> {
    /// By service, Region and usage type.
    pub lines: &'a [Reconciled],
    /// By account and service; empty when it was not read.
    pub accounts: &'a BTreeMap<(String, String), Money>,
}

/// Where a gap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    service: &'static str,
    account: Option<&'a str>,
    region: Option<&'a str>,
    resource: Option<&'a Untrusted>,
}

/// Returns the spend that `gaps` make blind.
pub fn blind(gaps: &[Coverage], billed: Billed<'_>, pools: &[Pool]) -> Blind {
    let mut reads: BTreeMap<Place<'_>, BTreeSet<&str>> = BTreeMap::new();
    for gap in gaps.iter().filter(|gap| hides(gap)) {
        if let Some(place) = Place::of(gap) {
            reads.entry(place).or_default().insert(&gap.read);
        }
    }
    let parts: Vec<BlindSpend> = reads.iter().map(|(place, reads)| place.spend(reads, billed, pools)).collect();
    let places: Vec<(&Place<'_>, Money)> =
        reads.keys().zip(&parts).filter_map(|(place, part)| Some((place, part.usd?))).collect();
    let services: BTreeSet<&'static str> = reads.keys().map(|place| place.service).collect();
    let all = services.into_iter().map(|service| of_service(service, &places, billed)).sum();
    Blind { usd: (!billed.lines.is_empty()).then_some(all), parts }
}

/// Dollars of one service, each once: what lies inside another blind place is in that place's dollars already.
fn of_service(service: &str, places: &[(&Place<'_>, Money)], billed: Billed<'_>) -> Money {
    let own: Vec<&(&Place<'_>, Money)> = places.iter().filter(|(place, _)| place.service == service).collect();
    let inside = |place: &Place<'_>| own.iter().any(|(wide, _)| *wide != place && wide.covers(place));
    let sum: Money = own.iter().filter(|(place, _)| !inside(place)).map(|(_, usd)| *usd).sum();
    let bill = billed.lines.iter().filter(|line| is_looked_at(&line.line, service)).map(|line| line.billed).sum();
    sum.min(bill)
}

/// Returns true for the lines of `service` that a collector looks at: of `EC2 - Other` the network and no disk. A line
/// without a usage type may be either.
fn is_looked_at(line: &BillLine, service: &str) -> bool {
    line.service == service && (service != EC2_OTHER || line.usage_type.is_empty() || is_network(&line.usage_type))
}

impl<'a> Place<'a> {
    fn of(gap: &'a Coverage) -> Option<Self> {
        let (account, region) = (gap.account_id.as_deref(), gap.region.as_deref());
        Some(Place { service: services::of_table(&gap.table)?, account, region, resource: gap.resource.as_ref() })
    }

    fn covers(&self, other: &Place<'_>) -> bool {
        within(other.account, self.account) && within(other.region, self.region) && self.resource.is_none()
    }

    fn spend(&self, reads: &BTreeSet<&str>, billed: Billed<'_>, pools: &[Pool]) -> BlindSpend {
        BlindSpend {
            service: self.service.to_owned(),
            account_id: self.account.map(str::to_owned),
            region: self.region.map(str::to_owned),
            resource: self.resource.cloned(),
            usd: match self.resource {
                Some(resource) => self.held(resource, pools),
                None => self.paid(billed),
            },
            reads: reads.iter().map(|read| (*read).to_owned()).collect(),
        }
    }

    /// Dollars of one resource: its pools.
    fn held(&self, resource: &Untrusted, pools: &[Pool]) -> Option<Money> {
        let name = PoolPath::of(&[resource.raw()]);
        let of_it = |pool: &&Pool| {
            let segments: Vec<&str> = pool.path.as_str().split('/').collect();
            let at = |place: usize| segments.get(place).copied();
            pool.line.service == self.service
                && at(3) == Some(name.as_str())
                && within(at(0), self.account)
                && within(at(1), self.region)
        };
        let costs: Vec<Money> = pools.iter().filter(of_it).filter_map(Pool::cost).collect();
        (!costs.is_empty()).then(|| costs.into_iter().sum())
    }

    /// Dollars of the bill: the Region's lines, and no more than the account paid for the service.
    fn paid(&self, billed: Billed<'_>) -> Option<Money> {
        let own = |line: &&Reconciled| {
            is_looked_at(&line.line, self.service) && within(line.line.region.as_deref(), self.region)
        };
        let lines: Money = billed.lines.iter().filter(own).map(|line| line.billed).sum();
        let account = self.account.filter(|_| !billed.accounts.is_empty()).map(|account| {
            let key = (account.to_owned(), self.service.to_owned());
            billed.accounts.get(&key).copied().unwrap_or(Money::ZERO)
        });
        (!billed.lines.is_empty()).then(|| account.map_or(lines, |account| account.min(lines)))
    }
}

fn within(narrow: Option<&str>, wide: Option<&str>) -> bool {
    wide.is_none() || narrow == wide
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BillLine, service};

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

    fn billed<'a>(lines: &'a [Reconciled], accounts: &'a BTreeMap<(String, String), Money>) -> Billed<'a> {
        Billed { lines, accounts }
    }

    #[test]
    fn a_denied_region_hides_its_spend_once_and_a_denied_bucket_only_its_own() {
        let lines = [line(service::S3, "eu-west-1", 100), line(service::S3, "us-east-1", 40)];
        let mut pool = super::super::tests::pool("1/us-east-1/s3/lake/current", "STANDARD", "25");
        pool.line.service = service::S3.to_owned();
        let missing = CoverageState::Missing;
        let gaps = [
            gap("storage", "cloudwatch:GetMetricData", missing, Some("eu-west-1")),
            gap("buckets", "s3:GetBucketVersioning", missing, Some("eu-west-1")).of("other"),
            gap("buckets", "s3:GetBucketVersioning", missing, Some("us-east-1")).of("lake"),
        ];
        let blind = blind(&gaps, billed(&lines, &BTreeMap::new()), &[pool]);
        assert_eq!(blind.usd, Some(Money::new(125.into())));
        let parts: Vec<_> = blind.parts.iter().map(|part| part.usd.map(Money::human)).collect();
        assert_eq!(parts, [Some("$100.00".into()), None, Some("$25.00".into())]);
    }

    #[test]
    fn an_account_that_was_not_read_hides_what_it_paid_and_not_the_whole_bill() {
        let lines = [line(service::S3, "eu-west-1", 100), line(service::S3, "us-east-1", 40)];
        let accounts = BTreeMap::from([(("1".to_owned(), service::S3.to_owned()), Money::new(30.into()))]);
        let gaps = [gap("buckets", "s3:ListBuckets", CoverageState::Missing, None)];
        assert_eq!(blind(&gaps, billed(&lines, &accounts), &[]).usd, Some(Money::new(30.into())));
    }

    #[test]
    fn a_size_that_was_not_read_hides_no_spend() {
        let lines = [line(service::S3, "eu-west-1", 100)];
        let over = CoverageState::OverBudget;
        let gaps = [
            gap("multipart_uploads", "s3:ListParts", over, Some("eu-west-1")),
            gap("athena_queries", "athena:BatchGetQueryExecution", CoverageState::Partial, Some("eu-west-1")),
            gap("costs", "ce:GetCostAndUsage", CoverageState::Missing, None),
        ];
        let nothing = Blind { usd: Some(Money::ZERO), parts: Vec::new() };
        assert_eq!(blind(&gaps, billed(&lines, &BTreeMap::new()), &[]), nothing);
    }

    #[test]
    fn a_network_gap_hides_gateways_endpoints_and_transfer_and_no_disk() {
        let of = |usage_type: &str, usd| {
            let mut line = line(service::EC2_OTHER, "eu-west-1", usd);
            usage_type.clone_into(&mut line.line.usage_type);
            line
        };
        let lines =
            [of("EU-EBS:VolumeUsage.gp3", 900), of("EU-NatGateway-Bytes", 40), of("EU-DataTransfer-Regional-Bytes", 2)];
        let gaps = [gap("nat_gateways", "ec2:DescribeNatGateways", CoverageState::Missing, Some("eu-west-1"))];
        let of_account =
            |usd: i64| BTreeMap::from([(("1".to_owned(), service::EC2_OTHER.to_owned()), Money::new(usd.into()))]);
        for (accounts, usd) in [(BTreeMap::new(), 42), (of_account(900), 42), (of_account(10), 10)] {
            let blind = blind(&gaps, billed(&lines, &accounts), &[]);
            assert_eq!((blind.usd, blind.parts[0].usd), (Some(Money::new(usd.into())), Some(Money::new(usd.into()))));
        }
        let untold = [of("", 7), of("EU-EBS:VolumeUsage.gp3", 900)];
        assert_eq!(blind(&gaps, billed(&untold, &BTreeMap::new()), &[]).usd, Some(Money::new(7.into())));
    }

    #[test]
    fn without_a_bill_blind_spend_is_unknown_and_not_nothing() {
        let gaps = [gap("storage", "cloudwatch:ListMetrics", CoverageState::Missing, Some("eu-west-1"))];
        let blind = blind(&gaps, billed(&[], &BTreeMap::new()), &[]);
        assert_eq!((blind.usd, blind.parts[0].usd), (None, None));
    }
}
