//! Rows of a foreign Parquet file, a row group at a time. Decodes the columns that it is told to, as they are written.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, OBJECT_STORE_COALESCE_DEFAULT, ObjectStore, coalesce_ranges};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::{AsyncFileReader, MetadataSuffixFetch};
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

/// Bytes at the end of a file that are read first: most footers are within.
const FOOTER: usize = 256 * 1024;

use super::{FileError, ForeignFile, fetch};

/// Reads the footer.
pub async fn metadata(objects: &Arc<dyn ObjectStore>, file: &ForeignFile) -> Result<ArrowReaderMetadata, FileError> {
    let mut reader = reader(objects, file);
    // What a writer noted about Arrow types says how it held the values, not what they are.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    ArrowReaderMetadata::load_async(&mut reader, options).await.map_err(|error| refused(file, &error))
}

/// Returns the columns `used` of one row group, in the order of the file.
pub fn rows(
    objects: &Arc<dyn ObjectStore>,
    file: &ForeignFile,
    metadata: &ArrowReaderMetadata,
    group: usize,
    used: &[usize],
    batch_rows: usize,
) -> Result<BoxStream<'static, Result<RecordBatch, FileError>>, FileError> {
    let mask = ProjectionMask::roots(metadata.parquet_schema(), used.iter().copied());
    let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(reader(objects, file), metadata.clone());
    let builder = builder.with_projection(mask).with_row_groups(vec![group]).with_batch_size(batch_rows);
    let stream = builder.build().map_err(|error| refused(file, &error))?;
    let file = file.clone();
    Ok(stream.map_err(move |error| refused(&file, &error)).boxed())
}

fn reader(objects: &Arc<dyn ObjectStore>, file: &ForeignFile) -> Bits {
    Bits { objects: Arc::clone(objects), path: file.path.clone() }
}

/// The bytes of one file.
struct Bits {
    objects: Arc<dyn ObjectStore>,
    path: Path,
}

impl AsyncFileReader for Bits {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move { Ok(fetch::range(&self.objects, &self.path, range).await?) }.boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move {
            let Bits { objects, path } = &*self;
            let fetch = |range| fetch::range(objects, path, range);
            // What lies near each other is one request, as an object store does it.
            Ok(coalesce_ranges(&ranges, fetch, OBJECT_STORE_COALESCE_DEFAULT).await?)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let options = options.map(|options| options.metadata_options().clone());
        let reader = ParquetMetaDataReader::new().with_metadata_options(options).with_prefetch_hint(Some(FOOTER));
        async move { Ok(Arc::new(reader.load_via_suffix_and_finish(self).await?)) }.boxed()
    }
}

impl MetadataSuffixFetch for &mut Bits {
    fn fetch_suffix(&mut self, suffix: usize) -> BoxFuture<'_, ParquetResult<Bytes>> {
        let range = Some(GetRange::Suffix(suffix as u64));
        async move {
            let end = self.objects.get_opts(&self.path, GetOptions { range, ..GetOptions::default() }).await?;
            Ok(end.bytes().await?)
        }
        .boxed()
    }
}

fn refused(file: &ForeignFile, error: &ParquetError) -> FileError {
    if let ParquetError::External(cause) = error
        && let Some(error) = cause.downcast_ref::<object_store::Error>()
    {
        return FileError::of_store(&file.shown, error);
    }
    FileError::new(&file.shown, error)
}
