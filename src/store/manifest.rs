//! The manifest: what one scan saw, by name of the parts. Written last, never changed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::period::Days;
use crate::model::{Money, Origin};

/// The newest format of manifests and parts that this crate reads, and the one it writes.
pub const FORMAT: u32 = 1;
/// What a manifest calls itself.
pub(super) const SCHEMA: &str = "leanlake.snapshot";

/// Who was scanned and when: the start of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What was scanned.
    pub origin: Origin,
    /// The account whose bill it is; `None` where nobody said (files, demo). Snapshots of one payer share parts.
    pub payer: Option<String>,
    /// The account whose credentials scanned.
    pub account_id: Option<String>,
    /// The instant that stands for the scan; every "today" in what follows is its day.
    pub as_of: DateTime<Utc>,
}

impl Head {
    /// Returns the account that tells one lake from another in a store.
    pub fn lake(&self) -> Option<&str> {
        self.payer.as_deref().or(self.account_id.as_deref())
    }
}

/// What the scan used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// Requests by operation (`s3:ListBuckets`), retries included.
    pub requests: BTreeMap<String, u64>,
    /// What AWS charges for them.
    pub usd: Money,
    /// How long it took.
    pub seconds: u64,
    /// How the bill was paged, by this scan or the last one that read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bill: Option<BillPages>,
}

/// How many pages the bill had: what the next estimate goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BillPages {
    /// Pages of whole answers.
    pub pages: u64,
    /// Days that these answers were about, each question counted.
    pub days: u64,
}

/// One immutable Parquet file of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The account that its rows carry.
    pub account_id: Option<String>,
    /// The days that it covers; `None` for tables that are not cut by period.
    pub period: Option<Days>,
    /// Where it is, below the store.
    pub path: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, lower-case hex. Proves that they are whole; says nothing about equal rows.
    pub sha256: String,
    /// Format version that it was written with.
    pub schema_version: u32,
    /// As-of of the scan that read its rows (the oldest, where parts were joined).
    pub read_at: DateTime<Utc>,
}

/// What one scan saw: head, parts by table, counts of coverage, receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// `leanlake.snapshot`.
    pub schema: String,
    /// Format version, `major.minor`; a later minor only adds.
    pub version: String,
    /// Name of the snapshot: as-of and six hex digits.
    pub id: String,
    /// What was scanned.
    pub origin: Origin,
    /// The account whose bill it is.
    pub payer: Option<String>,
    /// The account whose credentials scanned.
    pub account_id: Option<String>,
    /// The instant that stands for the scan.
    pub as_of: DateTime<Utc>,
    /// How many snapshots of the same lake and instant stood before it: of two, the one that was written later wins.
    #[serde(default, skip_serializing_if = "is_first")]
    pub sequence: u32,
    /// True when the scan was cut short; what was read until then is here.
    pub interrupted: bool,
    /// Rows of `coverage` by state.
    pub coverage: BTreeMap<String, u64>,
    /// What the scan used.
    pub receipt: Receipt,
    /// The parts of each table, in order of account and period.
    pub tables: BTreeMap<String, Vec<Part>>,
}

impl Manifest {
    /// Returns the head that it was written with.
    pub fn head(&self) -> Head {
        Head {
            origin: self.origin.clone(),
            payer: self.payer.clone(),
            account_id: self.account_id.clone(),
            as_of: self.as_of,
        }
    }

    /// Returns its place among the snapshots of a store: the newest has the greatest.
    pub fn place(&self) -> (DateTime<Utc>, u32, &str) {
        (self.as_of, self.sequence, &self.id)
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("a manifest has only text keys and finite numbers")
    }

    /// Returns rows of `table` over all its parts.
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.get(table).into_iter().flatten().map(|part| part.rows).sum()
    }

    /// Returns bytes over all parts.
    pub fn bytes(&self) -> u64 {
        self.tables.values().flatten().map(|part| part.bytes).sum()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_first(sequence: &u32) -> bool {
    *sequence == 0
}

/// The little that every version of a manifest has, read first to tell "newer" from "damaged".
#[derive(Deserialize)]
struct Label {
    schema: String,
    version: String,
}

/// Why bytes are not a manifest that can be used here.
pub(super) enum Unreadable {
    Newer(String),
    Damaged(String),
}

/// Reads a manifest.
pub(super) fn parse(bytes: &[u8], id: &str) -> Result<Manifest, Unreadable> {
    let damaged = |error: serde_json::Error| Unreadable::Damaged(error.to_string());
    let label: Label = serde_json::from_slice(bytes).map_err(damaged)?;
    if label.schema != SCHEMA {
        return Err(Unreadable::Damaged(format!("it is not a `{SCHEMA}`")));
    }
    let major = label.version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        None => return Err(Unreadable::Damaged("its version is not a number".to_owned())),
        Some(major) if major > FORMAT => {
            return Err(Unreadable::Newer(crate::model::text::terminal(&label.version)));
        }
        Some(_) => {}
    }
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(damaged)?;
    if manifest.id == id {
        Ok(manifest)
    } else {
        Err(Unreadable::Damaged("it carries the id of another snapshot".to_owned()))
    }
}
