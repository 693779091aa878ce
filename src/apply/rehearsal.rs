//! An account in memory: the demo lake's buckets answer plan, apply and rollback without a network.
//!
//! What it is told to write lasts as long as it does. Never used for a real account.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use quick_xml::escape::escape;
use serde_json::Value;

use super::{CallError, CallTrouble, Executor, Place, Write};
use crate::lifecycle::configuration::SMALL_OBJECT_DEFAULT;
use crate::lifecycle::document::S3_NAMESPACE;
use crate::lifecycle::{Configuration, Document, Observed};
use crate::model::Row;

/// Buckets by name.
#[derive(Debug, Default)]
pub struct Rehearsal(Mutex<BTreeMap<String, Observed>>);

impl Rehearsal {
    /// Returns the account whose buckets are `buckets`.
    pub fn new(buckets: BTreeMap<String, Observed>) -> Self {
        Rehearsal(Mutex::new(buckets))
    }

    /// Returns the account that rows of the tables `buckets` and `lifecycle_rules` describe.
    pub fn of_rows(buckets: &[Row], rules: &[Row]) -> Self {
        let mut by_bucket: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for rule in rules {
            by_bucket.entry(rule.key("bucket")).or_default().push(rule);
        }
        let observed = |bucket: &Row| {
            let rules = by_bucket.get(bucket.key("bucket")).map(Vec::as_slice).unwrap_or_default();
            let document = (!rules.is_empty()).then(|| Document::parse(document_of(rules).as_bytes()).ok()).flatten();
            let small_objects = bucket.text("transition_default_minimum_object_size").map(|text| text.raw().to_owned());
            let tags = bucket.text("tags").and_then(|tags| serde_json::from_str(tags.raw()).ok());
            Observed { configuration: Configuration { document, small_objects }, tags }
        };
        Rehearsal::new(buckets.iter().map(|bucket| (bucket.key("bucket").to_owned(), observed(bucket))).collect())
    }

    /// Returns what stands in a bucket.
    pub fn look(&self, bucket: &str) -> Option<Observed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(bucket).cloned()
    }

    /// Puts something else there, as another tool would.
    pub fn place(&self, bucket: &str, observed: Observed) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(bucket.to_owned(), observed);
    }
}

#[async_trait]
impl Executor for Rehearsal {
    async fn observe(&self, place: &Place) -> Result<Observed, CallError> {
        self.look(&place.bucket)
            .ok_or_else(|| CallError { trouble: CallTrouble::Refused, said: "NoSuchBucket".to_owned() })
    }

    async fn perform(&self, place: &Place, write: Write<'_>) -> Result<(), CallError> {
        let mut observed = self.observe(place).await?;
        observed.configuration = match write {
            Write::Put { document, small_objects } => Configuration {
                document: Some(document.clone()),
                small_objects: Some(small_objects.unwrap_or(SMALL_OBJECT_DEFAULT).to_owned()),
            },
            Write::Delete => Configuration::default(),
        };
        self.place(&place.bucket, observed);
        Ok(())
    }
}

fn document_of(rules: &[&Row]) -> String {
    let body: String = rules.iter().map(|rule| rule_of(rule)).collect();
    format!("<LifecycleConfiguration xmlns=\"{S3_NAMESPACE}\">{body}</LifecycleConfiguration>")
}

fn rule_of(rule: &Row) -> String {
    let mut xml = String::from("<Rule>");
    if let Some(id) = rule.text("rule_id") {
        leaf(&mut xml, "ID", id.raw());
    }
    xml.push_str(&filter_of(rule));
    leaf(&mut xml, "Status", if rule.flag("enabled") == Some(false) { "Disabled" } else { "Enabled" });
    for (column, element) in [("transitions", "Transition"), ("noncurrent_transitions", "NoncurrentVersionTransition")]
    {
        let listed = rule.text(column).and_then(|text| serde_json::from_str::<Vec<Value>>(text.raw()).ok());
        listed.unwrap_or_default().iter().for_each(|step| transition(&mut xml, element, step));
    }
    let number = |column: &str| rule.int(column).map(|n| n.to_string());
    let date = rule.date("expiration_date").map(|day| format!("{day}T00:00:00Z"));
    let marker = rule.flag("expired_object_delete_marker").filter(|marker| *marker).map(|_| "true".to_owned());
    let expiration = [("Days", number("expiration_days")), ("Date", date), ("ExpiredObjectDeleteMarker", marker)];
    group(&mut xml, "Expiration", &expiration);
    let noncurrent = [
        ("NoncurrentDays", number("noncurrent_expiration_days")),
        ("NewerNoncurrentVersions", number("newer_noncurrent_versions")),
    ];
    group(&mut xml, "NoncurrentVersionExpiration", &noncurrent);
    let abort = [("DaysAfterInitiation", number("abort_incomplete_multipart_days"))];
    group(&mut xml, "AbortIncompleteMultipartUpload", &abort);
    xml.push_str("</Rule>");
    xml
}

fn filter_of(rule: &Row) -> String {
    let prefix = rule.key("prefix");
    let mut inner = String::new();
    if rule.key("filter_form") == "legacy" {
        leaf(&mut inner, "Prefix", prefix);
        return inner;
    }
    if rule.text("prefix").is_some() {
        leaf(&mut inner, "Prefix", prefix);
    }
    let tags = rule.text("tags").and_then(|text| serde_json::from_str::<BTreeMap<String, String>>(text.raw()).ok());
    for (key, value) in tags.unwrap_or_default() {
        let _ = write!(inner, "<Tag><Key>{}</Key><Value>{}</Value></Tag>", escape(&key), escape(&value));
    }
    for (column, element) in
        [("object_size_greater_than", "ObjectSizeGreaterThan"), ("object_size_less_than", "ObjectSizeLessThan")]
    {
        if let Some(bytes) = rule.int(column) {
            leaf(&mut inner, element, &bytes.to_string());
        }
    }
    if rule.key("filter_form") == "and" {
        inner = format!("<And>{inner}</And>");
    }
    format!("<Filter>{inner}</Filter>")
}

fn transition(xml: &mut String, element: &str, step: &Value) {
    let text = |name: &str| match &step[name] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let parts = [
        ("Days", text("days")),
        ("Date", text("date")),
        ("NoncurrentDays", text("noncurrent_days")),
        ("NewerNoncurrentVersions", text("newer_noncurrent_versions")),
        ("StorageClass", text("storage_class")),
    ];
    group(xml, element, &parts);
}

/// Writes an element with those of its children that are set, unless none is.
fn group(xml: &mut String, element: &str, children: &[(&str, Option<String>)]) {
    if children.iter().all(|(_, value)| value.is_none()) {
        return;
    }
    let _ = write!(xml, "<{element}>");
    for (name, value) in children {
        if let Some(value) = value {
            leaf(xml, name, value);
        }
    }
    let _ = write!(xml, "</{element}>");
}

fn leaf(xml: &mut String, element: &str, value: &str) {
    let _ = write!(xml, "<{element}>{}</{element}>", escape(value));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::Form;

    #[test]
    fn a_bucket_of_the_demo_has_the_rules_that_its_rows_describe() {
        let bucket = Row::new().with("bucket", "lake").with("tags", "{\"team\":\"a\"}");
        let rule = Row::new()
            .with("bucket", "lake")
            .with("rule_id", "a & b")
            .with("enabled", true)
            .with("filter_form", "and")
            .with("prefix", "tmp/")
            .with("tags", "{\"k\":\"<v>\"}")
            .with("expiration_days", 30i64)
            .with("transitions", "[{\"days\":3,\"storage_class\":\"STANDARD_IA\"}]");
        let account = Rehearsal::of_rows(&[bucket], &[rule]);
        let observed = account.look("lake").unwrap();
        let document = observed.configuration.document.unwrap();
        let rule = &document.rules()[0];
        assert_eq!((document.form(), rule.id.as_deref()), (Form::Filter, Some("a & b")));
        assert_eq!(rule.element.text_at(&["Filter", "And", "Tag", "Value"]), Some("<v>"));
        assert_eq!(rule.element.text_at(&["Transition", "StorageClass"]), Some("STANDARD_IA"));
        assert_eq!(observed.tags.unwrap()["team"], "a");
    }
}
