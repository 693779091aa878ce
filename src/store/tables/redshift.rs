//! Redshift: provisioned clusters and the workgroups of Redshift Serverless.

use crate::store::table::{Column, Kind, Source, Table, column};

const LIMITS: &str = "redshift:DescribeUsageLimits";
const NAMESPACES: &str = "redshift-serverless:ListNamespaces";
const SERVERLESS_LIMITS: &str = "redshift-serverless:ListUsageLimits";
const SCHEDULES: &str = "redshift:DescribeScheduledActions";
const METRICS: &str = "cloudwatch:GetMetricData";

const ACCOUNT: Column = column("account_id", Kind::Text, "Account.");
const REGION: Column = column("region", Kind::Text, "Region.");

/// One row for each provisioned cluster.
pub const REDSHIFT_CLUSTERS: Table = Table {
    name: "redshift_clusters",
    doc: "Provisioned Redshift clusters. Metrics are of the last 14 days, by the hour; a paused cluster publishes none.",
    key: &["account_id", "region", "cluster"],
    source: Source::State("redshift:DescribeClusters"),
    columns: &[
        ACCOUNT,
        REGION,
        column("cluster", Kind::Text, "Identifier."),
        column("node_type", Kind::Text, "Node type (`ra3.4xlarge`)."),
        column("node_family", Kind::Text, "`ra3`, `rg`, `dc2`, …: what stands before the point."),
        column(
            "managed_storage",
            Kind::Flag,
            "True for RA3: storage is paid for apart from nodes. NULL for families not known.",
        ),
        column("nodes", Kind::Count, "Compute nodes."),
        column("status", Kind::Text, "`available`, `paused`, `resizing`, …"),
        column("availability_status", Kind::Text, "`Available`, `Unavailable`, `Maintenance`, `Modifying`, `Failed`."),
        column("created", Kind::Instant, "When it was made; a restore or resize makes it anew."),
        column("encrypted", Kind::Flag, "True when it is encrypted at rest."),
        column("multi_az", Kind::Flag, "True when it runs in two Availability Zones: twice the nodes are paid for."),
        column(
            "snapshot_retention_days",
            Kind::Count,
            "Days that automated snapshots are kept; 0 when there are none.",
        ),
        column("manual_snapshot_retention_days", Kind::Count, "Days that manual snapshots are kept; -1 for ever."),
        column("storage_capacity_mb", Kind::Count, "Storage that the cluster may use, in MB as Redshift counts."),
        column("version", Kind::Text, "Engine version."),
        column("vpc_id", Kind::Text, "VPC."),
        column("tags", Kind::Text, "Tags as a JSON object; `{}` when there are none."),
        column(
            "usage_limits",
            Kind::Text,
            "JSON list of {feature, limit, amount, period, action}; minutes for `time`, TB for `data-scanned`.",
        )
        .by(LIMITS),
        column("concurrency_scaling_limited", Kind::Flag, "True when a limit turns concurrency scaling off.")
            .by(LIMITS),
        column("spectrum_limited", Kind::Flag, "True when a limit turns Spectrum off.").by(LIMITS),
        column(
            "scheduled_actions",
            Kind::Text,
            "JSON list of {action, schedule, state, until}; an action is `pause`, `resume` or `resize`.",
        )
        .by(SCHEDULES),
        column("pause_scheduled", Kind::Flag, "True when an active schedule pauses it.").by(SCHEDULES),
        column("resume_scheduled", Kind::Flag, "True when an active schedule resumes it.").by(SCHEDULES),
        column("metric_hours", Kind::Count, "Hours with a point of `DatabaseConnections`.").by(METRICS),
        column("unconnected_hours", Kind::Count, "Of these, hours in which nobody was connected at any time.")
            .by(METRICS),
        column("cpu_percent", Kind::Quantity, "Average of `CPUUtilization`.").by(METRICS),
        column("cpu_percent_busiest", Kind::Quantity, "Its average in the busiest hour.").by(METRICS),
        column("disk_used_percent", Kind::Quantity, "Newest `PercentageDiskSpaceUsed`.").by(METRICS),
    ],
};

/// One row for each workgroup of Redshift Serverless.
pub const REDSHIFT_WORKGROUPS: Table = Table {
    name: "redshift_workgroups",
    doc: "Workgroups of Redshift Serverless. Metrics are of the last 14 days, by the hour; no point means that nothing was published, not that nothing was used.",
    key: &["account_id", "region", "workgroup"],
    source: Source::State("redshift-serverless:ListWorkgroups"),
    columns: &[
        ACCOUNT,
        REGION,
        column("workgroup", Kind::Text, "Name."),
        column("namespace", Kind::Text, "Namespace: where its data is."),
        column("status", Kind::Text, "`AVAILABLE`, `CREATING`, `MODIFYING`, `DELETING`."),
        column("created", Kind::Instant, "When it was made."),
        column(
            "base_rpus",
            Kind::Count,
            "RPUs that a query starts with; NULL where a price-performance target decides.",
        ),
        column("max_rpus", Kind::Count, "Most RPUs; NULL when there is no limit."),
        column("price_performance", Kind::Flag, "True when a price-performance target decides the RPUs."),
        column("price_performance_level", Kind::Count, "1 cheapest, 25, 50 balanced, 75, 100 fastest."),
        column("extra_compute", Kind::Flag, "True when automatic optimisation may use compute of its own."),
        column("enhanced_vpc_routing", Kind::Flag, "True when its traffic stays in the VPC."),
        column("namespace_status", Kind::Text, "`AVAILABLE`, `MODIFYING`, `DELETING`.").by(NAMESPACES),
        column("usage_limits", Kind::Text, "JSON list of {feature, amount, period, action}; RPU-hours or TB.")
            .by(SERVERLESS_LIMITS),
        column("compute_limited", Kind::Flag, "True when a limit turns queries off.").by(SERVERLESS_LIMITS),
        column("metric_hours", Kind::Count, "Hours with a point of `ComputeSeconds`.").by(METRICS),
        column("busy_hours", Kind::Count, "Of these, hours in which compute was used.").by(METRICS),
        column(
            "rpu_seconds",
            Kind::Quantity,
            "Sum of `ComputeSeconds`: RPU-seconds used. The 60 seconds that are charged at least are not in it.",
        )
        .by(METRICS),
    ],
};
