//! What stands around every screen: where the numbers are from and how old, the keys, the help.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::Theme;
use crate::tui::keys::{self, BINDINGS};
use crate::tui::model::{Model, Screen};

/// Draws the head: screen, snapshot, freshness, gaps; an origin that is not AWS in so many words.
pub fn head(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let theme = Theme::of(model);
    let screen = match model.screen {
        Screen::Overview => "Overview",
        Screen::Findings => "Findings",
        Screen::Detail => "Finding",
    };
    let assessment = &model.assessment;
    let account = assessment.account_id.as_deref().map(|id| format!(" · account {id}")).unwrap_or_default();
    let first = Line::from(vec![
        Span::styled(format!("leanlake  {screen}"), theme.title()),
        Span::raw(format!("{account} · as of {}", assessment.as_of.format("%Y-%m-%d %H:%M UTC"))),
    ]);
    let mut second = Vec::new();
    if let Some(banner) = assessment.origin.banner() {
        second.push(Span::styled(format!("{banner} "), theme.warn()));
    }
    match assessment.gaps.len() {
        0 => second.push(Span::styled("No gaps.", Theme::faint())),
        gaps => second.push(Span::styled(format!("{gaps} gaps: not everything was seen."), theme.warn())),
    }
    frame.render_widget(Paragraph::new(vec![first, Line::from(second)]), area);
}

/// Draws the foot: the filter while it is typed, else the last answer, else the keys of this screen.
pub fn foot(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let theme = Theme::of(model);
    let line = if model.filtering {
        Line::from(vec![
            Span::styled("filter: ", theme.title()),
            Span::raw(crate::model::text::terminal(model.filter.value())),
            Span::styled(" ", Theme::cursor()),
            Span::styled("  word  !not  policy: resource: region: account: owner: verdict: status:", Theme::faint()),
        ])
    } else if let Some(notice) = &model.notice {
        Line::styled(notice.as_str(), theme.warn())
    } else {
        let here = BINDINGS.iter().filter(|binding| binding.footer && keys::works(binding.on, model.screen));
        Line::from(
            here.flat_map(|binding| {
                let key = Span::styled(binding.shown, ratatui::style::Style::new().add_modifier(Modifier::BOLD));
                [key, Span::raw(format!(" {}  ", binding.does))]
            })
            .collect::<Vec<_>>(),
        )
    };
    frame.render_widget(Paragraph::new(line), area);
}

/// Draws every key over the screen.
pub fn help(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let height = u16::try_from(BINDINGS.len()).unwrap_or(u16::MAX).saturating_add(2).min(area.height);
    let [area] = Layout::vertical([Constraint::Length(height)]).flex(Flex::Center).areas(area);
    let [area] = Layout::horizontal([Constraint::Length(44)]).flex(Flex::Center).areas(area);
    let lines = BINDINGS.iter().map(|binding| {
        let faint = if keys::works(binding.on, model.screen) { ratatui::style::Style::new() } else { Theme::faint() };
        Line::styled(format!(" {:<10} {}", binding.shown, binding.does), faint)
    });
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(Block::bordered().title(" Keys ")), area);
}
