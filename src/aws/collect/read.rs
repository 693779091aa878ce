//! A declared call: what it asks AWS for, what IAM must allow, and which columns it fills.
//!
//! The allowlist of the connector, the IAM policy for scanning and the docs are all made from these.

/// One AWS operation that a collector calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Service and operation, as the SDK names the operation: `s3:GetBucketLifecycleConfiguration`.
    pub operation: &'static str,
    /// The IAM action that allows it, which may have another name: `s3:GetLifecycleConfiguration`.
    pub action: &'static str,
    /// The table that it fills.
    pub table: &'static str,
    /// The columns that are NULL without it; empty when it makes the rows themselves.
    pub columns: &'static [&'static str],
}

impl Read {
    /// Returns the read that makes the rows of `table`.
    pub const fn rows(operation: &'static str, action: &'static str, table: &'static str) -> Self {
        Read { operation, action, table, columns: &[] }
    }

    /// Returns the read that fills `columns` of rows that another read makes.
    pub const fn columns(
        operation: &'static str,
        action: &'static str,
        table: &'static str,
        columns: &'static [&'static str],
    ) -> Self {
        Read { operation, action, table, columns }
    }
}
