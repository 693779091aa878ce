//! The demo's clusters and warehouse: EMR clusters as large as the bill says, and Redshift with what it used.

use chrono::TimeDelta;
use rust_decimal::Decimal;

use super::calendar::{Calendar, Day};
use super::catalog::{ANALYTICS, PLATFORM, VIRGINIA};
use super::metered::Metered;
use super::random::Random;
use crate::model::Row;

/// The line of the bill that EMR's instances are on.
const BOXES: &str = "USE1-BoxUsage:r6g.4xlarge";
/// Nodes of the two clusters that live: one that works at night, and one for people that nobody stops.
const LIVING: [(&str, &str, i64, i64); 2] =
    [("j-2ETLSHARED00A", "etl-shared", 9, 150), ("j-3ADHOC00000B", "adhoc", 3, 290)];
/// Days that EMR lists clusters that ended.
const LISTED: Day = 90;
/// Days of metrics, each with so many hours.
const WATCHED: Day = 14;

/// Returns the rows of `emr_clusters` and `emr_instance_groups` on the morning of `today`.
pub fn emr(seed: u64, calendar: Calendar, today: Day, metered: &Metered<'_>) -> (Vec<Row>, Vec<Row>) {
    let (mut clusters, mut groups) = (Vec::new(), Vec::new());
    for (id, name, nodes, idle) in LIVING {
        clusters.push(living(calendar, today, (id, name), idle));
        groups.extend(group(id, nodes, true));
    }
    let always: i64 = LIVING.iter().map(|(_, _, nodes, _)| nodes * 24).sum();
    for day in (today - LISTED).max(0)..today {
        let hours = metered.whole(PLATFORM, BOXES, day, 1) - always;
        // On quiet days the two that live are all there is.
        if hours < 10 {
            continue;
        }
        let mut random = Random::new(seed, &format!("nightly {}", calendar.date(day)));
        let id = format!("j-{}", random.hex(13).to_uppercase());
        let nodes = (hours / 8).max(2);
        clusters.push(nightly(calendar, day, &id, (nodes, hours)));
        groups.extend(group(&id, nodes, false));
    }
    (clusters, groups)
}

fn cluster(id: &str) -> Row {
    place(PLATFORM)
        .with("cluster_id", id)
        .with("release_label", "emr-6.15.0")
        .with("release_major", 6)
        .with("release_minor", 15)
        .with("applications", "[\"Spark\",\"Hive\"]")
        .with("instance_collection", "INSTANCE_GROUP")
        .with("termination_protected", false)
        .with("log_uri", "s3://nw-logs-emr-2222-us-east-1/")
        .with("step_concurrency", 1)
        .with("subnet_id", "subnet-lake-a")
}

fn living(calendar: Calendar, today: Day, (id, name): (&str, &str), idle: i64) -> Row {
    let made = calendar.at(today, 30_000) - TimeDelta::days(idle);
    cluster(id)
        .with("name", name)
        .with("state", "WAITING")
        .with("created", made)
        .with("ready", made + TimeDelta::minutes(9))
        .with("auto_terminate", false)
        .with("tags", format!("{{\"team\":\"{}\"}}", if name == "adhoc" { "team-ml" } else { "team-platform" }))
        .with("managed_scaling", false)
        .with("auto_termination", false)
        .with("metric_hours", i64::from(WATCHED) * 24)
        .with("idle_hours", idle)
        .with("idle_hours_longest", idle / 6)
}

fn nightly(calendar: Calendar, day: Day, id: &str, (nodes, hours): (i64, i64)) -> Row {
    let made = calendar.at(day, 3_600);
    cluster(id)
        .with("name", "nightly-batch")
        .with("state", "TERMINATED")
        .with("created", made)
        .with("ready", made + TimeDelta::minutes(8))
        .with("ended", made + TimeDelta::minutes(hours * 60 / nodes))
        .with("auto_terminate", true)
        .with("tags", "{\"team\":\"team-platform\"}")
}

/// One primary node, the others core.
fn group(id: &str, nodes: i64, lives: bool) -> [Row; 2] {
    [("MASTER", "1", 1), ("CORE", "2", nodes - 1)].map(|(role, at, count)| {
        place(PLATFORM)
            .with("cluster_id", id)
            .with("group_id", format!("ig-{at}{}", id.trim_start_matches("j-")))
            .with("role", role)
            .with("market", "ON_DEMAND")
            .with("instance_type", "r6g.4xlarge")
            .with("requested", count)
            .with("running", if lives { count } else { 0 })
            .with("state", if lives { "RUNNING" } else { "TERMINATED" })
            .with("scaling_policy", false)
    })
}

/// Returns the row of `redshift_clusters`: the nodes that the bill has hours of, in use by day only.
pub fn warehouse(calendar: Calendar, today: Day, metered: &Metered<'_>) -> Row {
    let nodes = metered.whole(ANALYTICS, "Node:ra3.4xlarge", today - 1, 1) / 24;
    place(ANALYTICS)
        .with("cluster", "bi-warehouse")
        .with("node_type", "ra3.4xlarge")
        .with("node_family", "ra3")
        .with("managed_storage", true)
        .with("nodes", nodes)
        .with("status", "available")
        .with("availability_status", "Available")
        .with("created", calendar.at(0, 0) - TimeDelta::days(500))
        .with("encrypted", true)
        .with("multi_az", false)
        .with("snapshot_retention_days", 7)
        .with("manual_snapshot_retention_days", -1)
        .with("vpc_id", "vpc-analytics")
        .with("tags", "{\"team\":\"team-bi\"}")
        .with("usage_limits", "[]")
        .with("concurrency_scaling_limited", false)
        .with("spectrum_limited", false)
        .with("scheduled_actions", "[]")
        .with("pause_scheduled", false)
        .with("resume_scheduled", false)
        .with("metric_hours", i64::from(WATCHED) * 24)
        .with("unconnected_hours", 171)
        .with("cpu_percent", Decimal::new(113, 1))
        .with("cpu_percent_busiest", Decimal::new(742, 1))
        .with("disk_used_percent", Decimal::new(318, 1))
}

/// Returns the row of `redshift_workgroups`, with the RPU-seconds that the bill has.
pub fn workgroup(calendar: Calendar, today: Day, metered: &Metered<'_>) -> Row {
    let days = today - WATCHED..today;
    let used: i64 = days.map(|day| metered.whole(ANALYTICS, "USE1-Redshift:ServerlessUsage", day, 3_600)).sum();
    place(ANALYTICS)
        .with("workgroup", "analysts")
        .with("namespace", "analysts")
        .with("status", "AVAILABLE")
        .with("created", calendar.at(0, 0) - TimeDelta::days(200))
        .with("base_rpus", 32)
        .with("price_performance", false)
        .with("extra_compute", false)
        .with("enhanced_vpc_routing", false)
        .with("namespace_status", "AVAILABLE")
        .with("usage_limits", "[]")
        .with("compute_limited", false)
        .with("metric_hours", i64::from(WATCHED) * 24)
        .with("busy_hours", (used / (32 * 3_600)).min(i64::from(WATCHED) * 24))
        .with("rpu_seconds", Decimal::from(used))
}

fn place(account: &str) -> Row {
    Row::new().with("account_id", account).with("region", VIRGINIA)
}
