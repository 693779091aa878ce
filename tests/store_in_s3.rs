//! The store in S3, by the real binary: the whole loop, the journal, and several scans into one store at once.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::SystemTime;

use chrono::{DateTime, Days, Utc};
use leanlake::store::{Filter, Store};
use serde_json::{Value, json};

use crate::aws::ledger::Charge;
use crate::aws::metrics::Series;
use crate::aws::s3::{Bucket, Upload};
use crate::aws::{Fault, Trouble};
use crate::support::{Run, World, day, skip};

const THEIRS: &str = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>old</ID>\
    <Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>\
    </LifecycleConfiguration>";

/// An account with an abandoned upload, and a bucket that keeps the store.
fn world() -> World {
    let world = World::new().set("LEANLAKE_STORE", "s3://keep/ci/store");
    let mut account = world.aws.account();
    let forgotten = || Upload::new("raw/part", "u1", "2026-06-01", &[1 << 30]);
    let lake = Bucket::in_region("us-east-1").with_lifecycle(THEIRS);
    account.s3.add("lake", lake.with_upload(forgotten()).with_upload(Upload::new("raw/two", "u2", "2026-06-02", &[1])));
    account.s3.add("keep", Bucket::in_region("eu-west-1"));
    let days: Vec<_> = ["2026-11-17", "2026-11-18", "2026-11-19"].map(|on| (day(on), 4_000_000_000)).to_vec();
    account.metrics.series = vec![Series::new("us-east-1", "lake", "StandardStorage", &days)];
    drop(account);
    charge(&world);
    world
}

fn charge(world: &World) {
    for on in ["2026-09-17", "2026-10-17", "2026-11-17"] {
        let service = "Amazon Simple Storage Service";
        let (cost, usage) = (rust_decimal::Decimal::TEN, rust_decimal::Decimal::from(400));
        let charge = Charge::usage(day(on), service, "TimedStorage-ByteHrs", cost, usage, "GB-Mo");
        world.aws.account().ledger.charges.push(charge);
    }
    world.aws.account().ledger.page = 500;
}

fn objects(world: &World) -> BTreeMap<String, Vec<u8>> {
    world.aws.account().s3.by_name["keep"].objects.0.clone()
}

fn document(world: &World) -> String {
    String::from_utf8(world.aws.account().s3.by_name["lake"].lifecycle.clone().unwrap()).unwrap()
}

fn runs(world: &World) -> Value {
    world.run(&["journal", "--format", "json"]).ends_with(0).json()["runs"].take()
}

/// Scans on two days, looks, plans, applies, resumes and takes back. `whole` is a look at the bucket of the lake.
fn whole_loop(world: World, second_day: &str, whole: impl Fn(&World) -> Value) -> World {
    world.scan();
    let first = world.aws.count("ce:GetCostAndUsage");
    world.aws.forget_calls();
    let world = world.on(second_day);
    world.scan();
    assert!(world.aws.count("ce:GetCostAndUsage") < first, "the second scan reads what can still change");
    let listed = world.run(&["snapshots", "list", "--format", "json"]).ends_with(0).json();
    assert_eq!(listed["snapshots"].as_array().unwrap().len(), 2, "{listed}");
    world.run(&["snapshots", "show", "--check"]).ends_with(0).says("every part is whole");
    let found = world.run(&["findings", "--policy", "s3-abandoned-uploads"]).ends_with(0);
    assert!(found.stdout.contains("f-"), "{}", found.stdout);
    world.run(&["report"]).ends_with(0).prints("Not AWS");
    let before = whole(&world);
    world.run(&["plan", "--policy", "s3-abandoned-uploads", "--out", "plan.json"]).ends_with(0);
    assert!(runs(&world).as_array().unwrap().is_empty(), "a plan is no run");
    world.run(&["apply", "plan.json", "--yes"]).ends_with(0).prints(": done");
    assert_ne!(whole(&world), before);
    let run = runs(&world)[0]["run"].as_str().unwrap().to_owned();
    world.run(&["apply", "--resume", &run, "--yes"]).ends_with(0).prints("already so");
    world.run(&["rollback", &run, "--yes"]).ends_with(0).prints(": done");
    assert_eq!(whole(&world), before);
    let ended: Vec<_> = runs(&world).as_array().unwrap().iter().map(|run| run["ended"].clone()).collect();
    assert!(ended[1].as_str().unwrap().starts_with("taken back by"), "{ended:?}");
    world
}

#[test]
fn the_whole_loop_runs_with_the_store_and_the_journal_in_s3() {
    let world = whole_loop(world(), "2026-11-21", |world| json!(document(world)));
    let kept = objects(&world);
    assert!(kept.keys().all(|key| key.starts_with("ci/store/")), "{:?}", kept.keys());
    assert!(world.files("store").is_empty(), "nothing is kept on this machine");
    assert!(kept["ci/store/hash.key"].len() == 32);
    let records = kept.keys().filter(|key| key.contains("/runs/") && key.ends_with("0001.json")).count();
    assert_eq!(records, 2);
    world.run(&["snapshots", "prune", "--keep", "1"]).ends_with(0);
    let listed = world.run(&["snapshots", "list", "--format", "json"]).ends_with(0).json();
    assert_eq!(listed["snapshots"].as_array().unwrap().len(), 1);
    world.run(&["snapshots", "show", "--check"]).ends_with(0).says("every part is whole");
}

#[test]
fn listings_of_a_store_in_s3_are_read_to_their_last_page() {
    let world = world();
    world.aws.account().s3.object_page = 2;
    world.scan();
    let world = world.on("2026-11-21");
    world.scan();
    let listed = world.run(&["snapshots", "list", "--format", "json"]).ends_with(0).json();
    assert_eq!(listed["snapshots"].as_array().unwrap().len(), 2);
    world.run(&["plan", "--policy", "s3-abandoned-uploads", "--out", "plan.json"]).ends_with(0);
    for _ in 0..3 {
        world.run(&["apply", "plan.json", "--yes"]).ends_with(0);
    }
    let runs = runs(&world);
    assert_eq!(runs.as_array().unwrap().len(), 3, "{runs}");
    let wrote = runs.as_array().unwrap().iter().find(|run| run["writes"] == 1).unwrap();
    world.run(&["rollback", wrote["run"].as_str().unwrap(), "--yes"]).ends_with(0).prints(": done");
    assert_eq!(document(&world), THEIRS);
}

#[test]
fn a_record_whose_answer_is_lost_is_read_back_and_known_as_ours() {
    let world = world();
    world.scan();
    world.run(&["plan", "--policy", "s3-abandoned-uploads", "--out", "plan.json"]).ends_with(0);
    world.aws.forget_calls();
    // Every put of the journal takes effect, is answered with 500, tried again, and refused: it is there already.
    world.aws.make(Fault::on("s3:PutObject", Trouble::LostAnswer).of("keep").every_other());
    world.run(&["apply", "plan.json", "--yes"]).ends_with(0).prints("s3://lake: done");
    let puts = world.aws.calls().into_iter().filter(|call| call.operation == "s3:PutObject");
    let statuses: Vec<u16> = puts.map(|call| call.status).collect();
    assert!(statuses.chunks(2).all(|pair| pair == [500, 412]) && statuses.len() >= 8, "{statuses:?}");
}

#[test]
fn a_store_in_s3_that_may_not_be_written_means_that_nothing_is_sent() {
    let world = world();
    world.scan();
    world.run(&["plan", "--policy", "s3-abandoned-uploads", "--out", "plan.json"]).ends_with(0);
    world.aws.make(Fault::on("s3:PutObject", Trouble::Denied).of("keep"));
    world.run(&["apply", "plan.json", "--yes"]).ends_with(4).says("the journal cannot be kept").says("s3:PutObject");
    assert_eq!(document(&world), THEIRS);
    assert_eq!(world.aws.count("s3:PutBucketLifecycleConfiguration"), 0);
}

#[test]
fn credentials_that_ended_are_called_so_whatever_verb_needs_the_store() {
    let world = world();
    world.scan();
    for trouble in [Trouble::Expired, Trouble::Unknown] {
        world.aws.make(Fault::on("s3:*", trouble).of("keep"));
        for verb in [&["report"][..], &["snapshots", "list"], &["query", "select 1 as n"], &["scan", "--only", "s3"]] {
            let run = world.run(verb).ends_with(4).says("cannot open the bucket `keep`").says("hint: aws sso");
            let said = if trouble == Trouble::Expired { "ExpiredToken" } else { "InvalidAccessKeyId" };
            assert!(run.stderr.contains(said), "{verb:?}: {}", run.stderr);
        }
        world.aws.account().faults.clear();
    }
}

#[test]
fn a_store_that_is_denied_names_what_the_role_must_be_allowed() {
    let world = world();
    world.scan();
    world.aws.make(Fault::on("s3:*", Trouble::Denied).of("keep"));
    let run = world.run(&["report"]).ends_with(4).says("cannot open the bucket").says("leanlake iam scan --store");
    assert!(run.stderr.contains("AccessDenied"), "{}", run.stderr);
}

#[test]
fn whoever_may_list_only_under_the_prefix_may_use_the_store() {
    let world = world();
    world.aws.make(Fault::on("s3:HeadBucket", Trouble::Denied).of("keep").times(1));
    world.scan();
    world.aws.make(Fault::on("s3:HeadBucket", Trouble::Denied).of("keep"));
    let world = world.set("AWS_REGION", "eu-west-1");
    assert_eq!(world.lines("select count(*) as n from buckets"), ["n=2"]);
}

#[test]
fn a_token_that_expires_before_the_snapshot_is_kept_says_so_and_the_last_one_stays() {
    let world = world();
    world.scan();
    let kept = |world: &World| objects(world).keys().filter(|key| key.contains("/snapshots/")).count();
    let before = kept(&world);
    let world = world.on("2026-11-21");
    world.aws.make(Fault::on("s3:PutObject", Trouble::Expired).of("keep"));
    let run = world.run(&["scan", "--only", "s3"]).ends_with(4).says("hint: aws sso login");
    assert!(run.stderr.contains("ExpiredToken") && run.stderr.contains("s3://keep/ci/store"), "{}", run.stderr);
    assert_eq!(kept(&world), before);
    world.aws.account().faults.clear();
    world.run(&["report"]).ends_with(0);
}

/// Starts several scans together, and expects that each leaves a whole snapshot and that they share one key.
fn scans_at_once(world: &World, read: impl Fn(&World) -> Vec<String>) {
    let scans: Vec<_> = (0..3).map(|_| world.start(&["scan", "--all"])).collect();
    for scan in scans {
        Run::wait_for(scan).ends_with(0);
    }
    let listed = world.run(&["snapshots", "list", "--format", "json"]).ends_with(0).json();
    let ids: Vec<_> = listed["snapshots"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert!(!ids.is_empty(), "scans with the same bytes may share a manifest");
    for id in ids {
        world.run(&["snapshots", "show", id, "--check"]).ends_with(0).says("every part is whole");
        world.run(&["query", "select count(*) as n from buckets", "--snapshot", id]).ends_with(0);
    }
    let rows = read(world);
    world.run(&["snapshots", "prune"]).ends_with(0);
    assert_eq!(read(world), rows, "no part that a snapshot names was young and is gone");
    world.scan();
    assert_eq!(read(world), rows);
}

fn rows(world: &World) -> Vec<String> {
    let mut rows = world.lines("select bucket, region from buckets order by bucket");
    rows.extend(world.lines("select day, unblended from costs order by day"));
    rows
}

#[test]
fn scans_at_once_into_one_store_in_s3_leave_whole_snapshots() {
    scans_at_once(&world(), rows);
}

#[test]
fn scans_at_once_into_one_folder_leave_whole_snapshots_and_one_key() {
    let folder = World::new();
    let store = folder.path("store").display().to_string();
    let world = world().set("LEANLAKE_STORE", &store);
    scans_at_once(&world, rows);
    let drafts = std::path::Path::new(&store).join("drafts");
    assert_eq!(std::fs::read_dir(drafts).unwrap().count(), 0, "no draft stays");
    let wait = |work| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
    let snapshot = wait(Box::pin(async { Store::open_folder(&store).unwrap().newest(&Filter::default()).await }));
    assert!(snapshot.is_ok());
}

const BOTO3: &str = r#"
import json, sys, boto3
order = json.load(sys.stdin)
s3 = boto3.client("s3", endpoint_url=order["s3"], region_name="us-east-1", aws_access_key_id="AKIATESTS",
                  aws_secret_access_key="secret")
lake, keep = order["lake"], order["keep"]
if order["verb"] == "make":
    for bucket in (lake, keep):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_lifecycle_configuration(Bucket=lake, TransitionDefaultMinimumObjectSize="varies_by_storage_class",
        LifecycleConfiguration={"Rules": [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "tmp/"},
                                           "Expiration": {"Days": 30}}]})
    upload = s3.create_multipart_upload(Bucket=lake, Key="raw/part")["UploadId"]
    s3.upload_part(Bucket=lake, Key="raw/part", UploadId=upload, PartNumber=1, Body=b"0" * (5 << 20))
elif order["verb"] == "see":
    seen = s3.get_bucket_lifecycle_configuration(Bucket=lake)
    json.dump({"rules": seen["Rules"], "setting": seen.get("TransitionDefaultMinimumObjectSize")}, sys.stdout)
else:
    for upload in s3.list_multipart_uploads(Bucket=lake).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=lake, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=keep):
        for object in page.get("Contents", []):
            s3.delete_object(Bucket=keep, Key=object["Key"])
    for bucket in (lake, keep):
        s3.delete_bucket(Bucket=bucket)
"#;

fn boto3(python: &str, order: &Value) -> Value {
    use std::io::Write;
    use std::process::Stdio;
    let mut child =
        Command::new(python).args(["-c", BOTO3]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(order.to_string().as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "boto3 could not {}", order["verb"]);
    serde_json::from_slice(&done.stdout).unwrap_or(Value::Null)
}

#[test]
fn the_whole_loop_runs_with_the_store_in_localstack_and_boto3_sees_the_lake_as_it_was() {
    let test = "the_whole_loop_runs_with_the_store_in_localstack_and_boto3_sees_the_lake_as_it_was";
    let Some(s3) = skip::unless_set(test, "LEANLAKE_TEST_S3") else { return };
    let Some(python) = skip::unless_set(test, "LEANLAKE_TEST_PYTHON") else { return };
    let name = format!("loop-{}", std::process::id());
    let order =
        |verb: &str| json!({"verb": verb, "s3": s3, "lake": format!("{name}-lake"), "keep": format!("{name}-keep")});
    boto3(&python, &order("make"));
    let world = World::new().set("AWS_ENDPOINT_URL_S3", &s3).set("LEANLAKE_STORE", &format!("s3://{name}-keep/ci"));
    charge(&world);
    // Three weeks from now the upload was abandoned.
    let now: DateTime<Utc> = SystemTime::now().into();
    let later = |days| (now.date_naive() + Days::new(days)).to_string();
    let sizes: Vec<_> = (16..20).map(|days| (day(&later(days)), 4_000_000_000)).collect();
    let size = Series::new("us-east-1", &format!("{name}-lake"), "StandardStorage", &sizes);
    world.aws.account().metrics.series.push(size);
    whole_loop(world.on(&later(20)), &later(21), |_| boto3(&python, &order("see")));
    boto3(&python, &order("remove"));
}
