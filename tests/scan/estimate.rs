//! What a scan of several accounts and Regions would cost, against what it then asks.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::aws::Call;
use crate::aws::ledger::Charge;
use crate::aws::s3::Bucket;
use crate::support::{TODAY, World, day};

const OWN: &str = "111122223333";
const OPEN: &str = "222222222222";
const MEMBERS: [&str; 7] = ["--accounts", "all", "--role", "leanlake-scan", "--external-id", "x-1", "--all"];

fn world() -> World {
    let world = World::new();
    {
        let mut account = world.aws.account();
        let (service, usage) = ("Amazon Simple Storage Service", "EU-TimedStorage-ByteHrs");
        let charge = Charge::usage(day("2026-11-10"), service, usage, Decimal::TEN, Decimal::ONE, "GB-Mo");
        account.ledger.charges.push(charge);
        account.s3.add("of-the-payer", Bucket::in_region("us-east-1"));
        for (id, external_id) in [(OPEN, "x-1"), ("333333333333", "x-2")] {
            let member = account.organization.add(id, "team", day(TODAY));
            member.external_id = Some(external_id.into());
            for n in 0..3 {
                member.account.s3.add(&format!("lake-{n}"), Bucket::in_region("eu-west-1"));
            }
        }
    }
    world
}

fn estimate(world: &World, more: &[&str]) -> Value {
    world.run(&[&["scan", "--estimate", "--format", "json"], &MEMBERS[..], more].concat()).ends_with(0).json()
}

fn parts(estimate: &Value) -> BTreeSet<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let part = |part: &Value| (text(&part["account_id"]), text(&part["region"]), text(&part["service"]));
    estimate["parts"].as_array().unwrap().iter().map(part).collect()
}

/// Expects what was asked of each account's buckets to be what was said.
fn holds(world: &World, said: &Value, options: &[&str]) {
    world.aws.forget_calls();
    let scan = world.run(&[&["scan", "--format", "json"], &MEMBERS[..], options].concat()).ends_with(0).json();
    let calls = world.aws.calls();
    let account = |call: &Call| call.key_id.strip_prefix("ASIA").unwrap_or(OWN).to_owned();
    let of_buckets = said["parts"].as_array().unwrap().iter().filter(|part| part["service"] == "s3");
    for part in of_buckets {
        let here = |call: &&Call| part["account_id"].is_null() || part["account_id"] == account(call);
        let real = calls.iter().filter(here).filter(|call| call.operation.starts_with("s3")).count() as u64;
        let bound = |end: &str| part["requests"][end].as_u64().unwrap();
        assert!((bound("low")..=bound("high")).contains(&real), "{real} requests: {part}");
    }
    let usd = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let (real, said) = (usd(&scan["receipt"]["usd"]), &said["total"]["usd"]);
    assert!(usd(&said["low"]) <= real && real <= usd(&said["high"]), "{real}: {said}");
}

#[test]
fn every_account_and_region_that_a_scan_would_visit_is_counted_and_what_is_not_known_is_said() {
    let world = world();
    let said = estimate(&world, &[]);
    assert_eq!(world.aws.count("ce:GetCostAndUsage"), 0);
    assert_eq!((&said["accounts"], &said["regions"]), (&json!([OWN, OPEN]), &json!(["eu-west-1", "us-east-1"])));
    let parts = parts(&said);
    for account in [OWN, OPEN] {
        assert!(parts.contains(&(account.into(), "-".into(), "s3".into())), "{parts:?}");
        for region in ["eu-west-1", "us-east-1"] {
            for service in ["cloudwatch", "athena", "glue", "network", "redshift"] {
                assert!(
                    parts.contains(&(account.into(), region.into(), service.into())),
                    "{account} {region} {service}"
                );
            }
        }
    }
    assert!(
        parts.contains(&(OWN.into(), "-".into(), "bill".into()))
            && !parts.contains(&(OPEN.into(), "-".into(), "bill".into()))
    );
    let unknown = said["unknown"].to_string();
    assert!(unknown.contains("1 accounts cannot be entered") && unknown.contains("333333333333"), "{unknown}");
    assert!(unknown.contains("no scan has read the bill yet") && said["total"]["at_least"] == true, "{unknown}");
    holds(&world, &said, &[]);
    let text = world.run(&[&["scan", "--estimate"], &MEMBERS[..]].concat()).ends_with(0).stdout;
    assert!(text.contains(OPEN) && text.contains("eu-west-1") && text.contains("not known yet: 1 accounts"), "{text}");
}

#[test]
fn an_estimate_of_some_services_in_several_accounts_holds_again_after_the_first_scan() {
    let world = world();
    let only = ["--only", "s3"];
    holds(&world, &estimate(&world, &only), &only);
    let world = world.on("2026-11-21");
    let said = estimate(&world, &only);
    assert_eq!(said["total"]["at_least"], false, "{said}");
    holds(&world, &said, &only);
}

#[test]
fn a_scan_of_one_account_after_one_of_several_is_not_estimated_from_their_receipt() {
    let world = world();
    world.run(&[&["scan"], &MEMBERS[..]].concat()).ends_with(0);
    let own = world.run(&["scan", "--estimate", "--all", "--format", "json"]).ends_with(0).json();
    assert_eq!(own["accounts"], json!([OWN]));
    let s3 = own["services"].as_array().unwrap().iter().find(|service| service["service"] == "s3").unwrap();
    assert!(s3["basis"].as_str().unwrap().contains("1 buckets"), "{s3}");
}

#[test]
fn more_accounts_than_an_estimate_enters_make_it_at_least_so_much() {
    let world = World::new();
    for n in 0..102_u64 {
        let id = (200_000_000_000 + n).to_string();
        let mut account = world.aws.account();
        let member = account.organization.add(&id, "team", day(TODAY));
        member.external_id = Some("x-1".into());
        member.account.s3.add(&format!("lake-{n}"), Bucket::in_region("us-east-1"));
    }
    let said = estimate(&world, &["--only", "s3"]);
    assert_eq!((said["accounts"].as_array().unwrap().len(), world.aws.count("sts:AssumeRole")), (103, 100));
    assert_eq!(said["total"]["at_least"], true);
    let unknown = said["unknown"].to_string();
    assert!(unknown.contains("2 accounts were not entered"), "{unknown}");
    assert!(world.aws.count("s3:ListBuckets") <= 200, "it may cost a tenth of a cent itself");
    let text = world.run(&[&["scan", "--estimate", "--only", "s3"], &MEMBERS[..]].concat()).ends_with(0).stdout;
    assert!(text.contains("at least $") && text.contains("83 others"), "{text}");
}
