//! The dashboard without a terminal: keys in, screens out.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use leanlake::tui::{Effect, Model, keys, update, view};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::assessed;

struct Desk {
    model: Model,
    effects: Vec<Effect>,
}

impl Desk {
    async fn new() -> Self {
        Desk { model: Model::new(Arc::new(assessed::demo().await.clone()), false), effects: Vec::new() }
    }

    fn press(&mut self, key: KeyCode) -> &mut Self {
        if let Some(message) = keys::message(&self.model, KeyEvent::new(key, KeyModifiers::NONE)) {
            self.effects.extend(update(&mut self.model, message));
        }
        self
    }

    fn types(&mut self, text: &str) -> &mut Self {
        text.chars().for_each(|c| {
            self.press(KeyCode::Char(c));
        });
        self
    }

    fn screen(&self, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view::view(&self.model, frame)).unwrap();
        terminal.backend().to_string()
    }
}

#[tokio::test]
async fn each_screen_looks_as_committed() {
    let mut desk = Desk::new().await;
    for (width, height) in [(80, 24), (120, 40)] {
        let name = |screen: &str| format!("{screen}-{width}x{height}");
        desk.press(KeyCode::Char('1'));
        insta::assert_snapshot!(name("overview"), desk.screen(width, height));
        desk.press(KeyCode::Char('2'));
        insta::assert_snapshot!(name("findings"), desk.screen(width, height));
        desk.press(KeyCode::Enter);
        insta::assert_snapshot!(name("detail"), desk.screen(width, height));
        desk.press(KeyCode::Char('?'));
        insta::assert_snapshot!(name("keys"), desk.screen(width, height));
        desk.press(KeyCode::Esc);
    }
}

#[tokio::test]
async fn the_filter_works_while_it_is_typed_and_escape_takes_it_away() {
    let mut desk = Desk::new().await;
    desk.types("2/policy:athena");
    let shown = desk.model.shown.len();
    assert!(shown > 0 && shown < desk.model.assessment.findings.len());
    assert!(desk.model.shown.iter().all(|at| desk.model.assessment.findings[*at].policy.contains("athena")));
    desk.types(" !emea");
    assert!(desk.model.shown.len() < shown, "a word with ! must not be there");
    desk.press(KeyCode::Esc);
    assert_eq!(desk.model.shown.len(), desk.model.assessment.findings.len());
    assert!(desk.effects.is_empty(), "q and w are text while a filter is typed");
}

#[tokio::test]
async fn space_fills_the_basket_and_w_asks_for_a_plan_of_it() {
    let mut desk = Desk::new().await;
    desk.types("2/policy:abandoned verdict:recommended").press(KeyCode::Enter);
    desk.types(" ").press(KeyCode::Down).types(" w");
    assert_eq!(desk.effects, [Effect::WritePlan(desk.model.basket.iter().cloned().collect())]);
    assert_eq!(desk.model.basket.len(), 2);
    desk.types("cw");
    assert_eq!(desk.effects.len(), 1, "an empty basket makes no plan");
    assert!(desk.screen(80, 24).contains("the basket is empty"));
}

#[tokio::test]
async fn escape_never_leaves_and_q_does() {
    let mut desk = Desk::new().await;
    desk.press(KeyCode::Char('2')).press(KeyCode::Enter);
    for _ in 0..9 {
        desk.press(KeyCode::Esc);
    }
    assert!(desk.effects.is_empty());
    desk.press(KeyCode::Char('q'));
    assert_eq!(desk.effects, [Effect::Quit]);
}

#[tokio::test]
async fn every_size_of_terminal_is_drawn_without_a_panic() {
    let mut desk = Desk::new().await;
    for keys in ["1", "2", "2\n", "?"] {
        keys.chars().for_each(|c| {
            desk.press(if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) });
        });
        for (width, height) in [(1, 1), (2, 40), (59, 15), (60, 14), (60, 15), (61, 16), (80, 5), (200, 60)] {
            desk.screen(width, height);
        }
    }
}

#[tokio::test]
async fn account_text_reaches_no_screen_unescaped() {
    let mut desk = Desk::new().await;
    desk.press(KeyCode::Char('2'));
    let screen = desk.screen(160, 400);
    for nasty in ['\u{1b}', '\u{202e}', '\u{200b}'] {
        assert!(!screen.contains(nasty), "{nasty:?}");
    }
}

fn any_key() -> impl Strategy<Value = KeyCode> {
    let all: Vec<KeyCode> = keys::BINDINGS.iter().flat_map(|binding| binding.keys).copied().collect();
    prop_oneof![proptest::sample::select(all), any::<char>().prop_map(KeyCode::Char)]
}

#[test]
fn no_sequence_of_keys_breaks_the_dashboard() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let assessment = Arc::new(runtime.block_on(assessed::demo()).clone());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    let sequences = proptest::collection::vec(any_key(), 1..40);
    let tried = runner.run(&sequences, |keys| {
        let mut desk = Desk { model: Model::new(Arc::clone(&assessment), true), effects: Vec::new() };
        for key in keys {
            desk.press(key);
            prop_assert!(desk.model.shown.is_empty() || desk.model.cursor < desk.model.shown.len());
        }
        desk.screen(80, 24);
        Ok(())
    });
    tried.unwrap();
}
