//! Where roll-ups run: in this process, or wherever the same SQL is understood.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Batches, RollUp, RollUpError};
use crate::engine::files::Files;
use crate::model::Money;

/// An engine that is not in this process.
#[async_trait]
pub trait Elsewhere: fmt::Debug + Send + Sync {
    /// Rolls files up there.
    ///
    /// # Errors
    /// It cannot, or may not; the words say what to do instead.
    async fn run(&self, roll_up: &'static RollUp, files: &Files) -> Result<Batches, RollUpError>;

    /// Ends what is still under way there after an interruption, and takes back what was made.
    async fn settle(&self);

    /// Returns what was spent there so far.
    fn usd(&self) -> Money;
}

/// Where roll-ups run.
#[derive(Clone, Debug, Default)]
pub enum Runner {
    /// In this process.
    #[default]
    Here,
    /// Somewhere else.
    There(Arc<dyn Elsewhere>),
}

impl Runner {
    /// Rolls files up.
    ///
    /// # Errors
    /// As [`RollUp::run`], and what keeps the other engine from it.
    pub async fn run(&self, roll_up: &'static RollUp, files: Files) -> Result<Batches, RollUpError> {
        match self {
            Runner::Here => roll_up.run(files).await,
            Runner::There(there) => there.run(roll_up, &files).await,
        }
    }

    /// Ends what is still under way.
    pub async fn settle(&self) {
        if let Runner::There(there) = self {
            there.settle().await;
        }
    }

    /// Returns what was spent elsewhere; zero here.
    pub fn usd(&self) -> Money {
        match self {
            Runner::Here => Money::ZERO,
            Runner::There(there) => there.usd(),
        }
    }
}
