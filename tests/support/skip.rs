//! Tests that need what is not there: said and counted, never passed over in silence.

use std::io::Write;

/// Returns the value of a variable that `tests/run` sets, or says that the test is skipped.
pub fn unless_set(test: &str, variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        skipped(test, &format!("`{variable}` is not set; `tests/run` starts the emulators"));
    }
    value
}

/// Says that a test is skipped, on the terminal and in the list that `tests/run` counts.
pub fn skipped(test: &str, why: &str) {
    let line = format!("skipped: {test}: {why}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    let list = std::env::var_os("LEANLAKE_TEST_SKIPPED");
    let file = list.and_then(|path| std::fs::OpenOptions::new().create(true).append(true).open(path).ok());
    if let Some(mut file) = file {
        let _ = file.write_all(line.as_bytes());
    }
}

/// Prints a measured figure; `cargo test -- --nocapture` shows it.
pub fn figure(text: &str) {
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}
