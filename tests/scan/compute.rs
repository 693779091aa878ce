//! Clusters and warehouses: EMR, EMR Serverless, Redshift and reserved Athena capacity, each as the account has it.

use chrono::{DateTime, Days, TimeDelta, Timelike, Utc};
use serde_json::{Value, json};

use crate::aws::athena::Reservation;
use crate::aws::emr::{Cluster, MadeOf};
use crate::aws::emr_serverless::{Application, JobRun};
use crate::aws::metrics::Reading;
use crate::aws::{Fault, Trouble, redshift};
use crate::support::{TODAY, World, day};

/// Returns an hour of a day before today.
fn at(days_ago: u64, hour: u32) -> DateTime<Utc> {
    let on = day(TODAY).checked_sub_days(Days::new(days_ago)).unwrap();
    on.and_hms_opt(hour, 0, 0).unwrap().and_utc()
}

/// Returns a point every five minutes of the hours from `from` on, as `value` says for each time.
fn checks(from: DateTime<Utc>, hours: i64, value: impl Fn(DateTime<Utc>) -> f64) -> Vec<(DateTime<Utc>, f64)> {
    let times = (0..hours * 12).map(|n| from + TimeDelta::minutes(5 * n));
    times.map(|at| (at, value(at))).collect()
}

fn row(world: &World, sql: &str) -> Value {
    let rows = world.rows(sql);
    assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
    rows[0].clone()
}

fn emr_world() -> World {
    let world = World::new();
    emr(&world);
    world
}

/// Puts in two living clusters, one of groups and one of fleets, and two that ended.
pub fn emr(world: &World) {
    let mut account = world.aws.account();
    let mut idle = Cluster::waiting("j-IDLE", at(100, 9));
    idle.tags = vec![("owner".into(), "data & bi".into())];
    let mut fleet = Cluster::waiting("j-FLEET", at(3, 9));
    fleet.made_of = MadeOf::Fleets(vec![json!({
        "Id": "if-1", "InstanceFleetType": "TASK", "TargetOnDemandCapacity": 8, "TargetSpotCapacity": 0,
        "ProvisionedOnDemandCapacity": 8, "ProvisionedSpotCapacity": 0, "Status": {"State": "RUNNING"},
        "InstanceTypeSpecifications": [{"InstanceType": "r5.2xlarge", "WeightedCapacity": 8}],
    })]);
    fleet.scaling = Some(json!({"ComputeLimits": {
        "UnitType": "InstanceFleetUnits", "MinimumCapacityUnits": 2, "MaximumCapacityUnits": 40,
        "MaximumOnDemandCapacityUnits": 10,
    }}));
    fleet.idle_timeout = Some(3_600);
    let ended = Cluster::waiting("j-ENDED", at(20, 3)).ended(at(20, 5));
    let forgotten = Cluster::waiting("j-FORGOTTEN", at(120, 3)).ended(at(110, 5));
    account.emr.clusters = vec![idle, fleet, ended, forgotten];
    account.emr.page = 1;
    // Idle in every hour of a day but one, in which one check of twelve saw work.
    let busy = at(2, 10) + TimeDelta::minutes(30);
    let points = checks(at(2, 0), 24, |at| if at == busy { 0.0 } else { 1.0 });
    let is_idle = Reading::new(("AWS/ElasticMapReduce", "IsIdle"), ("JobFlowId", "j-IDLE"), points);
    account.metrics.readings.push(is_idle);
}

#[test]
fn clusters_come_with_what_they_are_made_of_through_pages_of_one() {
    let world = emr_world();
    world.scan();
    let states = world.lines("select cluster_id, state from emr_clusters order by cluster_id");
    assert_eq!(
        states,
        ["cluster_id=j-ENDED state=TERMINATED", "cluster_id=j-FLEET state=WAITING", "cluster_id=j-IDLE state=WAITING"]
    );
    let idle = row(&world, "select * from emr_clusters where cluster_id = 'j-IDLE'");
    assert_eq!((idle["release_major"].as_i64(), idle["release_minor"].as_i64()), (Some(6), Some(15)));
    assert_eq!(
        (idle["termination_protected"].as_bool(), idle["log_uri"].as_str()),
        (Some(true), Some("s3://logs/emr/"))
    );
    assert_eq!(idle["applications"], json!(r#"["Spark","Hive"]"#));
    assert_eq!(idle["tags"], json!(r#"{"owner":"data & bi"}"#));
    assert_eq!((idle["managed_scaling"].as_bool(), idle["auto_termination"].as_bool()), (Some(false), Some(false)));
    let groups = "select role || ' ' || market || ' ' || requested as g from emr_instance_groups where cluster_id = 'j-IDLE' order by g";
    assert_eq!(world.lines(groups), ["g=CORE SPOT 4", "g=MASTER ON_DEMAND 1"]);
}

#[test]
fn a_cluster_of_fleets_comes_with_its_units_its_scaling_and_its_end() {
    let world = emr_world();
    world.scan();
    let cluster = row(&world, "select * from emr_clusters where cluster_id = 'j-FLEET'");
    assert_eq!(
        (cluster["scaling_unit"].as_str(), cluster["scaling_maximum"].as_i64()),
        (Some("InstanceFleetUnits"), Some(40))
    );
    assert_eq!(cluster["scaling_maximum_core"], Value::Null, "it was not set");
    assert_eq!(
        (cluster["auto_termination"].as_bool(), cluster["idle_timeout_seconds"].as_i64()),
        (Some(true), Some(3_600))
    );
    let fleet = row(&world, "select * from emr_instance_fleets");
    assert_eq!((fleet["target_on_demand"].as_i64(), fleet["target_spot"].as_i64()), (Some(8), Some(0)));
    assert_eq!(fleet["instance_types"], json!(r#"[{"instance_type":"r5.2xlarge","weight":8}]"#));
    assert!(
        world.aws.calls().iter().all(|call| call.status == 200 || !call.operation.starts_with("emr:")),
        "no wrong list"
    );
}

#[test]
fn an_hour_with_one_check_that_saw_work_is_not_idle() {
    let world = emr_world();
    world.scan();
    let idle = row(
        &world,
        "select metric_hours, idle_hours, idle_hours_longest from emr_clusters where cluster_id = 'j-IDLE'",
    );
    assert_eq!(idle, json!({"metric_hours": 24, "idle_hours": 23, "idle_hours_longest": 13}));
    let silent = row(&world, "select metric_hours, idle_hours from emr_clusters where cluster_id = 'j-FLEET'");
    assert_eq!(silent, json!({"metric_hours": 0, "idle_hours": null}), "nothing published is not busy");
    let ended = row(&world, "select metric_hours from emr_clusters where cluster_id = 'j-ENDED'");
    assert_eq!(ended["metric_hours"], Value::Null);
}

#[test]
fn an_ended_cluster_is_described_once_and_stays_known() {
    let world = emr_world();
    world.scan();
    let described = |id: &str| {
        let calls = world.aws.calls().into_iter();
        calls.filter(|call| call.operation != "emr:ListClusters" && call.resource.as_deref() == Some(id)).count()
    };
    assert_eq!((described("j-ENDED"), described("j-IDLE")), (2, 4));
    let first = row(&world, "select * from emr_clusters where cluster_id = 'j-ENDED'");
    world.aws.forget_calls();
    world.aws.account().emr.clusters[1] = Cluster::waiting("j-FLEET", at(3, 9)).ended(at(0, 1));
    world.run(&["scan", "--all", "--as-of", "2026-11-21"]).ends_with(0);
    let described = |id: &str| world.aws.calls().iter().filter(|call| call.resource.as_deref() == Some(id)).count();
    assert_eq!(described("j-ENDED"), 0, "nothing of it can have changed");
    assert_eq!(described("j-FLEET"), 2, "it ended since");
    assert_eq!(row(&world, "select * from emr_clusters where cluster_id = 'j-ENDED'"), first);
    assert_eq!(world.lines("select count(*) as n from emr_clusters"), ["n=3"]);
    assert_eq!(world.lines("select count(*) as n from emr_instance_groups where cluster_id = 'j-ENDED'"), ["n=2"]);
    assert_eq!(
        world.lines("select count(*) as n from emr_instance_fleets"),
        ["n=0"],
        "what was is not kept beside what is"
    );
}

fn serverless_world() -> World {
    let world = World::new();
    serverless(&world);
    world
}

/// Puts in an application with workers kept ready, and five runs of which one goes on.
pub fn serverless(world: &World) {
    let mut account = world.aws.account();
    let size = |cpu: &str, memory: &str| json!({"cpu": cpu, "memory": memory, "disk": "20 GB"});
    let settings = json!({
        "autoStartConfiguration": {"enabled": true},
        "autoStopConfiguration": {"enabled": true, "idleTimeoutMinutes": 120},
        "initialCapacity": {
            "Driver": {"workerCount": 1, "workerConfiguration": size("2 vCPU", "8 GB")},
            "Executor": {"workerCount": 10, "workerConfiguration": size("4 vCPU", "16 GB")},
        },
        "maximumCapacity": {"cpu": "400 vCPU", "memory": "1600 GB"},
        "tags": {"team": "bi"},
    });
    let application = |id: &str, settings: Value| Application {
        region: "us-east-1".into(),
        id: id.into(),
        state: "STARTED",
        created: at(200, 0),
        settings,
    };
    account.emr_serverless.applications = vec![application("00app1", settings), application("00app2", json!({}))];
    let run = |n: u64, state: &'static str| JobRun {
        application: "00app1".into(),
        id: format!("run-{n}"),
        state,
        created: at(n, 2),
        used: [1.5, 6.25, 0.0],
    };
    account.emr_serverless.runs = (1..=4).map(|n| run(n, "SUCCESS")).collect();
    account.emr_serverless.runs.push(run(9, "RUNNING"));
    account.emr_serverless.runs.push(run(40, "SUCCESS"));
    account.emr_serverless.page = 2;
}

#[test]
fn serverless_applications_say_what_is_kept_ready_and_when_it_stops() {
    let world = serverless_world();
    world.scan();
    let app = row(&world, "select * from emr_serverless_apps where application_id = '00app1'");
    assert_eq!((app["initial_workers"].as_i64(), app["initial_vcpu"].as_str()), (Some(11), Some("42.00")));
    assert_eq!((app["initial_memory_gb"].as_str(), app["initial_disk_gb"].as_str()), (Some("168.00"), Some("220.00")));
    assert_eq!((app["auto_stop"].as_bool(), app["auto_stop_idle_minutes"].as_i64()), (Some(true), Some(120)));
    assert_eq!((app["maximum_vcpu"].as_str(), &app["maximum_disk_gb"]), (Some("400.00"), &Value::Null));
    assert_eq!((app["architecture"].as_str(), app["tags"].as_str()), (Some("ARM64"), Some(r#"{"team":"bi"}"#)));
    let plain =
        row(&world, "select initial_workers, auto_stop from emr_serverless_apps where application_id = '00app2'");
    assert_eq!(plain, json!({"initial_workers": 0, "auto_stop": null}));
}

#[test]
fn job_runs_of_a_month_come_with_their_figures_and_without_what_they_ran() {
    let world = serverless_world();
    world.scan();
    let runs = world.lines("select run_id, billed_vcpu_hours as v from emr_serverless_runs order by run_id");
    let run = |n: u64, v: &str| format!("run_id=run-{n} v={v}");
    assert_eq!(runs, [run(1, "1.50"), run(2, "1.50"), run(3, "1.50"), run(4, "1.50"), run(9, "null")]);
    let sum = row(&world, "select sum(total_memory_gb_hours) as m, max(run_seconds) as s from emr_serverless_runs");
    assert_eq!((sum["m"].as_str(), sum["s"].as_i64()), (Some("25.00"), Some(840)));
    for path in world.files("store") {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"secret-4711"), "{}", path.display());
    }
}

#[test]
fn a_second_scan_looks_up_only_runs_that_are_new_or_were_not_over() {
    let world = serverless_world();
    world.scan();
    assert_eq!(world.aws.count("emr-serverless:GetJobRun"), 5);
    world.aws.forget_calls();
    world.aws.account().emr_serverless.runs[4].state = "FAILED";
    world.run(&["scan", "--all", "--as-of", "2026-11-21"]).ends_with(0);
    let mut asked: Vec<String> = world
        .aws
        .calls()
        .into_iter()
        .filter_map(|call| (call.operation == "emr-serverless:GetJobRun").then_some(call.path))
        .collect();
    asked.sort();
    assert_eq!(asked, ["/applications/00app1/jobruns/run-1", "/applications/00app1/jobruns/run-9"]);
    assert_eq!(world.lines("select state as s from emr_serverless_runs where run_id = 'run-9'"), ["s=FAILED"]);
    assert_eq!(world.lines("select count(*) as n from emr_serverless_runs"), ["n=5"]);
    let covered = row(
        &world,
        "select cast(from_day as varchar) as f, cast(to_day as varchar) as t from coverage where read = 'emr-serverless:ListJobRuns' and resource = '00app1'",
    );
    assert_eq!(covered, json!({"f": "2026-10-21", "t": "2026-11-21"}));
}

fn warehouse_world() -> World {
    let world = World::new();
    warehouses(&world);
    world
}

/// Puts in a warehouse that is used for some hours, and one that is paused.
pub fn warehouses(world: &World) {
    let mut account = world.aws.account();
    account.redshift.page = 1;
    let mut busy = redshift::Cluster::new("bi", at(300, 0));
    busy.tags = vec![("team".into(), "a & b".into())];
    let mut paused = redshift::Cluster::new("old", at(900, 0));
    (paused.node_type, paused.status) = ("dc2.large".into(), "paused");
    account.redshift.clusters = vec![busy, paused];
    let limit = |cluster: &str, feature, action| redshift::Limit {
        region: "us-east-1".into(),
        cluster: cluster.into(),
        feature,
        action,
    };
    account.redshift.limits = vec![limit("bi", "concurrency-scaling", "disable"), limit("bi", "spectrum", "log")];
    let clock = |action, cron, state| redshift::Schedule {
        region: "us-east-1".into(),
        cluster: "bi".into(),
        action,
        cron,
        state,
    };
    account.redshift.schedules = vec![
        clock("PauseCluster", "cron(0 20 * * ? *)", "ACTIVE"),
        clock("ResumeCluster", "cron(0 6 * * ? *)", "DISABLED"),
    ];
    // Somebody is connected from eight to ten, and for one check at noon.
    let connected = |at: DateTime<Utc>| match (at.hour(), at.minute()) {
        (8 | 9, _) | (12, 30) => 3.0,
        _ => 0.0,
    };
    for (metric, points) in [
        ("DatabaseConnections", checks(at(1, 0), 24, connected)),
        ("CPUUtilization", checks(at(1, 0), 24, |at| if at.hour() == 8 { 50.0 } else { 2.0 })),
        ("PercentageDiskSpaceUsed", checks(at(1, 0), 24, |at| f64::from(at.hour()))),
    ] {
        account.metrics.readings.push(Reading::new(("AWS/Redshift", metric), ("ClusterIdentifier", "bi"), points));
    }
}

#[test]
fn redshift_clusters_say_for_how_many_hours_nobody_was_connected() {
    let world = warehouse_world();
    world.scan();
    let bi = row(&world, "select * from redshift_clusters where cluster = 'bi'");
    assert_eq!((bi["node_type"].as_str(), bi["nodes"].as_i64()), (Some("ra3.xlplus"), Some(2)));
    assert_eq!((bi["managed_storage"].as_bool(), bi["multi_az"].as_bool()), (Some(true), Some(false)));
    assert_eq!((bi["metric_hours"].as_i64(), bi["unconnected_hours"].as_i64()), (Some(24), Some(21)));
    assert_eq!((bi["cpu_percent"].as_str(), bi["cpu_percent_busiest"].as_str()), (Some("4.00"), Some("50.00")));
    assert_eq!(bi["disk_used_percent"].as_str(), Some("23.00"), "the newest");
    assert_eq!(
        (bi["concurrency_scaling_limited"].as_bool(), bi["spectrum_limited"].as_bool()),
        (Some(true), Some(false))
    );
    assert_eq!((bi["pause_scheduled"].as_bool(), bi["resume_scheduled"].as_bool()), (Some(true), Some(false)));
    assert!(bi["scheduled_actions"].as_str().unwrap().contains("cron(0 20 * * ? *)"), "{bi}");
    assert_eq!(bi["tags"], json!(r#"{"team":"a & b"}"#));
    let old = row(
        &world,
        "select status, node_family, managed_storage, metric_hours, unconnected_hours, usage_limits from redshift_clusters where cluster = 'old'",
    );
    assert_eq!(
        old,
        json!({"status": "paused", "node_family": "dc2", "managed_storage": false, "metric_hours": 0,
               "unconnected_hours": null, "usage_limits": "[]"}),
        "a paused cluster publishes nothing"
    );
}

/// Puts in two workgroups of Redshift Serverless, one of them limited and used.
pub fn workgroups(world: &World) {
    let mut account = world.aws.account();
    let here = || "us-east-1".to_owned();
    let arn = |name: &str| format!("arn:aws:redshift-serverless:us-east-1:111122223333:workgroup/{name}");
    let group = |name: &str, more: Value| {
        let mut group = json!({
            "workgroupName": name, "workgroupArn": arn(name), "namespaceName": "lake", "status": "AVAILABLE",
            "creationDate": "2026-01-02T03:04:05Z",
        });
        for (key, value) in more.as_object().unwrap() {
            group[key] = value.clone();
        }
        (here(), group)
    };
    let target = json!({"pricePerformanceTarget": {"status": "ENABLED", "level": 50}, "maxCapacity": 512});
    account.redshift.workgroups = vec![group("adhoc", json!({"baseCapacity": 128})), group("etl", target)];
    account.redshift.namespaces = vec![(here(), json!({"namespaceName": "lake", "status": "AVAILABLE"}))];
    let limit = json!({
        "resourceArn": arn("adhoc"), "usageType": "serverless-compute", "amount": 100, "period": "weekly",
        "breachAction": "deactivate",
    });
    account.redshift.serverless_limits = vec![(here(), limit)];
    account.redshift.page = 1;
    let used = checks(at(2, 0), 6, |at| if at.hour() < 2 { 640.0 } else { 0.0 });
    account.metrics.readings.push(Reading::new(
        ("AWS/Redshift-Serverless", "ComputeSeconds"),
        ("Workgroup", "adhoc"),
        used,
    ));
}

#[test]
fn redshift_workgroups_say_how_much_compute_they_used() {
    let world = World::new();
    workgroups(&world);
    world.scan();
    let adhoc = row(
        &world,
        "select base_rpus, max_rpus, compute_limited, metric_hours, busy_hours, rpu_seconds, namespace_status from redshift_workgroups where workgroup = 'adhoc'",
    );
    assert_eq!(
        adhoc,
        json!({"base_rpus": 128, "max_rpus": null, "compute_limited": true, "metric_hours": 6, "busy_hours": 2,
               "rpu_seconds": "15360.00", "namespace_status": "AVAILABLE"})
    );
    let etl = row(
        &world,
        "select price_performance, price_performance_level, max_rpus, compute_limited, rpu_seconds from redshift_workgroups where workgroup = 'etl'",
    );
    assert_eq!(
        etl,
        json!({"price_performance": true, "price_performance_level": 50, "max_rpus": 512, "compute_limited": false,
               "rpu_seconds": null})
    );
}

/// Puts in two reservations of Athena capacity, one of them used by two workgroups.
pub fn reservations(world: &World) {
    let mut account = world.aws.account();
    let reservation = |name: &str, workgroups: &[&str]| Reservation {
        region: "us-east-1".into(),
        name: name.into(),
        target: 24,
        allocated: 24,
        created: at(50, 0),
        workgroups: workgroups.iter().map(|&group| group.to_owned()).collect(),
    };
    account.athena.reservations = vec![reservation("etl", &["bi", "adhoc"]), reservation("idle", &[])];
    account.athena.page = 1;
    let of = |metric, points| Reading::new(("AWS/Athena", metric), ("Capacity Reservation", "etl"), points);
    account.metrics.readings.push(of("DPUAllocated", checks(at(1, 0), 10, |_| 24.0)));
    account
        .metrics
        .readings
        .push(of("DPUConsumed", checks(at(1, 0), 2, |at| if at.minute() == 0 { 12.0 } else { 0.0 })));
}

#[test]
fn reserved_athena_capacity_says_who_may_use_it_and_how_much_is_used() {
    let world = World::new();
    reservations(&world);
    world.scan();
    let etl = row(
        &world,
        "select allocated_dpus, workgroups, workgroup_count, metric_hours, consumed_hours, dpus_allocated, dpus_consumed, dpus_consumed_most from athena_capacity where reservation = 'etl'",
    );
    assert_eq!(
        etl,
        json!({"allocated_dpus": 24, "workgroups": r#"["adhoc","bi"]"#, "workgroup_count": 2, "metric_hours": 10,
               "consumed_hours": 2, "dpus_allocated": "24.00", "dpus_consumed": "1.00", "dpus_consumed_most": "12.00"})
    );
    let idle = row(&world, "select workgroups, metric_hours from athena_capacity where reservation = 'idle'");
    assert_eq!(idle, json!({"workgroups": "[]", "metric_hours": null}));
}

#[test]
fn one_denied_read_leaves_its_columns_unknown_and_names_iams_action() {
    for (operation, action, table, column) in [
        ("emr:GetManagedScalingPolicy", "elasticmapreduce:GetManagedScalingPolicy", "emr_clusters", "managed_scaling"),
        (
            "emr:GetAutoTerminationPolicy",
            "elasticmapreduce:GetAutoTerminationPolicy",
            "emr_clusters",
            "auto_termination",
        ),
        ("emr:DescribeCluster", "elasticmapreduce:DescribeCluster", "emr_clusters", "release_label"),
    ] {
        let world = emr_world();
        world.aws.make(Fault::on(operation, Trouble::Denied).of("j-IDLE"));
        world.scan();
        let known =
            world.lines(&format!("select cluster_id from {table} where {column} is not null and ended is null"));
        assert_eq!(known, ["cluster_id=j-FLEET"], "{operation}");
        let gap = row(
            &world,
            &format!("select missing_action from coverage where read = '{operation}' and resource = 'j-IDLE'"),
        );
        assert_eq!(gap["missing_action"], json!(action));
    }
}

#[test]
fn a_service_that_a_region_does_not_have_is_a_gap_and_the_rest_is_read() {
    let world = emr_world().set("AWS_ENDPOINT_URL_EMR_SERVERLESS", "http://127.0.0.1:1");
    world.aws.make(Fault::on("redshift-serverless:ListWorkgroups", Trouble::Garbled));
    world.scan();
    assert_eq!(world.lines("select count(*) as n from emr_clusters"), ["n=3"]);
    for (table, read) in [
        ("emr_serverless_apps", "emr-serverless:ListApplications"),
        ("redshift_workgroups", "redshift-serverless:ListWorkgroups"),
    ] {
        let told =
            row(&world, &format!("select state, read from coverage where table_name = '{table}' and state <> 'seen'"));
        assert_eq!(told, json!({"state": "missing", "read": read}));
    }
}

#[test]
fn an_estimate_of_clusters_costs_nothing_and_says_that_they_are_free() {
    let world = emr_world();
    let run = world
        .run(&["scan", "--all", "--estimate", "--only", "emr,emr-serverless,redshift,redshift-serverless"])
        .ends_with(0);
    assert!(["emr", "redshift-serverless"].iter().all(|name| run.stdout.contains(name)), "{}", run.stdout);
    assert_eq!(world.aws.count("emr:ListClusters"), 0);
}
