//! The bill: every row as it stands in the ledger, and no day read twice that cannot change.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::aws::ledger::Charge;
use crate::support::{World, day};

const S3: &str = "Amazon Simple Storage Service";
const ATHENA: &str = "Amazon Athena";

/// Returns some charges of every kind on some days of two months, in two accounts.
fn charges() -> Vec<Charge> {
    let cents = |cents: i64| Decimal::new(cents, 2);
    let mut charges = Vec::new();
    for (at, on) in ["2026-08-03", "2026-10-30", "2026-11-01", "2026-11-17"].into_iter().enumerate() {
        let (on, n) = (day(on), i64::try_from(at).unwrap());
        charges.push(Charge::usage(
            on,
            S3,
            "TimedStorage-ByteHrs",
            cents(2_301 + n),
            Decimal::from(1_000 + n),
            "GB-Mo",
        ));
        charges.push(Charge::usage(on, S3, "EUC1-Requests-Tier1", cents(17), Decimal::from(34_000), "Requests"));
        charges.push(Charge::usage(on, ATHENA, "DataScannedInTB", cents(500 * n), cents(100 * n), "Terabytes"));
        charges.push(
            Charge::usage(on, ATHENA, "DataScannedInTB", cents(250), cents(50), "Terabytes").in_account("444455556666"),
        );
        charges.push(
            Charge::usage(on, S3, "TimedStorage-ByteHrs", cents(-300), Decimal::ZERO, "GB-Mo").recorded_as("Credit"),
        );
        charges.push(Charge::usage(on, "Tax", "NoUsageType", cents(123), Decimal::ZERO, "N/A").recorded_as("Tax"));
    }
    charges
}

fn world() -> World {
    let world = World::new();
    world.aws.account().ledger.charges = charges();
    world.aws.account().ledger.page = 200;
    world
}

/// Returns the ledger's usage and each cost summed by `key`, as text that compares.
fn expected(charges: &[Charge], usage_only: bool, key: impl Fn(&Charge) -> String) -> BTreeMap<String, [Decimal; 3]> {
    let mut sums: BTreeMap<String, [Decimal; 3]> = BTreeMap::new();
    for charge in charges.iter().filter(|charge| !usage_only || charge.record_type == "Usage") {
        let sum = sums.entry(key(charge)).or_default();
        for (sum, cost) in sum.iter_mut().zip([charge.unblended, charge.amortized, charge.net_amortized]) {
            *sum += cost;
        }
    }
    sums
}

/// Returns the rows of a table summed by the column `key`.
fn stored(world: &World, table: &str, key: &str) -> BTreeMap<String, [Decimal; 3]> {
    let sql = format!("select {key} as key, unblended, amortized, net_amortized from {table} order by key");
    let number = |row: &Value, column: &str| match &row[column] {
        Value::String(text) => text.parse().unwrap(),
        Value::Number(number) => number.to_string().parse().unwrap(),
        other => panic!("{column} is {other}"),
    };
    let mut sums = BTreeMap::new();
    for row in world.rows(&sql) {
        let costs = ["unblended", "amortized", "net_amortized"].map(|column| number(&row, column));
        let before = sums.insert(row["key"].as_str().unwrap().to_owned(), costs);
        assert!(before.is_none(), "two rows of {table} for {row}");
    }
    sums
}

const BY_USAGE: &str = "cast(day as varchar) || '/' || service || '/' || usage_type";

fn by_usage(charge: &Charge) -> String {
    format!("{}/{}/{}", charge.day, charge.service, charge.usage_type)
}

#[test]
fn the_rows_are_the_ledgers_through_pages_of_three_groups() {
    let world = world();
    world.aws.account().ledger.page = 3;
    world.scan();
    assert_eq!(stored(&world, "costs", BY_USAGE), expected(&charges(), true, by_usage));
    let by_record = |c: &Charge| format!("{}/{}/{}", c.day, c.record_type, c.service);
    let stored_charges = stored(&world, "charges", "cast(day as varchar) || '/' || record_type || '/' || service");
    assert_eq!(stored_charges, expected(&charges(), false, by_record));
    let by_account = |c: &Charge| format!("{}/{}/{}", c.day, c.account, c.service);
    let stored_accounts =
        stored(&world, "costs_by_account", "cast(day as varchar) || '/' || linked_account_id || '/' || service");
    assert_eq!(stored_accounts, expected(&charges(), true, by_account));
    assert!(world.aws.calls().iter().any(|call| !call.json["NextPageToken"].is_null()), "a second page was read");
}

#[test]
fn quantities_keep_their_unit_and_regions_come_from_the_usage_type() {
    let world = world();
    world.scan();
    let sql = "select usage_type, region, unit, usage from costs where day = '2026-11-17' order by usage_type";
    let cell = |row: &Value, column: &str| row[column].as_str().map_or_else(|| row[column].to_string(), str::to_owned);
    let rows: Vec<_> =
        world.rows(sql).iter().map(|r| ["usage_type", "region", "unit"].map(|c| cell(r, c)).join(" ")).collect();
    let wanted = [
        "DataScannedInTB us-east-1 Terabytes",
        "EUC1-Requests-Tier1 eu-central-1 Requests",
        "TimedStorage-ByteHrs us-east-1 GB-Mo",
    ];
    assert_eq!(rows, wanted);
}

#[test]
fn the_open_month_is_an_estimate_and_closed_months_are_not() {
    let world = world();
    world.scan();
    let rows = world.lines("select distinct cast(day as varchar) as day, estimated from costs order by day");
    let wanted = ["2026-08-03 false", "2026-10-30 false", "2026-11-01 true", "2026-11-17 true"];
    let wanted: Vec<String> = wanted.map(|line| format!("day={}", line.replace(' ', " estimated="))).to_vec();
    assert_eq!(rows, wanted);
}

#[test]
fn the_first_scan_asks_for_the_whole_reachable_past_in_days() {
    let world = world();
    world.scan();
    let asked = world.aws.calls().into_iter().filter(|call| call.operation == "ce:GetCostAndUsage");
    let starts: Vec<String> = asked.map(|call| call.json["TimePeriod"]["Start"].as_str().unwrap().to_owned()).collect();
    assert_eq!(starts.iter().min().map(String::as_str), Some("2025-10-01"), "13 months before the current one");
    assert!(world.aws.calls().iter().all(|call| call.status == 200 || call.operation != "ce:GetCostAndUsage"));
}

#[test]
fn the_second_scan_reads_only_what_can_still_change_and_forgets_nothing() {
    let world = world();
    world.scan();
    world.aws.forget_calls();
    let mut restated = charges();
    restated.iter_mut().filter(|charge| charge.day == day("2026-10-30")).for_each(|c| c.unblended += Decimal::ONE);
    let late = Charge::usage(day("2026-11-20"), ATHENA, "DataScannedInTB", Decimal::TEN, Decimal::TWO, "Terabytes");
    restated.push(late);
    world.aws.account().ledger.charges = restated.clone();
    let world = world.on("2026-11-21");
    world.scan();
    for call in world.aws.calls().iter().filter(|call| call.operation == "ce:GetCostAndUsage") {
        let start: NaiveDate = day(call.json["TimePeriod"]["Start"].as_str().unwrap());
        assert!(start >= day("2026-10-01"), "{start} was read again");
    }
    assert_eq!(stored(&world, "costs", BY_USAGE), expected(&restated, true, by_usage));
}

#[test]
fn where_net_costs_are_refused_the_others_are_read_and_it_is_said() {
    for code in ["ValidationException", "AccessDeniedException"] {
        let world = world();
        world.aws.account().ledger.net_refusal = Some(code);
        world.scan();
        let sums = "select sum(unblended) as u, count(net_amortized) as net, count(amortized) as amortized, count(*) as n from costs";
        let row = &world.rows(sums)[0];
        let whole: Decimal = charges().iter().filter(|c| c.record_type == "Usage").map(|c| c.unblended).sum();
        let unblended: Decimal = row["u"].as_str().unwrap().parse().unwrap();
        assert_eq!((unblended, row["net"].as_i64()), (whole, Some(0)), "{code}");
        assert_eq!(row["amortized"], row["n"], "{code}");
        let gaps = world.lines("select reason from coverage where table_name = 'costs' and state <> 'seen'");
        assert!(
            gaps.iter().any(|gap| gap.to_lowercase().contains("net")),
            "{code}: no gap speaks of net costs: {gaps:?}"
        );
    }
}

#[test]
fn operations_and_tags_are_rows_of_their_own_and_a_second_scan_reads_only_what_changes() {
    let world = World::new();
    world.write("leanlake.toml", "cost_tags = ['team', 'project']\n");
    let on = |text: &str, cents: i64| {
        Charge::usage(day(text), S3, "TimedStorage-ByteHrs", Decimal::new(cents, 2), Decimal::ONE, "GB-Mo")
    };
    {
        let mut account = world.aws.account();
        account.ledger.charges = vec![
            on("2026-08-03", 100).operation("StandardStorage").tagged("team", "ingest"),
            on("2026-08-03", 20).operation("StandardStorage").tagged("project", "a$b"),
            on("2026-11-17", 3).operation("PutObject"),
            Charge::usage(day("2026-11-17"), "Amazon Lightsail", "BoxUsage", Decimal::TEN, Decimal::ONE, "Hrs"),
        ];
    }
    world.scan();
    let operations = "select usage_type, operation, unblended from costs_by_operation order by day, operation";
    assert_eq!(
        world.lines(operations),
        [
            "operation=StandardStorage unblended=1.20 usage_type=TimedStorage-ByteHrs",
            "operation=PutObject unblended=0.03 usage_type=TimedStorage-ByteHrs",
        ]
    );
    let tags = "select tag_key as k, tag_value as v, sum(unblended) as usd from tags_cost group by 1, 2 order by 1, 2";
    let told =
        ["k=project usd=11.03 v=", "k=project usd=0.20 v=a$b", "k=team usd=10.23 v=", "k=team usd=1.00 v=ingest"];
    assert_eq!(world.lines(tags), told);
    world.aws.forget_calls();
    world.scan();
    let asked = world.aws.count("ce:GetCostAndUsage");
    assert_eq!(asked, 6 + 1 + pages_beyond_the_first(&world), "six questions, and one about a month without usage");
    assert_eq!(world.lines(tags), told);
}

fn pages_beyond_the_first(world: &World) -> usize {
    world.aws.calls().iter().filter(|call| !call.json["NextPageToken"].is_null()).count()
}
