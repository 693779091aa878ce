//! Buckets, their rules, what they hold and what was never finished.

use super::configurations::{ANALYTICS_READ, INVENTORY_READ, METRICS_READ, REPLICATION_READ, TIERING_READ};
use super::lens::EXPORT as LENS;
use crate::store::table::{Kind, Source, Table, column};

const LIFECYCLE: &str = "s3:GetBucketLifecycleConfiguration";
const VERSIONING: &str = "s3:GetBucketVersioning";
const TAGGING: &str = "s3:GetBucketTagging";
const UPLOADS: &str = "s3:ListMultipartUploads";
const PARTS: &str = "s3:ListParts";
const OBJECT_LOCK: &str = "s3:GetObjectLockConfiguration";
const ENCRYPTION: &str = "s3:GetBucketEncryption";
const REQUEST_PAYMENT: &str = "s3:GetBucketRequestPayment";
const LOGGING: &str = "s3:GetBucketLogging";
const CHANGES: &str = "cloudtrail:LookupEvents";

/// One row for each general purpose bucket.
pub const BUCKETS: Table = Table {
    name: "buckets",
    doc: "General purpose buckets and their settings. A setting that could not be read is NULL. Directory buckets, table buckets and vector buckets are not in S3's list of buckets and are left out.",
    key: &["account_id", "region", "bucket"],
    source: Source::State("s3:ListBuckets"),
    columns: &[
        column("account_id", Kind::Text, "Owner's account."),
        column("region", Kind::Text, "Region of the bucket."),
        column("bucket", Kind::Text, "Name."),
        column("creation_date", Kind::Instant, "As S3 says it; can change on policy edits and is not the age of the data."),
        column("versioning", Kind::Text, "`Enabled`, `Suspended`, or `Never`; NULL when it was not seen.").by(VERSIONING),
        column("lifecycle_rule_count", Kind::Count, "Lifecycle rules, disabled ones included; 0 when there is no configuration.").by(LIFECYCLE),
        column("abort_rule", Kind::Flag, "True when an enabled rule over the whole bucket aborts incomplete uploads.").by(LIFECYCLE),
        column("noncurrent_rule", Kind::Flag, "True when an enabled rule over the whole bucket expires noncurrent versions.").by(LIFECYCLE),
        column("tiering_rule", Kind::Flag, "True when an enabled rule over the whole bucket moves current objects to another class.").by(LIFECYCLE),
        column("transition_default_minimum_object_size", Kind::Text, "The small-object header as read: `all_storage_classes_128K` or `varies_by_storage_class`; NULL without a configuration.").by(LIFECYCLE),
        column("tags", Kind::Text, "Tags as a JSON object; `{}` when there are none.").by(TAGGING),
        column("upload_count", Kind::Count, "Incomplete multipart uploads listed; 0 when there are none.").by(UPLOADS),
        column("noncurrent_bytes", Kind::Bytes, "Bytes of noncurrent versions, newest Storage Lens export.").by(LENS),
        column("incomplete_bytes", Kind::Bytes, "Bytes of incomplete uploads, newest Storage Lens export.").by(LENS),
        column("object_count", Kind::Count, "Current objects, newest Storage Lens export.").by(LENS),
        column("mfa_delete", Kind::Flag, "True when deleting a version asks for MFA; S3 then takes no lifecycle configuration.").by(VERSIONING),
        column("object_lock", Kind::Flag, "True when Object Lock is enabled.").by(OBJECT_LOCK),
        column("object_lock_mode", Kind::Text, "Default retention: `GOVERNANCE` or `COMPLIANCE`; NULL when there is none.").by(OBJECT_LOCK),
        column("object_lock_days", Kind::Count, "Default retention in days, a year as 365; NULL when there is none.").by(OBJECT_LOCK),
        column("encryption", Kind::Text, "Default encryption: `AES256`, `aws:kms`, `aws:kms:dsse`, or `None`; NULL when it was not seen.").by(ENCRYPTION),
        column("kms_key_id", Kind::Text, "KMS key of the default encryption; NULL for none and for the key that AWS manages.").by(ENCRYPTION),
        column("bucket_key", Kind::Flag, "True when an S3 Bucket Key saves requests to KMS.").by(ENCRYPTION),
        column("requester_pays", Kind::Flag, "True when whoever asks pays for requests and transfer.").by(REQUEST_PAYMENT),
        column("logging", Kind::Flag, "True when server access logs are delivered.").by(LOGGING),
        column("logging_bucket", Kind::Text, "Bucket that gets the access logs; NULL when none does.").by(LOGGING),
        column("logging_prefix", Kind::Text, "Prefix of the access logs; NULL when none are delivered.").by(LOGGING),
        column("replication_rule_count", Kind::Count, "Replication rules, disabled ones included; 0 when there is no configuration.").by(REPLICATION_READ),
        column("intelligent_tiering_count", Kind::Count, "Intelligent-Tiering configurations, disabled ones included; 0 when there are none.").by(TIERING_READ),
        column("archive_tiering", Kind::Flag, "True when an enabled Intelligent-Tiering configuration moves objects to an archive tier, where reads fail until they are restored.").by(TIERING_READ),
        column("inventory_count", Kind::Count, "Inventory configurations, disabled ones included; 0 when there are none.").by(INVENTORY_READ),
        column("analytics_count", Kind::Count, "Storage Class Analysis configurations; 0 when there are none.").by(ANALYTICS_READ),
        column("metrics_count", Kind::Count, "Request metrics configurations; 0 when there are none.").by(METRICS_READ),
        column("unchanged_since", Kind::Instant, "When the settings were read, where an earlier scan read them and CloudTrail's event history names no change since; NULL when this scan read them, unless its `--as-of` is later than that. What `upload_count` says is always of this scan.").by(CHANGES),
    ],
};

/// One row for each lifecycle rule.
pub const LIFECYCLE_RULES: Table = Table {
    name: "lifecycle_rules",
    doc: "Lifecycle rules as written, every filter form. Several transitions of one rule stand in `transitions` as JSON.",
    key: &["account_id", "region", "bucket", "position"],
    source: Source::State(LIFECYCLE),
    columns: &[
        column("account_id", Kind::Text, "Owner's account."),
        column("region", Kind::Text, "Region of the bucket."),
        column("bucket", Kind::Text, "Name of the bucket."),
        column("position", Kind::Count, "Place in the configuration, from 0."),
        column("rule_id", Kind::Text, "ID; NULL when the rule has none."),
        column("enabled", Kind::Flag, "Status is `Enabled`."),
        column(
            "filter_form",
            Kind::Text,
            "`all`, `prefix`, `tag`, `size_greater`, `size_less`, `and`, or `legacy` (rule-level Prefix).",
        ),
        column("prefix", Kind::Text, "Prefix that objects must have; NULL when any will do."),
        column("tags", Kind::Text, "Tags that objects must have, as a JSON object; NULL when any will do."),
        column("object_size_greater_than", Kind::Bytes, "Exclusive lower bound of the size."),
        column("object_size_less_than", Kind::Bytes, "Exclusive upper bound of the size."),
        column("transitions", Kind::Text, "JSON list of {days, date, storage_class} for current versions."),
        column(
            "noncurrent_transitions",
            Kind::Text,
            "JSON list of {noncurrent_days, newer_noncurrent_versions, storage_class}.",
        ),
        column("expiration_days", Kind::Count, "Days after which current versions expire."),
        column("expiration_date", Kind::Day, "Day from which current versions expire."),
        column("expired_object_delete_marker", Kind::Flag, "True when expired delete markers are removed."),
        column("noncurrent_expiration_days", Kind::Count, "Days after which noncurrent versions are deleted."),
        column("newer_noncurrent_versions", Kind::Count, "Noncurrent versions that are kept whatever their age."),
        column("abort_incomplete_multipart_days", Kind::Count, "Days after which incomplete uploads are aborted."),
    ],
};

/// Bytes by bucket, storage type and day.
pub const STORAGE: Table = Table {
    name: "storage",
    doc: "CloudWatch's daily `BucketSizeBytes` by storage type and `NumberOfObjects` (type `AllStorageTypes`). Bytes include noncurrent versions and incomplete uploads. A day without a row was not published: it is not zero.",
    key: &["account_id", "region", "bucket", "storage_type", "day"],
    source: Source::Period { read: "cloudwatch:GetMetricData", column: "day" },
    columns: &[
        column("account_id", Kind::Text, "Owner's account."),
        column("region", Kind::Text, "Region of the bucket."),
        column("bucket", Kind::Text, "Name of the bucket."),
        column("day", Kind::Day, "Day of the measurement."),
        column(
            "storage_type",
            Kind::Text,
            "CloudWatch's StorageType: `StandardStorage`, `StandardIAStorage`, …, `AllStorageTypes`.",
        ),
        column(
            "storage_class",
            Kind::Text,
            "Storage class as the S3 API names it; NULL for `AllStorageTypes` and types that are not known.",
        ),
        column("bytes", Kind::Bytes, "Size; NULL on `AllStorageTypes` rows."),
        column("objects", Kind::Count, "Objects, versions, delete markers and parts; only on `AllStorageTypes` rows."),
    ],
};

/// Uploads that were begun and never completed.
pub const MULTIPART_UPLOADS: Table = Table {
    name: "multipart_uploads",
    doc: "Incomplete multipart uploads. `bytes` is filled for a budgeted sample only.",
    key: &["account_id", "region", "bucket", "key", "upload_id"],
    source: Source::State(UPLOADS),
    columns: &[
        column("account_id", Kind::Text, "Owner's account."),
        column("region", Kind::Text, "Region of the bucket."),
        column("bucket", Kind::Text, "Name of the bucket."),
        column("key", Kind::Text, "Key of the object that would have been made."),
        column("upload_id", Kind::Text, "Upload id."),
        column("initiated", Kind::Instant, "When it began."),
        column("storage_class", Kind::Text, "Class that the object would have had."),
        column("bytes", Kind::Bytes, "Size of the parts uploaded so far; NULL when its parts were not listed.")
            .by(PARTS),
        column("parts", Kind::Count, "Parts uploaded so far; NULL when they were not listed.").by(PARTS),
    ],
};
