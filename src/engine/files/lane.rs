//! Files divided into lanes that are read side by side, each one file (or row group) after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray, new_null_array};
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;

use super::adapt::adapt;
use super::{Body, FileError, Files, Foreign, Opened, Type, csv, parquet};

/// One file, or one row group of it.
#[derive(Clone, Debug)]
struct Piece {
    /// Which of the files.
    file: usize,
    /// Which row group of a Parquet file.
    group: Option<usize>,
    bytes: u64,
}

/// Pieces that are read one after the other.
#[derive(Debug)]
struct Lane {
    foreign: &'static Foreign,
    /// Places of the wanted columns that the query needs.
    asked: Vec<usize>,
    schema: SchemaRef,
    objects: Arc<dyn ObjectStore>,
    opened: Arc<Vec<Opened>>,
    else_instants: BTreeMap<usize, i64>,
    pieces: Vec<Piece>,
}

/// Divides the files into at most `count` lanes of about the same size.
pub fn lanes(files: &Files, asked: &[usize], count: usize) -> Result<Vec<Arc<dyn PartitionStream>>> {
    let mut pieces: Vec<Piece> = files.opened.iter().enumerate().flat_map(|(at, file)| pieces(at, file)).collect();
    pieces.sort_by(|a, b| (b.bytes, a.file, a.group).cmp(&(a.bytes, b.file, b.group)));
    let mut shares: Vec<(u64, Vec<Piece>)> = vec![(0, Vec::new()); count.clamp(1, pieces.len().max(1))];
    for piece in pieces {
        let Some(least) = shares.iter_mut().min_by_key(|(bytes, _)| *bytes) else { break };
        least.0 += piece.bytes.max(1);
        least.1.push(piece);
    }
    let schema = Arc::new(files.schema.project(asked)?);
    let lane = |(_, mut pieces): (u64, Vec<Piece>)| {
        pieces.sort_by_key(|piece| (piece.file, piece.group));
        Arc::new(Lane {
            foreign: files.foreign,
            asked: asked.to_vec(),
            schema: Arc::clone(&schema),
            objects: Arc::clone(&files.objects),
            opened: Arc::clone(&files.opened),
            else_instants: files.else_instants.clone(),
            pieces,
        }) as Arc<dyn PartitionStream>
    };
    Ok(shares.into_iter().map(lane).collect())
}

fn pieces(at: usize, file: &Opened) -> Vec<Piece> {
    match &file.body {
        Body::Csv { bytes, .. } => vec![Piece { file: at, group: None, bytes: *bytes }],
        Body::Parquet(metadata) => {
            let groups = metadata.metadata().row_groups().iter().enumerate();
            let bytes = |group: &::parquet::file::metadata::RowGroupMetaData| u64::try_from(group.compressed_size());
            groups
                .map(|(group, meta)| Piece { file: at, group: Some(group), bytes: bytes(meta).unwrap_or_default() })
                .collect()
        }
    }
}

impl PartitionStream for Lane {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batch_rows = context.session_config().batch_size();
        let readers: Vec<Reader> = self.pieces.iter().map(|piece| Reader::new(self, piece, batch_rows)).collect();
        let read = futures::stream::iter(readers).then(Reader::open).try_flatten();
        let read = read.map_err(FileError::into_datafusion);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), read))
    }
}

/// What it takes to read one piece.
struct Reader {
    foreign: &'static Foreign,
    asked: Vec<usize>,
    schema: SchemaRef,
    objects: Arc<dyn ObjectStore>,
    opened: Arc<Vec<Opened>>,
    else_instants: BTreeMap<usize, i64>,
    piece: Piece,
    batch_rows: usize,
}

impl Reader {
    fn new(lane: &Lane, piece: &Piece, batch_rows: usize) -> Self {
        Reader {
            foreign: lane.foreign,
            asked: lane.asked.clone(),
            schema: Arc::clone(&lane.schema),
            objects: Arc::clone(&lane.objects),
            opened: Arc::clone(&lane.opened),
            else_instants: lane.else_instants.clone(),
            piece: piece.clone(),
            batch_rows,
        }
    }

    async fn open(self) -> Result<BoxStream<'static, Result<RecordBatch, FileError>>, FileError> {
        let opened = &self.opened[self.piece.file];
        let mut used: Vec<usize> = self.asked.iter().filter_map(|at| opened.places[*at]).collect();
        used.sort_unstable();
        used.dedup();
        let raw = match (&opened.body, self.piece.group) {
            (Body::Parquet(metadata), Some(group)) => {
                parquet::rows(&self.objects, &opened.file, metadata, group, &used, self.batch_rows)?
            }
            (Body::Csv { width, .. }, _) => {
                csv::rows(&self.objects, &opened.file, *width, &used, self.batch_rows).await?
            }
            (Body::Parquet(_), None) => futures::stream::empty().boxed(),
        };
        Ok(raw.map(move |batch| self.fit(&batch?, &used)).boxed())
    }

    /// Returns the values of a wanted column that the file lacks.
    fn lacking(&self, at: usize, rows: usize) -> ArrayRef {
        match self.else_instants.get(&at) {
            Some(instant) => Arc::new(TimestampMicrosecondArray::from_value(*instant, rows)),
            None => new_null_array(&Type::arrow(self.foreign.columns[at].kind), rows),
        }
    }

    /// Returns the wanted columns of a batch that holds the file's columns `used`.
    fn fit(&self, raw: &RecordBatch, used: &[usize]) -> Result<RecordBatch, FileError> {
        let opened = &self.opened[self.piece.file];
        let column = |at: &usize| -> Result<ArrayRef, FileError> {
            let (wanted, place) = (&self.foreign.columns[*at], opened.places[*at]);
            let place = place.and_then(|place| used.binary_search(&place).ok());
            let Some(array) = place.map(|place| raw.column(place)) else {
                return Ok(self.lacking(*at, raw.num_rows()));
            };
            let fitted = adapt(array, wanted.kind, self.foreign.null_words);
            fitted.map_err(|reason| FileError::new(&opened.file.shown, format!("column `{}`: {reason}", wanted.name)))
        };
        let columns = self.asked.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(raw.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
        batch.map_err(|error| FileError::new(&opened.file.shown, error))
    }
}
