//! A bucket's bytes by state, as far as the sizes of old versions and unfinished uploads are known.

use std::collections::BTreeMap;

use super::super::storage::{BucketKey, STANDARD};
use crate::engine::{Engine, EngineError};

/// What is known of a bucket's states. `None` is unknown, never 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Bytes of noncurrent versions.
    pub noncurrent: Option<i64>,
    /// Bytes of unfinished uploads by the storage type that holds their parts; known only when all were measured.
    pub incomplete: Option<BTreeMap<&'static str, i64>>,
}

/// Bytes of one state and storage type of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub state: &'static str,
    pub storage_type: String,
    pub bytes: i64,
}

/// Uploads of each bucket and class. A bucket whose listing was cut has more than these.
const UPLOADS: &str = "select u.account_id, u.region, u.bucket, u.storage_class, count(*) as listed, \
    count(u.bytes) as measured, sum(u.bytes) as bytes, count(c.resource) as cut from multipart_uploads u \
    left join (select distinct account_id, region, resource from coverage where table_name = 'multipart_uploads' \
    and read = 's3:ListMultipartUploads' and state <> 'seen' and resource is not null) c \
    on c.account_id = u.account_id and c.region = u.region and c.resource = u.bucket group by 1, 2, 3, 4";

/// Reads what is known: the sizes of all listed parts, else Storage Lens; never versioned means no old versions.
pub(super) async fn known(engine: &Engine) -> Result<BTreeMap<BucketKey, Known>, EngineError> {
    let mut measured = measured(engine).await?;
    let sql =
        "select account_id, region, bucket, versioning, noncurrent_bytes, incomplete_bytes, upload_count from buckets";
    let rows = engine.rows(sql).await?;
    let told = rows.iter().map(|row| {
        let key = BucketKey::of(row);
        let never = (row.key("versioning") == "Never").then_some(0);
        let none = (row.int("upload_count") == Some(0)).then(BTreeMap::new);
        let lens = row.int("incomplete_bytes").map(|bytes| BTreeMap::from([(STANDARD, bytes)]));
        let incomplete = measured.remove(&key).flatten().or(none).or(lens);
        (key, Known { noncurrent: row.int("noncurrent_bytes").or(never), incomplete })
    });
    Ok(told.collect())
}

/// Bytes of unfinished uploads by storage type; `None` for a bucket where not all of them were measured.
async fn measured(engine: &Engine) -> Result<BTreeMap<BucketKey, Option<BTreeMap<&'static str, i64>>>, EngineError> {
    let mut found: BTreeMap<BucketKey, Option<BTreeMap<&'static str, i64>>> = BTreeMap::new();
    for row in engine.rows(UPLOADS).await? {
        let whole = row.int("measured") == row.int("listed") && row.int("cut") == Some(0);
        let bytes = row.int("bytes").filter(|_| whole);
        let bucket = found.entry(BucketKey::of(&row)).or_insert_with(|| Some(BTreeMap::new()));
        *bucket = bucket.take().zip(bytes).map(|(mut by_type, bytes)| {
            *by_type.entry(parts_of(row.key("storage_class"))).or_default() += bytes;
            by_type
        });
    }
    Ok(found)
}

/// The storage type of the parts of an upload into a class: that of the class, for the archive classes the one in
/// which parts wait (S3 User Guide, "Multipart upload and pricing").
fn parts_of(class: &str) -> &'static str {
    match class {
        "STANDARD_IA" => "StandardIAStorage",
        "ONEZONE_IA" => "OneZoneIAStorage",
        "INTELLIGENT_TIERING" => "IntelligentTieringFAStorage",
        "GLACIER_IR" => "GlacierInstantRetrievalStorage",
        "GLACIER" => "GlacierStagingStorage",
        "DEEP_ARCHIVE" => "DeepArchiveStagingStorage",
        _ => STANDARD,
    }
}

/// Splits the sizes by state. Unfinished uploads are taken from the type of their class, and from Standard what is
/// not there; old versions from every class in proportion, since no free source says which class they are in.
/// What is known in part is not split off: a part of the uploads would bound all of them.
pub(super) fn split(by_type: &BTreeMap<String, i64>, known: &Known) -> Vec<Part> {
    let rest = if known.noncurrent.is_some() && known.incomplete.is_some() { "current" } else { "unsplit" };
    let open = open(by_type, known.incomplete.as_ref());
    let open = |name: &str| open.get(name).copied().unwrap_or(0);
    let finished: i64 = by_type.iter().map(|(name, bytes)| bytes - open(name)).sum();
    let mut parts = Vec::new();
    for (name, bytes) in by_type {
        let incomplete = open(name);
        let noncurrent = share(known.noncurrent.unwrap_or(0), bytes - incomplete, finished);
        let states = [("incomplete", incomplete), ("noncurrent", noncurrent), (rest, bytes - incomplete - noncurrent)];
        for (state, bytes) in states.into_iter().filter(|(_, bytes)| *bytes > 0) {
            parts.push(Part { state, storage_type: name.clone(), bytes });
        }
    }
    parts
}

/// Bytes of unfinished uploads in each storage type, never more than the type holds.
fn open<'a>(
    by_type: &'a BTreeMap<String, i64>,
    uploads: Option<&BTreeMap<&'static str, i64>>,
) -> BTreeMap<&'a str, i64> {
    let wanted = |name: &str| uploads.and_then(|uploads| uploads.get(name)).copied().unwrap_or(0);
    let taken = |(name, bytes): (&'a String, &i64)| (name.as_str(), wanted(name).clamp(0, (*bytes).max(0)));
    let mut open: BTreeMap<&str, i64> = by_type.iter().map(taken).collect();
    let all: i64 = uploads.into_iter().flat_map(BTreeMap::values).map(|bytes| (*bytes).max(0)).sum();
    let left = all - open.values().sum::<i64>();
    if let (Some(open), Some(bytes)) = (open.get_mut(STANDARD), by_type.get(STANDARD)) {
        *open = (*open + left).clamp(0, (*bytes).max(0));
    }
    open
}

/// `amount` × `part` ÷ `whole`, rounded down and never more than `part`.
fn share(amount: i64, part: i64, whole: i64) -> i64 {
    if whole <= 0 {
        return 0;
    }
    let exact = i128::from(amount) * i128::from(part) / i128::from(whole);
    i64::try_from(exact).unwrap_or(part).clamp(0, part.max(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GB: i64 = 1 << 30;

    fn types(standard: i64, ia: i64) -> BTreeMap<String, i64> {
        BTreeMap::from([(STANDARD.to_owned(), standard), ("StandardIAStorage".to_owned(), ia)])
    }

    fn told(noncurrent: Option<i64>, incomplete: Option<&[(&'static str, i64)]>) -> Known {
        Known { noncurrent, incomplete: incomplete.map(|by_type| by_type.iter().copied().collect()) }
    }

    #[test]
    fn what_is_not_known_stays_unsplit_and_is_never_called_current() {
        for known in [told(None, Some(&[])), told(Some(0), None), told(None, None)] {
            assert!(split(&types(9 * GB, 0), &known).iter().all(|part| part.state == "unsplit"), "{known:?}");
        }
        assert_eq!(split(&types(9 * GB, 0), &told(Some(0), Some(&[])))[0].state, "current");
    }

    #[test]
    fn old_versions_are_spread_over_the_classes_and_uploads_are_in_their_own() {
        let uploads = [(STANDARD, GB), ("StandardIAStorage", 2 * GB)];
        let parts = split(&types(11 * GB, 12 * GB), &told(Some(4 * GB), Some(&uploads)));
        let bytes = |state: &str| parts.iter().filter(|p| p.state == state).map(|p| p.bytes / GB).collect::<Vec<_>>();
        assert_eq!((bytes("incomplete"), bytes("noncurrent"), bytes("current")), (vec![2, 1], vec![2, 2], vec![8, 8]));
    }

    #[test]
    fn uploads_into_a_class_that_no_size_shows_are_taken_from_standard() {
        let parts = split(&types(11 * GB, 0), &told(Some(0), Some(&[("GlacierStagingStorage", 3 * GB)])));
        let open = parts.iter().find(|part| part.state == "incomplete").unwrap();
        assert_eq!((open.storage_type.as_str(), open.bytes), (STANDARD, 3 * GB));
    }

    proptest! {
        #[test]
        fn the_parts_of_a_bucket_add_up_to_its_size(
            standard in 0..1_i64 << 50, ia in 0..1_i64 << 50,
            noncurrent in proptest::option::of(0..1_i64 << 51), incomplete in proptest::option::of(0..1_i64 << 51),
        ) {
            let uploads = incomplete.map(|bytes| [(STANDARD, bytes / 2), ("StandardIAStorage", bytes / 2)]);
            let parts = split(&types(standard, ia), &told(noncurrent, uploads.as_ref().map(<[_; 2]>::as_slice)));
            prop_assert!(parts.iter().all(|part| part.bytes > 0));
            prop_assert_eq!(parts.iter().map(|part| part.bytes).sum::<i64>(), standard + ia);
        }
    }
}
