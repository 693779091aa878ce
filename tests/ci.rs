//! The scripts that decide whether a change is good: what they must not let pass.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Runs `tests/run` with a cargo that skips one test, on a machine without Python.
fn run(allow: Option<&str>) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, script) in [
        ("cargo", "#!/bin/sh\necho 'skipped: a_test: nothing to run it with' >>\"$LEANLAKE_TEST_SKIPPED\"\n"),
        ("python3", "#!/bin/sh\nexit 1\n"),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, script).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/run"));
    command.env("PATH", format!("{}:{path}", folder.path().display())).env_remove("LEANLAKE_ALLOW_SKIPS");
    command.envs(allow.map(|value| ("LEANLAKE_ALLOW_SKIPS", value)));
    let ended = command.output().unwrap();
    (ended.status.success(), String::from_utf8(ended.stdout).unwrap())
}

#[test]
fn tests_that_were_skipped_fail_the_run_where_they_are_not_allowed_to_be() {
    let (passed, said) = run(Some("0"));
    assert!(!passed && said.contains("1 skipped"), "{said}");
    for allow in [None, Some("1")] {
        let (passed, said) = run(allow);
        assert!(passed && said.contains("all tests passed, 1 skipped"), "{said}");
    }
}

#[test]
fn what_is_merged_was_tested_whole() {
    let script = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run")).unwrap();
    assert!(script.contains("export LEANLAKE_ALLOW_SKIPS=${LEANLAKE_ALLOW_SKIPS:-0}"), "{script}");
}
