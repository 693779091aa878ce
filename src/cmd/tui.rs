//! `leanlake tui`: the dashboard. Reads a snapshot; the one thing that it writes is a plan file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::{Context, plan};
use crate::error::{Failure, Kind};
use crate::model::{FindingId, text};
use crate::plan::Selection;
use crate::portfolio::Assessment;
use crate::term::Term;
use crate::tui::{self, Effect, Message, Model};

/// Look around in a snapshot: spend, findings, a basket that becomes a plan.
#[derive(Debug, Args)]
pub struct Tui {
    /// The file that `w` writes the plan to.
    #[arg(long, value_name = "FILE", default_value = "plan.json")]
    plan: PathBuf,
}

/// Runs `leanlake tui`.
pub async fn run(args: &Tui, context: &Context) -> Result<(), Failure> {
    if !Term::is_watched() {
        return Err(Failure::new(Kind::Usage, "the dashboard needs a terminal")
            .hint("`leanlake report` and `leanlake findings` write the same to a pipe"));
    }
    let assessment = Arc::new(context.assess().await?);
    let mut model = Model::new(Arc::clone(&assessment), !super::no_color());
    let act = async |effect| match effect {
        Effect::WritePlan(findings) => {
            let written = write_plan(&args.plan, findings, &assessment, context).await;
            Message::PlanWritten(written.map_err(|failure| failure.to_string()))
        }
        Effect::Quit => Message::Quit,
    };
    tui::run(&mut model, act).await.map_err(|error| Failure::failed(error.to_string()))
}

async fn write_plan(
    file: &Path,
    findings: Vec<FindingId>,
    assessment: &Assessment,
    context: &Context,
) -> Result<String, Failure> {
    let findings = findings.into_iter().map(|id| id.0).collect();
    let selection = Selection { findings, policies: BTreeSet::new(), min_saving: None };
    let made = plan::make(&selection, assessment, context).await?;
    plan::write(file, &made)?;
    let shown = text::terminal(&file.to_string_lossy());
    let steps = if made.steps.len() == 1 { "1 step".to_owned() } else { format!("{} steps", made.steps.len()) };
    Ok(format!("{steps} in {shown}: `leanlake apply {shown}` shows the change"))
}
