//! Snapshots on disk or S3: table declarations, parts, manifests.
//!
//! Parts are immutable Parquet files, shared between snapshots; a manifest names them and is written last. So a
//! crash leaves the last snapshot, never half a one. Reads no clock and starts nothing on its own.

mod asked;
pub mod batch;
mod coverage;
mod draft;
mod error;
mod export;
mod folder;
mod gaps;
mod hash_key;
mod manifest;
#[cfg(test)]
mod newest_tests;
pub mod page;
mod part;
mod period;
pub mod place;
mod prices;
mod prune;
mod settle;
#[cfg(test)]
mod size_tests;
mod slot;
mod snapshot;
mod spread;
pub mod table;
pub mod tables;
mod writer;
#[cfg(test)]
mod writer_tests;

use std::fmt;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions};

pub use draft::Draft;
pub use error::StoreError;
pub use export::Exported;
pub use hash_key::HashKey;
pub use manifest::{BillPages, FORMAT, Head, Manifest, Part, Receipt};
pub use period::Days;
pub use place::Place;
pub use prices::PriceFile;
pub use prune::Pruned;
pub use snapshot::Snapshot;
pub use table::{Column, Kind, Source, Table};
pub use writer::SnapshotWriter;

use crate::model::Origin;
use folder::Durability;
use manifest::Unreadable;

/// Requests to the object store at once.
const REQUESTS: usize = 8;

/// Where snapshots are kept: a folder, or a prefix of an object store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    url: String,
    /// Removes a temporary store with the last handle to it.
    _temporary: Option<tempfile::TempDir>,
}

/// Which snapshots are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of this origin.
    pub origin: Option<Origin>,
    /// Only of this payer (or account, where the payer is not known).
    pub lake: Option<String>,
}

impl Filter {
    fn fits(&self, manifest: &Manifest) -> bool {
        let head = manifest.head();
        self.origin.as_ref().is_none_or(|origin| *origin == head.origin)
            && self.lake.as_deref().is_none_or(|lake| Some(lake) == head.lake())
    }
}

/// What a store's manifests say, newest first. One that cannot be read does not hide the others.
#[derive(Debug, Default)]
pub struct Survey {
    /// Manifests that can be used.
    pub manifests: Vec<Manifest>,
    /// Those that cannot, by id, and why.
    pub broken: Vec<(String, StoreError)>,
}

impl Store {
    /// Returns the store in a folder, which is made by the first write.
    ///
    /// # Errors
    /// The path is a file, or no path that a store can have.
    pub fn open_folder(path: impl AsRef<FilePath>) -> Result<Store, StoreError> {
        Store::in_folder(path.as_ref(), None)
    }

    /// Returns a store in a folder of its own that goes away with the last handle to it.
    ///
    /// # Errors
    /// No temporary folder can be made.
    pub fn temporary() -> Result<Store, StoreError> {
        let made = tempfile::Builder::new().prefix("leanlake-").tempdir();
        let folder = made.map_err(|error| StoreError::Folder {
            folder: "a temporary folder".to_owned(),
            reason: error.to_string(),
        })?;
        let path = folder.path().to_owned();
        Store::in_folder(&path, Some(folder))
    }

    fn in_folder(path: &FilePath, temporary: Option<tempfile::TempDir>) -> Result<Store, StoreError> {
        let shown = crate::model::text::terminal(&path.to_string_lossy());
        let refuse = |reason: String| StoreError::Folder { folder: shown.clone(), reason };
        if path.exists() && !path.is_dir() {
            return Err(refuse("it is not a folder".to_owned()));
        }
        // A folder that does not exist yet has no canonical form; what is below it has no symbolic links either.
        let absolute = std::path::absolute(path).map_err(|error| refuse(error.to_string()))?;
        let absolute = absolute.canonicalize().unwrap_or(absolute);
        let prefix = Path::from_absolute_path(&absolute).map_err(|error| refuse(error.to_string()))?;
        let durability = if temporary.is_some() { Durability::Temporary } else { Durability::Synced };
        let objects = Arc::new(folder::Folder::new(absolute.join("drafts"), durability));
        Ok(Store { inner: Arc::new(Inner { objects, prefix, url: shown, _temporary: temporary }) })
    }

    /// Returns the store below `prefix` of an object store; `url` is what people call it.
    pub fn on(objects: Arc<dyn ObjectStore>, prefix: Path, url: impl Into<String>) -> Store {
        Store { inner: Arc::new(Inner { objects, prefix, url: url.into(), _temporary: None }) }
    }

    /// Returns what people call it: the folder, or `s3://bucket/prefix`.
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// Returns the object store that it lives on; paths in it come from [`Store::path`].
    pub fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.inner.objects)
    }

    /// Returns where the file `relative` (`tables/costs/….parquet`) is in the object store.
    pub fn path(&self, relative: &str) -> Path {
        relative.split('/').filter(|part| !part.is_empty()).fold(self.inner.prefix.clone(), Path::join)
    }

    /// Returns every snapshot, newest first.
    ///
    /// # Errors
    /// The store cannot be read, or one manifest is damaged or newer than this crate.
    pub async fn list(&self) -> Result<Vec<Manifest>, StoreError> {
        let Survey { manifests, broken } = self.survey().await?;
        broken.into_iter().next().map_or(Ok(manifests), |(_, error)| Err(error))
    }

    /// Returns every manifest, newest first, those that cannot be read apart.
    ///
    /// # Errors
    /// The store cannot be read at all.
    pub async fn survey(&self) -> Result<Survey, StoreError> {
        let mut survey = Survey::default();
        let ids = futures::stream::iter(self.ids().await?);
        let mut read = ids.map(async |id| (self.manifest(&id).await, id)).buffered(REQUESTS);
        while let Some((manifest, id)) = read.next().await {
            match manifest {
                Ok(manifest) => survey.manifests.push(manifest),
                Err(error) => survey.broken.push((id, error)),
            }
        }
        drop(read);
        survey.manifests.sort_by(|a, b| b.place().cmp(&a.place()));
        Ok(survey)
    }

    /// Returns the snapshot called `id`.
    ///
    /// # Errors
    /// There is none, or its manifest is damaged or newer than this crate.
    pub async fn snapshot(&self, id: &str) -> Result<Snapshot, StoreError> {
        Ok(Snapshot { manifest: self.manifest(id).await?, store: self.clone() })
    }

    /// Returns the newest snapshot that fits; one of the demo only where there is no other.
    ///
    /// # Errors
    /// There is none, snapshots of several payers fit, or a newer manifest than the one chosen is damaged.
    pub async fn newest(&self, filter: &Filter) -> Result<Snapshot, StoreError> {
        let Survey { mut manifests, broken } = self.survey().await?;
        manifests.retain(|manifest| filter.fits(manifest));
        if manifests.iter().any(|manifest| manifest.origin != Origin::Demo) {
            manifests.retain(|manifest| manifest.origin != Origin::Demo);
        }
        // Of one instant, which of two came later stands in the manifests only.
        let instant = |id: &str| id.split('-').next().unwrap_or_default().to_owned();
        let newer = |id: &str| manifests.first().is_none_or(|newest| instant(id) >= instant(&newest.id));
        if let Some((_, error)) = broken.into_iter().find(|(id, _)| newer(id)) {
            return Err(error);
        }
        let mut newest: Vec<(String, String)> = Vec::new();
        for manifest in &manifests {
            let lake = manifest.head().lake().unwrap_or("unknown").to_owned();
            if newest.iter().all(|(known, _)| *known != lake) {
                newest.push((lake, manifest.id.clone()));
            }
        }
        if newest.len() > 1 {
            return Err(StoreError::Several { store: self.url().to_owned(), newest });
        }
        let manifest = manifests.into_iter().next();
        let manifest = manifest.ok_or_else(|| StoreError::Empty { store: self.url().to_owned() })?;
        Ok(Snapshot { manifest, store: self.clone() })
    }

    /// Returns the newest snapshot of the lake that a scan with `head` can carry parts over from.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn base(&self, head: &Head) -> Result<Option<Snapshot>, StoreError> {
        let manifests = self.survey().await?.manifests;
        let same = |m: &Manifest| m.origin == head.origin && m.head().lake() == head.lake() && m.as_of <= head.as_of;
        Ok(manifests.into_iter().find(same).map(|manifest| Snapshot { manifest, store: self.clone() }))
    }

    /// Returns the snapshot of the same lake before `snapshot`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn previous(&self, snapshot: &Snapshot) -> Result<Option<Snapshot>, StoreError> {
        let (head, place) = (snapshot.manifest.head(), snapshot.manifest.place());
        let manifests = self.survey().await?.manifests;
        let before = |m: &Manifest| m.origin == head.origin && m.head().lake() == head.lake() && m.place() < place;
        Ok(manifests.into_iter().find(before).map(|manifest| Snapshot { manifest, store: self.clone() }))
    }

    /// Begins a snapshot. What it does not read again comes over from `base`.
    pub fn write(&self, head: Head, base: Option<&Snapshot>) -> SnapshotWriter {
        SnapshotWriter::new(self.clone(), head, base.cloned())
    }

    /// Ids of the snapshots, newest first.
    async fn ids(&self) -> Result<Vec<String>, StoreError> {
        let found = self.files("snapshots").await?;
        let name = |meta: ObjectMeta| meta.location.filename()?.strip_suffix(".json").map(str::to_owned);
        let mut ids: Vec<String> = found.into_iter().filter_map(name).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        Ok(ids)
    }

    async fn manifest(&self, id: &str) -> Result<Manifest, StoreError> {
        let shown = || crate::model::text::terminal(id);
        let unknown = || StoreError::Unknown { id: shown(), store: self.url().to_owned() };
        if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(unknown());
        }
        let relative = manifest_path(id);
        let bytes = self.get(&relative).await?.ok_or_else(unknown)?;
        manifest::parse(&bytes, id).map_err(|error| match error {
            Unreadable::Damaged(reason) => StoreError::Manifest { location: self.location(&relative), reason },
            Unreadable::Newer(found) => {
                StoreError::Newer { location: self.location(&relative), found, readable: FORMAT }
            }
        })
    }

    /// What people look for when they look for the file.
    fn location(&self, relative: &str) -> String {
        format!("{}/{relative}", self.url().trim_end_matches('/'))
    }

    async fn files(&self, below: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        let found = self.inner.objects.list(Some(&self.path(below))).try_collect().await;
        found.map_err(|source| StoreError::Read { location: self.location(below), source: Box::new(source) })
    }

    /// The file's bytes; `None` when there is no such file.
    async fn get(&self, relative: &str) -> Result<Option<Bytes>, StoreError> {
        let failed = |source| StoreError::Read { location: self.location(relative), source: Box::new(source) };
        match self.inner.objects.get(&self.path(relative)).await {
            Ok(found) => found.bytes().await.map(Some).map_err(failed),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Writes the file whole; answers false when `Create` was asked and it is there already.
    async fn put(&self, relative: &str, bytes: Bytes, mode: PutMode) -> Result<bool, StoreError> {
        let options = PutOptions { mode, ..PutOptions::default() };
        match self.inner.objects.put_opts(&self.path(relative), bytes.into(), options).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(source) => Err(StoreError::Write { location: self.location(relative), source: Box::new(source) }),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.inner.url).finish()
    }
}

fn manifest_path(id: &str) -> String {
    format!("snapshots/{id}.json")
}
