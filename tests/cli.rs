//! The command line as scripts hang on it: exit codes, what goes where, no colour in a pipe.

use crate::support::World;

#[test]
fn help_is_data_and_names_the_three_first_steps() {
    let run = World::new().run(&["--help"]).ends_with(0);
    for step in ["leanlake report --demo", "leanlake scan", "leanlake tui"] {
        assert!(run.stdout.contains(step), "help lacks `{step}`:\n{}", run.stdout);
    }
    assert_eq!(run.stderr, "");
}

#[test]
fn the_version_is_the_packages() {
    World::new().run(&["--version"]).ends_with(0).prints(env!("CARGO_PKG_VERSION"));
}

#[test]
fn an_unknown_flag_is_a_usage_error_and_not_a_threshold() {
    let run = World::new().run(&["--no-such-flag"]).ends_with(64).says("--no-such-flag");
    assert_eq!(run.stdout, "");
}

#[test]
fn an_unknown_verb_is_a_usage_error() {
    World::new().run(&["scna"]).ends_with(64).says("scna");
}

#[test]
fn a_format_that_nobody_writes_is_a_usage_error() {
    World::new().run(&["--format", "yaml", "reference"]).ends_with(64).says("yaml");
}

#[test]
fn nothing_is_coloured_in_a_pipe() {
    let world = World::new().set("TERM", "xterm-256color").set("COLORTERM", "truecolor");
    for arguments in [&["--help"][..], &["--no-such-flag"], &["query", "select 1", "--snapshot", "none"]] {
        let run = world.run(arguments);
        assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "{arguments:?}: {run:?}");
    }
}
