//! `journal`: the runs that changed something, newest first.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::{Context, Format};
use crate::apply::record::{Entry, Record, Verb};
use crate::error::Failure;
use crate::term::{Align, TextTable};

/// List the runs that changed something.
#[derive(Debug, Args)]
pub struct Journal {}

/// One run in a line.
struct Line {
    run: String,
    what: String,
    began: String,
    writes: usize,
    ended: String,
}

/// Lists.
pub async fn run(_: &Journal, context: &Context) -> Result<ExitCode, Failure> {
    let format = context.format(&[Format::Table, Format::Json])?;
    let runs = context.runs(&context.store().await?)?;
    let mut lines = Vec::new();
    for run in runs.list().await? {
        match runs.open(&run).await {
            Ok((_, entries)) => lines.push(line(run, &entries)),
            Err(error) => context.term.warn(&crate::model::text::terminal(&error.to_string())),
        }
    }
    context.term.data(&match format {
        Format::Json => {
            let runs: Vec<Value> = lines.iter().map(as_json).collect();
            format!("{:#}", json!({"schema": "leanlake.journal.list", "version": "1.0", "runs": runs}))
        }
        _ => table(lines),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn line(run: String, entries: &[Entry]) -> Line {
    let mut line = Line { run, what: "unknown".into(), began: String::new(), writes: 0, ended: "interrupted".into() };
    for entry in entries {
        match &entry.record {
            Record::Started(started) => {
                line.began = entry.at.format("%Y-%m-%d %H:%M:%S").to_string();
                line.what = match &started.verb {
                    Verb::Apply { .. } => "apply".to_owned(),
                    Verb::Rollback { of } => format!("rollback of {}", crate::model::text::terminal(of)),
                };
            }
            Record::Intent(_) => {
                line.writes += 1;
                "interrupted".clone_into(&mut line.ended);
            }
            Record::Resumed { .. } => "interrupted".clone_into(&mut line.ended),
            Record::Outcome { .. } => {}
            Record::TakenBack { by } => line.ended = format!("taken back by {}", crate::model::text::terminal(by)),
            Record::Finished { done, of } => line.ended = format!("{done} of {of} as wanted"),
        }
    }
    line
}

fn as_json(line: &Line) -> Value {
    json!({"run": line.run, "what": line.what, "began": line.began, "writes": line.writes, "ended": line.ended})
}

fn table(lines: Vec<Line>) -> String {
    if lines.is_empty() {
        return "No run changed anything yet.".to_owned();
    }
    let columns = [
        ("run", Align::Left),
        ("began (UTC)", Align::Left),
        ("what", Align::Left),
        ("writes", Align::Right),
        ("ended", Align::Left),
    ];
    let mut table = TextTable::new(&columns);
    for line in lines {
        table.row([line.run, line.began, line.what, line.writes.to_string(), line.ended]);
    }
    table.to_string()
}
