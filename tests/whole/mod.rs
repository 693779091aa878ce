//! One account that holds something of everything that a scan reads, and what is asked of it.

mod reads;
mod shapes;

use rust_decimal::Decimal;
use serde_json::json;

use crate::aws::athena::{Query, Workgroup};
use crate::aws::exports::Export;
use crate::aws::ledger::Charge;
use crate::aws::metrics::Series;
use crate::aws::network::Firewall;
use crate::aws::s3::{Bucket, Upload};
use crate::scan::{compute, glue};
use crate::support::{TODAY, World, day};
use crate::{advice, collect, network, trail};

const HERE: &str = "us-east-1";

/// Returns a world whose account has one of each.
fn world() -> World {
    let world = World::new();
    compute::emr(&world);
    compute::serverless(&world);
    compute::warehouses(&world);
    compute::workgroups(&world);
    compute::reservations(&world);
    glue::fill(&world);
    advice::fill(&world);
    trail::fill(&world);
    buckets(&world);
    bill(&world);
    queries(&world);
    ways(&world);
    members(&world);
    world
}

fn buckets(world: &World) {
    let upload = Upload::new("a/1", "u-1", "2026-08-01", &[5_000_000, 7]);
    let raw = Bucket::in_region(HERE).versioned().tagged("owner", "ingest").with_lifecycle(collect::WHOLE);
    let mut account = world.aws.account();
    account.s3.add("raw", raw.set(collect::all_set()).with_upload(upload));
    account.s3.add("far", Bucket::in_region("eu-west-1"));
    account.lenses = collect::lenses();
    let points = [(day("2026-11-17"), 1_000), (day("2026-11-18"), 1_001)];
    account.metrics.series.push(Series::new(HERE, "raw", "StandardStorage", &points));
    account.metrics.series.push(Series::new(HERE, "raw", "AllStorageTypes", &points));
}

/// A dollar a day for each service that is read by rank.
fn bill(world: &World) {
    let services = [
        ("Amazon Simple Storage Service", "TimedStorage-ByteHrs"),
        ("AWS Glue", "ETL-DPU-Hour"),
        ("Amazon Elastic MapReduce", "BoxUsage:m5.xlarge"),
        ("Amazon Redshift", "Node:ra3.xlplus"),
        ("EC2 - Other", "NatGateway-Bytes"),
    ];
    let charge = |(service, usage_type)| {
        Charge::usage(day("2026-11-10"), service, usage_type, Decimal::ONE, Decimal::TEN, "Units").tagged("team", "bi")
    };
    world.aws.account().ledger.charges.extend(services.map(charge));
    world.aws.account().ledger.page = 500;
}

fn queries(world: &World) {
    let settings = json!({
        "EnforceWorkGroupConfiguration": true, "BytesScannedCutoffPerQuery": 1_000_000_000_i64,
        "ResultConfiguration": {"OutputLocation": "s3://results/"}, "PublishCloudWatchMetricsEnabled": true,
        "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
    });
    let group = Workgroup { region: HERE.into(), name: "bi".into(), configuration: settings };
    let at = day("2026-11-18").and_hms_opt(9, 0, 0).unwrap().and_utc();
    let mut account = world.aws.account();
    account.athena.workgroups.push(group);
    account.athena.queries.push(Query::new("q1", "select * from orders", at, 4_711));
}

fn ways(world: &World) {
    let mut lake = network::lake();
    let zones = vec![("a", "subnet-etl".into())];
    lake.firewalls.push(Firewall { region: HERE.into(), name: "one".into(), vpc: "vpc-lake".into(), zones });
    let points = [(day("2026-11-18"), 1_000)];
    let bytes = ["BytesOutToDestination", "BytesInFromDestination"]
        .map(|metric| Series::of(HERE, "AWS/NATGateway", metric, &[("NatGatewayId", "nat-a")], &points));
    let mut account = world.aws.account();
    account.network = lake;
    account.metrics.series.extend(bytes);
}

fn members(world: &World) {
    let mut account = world.aws.account();
    // Of no bill, so that no file of it is read.
    let export = |table| Export { name: "advice".into(), bucket: "out".into(), prefix: "x".into(), table };
    account.exports.push(export("COST_OPTIMIZATION_RECOMMENDATIONS"));
    let arn = "arn:aws:billing::111122223333:billingview/primary";
    account.advice.billing_views =
        vec![json!({"arn": arn, "name": "Primary", "billingViewType": "PRIMARY", "ownerAccountId": "111122223333"})];
    let member = account.organization.add("222222222222", "data", day(TODAY));
    member.account.s3.add("of-the-member", Bucket::in_region("eu-west-1"));
}
