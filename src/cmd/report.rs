//! `leanlake report`: the weekly report, as Markdown or JSON.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Context, Format};
use crate::error::Failure;
use crate::model::text;
use crate::report::{self, WEEKLY_TEMPLATE, Weekly};

/// Templates larger than this are not read, in bytes.
const TEMPLATE_CAP: u64 = 1 << 20;

/// Write a report on a snapshot.
#[derive(Debug, Args)]
pub struct Report {
    /// Which report.
    #[arg(default_value = "weekly")]
    kind: ReportKind,
    /// Write the report to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Use this minijinja template instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ReportKind {
    /// The last final week: spent, why, what to do first.
    Weekly,
}

/// Runs `leanlake report`.
pub async fn run(args: &Report, context: &Context) -> Result<(), Failure> {
    let ReportKind::Weekly = args.kind;
    let format = context.format(&[Format::Markdown, Format::Json])?;
    let assessment = context.assess().await?;
    let weekly = Weekly::of(&assessment);
    let text = match format {
        Format::Json => json(&weekly)?,
        _ => markdown(&weekly, args.template.as_deref())?,
    };
    match &args.out {
        Some(file) => write(file, &text, context),
        None => context.term.data(&text),
    }
}

fn json(weekly: &Weekly<'_>) -> Result<String, Failure> {
    serde_json::to_string_pretty(weekly)
        .map_err(|error| Failure::failed("the report cannot be written as JSON").caused_by(error))
}

fn markdown(weekly: &Weekly<'_>, template: Option<&Path>) -> Result<String, Failure> {
    let (name, template) = match template {
        Some(file) => (file.display().to_string(), read(file)?),
        None => ("weekly".to_owned(), WEEKLY_TEMPLATE.to_owned()),
    };
    report::render(weekly, &name, &template).map_err(|error| {
        Failure::failed(error.to_string()).hint("`reports/weekly.md` in the source is the built-in template")
    })
}

fn read(file: &Path) -> Result<String, Failure> {
    let shown = text::terminal(&file.display().to_string());
    let size = std::fs::metadata(file).map(|meta| meta.len());
    if size.is_ok_and(|bytes| bytes > TEMPLATE_CAP) {
        return Err(Failure::failed(format!("the template `{shown}` is larger than 1 MiB")));
    }
    std::fs::read_to_string(file)
        .map_err(|error| Failure::failed(format!("cannot read the template `{shown}`")).caused_by(error))
}

fn write(file: &Path, report: &str, context: &Context) -> Result<(), Failure> {
    let shown = text::terminal(&file.display().to_string());
    std::fs::write(file, report)
        .map_err(|error| Failure::failed(format!("cannot write the report to `{shown}`")).caused_by(error))?;
    context.term.status(&format!("wrote {shown}"));
    Ok(())
}
