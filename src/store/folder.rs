//! A folder as an object store that survives a power cut: what was written is on the disk before it has its name.
//!
//! Reading and listing are the `object_store` crate's. Writing is ours, since the crate's does not sync. Files are
//! made for their owner only. Never changes a file in place.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// The local disk; paths are absolute, without the leading slash.
#[derive(Debug)]
pub struct Folder {
    disk: LocalFileSystem,
    drafts: PathBuf,
    next: AtomicU64,
}

impl Folder {
    /// Returns the disk, with unfinished files kept in `drafts` (which must be on the same disk as what is written).
    pub fn new(drafts: PathBuf) -> Self {
        Folder { disk: LocalFileSystem::new(), drafts, next: AtomicU64::new(0) }
    }

    fn draft(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.drafts.join(format!("{}-{number}", std::process::id()))
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
        let draft = self.draft();
        let create = matches!(opts.mode, PutMode::Create);
        let written = tokio::task::spawn_blocking(move || {
            let done = write(&draft, &target, &payload, create);
            if done.is_err() || create {
                // A draft that stays behind is swept by `snapshots prune`.
                let _ = std::fs::remove_file(&draft);
            }
            done
        });
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

/// Writes and syncs `draft`, then gives it its name and syncs the folder that holds the name.
fn write(draft: &FilePath, target: &FilePath, payload: &PutPayload, create: bool) -> io::Result<()> {
    let home = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
    for folder in [draft.parent().ok_or(io::ErrorKind::InvalidInput)?, home] {
        private_folder(folder)?;
    }
    let mut file = private_file(draft)?;
    payload.iter().try_for_each(|chunk| file.write_all(chunk))?;
    file.sync_all()?;
    drop(file);
    if create {
        std::fs::hard_link(draft, target)?;
    } else {
        std::fs::rename(draft, target)?;
    }
    sync_folder(home)
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
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
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
