//! The findings as a table: filtered, sorted, with the basket.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, Row, Table, TableState};

use super::Theme;
use crate::model::{Finding, Status, Untrusted, Verdict};
use crate::tui::model::Model;

/// Draws the table of findings.
pub fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let theme = Theme::of(model);
    let rows = model.shown.iter().map(|at| row(model, &model.assessment.findings[*at]));
    let widths = [
        Constraint::Length(1),
        Constraint::Length(21),
        Constraint::Length(11),
        Constraint::Length(22),
        Constraint::Fill(1),
        Constraint::Length(14),
        Constraint::Length(10),
        Constraint::Length(3),
    ];
    let header = Row::new(["", "a month", "verdict", "policy", "resource", "region", "owner", ""]).style(theme.title());
    let filter = match model.filter.value() {
        "" => String::new(),
        text => format!(" matching “{}”", crate::model::text::terminal(text)),
    };
    let title =
        format!(" {} of {}{filter}, by {} ", model.shown.len(), model.assessment.findings.len(), model.sort.as_str());
    let basket = format!(" basket: {} ", model.basket.len());
    let block = Block::bordered().title(title).title_bottom(Line::from(basket).alignment(Alignment::Right));
    let table = Table::new(rows, widths).header(header).block(block).row_highlight_style(Theme::cursor());
    let mut state = TableState::new().with_selected(Some(model.cursor));
    frame.render_stateful_widget(table, area, &mut state);
}

fn row<'a>(model: &Model, finding: &'a Finding) -> Row<'a> {
    let saving = match &finding.verdict {
        Verdict::Recommended { counted, .. } => counted.human(),
        _ => finding.saving.human(),
    };
    let mark = if model.basket.contains(&finding.id) { "●" } else { "" };
    let new = if finding.status == Status::New { "new" } else { "" };
    Row::new([
        Line::from(mark),
        Line::from(saving).alignment(Alignment::Right),
        Line::from(finding.verdict.as_str().replace('_', " ")),
        Line::from(finding.policy.as_str()),
        Line::from(finding.resource.terminal()),
        Line::from(finding.region.as_str()),
        Line::from(finding.owner.as_ref().map(Untrusted::terminal).unwrap_or_default()),
        Line::from(new),
    ])
}
