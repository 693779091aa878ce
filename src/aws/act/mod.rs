//! What is changed in AWS. The only part of the crate that names a call which changes an account.
//!
//! Each call is declared here beside the IAM action that allows it: the allowlist of `apply` and the printed policy are
//! made from these.

pub mod athena;
pub mod s3;

/// One AWS operation that carrying out or undoing a plan may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// Service and operation, as the SDK names the operation.
    pub operation: &'static str,
    /// The IAM action that allows it.
    pub action: &'static str,
    /// What it may be called on, as the resource part of an ARN pattern: `arn:aws:s3:::*`.
    pub resource: &'static str,
}

/// What `scan --engine athena` calls, and no other scan does. The statements themselves make a table over files of an export
/// in the database that was named, ask it, and drop it.
pub const ROLL_UPS: &[Write] = &[
    on_athena("athena:StartQueryExecution"),
    on_athena("athena:GetQueryExecution"),
    on_athena("athena:GetQueryResults"),
    on_athena("athena:StopQueryExecution"),
];

const fn on_athena(operation: &'static str) -> Write {
    Write { operation, action: operation, resource: "arn:aws:athena:*:*:workgroup/*" }
}

/// Every operation of `apply` and `rollback`. The reads among them are what guards and read-backs look at.
pub const WRITES: &[Write] = &[
    Write {
        operation: "s3:GetBucketLifecycleConfiguration",
        action: "s3:GetLifecycleConfiguration",
        resource: "arn:aws:s3:::*",
    },
    // Tags protect a bucket, and say that CloudFormation manages it.
    Write { operation: "s3:GetBucketTagging", action: "s3:GetBucketTagging", resource: "arn:aws:s3:::*" },
    Write {
        operation: "s3:PutBucketLifecycleConfiguration",
        action: "s3:PutLifecycleConfiguration",
        resource: "arn:aws:s3:::*",
    },
    // IAM has no action of its own for it: who may replace the rules may remove them.
    Write { operation: "s3:DeleteBucketLifecycle", action: "s3:PutLifecycleConfiguration", resource: "arn:aws:s3:::*" },
];
