//! EMR clusters, what they are made of, and EMR Serverless. What a job was given to run is never stored.

use crate::store::table::{Column, Kind, Source, Table, column};

const CLUSTER: &str = "emr:DescribeCluster";
const SCALING: &str = "emr:GetManagedScalingPolicy";
const TERMINATION: &str = "emr:GetAutoTerminationPolicy";
const APPLICATION: &str = "emr-serverless:GetApplication";
const RUN: &str = "emr-serverless:GetJobRun";
const METRICS: &str = "cloudwatch:GetMetricData";

const ACCOUNT: Column = column("account_id", Kind::Text, "Account.");
const REGION: Column = column("region", Kind::Text, "Region.");
const CLUSTER_ID: Column = column("cluster_id", Kind::Text, "Id of the cluster (`j-…`).");

/// One row for each cluster.
pub const EMR_CLUSTERS: Table = Table {
    name: "emr_clusters",
    doc: "EMR clusters on EC2: those that live, whatever their age, and those that ended, if they were created in the last 90 days. An ended cluster is described once; later scans keep what was seen of it. What only a living cluster has (scaling, termination, idle hours) is NULL for ended ones.",
    key: &["account_id", "region", "cluster_id"],
    source: Source::State("emr:ListClusters"),
    columns: &[
        ACCOUNT,
        REGION,
        CLUSTER_ID,
        column("name", Kind::Text, "Name."),
        column(
            "state",
            Kind::Text,
            "`STARTING`, `BOOTSTRAPPING`, `RUNNING`, `WAITING`, `TERMINATING`, `TERMINATED`, `TERMINATED_WITH_ERRORS`.",
        ),
        column("created", Kind::Instant, "When it was asked for."),
        column("ready", Kind::Instant, "When it could run steps; NULL before."),
        column("ended", Kind::Instant, "When it ended; NULL while it lives."),
        column(
            "normalized_instance_hours",
            Kind::Count,
            "AWS's rough measure of use: an hour of an m1.small is 1, of larger instances more.",
        ),
        column("release_label", Kind::Text, "Release (`emr-7.1.0`).").by(CLUSTER),
        column("release_major", Kind::Count, "First number of the release.").by(CLUSTER),
        column("release_minor", Kind::Count, "Second number of the release.").by(CLUSTER),
        column("extended_support", Kind::Flag, "True when the release is in extended support.").by(CLUSTER),
        column("applications", Kind::Text, "JSON list of the applications installed.").by(CLUSTER),
        column(
            "instance_collection",
            Kind::Text,
            "`INSTANCE_GROUP` (see `emr_instance_groups`) or `INSTANCE_FLEET` (see `emr_instance_fleets`).",
        )
        .by(CLUSTER),
        column("auto_terminate", Kind::Flag, "True when it ends after its last step.").by(CLUSTER),
        column("termination_protected", Kind::Flag, "True when it cannot be terminated by mistake.").by(CLUSTER),
        column("log_uri", Kind::Text, "Where logs go; NULL when they are not kept.").by(CLUSTER),
        column("step_concurrency", Kind::Count, "Steps that may run at once.").by(CLUSTER),
        column("subnet_id", Kind::Text, "Subnet of the instances.").by(CLUSTER),
        column("tags", Kind::Text, "Tags as a JSON object; `{}` when there are none.").by(CLUSTER),
        column("managed_scaling", Kind::Flag, "True when EMR resizes it (managed scaling).").by(SCALING),
        column(
            "scaling_unit",
            Kind::Text,
            "What the limits count: `Instances`, `InstanceFleetUnits` or `VCPU`; NULL without managed scaling.",
        )
        .by(SCALING),
        column("scaling_minimum", Kind::Count, "Fewest units.").by(SCALING),
        column("scaling_maximum", Kind::Count, "Most units.").by(SCALING),
        column("scaling_maximum_on_demand", Kind::Count, "Most On-Demand units; the rest is Spot.").by(SCALING),
        column("scaling_maximum_core", Kind::Count, "Most core units; the rest is task nodes.").by(SCALING),
        column("auto_termination", Kind::Flag, "True when it ends after some idle time.").by(TERMINATION),
        column("idle_timeout_seconds", Kind::Count, "That idle time; NULL without auto-termination.").by(TERMINATION),
        column(
            "metric_hours",
            Kind::Count,
            "Hours of the last 14 days with a point of CloudWatch's `IsIdle`; NULL when it was not asked for.",
        )
        .by(METRICS),
        column("idle_hours", Kind::Count, "Of these, hours idle at every five-minute check.").by(METRICS),
        column("idle_hours_longest", Kind::Count, "Most idle hours in a row.").by(METRICS),
    ],
};

/// One row for each instance group.
pub const EMR_INSTANCE_GROUPS: Table = Table {
    name: "emr_instance_groups",
    doc: "Instance groups of EMR clusters: instances of one type for one role. A cluster has groups or fleets, never both.",
    key: &["account_id", "region", "cluster_id", "group_id"],
    source: Source::State("emr:ListInstanceGroups"),
    columns: &[
        ACCOUNT,
        REGION,
        CLUSTER_ID,
        column("group_id", Kind::Text, "Id of the group (`ig-…`)."),
        column("role", Kind::Text, "`MASTER`, `CORE` or `TASK`."),
        column("market", Kind::Text, "`ON_DEMAND` or `SPOT`."),
        column("instance_type", Kind::Text, "EC2 instance type."),
        column("requested", Kind::Count, "Instances asked for."),
        column("running", Kind::Count, "Instances that run; 0 once the cluster ended."),
        column("state", Kind::Text, "`RUNNING`, `RESIZING`, `SUSPENDED`, `TERMINATED`, …"),
        column("scaling_policy", Kind::Flag, "True when the group has an automatic scaling policy of its own."),
    ],
};

/// One row for each instance fleet.
pub const EMR_INSTANCE_FLEETS: Table = Table {
    name: "emr_instance_fleets",
    doc: "Instance fleets of EMR clusters: instances of several types for one role, counted in units of the weights given to each type.",
    key: &["account_id", "region", "cluster_id", "fleet_id"],
    source: Source::State("emr:ListInstanceFleets"),
    columns: &[
        ACCOUNT,
        REGION,
        CLUSTER_ID,
        column("fleet_id", Kind::Text, "Id of the fleet (`if-…`)."),
        column("role", Kind::Text, "`MASTER`, `CORE` or `TASK`."),
        column("instance_types", Kind::Text, "JSON list of {instance_type, weight}."),
        column("target_on_demand", Kind::Count, "On-Demand units asked for."),
        column("target_spot", Kind::Count, "Spot units asked for."),
        column("provisioned_on_demand", Kind::Count, "On-Demand units that run; 0 once the cluster ended."),
        column("provisioned_spot", Kind::Count, "Spot units that run; 0 once the cluster ended."),
        column("state", Kind::Text, "`RUNNING`, `RESIZING`, `SUSPENDED`, `TERMINATED`, …"),
    ],
};

/// One row for each application of EMR Serverless.
pub const EMR_SERVERLESS_APPS: Table = Table {
    name: "emr_serverless_apps",
    doc: "EMR Serverless applications. Workers of the initial capacity are paid for while the application is `STARTED`, whether or not a job runs, and are in no run's figures.",
    key: &["account_id", "region", "application_id"],
    source: Source::State("emr-serverless:ListApplications"),
    columns: &[
        ACCOUNT,
        REGION,
        column("application_id", Kind::Text, "Id."),
        column("name", Kind::Text, "Name."),
        column("type", Kind::Text, "`Spark` or `Hive`."),
        column("state", Kind::Text, "`CREATED`, `STARTED`, `STOPPED`, `TERMINATED`, or on the way there."),
        column("release_label", Kind::Text, "Release (`emr-7.1.0`)."),
        column("architecture", Kind::Text, "`ARM64` or `X86_64`."),
        column("created", Kind::Instant, "When it was made."),
        column("updated", Kind::Instant, "When it last changed."),
        column("auto_start", Kind::Flag, "True when a job starts it.").by(APPLICATION),
        column("auto_stop", Kind::Flag, "True when it stops after some idle time.").by(APPLICATION),
        column("auto_stop_idle_minutes", Kind::Count, "That idle time.").by(APPLICATION),
        column("initial_capacity", Kind::Text, "JSON object of worker type → {workers, vcpu, memory_gb, disk_gb}.")
            .by(APPLICATION),
        column("initial_workers", Kind::Count, "Workers kept ready; 0 when there are none.").by(APPLICATION),
        column("initial_vcpu", Kind::Quantity, "Their vCPUs.").by(APPLICATION),
        column("initial_memory_gb", Kind::Quantity, "Their memory in GB.").by(APPLICATION),
        column("initial_disk_gb", Kind::Quantity, "Their disks in GB; NULL where one is left to the default.")
            .by(APPLICATION),
        column("maximum_vcpu", Kind::Quantity, "Most vCPUs; NULL when there is no limit.").by(APPLICATION),
        column("maximum_memory_gb", Kind::Quantity, "Most memory in GB; NULL when there is no limit.").by(APPLICATION),
        column("maximum_disk_gb", Kind::Quantity, "Most disk in GB; NULL when there is no limit.").by(APPLICATION),
        column("tags", Kind::Text, "Tags as a JSON object; `{}` when there are none.").by(APPLICATION),
    ],
};

/// One row for each job run of EMR Serverless.
pub const EMR_SERVERLESS_RUNS: Table = Table {
    name: "emr_serverless_runs",
    doc: "Job runs of EMR Serverless by the day they were submitted. Figures come with the end of a run. `total_…` is what its workers used; `billed_…` is what is charged for it, without workers of the initial capacity.",
    key: &["account_id", "region", "application_id", "created", "run_id"],
    source: Source::Period { read: "emr-serverless:ListJobRuns", column: "created" },
    columns: &[
        ACCOUNT,
        REGION,
        column("application_id", Kind::Text, "Application."),
        column("run_id", Kind::Text, "Id of the run."),
        column("name", Kind::Text, "Name."),
        column("type", Kind::Text, "`SPARK` or `HIVE`."),
        column("mode", Kind::Text, "`BATCH` or `STREAMING`."),
        column("state", Kind::Text, "`SUCCESS`, `FAILED`, `CANCELLED`, `RUNNING`, …"),
        column("created", Kind::Instant, "When it was submitted."),
        column("updated", Kind::Instant, "When it last changed; when it ended, once it has."),
        column("release_label", Kind::Text, "Release (`emr-7.1.0`)."),
        column("started", Kind::Instant, "When it began to run.").by(RUN),
        column("ended", Kind::Instant, "When it ended; NULL before.").by(RUN),
        column("run_seconds", Kind::Count, "Seconds that it ran.").by(RUN),
        column("queued_ms", Kind::Count, "Milliseconds that it waited.").by(RUN),
        column("attempt", Kind::Count, "Which attempt this is.").by(RUN),
        column("total_vcpu_hours", Kind::Quantity, "vCPU-hours used.").by(RUN),
        column("total_memory_gb_hours", Kind::Quantity, "GB-hours of memory used.").by(RUN),
        column("total_storage_gb_hours", Kind::Quantity, "GB-hours of disk used.").by(RUN),
        column("billed_vcpu_hours", Kind::Quantity, "vCPU-hours charged.").by(RUN),
        column("billed_memory_gb_hours", Kind::Quantity, "GB-hours of memory charged.").by(RUN),
        column("billed_storage_gb_hours", Kind::Quantity, "GB-hours of disk charged: above 20 GB a worker.").by(RUN),
        column("tags", Kind::Text, "Tags as a JSON object; `{}` when there are none.").by(RUN),
    ],
};
