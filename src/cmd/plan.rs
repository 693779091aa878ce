//! `plan show`: a plan file for people. Changes nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use rust_decimal::Decimal;

use super::{Context, Format};
use crate::error::Failure;
use crate::model::Money;
use crate::plan::{Plan as PlanFile, show};

/// Show a plan; changes nothing.
#[derive(Debug, Args)]
pub struct Plan {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what a plan file would change; works for a stale plan too, without credentials.
    Show {
        /// The plan file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

pub(super) fn dollars(amount: &str) -> Result<Money, String> {
    let usd = amount.trim_start_matches('$').parse::<Decimal>().map_err(|_| "not an amount".to_owned())?;
    if usd.is_sign_negative() { Err("less than nothing".to_owned()) } else { Ok(Money::new(usd)) }
}

/// Shows a plan.
pub fn run(args: &Plan, context: &Context) -> Result<ExitCode, Failure> {
    let format = context.format(&[Format::Table, Format::Json])?;
    let What::Show { file } = &args.what;
    let plan = read(file)?.0;
    context.term.data(&match format {
        Format::Json => plan.to_json(),
        _ => show::show(&plan, context.now()),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Reads a plan file, and returns its bytes with it.
pub(super) fn read(file: &Path) -> Result<(PlanFile, Vec<u8>), Failure> {
    let shown = crate::model::text::terminal(&file.to_string_lossy());
    let bytes = std::fs::read(file)
        .map_err(|error| Failure::failed(format!("the plan `{shown}` cannot be read")).caused_by(error))?;
    Ok((PlanFile::read(&bytes)?, bytes))
}
