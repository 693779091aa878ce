//! A lake with something in every service, in two Regions and two accounts.

use chrono::{DateTime, Days, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::aws::athena::{Query, Reservation, Workgroup};
use crate::aws::emr_serverless::{Application, JobRun};
use crate::aws::glue::{Crawl, Run};
use crate::aws::ledger::Charge;
use crate::aws::metrics::{Reading, Series};
use crate::aws::network::{Endpoint, Gateway, Subnet, Table, Vpc};
use crate::aws::s3::{Bucket, Upload};
use crate::aws::trail::Event;
use crate::aws::{Account, emr, lens, redshift};
use crate::support::{TODAY, World, day};

pub const HERE: &str = "us-east-1";
pub const THERE: &str = "eu-west-1";
pub const MEMBER: &str = "222222222222";
/// A bucket of each account in each Region is called so, with the account and the Region behind it.
pub const VAULT: &str = "vault-111122223333-us-east-1";

const RULE: &str = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>old</ID>\
    <Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>\
    </LifecycleConfiguration>";

/// Returns a payer with a member that has the role `leanlake-scan`; both have the same in two Regions.
pub fn world() -> World {
    let world = World::new();
    // With the same key the same text has the same hash, whichever world it is read in.
    let key = world.path("store/hash.key");
    std::fs::create_dir_all(key.parent().unwrap()).unwrap();
    std::fs::write(key, [7; 32]).unwrap();
    let mut account = world.aws.account();
    bill(&mut account);
    advice(&mut account);
    fill(&mut account);
    let member = account.organization.add(MEMBER, "data", day(TODAY));
    fill(&mut member.account);
    drop(account);
    world
}

fn at(days_ago: u64, hour: u32) -> DateTime<Utc> {
    day(TODAY).checked_sub_days(Days::new(days_ago)).unwrap().and_hms_opt(hour, 0, 0).unwrap().and_utc()
}

fn bill(account: &mut Account) {
    for (service, usage_type) in [
        ("Amazon Simple Storage Service", "TimedStorage-ByteHrs"),
        ("Amazon Simple Storage Service", "EUW1-TimedStorage-ByteHrs"),
        ("Amazon Athena", "DataScannedInTB"),
        ("AWS Glue", "ETL-DPU-Hour"),
    ] {
        for on in ["2026-09-17", "2026-10-17", "2026-11-17"] {
            let charge = Charge::usage(day(on), service, usage_type, Decimal::TEN, Decimal::ONE, "GB-Mo");
            account.ledger.charges.extend([charge.clone(), charge.in_account(MEMBER)]);
        }
    }
    account.ledger.page = 500;
}

fn advice(account: &mut Account) {
    account.advice.enrolled = true;
    account.advice.recommendations = vec![json!({
        "recommendationId": "r-1", "accountId": MEMBER, "region": THERE, "resourceId": "i-1", "currencyCode": "USD",
        "currentResourceType": "Ec2Instance", "estimatedMonthlySavings": 20.5, "actionType": "Rightsize",
    })];
    account.advice.budgets = vec![json!({
        "BudgetName": "lake", "BudgetType": "COST", "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "1000.0", "Unit": "USD"},
    })];
}

/// Fills an account with the same things in both Regions.
fn fill(account: &mut Account) {
    for region in [HERE, THERE] {
        buckets(account, region);
        queries(account, region);
        pipelines(account, region);
        clusters(account, region);
        network(account, region);
        let event = Event::new(&format!("e-{region}"), "raw", at(9, 9), "aws-cli/2.27.4");
        account.trail.events.push(Event { region: region.into(), ..event });
    }
    account.lenses.push(lens::Lens { home: HERE.into(), id: "default".into(), inside: String::new() });
}

fn buckets(account: &mut Account, region: &str) {
    for name in ["raw", "vault"] {
        let name = format!("{name}-{}-{region}", account.id);
        let upload = Upload::new("part/1", "u1", "2026-06-01", &[5_242_880, 100]);
        let bucket = Bucket::in_region(region).versioned().tagged("owner", "bi").with_lifecycle(RULE);
        account.s3.add(&name, bucket.with_upload(upload));
        let days: Vec<_> = ["2026-11-17", "2026-11-18"].map(|on| (day(on), 4_000_000)).to_vec();
        account.metrics.series.push(Series::new(region, &name, "StandardStorage", &days));
    }
}

fn queries(account: &mut Account, region: &str) {
    let configuration = json!({"EnforceWorkGroupConfiguration": true, "BytesScannedCutoffPerQuery": 1_000_000_000_i64});
    account.athena.workgroups.push(Workgroup { region: region.into(), name: "bi".into(), configuration });
    for (n, workgroup) in [(1, "primary"), (2, "primary"), (3, "bi")] {
        let query = Query::new(&format!("q{n}-{region}"), "select a from t where b = 'x'", at(n, 9), 1_000 * n);
        account.athena.queries.push(Query { region: region.into(), workgroup: workgroup.into(), ..query });
    }
    account.athena.reservations.push(Reservation {
        region: region.into(),
        name: "etl".into(),
        target: 24,
        allocated: 24,
        created: at(50, 0),
        workgroups: vec!["bi".into()],
    });
}

fn pipelines(account: &mut Account, region: &str) {
    let here = |value: Value| (region.to_owned(), value);
    let glue = &mut account.glue;
    for name in ["nightly", "hourly"] {
        glue.jobs.push(here(json!({
            "Name": name, "GlueVersion": "4.0", "Command": {"Name": "glueetl", "ScriptLocation": "s3://scripts/a.py"},
            "MaxRetries": 1, "Timeout": 120, "WorkerType": "G.1X", "NumberOfWorkers": 10, "MaxCapacity": 10.0,
        })));
        for days in 1..=2 {
            let run = Run::new(name, &format!("jr-{name}-{days}-{region}"), at(days, 2));
            glue.runs.push(Run { region: region.into(), ..run });
        }
    }
    glue.databases.push(here(json!({"Name": "sales"})));
    glue.tables.push(here(json!({
        "DatabaseName": "sales", "Name": "orders", "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "parquet"}, "StorageDescriptor": {"Location": "s3://raw/orders/"},
    })));
    glue.crawlers.push(here(json!({"Name": "daily", "State": "READY", "DatabaseName": "sales"})));
    glue.crawls.push(Crawl {
        region: region.into(),
        crawler: "daily".into(),
        started: at(1, 1),
        dpu_hours: 0.25,
        state: "COMPLETED",
    });
    glue.triggers.push(here(json!({
        "Name": "every-night", "Type": "SCHEDULED", "State": "ACTIVATED", "Schedule": "cron(0 2 * * ? *)",
        "Actions": [{"JobName": "nightly"}],
    })));
    glue.workflows.push(here(json!({"Name": "flow", "MaxConcurrentRuns": 1})));
    glue.page = 2;
}

fn clusters(account: &mut Account, region: &str) {
    let id = format!("j-{region}");
    account.emr.clusters.push(emr::Cluster { region: region.into(), ..emr::Cluster::waiting(&id, at(5, 9)) });
    let checks = (0..24).map(|n| (at(2, 0) + TimeDelta::minutes(5 * n), 1.0));
    let idle = Reading::new(("AWS/ElasticMapReduce", "IsIdle"), ("JobFlowId", &id), checks);
    account.metrics.readings.push(Reading { region: region.into(), ..idle });
    let app = format!("00app-{region}");
    account.emr_serverless.applications.push(Application {
        region: region.into(),
        id: app.clone(),
        state: "STARTED",
        created: at(200, 0),
        settings: json!({"autoStopConfiguration": {"enabled": true, "idleTimeoutMinutes": 120}}),
    });
    account.emr_serverless.runs.push(JobRun {
        application: app,
        id: format!("run-{region}"),
        state: "SUCCESS",
        created: at(1, 2),
        used: [1.5, 6.25, 0.0],
    });
    let cluster = redshift::Cluster::new(&format!("bi-{region}"), at(300, 0));
    account.redshift.clusters.push(redshift::Cluster { region: region.into(), ..cluster });
    let name = format!("adhoc-{region}");
    account.redshift.workgroups.push((
        region.into(),
        json!({"workgroupName": name, "workgroupArn": format!("arn:{name}"), "namespaceName": "lake",
               "status": "AVAILABLE", "creationDate": "2026-01-02T03:04:05Z", "baseCapacity": 128}),
    ));
    account.redshift.namespaces.push((region.into(), json!({"namespaceName": "lake", "status": "AVAILABLE"})));
}

fn network(account: &mut Account, region: &str) {
    let (vpc, public, etl) = (format!("vpc-{region}"), format!("public-{region}"), format!("etl-{region}"));
    let (nat, main) = (format!("nat-{region}"), format!("rtb-{region}"));
    let network = &mut account.network;
    network.vpcs.push(Vpc { region: region.into(), id: vpc.clone() });
    for id in [&public, &etl] {
        network.subnets.push(Subnet { region: region.into(), id: id.clone(), vpc: vpc.clone(), zone: "a" });
    }
    network.tables.push(Table {
        region: region.into(),
        id: main.clone(),
        vpc: vpc.clone(),
        main: true,
        subnets: vec![],
        routes: vec![("0.0.0.0/0".into(), nat.clone())],
    });
    network.endpoints.push(Endpoint {
        region: region.into(),
        id: format!("vpce-{region}"),
        vpc: vpc.clone(),
        kind: "Gateway",
        service: "s3".into(),
        tables: vec![main],
        subnets: vec![],
        policy: None,
    });
    network.gateways.push(Gateway {
        region: region.into(),
        id: nat.clone(),
        vpc,
        subnet: Some(public),
        state: "available",
    });
    let days = [(day("2026-11-17"), 1_000), (day("2026-11-18"), 2_000)];
    let bytes = Series::of(region, "AWS/NATGateway", "BytesOutToDestination", &[("NatGatewayId", &nat)], &days);
    account.metrics.series.push(bytes.by("Sum"));
}
