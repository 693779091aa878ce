//! What each verb prints, refuses and leaves, with its exit code.

use serde_json::json;

use super::lake::{Lake, THEIRS};
use crate::aws::{Fault, Trouble};

fn put(lake: &Lake, bucket: &str, document: &str) {
    let mut account = lake.world.aws.account();
    account.s3.by_name.get_mut(bucket).unwrap().lifecycle = Some(document.into());
}

/// Returns the only run in the journal.
fn run_of(lake: &Lake) -> String {
    let listed = lake.world.run(&["journal", "--format", "json"]).ends_with(0).json();
    listed["runs"][0]["run"].as_str().unwrap().to_owned()
}

#[test]
fn without_yes_the_change_is_shown_and_nothing_is_called_or_written() {
    let lake = Lake::stub();
    let (before, plan) = (lake.see(), lake.plan());
    lake.world.aws.forget_calls();
    let run = lake.world.run(&["apply", &plan]).ends_with(0).says("--yes");
    let run = run.prints("+ rule `leanlake-abort-incomplete-uploads`").prints("rule `raw & old` (kept as it is)");
    run.prints("Not AWS").prints("Plan: 2 buckets to change; rules: 2 to add");
    assert_eq!((lake.see(), lake.world.aws.calls().len()), (before, 0));
    assert!(lake.world.files("store").is_empty());
    lake.world.run(&["plan", "show", &plan]).ends_with(0).prints("Plan: 2 buckets to change");
}

#[test]
fn with_yes_both_buckets_are_fixed_and_a_second_time_nothing_happens() {
    let lake = Lake::stub();
    let (before, plan) = (lake.see(), lake.plan());
    lake.world.run(&["apply", &plan, "--yes"]).ends_with(0).prints("s3://lake-a-rules: done").says("leanlake rollback");
    lake.expect_fixed(&before);
    lake.world.aws.forget_calls();
    lake.world.run(&["apply", &plan, "--yes"]).ends_with(0).prints("already so");
    assert_eq!(lake.world.aws.count("s3:PutBucketLifecycleConfiguration"), 0);
}

#[test]
fn rollback_shows_first_and_then_gives_every_byte_back_and_none_where_there_was_none() {
    let lake = Lake::stub();
    let (before, plan) = (lake.see(), lake.plan());
    lake.world.run(&["apply", &plan, "--yes"]).ends_with(0);
    let run = run_of(&lake);
    lake.world.run(&["rollback", &run]).ends_with(0).prints("- rule `leanlake-abort-incomplete-uploads`").says("--yes");
    lake.expect_fixed(&before);
    lake.world.run(&["rollback", &run, "--yes"]).ends_with(0).prints("done");
    assert_eq!(lake.see(), before);
    assert_eq!(lake.world.aws.count("s3:DeleteBucketLifecycle"), 1);
    let listed = lake.world.run(&["journal"]).ends_with(0);
    listed.prints(&format!("rollback of {run}")).prints("2 of 2 as wanted");
}

#[test]
fn a_drifted_bucket_is_refused_with_the_rule_named_and_the_other_is_done() {
    let lake = Lake::stub();
    let plan = lake.plan();
    put(&lake, &lake.with_rules, &THEIRS.replace("<Days>400<", "<Days>40000<"));
    let run = lake.world.run(&["apply", &plan, "--yes"]).ends_with(3);
    run.prints("changed since the plan was made").prints("~ rule `raw & old`").prints("+ Expiration/Days: \"40000\"");
    let drifted = THEIRS.replace("<Days>400<", "<Days>40000<");
    assert_eq!(lake.see()[0]["document"], json!(drifted));
    put(&lake, &lake.bare, THEIRS);
    lake.world.run(&["apply", &plan, "--yes"]).ends_with(5);
}

#[test]
fn a_plan_for_elsewhere_or_too_old_or_too_big_is_refused_before_any_look() {
    let lake = Lake::stub();
    let plan = lake.plan();
    let file = std::fs::read_to_string(&plan).unwrap();
    let other = lake.world.write("other.json", &file.replacen("111122223333", "999999999999", 1)).display().to_string();
    let elsewhere = lake.world.write("elsewhere.json", &file.replace(&lake.gate.host(), "127.0.0.1:1"));
    lake.world.aws.forget_calls();
    lake.world.run(&["apply", &other, "--yes"]).ends_with(6).says("999999999999");
    lake.world.run(&["apply", &elsewhere.display().to_string(), "--yes"]).ends_with(6).says("elsewhere");
    lake.world.run(&["apply", &plan, "--yes", "--as-of", "2026-11-22"]).ends_with(5).says("stale");
    lake.world.run(&["apply", &plan, "--yes", "--max-steps", "1"]).ends_with(6).says("--max-steps 2");
    lake.world.run(&["apply", &plan, "--yes", "--max-bytes", "5"]).ends_with(6).says("not known");
    assert!(lake.world.aws.calls().iter().all(|call| call.operation == "sts:GetCallerIdentity"));
    lake.world.run(&["plan", "show", &plan, "--as-of", "2026-11-22"]).ends_with(0).prints("Stale since");
}

#[test]
fn what_is_no_plan_or_no_run_says_so() {
    let lake = Lake::stub();
    let bad =
        lake.world.write("bad.json", "{\"schema\": \"leanlake.plan\", \"version\": \"2.0\"}").display().to_string();
    lake.world.run(&["apply", &bad]).ends_with(1).says("version 2.0");
    lake.world.run(&["apply", "missing.json"]).ends_with(1).says("missing.json");
    lake.world.run(&["apply"]).ends_with(64);
    lake.world.run(&["rollback", "none", "--yes"]).ends_with(1).says("there is no run `none`");
}

#[test]
fn a_denied_write_changes_nothing_and_names_the_policy() {
    let lake = Lake::stub();
    let (before, plan) = (lake.see(), lake.plan());
    lake.world.aws.make(Fault::on("s3:PutBucketLifecycleConfiguration", Trouble::Denied));
    lake.world.run(&["apply", &plan, "--yes"]).ends_with(4).prints("not allowed").says("leanlake iam apply");
    assert_eq!(lake.see(), before);
}

#[test]
fn a_write_whose_answer_is_lost_is_sent_once_and_found_by_looking() {
    let lake = Lake::stub();
    let (before, plan) = (lake.see(), lake.plan());
    lake.world.aws.make(Fault::on("s3:PutBucketLifecycleConfiguration", Trouble::LostAnswer).of(&lake.with_rules));
    lake.world.aws.forget_calls();
    lake.world.run(&["apply", &plan, "--yes"]).ends_with(0);
    lake.expect_fixed(&before);
    assert_eq!(lake.world.aws.count("s3:PutBucketLifecycleConfiguration"), 2);
}

#[test]
fn a_protected_bucket_and_one_of_a_stack_are_refused() {
    let lake = Lake::stub();
    let (before, plan) = (lake.see(), lake.plan());
    let tag = |bucket: &str, key: &str| {
        let mut account = lake.world.aws.account();
        account.s3.by_name.get_mut(bucket).unwrap().tags = vec![(key.into(), "x".into())];
    };
    tag(&lake.with_rules, "leanlake:protected");
    tag(&lake.bare, "aws:cloudformation:stack-name");
    lake.world.run(&["apply", &plan, "--yes"]).ends_with(6).prints("`leanlake:protected`").prints("--override-iac");
    assert_eq!(lake.see(), before);
    lake.world.run(&["apply", &plan, "--yes", "--override-iac"]).ends_with(3);
    assert_eq!(lake.see()[0], before[0]);
}

#[test]
fn the_journal_restores_by_hand() {
    let lake = Lake::stub();
    let plan = lake.plan();
    lake.world.run(&["apply", &plan, "--yes"]).ends_with(0);
    let run = run_of(&lake);
    let read = |file: &str| std::fs::read_to_string(lake.world.path(&format!("store/runs/{run}/{file}"))).unwrap();
    let by_hand: serde_json::Value = serde_json::from_str(&read("0002-restore.json")).unwrap();
    assert_eq!(by_hand["LifecycleConfiguration"]["Rules"][0]["Expiration"]["Days"], 400);
    assert_eq!(by_hand["TransitionDefaultMinimumObjectSize"], "varies_by_storage_class");
    let intent: serde_json::Value = serde_json::from_str(&read("0004-intent.json")).unwrap();
    assert!(intent["undo"].as_str().unwrap().starts_with("aws s3api delete-bucket-lifecycle"));
    assert_eq!(read("plan.json"), std::fs::read_to_string(plan).unwrap());
}
