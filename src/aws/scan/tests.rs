use std::sync::Arc;
use std::time::Duration;

use super::guard::TO_END;
use super::*;
use crate::aws::collect::{Piece, READS};
use crate::aws::connector::{Allowlist, Connector, Fault, Role};
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
    let as_of = "2026-03-10T08:00:00Z".parse().unwrap();
    let (accounts, options) = (Accounts::Own, Options::default());
    Order {
        as_of,
        collectors,
        accounts,
        role: None,
        all: false,
        bills: Vec::new(),
        lens: Vec::new(),
        inventories: Vec::new(),
        runner: Runner::Here,
        options,
    }
}

async fn run(session: &Session, store: &Store, order: &Order, cancel: CancellationToken) -> Result<Outcome, ScanError> {
    let (events, _heard) = mpsc::channel(8);
    scan(session, store, order, cancel, events).await
}

fn denied(operation: &str) -> Fault {
    if operation.starts_with("s3:") {
        return answer(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
    }
    if operation.starts_with("s3control:") {
        let error = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
        return answer(403, &format!("<ErrorResponse>{error}</ErrorResponse>"));
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
    let declared: BTreeSet<String> = Collector::Bill.reads().iter().map(|read| read.table.to_owned()).collect();
    assert_eq!(tables, declared);
}

const MEMBERS: &str = "{\"Accounts\": [{\"Id\": \"111122223333\", \"Name\": \"payer\"}, {\"Id\": \"222222222222\"}, \
                       {\"Id\": \"333333333333\"}, {\"Id\": \"444444444444\", \"State\": \"SUSPENDED\"}]}";
const KEYS: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId>\
    <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>\
    </Credentials></AssumeRoleResult></AssumeRoleResponse>";

/// An organization of four: one suspended, one whose role may not be assumed.
fn organization() -> (Session, CancellationToken) {
    let allow = Allowlist::default().and(Role::Reading, READS.concat().iter().map(|read| read.operation));
    let mut setup = setup(allow);
    setup.faults = Some(Arc::new(|call, request| {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        Some(match call.operation.as_str() {
            "organizations:ListAccounts" => answer(200, MEMBERS),
            "organizations:DescribeOrganization" => {
                answer(200, "{\"Organization\": {\"MasterAccountId\": \"111122223333\"}}")
            }
            "sts:AssumeRole" if body.contains("333333333333") => answer(
                403,
                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
            ),
            "sts:AssumeRole" => answer(200, KEYS),
            "s3:ListBuckets" => {
                let name = format!("<Name>lake-{}</Name>", call.account_id);
                answer(200, &BUCKET.replace("<Name>lake</Name>", &name))
            }
            other => denied(other),
        })
    }));
    let cancel = setup.cancel.clone();
    let connector = Connector::new(setup);
    let (account_id, arn) = ("111122223333".to_owned(), "arn:aws:iam::111122223333:user/u".to_owned());
    let identity = Identity { account_id, arn, partition: "aws".to_owned() };
    (Session { sdk: sdk(&connector), connector, identity, asked_regions: Vec::new() }, cancel)
}

fn of_members(accounts: Accounts, role: Option<MemberRole>) -> Order {
    Order { accounts, role, ..order(&[Collector::S3]) }
}

#[tokio::test]
async fn each_account_is_read_with_its_own_credentials_and_one_that_is_closed_to_us_touches_no_other() {
    let (session, cancel) = organization();
    let store = Store::temporary().unwrap();
    let order = of_members(Accounts::All, Some(MemberRole::new("leanlake-scan")));
    let outcome = run(&session, &store, &order, cancel).await.unwrap();
    let buckets = outcome.snapshot.rows(&BUCKETS).await.unwrap();
    let names: Vec<&str> = buckets.iter().map(|row| row.key("bucket")).collect();
    assert_eq!(names, ["lake-111122223333", "lake-222222222222"]);
    let closed: Vec<&Coverage> =
        outcome.gaps.iter().filter(|gap| gap.account_id.as_deref() == Some("333333333333")).collect();
    assert!(closed.iter().any(|gap| gap.table == "buckets" && gap.missing_action.as_deref() == Some("sts:AssumeRole")));
    assert!(closed[0].reason.as_ref().unwrap().raw().contains("leanlake-scan"));
    let accounts = outcome.snapshot.rows(&ACCOUNTS).await.unwrap();
    let told: Vec<_> =
        accounts.iter().map(|row| (row.key("account_id"), row.flag("scanned"), row.flag("payer"))).collect();
    assert_eq!(
        told,
        [
            ("111122223333", Some(true), Some(true)),
            ("222222222222", Some(true), Some(false)),
            ("333333333333", Some(false), Some(false)),
            ("444444444444", Some(false), Some(false)),
        ]
    );
}

#[tokio::test]
async fn without_a_role_other_accounts_are_named_and_nobody_asks_them() {
    let (session, cancel) = organization();
    let store = Store::temporary().unwrap();
    let outcome = run(&session, &store, &of_members(Accounts::All, None), cancel).await.unwrap();
    assert_eq!(outcome.snapshot.manifest.rows("buckets"), 1);
    assert_eq!(outcome.snapshot.manifest.rows("accounts"), 4);
    let coverage = outcome.snapshot.coverage().await.unwrap();
    let other = |c: &&Coverage| c.account_id.as_deref() == Some("222222222222") && c.table == "buckets";
    let said: Vec<_> = coverage.iter().filter(other).map(|c| (c.state, c.reason.clone())).collect();
    assert!(
        said.iter()
            .all(|(state, why)| *state == CoverageState::NotAsked && why.as_ref().unwrap().raw().contains("--role"))
    );
    assert!(!said.is_empty());
}

#[tokio::test]
async fn only_the_accounts_that_were_listed_are_read() {
    let (session, cancel) = organization();
    let store = Store::temporary().unwrap();
    let listed = Accounts::Listed(BTreeSet::from(["222222222222".to_owned()]));
    let order = of_members(listed, Some(MemberRole::new("leanlake-scan")));
    let outcome = run(&session, &store, &order, cancel).await.unwrap();
    let buckets = outcome.snapshot.rows(&BUCKETS).await.unwrap();
    assert_eq!(buckets.iter().map(|row| row.key("bucket")).collect::<Vec<_>>(), ["lake-222222222222"]);
}

#[tokio::test]
async fn each_collector_ends_when_its_time_is_up_and_says_so_of_every_table() {
    let (session, cancel) = session(|_| Fault::Stall(Duration::from_hours(1)));
    let store = Store::temporary().unwrap();
    let (mut scope, _) = prepare(&session, &store, &order(&Collector::ALL)).await.unwrap();
    scope.options.time = Duration::from_millis(200);
    scope.options.cost_tags = vec!["team".to_owned()];
    for collector in Collector::ALL.into_iter().chain([Collector::Organization]) {
        let (sink, mut pieces) = Sink::reporting(mpsc::channel(8).0, cancel.clone());
        let told = async {
            let mut told = Vec::new();
            while let Some(piece) = pieces.recv().await {
                told.extend(match piece {
                    Piece::Cover(coverage) => Some(coverage),
                    _ => None,
                });
            }
            told
        };
        let work = async {
            let sink = sink;
            guarded(collector, &scope, &sink, move |scope, sink| collector.collect(scope, sink)).await
        };
        // A collector that has to be stopped by force takes half a minute longer.
        let both = tokio::time::timeout(TO_END, async { tokio::join!(work, told) });
        let Ok((ended, told)) = both.await else { panic!("{collector:?} does not look at the clock") };
        assert!(ended.is_some(), "{collector:?}");
        let late = |gap: &Coverage| gap.reason.as_ref().is_some_and(|why| why.raw().contains("--collector-time"));
        for read in collector.reads().iter().filter(|read| read.columns.is_empty() && read.table != ACCOUNTS.name) {
            let of: Vec<_> = told.iter().filter(|gap| gap.table == read.table).collect();
            assert!(!of.is_empty() && of.iter().any(|gap| late(gap)), "{collector:?} {}: {of:?}", read.table);
        }
    }
}
