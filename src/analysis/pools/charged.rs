//! Leaves that the bill itself names: what it charged to a resource, by usage type and operation.
//!
//! A charge that a measured leaf stands on already is no leaf of its own, so no dollar is in two leaves.

use std::collections::BTreeSet;

use super::super::bill::Charge;
use super::leaf::Leaf;
use super::{athena, s3};
use crate::model::service::{ATHENA, EC2_OTHER, EMR, EMR_SERVERLESS, GLACIER, GLUE, REDSHIFT, S3};
use crate::model::{PoolPath, Row};
use crate::prices::bare_usage_type;

/// Where a charge hangs in the tree, between the Region and the resource, and what kind it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub root: &'static str,
    /// Class of the work (`FLEX`) or of the storage; empty where there are none.
    pub class: &'static str,
    /// CloudWatch's name of the storage; empty for what is no storage.
    pub storage_type: &'static str,
}

impl Place {
    pub fn at(root: &'static str) -> Self {
        Place { root, class: "", storage_type: "" }
    }
}

/// What was measured, by what the bill calls it.
pub(super) struct Measured<'a> {
    lines: BTreeSet<(&'a str, &'a str)>,
    resources: BTreeSet<&'a str>,
}

impl<'a> Measured<'a> {
    pub fn of(leaves: &'a [Leaf]) -> Self {
        let named = || leaves.iter().filter_map(|leaf| Some((leaf.resource.as_deref()?, leaf.usage_type.as_deref()?)));
        Measured {
            lines: named().map(|(resource, usage_type)| (resource, bare_usage_type(usage_type).0)).collect(),
            resources: leaves.iter().filter_map(|leaf| leaf.resource.as_deref()).collect(),
        }
    }

    /// Returns true when a leaf stands on the line of the charge.
    fn holds(&self, charge: &Charge) -> bool {
        self.lines.contains(&(charge.resource.as_str(), bare_usage_type(&charge.usage_type).0))
    }

    /// Returns true when anything of the resource was measured.
    pub fn knows(&self, charge: &Charge) -> bool {
        self.resources.contains(charge.resource.as_str())
    }
}

/// Returns the rows of the table `pools` for the charges that nothing measured stands on.
pub(super) fn rows(charges: &[Charge], measured: &Measured<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for charge in charges.iter().filter(|charge| charge.net.is_positive() && !measured.holds(charge)) {
        if let Some(place) = place(charge, measured) {
            rows.push(row(charge, place));
        }
    }
    rows
}

fn place(charge: &Charge, measured: &Measured<'_>) -> Option<Place> {
    let bare = bare_usage_type(&charge.usage_type).0;
    match charge.service.as_str() {
        S3 => Some(s3::place(bare, measured.knows(charge))),
        ATHENA => Some(athena::place(bare)),
        GLUE => Some(super::glue::place(bare)),
        EMR => Some(Place::at("emr")),
        EMR_SERVERLESS => Some(Place::at("emr-serverless")),
        REDSHIFT => Some(Place::at("redshift")),
        EC2_OTHER => Some(Place::at("nat")),
        GLACIER | "Amazon Simple Storage Service Glacier" => Some(Place::at("glacier")),
        "AWS Lake Formation" => Some(Place::at("lakeformation")),
        "Amazon Kinesis" => Some(Place::at("kinesis")),
        "Amazon Kinesis Firehose" => Some(Place::at("firehose")),
        "Amazon Managed Streaming for Apache Kafka" => Some(Place::at("kafka")),
        "Amazon Managed Workflows for Apache Airflow" => Some(Place::at("airflow")),
        _ => None,
    }
}

fn row(charge: &Charge, place: Place) -> Row {
    let region = charge.region.as_deref().unwrap_or("global");
    let name = name(&charge.resource);
    let mut scope = vec![charge.account_id.as_str(), region, place.root, name];
    let resource = PoolPath::of(&scope);
    let state = (!place.storage_type.is_empty()).then_some("unsplit");
    scope.extend(state);
    scope.extend([charge.usage_type.as_str(), charge.operation.as_str()]);
    Row::new()
        .with("pool_id", PoolPath::of(&scope).as_str())
        .with("scope", resource.as_str())
        .with("account_id", charge.account_id.as_str())
        .with("region", charge.region.as_deref())
        .with("bucket", state.map(|_| charge.resource.as_str()))
        .with("workgroup", name.strip_prefix("workgroup/").filter(|_| place.root == "athena"))
        .with("resource", charge.resource.as_str())
        .with("operation", charge.operation.as_str())
        .with("state", state)
        .with("class", place.class)
        .with("storage_type", place.storage_type)
        .with("service", charge.service.as_str())
        .with("usage_type", charge.usage_type.as_str())
        .with("unit", charge.unit.as_str())
        .with("quantity", charge.quantity)
        .with("billed_usd", charge.net)
        .with("today_usd", charge.net)
        .with("source", "bill")
        .with("day", charge.until)
}

/// Returns the name that people know: `glue:REGION:ACCOUNT:job/NAME` → `NAME`, `ec2:REGION:ACCOUNT:natgateway/nat-1` →
/// `nat-1`. What is no ARN is a name already.
fn name(resource: &str) -> &str {
    let mut parts = resource.splitn(4, ':');
    let within = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(_), Some(_), Some(within)) => within,
        _ => resource,
    };
    let kinds = ["job/", "natgateway/", "cluster/", "cluster:", "/applications/"];
    kinds.iter().find_map(|kind| within.strip_prefix(kind)).unwrap_or(within)
}
