//! S3 Inventory lists: how old and how large the objects of each bucket are, by folder.
//!
//! Of each bucket one list counts, the newest, with all its files or not at all. However many objects a list has, memory
//! is bounded: the roll-up spills, and folders beyond [`fold::MOST`] are folded into the one above as they come.

pub mod fold;
mod import;
pub mod manifest;
mod survey;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use import::import;
pub use survey::{Survey, Unit, survey};

use super::RollUp;
use crate::engine::files::{Foreign, Type, Wanted};
use crate::store::tables::inventory::STORAGE_AGES;

/// What coverage calls the reading of a list: no AWS operation.
pub const READ: &str = crate::store::tables::inventory::LIST;

/// Objects by folder, class, state, age and size.
pub const AGES: RollUp = RollUp {
    file: "inventory.sql",
    sql: include_str!("../inventory.sql"),
    from: &INVENTORY_FILES,
    into: &STORAGE_AGES,
};

/// By name of a bucket its account and Region: a list says neither.
pub type Homes = BTreeMap<String, (String, Option<String>)>;

const fn column(name: &'static str, also: &'static [&'static str], kind: Type) -> Wanted {
    Wanted { name, also, kind }
}

/// An inventory list: Parquet writes `last_modified_date`, CSV has no header and its manifest says `LastModifiedDate`.
pub const INVENTORY_FILES: Foreign = Foreign {
    name: "inventory",
    columns: &[
        column("bucket", &[], Type::Text),
        column("key", &[], Type::Text),
        column("is_latest", &["IsLatest"], Type::Flag),
        column("is_delete_marker", &["IsDeleteMarker"], Type::Flag),
        column("size", &[], Type::Whole),
        column("last_modified_date", &["LastModifiedDate"], Type::Instant),
        column("storage_class", &["StorageClass"], Type::Text),
        column("intelligent_tiering_access_tier", &["IntelligentTieringAccessTier"], Type::Text),
        column(TIME, &[], Type::Instant),
    ],
    null_words: &[],
};

/// The column that no list has: when it was begun.
const TIME: &str = "inventory_time";

/// The gap that a list or a file of it leaves.
fn gap(what: &str, why: impl Into<crate::model::Untrusted>) -> crate::model::Coverage {
    use crate::model::{Coverage, CoverageState};
    Coverage::new(STORAGE_AGES.name, READ, CoverageState::Missing).of(what).because(why)
}
