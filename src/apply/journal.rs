//! What a run did, in files that are written before and after each write and never changed.
//!
//! `runs/<run>/`: the plan, then one file for each record, create-new and synced by the store (`0002-intent.json`).
//! An intent holds both documents, so the way back needs neither the plan nor leanlake: `0002-restore.json` is what
//! the AWS CLI takes.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Outcome, Place};
use crate::lifecycle::{Configuration, cli_json};
use crate::model::{Origin, Untrusted};

const SCHEMA: &str = "leanlake.journal";
const VERSION: &str = "1.0";

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The run began.
    Started(Started),
    /// A write is about to be sent.
    Intent(Box<Intent>),
    /// A step ended.
    Outcome {
        /// The bucket.
        bucket: Untrusted,
        /// How.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// The run ended.
    Finished {
        /// Buckets that are as wanted.
        done: usize,
        /// All buckets of the run.
        of: usize,
    },
}

/// What a run is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Apply, or the rollback of a run.
    pub verb: Verb,
    /// The leanlake that runs.
    pub tool_version: String,
    /// The account.
    pub account_id: String,
    /// Where its calls go.
    pub origin: Origin,
}

/// What a run does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verb {
    /// Carries out the plan with this identity.
    Apply {
        /// SHA-256 of `plan.json`.
        plan: String,
    },
    /// Takes back another run.
    Rollback {
        /// The other run.
        of: String,
    },
}

/// What is about to be written, and what stood there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The bucket.
    pub bucket: Untrusted,
    /// Its account.
    pub account_id: String,
    /// Its Region.
    pub region: String,
    /// What stood there.
    pub before: Configuration,
    /// What is written.
    pub after: Configuration,
    /// `before` as the AWS CLI takes it; `null` when there was none.
    pub before_cli: Option<Value>,
    /// `after` as the AWS CLI takes it.
    pub after_cli: Option<Value>,
    /// The command that restores `before` with the AWS CLI alone, typed in the folder of the run.
    pub undo: String,
}

impl Intent {
    /// Returns the intent to write `after` where `before` stands. `number` is its record's.
    pub fn new(place: &Place, before: &Configuration, after: &Configuration, number: u32) -> Intent {
        let (bucket, owner) = (place.bucket.as_str(), place.account_id.as_str());
        let region = shell_word(&place.region);
        let undo = match &before.document {
            Some(_) => format!(
                "aws s3api put-bucket-lifecycle-configuration --region {region} --cli-input-json file://{number:04}-restore.json"
            ),
            None => format!(
                "aws s3api delete-bucket-lifecycle --region {region} --bucket {} --expected-bucket-owner {}",
                shell_word(bucket),
                shell_word(owner)
            ),
        };
        Intent {
            bucket: bucket.into(),
            account_id: owner.to_owned(),
            region: place.region.clone(),
            before: before.clone(),
            after: after.clone(),
            before_cli: cli_json::put_input(bucket, owner, before),
            after_cli: cli_json::put_input(bucket, owner, after),
            undo,
        }
    }

    /// Returns the bucket with its owner.
    pub fn place(&self) -> Place {
        Place { account_id: self.account_id.clone(), region: self.region.clone(), bucket: self.bucket.raw().to_owned() }
    }
}

fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A record as its file holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// `leanlake.journal`.
    pub schema: String,
    /// `1.0`.
    pub version: String,
    /// Its number in the run, from 1.
    pub number: u32,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// What it says.
    #[serde(flatten)]
    pub record: Record,
}

/// Why a journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is no such run.
    #[error("there is no run `{0}` in the journal")]
    NoRun(String),
    /// Another process writes to the run.
    #[error("another process is at work on run `{0}`")]
    Busy(String),
    /// A file of the run cannot be understood.
    #[error("the journal file `{file}` cannot be read: {reason}")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The store failed.
    #[error("the journal cannot be kept: {0}")]
    Store(String),
}

/// Where the runs of a store are kept.
#[derive(Clone)]
pub struct Runs {
    objects: Arc<dyn ObjectStore>,
    folder: Path,
    clock: fn() -> DateTime<Utc>,
}

impl fmt::Debug for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runs").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Runs {
    /// Returns the runs below `folder` (`STORE/runs`); records are stamped by `clock`.
    pub fn new(objects: Arc<dyn ObjectStore>, folder: Path, clock: fn() -> DateTime<Utc>) -> Runs {
        Runs { objects, folder, clock }
    }

    /// Returns the names of all runs, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn list(&self) -> Result<Vec<String>, JournalError> {
        let found = self.objects.list_with_delimiter(Some(&self.folder)).await.map_err(store)?;
        let mut names: Vec<String> =
            found.common_prefixes.iter().filter_map(|path| Some(path.filename()?.to_owned())).collect();
        names.sort_unstable_by(|a, b| b.cmp(a));
        Ok(names)
    }

    /// Begins a run and writes its first record.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn begin(&self, started: Started, plan: Option<&[u8]>) -> Result<Journal, JournalError> {
        let seed = serde_json::to_vec(&started).map_err(|error| JournalError::Store(error.to_string()))?;
        let now = (self.clock)();
        let name = format!("{}-{}", now.format("%Y%m%dT%H%M%SZ"), &crate::lifecycle::document::digest(&seed)[..6]);
        for copy in 1..1000 {
            let run = if copy == 1 { name.clone() } else { format!("{name}-{copy}") };
            let mut journal = Journal { runs: self.clone(), run, next: 1 };
            // The first file of a run is made once: whoever makes it has the name.
            let claimed = match plan {
                Some(plan) => journal.create("plan.json", plan).await,
                None => journal.append(Record::Started(started.clone())).await,
            };
            match claimed {
                Err(JournalError::Busy(_)) => continue,
                Err(error) => return Err(error),
                Ok(()) if plan.is_some() => journal.append(Record::Started(started)).await?,
                Ok(()) => {}
            }
            return Ok(journal);
        }
        Err(JournalError::Busy(name))
    }

    /// Opens a run to go on with it, and returns its records.
    ///
    /// # Errors
    /// There is none, or a file of it cannot be understood.
    pub async fn open(&self, run: &str) -> Result<(Journal, Vec<Entry>), JournalError> {
        let known = !run.is_empty() && run.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let no_run = || JournalError::NoRun(crate::model::text::terminal(run));
        if !known {
            return Err(no_run());
        }
        let mut files: Vec<String> = self.files(run).await?;
        files.sort_unstable();
        let numbers = files.iter().filter_map(|file| file.split_once('-')?.0.parse::<u32>().ok());
        let next = numbers.max().unwrap_or(0) + 1;
        if files.is_empty() {
            return Err(no_run());
        }
        let journal = Journal { runs: self.clone(), run: run.to_owned(), next };
        let mut entries = Vec::new();
        for file in files.iter().filter(|file| is_record(file)) {
            entries.push(journal.entry(file).await?);
        }
        Ok((journal, entries))
    }

    async fn files(&self, run: &str) -> Result<Vec<String>, JournalError> {
        let folder = self.folder.clone().join(run);
        let found: Vec<_> = self.objects.list(Some(&folder)).try_collect().await.map_err(store)?;
        Ok(found.iter().filter_map(|meta| Some(meta.location.filename()?.to_owned())).collect())
    }
}

fn is_record(file: &str) -> bool {
    file.starts_with(|c: char| c.is_ascii_digit()) && !file.ends_with("-restore.json")
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn store(error: Error) -> JournalError {
    JournalError::Store(error.to_string())
}

/// The journal of one run.
#[derive(Debug)]
pub struct Journal {
    runs: Runs,
    run: String,
    next: u32,
}

impl Journal {
    /// Returns the name of the run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Returns what the run is about, from its `entries`, once every intent is of its account.
    ///
    /// # Errors
    /// The run has no first record, or an intent is of another account.
    pub fn began<'e>(&self, entries: &'e [Entry]) -> Result<&'e Started, JournalError> {
        let Some(Record::Started(started)) = entries.first().map(|entry| &entry.record) else {
            return Err(self.damaged("0001-started.json", "the run does not begin with it"));
        };
        for entry in entries {
            if matches!(&entry.record, Record::Intent(intent) if intent.account_id != started.account_id) {
                let file = format!("{:04}-intent.json", entry.number);
                return Err(self.damaged(&file, "it is of another account than the run"));
            }
        }
        Ok(started)
    }

    /// Returns the identity of the plan that the run carries out, from its `entries`.
    ///
    /// # Errors
    /// As [`Journal::began`], or the run is not an apply.
    pub fn plan_identity<'e>(&self, entries: &'e [Entry]) -> Result<&'e str, JournalError> {
        match &self.began(entries)?.verb {
            Verb::Apply { plan } => Ok(plan),
            Verb::Rollback { .. } => Err(self.damaged("0001-started.json", "the run is a rollback and has no plan")),
        }
    }

    fn damaged(&self, file: &str, reason: &str) -> JournalError {
        JournalError::Damaged { file: format!("{}/{file}", self.run), reason: reason.to_owned() }
    }

    /// Writes an intent, and before it the file with which a person restores by hand.
    ///
    /// # Errors
    /// The store cannot be written: then nothing may be sent.
    pub async fn intend(
        &mut self,
        place: &Place,
        before: &Configuration,
        after: &Configuration,
    ) -> Result<(), JournalError> {
        let intent = Intent::new(place, before, after, self.next);
        if let Some(input) = &intent.before_cli {
            let text = serde_json::to_vec_pretty(input).map_err(|error| JournalError::Store(error.to_string()))?;
            self.create(&format!("{:04}-restore.json", self.next), &text).await?;
        }
        self.append(Record::Intent(Box::new(intent))).await
    }

    /// Writes the next record.
    ///
    /// # Errors
    /// The store cannot be written, or another process wrote it.
    pub async fn append(&mut self, record: Record) -> Result<(), JournalError> {
        let name = match &record {
            Record::Started(_) => "started",
            Record::Intent(_) => "intent",
            Record::Outcome { .. } => "outcome",
            Record::Finished { .. } => "finished",
        };
        let (schema, version) = (SCHEMA.to_owned(), VERSION.to_owned());
        let entry = Entry { schema, version, number: self.next, at: (self.runs.clock)(), record };
        let text = serde_json::to_vec_pretty(&entry).map_err(|error| JournalError::Store(error.to_string()))?;
        self.create(&format!("{:04}-{name}.json", self.next), &text).await?;
        self.next += 1;
        Ok(())
    }

    /// Returns the plan that the run carries out.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub async fn plan(&self) -> Result<Bytes, JournalError> {
        self.read("plan.json").await
    }

    fn path(&self, file: &str) -> Path {
        self.runs.folder.clone().join(self.run.as_str()).join(file)
    }

    async fn create(&self, file: &str, bytes: &[u8]) -> Result<(), JournalError> {
        let options = PutOptions::from(PutMode::Create);
        match self.runs.objects.put_opts(&self.path(file), bytes.to_vec().into(), options).await {
            Ok(_) => Ok(()),
            Err(Error::AlreadyExists { .. }) => Err(JournalError::Busy(self.run.clone())),
            Err(error) => Err(store(error)),
        }
    }

    async fn read(&self, file: &str) -> Result<Bytes, JournalError> {
        let got = self.runs.objects.get(&self.path(file)).await.map_err(store)?;
        got.bytes().await.map_err(store)
    }

    async fn entry(&self, file: &str) -> Result<Entry, JournalError> {
        let bytes = self.read(file).await?;
        let damaged = |reason: String| JournalError::Damaged { file: format!("{}/{file}", self.run), reason };
        let entry: Entry = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if entry.schema != SCHEMA || entry.version.split('.').next() != Some("1") {
            return Err(damaged("it was written by another version".to_owned()));
        }
        Ok(entry)
    }
}
