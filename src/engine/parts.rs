//! A table over the parts of one snapshot. Lists nothing: the manifest says which files and how long they are.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::{MemTable, TableType};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::{ExecutionPlan, collect};
use object_store::ObjectMeta;
use tokio::sync::OnceCell;

use crate::store::{Part, Snapshot, Table};

/// A table whose parts are no larger together is read once and held: an assessment asks some thirty questions, and to
/// open hundreds of small files for each costs more than the answer. In bytes, compressed; larger tables are streamed.
const HELD_BYTES: u64 = 16 << 20;

/// Under which name the engine knows the snapshot's object store.
const STORE_URL: &str = "leanlake://store";

/// Returns the name of the snapshot's object store.
pub(super) fn store_url() -> Result<ObjectStoreUrl, DataFusionError> {
    ObjectStoreUrl::parse(STORE_URL)
}

/// True when the query failed while a part was read, not while it was computed.
pub(super) fn is_reading(error: &DataFusionError) -> bool {
    matches!(
        error.find_root(),
        DataFusionError::ParquetError(_)
            | DataFusionError::ObjectStore(_)
            | DataFusionError::IoError(_)
            | DataFusionError::ArrowError(_, _)
            | DataFusionError::External(_)
    )
}

/// The parts of one table. A column that a part lacks, because it is older, reads as NULL.
#[derive(Debug)]
pub(super) struct Parts {
    schema: SchemaRef,
    files: Vec<PartitionedFile>,
    bytes: u64,
    held: OnceCell<MemTable>,
}

impl Parts {
    /// Returns the table's parts in `snapshot`.
    pub(super) fn of(table: &Table, snapshot: &Snapshot) -> Parts {
        let file = |part: &Part| {
            PartitionedFile::new_from_meta(ObjectMeta {
                location: snapshot.store.path(&part.path),
                last_modified: part.read_at,
                size: part.bytes,
                e_tag: None,
                version: None,
            })
        };
        let parts = snapshot.parts(table.name);
        Parts {
            schema: table.schema(),
            files: parts.iter().map(file).collect(),
            bytes: parts.iter().map(|part| part.bytes).sum(),
            held: OnceCell::new(),
        }
    }

    async fn hold(&self, state: &dyn Session) -> Result<MemTable> {
        let batches = collect(self.stream(state, None, &[], None)?, state.task_ctx()).await?;
        MemTable::try_new(Arc::clone(&self.schema), vec![batches])
    }

    fn stream(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut source = ParquetSource::new(Arc::clone(&self.schema));
        if let Some(filter) = conjunction(filters.to_vec()) {
            let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
            source = source.with_predicate(state.create_physical_expr(filter, &schema)?);
        }
        let lanes = FileGroup::new(self.files.clone()).split_files(state.config().target_partitions());
        let scan = FileScanConfigBuilder::new(store_url()?, Arc::new(source))
            .with_file_groups(lanes)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit.filter(|_| filters.is_empty()))
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}

#[async_trait::async_trait]
impl TableProvider for Parts {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if self.bytes > HELD_BYTES {
            return self.stream(state, projection, filters, limit);
        }
        let held = self.held.get_or_try_init(|| self.hold(state)).await?;
        held.scan(state, projection, filters, limit).await
    }

    /// Filters skip whole row groups; the rows that are left are filtered again above.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}
