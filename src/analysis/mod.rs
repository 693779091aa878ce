//! Derived tables: snapshot × prices × as-of → rows, computed when a query names them.
//!
//! Pure, and ignorant of policies: an analysis takes no arguments and emits every alternative as a row; a policy's
//! WHERE chooses. Never reads a clock, a file or AWS.

mod athena;
mod athena_reuse;
mod bill;
mod dataset_costs;
mod from_bill;
mod pools;
mod storage;
mod storage_bounds;
mod transfer;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

pub use bill::{BillMonth, Compared, LineCost, billed, by_account, compared, full_month, lines, rate_card};
pub use from_bill::{is_filled, stand_in};
pub use pools::pools;
pub use storage::{FRESH_DAYS, stale};

use crate::engine::{Engine, EngineError};
use crate::model::Row;
use crate::prices::RateCard;
use crate::store::Table;

/// Why an analysis gave no rows.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// One of its questions to the snapshot failed.
    #[error("cannot compute `{analysis}`")]
    Query {
        /// The analysis, or what else was computed.
        analysis: &'static str,
        /// What the engine said.
        source: EngineError,
    },
}

impl AnalysisError {
    fn of(analysis: &'static str) -> impl Fn(EngineError) -> AnalysisError {
        move |source| AnalysisError::Query { analysis, source }
    }
}

/// What an analysis is handed: a snapshot's tables, the payer's rates, and the clock.
#[derive(Clone, Copy)]
struct Given<'a> {
    engine: &'a Engine,
    card: &'a RateCard,
    as_of: DateTime<Utc>,
}

/// One derived table and how it is computed.
pub struct Analysis {
    /// The declaration, like that of any table.
    pub table: Table,
    /// The tables that it reads: a gap in one of them is a gap of the analysis.
    pub inputs: &'static [&'static Table],
    compute: for<'a> fn(Given<'a>) -> BoxFuture<'a, Result<Vec<Row>, EngineError>>,
}

/// Every analysis, in the order of the docs. None needs another's table.
pub const ANALYSES: &[&Analysis] = &[
    &pools::POOLS,
    &storage_bounds::STORAGE_BOUNDS,
    &athena_reuse::ATHENA_REUSE,
    &transfer::TRANSFER,
    &dataset_costs::DATASET_COSTS,
];

/// Returns the table of the analysis called `name`.
pub fn find(name: &str) -> Option<&'static Table> {
    of(name).map(|analysis| &analysis.table)
}

/// Returns the tables that the analysis called `name` reads; none when there is no such analysis.
pub fn inputs(name: &str) -> &'static [&'static Table] {
    of(name).map_or(&[], |analysis| analysis.inputs)
}

fn of(name: &str) -> Option<&'static Analysis> {
    ANALYSES.iter().copied().find(|analysis| analysis.table.name == name)
}

/// Computes the analyses that `names` names and makes them tables of the engine; other names are ignored.
///
/// # Errors
/// A question to the snapshot failed.
pub async fn provide(
    engine: &Engine,
    card: &RateCard,
    as_of: DateTime<Utc>,
    names: &BTreeSet<String>,
) -> Result<(), AnalysisError> {
    for analysis in ANALYSES.iter().filter(|analysis| names.contains(analysis.table.name)) {
        let failed = AnalysisError::of(analysis.table.name);
        let rows = (analysis.compute)(Given { engine, card, as_of }).await.map_err(&failed)?;
        engine.register(&analysis.table, &rows).map_err(&failed)?;
    }
    Ok(())
}

/// Makes every analysis an empty table of the engine, so that a query over it can be checked.
///
/// # Errors
/// The engine refuses a table.
pub fn declare(engine: &Engine) -> Result<(), AnalysisError> {
    for analysis in ANALYSES {
        engine.register(&analysis.table, &[]).map_err(AnalysisError::of(analysis.table.name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
