//! Opens the store and picks the snapshot that a verb is about.

use std::path::PathBuf;

use super::Context;
use super::connect::sign_in;
use crate::engine::EngineError;
use crate::error::{Failure, Kind};
use crate::model::text::terminal_lines;
use crate::store::{Filter, Snapshot, Store, StoreError};

/// A snapshot, with the one before it where there is one.
pub struct Opened {
    /// The snapshot that the verb is about.
    pub snapshot: Snapshot,
    /// The snapshot before it, of the same lake.
    pub previous: Option<Snapshot>,
}

impl Context {
    /// Returns the store of `--store`, `LEANLAKE_STORE`, or the user's data folder.
    ///
    /// # Errors
    /// The path cannot be a store, S3 says no, or there is no home folder to put one into.
    pub async fn store(&self) -> Result<Store, Failure> {
        let folder = match &self.global.store {
            Some(url) if url.starts_with("s3://") => return self.store_in_s3(url).await,
            Some(folder) => PathBuf::from(folder),
            None => data_folder()?,
        };
        Ok(Store::open_folder(folder)?)
    }

    /// Returns the store of `--demo`: temporary, filled once, gone with the last handle to it.
    ///
    /// # Errors
    /// There is no room for a temporary folder.
    pub async fn demo_store(&self) -> Result<Store, Failure> {
        self.demo.get_or_try_init(super::demo::temporary).await.cloned()
    }

    /// Returns the snapshot of `--snapshot`, else the newest, with the one before it; with `--demo`, the demo lake's.
    ///
    /// # Errors
    /// There is no such snapshot, several payers, or a damaged file.
    pub async fn open(&self) -> Result<Opened, Failure> {
        let store = if self.global.demo { self.demo_store().await? } else { self.store().await? };
        let snapshot = match &self.global.snapshot {
            Some(id) => store.snapshot(id).await?,
            None => store.newest(&Filter::default()).await?,
        };
        let previous = store.previous(&snapshot).await?;
        Ok(Opened { snapshot, previous })
    }
}

/// The XDG data folder: the same store from whichever folder leanlake is called.
fn data_folder() -> Result<PathBuf, Failure> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_DATA_HOME")
        .or_else(|| Some(set("HOME")?.join(".local/share")))
        .map(|data| data.join("leanlake"))
        .ok_or_else(|| {
            Failure::failed("there is no home folder to keep the store in").hint("name one with `--store DIR`")
        })
}

/// Both name what stands in files and queries of others; SQL errors have several lines.
fn shown(message: &str, hints: &[String]) -> Failure {
    let failure = Failure::new(Kind::Failed, terminal_lines(message));
    hints.iter().map(|hint| terminal_lines(hint)).fold(failure, Failure::hint)
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        let mut failure = shown(&error.to_string(), &error.hints());
        if error.is_refused() {
            failure.kind = Kind::Credentials;
            failure = failure.hint(sign_in(None));
        }
        failure
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Failure {
        shown(&error.to_string(), &error.hints())
    }
}
