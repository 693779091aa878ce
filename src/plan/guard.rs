//! What a look at a bucket says against changing it.

use std::collections::BTreeMap;

use crate::lifecycle::Observed;
use crate::model::Untrusted;

/// Buckets with this tag are never changed, whatever its value but `false`.
pub const PROTECTED_TAG: &str = "leanlake:protected";
const STACK_TAG: &str = "aws:cloudformation:stack-name";
/// Terraform's provider gives rules without ID such a name and 26 digits of time.
const TERRAFORM_RULE: &str = "tf-s3-lifecycle-";

/// Checks that names from a file can be a bucket's and a Region's and nothing else: they become part of addresses.
///
/// # Errors
/// What is wrong.
pub fn check_names(bucket: &str, region: &str) -> Result<(), &'static str> {
    let in_bucket = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let named = !bucket.is_empty() && bucket.len() <= 255 && bucket.chars().all(in_bucket);
    if !named || bucket == "." || bucket == ".." {
        return Err("no bucket can have its name");
    }
    if !region.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return Err("no Region can have its name");
    }
    Ok(())
}

/// Returns the tag that protects a bucket: ours, or one of `keys` (`key` or `key=value`).
pub fn protecting_tag(tags: &BTreeMap<String, String>, keys: &[String]) -> Option<Untrusted> {
    let asked = keys.iter().find(|key| match key.split_once('=') {
        Some((key, value)) => tags.get(key).is_some_and(|tag| tag == value),
        None => tags.contains_key(key.as_str()),
    });
    let ours = tags.get(PROTECTED_TAG).filter(|value| *value != "false").map(|_| PROTECTED_TAG);
    asked.map(String::as_str).or(ours).map(Untrusted::from)
}

/// Returns who else seems to write the configuration of a bucket, with the evidence.
pub fn manager(observed: &Observed) -> Option<Untrusted> {
    let stack = observed.tags.as_ref().and_then(|tags| tags.get(STACK_TAG));
    let rules = observed.configuration.rules().iter();
    let terraform = rules.filter_map(|rule| rule.id.as_deref()).find(|id| id.starts_with(TERRAFORM_RULE));
    match (stack, terraform) {
        (Some(stack), _) => Some(Untrusted::new(format!("CloudFormation (stack {stack})"))),
        (None, Some(id)) => Some(Untrusted::new(format!("Terraform (rule {id})"))),
        (None, None) => None,
    }
}
