//! `findings` and `findings show ID`: what was found, what it is worth, and the arithmetic. Changes nothing.

mod show;

use clap::{Args, Subcommand};

use super::amount::dollars;
use super::{Context, Format};
use crate::error::{Failure, Kind};
use crate::model::{Finding, Money, Status, Verdict};
use crate::portfolio::{Assessment, Document, SourceTotal, csv};
use crate::term::{Align, TextTable};

/// What was found, best first: net saving × confidence, then effort.
#[derive(Debug, Args)]
pub struct Findings {
    #[command(subcommand)]
    what: Option<What>,
    /// Only findings of this policy; repeat for several.
    #[arg(long, value_name = "ID")]
    policy: Vec<String>,
    /// Only findings that save at least this much a month, by their likeliest saving.
    #[arg(long, value_name = "USD", value_parser = dollars)]
    min_saving: Option<Money>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// One finding: evidence, arithmetic, rates with their sources, and the gaps that touch it.
    Show {
        /// The finding's id, or the start of it.
        id: String,
    },
}

/// Prints the findings, or one of them.
pub async fn run(findings: &Findings, context: &Context) -> Result<(), Failure> {
    match &findings.what {
        Some(What::Show { .. }) if !findings.policy.is_empty() || findings.min_saving.is_some() => {
            Err(Failure::new(Kind::Usage, "`--policy` and `--min-saving` narrow the list, not one finding"))
        }
        Some(What::Show { id }) => show(id, context).await,
        None => list(findings, context).await,
    }
}

async fn show(id: &str, context: &Context) -> Result<(), Failure> {
    let format = context.format(&[Format::Table, Format::Json])?;
    let assessment = context.assess().await?;
    let finding = find(id, &assessment)?;
    match format {
        Format::Json => context.term.data(&json(&assessment, &[finding])?),
        _ => context.term.data(&show::page(finding, &assessment)),
    }
}

fn find<'a>(id: &str, assessment: &'a Assessment) -> Result<&'a Finding, Failure> {
    let shown = crate::model::text::terminal(id);
    let mut like = assessment.findings.iter().filter(|finding| finding.id.0.starts_with(id));
    match (like.next(), like.next()) {
        (Some(finding), None) => Ok(finding),
        (Some(_), Some(_)) => Err(Failure::new(Kind::Usage, format!("several findings begin with `{shown}`"))),
        (None, _) => Err(Failure::failed(format!("snapshot {} has no finding `{shown}`", assessment.snapshot))
            .hint("`leanlake findings` lists them; a finding that was fixed is gone from newer snapshots")),
    }
}

async fn list(asked: &Findings, context: &Context) -> Result<(), Failure> {
    let format = context.format(&[Format::Table, Format::Json, Format::Csv])?;
    let assessment = context.assess().await?;
    let wanted = |finding: &&Finding| {
        (asked.policy.is_empty() || asked.policy.contains(&finding.policy))
            && asked.min_saving.is_none_or(|least| likely(finding).is_some_and(|saving| saving >= least))
    };
    let findings: Vec<&Finding> = assessment.findings.iter().filter(wanted).collect();
    match format {
        Format::Json => context.term.data(&json(&assessment, &findings)?),
        Format::Csv => context.term.csv(&csv(&findings, &assessment.dollars)),
        Format::Table | Format::Markdown => context.term.data(&table(&assessment, &findings)),
    }
}

/// What it is likely to save a month: what counts of it, where it is recommended.
fn likely(finding: &Finding) -> Option<Money> {
    match finding.verdict {
        Verdict::Recommended { counted, .. } => Some(counted.expected),
        _ => finding.saving.known().map(|range| range.expected),
    }
}

fn json(assessment: &Assessment, findings: &[&Finding]) -> Result<String, Failure> {
    serde_json::to_string_pretty(&Document::of(assessment, findings))
        .map_err(|error| Failure::failed("the findings cannot be written as JSON").caused_by(error))
}

fn table(assessment: &Assessment, findings: &[&Finding]) -> String {
    let mut table = TextTable::new(&[
        ("finding", Align::Left),
        ("a month", Align::Right),
        ("verdict", Align::Left),
        ("effort", Align::Left),
        ("resource", Align::Left),
        ("policy", Align::Left),
    ]);
    for finding in findings {
        let new = if finding.status == Status::New && assessment.previous.is_some() { " new" } else { "" };
        let saving = match finding.verdict {
            Verdict::Recommended { counted, .. } => counted.human(),
            _ => finding.saving.human(),
        };
        table.row([
            format!("{}{new}", finding.id),
            saving,
            finding.verdict.as_str().replace('_', " "),
            finding.effort.as_str().to_owned(),
            finding.resource.terminal(),
            finding.policy.clone(),
        ]);
    }
    let banner = assessment.origin.banner().map(|banner| format!("{banner}\n\n")).unwrap_or_default();
    let bill = assessment.bill_month.map(|month| format!("\nThe bill: {}.", month.described())).unwrap_or_default();
    format!("{banner}{table}\n\n{}{bill}", summary(assessment))
}

/// Says what the dollars of the headline rest on.
fn rests_on(headline: &[SourceTotal]) -> String {
    let parts: Vec<String> =
        headline.iter().map(|part| format!("{} on {}", part.low.human(), part.source.human())).collect();
    if parts.is_empty() { String::new() } else { format!("Of it rests {}.", parts.join(", ")) }
}

fn summary(assessment: &Assessment) -> String {
    let totals = &assessment.totals;
    let first = match totals.recommended_count {
        0 => "Nothing is recommended.".to_owned(),
        count => format!(
            "At least {} a month can be saved by {count} recommendation{} ({}), for {} once. {}",
            totals.headline_low.human(),
            if count == 1 { "" } else { "s" },
            totals.recommended.human(),
            totals.one_off.human(),
            rests_on(&assessment.dollars.headline),
        ),
    };
    format!(
        "{first}\n\
         Possible, if a look settles it: {}. Unknown: {}. Costs eat the saving: {}. Overtaken by a better one: {}.",
        totals.possible_count,
        totals.unknown_count,
        totals.no_payback_count,
        totals.outbid_count + totals.clash_count,
    )
}
