//! Formulas: one expression over a row's columns, the policy's parameters and unit prices, in exact decimals.
//!
//! A NULL or a missing rate makes the answer *unknown* and names what is missing. Never 0, never a float, never a price
//! that is written into the formula.

mod eval;
mod parse;
mod unit;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::model::{Row, Untrusted};
use crate::prices::{End, PriceBook, Rate, RateCard};
use parse::Node;
pub use unit::Unit;

/// A formula, parsed, with the unit of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula {
    text: String,
    node: Node,
    unit: Unit,
}

/// What is wrong with a formula, and the character of its text where that is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct FormulaError {
    /// What is wrong.
    pub what: String,
    /// Line and column inside the formula, from 1.
    pub at: Option<(usize, usize)>,
}

impl FormulaError {
    fn new(what: impl Into<String>) -> Self {
        FormulaError { what: what.into(), at: None }
    }
}

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Literal {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
}

/// Parameters by name.
pub type Params = BTreeMap<String, Literal>;

/// Everything that a formula may read.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The row of the policy's query.
    pub row: &'a Row,
    /// The policy's parameters.
    pub params: &'a Params,
    /// The snapshot's time.
    pub as_of: DateTime<Utc>,
    /// The row's Region.
    pub region: &'a str,
    /// Unit prices.
    pub card: &'a RateCard,
}

/// What a formula answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number, in the formula's unit.
    Number(Decimal),
    /// Text.
    Text(Untrusted),
    /// Yes or no.
    Flag(bool),
    /// An instant.
    Instant(DateTime<Utc>),
}

/// An answer with its arithmetic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Computed {
    /// The answer.
    pub value: Value,
    /// The formula with its numbers in; safe for a terminal.
    pub numbers: String,
    /// The rates used, in the order of reading.
    pub rates: Vec<Rate>,
}

/// Why there is no answer: the column, parameter or rate that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// In words; safe for a terminal.
    pub why: String,
}

impl Formula {
    /// Returns the formula written in `text`.
    ///
    /// # Errors
    /// It is not one expression of the grammar, names an item that the price book does not have, or mixes units.
    pub fn parse(text: &str, book: &PriceBook) -> Result<Self, FormulaError> {
        let node = parse::parse(text)?;
        let unit = unit::of(&node, book)?;
        Ok(Formula { text: text.trim().to_owned(), node, unit })
    }

    /// Returns the text as the policy wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the unit of the answer.
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    /// Returns the columns that the formula names.
    pub fn columns(&self) -> Vec<&str> {
        self.node.names(|node| match node {
            Node::Column(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Returns the parameters that the formula names.
    pub fn params(&self) -> Vec<&str> {
        self.node.names(|node| match node {
            Node::Param(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Returns the answer for one row, with rates for one end of a range.
    ///
    /// # Errors
    /// [`Unknown`] when something that it reads is NULL, has no rate, or cannot be divided by.
    pub fn compute(&self, inputs: &Inputs<'_>, end: End) -> Result<Computed, Unknown> {
        eval::eval(&self.node, inputs, end)
    }
}

#[cfg(test)]
mod tests;
