//! What a run did, in files that are written before and after each write and never changed.
//!
//! `runs/<run>/`: the plan, and one file for each record, create-new and synced by the store (`0002.json`). A record
//! claims its bare number, whatever it says, so of two processes at work on one run only one goes on: it is the lock.
//! `0002-restore.json` is what the AWS CLI takes to undo the intent 2 by hand.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use super::Place;
use super::record::{Entry, Intent, Record, Started, Verb};
use crate::lifecycle::Configuration;
use crate::plan::{self, Plan};

const SCHEMA: &str = "leanlake.journal";
const VERSION: &str = "1.0";

const PLAN: &str = "plan.json";

/// Records that are read at once.
const READS: usize = 8;

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
    /// The store is in S3, which no longer takes the credentials or does not allow it.
    #[error("the journal cannot be kept: {0}")]
    Refused(String),
}

/// Where the runs of a store are kept.
#[derive(Clone)]
pub struct Runs {
    objects: Arc<dyn ObjectStore>,
    folder: Path,
    clock: fn() -> DateTime<Utc>,
    process: Arc<str>,
    journals: Arc<AtomicU64>,
}

impl fmt::Debug for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runs").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Runs {
    /// Returns the runs below `folder` (`STORE/runs`); records are stamped by `clock`. No other process has the name
    /// `process`: it is random.
    pub fn new(objects: Arc<dyn ObjectStore>, folder: Path, clock: fn() -> DateTime<Utc>, process: &str) -> Runs {
        Runs { objects, folder, clock, process: process.into(), journals: Arc::default() }
    }

    fn journal(&self, run: &str, next: u32) -> Journal {
        let count = self.journals.fetch_add(1, Ordering::Relaxed);
        Journal { runs: self.clone(), run: run.to_owned(), writer: format!("{}-{count}", self.process), next }
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

    /// Begins a run: writes its plan and its first record.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn begin(&self, started: Started, plan: Option<&[u8]>) -> Result<Journal, JournalError> {
        let now = (self.clock)();
        let seed = crate::lifecycle::document::digest(self.process.as_bytes());
        // To the millisecond, so that names are in order of time.
        let name = format!("{}-{}", now.format("%Y%m%dT%H%M%S%3fZ"), &seed[..6]);
        for copy in 1..1000 {
            let mut journal = self.journal(&if copy == 1 { name.clone() } else { format!("{name}-{copy}") }, 1);
            // The first record of a run is made once: whoever makes it has the name.
            match journal.first(Record::Started(started.clone()), plan).await {
                Err(JournalError::Busy(_)) => continue,
                claimed => claimed?,
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
        let files = if known { self.files(run).await? } else { Vec::new() };
        if files.is_empty() {
            return Err(JournalError::NoRun(crate::model::text::terminal(run)));
        }
        let numbers: BTreeSet<u32> = files.iter().filter_map(|file| number_of(file)).collect();
        let journal = self.journal(run, numbers.last().map_or(1, |last| last.saturating_add(1)));
        if let Some((missing, _)) = (1..).zip(&numbers).find(|(expected, number)| *expected != **number) {
            return Err(journal.damaged(&file_of(missing), "it is missing"));
        }
        let entries = futures::stream::iter(numbers).map(|number| journal.entry(number)).buffered(READS);
        let entries = entries.try_collect().await?;
        Ok((journal, entries))
    }

    async fn files(&self, run: &str) -> Result<Vec<String>, JournalError> {
        let folder = self.folder.clone().join(run);
        let found: Vec<_> = self.objects.list(Some(&folder)).try_collect().await.map_err(store)?;
        Ok(found.iter().filter_map(|meta| Some(meta.location.filename()?.to_owned())).collect())
    }
}

/// The file of record `number`: four digits, and more where they are needed.
fn file_of(number: u32) -> String {
    format!("{number:04}.json")
}

/// The number of a record's file; `None` for the other files of a run.
fn number_of(file: &str) -> Option<u32> {
    let number = file.strip_suffix(".json")?.parse().ok()?;
    (file == file_of(number)).then_some(number)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn store(error: Error) -> JournalError {
    match &error {
        // What a file system says is no matter of credentials.
        Error::PermissionDenied { source, .. } if source.is::<std::io::Error>() => {
            JournalError::Store(error.to_string())
        }
        Error::Unauthenticated { .. } | Error::PermissionDenied { .. } => JournalError::Refused(error.to_string()),
        _ => JournalError::Store(error.to_string()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn unwritten(error: serde_json::Error) -> JournalError {
    JournalError::Store(error.to_string())
}

/// The journal of one run.
#[derive(Debug)]
pub struct Journal {
    runs: Runs,
    run: String,
    writer: String,
    next: u32,
}

impl Journal {
    /// Returns the name of the run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Returns what the run is about, from its `entries`, once every intent is of its account and about a bucket.
    ///
    /// # Errors
    /// The run has no first record, or an intent is of another account or of what is no bucket.
    pub fn began<'e>(&self, entries: &'e [Entry]) -> Result<&'e Started, JournalError> {
        let Some(Record::Started(started)) = entries.first().map(|entry| &entry.record) else {
            return Err(self.damaged(&file_of(1), "the run does not begin with it"));
        };
        for (number, intent) in intents(entries) {
            if intent.account_id != started.account_id {
                return Err(self.damaged(&file_of(number), "it is of another account than the run"));
            }
            if let Err(why) = intent.place().check() {
                return Err(self.damaged(&file_of(number), why));
            }
        }
        Ok(started)
    }

    /// Returns the plan that the run carries out with its bytes, once it is the one that the run began with.
    ///
    /// # Errors
    /// As [`Journal::began`], or the run is not an apply, or its plan is gone or another one.
    pub async fn plan(&self, entries: &[Entry]) -> Result<Plan, JournalError> {
        let Verb::Apply { plan } = &self.began(entries)?.verb else {
            return Err(self.damaged(&file_of(1), "the run is a rollback and has no plan"));
        };
        let bytes = self.read(PLAN).await?.ok_or_else(|| self.damaged(PLAN, "it is missing"))?;
        if plan::identity(&bytes) != *plan {
            return Err(self.damaged(PLAN, "it is not the one that the run began with"));
        }
        Plan::read(&bytes).map_err(|error| self.damaged(PLAN, &error.to_string()))
    }

    /// Checks that the run wrote only to buckets of its plan, where it has one and that is still there: the way back
    /// needs no plan, but one that is there must fit.
    ///
    /// # Errors
    /// As [`Journal::plan`], or an intent is about a bucket that the plan does not name.
    pub async fn check_buckets(&self, entries: &[Entry]) -> Result<(), JournalError> {
        let is_apply = matches!(self.began(entries)?.verb, Verb::Apply { .. });
        if !is_apply || self.read(PLAN).await?.is_none() {
            return Ok(());
        }
        let steps = self.plan(entries).await?.steps;
        let planned: BTreeSet<_> =
            steps.iter().map(|step| (&step.account_id, &step.region, step.bucket.raw())).collect();
        let stranger = |intent: &Intent| !planned.contains(&(&intent.account_id, &intent.region, intent.bucket.raw()));
        match intents(entries).find(|(_, intent)| stranger(intent)) {
            Some((number, _)) => {
                Err(self.damaged(&file_of(number), "it is about a bucket that the plan does not name"))
            }
            None => Ok(()),
        }
    }

    fn damaged(&self, file: &str, reason: &str) -> JournalError {
        JournalError::Damaged { file: format!("{}/{file}", self.run), reason: reason.to_owned() }
    }

    /// Writes an intent, and after it the file with which a person restores by hand.
    ///
    /// # Errors
    /// The store cannot be written, or another process is at work on the run: then nothing may be sent.
    pub async fn intend(
        &mut self,
        place: &Place,
        before: &Configuration,
        after: &Configuration,
    ) -> Result<(), JournalError> {
        let number = self.next;
        let intent = Intent::new(place, before, after, number);
        let restore = intent.before_cli.as_ref().map(serde_json::to_vec_pretty).transpose().map_err(unwritten)?;
        // The record first: only who has the number may write beside it.
        self.append(Record::Intent(Box::new(intent))).await?;
        match restore {
            Some(input) => self.create(&format!("{number:04}-restore.json"), &input).await,
            None => Ok(()),
        }
    }

    /// Writes the next record.
    ///
    /// # Errors
    /// The store cannot be written, or another process wrote it.
    pub async fn append(&mut self, record: Record) -> Result<(), JournalError> {
        let (schema, version, writer) = (SCHEMA.to_owned(), VERSION.to_owned(), self.writer.clone());
        let entry = Entry { schema, version, number: self.next, writer, at: (self.runs.clock)(), record };
        let text = serde_json::to_vec_pretty(&entry).map_err(unwritten)?;
        self.create(&file_of(self.next), &text).await?;
        self.next += 1;
        Ok(())
    }

    /// The plan first: a run that has a record can be resumed.
    async fn first(&mut self, started: Record, plan: Option<&[u8]>) -> Result<(), JournalError> {
        if let Some(plan) = plan {
            self.create(PLAN, plan).await?;
        }
        self.append(started).await
    }

    fn path(&self, file: &str) -> Path {
        self.runs.folder.clone().join(self.run.as_str()).join(file)
    }

    async fn create(&self, file: &str, bytes: &[u8]) -> Result<(), JournalError> {
        let options = PutOptions::from(PutMode::Create);
        match self.runs.objects.put_opts(&self.path(file), bytes.to_vec().into(), options).await {
            Ok(_) => Ok(()),
            // S3 says so too when our own write took effect, its answer was lost and it was tried again.
            Err(Error::AlreadyExists { .. }) => match self.read(file).await? {
                Some(there) if there == bytes => Ok(()),
                Some(_) => Err(JournalError::Busy(self.run.clone())),
                None => Err(JournalError::Store(format!("the store says that `{file}` is there, and it is not"))),
            },
            Err(error) => Err(store(error)),
        }
    }

    /// Returns the file's bytes; `None` when there is no such file.
    async fn read(&self, file: &str) -> Result<Option<Bytes>, JournalError> {
        match self.runs.objects.get(&self.path(file)).await {
            Ok(found) => found.bytes().await.map(Some).map_err(store),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(store(error)),
        }
    }

    async fn entry(&self, number: u32) -> Result<Entry, JournalError> {
        let file = file_of(number);
        let bytes = self.read(&file).await?.ok_or_else(|| self.damaged(&file, "it is missing"))?;
        let entry: Entry = serde_json::from_slice(&bytes).map_err(|error| self.damaged(&file, &error.to_string()))?;
        if entry.schema != SCHEMA || entry.version.split('.').next() != Some("1") {
            return Err(self.damaged(&file, "it was written by another version"));
        }
        if entry.number != number {
            return Err(self.damaged(&file, "it carries the number of another record"));
        }
        Ok(entry)
    }
}

/// The intents among `entries`, with their numbers.
fn intents(entries: &[Entry]) -> impl Iterator<Item = (u32, &Intent)> {
    entries.iter().filter_map(|entry| match &entry.record {
        Record::Intent(intent) => Some((entry.number, intent.as_ref())),
        _ => None,
    })
}
