//! One finding as a page for the terminal: what it is, what it is worth, and how that was computed.

use std::fmt::Write;

use crate::model::text::terminal;
use crate::model::{Coverage, Estimate, Finding, Untrusted, Verdict};
use crate::portfolio::Assessment;

/// Returns the page.
pub(super) fn page(finding: &Finding, assessment: &Assessment) -> String {
    let mut page = String::new();
    if let Some(banner) = assessment.origin.banner() {
        let _ = writeln!(page, "{banner}\n");
    }
    head(&mut page, finding);
    worth(&mut page, finding);
    if let Some(source) = assessment.dollars.by_finding.get(&finding.id) {
        field(&mut page, "Dollars", &format!("rest on {}", source.human()));
    }
    if let Some(month) = assessment.bill_month {
        field(&mut page, "Bill", &month.described());
    }
    section(&mut page, "Evidence", evidence(finding));
    section(&mut page, "Arithmetic", arithmetic(finding));
    section(&mut page, "First step", first_step(finding));
    section(&mut page, "Would narrow it", unlock(finding));
    let mut gaps: Vec<String> = finding.gaps.iter().map(gap).collect();
    gaps.dedup();
    section(&mut page, "Gaps that touch it", gaps);
    page
}

fn head(page: &mut String, finding: &Finding) {
    let _ = writeln!(page, "{} · {} · {}", finding.id, finding.policy, finding.status.as_str());
    let _ = writeln!(page, "{}\n", terminal(&finding.title));
    let place = format!("{} (account {}, {})", finding.resource.terminal(), finding.account_id, finding.region);
    field(page, "Resource", &place);
    if let Some(owner) = &finding.owner {
        field(page, "Owner", &owner.terminal());
    }
    if let Some(effect) = &finding.effect {
        let class = effect.class.as_ref().map(|class| format!(", {class}")).unwrap_or_default();
        field(page, "Pool", &format!("{}{class}", effect.scope));
    }
}

fn worth(page: &mut String, finding: &Finding) {
    field(page, "Verdict", &verdict(&finding.verdict));
    field(page, "Saving", &monthly(&finding.saving));
    field(page, "Running cost", &monthly(&finding.running));
    field(page, "One-off cost", &amount(&finding.one_off));
    let pays_back = |days: u32| if days == 0 { String::new() } else { format!("; pays back in {days} days") };
    let payback = finding.payback_days.map(pays_back).unwrap_or_default();
    field(page, "Net, 12 months", &format!("{}{payback}", amount(&finding.net_saving_12m)));
    let basis: Vec<&str> = finding.basis.iter().map(|basis| basis.as_str()).collect();
    field(page, "Confidence", &format!("{}, from {}", finding.confidence.as_str(), basis.join(", ")));
    let back = if finding.reversible { "can be rolled back" } else { "cannot be rolled back" };
    let (effort, risk) = (finding.effort.as_str(), finding.risk.as_str());
    field(page, "Effort and risk", &format!("effort {effort}, risk {risk}, {back}"));
}

fn field(page: &mut String, name: &str, text: &str) {
    let _ = writeln!(page, "{name:<16} {text}");
}

fn amount(estimate: &Estimate) -> String {
    match estimate {
        Estimate::Known(range) => range.human(),
        Estimate::Unknown(why) => format!("unknown: {}", terminal(why)),
    }
}

fn monthly(estimate: &Estimate) -> String {
    let per_month = if estimate.known().is_some() { " a month" } else { "" };
    format!("{}{per_month}", amount(estimate))
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Recommended { counted, limit } => {
            let why = limit.as_ref().map_or_else(String::new, |why| format!(": {}", terminal(why)));
            format!("recommended; counts {} a month{why}", counted.human())
        }
        Verdict::Outbid { by } => format!("outbid: {by} takes the same part of the bill and saves more"),
        Verdict::Clashes { with } => format!("clashes: {with} sets the same knob to another value"),
        Verdict::NoPayback { month: Some(month) } => format!("no payback inside 12 months: it comes in month {month}"),
        Verdict::NoPayback { month: None } => "no payback: its costs eat the saving".to_owned(),
        Verdict::Possible => "possible: only a look that the snapshot does not hold can settle it".to_owned(),
        Verdict::Unknown { why } => format!("unknown: {}", terminal(why)),
    }
}

fn section(page: &mut String, title: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n{title}");
    for line in lines {
        let _ = writeln!(page, "  {line}");
    }
}

fn evidence(finding: &Finding) -> Vec<String> {
    let shown = |value: &serde_json::Value| match value {
        serde_json::Value::Null => "not known".to_owned(),
        serde_json::Value::String(text) => terminal(text),
        other => terminal(&other.to_string()),
    };
    finding.evidence.iter().map(|(name, value)| format!("{name}: {}", shown(value))).collect()
}

fn arithmetic(finding: &Finding) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &finding.trace {
        lines.push(format!("{}: {}", step.of, on_one_line(&step.formula)));
        if step.numbers != step.result {
            lines.push(format!("  = {}", terminal(&step.numbers)));
        }
        lines.push(format!("  = {}", terminal(&step.result)));
        lines.extend(step.rates.iter().map(|rate| format!("  rate: {}", terminal(rate))));
    }
    lines
}

fn on_one_line(formula: &str) -> String {
    terminal(&formula.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn first_step(finding: &Finding) -> Vec<String> {
    let plan = format!("`leanlake plan --finding {} --out plan.json` plans the change", finding.id);
    let person = "leanlake plans no change of this kind yet: a person makes it".to_owned();
    let planned = finding.action.as_ref().map(|action| if action.is_planned() { plan } else { person });
    let told = finding.instructions.iter().flat_map(|text| text.lines().map(terminal));
    planned.into_iter().chain(told).collect()
}

fn unlock(finding: &Finding) -> Vec<String> {
    let unlock = finding.unlock.iter();
    unlock.map(|unlock| format!("{}: narrows {}; costs {}", unlock.switch_on, unlock.narrows, unlock.costs)).collect()
}

fn gap(gap: &Coverage) -> String {
    let account = gap.account_id.as_deref().unwrap_or("all accounts");
    let place = format!("{account}, {}", gap.region.as_deref().unwrap_or("all Regions"));
    let resource = gap.resource.as_ref().map(|name| format!(" {}", name.terminal())).unwrap_or_default();
    let reason = gap.reason.as_ref().map_or_else(|| gap.state.as_str().to_owned(), Untrusted::terminal);
    format!("{} in {place}{resource}: {reason}", gap.read)
}
