//! The assessment that findings, report, plan and screens start from.

use super::Context;
use crate::error::Failure;
use crate::portfolio::{AssessError, Assessment, Settings, assess};
use crate::prices::PriceBook;

impl Context {
    /// Returns the assessment of the snapshot that the options name.
    ///
    /// # Errors
    /// There is no such snapshot, it is damaged, or a policy is wrong.
    pub async fn assess(&self) -> Result<Assessment, Failure> {
        let (library, opened) = (self.library().await?, self.open().await?);
        let book = PriceBook::embedded().map_err(|error| Failure::failed(error.to_string()))?;
        let previous = opened.previous.as_ref();
        Ok(assess(&opened.snapshot, previous, &library, &book, &Settings::default()).await?)
    }
}

impl From<AssessError> for Failure {
    fn from(error: AssessError) -> Failure {
        match error {
            AssessError::Engine(error) => error.into(),
            AssessError::Store(error) => error.into(),
            AssessError::Policy(error) => error.into(),
            other => Failure::failed("the snapshot cannot be assessed").caused_by(other),
        }
    }
}
