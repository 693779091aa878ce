//! The real binary on a real terminal: a pseudo-terminal that Python opens. Said to be skipped where Python 3 is not.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::aws::s3::Bucket;
use crate::support::{World, skip};

/// What a command left on the terminal.
struct Left {
    code: i64,
    output: String,
    /// Lines are edited and echoed by the terminal, as a shell needs it.
    cooked: bool,
}

const ENTER_ALTERNATE: &str = "\u{1b}[?1049h";
const LEAVE_ALTERNATE: &str = "\u{1b}[?1049l";

/// A Python 3 that can open a pseudo-terminal, or `None` with the test said to be skipped.
fn python(test: &str) -> Option<String> {
    let own = std::env::var("LEANLAKE_TEST_PYTHON").ok().filter(|path| !path.is_empty());
    let python = own.unwrap_or_else(|| "python3".to_owned());
    let able = Command::new(&python).args(["-c", "import pty, termios"]).stderr(Stdio::null()).status();
    if able.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    skip::skipped(test, "no Python 3 that can open a pseudo-terminal");
    None
}

fn drive(python: &str, world: &World, arguments: &[&str], steps: &[Value]) -> Left {
    let command = world.command(arguments);
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_str().unwrap().to_owned())
        .collect();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/terminal/drive.py");
    let mut driver = Command::new(python);
    driver.arg(script).env_clear().envs(world.environment()).env("TERM", "xterm-256color").env("HOME", world.path(""));
    driver.current_dir(world.path("")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut driver = driver.spawn().unwrap();
    let asked = json!({"command": words, "rows": 24, "columns": 80, "steps": steps, "seconds": 180});
    driver.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let ended = driver.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let left: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(left["stuck"], Value::Null, "{left}");
    Left {
        code: left["code"].as_i64().unwrap(),
        output: left["output"].as_str().unwrap().to_owned(),
        cooked: left["cooked"] == true,
    }
}

#[test]
fn the_dashboard_opens_on_the_demo_lake_and_q_gives_the_terminal_back() {
    let Some(python) = python("the_dashboard_opens_on_the_demo_lake") else { return };
    let left = drive(&python, &World::new(), &["tui", "--demo"], &[json!({"see": "month"}), json!({"send": "q"})]);
    assert_eq!(left.code, 0, "{}", left.output);
    assert!(left.output.contains(ENTER_ALTERNATE) && left.output.contains("Demo lake"), "{}", left.output);
    let end = left.output.rfind(LEAVE_ALTERNATE).expect("the alternate screen is left");
    assert!(end > left.output.rfind(ENTER_ALTERNATE).unwrap());
    assert!(left.output[end..].contains("\u{1b}[?25h") || left.output.contains("\u{1b}[?25h"), "the cursor is back");
    assert!(left.cooked, "the terminal edits and echoes lines again");
}

#[test]
fn the_plan_that_w_writes_is_the_one_that_plan_makes_of_the_same_findings() {
    let Some(python) = python("the_plan_that_w_writes") else { return };
    let world = World::new();
    let file = world.path("of-the-dashboard.json");
    let arguments = ["tui", "--demo", "--plan", "of-the-dashboard.json", "--as-of", "2026-11-24"];
    let steps = [
        json!({"see": "month"}),
        json!({"send": "2/policy:abandoned verdict:recommended\r"}),
        json!({"send": " j w"}),
        json!({"file": file}),
        json!({"send": "q"}),
    ];
    let left = drive(&python, &world, &arguments, &steps);
    assert!(left.code == 0 && left.cooked, "{}", left.output);
    let plan = plan_in(&file);
    let changes = plan["steps"].as_array().unwrap().iter().flat_map(|step| step["changes"].as_array().unwrap());
    let found: Vec<&str> = changes.map(|change| change["finding"].as_str().unwrap()).collect();
    assert_eq!(found.len(), 2, "both findings of the basket: {plan:#}");
    let chosen: Vec<&str> = found.iter().flat_map(|id| ["--finding", id]).collect();
    let out = ["plan", "--demo", "--out", "of-the-verb.json", "--as-of", "2026-11-24"];
    world.run(&[&out[..], &chosen].concat()).ends_with(0);
    assert_eq!(plan, plan_in(&world.path("of-the-verb.json")));
}

/// A plan file but for when it was made, which is the clock's.
fn plan_in(file: &Path) -> Value {
    let mut plan: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    for made in ["created_at", "expires_at"] {
        assert!(plan.as_object_mut().unwrap().remove(made).is_some(), "{made}");
    }
    plan
}

#[test]
fn without_a_terminal_the_dashboard_is_refused_before_anything_is_read() {
    let run = World::new().run(&["tui", "--demo"]).ends_with(64).says("needs a terminal").says("leanlake report");
    assert_eq!(run.stdout, "");
}

#[test]
fn csv_on_a_terminal_holds_no_control_character() {
    let Some(python) = python("csv_on_a_terminal") else { return };
    let world = World::new();
    world.aws.account().s3.add("lake", Bucket::in_region("us-east-1"));
    world.scan();
    let sql = "select 'a' || chr(27) || ']52;c;eA==' || chr(7) || chr(10) || '::error::x' as cell from buckets";
    let left = drive(&python, &world, &["query", "--format", "csv", sql], &[]);
    assert_eq!(left.code, 0, "{}", left.output);
    assert!(left.output.contains("a\\u{1b}]52;c;eA==\\u{7}"), "{}", left.output);
    assert!(!left.output.contains(['\u{1b}', '\u{7}']), "{:?}", left.output);
    assert!(!left.output.lines().any(|line| line.trim_start().starts_with("::")), "{}", left.output);
}
