//! `apply`: carries out a plan. Without `--yes` it shows the change and stops.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::amount::dollars;
use super::connect::Purpose;
use super::hands::{Hands, describe, verdict};
use super::plan::read;
use super::{Context, Format};
use crate::apply::guard::{MAX_STEPS, check_place};
use crate::apply::journal::Journal;
use crate::apply::record::{Entry, Record, Verb};
use crate::apply::run::settled;
use crate::apply::{Ending, Limits, Report, Run};
use crate::error::Failure;
use crate::model::Money;
use crate::plan::{self, Plan, show};

/// Show what a plan changes, and make the change with --yes.
#[derive(Debug, Args)]
pub struct Apply {
    /// The plan file.
    #[arg(value_name = "FILE", required_unless_present = "resume", conflicts_with = "resume")]
    file: Option<PathBuf>,
    /// Make the change. Without it nothing is written.
    #[arg(long)]
    yes: bool,
    /// Go on with a run that was interrupted; its plan is in the journal.
    #[arg(long, value_name = "RUN")]
    resume: Option<String>,
    /// Change at most so many buckets.
    #[arg(long, value_name = "N", default_value_t = MAX_STEPS)]
    max_steps: usize,
    /// Touch at most so many bytes; a plan that does not know how many is refused.
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<u64>,
    /// Cost at most so much once; a plan that does not know how much is refused.
    #[arg(long, value_name = "USD", value_parser = dollars)]
    max_one_off_usd: Option<Money>,
    /// Never change buckets with this tag, beside those tagged `leanlake:protected`; repeat for several.
    #[arg(long, value_name = "KEY[=VALUE]")]
    protected_tag: Vec<String>,
    /// Also change buckets that CloudFormation or Terraform seem to manage.
    #[arg(long)]
    override_iac: bool,
}

impl Apply {
    fn limits(&self) -> Limits {
        Limits {
            max_steps: self.max_steps,
            max_bytes: self.max_bytes,
            max_one_off: self.max_one_off_usd,
            protected_tags: self.protected_tag.clone(),
            override_iac: self.override_iac,
        }
    }
}

/// Shows, and with `--yes` carries out.
pub async fn run(args: &Apply, context: &Context) -> Result<ExitCode, Failure> {
    let format = context.format(&[Format::Table, Format::Json])?;
    let (plan, source) = match (&args.file, &args.resume) {
        (_, Some(run)) => open(context, run).await?,
        (file, None) => {
            let (plan, bytes) = read(file.as_deref().unwrap_or("plan.json".as_ref()))?;
            (plan, Source::File(bytes))
        }
    };
    if !args.yes {
        context.term.data(&show::show(&plan, context.real_time()))?;
        context.term.hint("nothing was changed: `--yes` makes the change");
        return Ok(ExitCode::SUCCESS);
    }
    let (hands, limits) = (context.hands(Purpose::Apply, &plan.account_id).await?, args.limits());
    limits.check_plan(&plan, &hands.target, context.real_time())?;
    let (mut journal, settled) = match source {
        Source::File(bytes) => (begin(context, &hands, &bytes).await?, BTreeSet::new()),
        Source::Run(journal, entries) => (resume(journal, &entries, &hands).await?, settled(&entries)),
    };
    let cancel = CancellationToken::new();
    context.term.status(&format!("run {}: {}", journal.run(), show::summary(&plan)));
    let reports = {
        let (executor, tolerance) = (hands.executor.as_ref(), hands.target.tolerance());
        let (journal, limits, pace, cancel) = (&mut journal, &limits, hands.pace(), &cancel);
        let mut run = Run { executor, journal, limits, pace, tolerance, cancel };
        context.interruptible(run.apply(&plan, &settled), cancel).await?
    };
    let ending = Ending::of(&reports, cancel.is_cancelled());
    context.term.data(&match format {
        Format::Json => summary_json(journal.run(), &reports),
        _ => describe(&reports),
    })?;
    verdict(ending, journal.run())?;
    context.term.hint(&format!("leanlake rollback {} takes it back", journal.run()));
    Ok(ExitCode::SUCCESS)
}

/// Where the plan comes from: its own file, or the journal of a run to go on with.
enum Source {
    File(Vec<u8>),
    Run(Journal, Vec<Entry>),
}

async fn open(context: &Context, run: &str) -> Result<(Plan, Source), Failure> {
    let (journal, entries) = context.runs(&context.store().await?)?.open(run).await?;
    Ok((journal.plan(&entries).await?, Source::Run(journal, entries)))
}

/// Takes the run over, once it began where we are: whoever else is at work on it stops at its next record.
async fn resume(mut journal: Journal, entries: &[Entry], hands: &Hands) -> Result<Journal, Failure> {
    let started = journal.began(entries)?;
    check_place(&started.account_id, &started.origin, &hands.target)?;
    journal.append(Record::Resumed { tool_version: env!("CARGO_PKG_VERSION").to_owned() }).await?;
    Ok(journal)
}

async fn begin(context: &Context, hands: &Hands, bytes: &[u8]) -> Result<Journal, Failure> {
    let started = hands.started(Verb::Apply { plan: plan::identity(bytes) });
    Ok(context.runs(&context.journal_store().await?)?.begin(started, Some(bytes)).await?)
}

/// Returns how a run ended, for scripts.
pub(super) fn summary_json(run: &str, reports: &[Report]) -> String {
    let one = |report: &Report| {
        let mut fields = json!(report.outcome);
        fields["bucket"] = json!(report.bucket);
        fields
    };
    let buckets: Vec<_> = reports.iter().map(one).collect();
    format!("{:#}", json!({"schema": "leanlake.run", "version": "1.0", "run": run, "buckets": buckets}))
}
