//! S3: what buckets hold, by state and storage type; and where the bill's other charges of a bucket hang.

use super::charged::Place;
use super::leaf::Leaf;
use super::split;
use crate::analysis::Given;
use crate::analysis::storage::sizes;
use crate::engine::EngineError;
use crate::model::storage_type::STORAGE_TYPES;

/// Leaves of the buckets: each storage type of each bucket, split by state as far as sizes are known.
pub(super) async fn leaves(given: Given<'_>) -> Result<Vec<Leaf>, EngineError> {
    let known = split::known(given.engine).await?;
    let mut leaves = Vec::new();
    for (key, size) in sizes(given.engine, given.as_of).await? {
        let nothing = split::Known::default();
        for part in split::split(&size.by_type, known.get(&key).unwrap_or(&nothing)) {
            leaves.push(Leaf::stored(&key, &part, size.day));
        }
    }
    Ok(leaves)
}

/// Requests, transfer and fees stand beside the bucket's storage, not under it: what cuts bytes cuts none of these.
/// Storage of a bucket that was measured, in a class that it holds no more, is a fee of the past too.
pub(super) fn place(usage_type: &str, measured: bool) -> Place {
    let kind = STORAGE_TYPES.iter().find(|kind| kind.usage_type == usage_type);
    if let Some(kind) = kind.filter(|_| !measured) {
        return Place { root: "s3", class: kind.class, storage_type: kind.name };
    }
    if usage_type.starts_with("Requests-") {
        return Place::at("s3-requests");
    }
    let moved = ["In-Bytes", "Out-Bytes", "In-ABytes", "Out-ABytes"].iter().any(|end| usage_type.ends_with(end));
    Place::at(if moved { "s3-transfer" } else { "s3-fees" })
}
