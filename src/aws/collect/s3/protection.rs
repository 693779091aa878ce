//! Object Lock and default encryption of a bucket. "There is none" is an answer; a failure leaves NULL.

use aws_sdk_s3::types::{DefaultRetention, ObjectLockEnabled, ServerSideEncryptionRule};

use super::settings::{Asked, Facts, none_if};
use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read};
use crate::model::Row;

/// Days that a year of retention counts as.
const YEAR: i32 = 365;

/// Object Lock.
pub const OBJECT_LOCK: Read = Read::columns(
    "s3:GetObjectLockConfiguration",
    "s3:GetBucketObjectLockConfiguration",
    "buckets",
    &["object_lock", "object_lock_mode", "object_lock_days"],
);
/// Default encryption.
pub const ENCRYPTION: Read = Read::columns(
    "s3:GetBucketEncryption",
    "s3:GetEncryptionConfiguration",
    "buckets",
    &["encryption", "kms_key_id", "bucket_key"],
);

/// Returns whether objects are locked, and the default retention.
pub async fn object_lock(of: &Asked<'_>) -> Result<Facts, Failed> {
    let call = of.client.get_object_lock_configuration().bucket(of.bucket).expected_bucket_owner(of.owner());
    let answer = none_if("ObjectLockConfigurationNotFoundError", ask(of.scope, call.send()).await)?;
    let lock = answer.and_then(|answer| answer.object_lock_configuration);
    let enabled =
        lock.as_ref().and_then(|lock| lock.object_lock_enabled()).is_some_and(|on| *on == ObjectLockEnabled::Enabled);
    let retention = lock.as_ref().and_then(|lock| lock.rule()?.default_retention());
    Ok(Facts::of(
        Row::new()
            .with("object_lock", enabled)
            .with("object_lock_mode", retention.and_then(|kept| Some(kept.mode()?.as_str())))
            .with("object_lock_days", retention.and_then(days)),
    ))
}

fn days(retention: &DefaultRetention) -> Option<i32> {
    retention.days().or_else(|| Some(retention.years()?.saturating_mul(YEAR)))
}

/// Returns how new objects are encrypted when nobody says otherwise.
pub async fn encryption(of: &Asked<'_>) -> Result<Facts, Failed> {
    let call = of.client.get_bucket_encryption().bucket(of.bucket).expected_bucket_owner(of.owner());
    let answer = none_if("ServerSideEncryptionConfigurationNotFoundError", ask(of.scope, call.send()).await)?;
    let configuration = answer.and_then(|answer| answer.server_side_encryption_configuration);
    // S3 keeps one rule.
    let rule = configuration.as_ref().and_then(|configuration| configuration.rules().first());
    let default = rule.and_then(|rule| rule.apply_server_side_encryption_by_default());
    Ok(Facts::of(
        Row::new()
            .with("encryption", default.map_or("None", |default| default.sse_algorithm().as_str()))
            .with("kms_key_id", default.and_then(|default| default.kms_master_key_id()))
            .with("bucket_key", rule.and_then(ServerSideEncryptionRule::bucket_key_enabled).unwrap_or_default()),
    ))
}
