//! An assessment → text. Pure: no clock, no colour, no terminal; the same snapshot gives the same bytes.
//!
//! Templates are minijinja with fuel and without a loader. Every string that a template prints is escaped for its
//! format, so a template (a user's too) cannot let account text through by forgetting a filter.

mod gaps;
mod markdown;
mod summary;
mod unlocks;
pub mod weekly;

pub use markdown::{RenderError, WEEKLY_TEMPLATE, render};
pub use weekly::Weekly;
