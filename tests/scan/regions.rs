//! `--region`, and Regions that only some scans know of: nothing vanishes without a word.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::aws::ledger::Charge;
use crate::aws::s3::Bucket;
use crate::aws::{Fault, Trouble};
use crate::support::{World, day};

/// Buckets in two Regions, and a third that only the bill names.
fn world() -> World {
    let world = World::new();
    world.aws.account().s3.add("lake", Bucket::in_region("us-east-1").versioned());
    world.aws.account().s3.add("lake-eu", Bucket::in_region("eu-west-1").versioned());
    let cents = Decimal::new(17, 2);
    let charge =
        Charge::usage(day("2026-11-17"), "Amazon Athena", "EUC1-DataScannedInTB", cents, Decimal::ONE, "Terabytes");
    world.aws.account().ledger.charges.push(charge);
    world.aws.account().ledger.page = 200;
    world
}

fn regions(world: &World, table: &str) -> Vec<String> {
    world.lines(&format!("select distinct region as r from {table} order by r"))
}

fn asked(world: &World, operation: &str) -> BTreeSet<String> {
    let calls = world.aws.calls().into_iter().filter(|call| call.operation == operation);
    calls.map(|call| call.region).collect()
}

#[test]
fn with_a_region_given_what_is_known_of_the_others_stays_and_they_are_not_asked() {
    let world = world();
    world.scan();
    world.aws.forget_calls();
    let world = world.on("2026-11-21");
    world.run(&["scan", "--all", "--region", "eu-west-1"]).ends_with(0);
    assert_eq!(regions(&world, "athena_workgroups"), ["r=eu-central-1", "r=eu-west-1", "r=us-east-1"]);
    assert_eq!(world.lines("select bucket, versioning from buckets where versioning = 'Enabled'").len(), 2);
    assert_eq!(asked(&world, "athena:ListWorkGroups"), BTreeSet::from(["eu-west-1".to_owned()]));
    assert_eq!(asked(&world, "cloudwatch:ListMetrics"), BTreeSet::from(["eu-west-1".to_owned()]));
    assert_eq!(asked(&world, "s3:GetBucketVersioning"), BTreeSet::from(["eu-west-1".to_owned()]));
    let seen = "select distinct state as s from coverage where region = 'us-east-1' and table_name in ('buckets', 'athena_workgroups')";
    assert_eq!(world.lines(seen), ["s=seen"], "its coverage came over with its rows");
}

#[test]
fn a_region_that_no_scan_ever_read_is_said_not_to_have_been_asked() {
    let world = world();
    world.run(&["scan", "--all", "--region", "eu-west-1"]).ends_with(0);
    assert_eq!(world.lines("select bucket as b from buckets"), ["b=lake-eu"]);
    let said = "select table_name as t from coverage where region = 'us-east-1' and state = 'not_asked' and reason like '%--region%' order by t";
    let tables = world.lines(said);
    for table in ["t=athena_queries", "t=athena_workgroups", "t=buckets", "t=lifecycle_rules", "t=storage"] {
        assert!(tables.contains(&table.to_owned()), "{table} is not in {tables:?}");
    }
    let count = "select expected as n from coverage where region = 'us-east-1' and table_name = 'buckets'";
    assert_eq!(world.lines(count), ["n=1"], "how many buckets are there is known");
    let world = world.on("2026-11-21");
    world.scan();
    assert_eq!(world.lines("select table_name from coverage where reason like '%--region%'"), Vec::<String>::new());
    assert_eq!(world.lines("select count(*) as n from buckets"), ["n=2"]);
}

#[test]
fn several_regions_may_be_given() {
    let world = world();
    world.run(&["scan", "--all", "--region", "eu-west-1", "--region", "eu-central-1"]).ends_with(0);
    assert_eq!(regions(&world, "athena_workgroups"), ["r=eu-central-1", "r=eu-west-1"]);
}

#[test]
fn a_region_that_was_given_and_failed_is_a_gap_and_not_last_weeks_rows() {
    let world = world();
    world.scan();
    world.aws.make(Fault::on("athena:ListWorkGroups", Trouble::Denied));
    let world = world.on("2026-11-21");
    world.run(&["scan", "--all", "--region", "eu-west-1"]).ends_with(0);
    assert_eq!(regions(&world, "athena_workgroups"), ["r=eu-central-1", "r=us-east-1"]);
    let gap = "select state as s from coverage where table_name = 'athena_workgroups' and region = 'eu-west-1' and read = 'athena:ListWorkGroups'";
    assert_eq!(world.lines(gap), ["s=missing"]);
}

#[test]
fn when_the_bill_fails_the_regions_that_earlier_scans_knew_are_read_all_the_same() {
    let world = world();
    world.scan();
    world.aws.forget_calls();
    world.aws.make(Fault::on("ce:*", Trouble::Denied));
    let world = world.on("2026-11-21");
    world.scan();
    assert!(asked(&world, "athena:ListWorkGroups").contains("eu-central-1"), "only the bill ever named it");
    assert_eq!(regions(&world, "athena_workgroups"), ["r=eu-central-1", "r=eu-west-1", "r=us-east-1"]);
}

#[test]
fn when_the_first_bill_fails_home_is_read_beside_the_regions_of_the_buckets() {
    let world = World::new();
    world.aws.account().s3.add("lake-eu", Bucket::in_region("eu-west-1"));
    world.aws.make(Fault::on("ce:*", Trouble::Denied));
    world.scan();
    let both = BTreeSet::from(["eu-west-1".to_owned(), "us-east-1".to_owned()]);
    assert_eq!(asked(&world, "athena:ListWorkGroups"), both, "queries may run where no bucket is");
    assert_eq!(regions(&world, "athena_workgroups"), ["r=eu-west-1", "r=us-east-1"]);
}

#[test]
fn a_scan_of_one_service_keeps_the_names_of_the_accounts() {
    let world = world();
    let other = world.aws.account().ledger.charges[0].clone().in_account("444455556666");
    world.aws.account().ledger.charges.push(other);
    world.scan();
    let before = world.lines("select account_id, name, scanned from accounts order by account_id");
    let world = world.on("2026-11-21");
    world.run(&["scan", "--only", "s3"]).ends_with(0);
    assert_eq!(world.lines("select account_id, name, scanned from accounts order by account_id"), before);
}
