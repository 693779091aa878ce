//! The ways to say who asks and where, and what a user sees while a scan runs.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::{Days, NaiveTime};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::aws::athena::Query;
use crate::aws::ledger::Charge;
use crate::aws::metrics::Series;
use crate::aws::s3::Bucket;
use crate::aws::{Fault, Trouble};
use crate::support::{TODAY, World, day};

fn world() -> World {
    let world = World::new();
    for n in 0..20 {
        let name = format!("lake-{n}");
        world.aws.account().s3.add(&name, Bucket::in_region("us-east-1").versioned());
        for kind in ["StandardStorage", "AllStorageTypes"] {
            let series = Series::new("us-east-1", &name, kind, &[(day("2026-11-17"), 5), (day("2026-11-18"), 6)]);
            world.aws.account().metrics.series.push(series);
        }
    }
    for days in [0, 1, 10, 30] {
        let on = day(TODAY).checked_sub_days(Days::new(days)).unwrap().and_time(NaiveTime::MIN).and_utc();
        world.aws.account().athena.queries.push(Query::new(&format!("q{days}"), "select 1", on, 1_000));
    }
    for month in 1..=11 {
        let on = day(&format!("2026-{month:02}-03"));
        let charge = Charge::usage(on, "Amazon Athena", "DataScannedInTB", Decimal::ONE, Decimal::ONE, "Terabytes");
        world.aws.account().ledger.charges.push(charge);
    }
    world.aws.account().ledger.page = 200;
    world
}

fn without_keys() -> World {
    world().without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY")
}

/// Returns the access keys that signed the calls.
fn keys(world: &World) -> BTreeSet<String> {
    let key = |signature: &String| signature.split("Credential=").nth(1)?.split('/').next().map(str::to_owned);
    world.aws.calls().iter().filter_map(|call| call.headers.get("authorization").and_then(key)).collect()
}

fn services(world: &World) -> BTreeSet<String> {
    world.aws.calls().iter().filter_map(|call| Some(call.operation.split_once(':')?.0.to_owned())).collect()
}

#[test]
fn a_profile_is_used_for_every_call() {
    let world = without_keys();
    let file = "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = x\n\
                [lake]\naws_access_key_id = AKIALAKE\naws_secret_access_key = y\n";
    world.write(".aws/credentials", file);
    world.run(&["scan", "--all", "--profile", "lake"]).ends_with(0);
    assert_eq!(keys(&world), BTreeSet::from(["AKIALAKE".to_owned()]));
}

#[test]
fn a_profile_that_is_not_there_is_named() {
    let world = without_keys();
    world.write(".aws/credentials", "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = x\n");
    world.run(&["scan", "--all", "--profile", "nobody"]).ends_with(4).says("nobody");
    assert_eq!(world.aws.calls().len(), 0);
}

#[test]
fn a_credential_process_gives_the_credentials() {
    let world = without_keys();
    let said = r#"{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "z"}"#;
    let file = world.write("said.json", said);
    world.write(".aws/config", &format!("[profile process]\ncredential_process = cat {}\n", file.display()));
    world.run(&["scan", "--all", "--profile", "process"]).ends_with(0);
    assert_eq!(keys(&world), BTreeSet::from(["AKIAPROCESS".to_owned()]));
}

#[test]
fn an_endpoint_on_the_command_line_gets_every_call_and_is_said() {
    let world = world().without("AWS_ENDPOINT_URL");
    let url = world.aws.url();
    world.run(&["scan", "--all", "--endpoint-url", &url]).ends_with(0).says("127.0.0.1");
    let all: BTreeSet<String> = ["athena", "ce", "cloudwatch", "s3", "sts"].map(str::to_owned).into();
    assert!(services(&world).is_superset(&all), "{:?}", services(&world));
}

#[test]
fn only_what_was_named_is_read_and_the_rest_is_said_not_to_have_been_asked() {
    let world = world();
    world.run(&["scan", "--only", "athena,s3"]).ends_with(0);
    assert_eq!(services(&world), ["athena", "s3", "s3control", "sts"].map(str::to_owned).into());
    let said = world.lines("select distinct table_name as t from coverage where state = 'not_asked' order by t");
    for table in ["t=charges", "t=costs", "t=storage"] {
        assert!(said.contains(&table.to_owned()), "{said:?}");
    }
    world.run(&["scan", "--only", "nothing"]).ends_with(64).says("athena");
}

#[test]
fn history_days_end_the_history_and_the_coverage_says_where() {
    let world = world();
    world.run(&["scan", "--all", "--history-days", "5"]).ends_with(0);
    assert_eq!(world.lines("select query_id as q from athena_queries order by q"), ["q=q0", "q=q1"]);
    let from = "select cast(from_day as varchar) as d from coverage where table_name = 'athena_queries' and state = 'seen' and resource = 'primary'";
    assert_eq!(world.lines(from), ["d=2026-11-15"]);
}

#[test]
fn what_a_pipe_gets_has_no_escape_code() {
    let world = world();
    for arguments in [vec!["scan", "--all"], vec!["scan", "--all", "-v"], vec!["scan", "--all", "--no-progress"]] {
        let run = world.run(&arguments).ends_with(0);
        for text in [&run.stdout, &run.stderr] {
            assert!(!text.contains(['\u{1b}', '\r', '\u{8}']), "{arguments:?}: {text:?}");
        }
        assert!(run.stderr.contains("s3: "), "a line for each collector: {}", run.stderr);
    }
}

#[test]
fn one_bucket_that_is_throttled_for_ever_ends_in_time_with_a_gap() {
    let world = world();
    world.aws.make(Fault::on("s3:GetBucketTagging", Trouble::Throttled).of("lake-3"));
    let began = Instant::now();
    world.scan();
    assert!(began.elapsed() < Duration::from_secs(90), "it took {:?}", began.elapsed());
    let gaps = world.lines("select resource as r, reason from coverage where resource is not null and state <> 'seen'");
    assert!(gaps.len() == 1 && gaps[0].contains("lake-3") && gaps[0].contains("SlowDown"), "{gaps:?}");
    assert_eq!(world.lines("select count(tags) as n from buckets"), ["n=19"]);
}

/// Expects the requests that were made, and what they cost, to be within what was said before.
fn holds(world: &World) {
    let estimate = world.run(&["scan", "--all", "--estimate", "--format", "json"]).ends_with(0).json();
    world.aws.forget_calls();
    let scan = world.run(&["scan", "--all", "--format", "json"]).ends_with(0).json();
    let between = |span: &Value, real: f64| {
        let number = |v: &Value| v.as_f64().or_else(|| v.as_str()?.parse().ok()).unwrap();
        number(&span["low"]) <= real && real <= number(&span["high"])
    };
    for said in estimate["services"].as_array().unwrap() {
        let prefix = match said["service"].as_str().unwrap() {
            "bill" => "ce:",
            "s3" => "s3",
            "cloudwatch" => "cloudwatch:",
            "athena" => "athena:",
            _ => continue,
        };
        let real = world.aws.calls().iter().filter(|call| call.operation.starts_with(prefix)).count();
        assert!(between(&said["requests"], f64::from(u32::try_from(real).unwrap())), "{real} requests: {said}");
    }
    let usd: f64 = scan["receipt"]["usd"].as_str().unwrap().parse().unwrap();
    assert!(between(&estimate["total"]["usd"], usd), "{usd}: {}", estimate["total"]);
}

#[test]
fn an_estimate_holds_for_the_first_scan_and_for_the_next() {
    let world = world();
    holds(&world);
    let world = world.on("2026-11-24");
    holds(&world);
}

#[test]
fn after_the_first_month_of_the_bill_it_is_said_what_is_ahead() {
    let world = world();
    let run = world.scan().says("bill:").says("more requests, $");
    let line = run.stderr.lines().find(|line| line.contains("more requests")).unwrap().to_owned();
    assert!(line.starts_with("bill: ") && line.contains(" to "), "{line}");
}
