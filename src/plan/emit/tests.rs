//! What each form says of one hostile bucket and one plain one.

use super::*;
use crate::plan::tests::{found, looks, planned};
use crate::plan::{Plan, Selection};

const RULES: &str = r#"<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<Rule><ID>and</ID><Filter><And><Prefix>raw/${file("/etc/passwd")}"%{ if true }'$(id)\n</Prefix><Tag><Key>team</Key><Value>bi &amp; &#x202e;co</Value></Tag><ObjectSizeGreaterThan>131071</ObjectSizeGreaterThan></And></Filter><Status>Enabled</Status><Transition><Days>40</Days><StorageClass>STANDARD_IA</StorageClass></Transition><Transition><Days>90</Days><StorageClass>GLACIER</StorageClass></Transition><Expiration><Days>400</Days></Expiration></Rule>
<Rule><ID>old</ID><Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter><Status>Disabled</Status><NoncurrentVersionExpiration><NoncurrentDays>90</NoncurrentDays><NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration><NoncurrentVersionTransition><NoncurrentDays>30</NoncurrentDays><StorageClass>GLACIER_IR</StorageClass></NoncurrentVersionTransition></Rule>
<Rule><ID>dated</ID><Filter/><Status>Enabled</Status><Expiration><Date>2027-01-01T00:00:00Z</Date></Expiration></Rule>
<Rule><ID>markers</ID><Filter><ObjectSizeLessThan>512</ObjectSizeLessThan></Filter><Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>
</LifecycleConfiguration>"#;

const LEGACY: &str = "<LifecycleConfiguration><Rule><ID>l</ID><Prefix>logs/</Prefix><Status>Enabled</Status>\
    <Expiration><Days>9</Days></Expiration></Rule></LifecycleConfiguration>";

fn plan(buckets: &[(&str, Option<&str>)]) -> Plan {
    let findings: Vec<_> =
        buckets.iter().enumerate().map(|(n, (bucket, _))| found(&format!("f-{n}"), bucket)).collect();
    let mut plan = planned(&findings, &Selection::default(), &looks(buckets));
    for step in &mut plan.steps {
        step.changes[0].title = "The bucket aborts uploads\n# rm -rf \u{202e}".into();
    }
    assert_eq!(plan.steps.len(), buckets.len());
    plan
}

fn emitted(shape: Shape) -> String {
    let plan = plan(&[("a.b", Some(RULES)), ("a_b", None), ("old", Some(LEGACY))]);
    let emitted = emit(&plan, shape, plan.created_at);
    assert!(emitted.left_out.is_empty(), "{:?}", emitted.left_out);
    assert!(emitted.text.chars().all(|c| c == '\n' || (c.is_ascii() && !c.is_ascii_control())));
    emitted.text
}

#[test]
fn terraform_owns_the_whole_configuration_and_imports_what_is_there() {
    insta::assert_snapshot!(emitted(Shape::Terraform));
}

#[test]
fn cloudformation_has_the_property_of_each_bucket() {
    let text = emitted(Shape::CloudFormation);
    let template: Value = serde_json::from_str(&text).unwrap();
    let rules = &template["Resources"]["Bucketab"]["Properties"]["LifecycleConfiguration"]["Rules"];
    assert_eq!(rules[0]["TagFilters"][0]["Value"], "bi & \u{202e}co");
    insta::assert_snapshot!(text);
}

#[test]
fn the_cli_gets_one_call_for_each_bucket() {
    insta::assert_snapshot!(emitted(Shape::Cli));
}

#[test]
fn a_stale_plan_says_so_in_every_form() {
    let plan = plan(&[("a", None)]);
    for shape in [Shape::Terraform, Shape::CloudFormation, Shape::Cli] {
        let text = emit(&plan, shape, plan.expires_at + chrono::TimeDelta::seconds(1)).text;
        assert!(text.contains("Stale since"), "{text}");
    }
}

#[test]
fn what_a_form_cannot_say_in_full_is_left_out_whole() {
    let rule = |inner: &str| {
        format!(
            "<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status>{inner}</Rule></LifecycleConfiguration>"
        )
    };
    let expires = "<Expiration><Days>1</Days></Expiration>";
    for (inner, why) in [
        (format!("<Filter><Prefix>a</Prefix></Filter>{expires}<Later/>"), "`Later` cannot be said"),
        (format!("<Filter><Later>a</Later></Filter>{expires}"), "`Later` cannot be said"),
        (format!("<Filter><And><Prefix>a</Prefix><Later>a</Later></And></Filter>{expires}"), "`Later` cannot be said"),
        (format!("<Filter mode=\"x\"><Prefix>a</Prefix></Filter>{expires}"), "`Filter` cannot be said"),
        (format!("<Filter><Prefix>a</Prefix><Prefix>b</Prefix></Filter>{expires}"), "`Prefix` cannot be said"),
        ("<Filter/><Expiration><Days>1</Days><Hours>2</Hours></Expiration>".to_owned(), "`Hours` cannot be said"),
        ("<Filter/><Expiration><Days>soon</Days></Expiration>".to_owned(), "no whole number"),
        (format!("<Filter/>{expires}{expires}"), "stands twice"),
    ] {
        let xml = rule(&inner);
        let plan = plan(&[("a", Some(&xml)), ("b", None)]);
        for shape in [Shape::Terraform, Shape::CloudFormation, Shape::Cli] {
            let emitted = emit(&plan, shape, plan.created_at);
            let [(bucket, said)] = emitted.left_out.as_slice() else { panic!("{inner}: {:?}", emitted.left_out) };
            assert!(bucket.raw() == "a" && said.contains(why), "{inner}: {said}");
            assert!(emitted.text.contains("Left out: s3://a") && emitted.text.contains("s3://b"), "{}", emitted.text);
        }
    }
}

#[test]
fn a_reference_that_cloudformation_would_resolve_is_left_out_there_only() {
    let secret = LEGACY.replace("logs/", "&#123;{resolve:secretsmanager:s}}");
    let plan = plan(&[("a", Some(&secret))]);
    assert_eq!(emit(&plan, Shape::CloudFormation, plan.created_at).left_out.len(), 1);
    assert!(emit(&plan, Shape::Terraform, plan.created_at).left_out.is_empty());
}

#[test]
fn a_name_that_no_bucket_or_region_can_have_is_left_out() {
    let mut plan = plan(&[("a", None), ("b", None)]);
    plan.steps[0].bucket = "a'; rm -rf /".into();
    plan.steps[1].region = "us-east-1' --profile 'root".into();
    let emitted = emit(&plan, Shape::Cli, plan.created_at);
    assert_eq!(emitted.left_out.len(), 2);
    assert!(!emitted.text.contains("put-bucket"), "{}", emitted.text);
}
