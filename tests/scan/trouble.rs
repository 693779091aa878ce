//! What goes wrong during a scan: a gap where something failed, never a lost rest, never a lost snapshot.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rust_decimal::Decimal;
use serde_json::Value;

use crate::aws::ledger::Charge;
use crate::aws::s3::Bucket;
use crate::aws::{Fault, Trouble};
use crate::support::{Run, World, day};

fn world() -> World {
    let world = World::new();
    for name in ["lake", "other"] {
        world.aws.account().s3.add(name, Bucket::in_region("us-east-1").versioned().tagged("owner", "bi"));
    }
    let cost = Decimal::new(125, 2);
    let charge = Charge::usage(day("2026-11-17"), "Amazon Athena", "DataScannedInTB", cost, Decimal::ONE, "Terabytes");
    world.aws.account().ledger.charges.push(charge);
    world.aws.account().ledger.page = 200;
    world
}

fn gaps(world: &World) -> Vec<Value> {
    world.rows("select table_name, read, resource, state, reason, missing_action from coverage where state <> 'seen' order by table_name, read, resource")
}

#[test]
fn a_denied_bucket_leaves_its_setting_unknown_and_names_the_action_that_is_missing() {
    let world = world();
    world.aws.make(Fault::on("s3:GetBucketTagging", Trouble::Denied).of("lake"));
    world.scan();
    let tags = world.lines("select bucket from buckets where tags is null order by bucket");
    assert_eq!(tags, ["bucket=lake"], "the row stays, only its tags are unknown");
    let gaps = gaps(&world);
    let gap =
        gaps.iter().find(|gap| gap["resource"] == "lake").unwrap_or_else(|| panic!("no gap for the bucket: {gaps:?}"));
    assert_eq!(gap["missing_action"], "s3:GetBucketTagging");
    assert!(!gaps.iter().any(|gap| gap["resource"] == "other"), "{gaps:?}");
}

#[test]
fn a_denied_lifecycle_read_names_iams_action_and_not_the_operation() {
    let world = world();
    world.aws.make(Fault::on("s3:GetBucketLifecycleConfiguration", Trouble::Denied).of("lake"));
    world.scan();
    assert_eq!(world.lines("select lifecycle_rule_count as n from buckets where bucket = 'lake'"), ["n=null"]);
    let gaps = gaps(&world);
    assert!(gaps.iter().any(|gap| gap["missing_action"] == "s3:GetLifecycleConfiguration"), "{gaps:?}");
}

#[test]
fn what_is_throttled_and_then_answered_is_no_gap() {
    let world = world();
    world.aws.make(Fault::on("s3:GetBucketTagging", Trouble::Throttled).times(2));
    world.aws.make(Fault::on("ce:GetCostAndUsage", Trouble::Throttled).times(1));
    world.aws.make(Fault::on("s3:GetBucketVersioning", Trouble::Broken).times(1));
    world.scan();
    assert_eq!(world.lines("select count(tags) as n from buckets"), ["n=2"]);
    assert_eq!(world.lines("select count(*) as n from costs"), ["n=1"]);
    let gaps = gaps(&world);
    assert!(gaps.iter().all(|gap| !gap["read"].as_str().unwrap().starts_with("s3:")), "{gaps:?}");
}

#[test]
fn a_service_that_is_denied_leaves_a_gap_and_the_rest_is_read() {
    let world = world();
    for service in ["ce:*", "athena:*", "cloudwatch:*", "glue:*", "lakeformation:*"] {
        world.aws.make(Fault::on(service, Trouble::Denied));
    }
    let run = world.run(&["scan", "--all"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(world.lines("select count(*) as n from buckets"), ["n=2"]);
    let missing: Vec<String> = gaps(&world).iter().map(|gap| gap["missing_action"].to_string()).collect();
    for action in ["ce:GetCostAndUsage", "athena:ListWorkGroups", "cloudwatch:ListMetrics"] {
        assert!(missing.iter().any(|named| named.contains(action)), "no gap names {action}: {missing:?}");
    }
}

#[test]
fn an_answer_that_nobody_can_read_is_a_gap() {
    let world = world();
    world.aws.make(Fault::on("athena:ListWorkGroups", Trouble::Garbled));
    world.scan();
    let gaps = gaps(&world);
    assert!(gaps.iter().any(|gap| gap["read"] == "athena:ListWorkGroups"), "{gaps:?}");
}

#[test]
fn when_everything_is_denied_it_is_a_matter_of_permission() {
    let world = world();
    world.aws.make(Fault::on("*", Trouble::Denied));
    let run = world.run(&["scan", "--all"]).ends_with(4);
    assert!(run.stderr.contains("hint:"), "{}", run.stderr);
}

#[test]
fn when_everything_but_the_name_is_denied_it_is_a_matter_of_permission_too() {
    let world = world();
    world.aws.make(Fault::on("*", Trouble::Denied).after(1));
    world.run(&["scan", "--all"]).ends_with(4);
}

#[test]
fn without_credentials_it_says_how_to_give_some() {
    let world = world().without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    let run = world.run(&["scan", "--all"]).ends_with(4);
    assert!(run.stderr.contains("hint:") && run.stderr.contains("--profile"), "{}", run.stderr);
    assert_eq!(world.aws.calls().len(), 0);
}

#[test]
fn an_expired_token_is_called_by_its_name() {
    let world = world();
    world.aws.make(Fault::on("*", Trouble::Expired));
    let run = world.run(&["scan", "--all"]).ends_with(4);
    assert!(run.stderr.to_lowercase().contains("expired") && run.stderr.contains("hint:"), "{}", run.stderr);
}

#[test]
fn a_token_that_expires_before_anything_was_read_leaves_the_last_snapshot_the_newest() {
    let world = world();
    world.scan();
    world.aws.make(Fault::on("*", Trouble::Expired).after(1));
    world.write(".aws/credentials", "[lake]\naws_access_key_id = AKIATESTS\naws_secret_access_key = secret\n");
    let world = world.on("2026-11-21");
    world
        .run(&["scan", "--all", "--profile", "lake"])
        .ends_with(4)
        .says("expired")
        .says("aws sso login --profile lake");
    assert_eq!(manifests(&world).len(), 1, "what is carried over is no reason for a snapshot");
}

#[test]
fn a_token_that_expires_in_the_middle_keeps_what_was_read_and_says_how_to_renew_it() {
    let world = world();
    for service in ["athena:*", "cloudwatch:*", "glue:*", "lakeformation:*"] {
        world.aws.make(Fault::on(service, Trouble::Expired));
    }
    world.run(&["scan", "--all"]).ends_with(4).says("expired").says("hint: aws sso login").prints("snapshot");
    assert_eq!(world.lines("select count(*) as n from buckets"), ["n=2"]);
    assert!(gaps(&world).iter().any(|gap| gap["read"] == "athena:ListWorkGroups"));
}

#[test]
fn a_network_that_dies_before_anything_was_read_leaves_no_snapshot() {
    let world = world();
    let identity = world.aws.url();
    let world = world.set("AWS_ENDPOINT_URL_STS", &identity).set("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    world.run(&["scan", "--all"]).ends_with(1).says("nothing could be read").says("hint: check the network");
    assert_eq!(world.aws.count("sts:GetCallerIdentity"), 1);
    assert_eq!(manifests(&world).len(), 0);
}

#[test]
fn an_empty_account_is_a_whole_snapshot_without_rows() {
    let world = World::new();
    world.scan();
    for table in ["buckets", "costs", "storage", "athena_queries"] {
        assert_eq!(world.lines(&format!("select count(*) as n from {table}")), ["n=0"], "{table}");
    }
    let seen = world.lines("select distinct table_name as t from coverage where state = 'seen' order by t");
    assert!(seen.contains(&"t=buckets".to_owned()) && seen.contains(&"t=costs".to_owned()), "{seen:?}");
}

#[test]
fn the_cost_limit_stops_before_it_is_exceeded_and_keeps_what_was_paid() {
    let world = world();
    world.run(&["scan", "--all", "--max-cost", "0.05"]).ends_with(3);
    let paid = world.aws.calls().iter().filter(|c| c.operation == "ce:GetCostAndUsage" && c.status == 200).count();
    assert!((1..=5).contains(&paid), "{paid} pages at a cent each");
    let states = world.lines("select distinct state from coverage where state = 'over_budget'");
    assert_eq!(states, ["state=over_budget"]);
    assert_eq!(
        world.lines("select count(*) as n from costs where day >= '2026-11-01'"),
        ["n=1"],
        "the newest month was read first"
    );
}

#[test]
fn an_estimate_says_requests_dollars_and_minutes_and_costs_next_to_nothing() {
    let world = world();
    let run = world.run(&["scan", "--all", "--estimate"]).ends_with(0);
    let text = run.stdout.to_lowercase();
    assert!(text.contains("request") && text.contains('$') && text.contains("minute"), "{}", run.stdout);
    assert_eq!(world.aws.count("ce:GetCostAndUsage"), 0);
    assert!(world.files("store").iter().all(|path| !path.ends_with(".json")), "nothing is stored");
}

#[test]
fn ctrl_c_keeps_the_old_snapshot_whole_and_writes_what_was_read_as_interrupted() {
    let world = world();
    world.scan();
    let before = manifests(&world);
    let whole: Vec<_> = before.iter().map(|path| std::fs::read(path).unwrap()).collect();
    world.aws.forget_calls();
    world.aws.make(Fault::on("athena:ListWorkGroups", Trouble::Stalled));
    let world = world.on("2026-11-21");
    let child = world.start(&["scan", "--all"]);
    wait_until(|| world.aws.count("athena:ListWorkGroups") > 0);
    interrupt(child.id());
    Run::wait_for(child).ends_with(130);
    let after = manifests(&world);
    assert_eq!(after.len(), 2, "{after:?}");
    for (path, bytes) in before.iter().zip(whole) {
        assert_eq!(std::fs::read(path).unwrap(), bytes, "the old snapshot is as it was");
    }
    let new = after.iter().find(|path| !before.contains(path)).unwrap();
    let manifest: Value = serde_json::from_slice(&std::fs::read(new).unwrap()).unwrap();
    assert_eq!(manifest["interrupted"], true, "{manifest}");
    assert_eq!(world.lines("select count(*) as n from buckets"), ["n=2"], "what was read before is there");
}

fn manifests(world: &World) -> Vec<std::path::PathBuf> {
    world.files("store/snapshots").into_iter().filter(|path| path.extension().is_some_and(|e| e == "json")).collect()
}

fn interrupt(pid: u32) {
    assert!(Command::new("kill").args(["-INT", &pid.to_string()]).status().unwrap().success());
}

fn wait_until(done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(2);
    while !done() {
        assert!(Instant::now() < deadline, "it never came to that");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_custom_endpoint_is_kept_as_the_origin() {
    let world = world();
    world.scan();
    let manifest: Value = serde_json::from_slice(&std::fs::read(&manifests(&world)[0]).unwrap()).unwrap();
    assert!(manifest["origin"].to_string().contains("127.0.0.1"), "{}", manifest["origin"]);
}

#[test]
fn no_credential_is_written_anywhere() {
    let world = world().set("AWS_SECRET_ACCESS_KEY", "very-secret-4242").set("AWS_SESSION_TOKEN", "very-secret-token");
    let run = world.run(&["scan", "--all", "-v"]).ends_with(0);
    assert!(!run.stdout.contains("very-secret") && !run.stderr.contains("very-secret"), "{run:?}");
    for path in world.files("store") {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"very-secret"), "{}", path.display());
    }
}

#[test]
fn a_scan_changes_nothing() {
    let world = world();
    world.scan();
    let read_only = |operation: &str| {
        ["Get", "List", "Head", "BatchGet", "Describe", "Lookup"]
            .iter()
            .any(|verb| operation.contains(&format!(":{verb}")))
    };
    let others: Vec<_> =
        world.aws.calls().into_iter().map(|call| call.operation).filter(|name| !read_only(name)).collect();
    assert_eq!(others, Vec::<String>::new());
}

#[test]
fn a_region_that_is_not_enabled_is_a_gap_and_no_lost_credentials_though_it_answers_last() {
    let world = world();
    world.aws.account().s3.add("far", Bucket::in_region("me-south-1"));
    world.aws.make(Fault::on("*", Trouble::Unknown).in_region("me-south-1"));
    let run = world.run(&["scan", "--only", "s3,athena"]).ends_with(0);
    assert!(!run.stderr.contains("credentials"), "{}", run.stderr);
    let world = world.on("2026-11-21");
    // Nothing is heard after it: what the account has elsewhere is not asked for.
    world.run(&["scan", "--only", "athena", "--region", "me-south-1"]).ends_with(4);
    world.run(&["scan", "--only", "s3,athena"]).ends_with(0);
    let gap = gaps(&world).into_iter().find(|gap| gap["read"] == "athena:ListWorkGroups").unwrap();
    assert!(gap["reason"].to_string().contains("UnrecognizedClientException"), "{gap}");
}

#[test]
fn a_key_that_is_taken_away_in_the_middle_is_lost_credentials() {
    let world = world();
    for service in ["athena:*", "cloudwatch:*", "glue:*", "lakeformation:*"] {
        world.aws.make(Fault::on(service, Trouble::Unknown));
    }
    world.aws.make(Fault::on("sts:*", Trouble::Unknown).after(1));
    world.run(&["scan", "--only", "s3,cloudwatch,athena,glue"]).ends_with(4).says("lost their validity");
    assert_eq!(world.lines("select count(*) as n from buckets"), ["n=2"]);
}
