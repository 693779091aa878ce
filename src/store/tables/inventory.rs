//! S3 Inventory: how old and how large the objects of a bucket are.

use crate::store::table::{Kind, Source, Table, column};

/// What coverage calls the reading of an inventory list: no AWS operation.
pub const LIST: &str = "inventory:list";

/// Objects of a bucket by prefix, class, state, age and size.
pub const STORAGE_AGES: Table = Table {
    name: "storage_ages",
    doc: "The newest S3 Inventory list of each bucket, rolled up. Rows are disjoint: a prefix's row leaves out what the rows of deeper prefixes hold, so they sum to the list. Prefixes are at most four folders deep; a bucket keeps 1,000 of them, those with the fewest bytes are counted in the folder above. Age is counted from the last change of the object to the day of the list. Incomplete uploads are in no list.",
    key: &[
        "account_id",
        "region",
        "bucket",
        "prefix",
        "storage_class",
        "tier",
        "state",
        "older_than_days",
        "larger_than_bytes",
    ],
    source: Source::State(LIST),
    columns: &[
        column("account_id", Kind::Text, "Owner's account; NULL where only the list was seen, which names none."),
        column("region", Kind::Text, "Region of the bucket; NULL where only the list was seen."),
        column("bucket", Kind::Text, "Name of the bucket."),
        column("prefix", Kind::Text, "Folder with its `/`; empty for the bucket itself."),
        column("storage_class", Kind::Text, "Storage class; NULL where the list does not say it."),
        column(
            "tier",
            Kind::Text,
            "Access tier of Intelligent-Tiering; NULL for other classes, or where the list does not say it.",
        ),
        column(
            "state",
            Kind::Text,
            "`current`, `noncurrent` or `delete_marker`; a list of current versions knows only the first.",
        ),
        column(
            "older_than_days",
            Kind::Count,
            "Days: 0, 30, 60, 90, 180, 365 or 730, and younger than the next of them; NULL where the list does not say when objects changed.",
        ),
        column(
            "larger_than_bytes",
            Kind::Bytes,
            "Bytes: 0, 128 KiB, 1 MiB, 16 MiB, 128 MiB or 1 GiB and more, and less than the next of them; NULL where the list does not say the size.",
        ),
        column("objects", Kind::Count, "Objects."),
        column("bytes", Kind::Bytes, "Their bytes; NULL where the list does not say the size."),
        column("oldest", Kind::Instant, "The oldest last change among them."),
        column("newest", Kind::Instant, "The newest last change among them."),
        column("listed_at", Kind::Instant, "When S3 began to make the list."),
        column("all_versions", Kind::Flag, "True when the list holds noncurrent versions and delete markers too."),
        column("configuration_id", Kind::Text, "Inventory configuration that made the list."),
    ],
};
