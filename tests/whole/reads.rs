//! What a collector declares is what it calls: nothing else, and nothing that it never calls.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use leanlake::aws::collect::{Allowance, Collector, Heard, Options, Piece, READS, Read, Scope, Sink};
use leanlake::aws::connector::{Allowlist, Connector, Role, Setup, Tariff};
use leanlake::store::{Filter, Snapshot, Store};
use tokio_util::sync::CancellationToken;

use super::{HERE, world};
use crate::aws::s3::Bucket;
use crate::aws::{Fault, Trouble};
use crate::support::{TODAY, World, day};

/// IAM actions that have another name than the call (Service Authorization Reference, and the API reference of S3).
const OTHER_NAMES: &[(&str, &str)] = &[
    ("budgets:DescribeBudgets", "budgets:ViewBudget"),
    ("glue:BatchGetDataQualityResult", "glue:GetDataQualityResult"),
    ("s3:GetBucketEncryption", "s3:GetEncryptionConfiguration"),
    ("s3:GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"),
    ("s3:GetBucketReplication", "s3:GetReplicationConfiguration"),
    ("s3:GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration"),
    // A refused HEAD says the Region too, so it needs nothing; what would have helped is the call before it.
    ("s3:HeadBucket", "s3:GetBucketLocation"),
    ("s3:ListBucketAnalyticsConfigurations", "s3:GetAnalyticsConfiguration"),
    ("s3:ListBucketIntelligentTieringConfigurations", "s3:GetIntelligentTieringConfiguration"),
    ("s3:ListBucketInventoryConfigurations", "s3:GetInventoryConfiguration"),
    ("s3:ListBucketMetricsConfigurations", "s3:GetMetricsConfiguration"),
    ("s3:ListBuckets", "s3:ListAllMyBuckets"),
    ("s3:ListMultipartUploads", "s3:ListBucketMultipartUploads"),
    ("s3:ListParts", "s3:ListMultipartUploadParts"),
];

/// Prefixes of IAM that are not the name of the API.
const OTHER_PREFIXES: &[(&str, &str)] = &[("emr", "elasticmapreduce"), ("s3control", "s3")];

fn operations(reads: &[Read]) -> BTreeSet<&'static str> {
    reads.iter().map(|read| read.operation).collect()
}

/// Runs one collector where it may call whatever any collector declares; returns what it was refused.
async fn run(world: &World, collector: Collector, base: Option<Snapshot>) -> Vec<String> {
    let all = READS.iter().flat_map(|reads| reads.iter().map(|read| read.operation));
    let setup = Setup::new(Allowlist::default().and(Role::Reading, all), Tariff::default());
    let cancel = setup.cancel.clone();
    let sdk = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(world.aws.url())
        .region(Region::new(HERE))
        .credentials_provider(Credentials::new("AKIATESTS", "secret", None, None, "tests"))
        .retry_config(RetryConfig::disabled())
        .http_client(Connector::new(setup))
        .load()
        .await;
    let options = Options { cost_tags: vec!["team".into()], ..Options::default() };
    let earlier = match &base {
        Some(base) => base.coverage().await.unwrap(),
        None => Vec::new(),
    };
    let scope = Scope {
        account_id: "111122223333".into(),
        region: HERE.into(),
        as_of: day(TODAY).and_hms_opt(12, 0, 0).unwrap().and_utc(),
        sdk,
        cancel,
        left: Allowance::of(&options).for_one(options.time),
        options,
        heard: Heard::default(),
        earlier,
    };
    let (sink, mut pieces, _events) = Sink::channel(CancellationToken::new());
    let mut refused = Vec::new();
    let take = async {
        while let Some(piece) = pieces.recv().await {
            if let Piece::Cover(seen) = piece {
                let why = seen.reason.map(|why| why.raw().to_owned());
                refused.extend(why.filter(|why| why.contains("not on the list of operations")));
            }
        }
    };
    tokio::join!(collector.collect(scope, sink.over(base)), take);
    refused
}

/// Adds so many buckets that their settings are not all asked for again, and scans once.
async fn scanned(world: &World) -> Snapshot {
    for n in 0..=250 {
        world.aws.account().s3.add(&format!("many-{n}"), Bucket::in_region(HERE));
    }
    world.run(&["scan", "--only", "s3"]).ends_with(0);
    world.aws.account().asked.clear();
    Store::open_folder(world.path("store")).unwrap().newest(&Filter::default()).await.unwrap()
}

/// Returns what a collector called in the whole lake, in a lake where buckets hide their Region, and in a large one that
/// was scanned before.
async fn called(collector: Collector) -> BTreeSet<String> {
    let (whole, hidden) = (world(), world());
    hidden.aws.account().s3.tells_regions = false;
    hidden.aws.make(Fault::on("s3:GetBucketLocation", Trouble::Denied));
    let mut lakes = vec![(whole, None), (hidden, None)];
    if collector == Collector::S3 {
        let large = world();
        let base = scanned(&large).await;
        lakes.push((large, Some(base)));
    }
    let mut called = BTreeSet::new();
    for (world, base) in lakes {
        assert_eq!(run(&world, collector, base).await, Vec::<String>::new(), "{}", collector.name());
        called.extend(world.aws.account().asked.keys().cloned());
    }
    called
}

#[tokio::test]
async fn each_collector_calls_what_it_declares_and_nothing_else() {
    let mut different = BTreeMap::new();
    for collector in Collector::ALL.into_iter().chain([Collector::Organization]) {
        let declared: BTreeSet<String> = operations(collector.reads()).into_iter().map(str::to_owned).collect();
        let called = called(collector).await;
        let never = declared.difference(&called).map(|name| format!("{name} is declared and never called"));
        let silent = called.difference(&declared).map(|name| format!("{name} is called and not declared"));
        let told: Vec<String> = never.chain(silent).collect();
        if !told.is_empty() {
            different.insert(collector.name(), told);
        }
    }
    assert_eq!(different, BTreeMap::new());
}

#[test]
fn the_iam_action_of_a_call_is_its_name_unless_aws_says_otherwise() {
    let other: BTreeMap<&str, &str> = OTHER_NAMES.iter().copied().collect();
    let prefixes: BTreeMap<&str, &str> = OTHER_PREFIXES.iter().copied().collect();
    for read in READS.iter().flat_map(|reads| reads.iter()) {
        let (service, name) = read.operation.split_once(':').unwrap();
        let usual = format!("{}:{name}", prefixes.get(service).unwrap_or(&service));
        assert_eq!(read.action, *other.get(read.operation).unwrap_or(&usual.as_str()), "{}", read.operation);
    }
    let declared: BTreeSet<&str> = READS.iter().flat_map(|reads| operations(reads)).collect();
    let unused: Vec<_> = other.keys().filter(|name| !declared.contains(*name)).collect();
    assert!(unused.is_empty(), "{unused:?} are not called any more");
}

#[test]
fn every_collector_is_among_those_whose_calls_may_be_made() {
    for collector in Collector::ALL.into_iter().chain([Collector::Organization]) {
        assert!(READS.contains(&collector.reads()), "{}", collector.name());
    }
}
