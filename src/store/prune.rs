//! Removes snapshots that nobody wants any more and files that no snapshot names. Touches nothing else of the store.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use chrono::{DateTime, TimeDelta, Utc};
use object_store::{ObjectMeta, ObjectStoreExt};

use super::{Store, StoreError, Survey, manifest_path};

/// Files younger than this may belong to a scan that is not finished.
const YOUNG: TimeDelta = TimeDelta::hours(24);

/// What a prune removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Ids of the snapshots, newest first.
    pub snapshots: Vec<String>,
    /// How many parts and unfinished files.
    pub files: usize,
    /// Their size in bytes.
    pub bytes: u64,
}

impl Store {
    /// Keeps the newest `keep` snapshots of each lake (all without it), then removes files that no snapshot names and
    /// that are older than a day at `now`, the real time.
    ///
    /// # Errors
    /// A manifest cannot be read (what it names is not known, so nothing is removed), or the store cannot be written.
    pub async fn prune(&self, keep: Option<NonZeroUsize>, now: DateTime<Utc>) -> Result<Pruned, StoreError> {
        // Files first: what a scan writes after this is not on the list, and what it wrote before is young.
        let mut files = self.files("tables").await?;
        files.extend(self.files("drafts").await?);
        let Survey { manifests, broken } = self.survey().await?;
        if let Some((_, error)) = broken.into_iter().next() {
            return Err(error);
        }
        let mut pruned = Pruned::default();
        let mut named = BTreeSet::new();
        let mut kept: BTreeMap<_, usize> = BTreeMap::new();
        for manifest in manifests {
            let head = manifest.head();
            let lake = (head.origin.clone(), head.lake().map(str::to_owned));
            let count = kept.entry(lake).or_default();
            *count += 1;
            if keep.is_some_and(|keep| *count > keep.get()) {
                self.remove(&manifest_path(&manifest.id)).await?;
                pruned.snapshots.push(manifest.id);
            } else {
                named.extend(manifest.tables.into_values().flatten().map(|part| self.path(&part.path)));
            }
        }
        let old = |file: &ObjectMeta| now.signed_duration_since(file.last_modified) > YOUNG;
        for file in files.iter().filter(|file| old(file) && !named.contains(&file.location)) {
            self.remove_at(&file.location).await?;
            pruned.files += 1;
            pruned.bytes += file.size;
        }
        Ok(pruned)
    }

    async fn remove(&self, relative: &str) -> Result<(), StoreError> {
        self.remove_at(&self.path(relative)).await
    }

    async fn remove_at(&self, path: &object_store::path::Path) -> Result<(), StoreError> {
        match self.inner.objects.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(StoreError::Write { location: path.to_string(), source: Box::new(source) }),
        }
    }
}
