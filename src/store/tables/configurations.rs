//! What a bucket may have several of: replication rules, and configurations of tiering, inventory, analysis and metrics.

use crate::store::table::{Kind, Source, Table, column};

/// The read of replication rules.
pub(super) const REPLICATION_READ: &str = "s3:GetBucketReplication";
/// The read of Intelligent-Tiering configurations.
pub(super) const TIERING_READ: &str = "s3:ListBucketIntelligentTieringConfigurations";
/// The read of inventory configurations.
pub(super) const INVENTORY_READ: &str = "s3:ListBucketInventoryConfigurations";
/// The read of Storage Class Analysis configurations.
pub(super) const ANALYTICS_READ: &str = "s3:ListBucketAnalyticsConfigurations";
/// The read of request metrics configurations.
pub(super) const METRICS_READ: &str = "s3:ListBucketMetricsConfigurations";

/// One row for each replication rule.
pub const REPLICATION: Table = Table {
    name: "replication",
    doc: "Replication rules. A copy is stored and billed in the destination, and each copied object is a request there.",
    key: &["account_id", "region", "bucket", "position"],
    source: Source::State(REPLICATION_READ),
    columns: &[
        column("account_id", Kind::Text, "Owner's account."),
        column("region", Kind::Text, "Region of the bucket."),
        column("bucket", Kind::Text, "Name of the source bucket."),
        column("position", Kind::Count, "Place in the configuration, from 0."),
        column("rule_id", Kind::Text, "ID; NULL when the rule has none."),
        column("enabled", Kind::Flag, "Status is `Enabled`."),
        column("priority", Kind::Count, "The higher one wins where rules overlap; NULL in the form of 2014."),
        column("prefix", Kind::Text, "Prefix that objects must have; NULL when any will do."),
        column("tags", Kind::Text, "Tags that objects must have, as a JSON object; NULL when any will do."),
        column("destination_bucket", Kind::Text, "Name of the bucket that gets the copies."),
        column(
            "destination_account_id",
            Kind::Text,
            "Account that owns the copies, where the rule changes it; NULL for the source's.",
        ),
        column("storage_class", Kind::Text, "Class of the copies; NULL when they keep the object's own."),
        column("delete_marker_replication", Kind::Flag, "True when delete markers are copied too."),
        column("existing_object_replication", Kind::Flag, "True when objects from before the rule are copied too."),
        column(
            "replication_time_control",
            Kind::Flag,
            "True when Replication Time Control, which costs by the byte, is on.",
        ),
        column("replica_kms_key_id", Kind::Text, "KMS key of the copies; NULL when none is named."),
    ],
};

/// One row for each Intelligent-Tiering configuration.
pub const INTELLIGENT_TIERING_CONFIGURATIONS: Table = Table {
    name: "intelligent_tiering_configurations",
    doc: "Which Intelligent-Tiering objects may go to the two archive tiers. Objects in them cannot be read until they are restored, Athena included.",
    key: &["account_id", "region", "bucket", "configuration_id"],
    source: Source::State(TIERING_READ),
    columns: &[
        column("account_id", Kind::Text, "Owner's account."),
        column("region", Kind::Text, "Region of the bucket."),
        column("bucket", Kind::Text, "Name of the bucket."),
        column("configuration_id", Kind::Text, "ID."),
        column("enabled", Kind::Flag, "Status is `Enabled`."),
        column("prefix", Kind::Text, "Prefix that objects must have; NULL when any will do."),
        column("tags", Kind::Text, "Tags that objects must have, as a JSON object; NULL when any will do."),
        column(
            "archive_access_days",
            Kind::Count,
            "Days without access until the Archive Access tier; NULL when it is off.",
        ),
        column(
            "deep_archive_access_days",
            Kind::Count,
            "Days without access until the Deep Archive Access tier; NULL when it is off.",
        ),
    ],
};

/// One row for each inventory configuration.
pub const INVENTORY_CONFIGURATIONS: Table = Table {
    name: "inventory_configurations",
    doc: "Inventory reports: what is listed, how often, and where the lists are.",
    key: &["account_id", "region", "bucket", "configuration_id"],
    source: Source::State(INVENTORY_READ),
    columns: &[
        column("account_id", Kind::Text, "Owner's account."),
        column("region", Kind::Text, "Region of the bucket."),
        column("bucket", Kind::Text, "Name of the bucket that is listed."),
        column("configuration_id", Kind::Text, "ID."),
        column("enabled", Kind::Flag, "True while lists are made."),
        column("prefix", Kind::Text, "Prefix that objects must have; NULL when any will do."),
        column("included_versions", Kind::Text, "`All` or `Current`."),
        column("schedule", Kind::Text, "`Daily` or `Weekly`."),
        column("fields", Kind::Text, "JSON list of the optional fields, in order."),
        column("destination_bucket", Kind::Text, "Name of the bucket that gets the lists."),
        column("destination_account_id", Kind::Text, "Account of that bucket, where it is named."),
        column("destination_prefix", Kind::Text, "Prefix of the lists; NULL when there is none."),
        column("format", Kind::Text, "`CSV`, `ORC` or `Parquet`."),
        column("encryption", Kind::Text, "`SSE-S3` or `SSE-KMS`; NULL when none is named."),
    ],
};

/// One row for each Storage Class Analysis.
pub const ANALYTICS_CONFIGURATIONS: Table = Table {
    name: "analytics_configurations",
    doc: "Storage Class Analysis configurations: each costs by the object that it watches.",
    key: &["account_id", "region", "bucket", "configuration_id"],
    source: Source::State(ANALYTICS_READ),
    columns: &[
        column("account_id", Kind::Text, "Owner's account."),
        column("region", Kind::Text, "Region of the bucket."),
        column("bucket", Kind::Text, "Name of the bucket that is watched."),
        column("configuration_id", Kind::Text, "ID."),
        column("prefix", Kind::Text, "Prefix that objects must have; NULL when any will do."),
        column("tags", Kind::Text, "Tags that objects must have, as a JSON object; NULL when any will do."),
        column("export", Kind::Flag, "True when the analysis is exported every day."),
        column("destination_bucket", Kind::Text, "Name of the bucket that gets the export; NULL without one."),
        column("destination_account_id", Kind::Text, "Account of that bucket, where it is named."),
        column("destination_prefix", Kind::Text, "Prefix of the export; NULL when there is none."),
        column("format", Kind::Text, "`CSV`; NULL without an export."),
    ],
};

/// One row for each request metrics configuration.
pub const METRICS_CONFIGURATIONS: Table = Table {
    name: "metrics_configurations",
    doc: "Request metrics: what CloudWatch counts, under the ID as its dimension `FilterId`. They are billed as custom metrics.",
    key: &["account_id", "region", "bucket", "configuration_id"],
    source: Source::State(METRICS_READ),
    columns: &[
        column("account_id", Kind::Text, "Owner's account."),
        column("region", Kind::Text, "Region of the bucket."),
        column("bucket", Kind::Text, "Name of the bucket."),
        column("configuration_id", Kind::Text, "ID, which is the `FilterId` of the metrics."),
        column("prefix", Kind::Text, "Prefix that objects must have; NULL when any will do."),
        column("tags", Kind::Text, "Tags that objects must have, as a JSON object; NULL when any will do."),
        column(
            "access_point_arn",
            Kind::Text,
            "Access point that requests must come through; NULL when any way will do.",
        ),
    ],
};
