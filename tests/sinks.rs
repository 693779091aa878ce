//! One nasty account through every sink: what stands in it reaches no terminal, spreadsheet, page or CI log as a command.

use chrono::{TimeDelta, Utc};
use serde_json::json;

use crate::aws::athena::{Query, Workgroup};
use crate::aws::s3::{Bucket, Upload};
use crate::support::World;

/// A name that tries everything at once.
const NASTY: &str = "::error title=x::pwned\u{1b}]52;c;eA==\u{7}\u{202e} ##[warning]x|<img src=x> `c` [d](https://e.example) @team #7\n::add-mask::x";
/// A tag that XML can carry.
const OWNER: &str = "=HYPERLINK(\"https://e.example\")|@team\n  ::stop-commands::x";

/// An account whose workgroup and owner are called so, with something to find in both.
fn world() -> World {
    let world = World::new();
    let mut account = world.aws.account();
    let upload = Upload::new("::set-output name=a::b", "u1", "2026-10-01", &[42_949_672_960]);
    account.s3.add("lake", Bucket::in_region("us-east-1").tagged("owner", OWNER).with_upload(upload));
    let configuration = json!({"EnforceWorkGroupConfiguration": true});
    account.athena.workgroups.push(Workgroup { region: "us-east-1".into(), name: NASTY.into(), configuration });
    let first = account.today.and_hms_opt(0, 0, 0).unwrap().and_local_timezone(Utc).unwrap() - TimeDelta::days(3);
    for run in 0..20 {
        let at = first + TimeDelta::minutes(2 * run);
        let query = Query::new(&format!("q-{run}"), "select 1 from a", at, 1 << 40);
        account.athena.queries.push(Query { workgroup: NASTY.into(), ..query });
    }
    drop(account);
    world
}

/// A line that the runner of a CI log would take for a command.
fn commands(text: &str) -> Vec<&str> {
    let is_command = |line: &&str| line.trim_start().starts_with("::") || line.contains("##[");
    text.lines().filter(is_command).collect()
}

/// Characters that move the cursor, hide text or turn it round.
fn unprintable(text: &str) -> Vec<char> {
    let nasty =
        |c: &char| (c.is_control() && *c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(nasty).collect()
}

#[test]
fn a_nasty_account_reaches_no_sink_as_anything_but_text() {
    let world = world();
    let scan = world.scan();
    let document = world.run(&["findings", "--format", "json"]).ends_with(0).json();
    let findings = document["findings"].as_array().unwrap();
    assert!(
        findings.iter().any(|finding| finding["resource"] == NASTY),
        "JSON carries the name as it is: {document:#}"
    );
    assert!(findings.iter().any(|finding| finding["owner"] == OWNER), "JSON carries the tag as it is: {document:#}");

    let queries = ["select workgroup from athena_workgroups", "select tags, bucket from buckets"];
    let mut looked_at: Vec<Vec<&str>> = vec![
        vec!["findings"],
        vec!["plan", "--out", "plan.json"],
        vec!["plan", "show", "plan.json"],
        vec!["apply", "plan.json"],
        vec!["snapshots", "show"],
        vec!["report", "weekly"],
    ];
    looked_at.extend(findings.iter().map(|finding| vec!["findings", "show", finding["id"].as_str().unwrap()]));
    looked_at.extend(queries.iter().map(|sql| vec!["query", sql]));
    for arguments in looked_at {
        let run = world.run(&arguments);
        assert!(run.code.is_some_and(|code| code != 64 && code != 1), "{arguments:?}: {run:?}");
        for text in [&run.stdout, &run.stderr, &scan.stderr] {
            assert_eq!((commands(text), unprintable(text)), (vec![], vec![]), "{arguments:?}");
        }
    }

    let report = world.run(&["report", "weekly"]).ends_with(0).stdout;
    for markup in ["<img", "@team", "[d](", "https://e.example", "`c`"] {
        assert!(!report.contains(markup), "{markup} in\n{report}");
    }
    for arguments in [
        ["findings", "--format", "csv"].as_slice(),
        &["query", "--format", "csv", queries[0]],
        &["query", "--format", "csv", queries[1]],
    ] {
        let csv = world.run(arguments).ends_with(0).stdout;
        assert_eq!(commands(&csv), Vec::<&str>::new(), "{arguments:?}: {csv}");
        assert!(!csv.contains(",=") && !csv.contains(",\"=") && !csv.starts_with('='), "{csv}");
    }
}

#[test]
fn a_spreadsheet_gets_the_whole_name_behind_a_quote() {
    let world = world();
    world.scan();
    let csv = world.run(&["query", "--format", "csv", "select workgroup from athena_workgroups"]).ends_with(0).stdout;
    assert!(csv.contains("'::error title=x::pwned\u{1b}]52;c;eA=="), "a file is read by machines: {csv:?}");
    assert!(csv.contains("\n'::add-mask::x"), "{csv:?}");
}
