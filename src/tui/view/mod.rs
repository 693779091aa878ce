//! Model in, frame out. No I/O, no state of its own; account text goes through the terminal sink.

mod detail;
mod findings;
mod frame;
mod overview;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::{Paragraph, Wrap};

use super::model::{Model, Screen};

/// Below this there is no room for a table.
const LEAST: (u16, u16) = (60, 15);

/// Draws the dashboard.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let sorry = format!("leanlake needs a terminal of {} × {}.", LEAST.0, LEAST.1);
        frame.render_widget(Paragraph::new(sorry).wrap(Wrap { trim: true }), area);
        return;
    }
    let [head, body, foot] = rows(area);
    frame::head(model, frame, head);
    match model.screen {
        Screen::Overview => overview::draw(model, frame, body),
        Screen::Findings => findings::draw(model, frame, body),
        Screen::Detail => detail::draw(model, frame, body),
    }
    frame::foot(model, frame, foot);
    if model.help {
        frame::help(model, frame, body);
    }
}

fn rows(area: Rect) -> [Rect; 3] {
    Layout::vertical([Constraint::Length(2), Constraint::Fill(1), Constraint::Length(1)]).areas(area)
}

/// The few styles: meaning is always in a word or a sign as well, so that none of them is needed.
#[derive(Clone, Copy)]
struct Theme {
    color: bool,
}

impl Theme {
    fn of(model: &Model) -> Self {
        Theme { color: model.color }
    }

    fn tint(self, color: Color) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new() }
    }

    fn title(self) -> Style {
        self.tint(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    fn good(self) -> Style {
        self.tint(Color::Green)
    }

    fn warn(self) -> Style {
        self.tint(Color::Yellow)
    }

    fn faint() -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    fn cursor() -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}
