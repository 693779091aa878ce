//! A bucket's lifecycle configuration as XML that is owned, not modelled.
//!
//! The API replaces the configuration as a whole, and a typed model drops elements that it does not know (which
//! once widened expiration rules to whole buckets elsewhere). So rules that leanlake did not write stay as the
//! bytes that were read; only rules whose ID starts with [`rule::OWN_PREFIX`] are added, changed or removed.
//! Pure: no I/O, no SDK, no clock.

pub mod cli_json;
pub mod configuration;
pub mod delta;
pub mod document;
pub mod element;
mod parser;
pub mod rule;
#[cfg(test)]
mod tests;

pub use configuration::{Configuration, Observed, Tolerance};
pub use delta::Delta;
pub use document::{Document, Form, Rule};
pub use rule::OwnRule;

/// Rules that one configuration may hold (S3 API reference, not adjustable).
pub const MAX_RULES: usize = 1000;

/// Why a document cannot be read, or cannot be changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LifecycleError {
    /// The bytes are not XML that we trust ourselves to edit.
    #[error("reading a lifecycle configuration: {0}")]
    Unreadable(String),
    /// Two rules carry the same ID of ours.
    #[error("two rules are called `{0}`: remove one of them by hand")]
    Ambiguous(String),
    /// The rule to change is not one of ours.
    #[error("the rule `{0}` was not written by leanlake and stays as it is")]
    Foreign(String),
    /// The root holds something that is not a rule.
    #[error("the configuration holds `{0}`, which is no rule that leanlake knows: change it by hand")]
    NotOnlyRules(String),
    /// One more rule than S3 takes.
    #[error("the configuration would hold {0} rules; S3 takes 1000")]
    TooMany(usize),
    /// Rules with `Filter` and rules with a rule-level `Prefix` stand side by side.
    #[error("the configuration mixes rules with `Filter` and rules with a rule-level `Prefix`")]
    Mixed,
    /// Our rule would overlap another of the old form, which S3 refuses there.
    #[error("the configuration is in the old form (rule-level `Prefix`), where the rule `{0}` would overlap ours")]
    LegacyOverlap(String),
}
