//! SIGKILL to the real binary at every numbered record of the journal, before and after the write took effect.

use std::time::{Duration, Instant};

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
    point(Kind::Look, 1, Effect::Before, "0001-started.json"),
    point(Kind::Write, 1, Effect::Before, "0002-intent.json"),
    point(Kind::Write, 1, Effect::After, "0002-intent.json"),
    point(Kind::Look, 2, Effect::Before, "0002-intent.json"),
    point(Kind::Look, 4, Effect::Before, "0003-outcome.json"),
    point(Kind::Write, 2, Effect::Before, "0004-intent.json"),
    point(Kind::Write, 2, Effect::After, "0004-intent.json"),
    point(Kind::Look, 6, Effect::Before, "0004-intent.json"),
];

/// Kills the binary where `point` says and returns the name of the run.
fn kill_at(lake: &Lake, plan: &str, point: &Point) -> String {
    lake.gate.arm(Some(point.at));
    let child = lake.world.start(&["apply", plan, "--yes"]);
    wait(|| lake.gate.holds());
    let (run, last) = last_record(lake);
    assert_eq!(last, point.record, "{:?}", point.at);
    kill(child);
    lake.gate.arm(None);
    run
}

fn kill(mut child: std::process::Child) {
    child.kill().unwrap();
    let run = Run::wait_for(child);
    assert_eq!(run.code, None, "it ended before it was killed: {run:?}");
}

#[track_caller]
fn wait(until: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !until() {
        assert!(Instant::now() < deadline, "it never came to the point");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Returns the only run in the journal that is not a rollback, and its last record.
fn last_record(lake: &Lake) -> (String, String) {
    let files = lake.world.files("store/runs");
    let names = files.iter().map(|path| {
        let part = |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        (part(path.parent().unwrap()), part(path))
    });
    names.rev().find(|(_, file)| file.starts_with('0') && !file.ends_with("-restore.json")).unwrap()
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

#[test]
fn killed_after_the_last_write_nothing_is_left_to_do() {
    for record in ["0005-outcome.json", "0006-finished.json"] {
        let lake = Lake::stub();
        let (before, plan) = (lake.see(), lake.plan());
        let mut child = lake.world.start(&["apply", &plan, "--yes"]);
        wait(|| lake.world.files("store/runs").iter().any(|file| file.ends_with(record)));
        child.kill().unwrap();
        Run::wait_for(child);
        let (run, _) = last_record(&lake);
        lake.world.run(&["apply", "--resume", &run, "--yes"]).ends_with(0);
        lake.expect_fixed(&before);
        lake.world.run(&["rollback", &run, "--yes"]).ends_with(0);
        assert_eq!(lake.see(), before);
    }
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
