//! What can go wrong with a store, said so that the reader knows which file and what to do next.
//!
//! Names files of the store and ids only, never rows.

use std::io::ErrorKind;

use arrow::error::ArrowError;

/// Why the store gave or took nothing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be a store.
    #[error("cannot use `{folder}` as a store: {reason}")]
    Folder {
        /// The folder as it was given.
        folder: String,
        /// What is in the way.
        reason: String,
    },
    /// Files of somebody else's that are not there, or may not be looked at.
    #[error("cannot look at `{place}`: {reason}")]
    Place {
        /// The folder or file as it was given.
        place: String,
        /// What is in the way.
        reason: String,
    },
    /// The folder cannot take an export.
    #[error("cannot export to `{folder}`: {reason}")]
    Target {
        /// The folder as it was given.
        folder: String,
        /// What is in the way.
        reason: String,
    },
    /// A file could not be read or listed.
    #[error("cannot read `{location}`: {source}")]
    Read {
        /// The file with the store it is in.
        location: String,
        /// What came back.
        source: Box<object_store::Error>,
    },
    /// A file could not be written or removed.
    #[error("cannot write `{location}`: {source}")]
    Write {
        /// The file with the store it is in.
        location: String,
        /// What came back.
        source: Box<object_store::Error>,
    },
    /// The store holds nothing yet that fits.
    #[error("no snapshot in `{store}`")]
    Empty {
        /// The store.
        store: String,
    },
    /// The id is not one of this store's.
    #[error("no snapshot `{id}` in `{store}`")]
    Unknown {
        /// The id as it was given, safe for a terminal.
        id: String,
        /// The store.
        store: String,
    },
    /// Several payers: which one is meant is not ours to guess.
    #[error("`{store}` holds snapshots of several payers: {}", list(.newest))]
    Several {
        /// The store.
        store: String,
        /// Payer and newest id of each.
        newest: Vec<(String, String)>,
    },
    /// A manifest that cannot be understood.
    #[error("manifest `{location}` is damaged: {reason}")]
    Manifest {
        /// The manifest with the store it is in.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A manifest that a later leanlake wrote.
    #[error("`{location}` was written by a newer leanlake (format {found}; this one reads up to {readable})")]
    Newer {
        /// The manifest with the store it is in.
        location: String,
        /// Its format version.
        found: String,
        /// The newest format version that can be read here.
        readable: u32,
    },
    /// A part that is missing, cut short or changed.
    #[error("part `{location}` is damaged: {reason}")]
    Corrupt {
        /// The part with the store it is in.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Rows that do not fit their table.
    #[error("rows of `{table}` cannot be kept: {source}")]
    Rows {
        /// The table.
        table: &'static str,
        /// What does not fit.
        source: ArrowError,
    },
    /// An event without its time belongs to no period.
    #[error("a row of `{table}` has no `{column}`: it belongs to no period")]
    Undated {
        /// The table.
        table: &'static str,
        /// The column that must say when.
        column: &'static str,
    },
    /// The key of the text hashes is not what it must be.
    #[error("`{location}` is not a key of 32 bytes")]
    Key {
        /// The key file with the store it is in.
        location: String,
    },
    /// The operating system gave no random bytes.
    #[error("no random bytes for the key of `{store}`: {reason}")]
    Random {
        /// The store.
        store: String,
        /// What the operating system said.
        reason: String,
    },
}

fn list(newest: &[(String, String)]) -> String {
    newest.iter().map(|(payer, id)| format!("{payer} (newest `{id}`)")).collect::<Vec<_>>().join(", ")
}

impl StoreError {
    /// Returns true when S3 no longer takes the credentials, or these may not use the store.
    pub fn is_refused(&self) -> bool {
        let (StoreError::Read { location, source } | StoreError::Write { location, source }) = self else {
            return false;
        };
        match **source {
            object_store::Error::Unauthenticated { .. } => true,
            object_store::Error::PermissionDenied { .. } => location.starts_with("s3://"),
            _ => false,
        }
    }

    /// Returns what to do next, as hints.
    pub fn hints(&self) -> Vec<String> {
        let say = |text: &str| vec![text.to_owned()];
        match self {
            StoreError::Write { source, .. } if is_full(source) => {
                say("the disk is full: free some space and run it again; snapshots already written are whole")
            }
            StoreError::Read { .. } | StoreError::Write { .. } if self.is_refused() => {
                say("`leanlake iam scan --store s3://bucket/prefix` prints what the role must be allowed")
            }
            StoreError::Folder { .. } | StoreError::Read { .. } | StoreError::Write { .. } => {
                say("check the path and its permissions, or choose another store with `--store`")
            }
            StoreError::Place { .. } => say("check the path and its permissions"),
            StoreError::Target { .. } => say("name a folder that does not exist yet with `--to`"),
            StoreError::Empty { .. } => {
                vec!["`leanlake scan` makes the first one".to_owned(), "`--demo` shows the built-in lake".to_owned()]
            }
            StoreError::Unknown { .. } => say("`leanlake snapshots list` shows the ids"),
            StoreError::Several { .. } => say("choose one with `--snapshot ID`"),
            StoreError::Manifest { .. } => vec![
                "restore the file from a backup, or move it away: the other snapshots do not need it".to_owned(),
                "`--snapshot ID` uses another one".to_owned(),
            ],
            StoreError::Newer { .. } => say("update leanlake, or choose another store with `--store`"),
            StoreError::Corrupt { .. } => vec![
                "`leanlake snapshots show --check` names every damaged part".to_owned(),
                "restore the file from a backup, or scan again: a scan reads again what AWS still knows".to_owned(),
            ],
            StoreError::Key { .. } => {
                say("restore the file from a backup, or remove it: text hashes made before then no longer compare")
            }
            StoreError::Rows { .. } | StoreError::Undated { .. } | StoreError::Random { .. } => Vec::new(),
        }
    }
}

fn is_full(error: &object_store::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return matches!(io.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        }
        cause = error.source();
    }
    false
}
