//! SIGKILL to the real binary at every numbered record of the journal, before and after the write took effect.

use super::gate::{Effect, Hold, Kind};
use super::lake::Lake;
use crate::support::Run;

/// Where the binary is killed: what the gate holds then, and the last record that the journal has.
struct Point {
    at: Hold,
    record: &'static str,
}

const fn point(kind: Kind, nth: usize, effect: Effect, record: &'static str) -> Point {
    Point { at: Hold { kind, nth, effect }, record }
}

/// For two buckets: a look, a write and two looks for each.
const POINTS: &[Point] = &[
    point(Kind::Look, 1, Effect::Before, "0001.json"),
    point(Kind::Write, 1, Effect::Before, "0002.json"),
    point(Kind::Write, 1, Effect::After, "0002.json"),
    point(Kind::Look, 2, Effect::Before, "0002.json"),
    point(Kind::Look, 4, Effect::Before, "0003.json"),
    point(Kind::Write, 2, Effect::Before, "0004.json"),
    point(Kind::Write, 2, Effect::After, "0004.json"),
    point(Kind::Look, 6, Effect::Before, "0004.json"),
];

/// Kills the binary where `point` says and returns the name of the run.
fn kill_at(lake: &Lake, plan: &str, point: &Point) -> String {
    let child = lake.start_and_hold(&["apply", plan, "--yes"], point.at);
    let (run, last) = lake.records().pop().unwrap();
    assert_eq!(last, point.record, "{:?}", point.at);
    kill(lake, child);
    run
}

/// Kills a process that stands still at the gate: so it is alive, and nothing came after what it did last.
fn kill(lake: &Lake, mut child: std::process::Child) {
    assert_eq!(child.try_wait().unwrap(), None, "it ended before it was killed");
    child.kill().unwrap();
    let run = Run::wait_for(child);
    assert_eq!(run.code, None, "it ended before it was killed: {run:?}");
    lake.gate.arm(None);
}

fn resume_then_roll_back(lake: &Lake, point: &Point) {
    let (before, plan) = (lake.see(), lake.plan());
    let run = kill_at(lake, &plan, point);
    lake.expect_foreign_rules_whole(&before);
    lake.world.run(&["apply", "--resume", &run, "--yes"]).ends_with(0);
    lake.expect_fixed(&before);
    lake.world.run(&["rollback", &run, "--yes"]).ends_with(0);
    assert_eq!(lake.see(), before, "{:?}", point.at);
}

fn roll_back_at_once(lake: &Lake, point: &Point) {
    let (before, plan) = (lake.see(), lake.plan());
    let run = kill_at(lake, &plan, point);
    lake.expect_foreign_rules_whole(&before);
    lake.world.run(&["rollback", &run, "--yes"]).ends_with(0);
    assert_eq!(lake.see(), before, "{:?}", point.at);
}

#[test]
fn killed_at_any_record_resume_finishes_and_rollback_gives_every_byte_back() {
    for point in POINTS {
        resume_then_roll_back(&Lake::stub(), point);
    }
}

#[test]
fn killed_at_any_record_rollback_alone_gives_every_byte_back() {
    for point in POINTS {
        roll_back_at_once(&Lake::stub(), point);
    }
}

/// Two buckets make six records: begun, intent and outcome of each, finished. With the journal in S3 the gate holds the
/// record itself, so the process is killed right before and right after each of them.
fn killed_at_each_record_in_s3(go_on: impl Fn(&Lake, &str)) {
    for (nth, effect) in (1..=6).flat_map(|nth| [(nth, Effect::Before), (nth, Effect::After)]) {
        let lake = Lake::stub_with_journal_in_s3();
        let (before, plan) = (lake.see(), lake.plan());
        let child = lake.start_and_hold(&["apply", &plan, "--yes"], Hold { kind: Kind::Record, nth, effect });
        let records = lake.records();
        assert_eq!(records.len(), if effect == Effect::Before { nth - 1 } else { nth }, "{records:?}");
        kill(&lake, child);
        lake.expect_foreign_rules_whole(&before);
        match records.last() {
            Some((run, _)) => go_on(&lake, run),
            None => assert_eq!(lake.see(), before, "before the first record nothing is written"),
        }
        if let Some((run, _)) = records.last() {
            lake.world.run(&["rollback", run, "--yes"]).ends_with(0);
        }
        assert_eq!(lake.see(), before, "record {nth}, {effect:?}");
    }
}

#[test]
fn killed_right_at_each_of_the_records_resume_finishes_and_rollback_gives_every_byte_back() {
    killed_at_each_record_in_s3(|lake, run| {
        let before = Lake::foreign();
        lake.world.run(&["apply", "--resume", run, "--yes"]).ends_with(0);
        lake.expect_fixed(&before);
    });
}

#[test]
fn killed_right_at_each_of_the_records_rollback_alone_gives_every_byte_back() {
    killed_at_each_record_in_s3(|_, _| {});
}

#[test]
fn boto3_sees_foreign_rules_whole_after_a_kill_at_any_record_and_a_resume() {
    let test = "boto3_sees_foreign_rules_whole_after_a_kill_at_any_record_and_a_resume";
    for (n, point) in POINTS.iter().enumerate() {
        let Some(lake) = Lake::localstack(test, &format!("resume{n}")) else { return };
        resume_then_roll_back(&lake, point);
    }
}

#[test]
fn boto3_sees_foreign_rules_whole_after_a_kill_at_any_record_and_a_rollback() {
    let test = "boto3_sees_foreign_rules_whole_after_a_kill_at_any_record_and_a_rollback";
    for (n, point) in POINTS.iter().enumerate() {
        let Some(lake) = Lake::localstack(test, &format!("back{n}")) else { return };
        roll_back_at_once(&lake, point);
    }
}
