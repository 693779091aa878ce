//! Storage Lens configurations: what is measured, how finely, and where the export goes. Reads no metric.
//!
//! A configuration lives in its home Region, and its list may only be there: every Region with buckets is asked, and the
//! one that every account has a dashboard in; where Regions were named, those alone.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3control::types::{
    AccountLevel, BucketLevel, CloudWatchMetrics, ListStorageLensConfigurationEntry, S3BucketDestination,
    SelectionCriteria, StorageLensAwsOrg, StorageLensConfiguration, StorageLensTableDestination,
};
use rust_decimal::Decimal;
use serde_json::Value;

use super::filter::bucket_of;
use crate::aws::collect::ask::ask;
use crate::aws::collect::outcome::{Outcome, coverage};
use crate::aws::collect::{Failed, Read, Scope, Sink, Trouble};
use crate::model::{Coverage, CoverageState, Row};
use crate::store::tables::lens::STORAGE_LENS_CONFIGURATIONS;

/// The dashboard that every account has from the start.
const DEFAULT: &str = "default-account-dashboard";
/// The home Region of that dashboard in the commercial partition.
const DEFAULT_HOME: &str = "us-east-1";
/// Most pages of one list: an account may have 50 configurations in a Region.
const PAGES: usize = 60;

/// The list of configurations.
pub const LIST: Read = Read::rows(
    "s3control:ListStorageLensConfigurations",
    "s3:ListStorageLensConfigurations",
    "storage_lens_configurations",
);
/// What each says.
pub const GET: Read = Read::columns(
    "s3control:GetStorageLensConfiguration",
    "s3:GetStorageLensConfiguration",
    "storage_lens_configurations",
    &[
        "activity_metrics",
        "advanced_cost_optimization_metrics",
        "advanced_data_protection_metrics",
        "advanced_performance_metrics",
        "detailed_status_codes_metrics",
        "prefix_level",
        "prefix_max_depth",
        "prefix_min_percentage",
        "expanded_prefixes",
        "included",
        "excluded",
        "organization_arn",
        "export",
        "export_bucket",
        "export_account_id",
        "export_prefix",
        "export_format",
        "export_encryption",
        "export_to_s3_tables",
        "cloudwatch_publishing",
    ],
);

/// A configuration by home Region and id.
type Listed = BTreeMap<(String, String), ListStorageLensConfigurationEntry>;

/// Reads the configurations of all `regions`.
pub async fn collect(scope: &Scope, sink: &Sink, mut regions: BTreeSet<String>) {
    if scope.options.regions.is_empty() {
        regions.insert(scope.region.clone());
        if regions.iter().all(|region| is_commercial(region)) {
            regions.insert(DEFAULT_HOME.to_owned());
        }
    } else {
        regions.extend(scope.options.regions.iter().cloned());
    }
    let (mut listed, mut lists) = (Listed::new(), Vec::new());
    for region in &regions {
        let answer = list(&scope.in_region(region)).await;
        // The list of a Region is the resource that fails, and the Region says which.
        lists.push((region.clone(), answer.as_ref().map(Vec::len).map_err(Clone::clone)));
        for entry in answer.unwrap_or_default() {
            listed.entry((entry.home_region().to_owned(), entry.id().to_owned())).or_insert(entry);
        }
    }
    let mut gets = Vec::new();
    for ((region, id), entry) in &listed {
        let found = get(&scope.in_region(region), id).await;
        gets.push(Outcome::of(id, Some(region), &found));
        let row = named(&scope.account_id, entry);
        let row = found.map(|found| fill(row.clone(), &found)).unwrap_or(row);
        sink.rows(&STORAGE_LENS_CONFIGURATIONS, vec![row]).await;
    }
    cover(scope, sink, &lists, &gets).await;
}

async fn cover(scope: &Scope, sink: &Sink, lists: &[(String, Result<usize, Failed>)], gets: &[Outcome]) {
    for (region, answer) in lists {
        let row = match answer {
            Ok(seen) => Coverage::new(LIST.table, LIST.operation, CoverageState::Seen).counted(*seen, None),
            Err(failed) => failed.gap(&LIST),
        };
        sink.cover(row.at(&scope.account_id, Some(region))).await;
    }
    for row in coverage(&scope.account_id, &GET, gets) {
        sink.cover(row).await;
    }
}

/// Returns true for Regions of the partition `aws`.
fn is_commercial(region: &str) -> bool {
    !["cn-", "us-gov-", "us-iso", "eu-iso", "eusc-"].iter().any(|other| region.starts_with(other))
}

async fn list(scope: &Scope) -> Result<Vec<ListStorageLensConfigurationEntry>, Failed> {
    let client = scope.s3control();
    let (mut all, mut token) = (Vec::new(), None);
    for _ in 0..PAGES {
        let call = client.list_storage_lens_configurations().account_id(&scope.account_id).set_next_token(token);
        let page = ask(scope, call.send()).await?;
        all.extend(page.storage_lens_configuration_list.unwrap_or_default());
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(all);
        }
    }
    Err(Failed { trouble: Trouble::Broken, code: None, reason: format!("the list goes on after {PAGES} pages") })
}

async fn get(scope: &Scope, id: &str) -> Result<StorageLensConfiguration, Failed> {
    let client = scope.s3control();
    let call = client.get_storage_lens_configuration().account_id(&scope.account_id).config_id(id);
    let answer = ask(scope, call.send()).await?;
    answer.storage_lens_configuration.ok_or_else(|| Failed::left_out("the configuration"))
}

fn named(account_id: &str, entry: &ListStorageLensConfigurationEntry) -> Row {
    Row::new()
        .with("account_id", account_id)
        .with("region", entry.home_region())
        .with("configuration_id", entry.id())
        .with("is_default", entry.id() == DEFAULT)
        .with("enabled", entry.is_enabled())
}

fn fill(row: Row, found: &StorageLensConfiguration) -> Row {
    let export = found.data_export();
    let cloudwatch = export.and_then(|export| export.cloud_watch_metrics()).is_some_and(CloudWatchMetrics::is_enabled);
    let tables = export.and_then(|export| export.storage_lens_table_destination());
    let scope = |buckets: &[String], regions: &[String]| {
        (!buckets.is_empty() || !regions.is_empty())
            .then(|| Value::from_iter([("buckets", names(buckets)), ("regions", regions.into())]).to_string())
    };
    let row = destination(metrics(row, found.account_level()), export.and_then(|e| e.s3_bucket_destination()));
    row.with("expanded_prefixes", found.expanded_prefixes_data_export().is_some())
        .with("included", found.include().and_then(|only| scope(only.buckets(), only.regions())))
        .with("excluded", found.exclude().and_then(|not| scope(not.buckets(), not.regions())))
        .with("organization_arn", found.aws_org().map(StorageLensAwsOrg::arn))
        .with("export_to_s3_tables", tables.is_some_and(StorageLensTableDestination::is_enabled))
        .with("cloudwatch_publishing", cloudwatch)
}

fn names(arns: &[String]) -> Value {
    arns.iter().map(|arn| bucket_of(arn)).collect()
}

/// Fills what is measured: a kind of metric counts as on at the level of buckets or of the account.
fn metrics(row: Row, account: Option<&AccountLevel>) -> Row {
    let bucket = account.and_then(AccountLevel::bucket_level);
    let either =
        |of_account: Option<bool>, of_bucket: Option<bool>| of_account == Some(true) || of_bucket == Some(true);
    let cost = either(
        account.and_then(|level| Some(level.advanced_cost_optimization_metrics()?.is_enabled())),
        bucket.and_then(|level| Some(level.advanced_cost_optimization_metrics()?.is_enabled())),
    );
    let protection = either(
        account.and_then(|level| Some(level.advanced_data_protection_metrics()?.is_enabled())),
        bucket.and_then(|level| Some(level.advanced_data_protection_metrics()?.is_enabled())),
    );
    let performance = either(
        account.and_then(|level| Some(level.advanced_performance_metrics()?.is_enabled())),
        bucket.and_then(|level| Some(level.advanced_performance_metrics()?.is_enabled())),
    );
    let codes = either(
        account.and_then(|level| Some(level.detailed_status_codes_metrics()?.is_enabled())),
        bucket.and_then(|level| Some(level.detailed_status_codes_metrics()?.is_enabled())),
    );
    let activity = either(
        account.and_then(|level| Some(level.activity_metrics()?.is_enabled())),
        bucket.and_then(|level| Some(level.activity_metrics()?.is_enabled())),
    );
    prefixes(row, bucket)
        .with("activity_metrics", activity)
        .with("advanced_cost_optimization_metrics", cost)
        .with("advanced_data_protection_metrics", protection)
        .with("advanced_performance_metrics", performance)
        .with("detailed_status_codes_metrics", codes)
}

fn prefixes(row: Row, bucket: Option<&BucketLevel>) -> Row {
    let metrics =
        bucket.and_then(|level| level.prefix_level()?.storage_metrics()).filter(|metrics| metrics.is_enabled());
    let chosen = metrics.and_then(|metrics| metrics.selection_criteria());
    row.with("prefix_level", metrics.is_some())
        .with("prefix_max_depth", chosen.and_then(SelectionCriteria::max_depth))
        .with(
            "prefix_min_percentage",
            chosen.and_then(|chosen| Decimal::try_from(chosen.min_storage_bytes_percentage()?).ok()),
        )
}

fn destination(row: Row, to: Option<&S3BucketDestination>) -> Row {
    let encryption = to.and_then(S3BucketDestination::encryption).and_then(|encryption| match encryption {
        encryption if encryption.ssekms().is_some() => Some("SSE-KMS"),
        encryption => encryption.sses3().map(|_| "SSE-S3"),
    });
    row.with("export", to.is_some())
        .with("export_bucket", to.map(|to| bucket_of(to.arn())))
        .with("export_account_id", to.map(S3BucketDestination::account_id))
        .with("export_prefix", to.and_then(S3BucketDestination::prefix).filter(|prefix| !prefix.is_empty()))
        .with("export_format", to.map(|to| to.format().as_str()))
        .with("export_encryption", encryption)
}
