//! Files that are generated and committed. `LEANLAKE_UPDATE=1 cargo test` writes them anew; without it they must be fresh.

use std::collections::BTreeSet;
use std::path::Path;

use leanlake::analysis::ANALYSES;
use leanlake::policy;
use leanlake::portfolio::Document;
use leanlake::store::page::page;
use leanlake::store::tables::TABLES;

/// Expects the committed file `path` (below the crate) to hold `text`, or writes it where `LEANLAKE_UPDATE` is set.
#[track_caller]
pub fn is_fresh(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("LEANLAKE_UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(there == text, "`{path}` is stale: `LEANLAKE_UPDATE=1 cargo test --locked` writes it anew");
}

#[test]
fn the_page_of_tables_says_what_the_declarations_say() {
    let analyses = ANALYSES.iter().map(|analysis| &analysis.table).collect();
    let text = page(&[
        ("Tables", "What a scan fills.", TABLES.to_vec()),
        ("Analyses", "Computed from the tables and prices when a policy's query names them.", analyses),
    ]);
    is_fresh("docs/tables.md", &text);
}

#[test]
fn each_policy_has_its_page_and_no_page_is_left_over() {
    let library = policy::Library::built_in().unwrap();
    let mut pages = BTreeSet::from(["README.md".to_owned()]);
    is_fresh("docs/policies/README.md", &policy::index(&library));
    for policy in library.policies() {
        is_fresh(&format!("docs/policies/{}.md", policy.id()), &policy::page(policy));
        pages.insert(format!("{}.md", policy.id()));
    }
    let there = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policies")).unwrap();
    let there = there.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(there.collect::<BTreeSet<_>>(), pages);
}

#[test]
fn the_schema_of_a_policy_file_says_what_the_loader_takes() {
    is_fresh("docs/schema/policy.json", &policy::schema());
}

#[test]
fn the_schema_of_the_findings_says_what_the_document_holds() {
    is_fresh("docs/schema/findings.json", &format!("{:#}\n", Document::json_schema()));
}

#[test]
fn the_schema_of_a_plan_says_what_its_file_holds() {
    is_fresh("docs/schema/plan.json", &format!("{:#}\n", schemars::schema_for!(leanlake::plan::Plan).to_value()));
}

#[test]
fn the_schema_of_a_check_up_says_what_its_document_holds() {
    is_fresh("docs/schema/doctor.json", &format!("{:#}\n", leanlake::cmd::doctor_schema()));
}

#[test]
fn the_reference_of_the_command_line_says_what_help_says() {
    is_fresh("docs/cli.md", &leanlake::cmd::reference());
}

#[test]
fn the_page_of_the_configuration_says_what_the_keys_say() {
    is_fresh("docs/configuration.md", &leanlake::config::page());
}
