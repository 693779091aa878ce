//! What a collector is asked to read: one account, one Region, one moment, one set of limits.

use aws_types::SdkConfig;
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::heard::Heard;
use crate::aws::client;
use crate::aws::connector::{Role, Tag};
use crate::model::Coverage;
use crate::store::HashKey;

/// Limits that keep a scan cheap; what they cut is coverage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Regions to read; empty for those on the bill and those of the buckets.
    pub regions: Vec<String>,
    /// Days of Athena history to read, newest first. Athena itself keeps 45.
    pub history_days: u32,
    /// Days of storage metrics to read. CloudWatch itself keeps 455 at this grain.
    pub storage_days: u32,
    /// Most `s3:ListParts` requests of one scan.
    pub list_parts: u32,
    /// Most query ids to look up in one scan.
    pub queries: u32,
    /// Key of the hash of query texts; without one no hash is stored.
    pub hash_key: Option<HashKey>,
}

impl Default for Options {
    fn default() -> Self {
        let (history_days, storage_days) = (45, 455);
        Options { regions: Vec::new(), history_days, storage_days, list_parts: 200, queries: 200_000, hash_key: None }
    }
}

/// A bucket and where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Name of the bucket.
    pub bucket: String,
    /// Its Region.
    pub region: String,
}

/// What one run of a collector reads.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The account whose credentials are used.
    pub account_id: String,
    /// The Region that the run is about; for global services the one to send requests to.
    pub region: String,
    /// The clock.
    pub as_of: DateTime<Utc>,
    /// Configuration with credentials and the connector, for [`Scope::region`].
    pub sdk: SdkConfig,
    /// Cancelled by Ctrl-C, by a spent budget or by a store that cannot be written.
    pub cancel: CancellationToken,
    /// Limits.
    pub options: Options,
    /// What AWS answered so far, over all Regions.
    pub heard: Heard,
    /// What the newest snapshot of the same origin and payer covers: periods in it need not be read again.
    pub earlier: Vec<Coverage>,
}

impl Scope {
    /// Returns the same scope in another Region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Scope {
        let sdk = client::in_region(&self.sdk, region);
        Scope { region: region.to_owned(), sdk, ..self.clone() }
    }

    /// Returns an S3 client for this Region.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        client::s3(&self.sdk, self.tag("s3"))
    }

    /// Returns a CloudWatch client for this Region.
    pub fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        client::cloudwatch(&self.sdk, self.tag("cloudwatch"))
    }

    /// Returns an Athena client for this Region.
    pub fn athena(&self) -> aws_sdk_athena::Client {
        client::athena(&self.sdk, self.tag("athena"))
    }

    /// Returns the Cost Explorer client: one global endpoint, whatever Region is scanned.
    pub fn cost_explorer(&self) -> aws_sdk_costexplorer::Client {
        client::cost_explorer(&self.sdk, &self.account_id)
    }

    /// Returns earlier coverage of `table` by `read` in this scope's account and Region, gaps left out.
    pub fn seen_before<'a>(&'a self, table: &'a str, read: &'a str) -> impl Iterator<Item = &'a Coverage> {
        self.earlier.iter().filter(move |coverage| {
            coverage.table == table
                && coverage.read == read
                && !coverage.is_gap()
                && coverage.account_id.as_deref().is_none_or(|account| account == self.account_id)
                && coverage.region.as_deref().is_none_or(|region| region == self.region)
        })
    }

    fn tag(&self, service: &'static str) -> Tag {
        Tag::new(Role::Reading, service, &self.account_id, &self.region)
    }
}
