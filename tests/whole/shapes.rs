//! The answers of the tests' own AWS, and what is asked of it, against the API models of botocore.
//!
//! A stub that answers what no service would answer proves nothing. `tests/shapes.py` reads the models.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use leanlake::aws::collect::READS;
use serde_json::{Value, json};

use super::world;
use crate::aws::{Fault, Trouble};
use crate::support::{World, skip};

/// Scans it all, and returns each exchange, one a line.
fn exchanges(world: &World) -> Vec<Value> {
    world.aws.account().keep_exchanges = true;
    let accounts = ["--accounts", "all", "--role", "leanlake-scan"];
    world.run(&[&["scan", "--all"][..], &accounts[..]].concat()).ends_with(0);
    world.aws.account().exchanges.iter().map(crate::aws::Exchange::json).collect()
}

#[test]
fn every_answer_and_every_question_fits_the_models_of_the_apis() {
    let test = "every_answer_and_every_question_fits_the_models_of_the_apis";
    let Some(python) = skip::unless_set(test, "LEANLAKE_TEST_PYTHON") else { return };
    let whole = world();
    let hidden = world();
    hidden.aws.account().s3.tells_regions = false;
    hidden.aws.make(Fault::on("s3:GetBucketLocation", Trouble::Denied).of("far"));
    let mut all = exchanges(&whole);
    all.extend(exchanges(&hidden));
    let seen: BTreeSet<&str> = all.iter().map(|one| one["operation"].as_str().unwrap()).collect();
    let declared: BTreeSet<&str> = READS.iter().flat_map(|reads| reads.iter().map(|read| read.operation)).collect();
    let unseen: Vec<_> = declared.difference(&seen).collect();
    assert!(unseen.is_empty(), "a whole scan never calls {unseen:?}");
    let actions: BTreeSet<&str> = READS.iter().flat_map(|reads| reads.iter().map(|read| read.action)).collect();
    let given = whole.write("exchanges.json", &json!({"exchanges": all, "actions": actions}).to_string());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shapes.py");
    let output = Command::new(python).arg(script).arg(given).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains(" operations fit"), "{said}");
}
