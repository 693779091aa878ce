//! What each request costs. The amounts come from the price book; this file only says which item an operation is.

use std::collections::BTreeMap;

use crate::model::Money;

/// Which requests an operation is charged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Each request that succeeds (Cost Explorer).
    Success,
    /// Each attempt, whatever the answer.
    Attempt,
}

/// The price of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Dollars for each unit that a request asks for.
    pub usd: Money,
    /// What is charged.
    pub basis: Basis,
}

/// Prices by operation; an operation that is not in it is free.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tariff(BTreeMap<String, Price>);

/// Price-book items of the operations that cost something: (operation, item, what is charged).
///
/// S3 calls its LIST requests tier 1 and every other read tier 2; Cost Explorer charges each page that it answers.
pub const PRICED: &[(&str, &str, Basis)] = &[
    ("ce:GetCostAndUsage", "api.costexplorer.request", Basis::Success),
    ("cloudwatch:GetMetricData", "api.cloudwatch.get_metric_data", Basis::Attempt),
    ("cloudwatch:ListMetrics", "api.cloudwatch.request", Basis::Attempt),
    ("s3:ListBuckets", "s3.requests.standard.tier1", Basis::Attempt),
    ("s3:ListMultipartUploads", "s3.requests.standard.tier1", Basis::Attempt),
    ("s3:ListParts", "s3.requests.standard.tier1", Basis::Attempt),
    ("s3:ListObjectsV2", "s3.requests.standard.tier1", Basis::Attempt),
    ("s3:PutObject", "s3.requests.standard.tier1", Basis::Attempt),
    ("s3:PutBucketLifecycleConfiguration", "s3.requests.standard.tier1", Basis::Attempt),
    ("s3:GetObject", "s3.requests.standard.tier2", Basis::Attempt),
    ("s3:HeadObject", "s3.requests.standard.tier2", Basis::Attempt),
    ("s3:GetBucketLifecycleConfiguration", "s3.requests.standard.tier2", Basis::Attempt),
    ("s3:GetBucketVersioning", "s3.requests.standard.tier2", Basis::Attempt),
    ("s3:GetBucketTagging", "s3.requests.standard.tier2", Basis::Attempt),
    ("s3:GetBucketLocation", "s3.requests.standard.tier2", Basis::Attempt),
    ("s3:HeadBucket", "s3.requests.standard.tier2", Basis::Attempt),
];

impl Tariff {
    /// Returns the tariff whose items cost what `rate` says; fails on the first item that has no price.
    pub fn new<E>(rate: impl Fn(&str) -> Result<Money, E>) -> Result<Self, E> {
        let priced = PRICED
            .iter()
            .map(|&(operation, item, basis)| rate(item).map(|usd| (operation.to_owned(), Price { usd, basis })));
        priced.collect::<Result<_, E>>().map(Tariff)
    }

    /// Returns the price of an operation, or `None` when it is free.
    pub fn price(&self, operation: &str) -> Option<Price> {
        self.0.get(operation).copied()
    }
}
