//! A small world for one test: a folder, an account, an environment, and the real binary in it.

mod run;
pub mod skip;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use chrono::NaiveDate;
use serde_json::Value;
use tempfile::TempDir;

use crate::aws::Aws;
pub use run::Run;

/// The day on which every world stands unless it says otherwise.
pub const TODAY: &str = "2026-11-20";

/// A folder with a store, an account on 127.0.0.1, and what the binary sees of both.
pub struct World {
    pub aws: Aws,
    folder: TempDir,
    environment: BTreeMap<String, String>,
    as_of: Option<String>,
}

impl World {
    /// Returns an empty account and an empty folder.
    pub fn new() -> Self {
        let aws = Aws::start(day(TODAY));
        let world = World {
            folder: tempfile::tempdir().unwrap(),
            environment: BTreeMap::new(),
            as_of: Some(TODAY.into()),
            aws,
        };
        let (url, store) = (world.aws.url(), world.path("store").display().to_string());
        world
            .set("AWS_ACCESS_KEY_ID", "AKIATESTS")
            .set("AWS_SECRET_ACCESS_KEY", "secret")
            .set("AWS_REGION", "us-east-1")
            .set("AWS_EC2_METADATA_DISABLED", "true")
            .set("AWS_ENDPOINT_URL", &url)
            .set("LEANLAKE_STORE", &store)
    }

    /// Sets a variable of the environment.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Takes a variable out of the environment.
    pub fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Moves the clock of the binary and of the account.
    pub fn on(mut self, day_text: &str) -> Self {
        self.aws.account().today = day(day_text);
        self.as_of = Some(day_text.into());
        self
    }

    /// Returns the environment that the binary gets, for tests that start it through another program.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// Returns a path in the world's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the world's folder.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Returns every file under `name`, sorted.
    pub fn files(&self, name: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        walk(&self.path(name), &mut found);
        found.sort();
        found
    }

    /// Runs the binary to its end.
    pub fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Run {
        Run::wait_for(self.start(arguments))
    }

    /// Starts the binary.
    pub fn start<S: AsRef<str>>(&self, arguments: &[S]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Returns the command that `run` starts.
    pub fn command<S: AsRef<str>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leanlake"));
        command.env_clear().env("HOME", self.folder.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(&self.environment).current_dir(self.folder.path());
        command.args(arguments.iter().map(AsRef::as_ref));
        let clock = self.as_of.as_ref().filter(|_| !arguments.iter().any(|a| a.as_ref() == "--as-of"));
        command.args(clock.iter().flat_map(|day| ["--as-of", day.as_str()]));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Scans, and expects it to end well.
    pub fn scan(&self) -> Run {
        self.run(&["scan", "--all"]).ends_with(0)
    }

    /// Returns the rows that a query over the newest snapshot answers.
    pub fn rows(&self, sql: &str) -> Vec<Value> {
        let run = self.run(&["query", "--format", "json", sql]).ends_with(0);
        let answer = run.json();
        let rows = answer.as_array().or_else(|| answer["rows"].as_array());
        rows.unwrap_or_else(|| panic!("no rows in {answer}")).clone()
    }

    /// Returns the rows as text, columns by name: `bucket=lake versioning=null`.
    pub fn lines(&self, sql: &str) -> Vec<String> {
        let cell = |(name, value): (&String, &Value)| {
            format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        let line = |row: &Value| row.as_object().unwrap().iter().map(cell).collect::<Vec<_>>().join(" ");
        self.rows(sql).iter().map(line).collect()
    }
}

/// Returns the day that `text` (`2026-11-20`) names.
pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}
