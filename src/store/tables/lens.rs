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

/// What coverage calls the reading of an export: no AWS operation.
pub const EXPORT: &str = "lens:export";

const NESTED: &str = "Prefix; NULL for the whole bucket. A bucket's bytes are in its own row and again in those of its prefixes, and a prefix's in those above it: choose one level, never sum over several.";

const fn level() -> [Column; 6] {
    [
        column("account_id", Kind::Text, "Owner's account."),
        column("region", Kind::Text, "Region of the bucket."),
        column("bucket", Kind::Text, "Name of the bucket."),
        column("prefix", Kind::Text, NESTED),
        column("storage_class", Kind::Text, "Storage class as Storage Lens names it; NULL where it names none."),
        column("day", Kind::Day, "Day of the report."),
    ]
}

const CONFIGURATION: Column = column(
    "configuration_id",
    Kind::Text,
    "Dashboard that the row is from; of several that measure a bucket one is taken.",
);

const KEY: &[&str] = &["account_id", "region", "bucket", "prefix", "storage_class", "day"];
const LEVEL: [Column; 6] = level();

/// Bytes and objects of buckets and prefixes, as Storage Lens measures them.
pub const STORAGE_LENS: Table = Table {
    name: "storage_lens",
    doc: "Storage Lens exports: bytes and objects of buckets and prefixes by class and day. It measures the same bytes as `storage`: never sum both. Prefixes only with advanced metrics, and only those above the dashboard's threshold.",
    key: KEY,
    source: Source::Period { read: EXPORT, column: "day" },
    columns: &[
        LEVEL[0],
        LEVEL[1],
        LEVEL[2],
        LEVEL[3],
        LEVEL[4],
        LEVEL[5],
        column("bytes", Kind::Bytes, "All bytes: old versions and incomplete uploads too."),
        column("objects", Kind::Count, "All objects: old versions, delete markers and incomplete uploads too."),
        column("current_bytes", Kind::Bytes, "Bytes of current versions."),
        column("current_objects", Kind::Count, "Current versions."),
        column("noncurrent_bytes", Kind::Bytes, "Bytes of noncurrent versions."),
        column("noncurrent_objects", Kind::Count, "Noncurrent versions."),
        column("delete_marker_bytes", Kind::Bytes, "Bytes of delete markers."),
        column("delete_markers", Kind::Count, "Delete markers."),
        column("incomplete_bytes", Kind::Bytes, "Bytes of incomplete multipart uploads."),
        column(
            "incomplete_objects",
            Kind::Count,
            "Parts of incomplete multipart uploads, as Storage Lens counts them.",
        ),
        column("incomplete_bytes_older_than_7_days", Kind::Bytes, "Those begun more than seven days before."),
        column("incomplete_objects_older_than_7_days", Kind::Count, "Those begun more than seven days before."),
        CONFIGURATION,
    ],
};

/// Requests and bytes moved, as Storage Lens measures them.
pub const STORAGE_ACTIVITY: Table = Table {
    name: "storage_activity",
    doc: "Storage Lens exports with advanced metrics: requests and bytes moved of buckets and prefixes by day. A metric that the dashboard does not measure is NULL; a bucket without a row was not measured.",
    key: KEY,
    source: Source::Period { read: EXPORT, column: "day" },
    columns: &[
        LEVEL[0],
        LEVEL[1],
        LEVEL[2],
        LEVEL[3],
        LEVEL[4],
        LEVEL[5],
        column("all_requests", Kind::Count, "Requests of every kind."),
        column("get_requests", Kind::Count, "GET requests."),
        column("put_requests", Kind::Count, "PUT requests."),
        column("head_requests", Kind::Count, "HEAD requests."),
        column("delete_requests", Kind::Count, "DELETE requests."),
        column("list_requests", Kind::Count, "LIST requests."),
        column("post_requests", Kind::Count, "POST requests."),
        column("select_requests", Kind::Count, "SELECT requests."),
        column("select_scanned_bytes", Kind::Bytes, "Bytes that SELECT requests scanned."),
        column("select_returned_bytes", Kind::Bytes, "Bytes that SELECT requests returned."),
        column("bytes_downloaded", Kind::Bytes, "Bytes downloaded."),
        column("bytes_uploaded", Kind::Bytes, "Bytes uploaded."),
        column("client_errors", Kind::Count, "Requests answered with a 4xx code."),
        column("server_errors", Kind::Count, "Requests answered with a 5xx code."),
        column("unique_objects_accessed", Kind::Count, "Different objects that were read or written that day."),
        CONFIGURATION,
    ],
};

/// Objects by size, as Storage Lens measures them.
pub const STORAGE_SIZES: Table = Table {
    name: "storage_sizes",
    doc: "Storage Lens exports with performance metrics: objects of buckets and prefixes by size and day.",
    key: &["account_id", "region", "bucket", "prefix", "storage_class", "size_band", "day"],
    source: Source::Period { read: EXPORT, column: "day" },
    columns: &[
        LEVEL[0],
        LEVEL[1],
        LEVEL[2],
        LEVEL[3],
        LEVEL[4],
        LEVEL[5],
        column("size_band", Kind::Text, "Sizes as Storage Lens names them: `0KBTo128KB`, …, `LargerThan4GB`."),
        column("objects", Kind::Count, "Objects of such a size."),
        CONFIGURATION,
    ],
};
