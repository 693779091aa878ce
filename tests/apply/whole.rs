//! The whole loop: scan, plan, apply, rollback, all by the real binary.

use crate::aws::metrics::Series;
use crate::aws::s3::{Bucket, Upload};
use crate::support::{World, day};

const THEIRS: &str = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>old</ID>\
    <Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>\
    </LifecycleConfiguration>";

fn lake() -> World {
    let world = World::new();
    let forgotten = || Upload::new("raw/part", "u1", "2026-06-01", &[1 << 30]);
    let mut account = world.aws.account();
    account.s3.add("lake", Bucket::in_region("us-east-1").with_lifecycle(THEIRS).with_upload(forgotten()));
    account.s3.add("tidy", Bucket::in_region("us-east-1"));
    let days: Vec<_> = ["2026-11-17", "2026-11-18", "2026-11-19"].map(|on| (day(on), 4_000_000_000)).to_vec();
    account.metrics.series = vec![Series::new("us-east-1", "lake", "StandardStorage", &days)];
    drop(account);
    world
}

fn document(world: &World) -> Option<String> {
    let account = world.aws.account();
    account.s3.by_name["lake"].lifecycle.clone().map(|bytes| String::from_utf8(bytes).unwrap())
}

/// A plan file without when it was made, which is real time.
fn timeless(world: &World, file: &str) -> serde_json::Value {
    let mut plan: serde_json::Value = serde_json::from_slice(&std::fs::read(world.path(file)).unwrap()).unwrap();
    let fields = plan.as_object_mut().unwrap();
    assert!(fields.remove("created_at").is_some() && fields.remove("expires_at").is_some());
    plan
}

#[test]
fn from_a_scan_to_a_fixed_bucket_and_back() {
    let world = lake();
    world.scan();
    let run = world.run(&["plan", "--policy", "s3-abandoned-uploads", "--out", "plan.json"]).ends_with(0);
    run.prints("# s3://lake in us-east-1").prints("+ rule `leanlake-abort-incomplete-uploads`").says("leanlake apply");
    assert_eq!(document(&world).as_deref(), Some(THEIRS), "a plan changes nothing");
    assert_eq!(world.aws.count("s3:PutBucketLifecycleConfiguration"), 0);
    let plan = timeless(&world, "plan.json");
    world.run(&["plan", "--policy", "s3-abandoned-uploads", "--out", "again.json"]).ends_with(0);
    assert_eq!(timeless(&world, "again.json"), plan, "the same snapshot gives the same plan");
    world.run(&["apply", "plan.json", "--yes"]).ends_with(0).prints("s3://lake: done");
    let fixed = document(&world).unwrap();
    assert!(fixed.contains("<DaysAfterInitiation>") && fixed.contains("<Prefix>tmp/</Prefix>"), "{fixed}");
    let listed = world.run(&["journal", "--format", "json"]).ends_with(0).json();
    world.run(&["rollback", listed["runs"][0]["run"].as_str().unwrap(), "--yes"]).ends_with(0);
    assert_eq!(document(&world).as_deref(), Some(THEIRS));
}

#[test]
fn scripts_can_ask_whether_a_plan_changes_something() {
    let world = lake();
    world.scan();
    let asked = ["plan", "--policy", "s3-abandoned-uploads", "--detailed-exitcode", "--format", "json"];
    let plan = world.run(&asked).ends_with(2).json();
    assert_eq!((plan["schema"].as_str(), plan["steps"].as_array().unwrap().len()), (Some("leanlake.plan"), 1));
    world.run(&["plan", "--finding", "f-nothing"]).ends_with(1).says("there is no finding `f-nothing`");
}

#[test]
fn the_demo_can_be_planned_and_rehearsed_without_credentials_or_network() {
    let world = World::new().without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY").without("AWS_ENDPOINT_URL");
    world
        .run(&["plan", "--demo", "--out", "plan.json"])
        .ends_with(0)
        .prints("Demo lake")
        .prints("buckets to change; rules:");
    world.run(&["apply", "plan.json"]).ends_with(0).prints("Demo lake");
    world.run(&["apply", "plan.json", "--demo", "--yes"]).ends_with(0).prints(": done");
    assert!(world.files("store").is_empty(), "the demo keeps nothing");
    assert!(world.aws.calls().is_empty());
}
