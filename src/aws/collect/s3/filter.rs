//! What a rule or configuration asks of an object: a prefix, tags. Pure; a part that asks nothing stays NULL.

use std::collections::BTreeMap;

use aws_sdk_s3::types::Tag;

use super::lifecycle::{map, object, some};
use crate::model::Row;

/// The prefix and the tags that objects must have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    prefix: Option<String>,
    tags: BTreeMap<String, String>,
}

impl Filter {
    /// Returns the filter; an empty prefix asks nothing.
    pub fn new(prefix: Option<&str>, tags: &[Tag]) -> Self {
        Filter { prefix: some(prefix), tags: map(tags) }
    }

    /// Returns `row` with what is asked.
    pub fn fill(self, row: Row) -> Row {
        let tags = (!self.tags.is_empty()).then(|| object(&self.tags));
        row.with("prefix", self.prefix).with("tags", tags)
    }
}

/// Returns the bucket that an ARN names: `arn:aws:s3:::lake` is `lake`.
pub fn bucket_of(arn: &str) -> &str {
    arn.rsplit(":::").next().unwrap_or(arn)
}
