//! The event loop: one task owns the terminal; keys and answers come in, frames go out.

use std::io;

use crossterm::event::{Event, EventStream, KeyEventKind};
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::model::{Message, Model};
use super::screen::Screen;
use super::update::{Effect, update};
use super::{keys, view};

/// Why the dashboard ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal cannot be drawn to or read from.
    #[error("cannot use this terminal: {0}")]
    Terminal(#[from] io::Error),
}

/// Shows the dashboard until the reader quits. `act` carries out an effect and answers with a message; the screen
/// goes on meanwhile. The terminal is restored on return and on a panic.
///
/// # Errors
/// The terminal cannot be used.
pub async fn run(model: &mut Model, act: impl AsyncFn(Effect) -> Message) -> Result<(), TuiError> {
    let mut screen = Screen::take()?;
    turn(&mut screen, model, act).await
}

async fn turn(screen: &mut Screen, model: &mut Model, act: impl AsyncFn(Effect) -> Message) -> Result<(), TuiError> {
    let mut acting = FuturesUnordered::new();
    let mut events = EventStream::new();
    loop {
        screen.terminal.draw(|frame| view::view(model, frame))?;
        let message = tokio::select! {
            event = events.next() => match event {
                Some(event) => heard(model, &event?),
                None => return Ok(()),
            },
            Some(answer) = acting.next() => Some(answer),
        };
        match message.and_then(|message| update(model, message)) {
            Some(Effect::Quit) => return Ok(()),
            Some(effect) => acting.push(act(effect)),
            None => {}
        }
    }
}

fn heard(model: &Model, event: &Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => keys::message(model, *key),
        _ => None,
    }
}
