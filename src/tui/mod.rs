//! The dashboard: model, message, update, view. `update` and `view` are pure, so both are tested without a terminal.
//!
//! It reads an assessment and asks by emitting an [`Effect`]; it never calls AWS, touches a file or prints.

mod filter;
pub mod keys;
mod model;
mod run;
mod screen;
mod update;
pub mod view;

pub use model::{Message, Model, Screen, Sort};
pub use run::{TuiError, run};
pub use update::{Effect, update};
