//! `findings` from outside, on the demo lake: what a user sees first, and what a script hangs on.

use serde_json::Value;

use crate::support::World;

fn usd(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// A store with a small demo lake: last week's snapshot and this week's.
fn lake() -> World {
    let world = World::new();
    world.run(&["demo", "--days", "90"]).ends_with(0);
    world
}

#[test]
fn findings_are_ranked_priced_and_the_same_from_run_to_run() {
    let world = lake();
    let first = world.run(&["findings", "--format", "json"]).ends_with(0);
    assert_eq!(first.stdout, world.run(&["findings", "--format", "json"]).ends_with(0).stdout);
    let document = first.json();
    assert_eq!((&document["schema"], &document["version"]), (&"leanlake.findings".into(), &"1.0".into()));
    assert_eq!(document["origin"]["kind"], "demo");
    let findings = document["findings"].as_array().unwrap();
    let recommended = findings.iter().filter(|finding| finding["verdict"]["kind"] == "recommended");
    let lows: f64 = recommended.map(|finding| usd(&finding["verdict"]["counted"]["low"])).sum();
    assert!((lows - usd(&document["totals"]["headline_low"])).abs() < 1e-6, "the headline is the sum of the low ends");
    assert!(findings.iter().any(|finding| finding["saving"]["unknown"].is_string()), "unknown is said, not 0");
    assert!(findings.iter().any(|f| f["status"] == "open") && findings.iter().any(|f| f["status"] == "new"));

    let table = world.run(&["findings"]).ends_with(0);
    assert!(table.stdout.starts_with("Demo lake: every number is made up."), "{}", table.stdout);
    assert!(table.stdout.contains("a month can be saved by"));
    let csv = world.run(&["findings", "--format", "csv"]).ends_with(0);
    assert_eq!(csv.stdout.lines().filter(|line| line.starts_with("f-")).count(), findings.len());

    let id = findings[0]["id"].as_str().unwrap();
    let page = world.run(&["findings", "show", id]).ends_with(0).stdout;
    for part in [id, "Verdict", "Evidence", "Arithmetic", "rate: s3.storage", "list price of", "First step"] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
    world.run(&["findings", "--format", "json", "show", id]).ends_with(0);
    world.run(&["findings", "--policy", "x", "show", id]).ends_with(64).says("`--policy`");
    world.run(&["findings", "show", "f-nonsense"]).ends_with(1).says("`f-nonsense`");
    world.run(&["findings", "show", "f-"]).ends_with(64).says("several");
}

#[test]
fn filters_narrow_the_list_and_leave_the_totals() {
    let world = lake();
    let all = world.run(&["findings", "--format", "json"]).json();
    let some =
        world.run(&["findings", "--format", "json", "--policy", "s3-abandoned-uploads", "--min-saving", "1"]).json();
    assert_eq!(all["totals"], some["totals"]);
    let some = some["findings"].as_array().unwrap();
    assert!(!some.is_empty() && some.len() < all["findings"].as_array().unwrap().len());
    assert!(some.iter().all(|finding| finding["policy"] == "s3-abandoned-uploads"));
    assert!(some.iter().all(|finding| usd(&finding["saving"]["expected"]) >= 1.0));
    world.run(&["findings", "--min-saving", "much"]).ends_with(64).says("12.50");
}

#[test]
fn the_pools_can_be_asked_in_sql_and_hold_no_more_than_the_bill() {
    let world = lake();
    let sql = "select p.usage_type, sum(p.billed_usd) <= max(c.net) + 0.000001 as holds from pools p join (\
               select usage_type, sum(net_amortized) as net from costs where day >= date '2026-10-01' \
               and day < date '2026-11-01' group by 1) c on c.usage_type = p.usage_type group by 1";
    let rows = world.rows(sql);
    assert!(!rows.is_empty() && rows.iter().all(|row| row["holds"] == true), "{rows:?}");
}
