//! `rollback`: gives each bucket that a run changed what stood there before. Without `--yes` it shows and stops.

use std::process::ExitCode;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::apply::summary_json;
use super::connect::Purpose;
use super::hands::{describe, verdict};
use super::{Context, Format};
use crate::apply::record::{Record, Verb};
use crate::apply::rollback;
use crate::apply::{Ending, Undo, undo};
use crate::error::Failure;
use crate::lifecycle::delta;

/// Show what taking back a run changes, and take it back with --yes.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The run, as `leanlake journal` lists it.
    #[arg(value_name = "RUN")]
    run: String,
    /// Take it back. Without it nothing is written.
    #[arg(long)]
    yes: bool,
}

/// Shows, and with `--yes` takes back.
pub async fn run(args: &Rollback, context: &Context) -> Result<ExitCode, Failure> {
    let format = context.format(&[Format::Table, Format::Json])?;
    let runs = context.runs(&context.journal_store().await?)?;
    let (mut taken_back, entries) = runs.open(&args.run).await?;
    let started = taken_back.began(&entries)?;
    taken_back.check_buckets(&entries).await?;
    let undo = undo(&entries);
    if !args.yes {
        context.term.data(&preview(&args.run, &undo))?;
        context.term.hint("nothing was changed: `--yes` takes it back");
        return Ok(ExitCode::SUCCESS);
    }
    let hands = context.hands(Purpose::Apply, &started.account_id).await?;
    hands.check(&started.account_id, &started.origin)?;
    let mut journal = runs.begin(hands.started(Verb::Rollback { of: args.run.clone() }), None).await?;
    // Whoever is still at work on the run stops at its next record: nothing is written behind our back.
    taken_back.append(Record::TakenBack { by: journal.run().to_owned() }).await?;
    let cancel = CancellationToken::new();
    let (executor, tolerance) = (hands.executor.as_ref(), hands.target.tolerance());
    let rollback = rollback::Rollback { executor, pace: hands.pace(), tolerance, cancel: &cancel };
    let reports = context.interruptible(rollback.carry_out(&undo, &mut journal), &cancel).await?;
    let ending = Ending::of(&reports, cancel.is_cancelled());
    context.term.data(&match format {
        Format::Json => summary_json(journal.run(), &reports),
        _ => describe(&reports),
    })?;
    context.term.status(&format!("run {} took back {}", journal.run(), args.run));
    verdict(ending, journal.run())?;
    Ok(ExitCode::SUCCESS)
}

fn preview(run: &str, undo: &[Undo]) -> String {
    let shown = crate::model::text::terminal(run);
    if undo.is_empty() {
        return format!("Run {shown} wrote nothing: there is nothing to take back.");
    }
    let mut text = String::new();
    for one in undo {
        let bucket = crate::model::text::terminal(&one.place.bucket);
        text.extend(["# s3://", &bucket, " gets back what stood there before run ", &shown, "\n"]);
        text.extend(delta::lines(&one.after, &one.before).iter().flat_map(|line| ["  ", line, "\n"]));
    }
    text + "\nWhere a bucket changed since, only rules of leanlake are taken out or put back.\n\
            Uploads that were aborted meanwhile cannot be brought back.\n"
}
