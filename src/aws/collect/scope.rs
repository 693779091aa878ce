//! What a collector is asked to read: one account, one Region, one moment, one set of limits.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_types::SdkConfig;
use chrono::{DateTime, NaiveDate, Utc};
use tokio_util::sync::CancellationToken;

use super::advice::Adviser;
use super::allowance::Allowance;
use super::failure::Failed;
use super::glue;
use super::heard::Heard;
use crate::aws::client;
use crate::aws::connector::{Role, Tag};
use crate::model::{Coverage, Row};
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
    /// Which of AWS's own advisers to ask.
    pub advisers: BTreeSet<Adviser>,
    /// Most EMR clusters to describe in one Region and scan, living ones first.
    pub emr_clusters: u32,
    /// Most EMR Serverless job runs to look up in one Region and scan, newest first.
    pub emr_serverless_runs: u32,
    /// Limits of the Glue collector.
    pub glue: glue::Limits,
    /// Most incomplete uploads to list in one scan; an account may have a hundred million.
    pub uploads: u32,
    /// Longest time of one collector in one Region.
    pub time: Duration,
    /// Cost allocation tags by which cost is read.
    pub cost_tags: Vec<String>,
    /// True to read settings of buckets again that CloudTrail names no change of.
    pub fresh: bool,
    /// Buckets whose settings are read again in any case: leanlake itself changed them lately, and events come late.
    pub touched: BTreeSet<String>,
    /// The real time, whatever `--as-of` says; `None` where the two are the same.
    pub real_time: Option<DateTime<Utc>>,
    /// Key of the hash of query texts; without one no hash is stored.
    pub hash_key: Option<HashKey>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            regions: Vec::new(),
            history_days: 45,
            storage_days: 455,
            list_parts: 200,
            queries: 200_000,
            emr_clusters: 500,
            emr_serverless_runs: 5_000,
            uploads: 200_000,
            time: Duration::from_hours(2),
            advisers: Adviser::ALL.into(),
            glue: glue::Limits::default(),
            cost_tags: Vec::new(),
            fresh: false,
            touched: BTreeSet::new(),
            real_time: None,
            hash_key: None,
        }
    }
}

/// How long a call that was sent may still be answered after Ctrl-C: its answer may be paid for.
const GRACE: Duration = Duration::from_secs(1);

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
    /// What of them is left, over all Regions.
    pub left: Allowance,
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
        let earlier = self.earlier.iter().filter(|seen| seen.region.as_deref().is_none_or(|of| of == region));
        Scope { region: region.to_owned(), sdk, earlier: earlier.cloned().collect(), ..self.without_past() }
    }

    /// Returns the same scope in another account, with credentials for it.
    #[must_use]
    pub fn in_account(&self, account_id: &str, sdk: SdkConfig) -> Scope {
        let earlier = self.earlier.iter().filter(|seen| seen.account_id.as_deref().is_none_or(|of| of == account_id));
        let mut scope = Scope {
            account_id: account_id.to_owned(),
            sdk,
            earlier: earlier.cloned().collect(),
            ..self.without_past()
        };
        if account_id != self.account_id {
            scope.heard = self.heard.elsewhere();
            // The caller's own answers cover the accounts below; asking again would be paid again and counted twice.
            scope.options.advisers.retain(|adviser| *adviser == Adviser::Budgets);
        }
        scope
    }

    /// Returns the time at which AWS is really asked.
    pub fn real_time(&self) -> DateTime<Utc> {
        self.options.real_time.unwrap_or(self.as_of)
    }

    /// The past of a thousand accounts is not copied only to be dropped.
    fn without_past(&self) -> Scope {
        Scope {
            account_id: self.account_id.clone(),
            region: self.region.clone(),
            as_of: self.as_of,
            sdk: self.sdk.clone(),
            cancel: self.cancel.clone(),
            options: self.options.clone(),
            left: self.left.clone(),
            heard: self.heard.clone(),
            earlier: Vec::new(),
        }
    }

    /// Returns an S3 client for this Region.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        client::s3(&self.sdk, self.tag("s3"))
    }

    /// Returns an S3 Control client for this Region.
    pub fn s3control(&self) -> aws_sdk_s3control::Client {
        client::s3control(&self.sdk, self.tag("s3control"))
    }

    /// Returns a CloudWatch client for this Region.
    pub fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        client::cloudwatch(&self.sdk, self.tag("cloudwatch"))
    }

    /// Returns an Athena client for this Region.
    pub fn athena(&self) -> aws_sdk_athena::Client {
        client::athena(&self.sdk, self.tag("athena"))
    }

    /// Returns an EC2 client for this Region.
    #[cfg(feature = "network")]
    pub fn ec2(&self) -> aws_sdk_ec2::Client {
        client::ec2(&self.sdk, self.tag("ec2"))
    }

    /// Returns a Network Firewall client for this Region.
    #[cfg(feature = "network")]
    pub fn network_firewall(&self) -> aws_sdk_networkfirewall::Client {
        client::network_firewall(&self.sdk, self.tag("network-firewall"))
    }

    /// Returns a CloudTrail client for this Region.
    pub fn cloudtrail(&self) -> aws_sdk_cloudtrail::Client {
        client::cloudtrail(&self.sdk, self.tag("cloudtrail"))
    }

    /// Returns the Budgets client: one global endpoint.
    pub fn budgets(&self) -> aws_sdk_budgets::Client {
        client::budgets(&self.sdk, &self.account_id)
    }

    /// Returns the Billing client: one endpoint for all Regions.
    pub fn billing(&self) -> aws_sdk_billing::Client {
        client::billing(&self.sdk, &self.account_id)
    }

    /// Returns the client of Cost Optimization Hub: one endpoint for all Regions.
    pub fn cost_optimization_hub(&self) -> aws_sdk_costoptimizationhub::Client {
        client::cost_optimization_hub(&self.sdk, &self.account_id)
    }

    /// Returns an EMR client for this Region.
    pub fn emr(&self) -> aws_sdk_emr::Client {
        client::emr(&self.sdk, self.tag("emr"))
    }

    /// Returns an EMR Serverless client for this Region.
    pub fn emr_serverless(&self) -> aws_sdk_emrserverless::Client {
        client::emr_serverless(&self.sdk, self.tag("emr-serverless"))
    }

    /// Returns a Redshift client for this Region.
    pub fn redshift(&self) -> aws_sdk_redshift::Client {
        client::redshift(&self.sdk, self.tag("redshift"))
    }

    /// Returns a Redshift Serverless client for this Region.
    pub fn redshift_serverless(&self) -> aws_sdk_redshiftserverless::Client {
        client::redshift_serverless(&self.sdk, self.tag("redshift-serverless"))
    }

    /// Returns a Glue client for this Region.
    pub fn glue(&self) -> aws_sdk_glue::Client {
        client::glue(&self.sdk, self.tag("glue"))
    }

    /// Returns a Lake Formation client for this Region.
    pub fn lake_formation(&self) -> aws_sdk_lakeformation::Client {
        client::lake_formation(&self.sdk, self.tag("lakeformation"))
    }

    /// Returns the Data Exports client: one global endpoint, whatever Region is scanned.
    pub fn data_exports(&self) -> aws_sdk_bcmdataexports::Client {
        client::data_exports(&self.sdk, &self.account_id)
    }

    /// Returns the Organizations client: one global endpoint, whatever Region is scanned.
    pub fn organizations(&self) -> aws_sdk_organizations::Client {
        client::organizations(&self.sdk, &self.account_id)
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

    /// Returns first and last day of what earlier scans saw of `table` by `read` here as a whole, the newest stretch.
    pub fn held(&self, table: &str, read: &str) -> Option<(NaiveDate, NaiveDate)> {
        let whole = self.seen_before(table, read).filter(|coverage| coverage.resource.is_none());
        whole.filter_map(|coverage| coverage.from.zip(coverage.to)).max_by_key(|(_, to)| *to)
    }

    /// Returns a row of this scope's account and Region.
    pub fn row(&self) -> Row {
        Row::new().with("account_id", self.account_id.as_str()).with("region", self.region.as_str())
    }

    /// Returns why no further call is made, once the scan is ending or the collector's time is up.
    pub fn stopped(&self) -> Option<Failed> {
        if self.cancel.is_cancelled() { Some(Failed::cancelled()) } else { self.left.late() }
    }

    /// Ends when a call that was sent is no longer waited for.
    pub async fn given_up(&self) -> Failed {
        let interrupted = async {
            self.cancel.cancelled().await;
            tokio::time::sleep(GRACE).await;
            Failed::cancelled()
        };
        tokio::select! {
            failed = interrupted => failed,
            failed = self.left.ends() => failed,
        }
    }

    fn tag(&self, service: &'static str) -> Tag {
        Tag::new(Role::Reading, service, &self.account_id, &self.region)
    }
}
