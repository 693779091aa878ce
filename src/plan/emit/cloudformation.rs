//! A CloudFormation template in JSON: the `LifecycleConfiguration` property of each bucket.
//!
//! CloudFormation has no resource for a lifecycle configuration alone; it is a property of the bucket. The template
//! says so, and keeps buckets (`DeletionPolicy: Retain`) for those who import them.

use serde_json::{Map, Value, json};

use super::rule::{Rule, Versions};
use super::{Said, ascii_json, names, reasons};

const MERGE: &str = "CloudFormation has no resource for it alone: move each LifecycleConfiguration into the resource that declares the bucket.";

/// Returns the template.
pub(super) fn template(said: &[Said<'_>], notes: &[String]) -> String {
    let plain =
        |bucket: &str| format!("Bucket{}", bucket.chars().filter(char::is_ascii_alphanumeric).collect::<String>());
    let resources: Map<String, Value> = names(said, plain).into_iter().zip(said.iter().map(resource)).collect();
    let mut notes = notes.to_vec();
    notes.push(MERGE.to_owned());
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "S3 lifecycle configurations from a leanlake plan; read Metadata first",
        "Metadata": { "leanlake": notes },
        "Resources": resources,
    });
    ascii_json(&template) + "\n"
}

fn resource(Said { step, rules }: &Said<'_>) -> Value {
    let mut configuration = json!({ "Rules": rules.iter().map(rule).collect::<Vec<_>>() });
    if let Some(setting) = &step.after.small_objects {
        configuration["TransitionDefaultMinimumObjectSize"] = json!(setting);
    }
    json!({
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Metadata": { "leanlake": reasons(step), "Region": step.region },
        "Properties": { "BucketName": step.bucket, "LifecycleConfiguration": configuration },
    })
}

fn rule(rule: &Rule) -> Value {
    let expiration = rule.expiration.as_ref();
    let tags: Vec<Value> = rule.filter.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            fields.insert(name.to_owned(), value);
        }
    };
    put("Id", json!(rule.id));
    put("Status", json!(if rule.enabled { "Enabled" } else { "Disabled" }));
    put("Prefix", json!(rule.filter.prefix));
    put("TagFilters", json!(tags));
    put("ObjectSizeGreaterThan", json!(rule.filter.larger.map(|bytes| bytes.to_string())));
    put("ObjectSizeLessThan", json!(rule.filter.smaller.map(|bytes| bytes.to_string())));
    put("AbortIncompleteMultipartUpload", json!(rule.abort_days.map(|days| json!({"DaysAfterInitiation": days}))));
    put("ExpirationInDays", json!(expiration.and_then(|said| said.days)));
    put("ExpirationDate", json!(expiration.and_then(|said| said.date.as_ref())));
    put("ExpiredObjectDeleteMarker", json!(expiration.and_then(|said| said.marker)));
    put(
        "NoncurrentVersionExpiration",
        json!(rule.noncurrent_expiration.map(|said| versions("NoncurrentDays", said, None))),
    );
    let transition = |to: &super::rule::Transition| {
        let moves = [("TransitionInDays", json!(to.days)), ("TransitionDate", json!(to.date))];
        let moves =
            moves.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value));
        let class = ("StorageClass".to_owned(), json!(to.class));
        Value::Object(moves.chain([class]).collect())
    };
    put("Transitions", json!(rule.transitions.iter().map(transition).collect::<Vec<_>>()));
    let old = rule.noncurrent_transitions.iter().map(|(said, class)| versions("TransitionInDays", *said, Some(class)));
    put("NoncurrentVersionTransitions", json!(old.collect::<Vec<_>>()));
    Value::Object(fields)
}

fn versions(days: &str, said: Versions, class: Option<&String>) -> Value {
    let fields =
        [(days, json!(said.days)), ("NewerNoncurrentVersions", json!(said.newer)), ("StorageClass", json!(class))];
    Value::Object(
        fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}
