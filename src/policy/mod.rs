//! Policies: files that say what to look for, what it saves and how to fix it, and the findings that they return.
//!
//! Knows no service and holds no price: SQL returns rows and whole quantities, formulas price them.

mod action;
mod curve;
mod error;
mod evaluate;
mod file;
pub mod format;
pub mod formula;
mod gaps;
mod library;
mod page;
mod parsed;
mod position;
mod query;
mod schema;
mod test;
#[cfg(test)]
mod tests;

pub use error::PolicyError;
pub use evaluate::{Evaluation, evaluate};
pub use library::Library;
pub use page::{index, page, skeleton};
pub use parsed::Policy;
pub use query::Query;
pub use schema::schema;
pub use test::{CaseReport, Kind, test};
