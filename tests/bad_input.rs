//! Input that is wrong, broken or too new: a clear message, a hint, the right exit code, and nothing lost.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rust_decimal::Decimal;

use crate::aws::ledger::Charge;
use crate::aws::s3::Bucket;
use crate::support::{Run, World, day, skip};

/// Returns a world that was scanned once.
fn scanned() -> World {
    let world = World::new();
    world.aws.account().s3.add("lake", Bucket::in_region("us-east-1"));
    let charge =
        Charge::usage(day("2026-11-17"), "Amazon Athena", "DataScannedInTB", Decimal::ONE, Decimal::ONE, "Terabytes");
    world.aws.account().ledger.charges.push(charge);
    world.aws.account().ledger.page = 500;
    world.scan();
    world
}

fn query(world: &World) -> Run {
    world.run(&["query", "select count(*) as n from buckets"])
}

fn manifest(world: &World) -> PathBuf {
    let manifests = world.files("store/snapshots");
    manifests.into_iter().find(|path| path.extension().is_some_and(|ext| ext == "json")).unwrap()
}

fn name_of(path: &std::path::Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn a_store_without_a_snapshot_says_which_command_makes_one() {
    query(&World::new()).ends_with(1).says("no snapshot").says("leanlake scan");
}

#[test]
fn a_store_that_is_a_file_is_refused_by_name() {
    let world = World::new();
    world.write("store", "not a folder");
    query(&world).ends_with(1).says("store");
}

#[test]
fn a_part_that_was_cut_short_is_named() {
    let world = scanned();
    let part = world.files("store/tables/buckets").remove(0);
    let bytes = fs::read(&part).unwrap();
    fs::write(&part, &bytes[..bytes.len() / 2]).unwrap();
    query(&world).ends_with(1).says("damaged").says(name_of(&part)).says("hint:");
}

#[test]
fn a_part_in_which_bytes_changed_is_named() {
    let world = scanned();
    let part = world.files("store/tables/buckets").remove(0);
    let mut bytes = fs::read(&part).unwrap();
    let end = bytes.len() - 8;
    for byte in &mut bytes[4..end] {
        *byte ^= 0x5a;
    }
    fs::write(&part, bytes).unwrap();
    query(&world).ends_with(1).says("damaged").says(name_of(&part));
}

#[test]
fn a_part_that_is_gone_is_named() {
    let world = scanned();
    let part = world.files("store/tables/buckets").remove(0);
    fs::remove_file(&part).unwrap();
    query(&world).ends_with(1).says(name_of(&part));
}

#[test]
fn a_manifest_that_was_cut_short_is_named() {
    let world = scanned();
    let path = manifest(&world);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    query(&world).ends_with(1).says("damaged").says(name_of(&path)).says("hint:");
}

#[test]
fn a_store_of_a_newer_leanlake_is_left_alone() {
    let world = scanned();
    let path = manifest(&world);
    let mut newer: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    newer["version"] = "9.0".into();
    let newer = newer.to_string();
    fs::write(&path, &newer).unwrap();
    query(&world).ends_with(1).says("newer leanlake").says("hint:");
    assert_eq!(fs::read_to_string(&path).unwrap(), newer);
}

#[test]
fn a_snapshot_that_does_not_exist_is_named() {
    let world = scanned();
    let sql = "select 1 as n";
    world
        .run(&["query", "--snapshot", "20200101T000000Z-ffffff", sql])
        .ends_with(1)
        .says("20200101T000000Z-ffffff")
        .says("hint:");
}

#[test]
fn sql_with_a_mistake_names_it_and_its_place() {
    let world = scanned();
    world.run(&["query", "select from from buckets"]).ends_with(1);
    world.run(&["query", "select no_such_column from buckets"]).ends_with(1).says("no_such_column");
    world.run(&["query", "select 1 from no_such_table"]).ends_with(1).says("no_such_table");
}

#[test]
fn sql_that_writes_or_opens_files_is_refused() {
    let world = scanned();
    let outside = world.write("outside.csv", "a\n1\n");
    let statements = [
        "drop table buckets".to_owned(),
        "delete from buckets".to_owned(),
        format!("copy buckets to '{}'", world.path("copied.parquet").display()),
        format!("create external table t stored as csv location '{}'", outside.display()),
        format!("select * from '{}'", outside.display()),
        "set datafusion.execution.batch_size = 1".to_owned(),
    ];
    for statement in statements {
        let run = world.run(&["query", &statement]).ends_with(1);
        assert_eq!(run.stdout, "", "{statement}");
    }
    assert!(!world.path("copied.parquet").exists());
}

#[test]
fn names_that_would_steer_a_terminal_are_shown_and_not_obeyed() {
    let world = World::new();
    let evil = "\u{1b}]52;c;aGk=\u{7}\u{202e}evil";
    world.aws.account().s3.add("lake", Bucket::in_region("us-east-1").tagged("owner", evil));
    world.scan();
    let run = world.run(&["query", "--format", "table", "select tags from buckets"]).ends_with(0);
    assert!(!run.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", run.stdout);
    let csv = world.run(&["query", "--format", "csv", "select '=1+1' as formula"]).ends_with(0);
    assert!(!csv.stdout.lines().any(|line| line.trim_start_matches('"').starts_with('=')), "{}", csv.stdout);
}

#[test]
fn a_full_standard_output_is_a_failure() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        return skip::skipped("a_full_standard_output_is_a_failure", "there is no /dev/full here");
    };
    let world = scanned();
    let child = world.command(&["query", "select 1 as n"]).stdout(full).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("standard output"), "{said}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let world = scanned();
    let mut child = world.command(&["query", "select 1 as n"]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Scans into a file system of its own that is then full, and scans again when there is room.
const FULL_DISK: &str = r#"
set -u
mount -t tmpfs -o size=2m tmpfs "$DISK" || exit 99
"$LEANLAKE" scan --as-of 2026-11-20 || exit 98
dd if=/dev/zero of="$DISK/filler" bs=1k count=4096 2>/dev/null
"$LEANLAKE" scan --as-of 2026-11-21
echo "full: $?" >&2
rm "$DISK/filler"
"$LEANLAKE" query --format json 'select count(*) as n from buckets' || exit 97
"$LEANLAKE" scan --as-of 2026-11-21 || exit 96
"#;

#[test]
fn a_full_disk_fails_the_scan_and_leaves_the_last_snapshot() {
    let name = "a_full_disk_fails_the_scan_and_leaves_the_last_snapshot";
    let world = World::new();
    world.aws.account().s3.add("lake", Bucket::in_region("us-east-1"));
    let disk = world.path("disk");
    fs::create_dir(&disk).unwrap();
    let world = world.set("LEANLAKE_STORE", &disk.join("store").display().to_string());
    let own_mounts = ["--user", "--map-root-user", "--mount", "sh", "-c", FULL_DISK];
    let mut command = Command::new("unshare");
    command.args(own_mounts).env("DISK", &disk).env("LEANLAKE", env!("CARGO_BIN_EXE_leanlake"));
    command.envs(world.environment()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(child) = command.spawn() else { return skip::skipped(name, "there is no `unshare` here") };
    let run = Run::wait_for(child);
    if run.code == Some(99) || run.stderr.contains("unshare:") {
        return skip::skipped(name, "no file system can be mounted here");
    }
    let run = run.ends_with(0).says("full: 1").says("cannot write");
    assert!(run.stdout.contains('1'), "the old snapshot is still read: {}", run.stdout);
}
