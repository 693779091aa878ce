//! The one table of keys: what each does, and what the footer and the help say of it.
//!
//! No key destroys: the worst that one does is to write a plan file.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::InputRequest;

use super::model::{Message, Model, Screen};

/// On which screens a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Everywhere.
    All,
    /// On the table of findings.
    Findings,
    /// On the table of findings and on one of them.
    Chosen,
    /// Wherever there is something to scroll.
    Lines,
}

/// One line of the table of keys.
pub struct Binding {
    /// The keys that do it.
    pub keys: &'static [KeyCode],
    /// How they are written.
    pub shown: &'static str,
    /// What they do, in a word or two.
    pub does: &'static str,
    /// Where.
    pub on: On,
    /// True where the footer names it.
    pub footer: bool,
    message: fn() -> Message,
}

const fn bind(
    keys: &'static [KeyCode],
    shown: &'static str,
    does: &'static str,
    on: On,
    footer: bool,
    message: fn() -> Message,
) -> Binding {
    Binding { keys, shown, does, on, footer, message }
}

use KeyCode::{Backspace, Char, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Up};

/// Every key, in the order of the help.
pub const BINDINGS: &[Binding] = &[
    bind(&[Char('1')], "1", "overview", On::All, true, || Message::Show(Screen::Overview)),
    bind(&[Char('2')], "2", "findings", On::All, true, || Message::Show(Screen::Findings)),
    bind(&[Tab], "tab", "next screen", On::All, false, || Message::NextScreen),
    bind(&[Down, Char('j')], "↓ j", "down", On::Lines, false, || Message::Move(1)),
    bind(&[Up, Char('k')], "↑ k", "up", On::Lines, false, || Message::Move(-1)),
    bind(&[PageDown], "pgdn", "a screen down", On::Lines, false, || Message::Page(1)),
    bind(&[PageUp], "pgup", "a screen up", On::Lines, false, || Message::Page(-1)),
    bind(&[Home, Char('g')], "home g", "first", On::Lines, false, || Message::First),
    bind(&[End, Char('G')], "end G", "last", On::Lines, false, || Message::Last),
    bind(&[Enter, Right, Char('l')], "enter", "open", On::Findings, true, || Message::Open),
    bind(&[Char('/')], "/", "filter", On::Findings, true, || Message::Filter),
    bind(&[Char('s')], "s", "sort", On::Findings, true, || Message::NextSort),
    bind(&[Char(' ')], "space", "basket", On::Chosen, true, || Message::ToggleBasket),
    bind(&[Char('c')], "c", "empty basket", On::Chosen, false, || Message::ClearBasket),
    bind(&[Char('w')], "w", "write plan", On::Chosen, true, || Message::WritePlan),
    bind(&[Esc, Left, Char('h'), Backspace], "esc", "back", On::All, true, || Message::Back),
    bind(&[Char('?')], "?", "keys", On::All, true, || Message::Help),
    bind(&[Char('q')], "q", "quit", On::All, true, || Message::Quit),
];

/// Returns true when a binding works on a screen.
pub fn works(on: On, screen: Screen) -> bool {
    match on {
        On::All => true,
        On::Findings => screen == Screen::Findings,
        On::Chosen | On::Lines => screen != Screen::Overview,
    }
}

/// Returns what a key means where the reader is; `None` for a key that means nothing there.
pub fn message(model: &Model, key: KeyEvent) -> Option<Message> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == Char('c')).then_some(Message::Quit);
    }
    if model.filtering {
        return typed(key.code);
    }
    let here = |binding: &&Binding| binding.keys.contains(&key.code) && works(binding.on, model.screen);
    BINDINGS.iter().find(here).map(|binding| (binding.message)())
}

fn typed(code: KeyCode) -> Option<Message> {
    Some(match code {
        Enter | Down => Message::KeepFilter,
        Esc => Message::Back,
        Char(c) => Message::Type(InputRequest::InsertChar(c)),
        Backspace => Message::Type(InputRequest::DeletePrevChar),
        KeyCode::Delete => Message::Type(InputRequest::DeleteNextChar),
        Left => Message::Type(InputRequest::GoToPrevChar),
        Right => Message::Type(InputRequest::GoToNextChar),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_does_two_things_on_one_screen() {
        for screen in [Screen::Overview, Screen::Findings, Screen::Detail] {
            let here: Vec<&Binding> = BINDINGS.iter().filter(|binding| works(binding.on, screen)).collect();
            for (at, binding) in here.iter().enumerate() {
                for key in binding.keys {
                    let twice = here[at + 1..].iter().find(|other| other.keys.contains(key));
                    assert!(twice.is_none(), "{} and {:?} on {screen:?}", binding.does, twice.map(|other| other.does));
                }
            }
        }
    }

    #[test]
    fn quit_can_always_be_reached() {
        assert!(BINDINGS.iter().any(|binding| binding.does == "quit" && binding.on == On::All));
    }
}
