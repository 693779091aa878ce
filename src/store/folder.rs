//! A folder as an object store that survives a power cut: what was written is on the disk before it has its name.
//!
//! Reading and listing are the `object_store` crate's. Writing is ours, since the crate's does not sync. Files are
//! made for their owner only. Never changes a file in place.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};

use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// Whether what is written must outlive a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// File and folder are synced before a write is done.
    Synced,
    /// The folder is gone with the process anyway: a demo lake is hundreds of files.
    Temporary,
}

/// The local disk; paths are absolute, without the leading slash.
#[derive(Debug)]
pub struct Folder {
    disk: LocalFileSystem,
    drafts: PathBuf,
    durability: Durability,
}

impl Folder {
    /// Returns the disk, with unfinished files kept in `drafts` (which must be on the same disk as what is written).
    pub fn new(drafts: PathBuf, durability: Durability) -> Self {
        Folder { disk: LocalFileSystem::new(), drafts, durability }
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("folder")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Folder {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        if matches!(opts.mode, PutMode::Update(_)) {
            let operation = "conditional update".to_owned();
            return Err(Error::NotImplemented { operation, implementer: self.to_string() });
        }
        let target = self.disk.path_to_filesystem(location)?;
        let drafts = self.drafts.clone();
        let (create, durability) = (matches!(opts.mode, PutMode::Create), self.durability);
        let written = tokio::task::spawn_blocking(move || write(&drafts, &target, &payload, create, durability));
        let failed = |source| Error::Generic { store: "folder", source };
        match written.await.map_err(|panic| failed(panic.into()))? {
            Ok(()) => Ok(PutResult { e_tag: None, version: None }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::AlreadyExists { path: location.to_string(), source: error.into() })
            }
            Err(error) => Err(failed(error.into())),
        }
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotImplemented { operation: "multipart upload".to_owned(), implementer: self.to_string() })
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.disk.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.disk.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.disk.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.disk.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.disk.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.disk.copy_opts(from, to, options).await
    }
}

/// Writes and syncs a draft, then gives it its name and syncs the folder that holds the name. A draft that a crash
/// leaves behind is swept by `snapshots prune`.
fn write(
    drafts: &FilePath,
    target: &FilePath,
    payload: &PutPayload,
    create: bool,
    durability: Durability,
) -> io::Result<()> {
    let home = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
    for folder in [drafts, home] {
        private_folder(folder)?;
    }
    // A random name, made new and for its owner only: two processes can never write into one draft.
    let mut draft = tempfile::Builder::new().prefix("draft-").rand_bytes(16).tempfile_in(drafts)?;
    payload.iter().try_for_each(|chunk| draft.write_all(chunk))?;
    if durability == Durability::Synced {
        draft.as_file().sync_all()?;
    }
    if create {
        std::fs::hard_link(draft.path(), target)?;
    } else {
        draft.persist(target).map_err(|error| error.error)?;
    }
    if durability == Durability::Synced { sync_folder(home) } else { Ok(()) }
}

/// Makes the folder and those above it that are missing, for the owner only, each synced into its parent.
pub(super) fn private_folder(folder: &FilePath) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        private_folder(parent)?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Not "the object is there already": something else stands where the folder should be.
            if folder.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
        }
        Err(error) => Err(error),
        Ok(()) => folder.parent().map_or(Ok(()), sync_folder),
    }
}

/// Makes the file for its owner only.
pub(super) fn private_file(path: &FilePath) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn sync_folder(folder: &FilePath) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Other systems cannot open a folder to sync it.
#[cfg(not(unix))]
fn sync_folder(_: &FilePath) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;

    use super::*;

    async fn put(folder: &Folder, target: &FilePath, mode: PutMode) -> Result<PutResult> {
        let location = Path::from_absolute_path(target).unwrap();
        folder.put_opts(&location, "new".into(), PutOptions::from(mode)).await
    }

    #[tokio::test]
    async fn a_draft_that_somebody_left_is_never_written_into_and_none_of_ours_stays() {
        let home = tempfile::tempdir().unwrap();
        let drafts = home.path().join("drafts");
        let folder = Folder::new(drafts.clone(), Durability::Synced);
        std::fs::create_dir(&drafts).unwrap();
        // What an earlier process with the same number would have written.
        let left = drafts.join(format!("{}-0", std::process::id()));
        std::fs::write(&left, "left").unwrap();
        let target = home.path().join("tables/part");
        put(&folder, &target, PutMode::Overwrite).await.unwrap();
        put(&folder, &home.path().join("tables/other"), PutMode::Create).await.unwrap();
        assert_eq!(std::fs::read(&left).unwrap(), b"left");
        assert_eq!(std::fs::read_dir(&drafts).unwrap().count(), 1);
        let location = Path::from_absolute_path(&target).unwrap();
        assert_eq!(folder.get(&location).await.unwrap().bytes().await.unwrap(), "new");
    }

    #[tokio::test]
    async fn of_many_who_create_one_file_at_once_one_does() {
        let home = tempfile::tempdir().unwrap();
        let (one, two) = (
            Folder::new(home.path().join("drafts"), Durability::Synced),
            Folder::new(home.path().join("drafts"), Durability::Synced),
        );
        let target = home.path().join("runs/0001.json");
        let tries = (0..8).map(|n| put(if n % 2 == 0 { &one } else { &two }, &target, PutMode::Create));
        let done = futures::future::join_all(tries).await;
        assert_eq!(done.iter().filter(|result| result.is_ok()).count(), 1);
        assert!(done.iter().all(|result| matches!(result, Ok(_) | Err(Error::AlreadyExists { .. }))));
    }

    #[tokio::test]
    async fn a_file_in_the_place_of_a_folder_is_a_failure_and_not_a_file_that_is_there_already() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("drafts"), "").unwrap();
        let folder = Folder::new(home.path().join("drafts"), Durability::Synced);
        let error = put(&folder, &home.path().join("tables/part"), PutMode::Create).await.unwrap_err();
        assert!(!matches!(error, Error::AlreadyExists { .. }), "{error}");
    }
}
