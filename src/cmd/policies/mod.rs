//! `policies list|show|test|new`: what leanlake looks for, its tests, and the skeleton of a new policy.

mod new;

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Context, Format, rows};
use crate::engine::Answer;
use crate::error::Failure;
use crate::model::Row;
use crate::model::text::terminal;
use crate::policy::{self, CaseReport, Library, Policy, PolicyError};

/// See what leanlake looks for, test it, write your own.
#[derive(Debug, Args)]
pub struct Policies {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List every policy.
    List,
    /// Print the page of a policy: what, why, how it is found, its arithmetic.
    Show {
        /// A policy's id, of today or of once.
        id: String,
    },
    /// Run the policies' own tests; each finding again with each read denied.
    Test {
        /// Only this policy.
        id: Option<String>,
    },
    /// Write a new policy that loads and passes its tests, for you to change.
    New {
        /// Its id: the service, then the waste, as in s3-my-waste.
        id: String,
    },
}

/// Runs the verb.
pub async fn run(policies: &Policies, context: &Context) -> Result<(), Failure> {
    match &policies.what {
        What::List => list(context).await,
        What::Show { id } => show(id, context).await,
        What::Test { id } => test(id.as_deref(), context).await,
        What::New { id } => new::run(id, context),
    }
}

impl Context {
    /// Returns the built-in policies and those of every `--policies` folder, checked against the tables.
    ///
    /// # Errors
    /// A folder that cannot be read, or a file with a mistake.
    pub async fn library(&self) -> Result<Library, Failure> {
        let library = Library::with_folders(&self.global.policies)?;
        if !self.global.policies.is_empty() {
            library.check().await?;
        }
        for notice in library.notices() {
            self.term.status(&terminal(notice));
        }
        Ok(library)
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Failure {
        let hint = match &error {
            PolicyError::File { .. } => Some("docs/schema/policy.json and docs/policies/ show the format"),
            PolicyError::Folder { .. } => Some("`--policies` takes a folder of .yaml files"),
            PolicyError::Query { .. } | PolicyError::Duplicate { .. } | PolicyError::Nameless { .. } => {
                Some("`leanlake policies test` runs the policy on rows of its own")
            }
            PolicyError::Prices(_) | PolicyError::Analysis(_) | PolicyError::Engine(_) => None,
        };
        hint.into_iter().fold(Failure::failed(terminal(&error.to_string())), Failure::hint)
    }
}

fn find<'a>(library: &'a Library, id: &str) -> Result<&'a Policy, Failure> {
    library.find(id).ok_or_else(|| {
        Failure::failed(format!("there is no policy `{}`", terminal(id))).hint("`leanlake policies list` lists them")
    })
}

async fn list(context: &Context) -> Result<(), Failure> {
    let format = context.format(&[Format::Table, Format::Json, Format::Csv])?;
    let library = context.library().await?;
    let columns = ["policy", "title", "effort", "risk", "confidence", "stage", "file"];
    let answer = Answer { columns: columns.map(str::to_owned).to_vec(), batches: Vec::new() };
    let row = |policy: &Policy| {
        Row::new()
            .with("policy", policy.id())
            .with("title", policy.file.title.as_str())
            .with("effort", policy.file.effort.as_str())
            .with("risk", policy.file.risk.as_str())
            .with("confidence", policy.file.confidence.as_str())
            .with("stage", policy.file.stage.as_str())
            .with("file", policy.path.as_str())
    };
    let found: Vec<Row> = library.policies().map(row).collect();
    context.term.data(&match format {
        Format::Json => rows::document("policies", json!({ "policies": rows::json(&answer, &found) }))?,
        Format::Csv => return context.term.csv(&rows::csv(&answer, &found)),
        Format::Table | Format::Markdown => rows::table(&answer, &found),
    })
}

async fn show(id: &str, context: &Context) -> Result<(), Failure> {
    context.format(&[Format::Markdown])?;
    let library = context.library().await?;
    context.term.data(&policy::page(find(&library, id)?))
}

async fn test(id: Option<&str>, context: &Context) -> Result<(), Failure> {
    let library = context.library().await?;
    let picked: Vec<&Policy> = match id {
        Some(id) => vec![find(&library, id)?],
        None => library.policies().collect(),
    };
    let (mut ran, mut failed) = (0, 0);
    for policy in picked {
        for report in policy::test(&library, policy).await? {
            ran += 1;
            failed += usize::from(!report.failures.is_empty());
            context.term.data(&told(&report))?;
        }
    }
    if failed > 0 {
        return Err(Failure::failed(format!("{failed} of {ran} policy tests failed")));
    }
    context.term.status(&format!("{ran} policy tests passed"));
    Ok(())
}

fn told(report: &CaseReport) -> String {
    let verdict = if report.failures.is_empty() { "ok" } else { "FAILED" };
    let mut line = format!("{verdict:<6} {}: {}", report.policy, terminal(&report.name));
    if report.denied > 0 {
        let _ = write!(line, " (and with each of {} reads denied)", report.denied);
    }
    for failure in &report.failures {
        let _ = write!(line, "\n       {}", terminal(failure));
    }
    line
}
