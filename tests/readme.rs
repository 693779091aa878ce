//! The README cannot rot: its commands are understood, those that need no account run, and what it shows is what is printed.

use std::path::Path;

use clap::Parser;
use leanlake::cmd::Cli;

use crate::support::World;

/// Verbs that need a terminal, or write where they are started.
const NOT_RUN: [&str; 1] = ["tui"];

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The words of each `leanlake …` line of the code blocks, indented or fenced, and of the code in the prose.
fn commands(text: &str) -> Vec<Vec<String>> {
    let block = text.lines().filter_map(|line| line.strip_prefix("    "));
    let prose = text.split('`').skip(1).step_by(2).filter(|code| !code.contains('\n'));
    block.chain(prose).filter_map(words).collect()
}

fn words(line: &str) -> Option<Vec<String>> {
    let line = line.split(" # ").next()?.split(" >").next()?.trim();
    let rest = line.strip_prefix("leanlake ").or_else(|| line.strip_prefix("cargo run --locked -- "))?;
    // Every second piece between double quotes is one word of a shell.
    let pieces = rest.split('"').enumerate();
    let words = pieces.flat_map(|(at, piece)| match at % 2 {
        0 => piece.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
        _ => vec![piece.to_owned()],
    });
    Some(std::iter::once("leanlake".to_owned()).chain(words).collect())
}

#[test]
fn every_command_of_the_readme_is_one_that_leanlake_understands() {
    for file in ["README.md", "CONTRIBUTING.md"] {
        let commands = commands(&read(file));
        assert!(file != "README.md" || commands.len() > 12, "the README shows its commands: {commands:?}");
        for command in commands {
            let refused = Cli::try_parse_from(&command).err();
            assert!(refused.is_none(), "{file}: `{}`: {}", command.join(" "), refused.unwrap());
        }
    }
}

#[test]
fn every_command_of_the_readme_that_needs_no_account_runs() {
    let world = World::new().without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY").without("AWS_ENDPOINT_URL");
    let mut ran = 0;
    for command in commands(&read("README.md")) {
        let demo = command.iter().any(|word| word == "--demo");
        let offline = demo || command.iter().any(|word| word == "iam");
        if offline && !NOT_RUN.iter().any(|verb| command.contains(&(*verb).to_owned())) {
            world.run(&command[1..]).ends_with(0);
            ran += 1;
        }
    }
    assert!(ran >= 3, "the demo's commands are in the README");
}

#[test]
fn the_report_that_the_readme_shows_is_the_one_that_the_demo_prints() {
    let (readme, report) = (read("README.md"), read("reports/weekly.demo.md"));
    let shown = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a report is shown");
    for line in shown.lines().filter(|line| *line != "…") {
        let cut = line.strip_suffix('…');
        let there = |printed: &str| cut.map_or(printed == line, |start| printed.starts_with(start));
        assert!(report.lines().any(there), "the report no longer says:\n{line}");
    }
}
