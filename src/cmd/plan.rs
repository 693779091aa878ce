//! `plan`: recommendations and a look at their buckets, to a file that `apply` takes. Changes nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use super::amount::dollars;
use super::connect::Purpose;
use super::{Context, Format};
use crate::apply::Place;
use crate::error::{Failure, Kind};
use crate::model::Money;
use crate::plan::emit::{self, Shape};
use crate::plan::{self, Facts, Plan as PlanFile, Selection, show};
use crate::portfolio::Assessment;

/// Make a plan from what is recommended; changes nothing.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Plan {
    #[command(subcommand)]
    what: Option<What>,
    /// Write the plan into this file, for `leanlake apply`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only this finding; repeat for several. One with an unknown saving is planned only when it is named.
    #[arg(long, value_name = "ID")]
    finding: Vec<String>,
    /// Only findings of this policy; repeat for several.
    #[arg(long, value_name = "ID")]
    policy: Vec<String>,
    /// Only findings that save at least so much a month.
    #[arg(long, value_name = "USD", value_parser = dollars)]
    min_saving: Option<Money>,
    /// Exit with 2 when the plan changes something.
    #[arg(long)]
    detailed_exitcode: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what a plan file would change; works for a stale plan too, without credentials.
    Show {
        /// The plan file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Write a plan file's changes for another tool, each bucket's whole configuration; without credentials.
    Emit {
        /// The plan file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// For which tool.
        #[arg(long = "as", value_name = "TOOL")]
        tool: Tool,
    },
}

/// A tool that plans are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tool {
    /// One `aws_s3_bucket_lifecycle_configuration` for each bucket, with its `import`.
    Terraform,
    /// A template with the `LifecycleConfiguration` of each bucket.
    Cloudformation,
    /// A shell script of AWS CLI calls.
    Cli,
}

impl Tool {
    const fn shape(self) -> Shape {
        match self {
            Tool::Terraform => Shape::Terraform,
            Tool::Cloudformation => Shape::CloudFormation,
            Tool::Cli => Shape::Cli,
        }
    }
}

/// Makes a plan, or shows one.
pub async fn run(args: &Plan, context: &Context) -> Result<ExitCode, Failure> {
    let format = context.format(&[Format::Table, Format::Json])?;
    let plan = match &args.what {
        Some(What::Emit { file, tool }) => return emit(&read(file)?.0, *tool, context),
        Some(What::Show { file }) => read(file)?.0,
        None => {
            let assessment = context.assess().await?;
            make(&selection(args, &assessment)?, &assessment, context).await?
        }
    };
    let text = match format {
        Format::Json => plan.to_json(),
        _ => show::show(&plan, context.real_time()),
    };
    if let Some(out) = &args.out {
        write(out, &plan)?;
        let file = crate::model::text::terminal(&out.to_string_lossy());
        if plan.has_changes() {
            context.term.hint(&format!("leanlake apply {file} shows the change again, and makes it with --yes"));
        }
    }
    context.term.data(&text)?;
    let code = if args.detailed_exitcode && plan.has_changes() { Kind::Threshold.into() } else { ExitCode::SUCCESS };
    Ok(code)
}

/// Writes the plan for another tool, and says which buckets that tool cannot be told in full.
fn emit(plan: &PlanFile, tool: Tool, context: &Context) -> Result<ExitCode, Failure> {
    let emitted = emit::emit(plan, tool.shape(), context.real_time());
    context.term.data(&emitted.text)?;
    for (bucket, why) in &emitted.left_out {
        context.term.warn(&format!("s3://{} is left out: {why}", bucket.terminal()));
    }
    match emitted.left_out.len() {
        0 => Ok(ExitCode::SUCCESS),
        all if all == plan.steps.len() => {
            Err(Failure::new(Kind::Guarded, "no bucket of the plan can be said in full there"))
        }
        some => Err(Failure::new(Kind::Partly, format!("{some} of {} buckets are left out", plan.steps.len()))),
    }
}

/// Makes a plan of what is selected: looks at the buckets as they are now.
pub(super) async fn make(
    selection: &Selection,
    assessment: &Assessment,
    context: &Context,
) -> Result<PlanFile, Failure> {
    let (chosen, _) = selection.choose(&assessment.findings);
    let places: Vec<Place> = chosen
        .iter()
        .map(|candidate| Place {
            account_id: candidate.finding.account_id.clone(),
            region: candidate.finding.region.clone(),
            bucket: candidate.action.resource().raw().to_owned(),
        })
        .collect();
    let best = chosen.first().map(|candidate| candidate.finding.account_id.as_str());
    let account = best.or(assessment.account_id.as_deref()).unwrap_or_default();
    let hands = context.hands(Purpose::Scan, account).await?;
    hands.check(&hands.target.account_id, &assessment.origin)?;
    let looks = hands.look(places).await;
    let facts = Facts {
        account_id: hands.target.account_id,
        caller_arn: hands.caller_arn,
        origin: assessment.origin.clone(),
        snapshot: assessment.snapshot.clone(),
        as_of: assessment.as_of,
        created_at: context.real_time(),
    };
    Ok(plan::build(facts, &assessment.findings, selection, &looks))
}

fn selection(args: &Plan, assessment: &Assessment) -> Result<Selection, Failure> {
    let known = |id: &&String| assessment.findings.iter().all(|finding| finding.id.0 != **id);
    if let Some(unknown) = args.finding.iter().find(known) {
        let shown = crate::model::text::terminal(unknown);
        return Err(Failure::failed(format!("there is no finding `{shown}` in this snapshot"))
            .hint("leanlake findings lists them"));
    }
    let (findings, policies) = (args.finding.iter().cloned().collect(), args.policy.iter().cloned().collect());
    Ok(Selection { findings, policies, min_saving: args.min_saving })
}

/// Reads a plan file, and returns its bytes with it.
pub(super) fn read(file: &Path) -> Result<(PlanFile, Vec<u8>), Failure> {
    let shown = crate::model::text::terminal(&file.to_string_lossy());
    let bytes = std::fs::read(file)
        .map_err(|error| Failure::failed(format!("the plan `{shown}` cannot be read")).caused_by(error))?;
    Ok((PlanFile::read(&bytes)?, bytes))
}

/// Writes the plan beside its place first, so that a full disk never leaves half a plan.
pub(super) fn write(out: &Path, plan: &PlanFile) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let shown = crate::model::text::terminal(&out.to_string_lossy());
        Failure::failed(format!("the plan `{shown}` cannot be written")).caused_by(error)
    };
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    std::io::Write::write_all(&mut draft, plan.to_json().as_bytes()).map_err(failed)?;
    draft.as_file().sync_all().map_err(failed)?;
    draft.persist(out).map_err(|error| failed(error.error))?;
    Ok(())
}
