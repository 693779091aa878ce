//! `doctor` from the outside: what it tries, what it says of it, and how it ends.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::aws::ledger::Charge;
use crate::aws::s3::Bucket;
use crate::aws::{Fault, Trouble};
use crate::schema::fits;
use crate::support::{TODAY, World, day};

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
fn each_permission_may_be_tried_for_two_cents_more() {
    let world = world();
    let document = world.run(&["doctor", "--paid", "--format", "json"]).json();
    for operation in ["ce:GetCostAndUsage", "ce:GetAnomalies", "ce:GetCostForecast"] {
        assert_eq!((world.aws.count(operation), &permission(&document, operation)["verdict"]), (1, &json!("allowed")));
    }
    world.run(&["doctor", "--paid", "--free"]).ends_with(64);
}

const OPEN: &str = "222222222222";

/// The payer, an account that can be entered, one that asks for another external id, and one without the role.
fn with_members() -> World {
    let world = world();
    {
        let mut account = world.aws.account();
        for (id, external_id, role) in
            [(OPEN, "x-1", "scan"), ("333333333333", "x-2", "scan"), ("444444444444", "x-1", "another")]
        {
            let member = account.organization.add(id, "team", day(TODAY));
            (member.external_id, member.role) = (Some(external_id.into()), role.into());
            member.account.s3.add(&format!("of-{id}"), Bucket::in_region("us-east-1"));
        }
        account.organization.add("555555555555", "gone", day(TODAY)).state = "SUSPENDED";
    }
    world.write("leanlake.toml", "accounts = 'all'\n[role]\nname = 'scan'\nexternal_id = 'x-1'\n");
    world
}

#[test]
fn the_configured_role_is_really_assumed_in_each_account_and_what_keeps_it_out_is_said() {
    let world = with_members();
    let run = world.run(&["doctor", "--free", "--format", "json"]).ends_with(4).says("2 accounts cannot be entered");
    let document = run.json();
    fits("doctor.json", &document);
    let members = &document["members"];
    assert_eq!((&members["accounts"], &members["tried"]), (&json!(3), &json!(3)), "a suspended one is not meant");
    assert_eq!(members["assumed"], json!([OPEN]));
    let closed = members["closed"].as_array().unwrap();
    assert_eq!(closed.len(), 2);
    for one in closed {
        let advice = one["advice"].as_str().unwrap();
        let says = ["no role `scan`", "does not trust you", "another external id"];
        assert!(says.iter().all(|words| advice.contains(words)), "{advice}");
        assert!(one["reason"].as_str().unwrap().contains("not authorized"), "{one}");
    }
    let checked = &members["checked"][0];
    assert_eq!(
        (&checked["account_id"], permission(checked, "s3:ListBuckets")["verdict"].as_str()),
        (&json!(OPEN), Some("allowed"))
    );
    assert_eq!(permission(checked, "ce:GetCostAndUsage")["verdict"], "not_tried", "the bill is the caller's");
    let calls = world.aws.calls();
    let there = calls.iter().filter(|call| call.key_id == format!("ASIA{OPEN}"));
    assert!(there.clone().any(|call| call.operation == "s3:GetBucketTagging"));
    assert!(there.clone().all(|call| !call.operation.contains(":Put") && !call.operation.contains(":Delete")));
    let scan = &document["scan"];
    assert!(scan["parts"].as_array().unwrap().iter().any(|part| part["account_id"] == OPEN && part["service"] == "s3"));
    let text = world.run(&["doctor", "--free"]).ends_with(4).stdout;
    assert!(text.contains("3 of 3 roles were tried, 1 could be assumed"), "{text}");
    let none = world.run(&["doctor", "--free", "--accounts", OPEN, "--format", "json"]).ends_with(0).json();
    assert_eq!(none["members"]["closed"], json!([]));
}

#[test]
fn a_permission_that_only_another_account_denies_is_named_with_the_account() {
    let world = with_members();
    world.aws.make(Fault::on("s3:GetBucketVersioning", Trouble::Denied).in_account(OPEN));
    let run = world.run(&["doctor", "--free", "--accounts", OPEN]).ends_with(4).says("1 calls are denied");
    assert!(run.stdout.contains("✘ 222222222222: s3:GetBucketVersioning is denied"), "{}", run.stdout);
    assert!(run.stdout.contains("The smallest IAM policy") && run.stdout.contains("\"s3:GetBucketVersioning\""));
    let alone = world.run(&["doctor", "--free", "--accounts", "111122223333", "--format", "json"]).ends_with(0).json();
    assert_eq!(alone["members"]["accounts"], 0);
}

#[test]
fn of_many_accounts_a_hundred_roles_are_tried_and_two_looked_into_and_that_is_said() {
    let world = world();
    for n in 0..103_u64 {
        world.aws.account().organization.add(&(200_000_000_000 + n).to_string(), "team", day(TODAY));
    }
    let run = world.run(&["doctor", "--free", "--accounts", "all", "--role", "leanlake-scan"]).ends_with(0);
    assert_eq!(world.aws.count("sts:AssumeRole"), 100);
    for line in
        ["100 of 103 roles were tried, 100 could be assumed", "In 98 others the calls were not tried", "at least"]
    {
        assert!(run.stdout.contains(line), "no `{line}` in\n{}", run.stdout);
    }
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
