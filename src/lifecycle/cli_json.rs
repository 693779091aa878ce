//! A configuration as the AWS CLI takes it (`--cli-input-json`), so that a person can restore by hand.
//!
//! For people with nothing but the AWS CLI. Never read back: what restores by itself is the XML.

use serde_json::{Map, Value, json};

use super::configuration::Configuration;
use super::element::Element;

/// Elements that the CLI takes as a list under another name.
const LISTS: &[(&str, &str)] =
    &[("Transition", "Transitions"), ("NoncurrentVersionTransition", "NoncurrentVersionTransitions")];
const NUMBERS: &[&str] = &[
    "Days",
    "NoncurrentDays",
    "NewerNoncurrentVersions",
    "DaysAfterInitiation",
    "ObjectSizeGreaterThan",
    "ObjectSizeLessThan",
];

/// Returns the input of `aws s3api put-bucket-lifecycle-configuration --cli-input-json`, or `None` without a document.
pub fn put_input(bucket: &str, owner: &str, configuration: &Configuration) -> Option<Value> {
    let document = configuration.document.as_ref()?;
    let rules: Vec<Value> = document.rules().iter().map(|rule| object(&rule.element)).collect();
    let mut input = json!({
        "Bucket": bucket,
        "ExpectedBucketOwner": owner,
        "LifecycleConfiguration": { "Rules": rules },
    });
    if let (Some(setting), Some(fields)) = (&configuration.small_objects, input.as_object_mut()) {
        fields.insert("TransitionDefaultMinimumObjectSize".to_owned(), json!(setting));
    }
    Some(input)
}

fn object(element: &Element) -> Value {
    let mut fields = Map::new();
    for child in &element.children {
        let list = list_name(&element.name, &child.name);
        match list {
            Some(list) => {
                if let Value::Array(items) = fields.entry(list).or_insert_with(|| json!([])) {
                    items.push(value(child));
                }
            }
            None => {
                fields.insert(child.name.clone(), value(child));
            }
        }
    }
    Value::Object(fields)
}

fn list_name(parent: &str, child: &str) -> Option<String> {
    if parent == "And" && child == "Tag" {
        return Some("Tags".to_owned());
    }
    LISTS.iter().find(|(one, _)| *one == child).map(|(_, many)| (*many).to_owned())
}

fn value(element: &Element) -> Value {
    let text = element.text.as_str();
    match element.name.as_str() {
        "Filter" | "And" if element.children.is_empty() => json!({}),
        _ if !element.children.is_empty() => object(element),
        name if NUMBERS.contains(&name) => text.trim().parse::<i64>().map_or_else(|_| json!(text), |n| json!(n)),
        "ExpiredObjectDeleteMarker" => json!(text.trim() == "true"),
        _ => json!(text),
    }
}
