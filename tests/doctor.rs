//! `doctor` from the outside: what it tries, what it says of it, and how it ends.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::aws::ledger::Charge;
use crate::aws::s3::Bucket;
use crate::aws::{Fault, Trouble};
use crate::schema::fits;
use crate::support::{World, day};

fn world() -> World {
    let world = World::new();
    {
        let mut account = world.aws.account();
        account.ledger.page = 200;
        for name in ["lake", "other"] {
            account.s3.add(name, Bucket::in_region("us-east-1").versioned().tagged("owner", "bi"));
        }
        let days = day("2026-10-01").iter_days().take_while(|on| *on < day("2026-11-19"));
        for on in days {
            let (service, usage_type) = ("Amazon Simple Storage Service", "TimedStorage-ByteHrs");
            let charge = Charge::usage(on, service, usage_type, Decimal::ONE, Decimal::TEN, "GB-Mo");
            account.ledger.charges.push(charge);
        }
    }
    world
}

fn permission<'a>(document: &'a Value, operation: &str) -> &'a Value {
    let all = document["permissions"].as_array().unwrap();
    all.iter().find(|one| one["operation"] == operation).unwrap_or_else(|| panic!("no `{operation}` in {document}"))
}

#[test]
fn when_everything_is_allowed_it_ends_well_asks_for_one_cent_and_keeps_nothing() {
    let world = world();
    let run = world.run(&["doctor", "--format", "json"]).ends_with(0);
    let document = run.json();
    fits("doctor.json", &document);
    for operation in ["s3:ListBuckets", "s3:GetBucketTagging", "athena:ListWorkGroups", "ce:GetCostAndUsage"] {
        assert_eq!(permission(&document, operation)["verdict"], "allowed", "{operation}");
    }
    assert_eq!(permission(&document, "s3:ListParts")["verdict"], "not_tried");
    assert_eq!(permission(&document, "cost-optimization-hub:ListRecommendations")["verdict"], "not_enabled");
    assert_eq!((&document["missing_policy"], &document["snapshot"]), (&Value::Null, &Value::Null));
    assert_eq!(world.aws.count("ce:GetCostAndUsage"), 1);
    assert_eq!(world.aws.count("ce:GetAnomalies") + world.aws.count("ce:GetCostForecast"), 0);
    assert!(world.files("store").is_empty(), "{:?}", world.files("store"));
}

#[test]
fn one_denied_call_ends_with_4_and_the_policy_that_is_printed_allows_it_and_nothing_else() {
    let world = world();
    world.scan();
    world.aws.make(Fault::on("s3:GetBucketLifecycleConfiguration", Trouble::Denied));
    let document = world.run(&["doctor", "--format", "json"]).ends_with(4).says("1 calls are denied").json();
    fits("doctor.json", &document);
    let denied = permission(&document, "s3:GetBucketLifecycleConfiguration");
    assert_eq!((&denied["verdict"], &denied["action"]), (&json!("denied"), &json!("s3:GetLifecycleConfiguration")));
    assert!(denied["reason"].as_str().unwrap().contains("not authorized"), "{denied}");
    let policies = denied["blind_policies"].as_array().unwrap();
    assert!(policies.contains(&json!("s3-abandoned-uploads")), "{policies:?}");
    let statements = document["missing_policy"]["Statement"].as_array().unwrap();
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0]["Action"], json!(["s3:GetLifecycleConfiguration"]));
    let run = world.run(&["doctor"]).ends_with(4);
    assert!(run.stdout.contains("✘ denied") && run.stdout.contains("up to $27.90"), "{}", run.stdout);
    assert!(run.stdout.contains("of snapshot"), "{}", run.stdout);
}

#[test]
fn dollars_are_not_known_before_the_first_scan() {
    let world = world();
    world.aws.make(Fault::on("s3:GetBucketTagging", Trouble::Denied));
    let run = world.run(&["doctor"]).ends_with(4);
    assert!(run.stdout.contains("unknown") && !run.stdout.contains("up to $0"), "{}", run.stdout);
    assert!(run.stdout.contains("not known before the first scan"), "{}", run.stdout);
}

#[test]
fn a_call_that_fails_for_another_reason_is_no_missing_permission() {
    let world = world();
    world.aws.make(Fault::on("athena:ListWorkGroups", Trouble::Garbled));
    let document = world.run(&["doctor", "--format", "json"]).ends_with(1).json();
    assert_eq!(permission(&document, "athena:ListWorkGroups")["verdict"], "failed");
    assert_eq!(document["missing_policy"], Value::Null);
}

#[test]
fn with_free_cost_explorer_is_not_asked() {
    let world = world();
    let document = world.run(&["doctor", "--free", "--format", "json"]).ends_with(0).json();
    assert_eq!(permission(&document, "ce:GetCostAndUsage")["verdict"], "not_tried");
    assert_eq!(world.aws.count("ce:GetCostAndUsage"), 0);
}

#[test]
fn the_organization_is_asked_only_where_several_accounts_are_meant() {
    let world = world();
    let verdict = |options: &[&str]| {
        let document = world.run(&[&["doctor", "--free", "--format", "json"], options].concat()).json();
        permission(&document, "organizations:ListAccounts")["verdict"].clone()
    };
    assert_eq!((verdict(&[]), verdict(&["--accounts"])), (json!("not_tried"), json!("not_enabled")));
}

#[test]
fn a_clock_that_is_wrong_is_said_in_minutes() {
    let world = world();
    world.aws.account().date = Some("Sun, 01 Jan 2023 00:00:00 GMT".to_owned());
    world.run(&["doctor", "--free"]).ends_with(1).says("ahead of AWS's: AWS refuses signatures at 5 minutes");
    world.aws.make(Fault::on("sts:GetCallerIdentity", Trouble::Expired));
    let run = world.run(&["doctor", "--free"]).ends_with(1).says("the clock of this machine is");
    assert!(run.stderr.contains("hint:"), "{}", run.stderr);
}

#[test]
fn the_demo_lake_needs_no_doctor() {
    World::new().run(&["doctor", "--demo"]).ends_with(64);
}
