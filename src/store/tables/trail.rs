//! Who changed lifecycle configurations, as CloudTrail remembers it: which tool owns a bucket's rules.

use crate::store::table::{Kind, Source, Table, column};

/// One row for each call that changed, or tried to change, a bucket's lifecycle configuration.
pub const LIFECYCLE_CHANGES: Table = Table {
    name: "lifecycle_changes",
    doc: "Calls that set or deleted a bucket's lifecycle configuration: the last 90 days and what earlier scans saw. No session name is kept.",
    key: &["account_id", "region", "changed", "event_id"],
    source: Source::Period { read: "cloudtrail:LookupEvents", column: "changed" },
    columns: &[
        column("account_id", Kind::Text, "Account whose trail it is."),
        column("region", Kind::Text, "Region of the bucket."),
        column("bucket", Kind::Text, "Bucket; NULL where the event does not name it."),
        column("changed", Kind::Instant, "When."),
        column("event_id", Kind::Text, "CloudTrail's id."),
        column(
            "event_name",
            Kind::Text,
            "`PutBucketLifecycle`, `PutBucketLifecycleConfiguration` or `DeleteBucketLifecycle`.",
        ),
        column("succeeded", Kind::Flag, "False when the call was refused: nothing changed."),
        column(
            "tool",
            Kind::Text,
            "`terraform`, `opentofu`, `cloudformation`, `cdk`, `pulumi`, `crossplane`, `ansible`, `custodian`, `leanlake`, `console`, `cli`, `sdk`, `aws_service` or `other`.",
        ),
        column("principal_type", Kind::Text, "`AssumedRole`, `IAMUser`, `Root`, `FederatedUser`, `AWSService`, …"),
        column(
            "principal",
            Kind::Text,
            "ARN of the user or of the role, not of the session; the service's name for AWS services.",
        ),
        column("principal_name", Kind::Text, "Name of the user or role; NULL when it has none."),
    ],
};
