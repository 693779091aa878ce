//! Snapshots on disk or S3: table declarations, parts, manifests.
//!
//! Parts are immutable Parquet files, shared between snapshots; a manifest names them and is written last.

pub mod batch;
pub mod table;
pub mod tables;

pub use table::{Column, Kind, Source, Table};
