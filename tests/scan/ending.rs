//! How a scan ends before its end: Ctrl-C or SIGTERM once, twice, at once; a collector whose time is up.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::aws::s3::Bucket;
use crate::aws::{Fault, Trouble};
use crate::support::{Run, World};

fn world() -> World {
    let world = World::new();
    world.aws.account().s3.add("lake", Bucket::in_region("us-east-1").versioned());
    world
}

fn manifests(world: &World) -> usize {
    world.files("store/snapshots").iter().filter(|path| path.extension().is_some_and(|e| e == "json")).count()
}

fn interrupt(pid: u32) {
    send("-INT", pid);
}

fn send(signal: &str, pid: u32) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// Starts a scan, and waits until `operation` was asked for.
fn scanning(world: &World, operation: &str) -> std::process::Child {
    world.aws.forget_calls();
    let child = world.start(&["scan", "--all"]);
    let deadline = Instant::now() + Duration::from_mins(2);
    while world.aws.count(operation) == 0 {
        assert!(Instant::now() < deadline, "{operation} was never asked for");
        thread::sleep(Duration::from_millis(20));
    }
    child
}

#[test]
fn ctrl_c_before_the_first_answer_leaves_no_snapshot_and_the_old_one_the_newest() {
    let world = world();
    world.scan();
    world.aws.make(Fault::on("ce:*", Trouble::Stalled));
    world.aws.make(Fault::on("s3:*", Trouble::Stalled));
    let world = world.on("2026-11-21");
    let child = scanning(&world, "ce:GetCostAndUsage");
    let pressed = Instant::now();
    interrupt(child.id());
    Run::wait_for(child).ends_with(130).says("the last one stays the newest");
    assert!(pressed.elapsed() < Duration::from_secs(3), "it took {:?}", pressed.elapsed());
    assert_eq!(manifests(&world), 1);
}

#[test]
fn ctrl_c_before_it_is_known_who_we_are_ends_at_once() {
    let world = world();
    world.aws.make(Fault::on("sts:*", Trouble::Stalled));
    let child = scanning(&world, "sts:GetCallerIdentity");
    let pressed = Instant::now();
    interrupt(child.id());
    Run::wait_for(child).ends_with(130).says("no new snapshot");
    assert!(pressed.elapsed() < Duration::from_secs(2), "it took {:?}", pressed.elapsed());
}

#[test]
fn the_first_ctrl_c_ends_within_two_seconds_though_an_answer_never_comes() {
    let world = world();
    world.aws.make(Fault::on("athena:*", Trouble::Stalled));
    let child = scanning(&world, "athena:ListWorkGroups");
    let pressed = Instant::now();
    interrupt(child.id());
    Run::wait_for(child).ends_with(130).says("what was read until then is in");
    assert!(pressed.elapsed() < Duration::from_secs(3), "it took {:?}", pressed.elapsed());
    assert_eq!(world.lines("select count(*) as n from buckets"), ["n=1"]);
    let gap = "select reason as r from coverage where table_name = 'athena_workgroups' and state = 'missing'";
    assert_eq!(world.lines(gap), ["r=the scan was interrupted"]);
}

#[test]
fn what_a_slow_store_does_not_take_in_two_seconds_is_given_up_and_the_old_snapshot_stays_the_newest() {
    let world = world().set("LEANLAKE_STORE", "s3://keep/store");
    world.aws.account().s3.add("keep", Bucket::in_region("us-east-1"));
    world.run(&["scan", "--only", "s3"]).ends_with(0);
    let listed = || world.run(&["snapshots", "list"]).ends_with(0).stdout;
    let before = listed();
    world.aws.make(Fault::on("athena:*", Trouble::Stalled));
    let child = scanning(&world, "athena:ListWorkGroups");
    world.aws.make(Fault::on("s3:PutObject", Trouble::Stalled));
    let pressed = Instant::now();
    interrupt(child.id());
    let run = Run::wait_for(child).ends_with(130).says("stopping: what was read is being kept, in two seconds at most");
    run.says("could not be kept in two seconds").says("the last one stays the newest");
    assert!(pressed.elapsed() < Duration::from_secs(3), "it took {:?}", pressed.elapsed());
    world.aws.account().faults.clear();
    assert_eq!(listed(), before);
}

#[test]
fn the_second_ctrl_c_ends_at_once_and_writes_nothing() {
    let world = world();
    world.aws.make(Fault::on("athena:*", Trouble::Stalled));
    let child = scanning(&world, "athena:ListWorkGroups");
    interrupt(child.id());
    thread::sleep(Duration::from_millis(200));
    let pressed = Instant::now();
    interrupt(child.id());
    Run::wait_for(child).ends_with(130).says("this scan left no snapshot");
    assert!(pressed.elapsed() < Duration::from_millis(700), "it took {:?}", pressed.elapsed());
    assert_eq!(manifests(&world), 0);
}

#[test]
fn a_budget_that_allows_no_request_leaves_no_snapshot() {
    let world = world();
    world.run(&["scan", "--only", "bill", "--max-cost", "0"]).ends_with(3).says("--max-cost");
    assert_eq!(manifests(&world), 0);
}

#[test]
fn sigterm_ends_politely_as_ctrl_c_does_and_marks_the_snapshot() {
    let world = world();
    world.aws.make(Fault::on("athena:*", Trouble::Stalled));
    let child = scanning(&world, "athena:ListWorkGroups");
    send("-TERM", child.id());
    Run::wait_for(child).ends_with(130).says("stopping").says("what was read until then is in");
    assert_eq!(world.lines("select count(*) as n from buckets"), ["n=1"]);
    let listed = world.run(&["snapshots", "show", "--format", "json"]).ends_with(0).json();
    assert_eq!(listed["interrupted"], true, "{listed}");
}

#[test]
fn a_second_sigterm_ends_at_once_and_writes_nothing() {
    let world = world();
    world.aws.make(Fault::on("athena:*", Trouble::Stalled));
    let child = scanning(&world, "athena:ListWorkGroups");
    send("-TERM", child.id());
    thread::sleep(Duration::from_millis(200));
    send("-TERM", child.id());
    Run::wait_for(child).ends_with(130).says("this scan left no snapshot");
    assert_eq!(manifests(&world), 0);
}

#[test]
fn sigterm_before_it_is_known_who_we_are_ends_with_words() {
    let world = world();
    world.aws.make(Fault::on("sts:*", Trouble::Stalled));
    let child = scanning(&world, "sts:GetCallerIdentity");
    send("-TERM", child.id());
    Run::wait_for(child).ends_with(130).says("no new snapshot");
}

#[test]
fn the_time_of_a_collector_is_a_length_of_time_from_the_line_or_the_file() {
    let world = world();
    world.run(&["scan", "--collector-time", "soon"]).ends_with(64).says("90s, 20m, 2h");
    world.write("leanlake.toml", "collector_time = \"1s\"\n");
    world.aws.make(Fault::on("glue:*", Trouble::Stalled));
    world.run(&["scan", "--only", "s3,glue"]).ends_with(0);
    let told =
        "select distinct state as s from coverage where table_name = 'glue_jobs' and reason like '%--collector-time%'";
    assert_eq!(world.lines(told), ["s=over_budget"]);
    assert_eq!(world.lines("select count(*) as n from buckets"), ["n=1"]);
    let shown = world.run(&["config", "show", "--origin"]).ends_with(0).stdout;
    assert!(shown.lines().any(|line| line.contains("collector_time") && line.contains("1s")), "{shown}");
}

#[test]
fn what_there_was_no_time_to_read_of_a_history_is_read_by_the_next_scan() {
    let world = World::new();
    super::glue::fill(&world);
    for (operation, pages) in [("glue:GetJobRuns", 2), ("glue:ListCrawls", 1)] {
        world.aws.make(Fault::on(operation, Trouble::Stalled).after(pages).times(1));
    }
    let glue = ["scan", "--only", "glue"];
    world.run(&[&glue[..], &["--collector-time", "3s"]].concat()).ends_with(0);
    let counts = "select (select count(*) from glue_job_runs) as runs, (select count(*) from glue_crawls) as crawls";
    let first = world.lines(counts);
    let late = "select distinct table_name as t from coverage where reason like '%--collector-time%' \
                and table_name in ('glue_job_runs', 'glue_crawls')";
    assert_eq!(world.lines(late).len(), 2, "{:?}", world.lines(late));
    world.run(&glue).ends_with(0);
    assert_eq!(world.lines(counts), ["crawls=4 runs=8"], "of {first:?}");
    assert_eq!(world.lines(late), Vec::<String>::new());
}
