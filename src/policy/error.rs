//! What can be wrong with policies, in words for the person who wrote them.

use crate::analysis::AnalysisError;
use crate::engine::EngineError;
use crate::prices::PriceError;

/// Why policies could not be loaded or evaluated.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A mistake in a policy file.
    #[error("{path}:{line}:{column}: {what}")]
    File {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        what: String,
    },
    /// A folder or file that cannot be read.
    #[error("cannot read policies from `{path}`: {what}")]
    Folder {
        /// The folder or file.
        path: String,
        /// What came back.
        what: String,
    },
    /// The price book cannot be read.
    #[error(transparent)]
    Prices(#[from] PriceError),
    /// An analysis failed.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// The engine failed.
    #[error(transparent)]
    Engine(EngineError),
    /// A policy's query failed while it ran.
    #[error("policy `{policy}` failed: {source}")]
    Query {
        /// The policy.
        policy: String,
        /// What came back.
        source: EngineError,
    },
    /// Two rows about the same resource: their dollars would be counted twice.
    #[error(
        "policy `{policy}` returned two rows about `{resource}` in {account_id} {region}: its query must group them"
    )]
    Duplicate {
        /// The policy.
        policy: String,
        /// The account.
        account_id: String,
        /// The Region.
        region: String,
        /// The resource, safe for a terminal.
        resource: String,
    },
    /// A row that does not say what it is about.
    #[error("policy `{policy}` returned a row without `{column}`")]
    Nameless {
        /// The policy.
        policy: String,
        /// The column that is NULL.
        column: &'static str,
    },
}
