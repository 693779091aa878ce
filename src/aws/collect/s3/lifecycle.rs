//! A bucket's lifecycle configuration as rows, and what its rules mean for the whole bucket. Pure.
//!
//! Keeps every filter form as written: a rule that is narrower than the bucket must never look like one for all of it.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{ExpirationStatus, LifecycleRule, NoncurrentVersionTransition, Tag, Transition};
use serde_json::{Map, Value};

use crate::aws::collect::instant;
use crate::model::Row;

/// A lifecycle configuration as read; a bucket without one has no rules and no header.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lifecycle {
    /// The rules in their order.
    pub rules: Vec<LifecycleRule>,
    /// The header `x-amz-transition-default-minimum-object-size`.
    pub minimum_object_size: Option<String>,
}

/// What a rule's filter asks of an object.
#[derive(Clone, Debug, Default, PartialEq)]
struct Filter {
    form: &'static str,
    prefix: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    greater_than: Option<i64>,
    less_than: Option<i64>,
}

impl Lifecycle {
    /// Returns `bucket` with the columns that the configuration fills.
    pub fn fill(&self, bucket: Row) -> Row {
        let any = |acts: fn(&LifecycleRule) -> bool| self.rules.iter().any(|rule| over_all(rule) && acts(rule));
        bucket
            .with("lifecycle_rule_count", self.rules.len())
            .with("abort_rule", any(|rule| rule.abort_incomplete_multipart_upload().is_some()))
            .with("noncurrent_rule", any(|rule| rule.noncurrent_version_expiration().is_some()))
            .with("tiering_rule", any(|rule| !rule.transitions().is_empty()))
            .with("transition_default_minimum_object_size", self.minimum_object_size.as_deref())
    }

    /// Returns one row for each rule; `bucket` holds what names the bucket.
    pub fn rows(&self, bucket: &Row) -> Vec<Row> {
        self.rules.iter().enumerate().map(|(position, rule)| row(bucket.clone(), position, rule)).collect()
    }
}

/// Returns true when `rule` is enabled and asks nothing of an object.
fn over_all(rule: &LifecycleRule) -> bool {
    let filter = filter(rule);
    let asks = filter.prefix.is_some() || filter.tags.is_some();
    enabled(rule) && !asks && filter.greater_than.is_none() && filter.less_than.is_none()
}

fn enabled(rule: &LifecycleRule) -> bool {
    *rule.status() == ExpirationStatus::Enabled
}

fn row(bucket: Row, position: usize, rule: &LifecycleRule) -> Row {
    let filter = filter(rule);
    let expiration = rule.expiration();
    let noncurrent = rule.noncurrent_version_expiration();
    bucket
        .with("position", position)
        .with("rule_id", rule.id())
        .with("enabled", enabled(rule))
        .with("filter_form", filter.form)
        .with("prefix", filter.prefix)
        .with("tags", filter.tags.map(|tags| object(&tags)))
        .with("object_size_greater_than", filter.greater_than)
        .with("object_size_less_than", filter.less_than)
        .with("transitions", list(rule.transitions(), transition))
        .with("noncurrent_transitions", list(rule.noncurrent_version_transitions(), noncurrent_transition))
        .with("expiration_days", expiration.and_then(aws_sdk_s3::types::LifecycleExpiration::days))
        .with("expiration_date", expiration.and_then(|e| instant::day(e.date()?)))
        .with(
            "expired_object_delete_marker",
            expiration.and_then(aws_sdk_s3::types::LifecycleExpiration::expired_object_delete_marker),
        )
        .with(
            "noncurrent_expiration_days",
            noncurrent.and_then(aws_sdk_s3::types::NoncurrentVersionExpiration::noncurrent_days),
        )
        .with(
            "newer_noncurrent_versions",
            noncurrent.and_then(aws_sdk_s3::types::NoncurrentVersionExpiration::newer_noncurrent_versions),
        )
        .with(
            "abort_incomplete_multipart_days",
            rule.abort_incomplete_multipart_upload()
                .and_then(aws_sdk_s3::types::AbortIncompleteMultipartUpload::days_after_initiation),
        )
}

/// Returns what the rule's filter asks, in the form in which it is written.
fn filter(rule: &LifecycleRule) -> Filter {
    let Some(written) = rule.filter() else { return legacy(rule) };
    if let Some(and) = written.and() {
        let tags = and.tags();
        return Filter {
            form: "and",
            prefix: some(and.prefix()),
            tags: (!tags.is_empty()).then(|| map(tags)),
            greater_than: and.object_size_greater_than(),
            less_than: and.object_size_less_than(),
        };
    }
    let filter = Filter {
        form: "all",
        prefix: some(written.prefix()),
        tags: written.tag().map(|tag| map(std::slice::from_ref(tag))),
        greater_than: written.object_size_greater_than(),
        less_than: written.object_size_less_than(),
    };
    let form = match &filter {
        Filter { tags: Some(_), .. } => "tag",
        Filter { greater_than: Some(_), .. } => "size_greater",
        Filter { less_than: Some(_), .. } => "size_less",
        Filter { prefix: Some(_), .. } => "prefix",
        _ => "all",
    };
    Filter { form, ..filter }
}

/// The form without a filter element, of 2010: a prefix at the rule itself.
#[expect(deprecated, reason = "S3 still answers with this form where a bucket has it")]
fn legacy(rule: &LifecycleRule) -> Filter {
    Filter { form: "legacy", prefix: some(rule.prefix()), ..Filter::default() }
}

/// Returns the prefix; an empty one asks nothing.
pub fn some(prefix: Option<&str>) -> Option<String> {
    prefix.filter(|prefix| !prefix.is_empty()).map(str::to_owned)
}

/// Returns tags by key.
pub fn map(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

/// Returns tags as a JSON object, keys in order.
pub fn object(tags: &BTreeMap<String, String>) -> String {
    Value::Object(tags.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect()).to_string()
}

fn list<T>(items: &[T], json: fn(&T) -> Value) -> Option<String> {
    (!items.is_empty()).then(|| Value::Array(items.iter().map(json).collect()).to_string())
}

fn transition(transition: &Transition) -> Value {
    let day = transition.date().and_then(instant::day).map(|day| day.to_string());
    members([
        ("days", transition.days().map(Value::from)),
        ("date", day.map(Value::from)),
        ("storage_class", transition.storage_class().map(|class| class.as_str().into())),
    ])
}

fn noncurrent_transition(transition: &NoncurrentVersionTransition) -> Value {
    members([
        ("noncurrent_days", transition.noncurrent_days().map(Value::from)),
        ("newer_noncurrent_versions", transition.newer_noncurrent_versions().map(Value::from)),
        ("storage_class", transition.storage_class().map(|class| class.as_str().into())),
    ])
}

fn members<const N: usize>(all: [(&str, Option<Value>); N]) -> Value {
    let set = all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(set.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::{
        AbortIncompleteMultipartUpload, LifecycleRuleAndOperator, LifecycleRuleFilter, NoncurrentVersionExpiration,
        TransitionStorageClass,
    };

    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag::builder().key(key).value(value).build().unwrap()
    }

    fn filter() -> aws_sdk_s3::types::builders::LifecycleRuleFilterBuilder {
        LifecycleRuleFilter::builder()
    }

    /// A rule that aborts, expires noncurrent versions and moves objects, where `filter` says.
    fn rule(filter: Option<LifecycleRuleFilter>, status: ExpirationStatus) -> LifecycleRule {
        LifecycleRule::builder()
            .id("r")
            .status(status)
            .set_filter(filter)
            .abort_incomplete_multipart_upload(
                AbortIncompleteMultipartUpload::builder().days_after_initiation(7).build(),
            )
            .noncurrent_version_expiration(
                NoncurrentVersionExpiration::builder().noncurrent_days(30).newer_noncurrent_versions(2).build(),
            )
            .transitions(
                Transition::builder().days(0).storage_class(TransitionStorageClass::IntelligentTiering).build(),
            )
            .build()
            .unwrap()
    }

    fn form(filter: LifecycleRuleFilter) -> Row {
        row(Row::new(), 0, &rule(Some(filter), ExpirationStatus::Enabled))
    }

    fn flags(rules: Vec<LifecycleRule>) -> [Option<bool>; 3] {
        let row = Lifecycle { rules, minimum_object_size: None }.fill(Row::new());
        ["abort_rule", "noncurrent_rule", "tiering_rule"].map(|flag| row.flag(flag))
    }

    #[test]
    fn every_filter_form_is_told_apart_with_what_it_asks() {
        let and = LifecycleRuleAndOperator::builder().prefix("raw/").tags(tag("a", "b")).object_size_less_than(9);
        let rows = [
            form(filter().build()),
            form(filter().prefix("").build()),
            form(filter().prefix("raw/").build()),
            form(filter().tag(tag("team", "x")).build()),
            form(filter().object_size_greater_than(131_071).build()),
            form(filter().object_size_less_than(9).build()),
            form(filter().and(and.build()).build()),
        ];
        let forms: Vec<_> = rows.iter().map(|row| row.key("filter_form")).collect();
        assert_eq!(forms, ["all", "all", "prefix", "tag", "size_greater", "size_less", "and"]);
        assert_eq!((rows[1].text("prefix"), rows[2].key("prefix")), (None, "raw/"));
        assert_eq!(rows[3].key("tags"), r#"{"team":"x"}"#);
        assert_eq!(rows[4].int("object_size_greater_than"), Some(131_071));
        let and = &rows[6];
        assert_eq!(
            (and.key("prefix"), and.key("tags"), and.int("object_size_less_than")),
            ("raw/", r#"{"a":"b"}"#, Some(9))
        );
    }

    #[test]
    #[expect(deprecated, reason = "the form is deprecated, the buckets that have it are not")]
    fn a_legacy_rule_is_over_the_whole_bucket_only_with_an_empty_prefix() {
        let legacy = |prefix: &str| {
            let mut rule = rule(None, ExpirationStatus::Enabled);
            rule.prefix = Some(prefix.to_owned());
            rule
        };
        assert_eq!(row(Row::new(), 0, &legacy("logs/")).key("filter_form"), "legacy");
        assert_eq!(row(Row::new(), 0, &legacy("logs/")).key("prefix"), "logs/");
        assert_eq!(flags(vec![legacy("logs/")]), [Some(false); 3]);
        assert_eq!(flags(vec![legacy("")]), [Some(true); 3]);
    }

    #[test]
    fn only_an_enabled_rule_that_asks_nothing_of_an_object_counts_for_the_bucket() {
        let all = || Some(filter().build());
        assert_eq!(flags(vec![rule(all(), ExpirationStatus::Enabled)]), [Some(true); 3]);
        assert_eq!(flags(vec![rule(all(), ExpirationStatus::Disabled)]), [Some(false); 3]);
        for narrow in [
            filter().prefix("raw/"),
            filter().tag(tag("a", "")),
            filter().object_size_greater_than(0),
            filter().object_size_less_than(9),
            filter().and(LifecycleRuleAndOperator::builder().object_size_greater_than(9).prefix("").build()),
        ] {
            assert_eq!(flags(vec![rule(Some(narrow.build()), ExpirationStatus::Enabled)]), [Some(false); 3]);
        }
    }

    #[test]
    fn a_bucket_without_a_configuration_has_no_rules_and_that_is_known() {
        let row = Lifecycle::default().fill(Row::new());
        assert_eq!((row.int("lifecycle_rule_count"), row.flag("abort_rule")), (Some(0), Some(false)));
        assert_eq!(row.text("transition_default_minimum_object_size"), None);
    }

    #[test]
    fn what_a_rule_does_stands_in_its_row() {
        let row = form(filter().build());
        assert_eq!(row.key("transitions"), r#"[{"days":0,"storage_class":"INTELLIGENT_TIERING"}]"#);
        assert_eq!(row.text("noncurrent_transitions"), None);
        assert_eq!((row.int("noncurrent_expiration_days"), row.int("newer_noncurrent_versions")), (Some(30), Some(2)));
        assert_eq!((row.int("abort_incomplete_multipart_days"), row.flag("enabled")), (Some(7), Some(true)));
    }
}
