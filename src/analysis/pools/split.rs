//! A bucket's bytes by state, as far as the sizes of old versions and unfinished uploads are known.

use std::collections::BTreeMap;

use super::super::storage::{BucketKey, STANDARD};
use crate::engine::{Engine, EngineError};

/// What is known of a bucket's states. `None` is unknown, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Bytes of noncurrent versions.
    pub noncurrent: Option<i64>,
    /// Bytes of unfinished uploads; a lower bound unless all of them were measured.
    pub incomplete: Option<i64>,
    /// True when `incomplete` is all of them.
    pub incomplete_whole: bool,
}

/// Bytes of one state and storage type of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub state: &'static str,
    pub storage_type: String,
    pub bytes: i64,
}

/// Reads what is known: Storage Lens first, else the sizes of listed parts; never versioned means no old versions.
pub(super) async fn known(engine: &Engine) -> Result<BTreeMap<BucketKey, Known>, EngineError> {
    let sql = "select b.account_id, b.region, b.bucket, b.versioning, b.noncurrent_bytes, b.incomplete_bytes, \
               b.upload_count, u.listed, u.measured, u.bytes from buckets b left join (\
               select account_id, region, bucket, count(*) as listed, count(bytes) as measured, sum(bytes) as bytes \
               from multipart_uploads group by 1, 2, 3) u \
               on u.account_id = b.account_id and u.region = b.region and u.bucket = b.bucket";
    let rows = engine.rows(sql).await?;
    let told = rows.iter().map(|row| {
        let never = (row.key("versioning") == "Never").then_some(0);
        let none = (row.int("upload_count") == Some(0)).then_some(0);
        let lens = row.int("incomplete_bytes");
        let (uploads, measured) = (row.int("upload_count"), row.int("measured"));
        let known = Known {
            noncurrent: row.int("noncurrent_bytes").or(never),
            incomplete: lens.or(none).or(row.int("bytes")),
            incomplete_whole: lens.or(none).is_some() || uploads.is_some() && uploads == measured,
        };
        (BucketKey::of(row), known)
    });
    Ok(told.collect())
}

/// Splits the sizes by state. Unfinished uploads are taken from Standard; old versions from every class in proportion,
/// since no free source says which class they are in.
pub(super) fn split(by_type: &BTreeMap<String, i64>, known: Known) -> Vec<Part> {
    let rest = if known.noncurrent.is_some() && known.incomplete_whole { "current" } else { "unsplit" };
    let uploads = known.incomplete.unwrap_or(0);
    let open = |name: &str, bytes: i64| if name == STANDARD { uploads.clamp(0, bytes.max(0)) } else { 0 };
    let finished: i64 = by_type.iter().map(|(name, bytes)| bytes - open(name, *bytes)).sum();
    let mut parts = Vec::new();
    for (name, bytes) in by_type {
        let incomplete = open(name, *bytes);
        let noncurrent = share(known.noncurrent.unwrap_or(0), bytes - incomplete, finished);
        let states = [("incomplete", incomplete), ("noncurrent", noncurrent), (rest, bytes - incomplete - noncurrent)];
        for (state, bytes) in states.into_iter().filter(|(_, bytes)| *bytes > 0) {
            parts.push(Part { state, storage_type: name.clone(), bytes });
        }
    }
    parts
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

    fn told(noncurrent: Option<i64>, incomplete: Option<i64>, whole: bool) -> Known {
        Known { noncurrent, incomplete, incomplete_whole: whole }
    }

    #[test]
    fn what_is_not_known_stays_unsplit_and_is_never_called_current() {
        for known in [told(None, Some(0), true), told(Some(0), None, false), told(Some(0), Some(GB), false)] {
            assert!(split(&types(9 * GB, 0), known).iter().all(|part| part.state != "current"), "{known:?}");
        }
        assert_eq!(split(&types(9 * GB, 0), told(Some(0), Some(0), true))[0].state, "current");
    }

    #[test]
    fn old_versions_are_spread_over_the_classes_and_uploads_are_in_standard() {
        let parts = split(&types(11 * GB, 10 * GB), told(Some(4 * GB), Some(GB), true));
        let bytes = |state: &str| parts.iter().filter(|p| p.state == state).map(|p| p.bytes / GB).collect::<Vec<_>>();
        assert_eq!((bytes("incomplete"), bytes("noncurrent"), bytes("current")), (vec![1], vec![2, 2], vec![8, 8]));
    }

    proptest! {
        #[test]
        fn the_parts_of_a_bucket_add_up_to_its_size(
            standard in 0..1_i64 << 50, ia in 0..1_i64 << 50,
            noncurrent in proptest::option::of(0..1_i64 << 51), incomplete in proptest::option::of(0..1_i64 << 51),
        ) {
            let parts = split(&types(standard, ia), told(noncurrent, incomplete, true));
            prop_assert!(parts.iter().all(|part| part.bytes > 0));
            prop_assert_eq!(parts.iter().map(|part| part.bytes).sum::<i64>(), standard + ia);
        }
    }
}
