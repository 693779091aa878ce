//! Bytes of an object over connections that may break: read on where one did, and never taken for whole when they are
//! not. Writes nothing.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, Result};

/// Times that a broken answer is asked for again before the file counts as unreadable.
const TRIES: usize = 3;

/// An object's bytes from the first to the last.
pub struct Fetch {
    objects: Arc<dyn ObjectStore>,
    path: Path,
    /// What the object was at the first byte: the rest of another one is not its rest.
    e_tag: Option<String>,
    size: u64,
    taken: u64,
    broken: usize,
    arriving: BoxStream<'static, Result<Bytes>>,
}

impl Fetch {
    /// Asks for the object.
    ///
    /// # Errors
    /// It is not there, or may not be read.
    pub async fn open(objects: &Arc<dyn ObjectStore>, path: &Path) -> Result<Fetch> {
        let got = objects.get(path).await?;
        let (size, e_tag) = (got.meta.size, got.meta.e_tag.clone());
        let (objects, path, arriving) = (Arc::clone(objects), path.clone(), got.into_stream());
        Ok(Fetch { objects, path, e_tag, size, taken: 0, broken: 0, arriving })
    }

    /// Returns the size of the whole object in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the next bytes; `None` only after the last of them.
    ///
    /// # Errors
    /// The connection breaks again and again, or the object changed meanwhile.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let why = match self.arriving.try_next().await {
                Ok(Some(more)) if more.is_empty() => continue,
                Ok(Some(more)) => {
                    self.taken += more.len() as u64;
                    return Ok(Some(more));
                }
                Ok(None) if self.taken >= self.size => return Ok(None),
                Ok(None) => short(self.taken, self.size),
                Err(error) => error,
            };
            self.resume(why).await?;
        }
    }

    async fn resume(&mut self, why: Error) -> Result<()> {
        self.broken += 1;
        if self.broken > TRIES || !is_passing(&why) {
            return Err(why);
        }
        let options = GetOptions {
            range: Some(GetRange::Offset(self.taken)),
            if_match: self.e_tag.clone(),
            ..GetOptions::default()
        };
        self.arriving = self.objects.get_opts(&self.path, options).await?.into_stream();
        Ok(())
    }
}

/// Returns the bytes of a range, all of them.
///
/// # Errors
/// As [`Fetch::next`].
pub async fn range(objects: &Arc<dyn ObjectStore>, path: &Path, range: Range<u64>) -> Result<Bytes> {
    let wanted = range.end - range.start;
    let mut tries = 0;
    loop {
        tries += 1;
        let why = match objects.get_range(path, range.clone()).await {
            Ok(bytes) if bytes.len() as u64 == wanted => return Ok(bytes),
            Ok(bytes) => short(bytes.len() as u64, wanted),
            Err(error) => error,
        };
        if tries > TRIES || !is_passing(&why) {
            return Err(why);
        }
    }
}

/// True where asking again may help.
fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Generic { .. })
}

fn short(arrived: u64, wanted: u64) -> Error {
    let source = format!("the answer broke off after {arrived} of {wanted} bytes").into();
    Error::Generic { store: "file", source }
}
