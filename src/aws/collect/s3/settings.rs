//! What a bucket is set to: lifecycle rules, versioning, tags.
//!
//! "There is none" is an answer, not a failure; a failure leaves NULL, never "none".

use std::collections::BTreeMap;

use aws_sdk_s3::Client;

use super::lifecycle::Lifecycle;
use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope};

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
    Read::columns("s3:GetBucketVersioning", "s3:GetBucketVersioning", "buckets", &["versioning"]);
/// Tags.
pub const TAGGING: Read = Read::columns("s3:GetBucketTagging", "s3:GetBucketTagging", "buckets", &["tags"]);

/// Returns the lifecycle configuration of `bucket`; the default one where it has none.
pub async fn lifecycle(scope: &Scope, client: &Client, bucket: &str) -> Result<Lifecycle, Failed> {
    let call = client.get_bucket_lifecycle_configuration().bucket(bucket).expected_bucket_owner(&scope.account_id);
    let answer = none_if("NoSuchLifecycleConfiguration", ask(scope, call.send()).await)?;
    Ok(answer.map_or_else(Lifecycle::default, |answer| Lifecycle {
        minimum_object_size: answer.transition_default_minimum_object_size().map(|size| size.as_str().to_owned()),
        rules: answer.rules.unwrap_or_default(),
    }))
}

/// Returns `Enabled`, `Suspended`, or `Never` for a bucket that never had it.
pub async fn versioning(scope: &Scope, client: &Client, bucket: &str) -> Result<String, Failed> {
    let call = client.get_bucket_versioning().bucket(bucket).expected_bucket_owner(&scope.account_id);
    let answer = ask(scope, call.send()).await?;
    Ok(answer.status().map_or("Never", |status| status.as_str()).to_owned())
}

/// Returns the tags of `bucket`.
pub async fn tags(scope: &Scope, client: &Client, bucket: &str) -> Result<BTreeMap<String, String>, Failed> {
    let call = client.get_bucket_tagging().bucket(bucket).expected_bucket_owner(&scope.account_id);
    let answer = none_if("NoSuchTagSet", ask(scope, call.send()).await)?;
    let tags = answer.map(|answer| answer.tag_set).unwrap_or_default();
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// Turns the error that says "there is none" into `None`.
fn none_if<T>(code: &str, answer: Result<T, Failed>) -> Result<Option<T>, Failed> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(failed) if failed.code.as_deref() == Some(code) => Ok(None),
        Err(failed) => Err(failed),
    }
}
