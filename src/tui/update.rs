//! Message in, new state out, and now and then a wish to the outside.

use super::model::{Message, Model, Screen};
use crate::model::{Action, FindingId};

/// Lines of one screenful, for paging.
const PAGE: isize = 10;

/// A wish to the outside. None of them writes to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write a plan file for these findings.
    WritePlan(Vec<FindingId>),
    /// Leave.
    Quit,
}

/// Changes the state; returns a wish to the outside where there is one.
pub fn update(model: &mut Model, message: Message) -> Option<Effect> {
    match message {
        Message::Quit => return Some(Effect::Quit),
        Message::WritePlan => return write_plan(model),
        Message::PlanWritten(answer) => model.notice = Some(answer.unwrap_or_else(|why| format!("no plan: {why}"))),
        Message::Show(screen) => show(model, screen),
        Message::NextScreen => show(model, next(model.screen)),
        Message::Move(lines) => step(model, lines),
        Message::Page(pages) => step(model, pages.saturating_mul(PAGE)),
        Message::First => step(model, isize::MIN),
        Message::Last => step(model, isize::MAX),
        Message::Open => open(model),
        Message::Back => back(model),
        Message::Filter => model.filtering = true,
        Message::KeepFilter => model.filtering = false,
        Message::Type(change) => {
            model.filter.handle(change);
            model.arrange();
        }
        Message::NextSort => {
            model.sort = model.sort.next();
            model.arrange();
        }
        Message::ToggleBasket => toggle(model),
        Message::ClearBasket => model.basket.clear(),
        Message::Help => model.help = !model.help,
    }
    None
}

fn next(screen: Screen) -> Screen {
    match screen {
        Screen::Overview => Screen::Findings,
        Screen::Findings | Screen::Detail => Screen::Overview,
    }
}

fn show(model: &mut Model, screen: Screen) {
    (model.screen, model.scroll, model.help) = (screen, 0, false);
}

fn step(model: &mut Model, lines: isize) {
    if model.screen == Screen::Detail {
        let lines = i16::try_from(lines).unwrap_or(if lines < 0 { i16::MIN } else { i16::MAX });
        model.scroll = model.scroll.saturating_add_signed(lines);
    } else {
        model.cursor = model.cursor.saturating_add_signed(lines).min(model.shown.len().saturating_sub(1));
    }
}

fn open(model: &mut Model) {
    if model.selected().is_some() {
        show(model, Screen::Detail);
    }
}

/// One step back at a time; it never leaves.
fn back(model: &mut Model) {
    if model.help {
        model.help = false;
    } else if model.filtering || (model.screen == Screen::Findings && !model.filter.value().is_empty()) {
        model.filtering = false;
        model.filter.reset();
        model.arrange();
    } else if model.screen == Screen::Detail {
        show(model, Screen::Findings);
    } else {
        show(model, Screen::Overview);
    }
}

/// Only a finding whose change leanlake plans can go into the basket.
fn toggle(model: &mut Model) {
    let Some(finding) = model.selected() else { return };
    let id = finding.id.clone();
    if !finding.action.as_ref().is_some_and(Action::is_planned) {
        model.notice = Some("leanlake plans no change for this finding: enter shows what a person does".to_owned());
    } else if !model.basket.remove(&id) {
        model.basket.insert(id);
    }
}

fn write_plan(model: &mut Model) -> Option<Effect> {
    if model.basket.is_empty() {
        model.notice = Some("the basket is empty: space puts a finding into it".to_owned());
        return None;
    }
    model.notice = Some("looking at the buckets to make the plan …".to_owned());
    Some(Effect::WritePlan(model.basket.iter().cloned().collect()))
}
