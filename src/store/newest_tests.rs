//! Which of several snapshots is the newest.

use std::num::NonZeroUsize;

use super::tables::storage::BUCKETS;
use super::writer_tests::{bucket, head, memory};
use super::*;
use crate::model::{Coverage, CoverageState};

#[tokio::test]
async fn of_snapshots_of_one_instant_the_one_that_was_written_last_is_the_newest() {
    let (store, at) = (memory(), head("2026-11-24T07:00:00Z"));
    let mut written: Vec<String> = Vec::new();
    for count in 1..=6 {
        let base = store.base(&at).await.unwrap();
        assert_eq!(base.as_ref().map(|base| base.id().to_owned()), written.last().cloned());
        let mut writer = store.write(at.clone(), base.as_ref());
        writer.append(&BUCKETS, (0..count).map(|n| bucket(&format!("lake-{n}"))).collect()).unwrap();
        writer.cover(Coverage::new("buckets", "s3:ListBuckets", CoverageState::Seen).at("111122223333", None));
        written.push(writer.finish(Receipt::default(), false).await.unwrap().id().to_owned());
    }
    let newest = store.newest(&Filter::default()).await.unwrap();
    assert_eq!(newest.id(), written[5]);
    assert_eq!(store.previous(&newest).await.unwrap().unwrap().id(), written[4]);
    store.prune(NonZeroUsize::new(2), at.as_of).await.unwrap();
    let left: Vec<_> = store.list().await.unwrap().into_iter().map(|manifest| manifest.id).collect();
    assert_eq!(left, [written[5].as_str(), &written[4]]);
}
