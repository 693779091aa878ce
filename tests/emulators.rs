//! A third party's view: LocalStack for S3 and CloudWatch, moto for STS, Athena, Glue, EC2 and Budgets, boto3 as the witness.
//!
//! Cost Explorer is the tests' own: no emulator computes an answer from the question. So are CloudTrail, Cost
//! Optimization Hub and Network Firewall, which none of them plays.

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Days, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::aws::ledger::Charge;
use crate::support::{World, skip};

/// The world of one test on the emulators, with names that no other run has.
struct Lake {
    world: World,
    python: String,
    name: String,
}

impl Lake {
    /// Returns a lake that boto3 filled, three weeks ago as its clock goes; none where there are no emulators.
    fn seeded(test: &str) -> Option<Lake> {
        let s3 = skip::unless_set(test, "LEANLAKE_TEST_S3")?;
        let moto = skip::unless_set(test, "LEANLAKE_TEST_MOTO")?;
        let python = skip::unless_set(test, "LEANLAKE_TEST_PYTHON")?;
        let now: DateTime<Utc> = SystemTime::now().into();
        let today = now.date_naive().checked_add_days(Days::new(21)).unwrap();
        let world = World::new().on(&today.to_string());
        let bill = world.aws.url();
        let world = world
            .set("AWS_ACCESS_KEY_ID", "123456789012")
            .set("AWS_ENDPOINT_URL", &moto)
            .set("AWS_ENDPOINT_URL_S3", &s3)
            .set("AWS_ENDPOINT_URL_CLOUDWATCH", &s3)
            .set("AWS_ENDPOINT_URL_COST_EXPLORER", &bill)
            .set("AWS_ENDPOINT_URL_CLOUDTRAIL", &bill)
            .set("AWS_ENDPOINT_URL_COST_OPTIMIZATION_HUB", &bill)
            .set("AWS_ENDPOINT_URL_NETWORK_FIREWALL", &bill);
        let storage = Charge::usage(
            today - Days::new(3),
            "Amazon Simple Storage Service",
            "TimedStorage-ByteHrs",
            Decimal::TEN,
            Decimal::from(400),
            "GB-Mo",
        );
        world.aws.account().ledger.charges.push(storage);
        world.aws.account().ledger.page = 500;
        let unique = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let lake = Lake { world, python, name: format!("t{}-{unique}", test.len()) };
        lake.witness("seed", &lake.name);
        Some(lake)
    }

    fn witness(&self, verb: &str, name: &str) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulators/witness.py");
        let mut command = Command::new(&self.python);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(self.world.environment());
        let output = command.env("AWS_DEFAULT_REGION", "us-east-1").arg(script).args([verb, name]).output().unwrap();
        assert!(output.status.success(), "witness {verb} {name}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn bucket(&self, which: &str) -> String {
        format!("{}-{which}", self.name)
    }

    /// Returns what boto3 sees of a bucket's lifecycle.
    fn lifecycle(&self, which: &str) -> Value {
        serde_json::from_str(&self.witness("lifecycle", &self.bucket(which))).unwrap()
    }
}

#[test]
fn the_settings_of_an_emulated_bucket_are_read_as_boto3_wrote_them() {
    let Some(lake) = Lake::seeded("the_settings_of_an_emulated_bucket_are_read_as_boto3_wrote_them") else { return };
    lake.witness("settings", &lake.name);
    lake.world.scan();
    let lines = |columns: &str, table: &str, which: &str| {
        let bucket = lake.bucket(which);
        lake.world.lines(&format!("select {columns} from {table} where bucket = '{bucket}'"))
    };
    let counts = "replication_rule_count as r, intelligent_tiering_count as t, inventory_count as i, analytics_count as a, \
                  metrics_count as m";
    assert_eq!(lines(counts, "buckets", "lake"), ["a=1 i=1 m=1 r=1 t=1"]);
    assert_eq!(lines(counts, "buckets", "bare"), ["a=0 i=0 m=0 r=0 t=0"]);
    let flags = "archive_tiering as t, requester_pays as p, bucket_key as k, logging as l, object_lock as o";
    assert_eq!(lines(flags, "buckets", "lake"), ["k=true l=true o=false p=true t=true"]);
    assert_eq!(lines(flags, "buckets", "bare"), ["k=false l=false o=false p=false t=false"]);
    let lock = "object_lock as o, object_lock_mode as m, object_lock_days as d";
    assert_eq!(lines(lock, "buckets", "locked"), ["d=30 m=GOVERNANCE o=true"]);
    assert_eq!(lines("encryption as e, logging_prefix as p", "buckets", "lake"), ["e=aws:kms p=logs/"]);
    let tiering = "configuration_id as id, prefix, archive_access_days as days";
    assert_eq!(lines(tiering, "intelligent_tiering_configurations", "lake"), ["days=125 id=cold prefix=old/"]);
    let listed = "included_versions as v, schedule as s, format as f, destination_prefix as p";
    assert_eq!(lines(listed, "inventory_configurations", "lake"), ["f=Parquet p=inv s=Weekly v=All"]);
    let copied = "rule_id as id, storage_class as class, delete_marker_replication as markers, enabled";
    assert_eq!(lines(copied, "replication", "lake"), ["class=GLACIER_IR enabled=true id=dr markers=false"]);
}

#[test]
fn the_emulated_lake_is_read_as_boto3_wrote_it() {
    let Some(lake) = Lake::seeded("the_emulated_lake_is_read_as_boto3_wrote_it") else { return };
    lake.world.scan();
    let bucket = lake.bucket("lake");
    let of_bucket = |columns: &str, table: &str| {
        lake.world.lines(&format!("select {columns} from {table} where bucket = '{bucket}'"))
    };
    assert_eq!(of_bucket("lifecycle_rule_count as n", "buckets"), ["n=2"]);
    assert_eq!(of_bucket("max(object_size_greater_than) as n", "lifecycle_rules"), ["n=1048576"]);
    assert_eq!(of_bucket("sum(bytes) as n", "multipart_uploads"), [format!("n={}", 11 << 20)]);
    assert_eq!(of_bucket("count(*) as n, max(bytes) as size", "storage"), ["n=40 size=1000000000000"]);
    let groups =
        lake.world.lines(&format!("select workgroup from athena_workgroups where workgroup = '{}'", lake.name));
    assert_eq!(groups, [format!("workgroup={}", lake.name)]);
    assert_eq!(lake.lifecycle("lake")["minimum_size"], "varies_by_storage_class");
    assert_eq!(lake.lifecycle("bare"), Value::Null);
}

#[test]
#[cfg(feature = "network")]
fn the_emulated_network_is_read_as_boto3_sees_it_implicit_associations_included() {
    let name = "the_emulated_network_is_read_as_boto3_sees_it_implicit_associations_included";
    let Some(lake) = Lake::seeded(name) else { return };
    let seen: Value = serde_json::from_str(&lake.witness("network", &lake.name)).unwrap();
    let id = |what: &str| seen[what].as_str().unwrap().to_owned();
    lake.world.run(&["scan", "--only", "network", "--region", "us-east-1"]).ends_with(0);
    let of_vpc = |columns: &str, table: &str, order: &str| {
        lake.world.lines(&format!("select {columns} from {table} where vpc_id = '{}' order by {order}", id("vpc")))
    };
    let mut subnets = vec![
        format!("main_route_table=false route_table_id={} subnet_id={}", id("own_table"), id("own_subnet")),
        format!("main_route_table=true route_table_id={} subnet_id={}", id("main_table"), id("plain_subnet")),
    ];
    subnets.sort();
    let mut read = of_vpc("subnet_id, route_table_id, main_route_table", "subnets", "subnet_id");
    read.sort();
    assert_eq!(read, subnets);
    let tables = of_vpc("default_target as d, s3_gateway_endpoint as s3", "route_tables", "d nulls last");
    assert_eq!(tables, [format!("d={} s3=true", id("nat")), "d=null s3=false".to_owned()]);
    let nat = of_vpc("route_table_count as n, route_tables_without_s3_endpoint as s3", "nat_gateways", "n");
    assert_eq!(nat, ["n=1 s3=0"]);
    let lists = "select count(*) as n from routes where prefix_list_name = 'com.amazonaws.us-east-1.s3'";
    assert_eq!(lake.world.lines(lists), [format!("n={}", seen["s3_routes"])]);
    let other = "select count(*) as n from subnets where main_route_table and vpc_id <> ";
    let default = lake.world.lines(&format!("{other}'{}'", id("vpc")));
    assert_eq!(default, [format!("n={}", seen["other_implicit"])]);
    let budgets = format!("select limit_usd = 250 as l from budgets where budget_name = '{}'", lake.name);
    lake.world.run(&["scan", "--only", "advice", "--without", "anomalies,forecast,hub"]).ends_with(0);
    let gaps = lake.world.lines("select state, reason, read from coverage where table_name = 'budgets'");
    assert_eq!(lake.world.lines(&budgets), ["l=true"], "{gaps:?}");
}

/// Returns the world of a test whose clusters and warehouses are moto's, and what boto3 made there and sees of it.
fn made_on_moto(test: &str) -> Option<(World, Value)> {
    let moto = skip::unless_set(test, "LEANLAKE_TEST_MOTO")?;
    let python = skip::unless_set(test, "LEANLAKE_TEST_PYTHON")?;
    let unique = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    let now: DateTime<Utc> = SystemTime::now().into();
    let world = World::new().on(&now.date_naive().checked_add_days(Days::new(1)).unwrap().to_string());
    let world = ["EMR", "EMR_SERVERLESS", "REDSHIFT"]
        .iter()
        .fold(world, |world, service| world.set(&format!("AWS_ENDPOINT_URL_{service}"), &moto));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulators/witness.py");
    let mut command = Command::new(python);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(world.environment());
    command.env("AWS_DEFAULT_REGION", "us-east-1").arg(script).args(["compute", &format!("c{unique}")]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "witness: {}", String::from_utf8_lossy(&output.stderr));
    Some((world, serde_json::from_slice(&output.stdout).unwrap()))
}

#[test]
fn clusters_on_moto_are_read_as_boto3_sees_them_and_what_moto_lacks_is_a_gap() {
    let test = "clusters_on_moto_are_read_as_boto3_sees_them_and_what_moto_lacks_is_a_gap";
    let Some((world, made)) = made_on_moto(test) else { return };
    world.scan();
    let named = |name: &str| made[name].as_str().unwrap().to_owned();
    let one = |sql: String| world.rows(&sql).into_iter().next().unwrap_or_else(|| panic!("nothing answers {sql}"));
    let id = named("cluster_id");
    let cluster = one(format!("select * from emr_clusters where cluster_id = '{id}'"));
    assert_eq!(cluster["state"], made["state"]);
    assert_eq!(
        (cluster["release_label"].as_str(), cluster["termination_protected"].as_bool()),
        (Some("emr-6.15.0"), Some(true))
    );
    assert_eq!(cluster["tags"].as_str(), Some(r#"{"owner":"data"}"#));
    assert_eq!(cluster["managed_scaling"], Value::Null, "moto has no managed scaling");
    let groups =
        one(format!("select count(*) as n, sum(requested) as r from emr_instance_groups where cluster_id = '{id}'"));
    assert_eq!((&groups["n"], groups["r"].as_i64()), (&made["groups"], Some(4)));
    let app = one(format!("select * from emr_serverless_apps where application_id = '{}'", named("application_id")));
    assert_eq!(app["state"], made["application_state"]);
    assert_eq!((app["auto_stop_idle_minutes"].as_i64(), app["initial_vcpu"].as_str()), (Some(30), Some("8.00")));
    let warehouse = one("select * from redshift_clusters order by created desc limit 1".to_owned());
    assert_eq!((&warehouse["nodes"], &warehouse["status"]), (&made["nodes"], &made["warehouse_status"]));
    let gaps =
        world.lines("select distinct read from coverage where state = 'missing' and read like 'emr:%' order by read");
    assert_eq!(gaps, ["read=emr:GetAutoTerminationPolicy", "read=emr:GetManagedScalingPolicy"]);
}

#[test]
fn emulated_glue_is_read_as_boto3_sees_it() {
    let Some(lake) = Lake::seeded("emulated_glue_is_read_as_boto3_sees_it") else { return };
    let seen: Value = serde_json::from_str(&lake.witness("glue", &lake.name)).unwrap();
    lake.world.scan();
    let row = |columns: &str, table: &str, named: &str| {
        let rows = lake.world.rows(&format!("select {columns} from {table} where {named} = '{}'", lake.name));
        assert_eq!(rows.len(), 1, "{table}: {rows:?}");
        rows[0].clone()
    };
    let job = row(
        "job_type, worker_type, number_of_workers, timeout_minutes, auto_scaling, allocated_dpu",
        "glue_jobs",
        "job",
    );
    assert_eq!(
        (&job["worker_type"], &job["number_of_workers"]),
        (&seen["job"]["WorkerType"], &seen["job"]["NumberOfWorkers"])
    );
    assert_eq!((&job["timeout_minutes"], &job["auto_scaling"]), (&seen["job"]["Timeout"], &Value::Bool(true)));
    let run = row("run_id, state, execution_seconds, worker_type, glue_version", "glue_job_runs", "job");
    assert_eq!((&run["run_id"], &run["state"]), (&seen["run"]["Id"], &seen["run"]["JobRunState"]));
    assert_eq!(
        (&run["execution_seconds"], &run["worker_type"]),
        (&seen["run"]["ExecutionTime"], &seen["run"]["WorkerType"])
    );
    let table = row("\"table\", format, location, partition_keys", "glue_tables", "\"database\"");
    assert_eq!(
        (&table["table"], &table["location"]),
        (&seen["table"]["Name"], &seen["table"]["StorageDescriptor"]["Location"])
    );
    assert_eq!((table["format"].as_str(), table["partition_keys"].as_str()), (Some("parquet"), Some("[\"day\"]")));
    let crawl = row("crawl_id, dpu_hours", "glue_crawls", "crawler");
    assert_eq!(crawl["crawl_id"], seen["crawl"]["CrawlId"]);
    assert_eq!((crawl["dpu_hours"].as_str(), seen["crawl"]["DPUHour"].as_f64()), (Some("100.00"), Some(100.0)));
    let trigger = row("starts_crawler as s", "glue_triggers", "trigger");
    assert_eq!(trigger["s"], Value::from(lake.name.as_str()));
    let waits = row("waits_for_job as w", "glue_trigger_conditions", "trigger");
    assert_eq!(waits["w"], Value::from(lake.name.as_str()));
    assert_eq!(
        lake.world.lines(&format!("select count(created) as n from glue_workflows where workflow = '{}'", lake.name)),
        ["n=1"]
    );
    // What the emulator does not play is a gap, and hides nothing else.
    let gaps = lake
        .world
        .lines("select count(*) as n from coverage where read = 'glue:ListDataQualityResults' and state = 'missing'");
    assert_ne!(gaps, ["n=0"]);
}

#[test]
fn an_emulated_account_below_is_read_with_the_role_in_both_regions_as_boto3_sees_it() {
    let name = "an_emulated_account_below_is_read_with_the_role_in_both_regions_as_boto3_sees_it";
    let Some(lake) = Lake::seeded(name) else { return };
    let seen: Value = serde_json::from_str(&lake.witness("member", &lake.name)).unwrap();
    let member = seen["account"].as_str().unwrap();
    let accounts = format!("123456789012,{member}");
    let scan = ["scan", "--all", "--only", "s3,athena", "--role", "reader"];
    let regions = ["--region", "us-east-1", "--region", "eu-west-1"];
    lake.world.run(&[&scan[..], &regions, &["--accounts", &accounts]].concat()).ends_with(0);
    let held = |sql: &str| -> Vec<Value> { lake.world.rows(sql).iter().map(|row| row["name"].clone()).collect() };
    let of_member = |what: &str, table: &str, more: &str| {
        held(&format!("select {what} as name from {table} where account_id = '{member}'{more} order by 1"))
    };
    assert_eq!(Value::from(of_member("bucket", "buckets", "")), seen["buckets"]);
    assert_eq!(
        Value::from(of_member("workgroup", "athena_workgroups", " and region = 'us-east-1'")),
        seen["workgroups"]
    );
    assert!(!of_member("workgroup", "athena_workgroups", " and region = 'eu-west-1'").is_empty());
    let own = lake.bucket("lake");
    let whose = lake.world.lines(&format!("select account_id from buckets where bucket = '{own}'"));
    assert_eq!(whose, ["account_id=123456789012"]);
}
