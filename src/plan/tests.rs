//! What a plan takes, what it leaves, and that its file says so.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::lifecycle::{Configuration, Document, Observed};
use crate::model::action::LifecycleRule;
use crate::model::{Action, Confidence, Estimate, Finding, FindingId, Money, Range, Status, Verdict, finding};

fn money(cents: i64) -> Money {
    Money::new(rust_decimal::Decimal::new(cents, 2))
}

fn aborts(bucket: &str) -> Action {
    Action::PutLifecycleRule(LifecycleRule {
        bucket: bucket.into(),
        abort_incomplete_multipart_days: Some(7),
        noncurrent_expiration_days: None,
        intelligent_tiering_days: None,
    })
}

/// A recommended finding that a bucket aborts unfinished uploads.
pub fn found(id: &str, bucket: &str) -> Finding {
    let range = Range::exact(money(92));
    Finding {
        id: FindingId(id.into()),
        policy: "s3-abandoned-uploads".into(),
        title: "The bucket aborts uploads that were never completed".into(),
        pillar: finding::Pillar::Save,
        resource: bucket.into(),
        account_id: "111122223333".into(),
        region: "us-east-1".into(),
        owner: None,
        effect: None,
        saving: Estimate::Known(range),
        running: Estimate::Known(Range::ZERO),
        one_off: Estimate::Known(Range::ZERO),
        curve: vec![],
        net_saving_12m: Estimate::Known(range),
        payback_days: Some(0),
        basis: vec![],
        confidence: Confidence::Measured,
        unlock: None,
        effort: finding::Level::VeryLow,
        risk: finding::Level::Low,
        reversible: false,
        action: Some(aborts(bucket)),
        instructions: None,
        evidence: BTreeMap::from([("bytes".to_owned(), serde_json::json!(42_949_672_960_i64))]),
        trace: vec![],
        gaps: vec![],
        status: Status::New,
        verdict: Verdict::Recommended { counted: range, limit: None },
    }
}

fn facts() -> Facts {
    let at = "2026-11-20T06:00:00Z".parse().unwrap();
    Facts {
        account_id: "111122223333".into(),
        caller_arn: None,
        origin: Origin::Aws { partition: "aws".into() },
        snapshot: "s".into(),
        as_of: at,
        created_at: at,
    }
}

/// What a look at each bucket sees.
///
/// # Panics
/// A document is no XML.
pub fn looks(of: &[(&str, Option<&str>)]) -> Looks {
    let look = |xml: Option<&str>| {
        let document = xml.map(|xml| Document::parse(xml.as_bytes()).unwrap());
        let configuration = Configuration { document, small_objects: Some("varies_by_storage_class".into()) };
        Observed { configuration, tags: Some(BTreeMap::new()) }
    };
    of.iter().map(|(bucket, xml)| ((*bucket).to_owned(), Ok(look(*xml)))).collect()
}

/// The plan of these findings.
pub fn planned(findings: &[Finding], selection: &Selection, looks: &Looks) -> Plan {
    build(facts(), findings, selection, looks)
}

const COVERED: &str = "<LifecycleConfiguration><Rule><ID>theirs</ID><Filter/><Status>Enabled</Status>\
    <AbortIncompleteMultipartUpload><DaysAfterInitiation>3</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>";

#[test]
fn a_recommended_bucket_is_a_step_with_both_states() {
    let plan = planned(&[found("f-1", "lake")], &Selection::default(), &looks(&[("lake", None)]));
    let step = &plan.steps[0];
    assert_eq!(step.delta.added, vec!["leanlake-abort-incomplete-uploads".into()]);
    assert_eq!((step.before.document.is_none(), step.after.document.is_some()), (true, true));
    assert_eq!(step.changes[0].bytes, Some(42_949_672_960));
    assert_eq!(plan.expires_at - plan.created_at, VALID_FOR);
    assert!(Assertion::ALL.iter().all(|assertion| assertion.holds(&step.before, &step.after)));
}

#[test]
fn the_order_of_findings_does_not_change_the_file() {
    let (a, b) = (found("f-1", "a"), found("f-2", "b"));
    let looks = looks(&[("a", None), ("b", None)]);
    let one = planned(&[a.clone(), b.clone()], &Selection::default(), &looks);
    let two = planned(&[b, a], &Selection::default(), &looks);
    assert_eq!(one.to_json(), two.to_json());
    assert_eq!(Plan::read(one.to_json().as_bytes()).unwrap(), one);
}

#[test]
fn what_is_not_taken_says_why() {
    let mut deletes = found("f-1", "old");
    deletes.action = Some(Action::PutLifecycleRule(LifecycleRule {
        bucket: "old".into(),
        abort_incomplete_multipart_days: None,
        noncurrent_expiration_days: Some(30),
        intelligent_tiering_days: None,
    }));
    let mut outbid = found("f-2", "beaten");
    outbid.verdict = Verdict::Outbid { by: FindingId("f-9".into()) };
    let mut unpriced = found("f-3", "unpriced");
    unpriced.verdict = Verdict::Unknown { why: "no bytes".into() };
    let mut manual = found("f-4", "manual");
    manual.action = None;
    let mut elsewhere = found("f-5", "elsewhere");
    elsewhere.account_id = "999".into();
    let findings = [deletes, outbid, unpriced, manual, elsewhere, found("f-6", "covered"), found("f-7", "unseen")];
    let plan = planned(&findings, &Selection::default(), &looks(&[("covered", Some(COVERED))]));
    assert!(plan.steps.is_empty() && !plan.complete);
    let kinds: BTreeMap<&str, SkipKind> = plan.skips.iter().map(|s| (s.resource.raw(), s.kind)).collect();
    let expected = [
        ("old", SkipKind::NotPlanned),
        ("beaten", SkipKind::NotRecommended),
        ("unpriced", SkipKind::Unpriced),
        ("manual", SkipKind::NoAction),
        ("elsewhere", SkipKind::OtherAccount),
        ("covered", SkipKind::AlreadySo),
        ("unseen", SkipKind::NotSeen),
    ];
    assert_eq!(kinds, BTreeMap::from(expected));
}

#[test]
fn an_unpriced_housekeeping_is_planned_when_it_is_asked_for_by_name() {
    let mut unpriced = found("f-3", "lake");
    unpriced.verdict = Verdict::Unknown { why: "no bytes".into() };
    let selection = Selection { findings: BTreeSet::from(["f-3".to_owned()]), ..Selection::default() };
    assert_eq!(planned(&[unpriced, found("f-4", "b")], &selection, &looks(&[("lake", None)])).steps.len(), 1);
}

#[test]
fn a_saving_below_the_least_is_left_out() {
    let selection = Selection { min_saving: Some(money(93)), ..Selection::default() };
    let plan = planned(&[found("f-1", "lake")], &selection, &looks(&[("lake", None)]));
    assert_eq!(plan.skips[0].kind, SkipKind::TooSmall);
}

#[test]
fn a_protected_bucket_is_not_planned_and_a_managed_one_says_by_whom() {
    let mut looks = looks(&[("lake", None), ("stack", None)]);
    let tag = |looks: &mut Looks, bucket: &str, key: &str| {
        let observed = looks.get_mut(bucket).unwrap().as_mut().unwrap();
        observed.tags = Some(BTreeMap::from([(key.to_owned(), "x".to_owned())]));
    };
    tag(&mut looks, "lake", guard::PROTECTED_TAG);
    tag(&mut looks, "stack", "aws:cloudformation:stack-name");
    let plan = planned(&[found("f-1", "lake"), found("f-2", "stack")], &Selection::default(), &looks);
    assert_eq!(plan.skips[0].kind, SkipKind::Protected);
    assert_eq!(plan.steps[0].managed_by.as_ref().unwrap().raw(), "CloudFormation (stack x)");
}

#[test]
fn a_plan_of_a_later_major_version_is_refused_and_of_a_later_minor_read() {
    let plan = planned(&[found("f-1", "lake")], &Selection::default(), &looks(&[("lake", None)]));
    let file = plan.to_json();
    assert!(Plan::read(file.replacen("\"1.0\"", "\"1.7\"", 1).as_bytes()).is_ok());
    assert!(matches!(Plan::read(file.replacen("\"1.0\"", "\"2.0\"", 1).as_bytes()), Err(PlanError::Newer(_))));
    assert!(matches!(Plan::read(b"{}"), Err(PlanError::Unreadable(_))));
}

#[test]
fn a_document_that_was_changed_in_the_file_is_noticed() {
    let plan = planned(&[found("f-1", "lake")], &Selection::default(), &looks(&[("lake", None)]));
    let tampered = plan.to_json().replace("<DaysAfterInitiation>7<", "<DaysAfterInitiation>1<");
    assert!(matches!(Plan::read(tampered.as_bytes()), Err(PlanError::Unreadable(_))));
}

#[test]
fn people_see_what_is_added_and_what_is_kept() {
    let theirs = "<LifecycleConfiguration><Rule><ID>theirs</ID><Filter/><Status>Enabled</Status></Rule></LifecycleConfiguration>";
    let plan = planned(&[found("f-1", "la\u{1b}ke")], &Selection::default(), &looks(&[("la\u{1b}ke", Some(theirs))]));
    let shown = show::show(&plan, plan.created_at);
    for line in [
        "# s3://la\\u{1b}ke in us-east-1 (housekeeping: nothing that anybody can read is touched)",
        "  + rule `leanlake-abort-incomplete-uploads`",
        "      + AbortIncompleteMultipartUpload/DaysAfterInitiation: \"7\"",
        "    rule `theirs` (kept as it is)",
        "    small objects: varies_by_storage_class (sent back as read)",
        "Plan: 1 bucket to change; rules: 1 to add, 0 to change, 0 to remove; 0 not planned.",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "lacks {line:?}:\n{shown}");
    }
    assert!(show::show(&plan, plan.expires_at + TimeDelta::seconds(1)).contains("Stale since"));
}
