//! What a bucket is set to, one call each: the columns of the bucket that a call fills, and rows where there are several.
//!
//! "There is none" is an answer, not a failure; a failure leaves NULL, never "none".

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{LoggingEnabled, MfaDeleteStatus, Payer};

use super::lifecycle::{self, Lifecycle};
use super::{configurations, protection, replication};
use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope};
use crate::model::Row;
use crate::store::Table;
use crate::store::tables::configurations::{
    ANALYTICS_CONFIGURATIONS, INTELLIGENT_TIERING_CONFIGURATIONS, INVENTORY_CONFIGURATIONS, METRICS_CONFIGURATIONS,
    REPLICATION,
};
use crate::store::tables::storage::LIFECYCLE_RULES;

/// Lifecycle rules as columns of the bucket.
pub const LIFECYCLE: Read = Read::columns(
    "s3:GetBucketLifecycleConfiguration",
    "s3:GetLifecycleConfiguration",
    "buckets",
    &[
        "lifecycle_rule_count",
        "abort_rule",
        "noncurrent_rule",
        "tiering_rule",
        "transition_default_minimum_object_size",
    ],
);
/// Lifecycle rules as rows.
pub const RULES: Read =
    Read::rows("s3:GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration", "lifecycle_rules");
/// Versioning.
pub const VERSIONING: Read =
    Read::columns("s3:GetBucketVersioning", "s3:GetBucketVersioning", "buckets", &["versioning", "mfa_delete"]);
/// Tags.
pub const TAGGING: Read = Read::columns("s3:GetBucketTagging", "s3:GetBucketTagging", "buckets", &["tags"]);
/// Who pays for requests.
pub const REQUEST_PAYMENT: Read =
    Read::columns("s3:GetBucketRequestPayment", "s3:GetBucketRequestPayment", "buckets", &["requester_pays"]);
/// Server access logs.
pub const LOGGING: Read = Read::columns(
    "s3:GetBucketLogging",
    "s3:GetBucketLogging",
    "buckets",
    &["logging", "logging_bucket", "logging_prefix"],
);

/// What one call found out about a bucket.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Columns of the bucket.
    pub columns: Row,
    /// Rows of the setting's own table, without the columns that name the bucket.
    pub rows: Vec<Row>,
}

impl Facts {
    /// Returns facts that are columns only.
    pub fn of(columns: Row) -> Self {
        Facts { columns, rows: Vec::new() }
    }
}

/// One setting: one call for each bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// Lifecycle rules.
    Lifecycle,
    /// Versioning and MFA delete.
    Versioning,
    /// Tags.
    Tags,
    /// Object Lock.
    ObjectLock,
    /// Default encryption.
    Encryption,
    /// Requester pays.
    RequestPayment,
    /// Server access logs.
    Logging,
    /// Replication rules.
    Replication,
    /// Intelligent-Tiering configurations.
    Tiering,
    /// Inventory configurations.
    Inventory,
    /// Storage Class Analysis configurations.
    Analytics,
    /// Request metrics configurations.
    Metrics,
}

impl Setting {
    /// All of them.
    pub const ALL: [Setting; 12] = [
        Setting::Lifecycle,
        Setting::Versioning,
        Setting::Tags,
        Setting::ObjectLock,
        Setting::Encryption,
        Setting::RequestPayment,
        Setting::Logging,
        Setting::Replication,
        Setting::Tiering,
        Setting::Inventory,
        Setting::Analytics,
        Setting::Metrics,
    ];

    /// Returns what the call fills: columns of the bucket, then the table of its own where it has one.
    pub const fn reads(self) -> &'static [Read] {
        match self {
            Setting::Lifecycle => &[LIFECYCLE, RULES],
            Setting::Versioning => &[VERSIONING],
            Setting::Tags => &[TAGGING],
            Setting::ObjectLock => &[protection::OBJECT_LOCK],
            Setting::Encryption => &[protection::ENCRYPTION],
            Setting::RequestPayment => &[REQUEST_PAYMENT],
            Setting::Logging => &[LOGGING],
            Setting::Replication => &[replication::RULE_COUNT, replication::RULES],
            Setting::Tiering => &[configurations::TIERING, configurations::TIERING_ROWS],
            Setting::Inventory => &[configurations::INVENTORY, configurations::INVENTORY_ROWS],
            Setting::Analytics => &[configurations::ANALYTICS, configurations::ANALYTICS_ROWS],
            Setting::Metrics => &[configurations::METRICS, configurations::METRICS_ROWS],
        }
    }

    /// Returns the table that its rows go to.
    pub const fn table(self) -> Option<&'static Table> {
        match self {
            Setting::Lifecycle => Some(&LIFECYCLE_RULES),
            Setting::Replication => Some(&REPLICATION),
            Setting::Tiering => Some(&INTELLIGENT_TIERING_CONFIGURATIONS),
            Setting::Inventory => Some(&INVENTORY_CONFIGURATIONS),
            Setting::Analytics => Some(&ANALYTICS_CONFIGURATIONS),
            Setting::Metrics => Some(&METRICS_CONFIGURATIONS),
            _ => None,
        }
    }

    /// Asks for it.
    pub async fn read(self, of: &Asked<'_>) -> Result<Facts, Failed> {
        match self {
            Setting::Lifecycle => lifecycle(of).await,
            Setting::Versioning => versioning(of).await,
            Setting::Tags => tags(of).await,
            Setting::ObjectLock => protection::object_lock(of).await,
            Setting::Encryption => protection::encryption(of).await,
            Setting::RequestPayment => request_payment(of).await,
            Setting::Logging => logging(of).await,
            Setting::Replication => replication::read(of).await,
            Setting::Tiering => configurations::tiering(of).await,
            Setting::Inventory => configurations::inventory(of).await,
            Setting::Analytics => configurations::analytics(of).await,
            Setting::Metrics => configurations::metrics(of).await,
        }
    }
}

/// The bucket that is asked about, and who asks.
pub struct Asked<'a> {
    /// The run.
    pub scope: &'a Scope,
    /// A client for the bucket's Region.
    pub client: &'a Client,
    /// Its name.
    pub bucket: &'a str,
}

impl Asked<'_> {
    /// Returns the account that the bucket must belong to.
    pub fn owner(&self) -> &str {
        &self.scope.account_id
    }
}

async fn lifecycle(of: &Asked<'_>) -> Result<Facts, Failed> {
    let call = of.client.get_bucket_lifecycle_configuration().bucket(of.bucket).expected_bucket_owner(of.owner());
    let answer = none_if("NoSuchLifecycleConfiguration", ask(of.scope, call.send()).await)?;
    let lifecycle = answer.map_or_else(Lifecycle::default, |answer| Lifecycle {
        minimum_object_size: answer.transition_default_minimum_object_size().map(|size| size.as_str().to_owned()),
        rules: answer.rules.unwrap_or_default(),
    });
    Ok(Facts { columns: lifecycle.fill(Row::new()), rows: lifecycle.rows(&Row::new()) })
}

/// `Enabled`, `Suspended`, or `Never` for a bucket that never had it.
async fn versioning(of: &Asked<'_>) -> Result<Facts, Failed> {
    let call = of.client.get_bucket_versioning().bucket(of.bucket).expected_bucket_owner(of.owner());
    let answer = ask(of.scope, call.send()).await?;
    let status = answer.status().map_or("Never", |status| status.as_str());
    let mfa_delete = answer.mfa_delete() == Some(&MfaDeleteStatus::Enabled);
    Ok(Facts::of(Row::new().with("versioning", status).with("mfa_delete", mfa_delete)))
}

async fn tags(of: &Asked<'_>) -> Result<Facts, Failed> {
    let call = of.client.get_bucket_tagging().bucket(of.bucket).expected_bucket_owner(of.owner());
    let answer = none_if("NoSuchTagSet", ask(of.scope, call.send()).await)?;
    let tags = answer.map(|answer| answer.tag_set).unwrap_or_default();
    Ok(Facts::of(Row::new().with("tags", lifecycle::object(&lifecycle::map(&tags)))))
}

async fn request_payment(of: &Asked<'_>) -> Result<Facts, Failed> {
    let call = of.client.get_bucket_request_payment().bucket(of.bucket).expected_bucket_owner(of.owner());
    let answer = ask(of.scope, call.send()).await?;
    Ok(Facts::of(Row::new().with("requester_pays", answer.payer() == Some(&Payer::Requester))))
}

async fn logging(of: &Asked<'_>) -> Result<Facts, Failed> {
    let call = of.client.get_bucket_logging().bucket(of.bucket).expected_bucket_owner(of.owner());
    let answer = ask(of.scope, call.send()).await?;
    let target = answer.logging_enabled();
    Ok(Facts::of(
        Row::new()
            .with("logging", target.is_some())
            .with("logging_bucket", target.map(LoggingEnabled::target_bucket))
            .with("logging_prefix", target.map(LoggingEnabled::target_prefix)),
    ))
}

/// Turns the error that says "there is none" into `None`.
pub fn none_if<T>(code: &str, answer: Result<T, Failed>) -> Result<Option<T>, Failed> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(failed) if failed.code.as_deref() == Some(code) => Ok(None),
        Err(failed) => Err(failed),
    }
}
