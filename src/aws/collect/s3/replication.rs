//! Replication rules of a bucket, both forms. No configuration is no rules; a failure leaves NULL.

use aws_sdk_s3::types::{
    DeleteMarkerReplicationStatus, ExistingObjectReplication, ExistingObjectReplicationStatus, ReplicationRule,
    ReplicationRuleStatus, ReplicationTimeStatus,
};

use super::filter::{Filter, bucket_of};
use super::settings::{Asked, Facts, none_if};
use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read};
use crate::model::Row;

/// Replication rules as a column of the bucket.
pub const RULE_COUNT: Read =
    Read::columns("s3:GetBucketReplication", "s3:GetReplicationConfiguration", "buckets", &["replication_rule_count"]);
/// Replication rules as rows.
pub const RULES: Read = Read::rows("s3:GetBucketReplication", "s3:GetReplicationConfiguration", "replication");

/// Returns the replication rules.
pub async fn read(of: &Asked<'_>) -> Result<Facts, Failed> {
    let call = of.client.get_bucket_replication().bucket(of.bucket).expected_bucket_owner(of.owner());
    let answer = none_if("ReplicationConfigurationNotFoundError", ask(of.scope, call.send()).await)?;
    let rules = answer.and_then(|answer| answer.replication_configuration).map(|written| written.rules);
    let rules = rules.unwrap_or_default();
    let rows: Vec<Row> = rules.iter().enumerate().map(|(position, rule)| row(position, rule)).collect();
    Ok(Facts { columns: Row::new().with("replication_rule_count", rows.len()), rows })
}

fn row(position: usize, rule: &ReplicationRule) -> Row {
    let destination = rule.destination();
    let existing = rule.existing_object_replication().map(ExistingObjectReplication::status);
    let in_time = destination.and_then(|destination| Some(destination.replication_time()?.status()));
    let key = destination.and_then(|destination| destination.encryption_configuration()?.replica_kms_key_id());
    filter(rule)
        .fill(Row::new())
        .with("position", position)
        .with("rule_id", rule.id())
        .with("enabled", *rule.status() == ReplicationRuleStatus::Enabled)
        .with("priority", rule.priority())
        .with("destination_bucket", destination.map(|destination| bucket_of(destination.bucket())))
        .with("destination_account_id", destination.and_then(|destination| destination.account()))
        .with("storage_class", destination.and_then(|destination| Some(destination.storage_class()?.as_str())))
        .with("delete_marker_replication", copies_delete_markers(rule))
        .with("existing_object_replication", existing == Some(&ExistingObjectReplicationStatus::Enabled))
        .with("replication_time_control", in_time == Some(&ReplicationTimeStatus::Enabled))
        .with("replica_kms_key_id", key)
}

/// A rule without a filter element is of the form of 2014, which copies delete markers and cannot say otherwise.
fn copies_delete_markers(rule: &ReplicationRule) -> bool {
    match rule.delete_marker_replication().and_then(|copied| copied.status()) {
        Some(status) => *status == DeleteMarkerReplicationStatus::Enabled,
        None => rule.filter().is_none(),
    }
}

fn filter(rule: &ReplicationRule) -> Filter {
    let Some(written) = rule.filter() else { return legacy(rule) };
    match written.and() {
        Some(and) => Filter::new(and.prefix(), and.tags()),
        None => Filter::new(written.prefix(), written.tag().map_or(&[][..], std::slice::from_ref)),
    }
}

#[expect(deprecated, reason = "S3 still answers with this form where a bucket has it")]
fn legacy(rule: &ReplicationRule) -> Filter {
    Filter::new(rule.prefix(), &[])
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::{DeleteMarkerReplication, Destination, ReplicationRuleFilter, StorageClass};

    use super::*;

    fn rule() -> aws_sdk_s3::types::builders::ReplicationRuleBuilder {
        let destination = Destination::builder()
            .bucket("arn:aws-cn:s3:::backup")
            .account("444455556666")
            .storage_class(StorageClass::GlacierIr);
        ReplicationRule::builder().status(ReplicationRuleStatus::Enabled).destination(destination.build().unwrap())
    }

    #[test]
    fn a_rule_says_where_copies_go_and_in_which_class() {
        let row =
            row(2, &rule().id("dr").priority(1).filter(ReplicationRuleFilter::builder().build()).build().unwrap());
        assert_eq!((row.int("position"), row.key("rule_id"), row.int("priority")), (Some(2), "dr", Some(1)));
        assert_eq!((row.key("destination_bucket"), row.key("destination_account_id")), ("backup", "444455556666"));
        assert_eq!((row.key("storage_class"), row.flag("enabled")), ("GLACIER_IR", Some(true)));
        assert_eq!(row.flag("delete_marker_replication"), Some(false), "a rule with a filter has to ask for it");
    }

    #[test]
    #[expect(deprecated, reason = "the form is tested because S3 still has it")]
    fn the_form_of_2014_copies_delete_markers_and_its_prefix_is_read() {
        let row = row(0, &rule().prefix("raw/").build().unwrap());
        assert_eq!((row.key("prefix"), row.flag("delete_marker_replication")), ("raw/", Some(true)));
    }

    #[test]
    fn delete_markers_are_copied_where_the_rule_says_so() {
        let copied = DeleteMarkerReplication::builder().status(DeleteMarkerReplicationStatus::Enabled).build();
        let filter = ReplicationRuleFilter::builder().prefix("raw/").build();
        let row = row(0, &rule().filter(filter).delete_marker_replication(copied).build().unwrap());
        assert_eq!((row.key("prefix"), row.flag("delete_marker_replication")), ("raw/", Some(true)));
    }
}
