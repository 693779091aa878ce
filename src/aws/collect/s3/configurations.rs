//! The configurations that a bucket may have up to a thousand of: Intelligent-Tiering, inventory, analysis, metrics.
//!
//! The SDK has no paginators for these calls. A list that fails on a later page is not known at all: half a count is
//! not a count.

use aws_sdk_s3::types::{
    AnalyticsConfiguration, AnalyticsFilter, IntelligentTieringAccessTier, IntelligentTieringConfiguration,
    IntelligentTieringStatus, InventoryConfiguration, InventoryFilter, MetricsConfiguration, MetricsFilter,
};
use serde_json::Value;

use super::filter::{Filter, bucket_of};
use super::settings::{Asked, Facts};
use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Trouble};
use crate::model::Row;

/// Most pages of one list: S3 has 100 configurations on a page and takes 1,000.
const PAGES: usize = 11;

const TIERING_CALL: (&str, &str) =
    ("s3:ListBucketIntelligentTieringConfigurations", "s3:GetIntelligentTieringConfiguration");
const INVENTORY_CALL: (&str, &str) = ("s3:ListBucketInventoryConfigurations", "s3:GetInventoryConfiguration");
const ANALYTICS_CALL: (&str, &str) = ("s3:ListBucketAnalyticsConfigurations", "s3:GetAnalyticsConfiguration");
const METRICS_CALL: (&str, &str) = ("s3:ListBucketMetricsConfigurations", "s3:GetMetricsConfiguration");

/// Intelligent-Tiering configurations as columns of the bucket.
pub const TIERING: Read = columns(TIERING_CALL, &["intelligent_tiering_count", "archive_tiering"]);
/// Intelligent-Tiering configurations as rows.
pub const TIERING_ROWS: Read = rows(TIERING_CALL, "intelligent_tiering_configurations");
/// Inventory configurations as a column of the bucket.
pub const INVENTORY: Read = columns(INVENTORY_CALL, &["inventory_count"]);
/// Inventory configurations as rows.
pub const INVENTORY_ROWS: Read = rows(INVENTORY_CALL, "inventory_configurations");
/// Storage Class Analysis configurations as a column of the bucket.
pub const ANALYTICS: Read = columns(ANALYTICS_CALL, &["analytics_count"]);
/// Storage Class Analysis configurations as rows.
pub const ANALYTICS_ROWS: Read = rows(ANALYTICS_CALL, "analytics_configurations");
/// Request metrics configurations as a column of the bucket.
pub const METRICS: Read = columns(METRICS_CALL, &["metrics_count"]);
/// Request metrics configurations as rows.
pub const METRICS_ROWS: Read = rows(METRICS_CALL, "metrics_configurations");

const fn columns(call: (&'static str, &'static str), columns: &'static [&'static str]) -> Read {
    Read::columns(call.0, call.1, "buckets", columns)
}

const fn rows(call: (&'static str, &'static str), table: &'static str) -> Read {
    Read::rows(call.0, call.1, table)
}

/// Returns the Intelligent-Tiering configurations.
pub async fn tiering(of: &Asked<'_>) -> Result<Facts, Failed> {
    let mut list = List::default();
    while list.goes_on()? {
        let call = of.client.list_bucket_intelligent_tiering_configurations().bucket(of.bucket);
        let call = call.expected_bucket_owner(of.owner()).set_continuation_token(list.token.take());
        let page = ask(of.scope, call.send()).await?;
        list.add(page.intelligent_tiering_configuration_list, page.is_truncated, page.next_continuation_token);
    }
    let all = list.items;
    let archives = |one: &IntelligentTieringConfiguration| {
        *one.status() == IntelligentTieringStatus::Enabled && !one.tierings().is_empty()
    };
    let columns = Row::new().with("intelligent_tiering_count", all.len());
    let columns = columns.with("archive_tiering", all.iter().any(archives));
    Ok(Facts { columns, rows: all.iter().map(tiering_row).collect() })
}

fn tiering_row(one: &IntelligentTieringConfiguration) -> Row {
    let filter = match one.filter().map(|filter| (filter, filter.and())) {
        None => Filter::default(),
        Some((_, Some(and))) => Filter::new(and.prefix(), and.tags()),
        Some((filter, None)) => Filter::new(filter.prefix(), filter.tag().map_or(&[][..], std::slice::from_ref)),
    };
    let days = |tier: IntelligentTieringAccessTier| {
        one.tierings().iter().find(|tiering| *tiering.access_tier() == tier).map(aws_sdk_s3::types::Tiering::days)
    };
    filter
        .fill(Row::new())
        .with("configuration_id", one.id())
        .with("enabled", *one.status() == IntelligentTieringStatus::Enabled)
        .with("archive_access_days", days(IntelligentTieringAccessTier::ArchiveAccess))
        .with("deep_archive_access_days", days(IntelligentTieringAccessTier::DeepArchiveAccess))
}

/// Returns the inventory configurations.
pub async fn inventory(of: &Asked<'_>) -> Result<Facts, Failed> {
    let mut list = List::default();
    while list.goes_on()? {
        let call = of.client.list_bucket_inventory_configurations().bucket(of.bucket);
        let call = call.expected_bucket_owner(of.owner()).set_continuation_token(list.token.take());
        let page = ask(of.scope, call.send()).await?;
        list.add(page.inventory_configuration_list, page.is_truncated, page.next_continuation_token);
    }
    let all = list.items;
    let columns = Row::new().with("inventory_count", all.len());
    Ok(Facts { columns, rows: all.iter().map(inventory_row).collect() })
}

fn inventory_row(one: &InventoryConfiguration) -> Row {
    let fields = one.optional_fields().iter().map(|field| Value::from(field.as_str())).collect();
    let to = one.destination().and_then(|destination| destination.s3_bucket_destination());
    let encryption = to.and_then(|to| to.encryption()).and_then(|encryption| match encryption {
        encryption if encryption.ssekms().is_some() => Some("SSE-KMS"),
        encryption => encryption.sses3().map(|_| "SSE-S3"),
    });
    Row::new()
        .with("configuration_id", one.id())
        .with("enabled", one.is_enabled())
        .with("prefix", one.filter().map(InventoryFilter::prefix).filter(|prefix| !prefix.is_empty()))
        .with("included_versions", one.included_object_versions().as_str())
        .with("schedule", one.schedule().map(|schedule| schedule.frequency().as_str()))
        .with("fields", Value::Array(fields).to_string())
        .with("destination_bucket", to.map(|to| bucket_of(to.bucket())))
        .with("destination_account_id", to.and_then(|to| to.account_id()))
        .with("destination_prefix", to.and_then(|to| to.prefix()).filter(|prefix| !prefix.is_empty()))
        .with("format", to.map(|to| to.format().as_str()))
        .with("encryption", encryption)
}

/// Returns the Storage Class Analysis configurations.
pub async fn analytics(of: &Asked<'_>) -> Result<Facts, Failed> {
    let mut list = List::default();
    while list.goes_on()? {
        let call = of.client.list_bucket_analytics_configurations().bucket(of.bucket);
        let call = call.expected_bucket_owner(of.owner()).set_continuation_token(list.token.take());
        let page = ask(of.scope, call.send()).await?;
        list.add(page.analytics_configuration_list, page.is_truncated, page.next_continuation_token);
    }
    let all = list.items;
    let columns = Row::new().with("analytics_count", all.len());
    Ok(Facts { columns, rows: all.iter().map(analytics_row).collect() })
}

fn analytics_row(one: &AnalyticsConfiguration) -> Row {
    let filter = match one.filter() {
        Some(AnalyticsFilter::And(and)) => Filter::new(and.prefix(), and.tags()),
        Some(AnalyticsFilter::Prefix(prefix)) => Filter::new(Some(prefix), &[]),
        Some(AnalyticsFilter::Tag(tag)) => Filter::new(None, std::slice::from_ref(tag)),
        _ => Filter::default(),
    };
    let export = one.storage_class_analysis().and_then(|analysis| analysis.data_export());
    let to = export.and_then(|export| export.destination()?.s3_bucket_destination());
    filter
        .fill(Row::new())
        .with("configuration_id", one.id())
        .with("export", export.is_some())
        .with("destination_bucket", to.map(|to| bucket_of(to.bucket())))
        .with("destination_account_id", to.and_then(|to| to.bucket_account_id()))
        .with("destination_prefix", to.and_then(|to| to.prefix()).filter(|prefix| !prefix.is_empty()))
        .with("format", to.map(|to| to.format().as_str()))
}

/// Returns the request metrics configurations.
pub async fn metrics(of: &Asked<'_>) -> Result<Facts, Failed> {
    let mut list = List::default();
    while list.goes_on()? {
        let call = of.client.list_bucket_metrics_configurations().bucket(of.bucket);
        let call = call.expected_bucket_owner(of.owner()).set_continuation_token(list.token.take());
        let page = ask(of.scope, call.send()).await?;
        list.add(page.metrics_configuration_list, page.is_truncated, page.next_continuation_token);
    }
    let all = list.items;
    let columns = Row::new().with("metrics_count", all.len());
    Ok(Facts { columns, rows: all.iter().map(metrics_row).collect() })
}

fn metrics_row(one: &MetricsConfiguration) -> Row {
    let (filter, access_point) = match one.filter() {
        Some(MetricsFilter::And(and)) => (Filter::new(and.prefix(), and.tags()), and.access_point_arn()),
        Some(MetricsFilter::Prefix(prefix)) => (Filter::new(Some(prefix), &[]), None),
        Some(MetricsFilter::Tag(tag)) => (Filter::new(None, std::slice::from_ref(tag)), None),
        Some(MetricsFilter::AccessPointArn(arn)) => (Filter::default(), Some(arn.as_str())),
        _ => (Filter::default(), None),
    };
    filter.fill(Row::new()).with("configuration_id", one.id()).with("access_point_arn", access_point)
}

/// A list that comes in pages.
struct List<T> {
    items: Vec<T>,
    token: Option<String>,
    pages: usize,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List { items: Vec::new(), token: None, pages: 0 }
    }
}

impl<T> List<T> {
    /// Returns true while there is a page to ask for.
    fn goes_on(&self) -> Result<bool, Failed> {
        if self.pages > 0 && self.token.is_none() {
            return Ok(false);
        }
        if self.pages < PAGES {
            return Ok(true);
        }
        let reason = format!("the list goes on after {PAGES} pages, which S3 does not allow");
        Err(Failed { trouble: Trouble::Broken, code: None, reason })
    }

    fn add(&mut self, items: Option<Vec<T>>, truncated: Option<bool>, next: Option<String>) {
        self.pages += 1;
        self.items.extend(items.unwrap_or_default());
        self.token = next.filter(|next| truncated == Some(true) && !next.is_empty());
    }
}
