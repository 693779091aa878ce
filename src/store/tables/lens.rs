//! Storage Lens: what is measured and where the export goes.

use crate::store::table::{Column, Kind, Source, Table, column};

const GET: &str = "s3control:GetStorageLensConfiguration";

const fn told(name: &'static str, kind: Kind, doc: &'static str) -> Column {
    column(name, kind, doc).by(GET)
}

/// One row for each Storage Lens configuration.
pub const STORAGE_LENS_CONFIGURATIONS: Table = Table {
    name: "storage_lens_configurations",
    doc: "Storage Lens configurations (dashboards) of the Regions that have buckets. The metrics themselves are in the export. Only the advanced kinds cost, by the object.",
    key: &["account_id", "region", "configuration_id"],
    source: Source::State("s3control:ListStorageLensConfigurations"),
    columns: &[
        column("account_id", Kind::Text, "Account of the configuration."),
        column("region", Kind::Text, "Home Region: where it is kept and where the export bucket must be."),
        column("configuration_id", Kind::Text, "ID."),
        column(
            "is_default",
            Kind::Flag,
            "True for `default-account-dashboard`, which every account has and which cannot be deleted.",
        ),
        column("enabled", Kind::Flag, "True while metrics are made."),
        told("activity_metrics", Kind::Flag, "True when requests are measured (advanced)."),
        told("advanced_cost_optimization_metrics", Kind::Flag, "True when lifecycle rules are counted (advanced)."),
        told(
            "advanced_data_protection_metrics",
            Kind::Flag,
            "True when replication and signatures are measured (advanced).",
        ),
        told(
            "advanced_performance_metrics",
            Kind::Flag,
            "True when latency, sizes and access are measured (advanced).",
        ),
        told("detailed_status_codes_metrics", Kind::Flag, "True when status codes are counted (advanced)."),
        told("prefix_level", Kind::Flag, "True when prefixes are measured (advanced)."),
        told("prefix_max_depth", Kind::Count, "Depth of the prefixes; NULL when they are not measured."),
        told(
            "prefix_min_percentage",
            Kind::Quantity,
            "Percent of its bucket's bytes that a prefix must have to be in the export; NULL when none is set.",
        ),
        told("expanded_prefixes", Kind::Flag, "True when a report over all prefixes is exported."),
        told(
            "included",
            Kind::Text,
            "JSON object of the only buckets and regions that are measured; NULL when all are.",
        ),
        told("excluded", Kind::Text, "JSON object of the buckets and regions that are left out; NULL when none is."),
        told("organization_arn", Kind::Text, "Organization whose accounts are measured; NULL for this account alone."),
        told("export", Kind::Flag, "True when metrics are exported to a bucket every day."),
        told("export_bucket", Kind::Text, "Name of that bucket; NULL without an export."),
        told("export_account_id", Kind::Text, "Its account; NULL without an export."),
        told("export_prefix", Kind::Text, "Prefix of the export; NULL when there is none."),
        told("export_format", Kind::Text, "`CSV` or `Parquet`; NULL without an export."),
        told("export_encryption", Kind::Text, "`SSE-S3` or `SSE-KMS`; NULL when none is named."),
        told("export_to_s3_tables", Kind::Flag, "True when metrics are exported to S3 Tables."),
        told("cloudwatch_publishing", Kind::Flag, "True when metrics are published to CloudWatch (advanced)."),
    ],
};
