//! A leaf before it has a cost.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::super::storage::BucketKey;
use super::split::Part;
use crate::model::service::{ATHENA, S3};
use crate::model::storage_type;
use crate::model::{PoolPath, Row, Untrusted};
use crate::prices::code_of;

/// Item of the price book that a query's bytes cost.
const SCANNED: &str = "athena.sql.scanned";
const BYTES_PER_GB: i64 = 1 << 30;
const BYTES_PER_TB: i64 = 1 << 40;

/// A part of the bill that was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    path: PoolPath,
    scope: PoolPath,
    account_id: String,
    pub region: String,
    bucket: Option<Untrusted>,
    workgroup: Option<Untrusted>,
    /// What exports of the bill call the resource, in its plain form.
    pub resource: Option<String>,
    state: Option<&'static str>,
    class: &'static str,
    storage_type: Untrusted,
    pub item: Option<&'static str>,
    pub service: &'static str,
    pub usage_type: Option<String>,
    unit: &'static str,
    pub quantity: Decimal,
    day: NaiveDate,
}

/// What a resource used in a month, of one usage type.
pub(super) struct Used<'a> {
    pub account_id: &'a str,
    pub region: &'a str,
    /// Its place in the tree between the Region and the name.
    pub root: &'static str,
    pub name: &'a str,
    /// What exports of the bill call it, in its plain form.
    pub resource: String,
    pub class: &'static str,
    /// Item of the price book.
    pub item: &'static str,
    pub service: &'static str,
    /// Without the Region's code.
    pub usage_type: &'static str,
    pub unit: &'static str,
    pub quantity: Decimal,
    /// The first day after the month.
    pub day: NaiveDate,
}

impl Leaf {
    pub fn stored(key: &BucketKey, part: &Part, day: NaiveDate) -> Self {
        let kind = storage_type::find(&part.storage_type);
        Leaf {
            path: PoolPath::of(&[&key.account_id, &key.region, "s3", &key.bucket, part.state]),
            scope: key.scope(),
            account_id: key.account_id.clone(),
            region: key.region.clone(),
            bucket: Some(Untrusted::new(&key.bucket)),
            workgroup: None,
            resource: Some(key.bucket.clone()),
            state: Some(part.state),
            class: kind.map_or("", |kind| kind.class),
            storage_type: Untrusted::new(&part.storage_type),
            item: kind.map(|kind| kind.item),
            service: S3,
            usage_type: kind.and_then(|kind| coded(&key.region, kind.usage_type)),
            unit: "GB-month",
            quantity: per(part.bytes, BYTES_PER_GB),
            day,
        }
    }

    pub fn queried(account_id: &str, region: &str, workgroup: &Untrusted, bytes: i64, day: NaiveDate) -> Self {
        let path = PoolPath::of(&[account_id, region, "athena", workgroup.raw()]);
        Leaf {
            scope: path.clone(),
            path,
            account_id: account_id.to_owned(),
            region: region.to_owned(),
            bucket: None,
            workgroup: Some(workgroup.clone()),
            resource: Some(format!("athena:{region}:{account_id}:workgroup/{}", workgroup.raw())),
            state: None,
            class: "",
            storage_type: Untrusted::new(""),
            item: Some(SCANNED),
            service: ATHENA,
            usage_type: coded(region, "DataScannedInTB"),
            unit: "TB",
            quantity: per(bytes, BYTES_PER_TB),
            day,
        }
    }

    pub fn used(used: Used<'_>) -> Self {
        let usage_type = coded(used.region, used.usage_type);
        let mut path = vec![used.account_id, used.region, used.root, used.name];
        let scope = PoolPath::of(&path);
        path.push(used.usage_type);
        Leaf {
            path: PoolPath::of(&path),
            scope,
            account_id: used.account_id.to_owned(),
            region: used.region.to_owned(),
            bucket: None,
            workgroup: None,
            resource: Some(used.resource),
            state: None,
            class: used.class,
            storage_type: Untrusted::new(""),
            item: Some(used.item),
            service: used.service,
            usage_type,
            unit: used.unit,
            quantity: used.quantity,
            day: used.day,
        }
    }

    pub fn row(&self) -> Row {
        Row::new()
            .with("pool_id", self.path.as_str())
            .with("scope", self.scope.as_str())
            .with("account_id", self.account_id.as_str())
            .with("region", self.region.as_str())
            .with("bucket", self.bucket.clone())
            .with("workgroup", self.workgroup.clone())
            .with("resource", self.resource.as_deref())
            .with("state", self.state)
            .with("class", self.class)
            .with("storage_type", self.storage_type.clone())
            .with("item", self.item)
            .with("service", self.service)
            .with("usage_type", self.usage_type.as_deref())
            .with("unit", self.unit)
            .with("quantity", self.quantity)
            .with("day", self.day)
    }
}

/// The usage type as it is billed in the Region; us-east-1 has no code.
fn coded(region: &str, usage_type: &str) -> Option<String> {
    match (region, code_of(region)) {
        ("us-east-1", _) => Some(usage_type.to_owned()),
        (_, Some(code)) => Some(format!("{code}-{usage_type}")),
        (_, None) => None,
    }
}

fn per(bytes: i64, unit: i64) -> Decimal {
    (Decimal::from(bytes) / Decimal::from(unit)).round_dp(12)
}
