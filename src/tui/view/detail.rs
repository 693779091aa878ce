//! One finding: what, why, the evidence, the arithmetic with its rates, the range, what would narrow it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::Theme;
use crate::model::finding::TraceStep;
use crate::model::{Estimate, Finding, Status, Untrusted, Verdict, text};
use crate::tui::model::Model;

/// Draws the finding under the cursor.
pub fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let Some(finding) = model.selected() else {
        frame.render_widget(Paragraph::new("No finding.").block(Block::bordered()), area);
        return;
    };
    let lines = lines(finding, Theme::of(model));
    let mark = if model.basket.contains(&finding.id) { "● in the basket " } else { "" };
    let block = Block::bordered().title(format!(" {} {mark}", finding.id));
    let last = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(1);
    let text = Paragraph::new(lines).wrap(Wrap { trim: false }).scroll((model.scroll.min(last), 0)).block(block);
    frame.render_widget(text, area);
}

fn lines(finding: &Finding, theme: Theme) -> Vec<Line<'_>> {
    let mut lines = vec![Line::styled(finding.title.as_str(), theme.title())];
    let mut say = |label: &'static str, value: String| lines.push(field(label, value));
    say("resource", format!("{} · {} · account {}", finding.resource.terminal(), finding.region, finding.account_id));
    say("owner", finding.owner.as_ref().map_or_else(|| "nobody: no owner tag".to_owned(), Untrusted::terminal));
    say("policy", finding.policy.clone());
    say("status", if finding.status == Status::New { "new in this scan" } else { "found before" }.to_owned());
    say("verdict", verdict(&finding.verdict));
    say("saving", amount(&finding.saving, "a month"));
    say("running", amount(&finding.running, "a month on top"));
    say("pay once", amount(&finding.one_off, ""));
    say("in a year", amount(&finding.net_saving_12m, "net"));
    if let Some(days) = finding.payback_days {
        say("pays back", format!("after {days} days"));
    }
    let basis: Vec<&str> = finding.basis.iter().map(|basis| basis.as_str()).collect();
    say("rests on", format!("{} ({})", basis.join(", "), finding.confidence.as_str()));
    say("effort", format!("{}, risk {}", finding.effort.as_str(), finding.risk.as_str()));
    say("way back", if finding.reversible { "rollback restores what was there" } else { "none" }.to_owned());
    if let Some(unlock) = &finding.unlock {
        say(
            "to know more",
            text::terminal(&format!("{}: narrows {}; {}", unlock.switch_on, unlock.narrows, unlock.costs)),
        );
    }
    if let Some(steps) = &finding.instructions {
        let mut label = "what to do";
        for line in steps.trim().lines() {
            say(std::mem::take(&mut label), text::terminal(line));
        }
    }
    evidence(finding, theme, &mut lines);
    arithmetic(&finding.trace, theme, &mut lines);
    gaps(finding, theme, &mut lines);
    lines
}

fn field(label: &'static str, value: String) -> Line<'static> {
    Line::from(vec![Span::raw(format!("{label:<13}")), Span::raw(value)])
}

fn amount(estimate: &Estimate, unit: &str) -> String {
    match estimate {
        Estimate::Known(range) => {
            format!("{} {unit} (expected {})", range.human(), range.expected.human())
        }
        Estimate::Unknown(why) => format!("unknown: {}", text::terminal(why)),
    }
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Recommended { counted, limit } => {
            let why = limit.as_ref().map_or_else(String::new, |why| format!(": {}", text::terminal(why)));
            format!("recommended, {} a month counted{why}", counted.human())
        }
        Verdict::Outbid { by } => format!("outbid by {by}, which takes the same dollars"),
        Verdict::Clashes { with } => format!("clashes with {with}, which sets the same knob"),
        Verdict::NoPayback { month: Some(month) } => format!("no payback before month {month}"),
        Verdict::NoPayback { month: None } => "never pays back".to_owned(),
        Verdict::Possible => "possible: listed, not counted".to_owned(),
        Verdict::Unknown { why } => format!("unknown: {}", text::terminal(why)),
    }
}

fn evidence(finding: &Finding, theme: Theme, lines: &mut Vec<Line<'_>>) {
    lines.extend([Line::default(), Line::styled("Evidence", theme.title())]);
    for (column, value) in &finding.evidence {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        lines.push(Line::from(format!("  {} = {}", text::terminal(column), text::terminal(&value))));
    }
}

fn arithmetic(trace: &[TraceStep], theme: Theme, lines: &mut Vec<Line<'_>>) {
    lines.extend([Line::default(), Line::styled("Arithmetic", theme.title())]);
    for step in trace {
        let formula = step.formula.split_whitespace().collect::<Vec<_>>().join(" ");
        lines.push(Line::from(text::terminal(&format!("  {} = {formula}", step.of))));
        lines.push(Line::from(text::terminal(&format!("    = {} = {}", step.numbers, step.result))));
        lines.extend(
            step.rates.iter().map(|rate| Line::styled(format!("    {}", text::terminal(rate)), Theme::faint())),
        );
    }
}

fn gaps(finding: &Finding, theme: Theme, lines: &mut Vec<Line<'_>>) {
    if finding.gaps.is_empty() {
        return;
    }
    lines.extend([Line::default(), Line::styled("What could not be seen of it", theme.title())]);
    for gap in &finding.gaps {
        let reason = gap.reason.as_ref().map_or_else(|| gap.state.as_str().to_owned(), Untrusted::terminal);
        lines.push(Line::styled(format!("  {}: {reason}", text::terminal(&gap.read)), theme.warn()));
    }
}
