//! EC2's tags and lists of ids as JSON text. Pure.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Tag;

/// Returns tags as a JSON object, keys in order.
pub fn tags(tags: &[Tag]) -> String {
    let pairs = tags.iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default())));
    serde_json::json!(pairs.collect::<BTreeMap<_, _>>()).to_string()
}

/// Returns ids as a JSON list, in order, each once.
pub fn list<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let ids: std::collections::BTreeSet<&str> = ids.into_iter().collect();
    serde_json::json!(ids).to_string()
}
