//! The assessment that findings, report, plan and screens start from.

use std::collections::BTreeSet;

use super::Context;
use crate::analysis::{self, ANALYSES, AnalysisError};
use crate::config;
use crate::engine::Engine;
use crate::error::Failure;
use crate::forecast::SpendError;
use crate::portfolio::{AssessError, Assessment, Settings, assess};
use crate::prices::PriceBook;
use crate::store::Snapshot;

impl Context {
    /// Returns the assessment of the snapshot that the options name.
    ///
    /// # Errors
    /// There is no such snapshot, it is damaged, or a policy is wrong.
    pub async fn assess(&self) -> Result<Assessment, Failure> {
        let (library, opened) = (self.library().await?, self.open().await?);
        let previous = opened.previous.as_ref();
        let settings = Settings { owner_tags: self.config.texts(&config::OWNER_TAGS).to_vec() };
        let book = book(&opened.snapshot).await?;
        Ok(assess(&opened.snapshot, previous, &library, &book, &settings).await?)
    }
}

/// Computes the analyses that the question names and makes them tables of the engine.
///
/// # Errors
/// One of them failed.
pub(super) async fn provide(engine: &Engine, sql: &str, snapshot: &Snapshot) -> Result<(), Failure> {
    let as_of = snapshot.as_of();
    let names = names_of(sql);
    // The analyses themselves are made of costs.
    if !names.is_empty() || sql.contains("costs") || sql.contains("charges") {
        analysis::stand_in(engine).await?;
    }
    if names.is_empty() {
        return Ok(());
    }
    let card = analysis::rate_card(engine, book(snapshot).await?, as_of).await?;
    Ok(analysis::provide(engine, &card, as_of, &names).await?)
}

fn names_of(sql: &str) -> BTreeSet<String> {
    let names = ANALYSES.iter().map(|analysis| analysis.table.name).filter(|name| sql.contains(name));
    names.map(str::to_owned).collect()
}

async fn book(snapshot: &Snapshot) -> Result<PriceBook, Failure> {
    super::prices::book(&snapshot.store, snapshot.origin()).await
}

impl From<AnalysisError> for Failure {
    fn from(error: AnalysisError) -> Failure {
        let AnalysisError::Query { analysis, source } = error;
        let mut failure = Failure::from(source);
        failure.message = format!("cannot compute `{analysis}`: {}", failure.message);
        failure
    }
}

impl From<AssessError> for Failure {
    fn from(error: AssessError) -> Failure {
        match error {
            AssessError::Engine(error) | AssessError::Spend(SpendError::Engine(error)) => error.into(),
            AssessError::Store(error) => error.into(),
            AssessError::Policy(error) => error.into(),
            AssessError::Analysis(error) => error.into(),
        }
    }
}
