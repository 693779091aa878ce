//! Files that others wrote: a folder or one file, on disk or in an object store. Only ever listed and read.

use std::fmt;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::StoreError;
use crate::model::text::terminal;

/// What stands in a path for a folder without a name: a key in S3 may hold `//`, a path may not.
pub const NAMELESS: &str = "%(empty)";

/// A folder or a file of somebody else's.
#[derive(Clone)]
pub struct Place {
    objects: Arc<dyn ObjectStore>,
    root: Path,
    shown: String,
}

impl Place {
    /// Returns the folder or file at `path` of the local disk.
    ///
    /// # Errors
    /// There is nothing there, or it may not be looked at.
    pub fn local(path: &FilePath) -> Result<Place, StoreError> {
        let shown = terminal(&path.to_string_lossy());
        let refuse = |error: &dyn fmt::Display| StoreError::Place { place: shown.clone(), reason: error.to_string() };
        let absolute = path.canonicalize().map_err(|error| refuse(&error))?;
        let root = Path::from_absolute_path(&absolute).map_err(|error| refuse(&error))?;
        Ok(Place { objects: Arc::new(LocalFileSystem::new()), root, shown })
    }

    /// Returns what is below (or at) `root` of an object store; `shown` is what people call it.
    pub fn on(objects: Arc<dyn ObjectStore>, root: Path, shown: &str) -> Place {
        Place { objects, root, shown: terminal(shown.trim_end_matches('/')) }
    }

    /// Returns the object store that it is in.
    pub fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.objects)
    }

    /// Returns what people call it, safe for a terminal.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns what people call a file in it, safe for a terminal.
    pub fn show(&self, file: &Path) -> String {
        self.show_below(self.within(file))
    }

    /// Returns what people call the file or folder at a path below the place, safe for a terminal.
    pub fn show_below(&self, below: &str) -> String {
        let folder = self.shown.trim_end_matches('/');
        if below.is_empty() { folder.to_owned() } else { format!("{folder}/{}", terminal(below)) }
    }

    /// Returns the path of a file below the place; of the place itself, its name.
    pub fn below<'a>(&self, file: &'a Path) -> &'a str {
        match self.within(file) {
            "" => file.as_ref().rsplit('/').next().unwrap_or_default(),
            below => below,
        }
    }

    /// Returns the name of the place's own folder.
    pub fn name(&self) -> &str {
        self.root.as_ref().rsplit('/').next().unwrap_or_default()
    }

    fn within<'a>(&self, file: &'a Path) -> &'a str {
        file.as_ref().strip_prefix(self.root.as_ref()).unwrap_or(file.as_ref()).trim_start_matches('/')
    }

    /// Returns the files, in order of their paths; the file itself where the place is one.
    ///
    /// # Errors
    /// It cannot be listed, or there is nothing.
    pub async fn files(&self) -> Result<Vec<ObjectMeta>, StoreError> {
        let refuse =
            |source: object_store::Error| StoreError::Read { location: self.shown.clone(), source: Box::new(source) };
        // A name is asked for before a listing: of a file on disk a listing is an error.
        if let Ok(file) = self.objects.head(&self.root).await {
            return Ok(vec![file]);
        }
        let mut files: Vec<ObjectMeta> = self.objects.list(Some(&self.root)).try_collect().await.map_err(refuse)?;
        files.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(files)
    }

    /// Returns the bytes of a small file.
    ///
    /// # Errors
    /// It is missing, or cannot be read.
    pub async fn read(&self, file: &Path) -> Result<Bytes, StoreError> {
        let refuse = |source| StoreError::Read { location: self.show(file), source: Box::new(source) };
        self.objects.get(file).await.map_err(refuse)?.bytes().await.map_err(refuse)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.shown).finish()
    }
}
