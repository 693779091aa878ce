//! The Glue Data Catalog: databases and tables, as far as the caller may see them.

use crate::store::table::{Kind, Source, Table, column};

const TABLES: &str = "glue:GetTables";
const OPTIMIZERS: &str = "glue:BatchGetTableOptimizer";
const STATISTICS: &str = "glue:GetColumnStatisticsForTable";
const REGISTERED: &str = "lakeformation:ListResources";

/// One row for each database.
pub const GLUE_DATABASES: Table = Table {
    name: "glue_databases",
    doc: "Databases of the account's catalog. Lake Formation hides those that the caller may not describe, without an error. Tables of links and of federated databases are not read.",
    key: &["account_id", "region", "database"],
    source: Source::State("glue:GetDatabases"),
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("database", Kind::Text, "Name."),
        column("location", Kind::Text, "Default location of its tables."),
        column("created", Kind::Instant, "When it was made."),
        column("shared_from", Kind::Text, "For a link: account and name of the database that it stands for."),
        column("federated_connection", Kind::Text, "For a federated database: the connection that it comes through."),
        column("table_count", Kind::Count, "Tables seen; NULL when they were not read to the end.").by(TABLES),
    ],
};

/// One row for each table.
pub const GLUE_TABLES: Table = Table {
    name: "glue_tables",
    doc: "Tables of the account's catalog. Lake Formation hides those that the caller may not describe, without an error: that a table is not here does not prove that nothing reads a location. Sizes are what crawlers and engines noted, and may be old.",
    key: &["account_id", "region", "database", "table"],
    source: Source::State(TABLES),
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("database", Kind::Text, "Database."),
        column("table", Kind::Text, "Name."),
        column("table_type", Kind::Text, "`EXTERNAL_TABLE`, `VIRTUAL_VIEW`, …"),
        column("open_format", Kind::Text, "`iceberg`, `hudi` or `delta`; NULL for plain tables."),
        column(
            "format",
            Kind::Text,
            "`parquet`, `orc`, `avro`, `json`, `csv`, `text`, `xml`, `ion`, `logs`; NULL when nothing says it.",
        ),
        column(
            "compression",
            Kind::Text,
            "Codec as the table says it (`snappy`, `gzip`, `none`, …); NULL when it says nothing.",
        ),
        column("classification", Kind::Text, "The crawler's classification."),
        column("serde", Kind::Text, "Serialization library."),
        column("input_format", Kind::Text, "Input format class."),
        column("location", Kind::Text, "Where the data is (`s3://…`)."),
        column(
            "partition_keys",
            Kind::Text,
            "Names of the partition keys in order, as a JSON list; `[]` when there are none.",
        ),
        column(
            "partition_key_count",
            Kind::Count,
            "Partition keys of the catalog; those of Iceberg are in its own metadata.",
        ),
        column("partition_projection", Kind::Flag, "True when Athena computes the partitions (`projection.enabled`)."),
        column("column_count", Kind::Count, "Columns, partition keys not counted."),
        column("size_bytes", Kind::Bytes, "Size that a crawler or engine noted."),
        column("record_count", Kind::Count, "Records that a crawler or engine noted."),
        column("file_count", Kind::Count, "Files that a crawler or engine noted."),
        column("crawler", Kind::Text, "Crawler that made or updated it."),
        column("reads_restored_objects", Kind::Flag, "True when Athena also reads objects restored from Glacier."),
        column("created", Kind::Instant, "When it was made."),
        column("updated", Kind::Instant, "When it was changed last."),
        column(
            "lake_formation",
            Kind::Flag,
            "True when the table's data is governed by Lake Formation, as the catalog says.",
        ),
        column("shared_from", Kind::Text, "For a link: account, database and name of the table that it stands for."),
        column("federated_connection", Kind::Text, "For a federated table: the connection that it comes through."),
        column(
            "column_statistics",
            Kind::Flag,
            "True when the catalog has column statistics, for a budgeted number of tables, largest first.",
        )
        .by(STATISTICS),
        column("compaction", Kind::Flag, "True when Glue compacts it; Iceberg tables only.").by(OPTIMIZERS),
        column("snapshot_retention", Kind::Flag, "True when Glue expires its snapshots; Iceberg tables only.")
            .by(OPTIMIZERS),
        column("orphan_file_deletion", Kind::Flag, "True when Glue deletes its orphan files; Iceberg tables only.")
            .by(OPTIMIZERS),
        column("location_registered", Kind::Flag, "True when its location is registered in Lake Formation.")
            .by(REGISTERED),
        column("hybrid_access", Kind::Flag, "True when the registration also leaves IAM access in force.")
            .by(REGISTERED),
    ],
};
