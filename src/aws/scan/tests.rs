use std::sync::Arc;

use super::*;
use crate::aws::collect::READS;
use crate::aws::connector::{Allowlist, Fault, Role};
use crate::aws::session::Identity;
use crate::aws::stand_in::{answer, refusal, sdk, setup};
use crate::store::Filter;
use crate::store::tables::storage::BUCKETS;

const BUCKET: &str = "<ListAllMyBucketsResult><Buckets><Bucket><Name>lake</Name><BucketRegion>eu-west-1</BucketRegion>\
                      </Bucket></Buckets></ListAllMyBucketsResult>";

fn session(say: impl Fn(&str) -> Fault + Send + Sync + 'static) -> (Session, CancellationToken) {
    let allow = Allowlist::default().and(Role::Reading, READS.concat().iter().map(|read| read.operation));
    let mut setup = setup(allow);
    setup.faults = Some(Arc::new(move |call, _| Some(say(&call.operation))));
    let cancel = setup.cancel.clone();
    let connector = Connector::new(setup);
    let (account_id, arn) = ("111122223333".to_owned(), "arn:aws:iam::111122223333:user/u".to_owned());
    let identity = Identity { account_id, arn, partition: "aws".to_owned() };
    (Session { sdk: sdk(&connector), connector, identity, asked_regions: Vec::new() }, cancel)
}

fn order(only: &[Collector]) -> Order {
    let collectors = only.iter().copied().collect();
    Order { as_of: "2026-03-10T08:00:00Z".parse().unwrap(), collectors, options: Options::default() }
}

async fn run(session: &Session, store: &Store, order: &Order, cancel: CancellationToken) -> Result<Outcome, ScanError> {
    let (events, _heard) = mpsc::channel(8);
    scan(session, store, order, cancel, events).await
}

fn denied(operation: &str) -> Fault {
    if operation.starts_with("s3:") {
        return answer(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
    }
    refusal("AccessDeniedException", "no")
}

#[tokio::test]
async fn a_caller_who_may_read_nothing_gets_the_missing_actions_and_no_snapshot() {
    let (session, cancel) = session(denied);
    let store = Store::temporary().unwrap();
    let refused = run(&session, &store, &order(&[Collector::Bill, Collector::S3, Collector::Athena]), cancel).await;
    let Err(ScanError::AllDenied { missing, .. }) = refused else { panic!("{refused:?}") };
    assert!(missing.contains(&"ce:GetCostAndUsage".to_owned()) && missing.contains(&"s3:ListAllMyBuckets".to_owned()));
    assert!(store.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_denied_bill_leaves_a_gap_and_the_buckets_are_still_read() {
    let (session, cancel) = session(|operation| match operation {
        "s3:ListBuckets" => answer(200, BUCKET),
        other => denied(other),
    });
    let store = Store::temporary().unwrap();
    let outcome = run(&session, &store, &order(&Collector::ALL), cancel).await.unwrap();
    assert_eq!(outcome.snapshot.rows(&BUCKETS).await.unwrap()[0].key("bucket"), "lake");
    assert!(outcome.gaps.iter().any(|gap| gap.table == "costs" && gap.missing_action.is_some()));
    assert!(outcome.gaps.iter().any(|gap| gap.region.as_deref() == Some("eu-west-1")), "the bucket's Region is read");
}

#[tokio::test]
async fn after_ctrl_c_what_was_read_is_kept_and_marked() {
    let stop = CancellationToken::new();
    let pressed = stop.clone();
    let (session, cancel) = session(move |operation| match operation {
        "s3:ListBuckets" => {
            pressed.cancel();
            answer(200, BUCKET)
        }
        other => denied(other),
    });
    let forwarded = cancel.clone();
    let forward = tokio::spawn(async move {
        stop.cancelled().await;
        forwarded.cancel();
    });
    let store = Store::temporary().unwrap();
    let outcome = run(&session, &store, &order(&[Collector::S3, Collector::Athena]), cancel).await.unwrap();
    forward.await.unwrap();
    assert!(outcome.interrupted && store.newest(&Filter::default()).await.unwrap().manifest.interrupted);
    assert_eq!(outcome.snapshot.manifest.rows("buckets"), 1);
}

#[tokio::test]
async fn tables_that_nobody_asked_for_come_over_from_the_last_scan() {
    let (session, cancel) = session(|operation| match operation {
        "s3:ListBuckets" => answer(200, BUCKET),
        "athena:ListWorkGroups" => answer(200, "{\"WorkGroups\": []}"),
        other => denied(other),
    });
    let store = Store::temporary().unwrap();
    run(&session, &store, &order(&[Collector::S3]), cancel.clone()).await.unwrap();
    let second = run(&session, &store, &order(&[Collector::Athena]), cancel).await.unwrap();
    assert_eq!(second.snapshot.manifest.rows("buckets"), 1);
    assert!(second.gaps.iter().all(|gap| gap.region.as_deref() != Some("us-east-1")), "Regions are the known ones");
}

#[tokio::test]
async fn a_collector_that_panics_leaves_gaps() {
    let (session, cancel) = session(denied);
    let store = Store::temporary().unwrap();
    let (scope, _) = prepare(&session, &store, &order(&Collector::ALL)).await.unwrap();
    let (sink, mut pieces) = Sink::reporting(mpsc::channel(8).0, cancel);
    let broken = |_: Scope, _: Sink| async { panic!("a mistake") };
    assert_eq!(guarded::<(), _>(Collector::Bill, &scope, &sink, broken).await, None);
    drop(sink);
    let mut tables = BTreeSet::new();
    while let Some(Piece::Cover(gap)) = pieces.recv().await {
        tables.extend(gap.is_gap().then_some(gap.table));
    }
    assert_eq!(tables.len(), 3);
}
