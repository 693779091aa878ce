//! Rows of a foreign CSV file, as text, as the bytes arrive. Decodes the columns that it is told to.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::csv::ReaderBuilder;
use arrow::csv::reader::{Decoder, Format as Grammar};
use arrow::datatypes::{DataType, Field, Schema};
use bytes::{Buf, Bytes};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::{ObjectStore, ObjectStoreExt};

use super::fetch::Fetch;
use super::gzip::{Gunzip, PIECE};
use super::quotes::Quotes;
use super::{FileError, ForeignFile, Format};

/// The longest header that is looked for, in bytes.
const LONGEST_HEADER: usize = 4 << 20;

/// Returns the names of the columns and the bytes of the file. Of a file without a header, `columns` are its names.
pub async fn header(
    objects: &Arc<dyn ObjectStore>,
    file: &ForeignFile,
    gzip: bool,
    columns: Option<&[String]>,
) -> Result<(Vec<String>, u64), FileError> {
    if let Some(columns) = columns {
        let meta = objects.head(&file.path).await.map_err(|error| FileError::of_store(&file.shown, &error))?;
        return Ok((columns.to_vec(), meta.size));
    }
    let (mut text, bytes) = Text::open(objects, file, gzip).await?;
    let mut first = Vec::new();
    while line_end(&first).is_none() && first.len() < LONGEST_HEADER {
        match text.next().await? {
            Some(more) => first.extend(more),
            None => break,
        }
    }
    let line = &first[..line_end(&first).unwrap_or(first.len())];
    let line = line.strip_prefix(b"\xef\xbb\xbf".as_slice()).unwrap_or(line);
    if line.is_empty() {
        return Err(FileError::new(&file.shown, "it is empty: not even a header"));
    }
    let (schema, _) = Grammar::default()
        .with_header(true)
        .infer_schema(line, Some(0))
        .map_err(|error| FileError::new(&file.shown, error))?;
    Ok((schema.fields().iter().map(|field| field.name().clone()).collect(), bytes))
}

/// Returns the place after the first line, whose quoted names may hold line breaks.
fn line_end(text: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let ends = text.iter().position(|byte| {
        quoted ^= *byte == b'"';
        *byte == b'\n' && !quoted
    });
    ends.map(|at| at + 1)
}

/// Returns the columns `used` of the file, in its order.
pub async fn rows(
    objects: &Arc<dyn ObjectStore>,
    file: &ForeignFile,
    width: usize,
    used: &[usize],
    batch_rows: usize,
) -> Result<BoxStream<'static, Result<RecordBatch, FileError>>, FileError> {
    let Format::Csv { gzip, columns } = &file.format else { return Ok(futures::stream::empty().boxed()) };
    let (text, _) = Text::open(objects, file, *gzip).await?;
    let fields: Vec<Field> = (0..width).map(|at| Field::new(format!("c{at}"), DataType::Utf8, true)).collect();
    let decoder = ReaderBuilder::new(Arc::new(Schema::new(fields)))
        .with_header(columns.is_none())
        .with_projection(used.to_vec())
        .with_batch_size(batch_rows)
        .build_decoder();
    let lines = Lines { text, quotes: Quotes::new(), decoder, held: Bytes::new(), ended: false };
    let batches =
        futures::stream::try_unfold(
            lines,
            |mut lines| async move { Ok(lines.next().await?.map(|batch| (batch, lines))) },
        );
    Ok(batches.boxed())
}

/// Lines of a file on their way into batches.
struct Lines {
    text: Text,
    quotes: Quotes,
    decoder: Decoder,
    held: Bytes,
    ended: bool,
}

impl Lines {
    async fn next(&mut self) -> Result<Option<RecordBatch>, FileError> {
        loop {
            if self.held.is_empty() && !self.ended {
                if let Some(more) = self.text.next().await? {
                    self.quotes.feed(&more).map_err(|why| FileError::new(&self.text.shown, why))?;
                    self.held = more.into();
                } else {
                    self.quotes.end().map_err(|why| FileError::new(&self.text.shown, why))?;
                    self.ended = true;
                }
            }
            if self.held.is_empty() && !self.ended {
                continue;
            }
            let taken = self.decoder.decode(&self.held).map_err(|error| self.text.refused(&error))?;
            self.held.advance(taken);
            // Nothing taken: the batch is full, or this is the end.
            if taken == 0 {
                let batch = self.decoder.flush().map_err(|error| self.text.refused(&error))?;
                if batch.is_some() || self.ended {
                    return Ok(batch);
                }
            }
        }
    }
}

/// The bytes of a file as they are meant: without gzip.
struct Text {
    shown: String,
    source: Fetch,
    gunzip: Option<Gunzip>,
    /// Bytes that arrived and were not taken yet.
    arrived: Bytes,
}

impl Text {
    async fn open(objects: &Arc<dyn ObjectStore>, file: &ForeignFile, gzip: bool) -> Result<(Text, u64), FileError> {
        let source =
            Fetch::open(objects, &file.path).await.map_err(|error| FileError::of_store(&file.shown, &error))?;
        let (bytes, gunzip) = (source.size(), gzip.then(Gunzip::new));
        Ok((Text { shown: file.shown.clone(), source, gunzip, arrived: Bytes::new() }, bytes))
    }

    /// Returns the next bytes, maybe none yet; `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, FileError> {
        if self.arrived.is_empty() {
            let more = self.source.next().await.map_err(|error| FileError::of_store(&self.shown, &error))?;
            let Some(more) = more else { return self.end() };
            self.arrived = more;
        }
        let Some(gunzip) = &mut self.gunzip else { return Ok(Some(std::mem::take(&mut self.arrived).to_vec())) };
        let piece = self.arrived.split_to(PIECE.min(self.arrived.len()));
        gunzip.feed(&piece).map(Some).map_err(|error| damaged(&self.shown, &error))
    }

    fn end(&mut self) -> Result<Option<Vec<u8>>, FileError> {
        let Some(mut gunzip) = self.gunzip.take() else { return Ok(None) };
        gunzip.finish().map(Some).map_err(|error| damaged(&self.shown, &error))
    }

    fn refused(&self, error: &arrow::error::ArrowError) -> FileError {
        FileError::new(&self.shown, error)
    }
}

fn damaged(shown: &str, error: &std::io::Error) -> FileError {
    FileError::new(shown, format!("its gzip is damaged or was cut short ({error})"))
}
