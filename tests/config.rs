//! The configuration as a user meets it: which file counts, what a mistake says, what it changes.

use crate::aws::s3::Bucket;
use crate::support::{Run, World};

/// Returns the values of `config show --origin` as `key value from`, blanks squeezed.
fn shown(world: &World, options: &[&str]) -> Vec<String> {
    let run = world.run(&[&["config", "show", "--origin"], options].concat()).ends_with(0);
    run.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn has(lines: &[String], line: &str) -> bool {
    lines.iter().any(|shown| shown == line)
}

#[test]
fn an_option_comes_before_a_variable_that_before_the_project_and_that_before_the_user() {
    let world = World::new().without("LEANLAKE_STORE");
    world.write(".config/leanlake/config.toml", "store = '/of/the/user'\nmax_cost = 2.50\n");
    assert!(has(&shown(&world, &[]), &format!("store \"/of/the/user\" {}:1", user(&world))));
    world.write("leanlake.toml", "# ours\nstore = 'kept'\n");
    let lines = shown(&world, &[]);
    assert!(has(&lines, "store \"kept\" leanlake.toml:2"), "{lines:?}");
    assert!(has(&lines, &format!("max_cost 2.50 {}:2", user(&world))), "{lines:?}");
    assert!(has(&lines, "history_days 45 default"), "{lines:?}");
    let world = world.set("LEANLAKE_STORE", "/of/the/environment");
    assert!(has(&shown(&world, &[]), "store \"/of/the/environment\" LEANLAKE_STORE"));
    assert!(has(&shown(&world, &["--store", "/typed"]), "store \"/typed\" --store"));
}

fn user(world: &World) -> String {
    world.path(".config/leanlake/config.toml").display().to_string()
}

#[test]
fn a_configuration_that_is_named_is_read_alone() {
    let world = World::new().without("LEANLAKE_STORE");
    world.write("leanlake.toml", "store = 'project'\n");
    let ci = world.write("ci/lake.toml", "history_days = 7\n").display().to_string();
    let lines = shown(&world, &["--config", &ci]);
    assert!(has(&lines, &format!("history_days 7 {ci}:1")) && has(&lines, "store default"), "{lines:?}");
    let world = world.set("LEANLAKE_CONFIG", &ci);
    assert!(has(&shown(&world, &[]), &format!("history_days 7 {ci}:1")));
    let refused = world.run(&["--config", "none.toml", "config", "show"]).ends_with(1);
    refused.says("cannot read the configuration `none.toml`");
}

#[test]
fn a_mistake_is_told_with_its_place_and_what_was_meant_by_every_verb() {
    let world = World::new();
    world.write("leanlake.toml", "profile = 'lake'\nowner_tag = ['squad']\n");
    for verb in [&["scan"][..], &["policies", "list"], &["config", "show"]] {
        let refused = world.run(verb).ends_with(1);
        refused
            .says("`leanlake.toml`, line 2, column 1: there is no key `owner_tag`")
            .says("did you mean `owner_tags`?");
    }
    assert!(world.aws.calls().is_empty());
}

#[test]
fn text_of_a_project_cannot_steer_the_terminal() {
    let world = World::new();
    world.write("leanlake.toml", "owner_tags = [\"a\\u001b[31m\", \"b\\u202e\"]\n");
    for options in [&["config", "show"][..], &["config", "show", "--origin"]] {
        let text = world.run(options).ends_with(0).stdout;
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text:?}");
    }
}

#[test]
fn what_is_shown_can_be_used_again_and_scripts_get_json() {
    let world = World::new();
    world.write("leanlake.toml", "owner_tags = ['squad']\nregions = ['eu-west-1']\n");
    let text = world.run(&["config", "show"]).ends_with(0).stdout;
    let again = world.write("again.toml", &text).display().to_string();
    assert_eq!(world.run(&["--config", &again, "config", "show"]).ends_with(0).stdout, text);
    let json = world.run(&["config", "show", "--format", "json"]).ends_with(0).json();
    assert_eq!(json["schema"], "leanlake.config");
    let regions = json["values"].as_array().unwrap().iter().find(|value| value["key"] == "regions").unwrap();
    assert_eq!(regions["value"], serde_json::json!(["eu-west-1"]));
    assert_eq!(regions["origin"], serde_json::json!({"kind": "file", "path": "leanlake.toml", "line": 2}));
}

/// Returns the owners in the findings of the demo lake.
fn owners(run: &Run) -> Vec<String> {
    let json = run.json();
    let findings = json["findings"].as_array().unwrap();
    findings.iter().filter_map(|finding| Some(finding["owner"].as_str()?.to_owned())).collect()
}

#[test]
fn the_tags_that_name_an_owner_are_the_configured_ones() {
    let world = World::new();
    let findings = ["findings", "--demo", "--format", "json"];
    assert!(!owners(&world.run(&findings).ends_with(0)).is_empty());
    world.write("leanlake.toml", "owner_tags = ['squad']\n");
    assert!(owners(&world.run(&findings).ends_with(0)).is_empty(), "no bucket of the demo has a squad");
}

#[test]
fn a_scan_keeps_to_the_configured_store_budget_history_and_regions() {
    let world = World::new().without("LEANLAKE_STORE");
    world.write("leanlake.toml", "store = 'kept'\nmax_cost = '0.00'\nhistory_days = 3\nregions = ['eu-west-1']\n");
    world.aws.account().s3.add("raw", Bucket::in_region("us-east-1"));
    let stopped = world.run(&["scan", "--only", "s3"]);
    assert!(!stopped.stderr.is_empty() && world.aws.count("s3:ListBuckets") == 0, "{}", stopped.stderr);
    world.run(&["scan", "--only", "s3,athena", "--max-cost", "1"]).ends_with(0);
    assert!(!world.files("kept/snapshots").is_empty());
    let asked = world.aws.calls();
    let athena = asked.iter().filter(|call| call.operation.starts_with("athena:"));
    assert!(athena.clone().count() > 0 && athena.clone().all(|call| call.region == "eu-west-1"));
}

#[test]
fn the_demo_is_never_written_into_the_store_of_a_configuration() {
    let world = World::new().without("LEANLAKE_STORE");
    world.write("leanlake.toml", "store = 'kept'\n");
    world.run(&["demo"]).ends_with(64).says("a store of its own");
}

#[test]
fn budgets_and_what_is_left_out_stand_in_the_file_and_options_win_over_them() {
    let world = World::new();
    world.write("leanlake.toml", "all = true\nwithout = ['anomalies', 'forecast']\n[budget]\nemr_clusters = 3\n");
    let lines = shown(&world, &[]);
    assert!(has(&lines, "all true leanlake.toml:1"), "{lines:?}");
    assert!(has(&lines, "without [\"anomalies\", \"forecast\"] leanlake.toml:2"), "{lines:?}");
    assert!(has(&lines, "budget.emr_clusters 3 leanlake.toml:4") && has(&lines, "budget.glue_tags 200 default"));
    world.run(&["scan"]).ends_with(0);
    assert!(world.aws.count("athena:ListWorkGroups") > 0, "everything is read, though nothing is spent");
    assert_eq!((world.aws.count("ce:GetAnomalies"), world.aws.count("ce:GetCostForecast")), (0, 0));
    world.aws.forget_calls();
    world.run(&["scan", "--without", "none", "--all=false"]).ends_with(0);
    assert!(world.aws.count("ce:GetAnomalies") > 0);
}

#[test]
fn a_word_that_is_no_adviser_and_a_budget_that_is_none_are_mistakes() {
    let world = World::new();
    for (line, said) in [
        ("without = ['advice']\n", "a list of some of"),
        ("budget.glue_tag = 1\n", "did you mean `budget.glue_tags`?"),
        ("all = 'yes'\n", "true or false"),
    ] {
        world.write("leanlake.toml", line);
        world.run(&["config", "show"]).ends_with(1).says(said);
    }
}
