//! What each verb prints, refuses and leaves, with its exit code.

use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::gate::{Effect, Hold, Kind};
use super::lake::{Lake, OURS, THEIRS};
use crate::aws::s3::Bucket;
use crate::aws::{Fault, Trouble};
use crate::support::Run;

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
fn the_next_scan_reads_again_what_leanlake_changed_however_many_buckets_there_are() {
    let lake = Lake::stub();
    for n in 0..255 {
        lake.world.aws.account().s3.add(&format!("other-{n:03}"), Bucket::in_region("us-east-1"));
    }
    // The gate holds single requests for other tests, and is slow where there are many.
    let past_the_gate = |day: &str| {
        let mut scan = lake.world.command(&["scan", "--only", "s3", "--as-of", day]);
        Run::wait_for(scan.env("AWS_ENDPOINT_URL_S3", lake.world.aws.url()).spawn().unwrap()).ends_with(0)
    };
    past_the_gate("2026-11-20");
    lake.world.run(&["apply", &lake.plan(), "--yes"]).ends_with(0);
    lake.world.aws.forget_calls();
    // CloudTrail has not heard of it yet.
    past_the_gate("2026-11-21").prints("settings of 255 buckets were not read again");
    assert_eq!(lake.world.aws.count("s3:GetBucketVersioning"), 2);
    let rules = "select lifecycle_rule_count as n from buckets where bucket like 'lake-%' order by bucket";
    assert_eq!(lake.world.lines(rules), ["n=2", "n=1"]);
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
    lake.world.run(&["apply", &plan, "--yes", "--max-steps", "1"]).ends_with(6).says("--max-steps 2");
    lake.world.run(&["apply", &plan, "--yes", "--max-bytes", "5"]).ends_with(6).says("not known");
    assert!(lake.world.aws.calls().iter().all(|call| call.operation == "sts:GetCallerIdentity"));
}

#[test]
fn how_old_a_plan_is_follows_the_real_clock_and_not_as_of_or_what_the_plan_claims() {
    let lake = Lake::stub();
    let before = lake.see();
    let now: DateTime<Utc> = SystemTime::now().into();
    let (old, day) = (now - TimeDelta::hours(25), |at: DateTime<Utc>| at.date_naive().to_string());
    let plan = lake.plan_made(old);
    lake.world.run(&["apply", &plan, "--yes"]).ends_with(5).says("stale");
    lake.world.run(&["apply", &plan, "--yes", "--as-of", &day(old)]).ends_with(5).says("stale");
    lake.world.run(&["plan", "show", &plan, "--as-of", &day(old)]).ends_with(0).prints("Stale since");
    let file: Value = serde_json::from_slice(&std::fs::read(&plan).unwrap()).unwrap();
    let mut claims = file.clone();
    claims["expires_at"] = json!(now + TimeDelta::days(9));
    let claims = lake.world.write("claims.json", &claims.to_string()).display().to_string();
    lake.world.run(&["apply", &claims, "--yes"]).ends_with(5).says("stale");
    let tomorrow = now + TimeDelta::days(1);
    let plan = lake.plan_made(tomorrow);
    lake.world.run(&["apply", &plan, "--yes", "--as-of", &day(tomorrow)]).ends_with(5).says("says that it was made");
    assert_eq!(lake.see(), before);
    let plan = lake.plan();
    lake.world.run(&["apply", &plan, "--yes", "--as-of", "2127-01-01"]).ends_with(0);
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
    let intent: serde_json::Value = serde_json::from_str(&read("0004.json")).unwrap();
    assert!(intent["undo"].as_str().unwrap().starts_with("aws s3api delete-bucket-lifecycle"));
    assert_eq!(read("plan.json"), std::fs::read_to_string(plan).unwrap());
}

const FIRST_WRITE: Hold = Hold { kind: Kind::Write, nth: 1, effect: Effect::After };
const WRITES: &str = "s3:PutBucketLifecycleConfiguration";

#[test]
fn somebody_else_who_writes_at_the_same_time_stops_the_run_and_keeps_what_they_wrote() {
    let lake = Lake::stub();
    let (before, plan) = (lake.see(), lake.plan());
    let child = lake.start_and_hold(&["apply", &plan, "--yes"], FIRST_WRITE);
    let third = THEIRS.replace("<Days>400<", "<Days>4000<");
    put(&lake, &lake.with_rules, &third);
    lake.gate.let_go();
    let run = Run::wait_for(child).ends_with(5).prints("somebody else writes").prints("not reached").says("stopped");
    run.prints("+ Expiration/Days: \"4000\"").says("leanlake rollback");
    assert_eq!((lake.see()[0]["document"].clone(), lake.see()[1].clone()), (json!(third), before[1].clone()));
    lake.world.run(&["rollback", &run_of(&lake), "--yes"]).ends_with(0);
    assert_eq!(lake.see()[0]["document"], json!(third), "the way back leaves it too");
}

#[test]
fn a_run_that_two_processes_resume_is_finished_by_one_and_the_other_stops_before_it_writes() {
    for lake in [Lake::stub(), Lake::stub_with_journal_in_s3()] {
        let (before, plan) = (lake.see(), lake.plan());
        let mut killed =
            lake.start_and_hold(&["apply", &plan, "--yes"], Hold { effect: Effect::Before, ..FIRST_WRITE });
        killed.kill().unwrap();
        Run::wait_for(killed);
        let run = lake.records().pop().unwrap().0;
        let look = Hold { kind: Kind::Look, nth: 1, effect: Effect::Before };
        let slow = lake.start_and_hold(&["apply", "--resume", &run, "--yes"], look);
        lake.world.aws.forget_calls();
        lake.world.run(&["apply", "--resume", &run, "--yes"]).ends_with(0);
        lake.gate.let_go();
        Run::wait_for(slow).ends_with(5).says("another process is at work");
        lake.expect_fixed(&before);
        assert_eq!(lake.world.aws.count(WRITES), 2, "one for each bucket");
        lake.world.run(&["rollback", &run, "--yes"]).ends_with(0);
        assert_eq!(lake.see(), before);
    }
}

#[test]
fn a_run_that_is_taken_back_while_it_is_at_work_stops_before_its_next_write() {
    let lake = Lake::stub();
    let (before, plan) = (lake.see(), lake.plan());
    let look = Hold { kind: Kind::Look, nth: 4, effect: Effect::After };
    let slow = lake.start_and_hold(&["apply", &plan, "--yes"], look);
    let run = lake.records().pop().unwrap().0;
    lake.world.run(&["rollback", &run, "--yes"]).ends_with(0);
    lake.gate.let_go();
    Run::wait_for(slow).ends_with(5).says("another process is at work");
    assert_eq!(lake.see(), before);
    lake.world.run(&["journal"]).ends_with(0).prints("taken back by");
}

#[test]
fn ctrl_c_finishes_and_journals_the_bucket_under_way_and_resume_goes_on() {
    stopped_politely("-INT");
}

#[test]
fn sigterm_finishes_and_journals_the_bucket_under_way_and_resume_goes_on() {
    stopped_politely("-TERM");
}

#[test]
fn a_second_sigterm_stops_at_once_and_the_journal_knows_what_was_begun() {
    let lake = Lake::stub();
    let (before, plan) = (lake.see(), lake.plan());
    let child = lake.start_and_hold(&["apply", &plan, "--yes"], Hold { effect: Effect::Before, ..FIRST_WRITE });
    for _ in 0..2 {
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        std::thread::sleep(Duration::from_millis(300));
    }
    Run::wait_for(child).ends_with(130).says("stopped at once").says("leanlake journal");
    lake.gate.arm(None);
    let (run, last) = lake.records().pop().unwrap();
    assert_eq!(last, "0002.json", "begun, intent");
    lake.world.run(&["rollback", &run, "--yes"]).ends_with(0);
    assert_eq!(lake.see(), before);
}

fn stopped_politely(signal: &str) {
    let lake = Lake::stub();
    let (before, plan) = (lake.see(), lake.plan());
    let child = lake.start_and_hold(&["apply", &plan, "--yes"], Hold { effect: Effect::Before, ..FIRST_WRITE });
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    std::thread::sleep(Duration::from_millis(300));
    lake.gate.let_go();
    let run = Run::wait_for(child).ends_with(130);
    run.prints(&format!("s3://{}: done", lake.with_rules)).prints("not reached: interrupted").says("--resume");
    assert!(lake.see()[0]["document"].as_str().unwrap().contains(OURS));
    assert_eq!(lake.see()[1], before[1]);
    let (run, last) = lake.records().pop().unwrap();
    assert_eq!(last, "0004.json", "begun, intent, outcome, finished");
    lake.world.run(&["apply", "--resume", &run, "--yes"]).ends_with(0);
    lake.expect_fixed(&before);
    lake.world.run(&["rollback", &run, "--yes"]).ends_with(0);
    assert_eq!(lake.see(), before);
}

#[test]
fn a_disk_that_is_full_in_the_middle_stops_the_run_before_the_next_write_and_resume_goes_on() {
    let lake = Lake::stub();
    let (before, plan) = (lake.see(), lake.plan());
    let child = lake.start_and_hold(&["apply", &plan, "--yes"], FIRST_WRITE);
    // Nothing more can be written into the store, as on a full disk: there is no room for a draft.
    let drafts = lake.world.path("store/drafts");
    std::fs::remove_dir_all(&drafts).unwrap();
    std::fs::write(&drafts, "").unwrap();
    lake.gate.let_go();
    Run::wait_for(child).ends_with(1).says("the journal cannot be kept").says("leanlake journal");
    lake.expect_foreign_rules_whole(&before);
    assert_eq!(lake.see()[1], before[1], "without an intent nothing is sent");
    std::fs::remove_file(&drafts).unwrap();
    let run = lake.records().pop().unwrap().0;
    lake.world.run(&["apply", "--resume", &run, "--yes"]).ends_with(0);
    lake.expect_fixed(&before);
    lake.world.run(&["rollback", &run, "--yes"]).ends_with(0);
    assert_eq!(lake.see(), before);
}

#[test]
fn a_disk_that_is_full_from_the_start_means_that_nothing_is_looked_at_or_sent() {
    let lake = Lake::stub();
    let (before, plan) = (lake.see(), lake.plan());
    lake.world.aws.forget_calls();
    // No file may grow: every write fails, with an error instead of a signal.
    let mut full = Command::new("sh");
    full.args([
        "-c",
        "trap '' XFSZ; ulimit -f 0; exec \"$0\" apply \"$1\" --yes",
        env!("CARGO_BIN_EXE_leanlake"),
        &plan,
    ]);
    full.env_clear().envs(lake.world.environment()).env("PATH", std::env::var_os("PATH").unwrap());
    full.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Run::wait_for(full.spawn().unwrap()).ends_with(1).says("the journal cannot be kept");
    assert_eq!((lake.see(), lake.world.aws.count("s3:GetBucketLifecycleConfiguration")), (before, 0));
}

#[test]
fn a_run_is_not_resumed_or_taken_back_elsewhere_or_when_somebody_changed_its_journal() {
    let lake = Lake::stub();
    let plan = lake.plan();
    lake.world.run(&["apply", &plan, "--yes"]).ends_with(0);
    let after = lake.see();
    let run = run_of(&lake);
    let change = |file: &str, from: &str, to: &str| {
        let path = lake.world.path(&format!("store/runs/{run}/{file}"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
        (path, text)
    };
    let both = [vec!["apply", "--resume", &run, "--yes"], vec!["rollback", &run, "--yes"]];
    for (file, from, to, code) in [
        ("0001.json", lake.gate.host().as_str(), "127.0.0.1:1", 6),
        ("0001.json", "111122223333", "999999999999", 1),
        ("0002.json", "\"bucket\": \"lake-a-rules\"", "\"bucket\": \"../lake-a-rules\"", 1),
        ("plan.json", "\"f-1\"", "\"f-9\"", 1),
    ] {
        let (path, whole) = change(file, from, to);
        for verb in &both {
            lake.world.run(verb).ends_with(code);
        }
        std::fs::write(path, whole).unwrap();
    }
    let (path, whole) = change("0002.json", "\"bucket\": \"lake-a-rules\"", "\"bucket\": \"lake-b-bare\"");
    std::fs::remove_file(lake.world.path(&format!("store/runs/{run}/plan.json"))).unwrap();
    lake.world.run(&["rollback", &run, "--yes"]).ends_with(6).prints("the journal wants back");
    assert_eq!(lake.see(), after, "rules of one bucket are not put into another");
    std::fs::write(path, whole).unwrap();
}
