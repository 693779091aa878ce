//! Storage Lens exports: sizes, requests and size bands of buckets and prefixes, by day.
//!
//! An export has one row for each metric, and says the same bytes several times: of the account, of each bucket, of each
//! prefix, and by each dashboard that covers a bucket. Here a bucket counts once a day, and the records of an account
//! not at all. A day of an export counts with all its files or not at all.

mod day;
mod import;
pub mod manifest;
mod survey;
#[cfg(test)]
mod tests;

pub use import::{Facts, Lens, import};
pub use survey::{Survey, Unit, survey};

use super::RollUp;
use crate::engine::files::{Foreign, Type, Wanted};
use crate::store::table::{Kind, Source, Table, column};
use crate::store::tables::lens::{STORAGE_ACTIVITY, STORAGE_LENS, STORAGE_SIZES};

/// What coverage calls the reading of an export: no AWS operation.
pub const READ: &str = crate::store::tables::lens::EXPORT;

/// Bytes and objects.
pub const SIZES: RollUp =
    RollUp { file: "lens.sql", sql: include_str!("../lens.sql"), from: &LENS_FILES, into: &STORAGE_LENS };

/// Requests and bytes moved.
pub const ACTIVITY: RollUp = RollUp {
    file: "lens_activity.sql",
    sql: include_str!("../lens_activity.sql"),
    from: &LENS_FILES,
    into: &STORAGE_ACTIVITY,
};

/// Objects by size.
pub const BANDS: RollUp =
    RollUp { file: "lens_sizes.sql", sql: include_str!("../lens_sizes.sql"), from: &LENS_FILES, into: &STORAGE_SIZES };

/// Settings of buckets, which fill columns of `buckets` where nobody could ask S3.
pub const SETTINGS: RollUp = RollUp {
    file: "lens_settings.sql",
    sql: include_str!("../lens_settings.sql"),
    from: &LENS_FILES,
    into: &LENS_SETTINGS,
};

/// What [`SETTINGS`] answers: no table of a snapshot.
const LENS_SETTINGS: Table = Table {
    name: "lens_settings",
    doc: "Settings of buckets as Storage Lens counts them: 1 or 0, or the number of rules.",
    key: &["account_id", "bucket", "day"],
    source: Source::Period { read: READ, column: "day" },
    columns: &[
        column("account_id", Kind::Text, "Owner's account."),
        column("bucket", Kind::Text, "Name of the bucket."),
        column("day", Kind::Day, "Day of the report."),
        column("versioning_enabled", Kind::Count, "1 when versioning is on."),
        column("mfa_delete_enabled", Kind::Count, "1 when deleting a version asks for MFA."),
        column("rules", Kind::Count, "Lifecycle rules."),
        column("transition_rules", Kind::Count, "Rules that move objects."),
        column("noncurrent_expiration_rules", Kind::Count, "Rules that expire noncurrent versions."),
        column("abort_rules", Kind::Count, "Rules that abort incomplete uploads."),
    ],
};

/// Columns of an export in their order, as the documentation gives them.
pub const COLUMNS: [&str; 11] = [
    "version_number",
    "configuration_id",
    "report_date",
    "aws_account_number",
    "aws_region",
    "storage_class",
    "record_type",
    "record_value",
    "bucket_name",
    "metric_name",
    "metric_value",
];

const fn text(name: &'static str) -> Wanted {
    Wanted { name, also: &[], kind: Type::Text }
}

/// The default metrics report. Values are text until it is known which metric they are of: only some are whole numbers.
pub const LENS_FILES: Foreign = Foreign {
    name: "lens",
    columns: &[
        text("configuration_id"),
        Wanted { name: "report_date", also: &[], kind: Type::Instant },
        text("aws_account_number"),
        text("aws_region"),
        text("storage_class"),
        text("record_type"),
        text("record_value"),
        text("bucket_name"),
        text("metric_name"),
        text("metric_value"),
    ],
    null_words: &[],
};

/// The gap that an export or a file of it leaves.
fn gap(what: &str, why: impl Into<crate::model::Untrusted>) -> crate::model::Coverage {
    use crate::model::{Coverage, CoverageState};
    Coverage::new(STORAGE_LENS.name, READ, CoverageState::Missing).of(what).because(why)
}
