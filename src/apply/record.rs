//! The records of a run: what is said, and by whom.
//!
//! An intent holds both documents, so the way back needs neither the plan nor leanlake. Never changed once written.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Outcome, Place};
use crate::lifecycle::{Configuration, cli_json};
use crate::model::{Origin, Untrusted};

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The run began.
    Started(Started),
    /// Another process goes on with the run. Whoever wrote to it until then finds the next number taken, and stops.
    Resumed {
        /// The leanlake that goes on.
        tool_version: String,
    },
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
    /// Another run takes this one back: whoever still writes to it stops.
    TakenBack {
        /// That run.
        by: String,
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
    /// Its number in the run, from 1. Two processes cannot both have it.
    pub number: u32,
    /// Which process wrote it; random. It tells a record of ours whose answer was lost from one of somebody else.
    pub writer: String,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// What it says.
    #[serde(flatten)]
    pub record: Record,
}
