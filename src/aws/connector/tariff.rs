//! What each request costs. The amounts come from the price book; this file only says which item an operation is.

use std::collections::BTreeMap;

use crate::model::Money;
use crate::prices::PriceBook;

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

/// The price book has no price for a request that costs something: no budget could be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the price book has no `{0}`, which requests are metered with")]
pub struct NoPrice(pub &'static str);

/// One operation's price by Region, and the dearest for Regions that the book does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    by_region: BTreeMap<String, Money>,
    dearest: Money,
    basis: Basis,
}

/// Prices by operation; an operation that is not in it is free.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tariff(BTreeMap<&'static str, Item>);

/// Price-book items of the operations that cost something: (operation, item, what is charged).
///
/// Free tiers are not counted on. S3 calls its LIST requests tier 1 and every other
/// read tier 2, and does not say which lists of configurations are: those are counted as the dearer; Cost Explorer charges each page that it answers.
pub const PRICED: &[(&str, &str, Basis)] = &[
    ("ce:GetCostAndUsage", "api.costexplorer.request", Basis::Success),
    ("ce:GetAnomalies", "api.costexplorer.request", Basis::Success),
    ("ce:GetCostForecast", "api.costexplorer.request", Basis::Success),
    ("cloudwatch:GetMetricData", "api.cloudwatch.get_metric_data", Basis::Attempt),
    ("cloudwatch:ListMetrics", "api.cloudwatch.requests", Basis::Attempt),
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
    ("s3:GetObjectLockConfiguration", "s3.requests.standard.tier2", Basis::Attempt),
    ("s3:GetBucketEncryption", "s3.requests.standard.tier2", Basis::Attempt),
    ("s3:GetBucketRequestPayment", "s3.requests.standard.tier2", Basis::Attempt),
    ("s3:GetBucketLogging", "s3.requests.standard.tier2", Basis::Attempt),
    ("s3:GetBucketReplication", "s3.requests.standard.tier2", Basis::Attempt),
    ("s3:ListBucketIntelligentTieringConfigurations", "s3.requests.standard.tier1", Basis::Attempt),
    ("s3:ListBucketInventoryConfigurations", "s3.requests.standard.tier1", Basis::Attempt),
    ("s3:ListBucketAnalyticsConfigurations", "s3.requests.standard.tier1", Basis::Attempt),
    ("s3:ListBucketMetricsConfigurations", "s3.requests.standard.tier1", Basis::Attempt),
    ("s3:GetBucketLocation", "s3.requests.standard.tier2", Basis::Attempt),
    ("s3:HeadBucket", "s3.requests.standard.tier2", Basis::Attempt),
];

impl Tariff {
    /// Returns the list prices of the book.
    pub fn list(book: &PriceBook) -> Result<Self, NoPrice> {
        let items = PRICED.iter().map(|&(operation, item, basis)| {
            let mut by_region: BTreeMap<String, Money> = BTreeMap::new();
            for price in book.prices().filter(|price| price.item == item) {
                by_region.entry(price.region.clone()).or_insert_with(|| Money::new(price.per_unit()));
            }
            let dearest = by_region.values().max().copied().ok_or(NoPrice(item))?;
            Ok((operation, Item { by_region, dearest, basis }))
        });
        items.collect::<Result<_, NoPrice>>().map(Tariff)
    }

    /// Returns the price of an operation in a Region, or `None` when it is free.
    pub fn price(&self, operation: &str, region: &str) -> Option<Price> {
        let item = self.0.get(operation)?;
        Some(Price { usd: item.by_region.get(region).copied().unwrap_or(item.dearest), basis: item.basis })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_priced_operation_has_its_price_in_the_book() {
        let tariff = Tariff::list(&PriceBook::embedded().unwrap()).unwrap();
        let usd = |operation, region| tariff.price(operation, region).unwrap().usd.to_string();
        assert_eq!(usd("ce:GetCostAndUsage", "us-east-1"), "0.01");
        assert_eq!(usd("cloudwatch:GetMetricData", "us-east-1"), "0.00001");
        assert_eq!(usd("s3:ListBuckets", "us-east-1"), "0.000005");
        assert_eq!(tariff.price("athena:ListQueryExecutions", "us-east-1"), None);
    }

    #[test]
    fn a_region_without_a_price_is_metered_at_the_dearest() {
        let tariff = Tariff::list(&PriceBook::embedded().unwrap()).unwrap();
        let price = |region| tariff.price("s3:ListBuckets", region).unwrap().usd;
        assert!(price("mx-central-1") >= price("us-east-1"));
    }
}
