//! What a verb failed with: a kind that decides the exit code, a message, and hints for the next step.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// Why a verb did not end well. Kind decides the exit code; scripts hang on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It failed; bad input included.
    Failed,
    /// A threshold was met, or the plan has changes where that was asked.
    Threshold,
    /// Some of it was done.
    Partly,
    /// No credentials, or no permission for anything.
    Credentials,
    /// Refused: stale, drifted or contended.
    Stale,
    /// Refused: a guard.
    Guarded,
    /// The command line could not be understood.
    Usage,
    /// Ctrl-C.
    Interrupted,
}

impl Kind {
    /// Returns the exit code.
    pub const fn code(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Threshold => 2,
            Kind::Partly => 3,
            Kind::Credentials => 4,
            Kind::Stale => 5,
            Kind::Guarded => 6,
            Kind::Usage => 64,
            Kind::Interrupted => 130,
        }
    }
}

impl From<Kind> for ExitCode {
    fn from(kind: Kind) -> ExitCode {
        ExitCode::from(kind.code())
    }
}

/// A failure as it is shown: what happened to what, and what to type next. Text must be safe for a terminal.
#[derive(Debug)]
pub struct Failure {
    /// Decides the exit code.
    pub kind: Kind,
    /// What we were doing, to what, and what came back: lower case, no full stop.
    pub message: String,
    /// The next command to type, or the next thing to look at.
    pub hints: Vec<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// Returns a failure without hints.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Failure { kind, message: message.into(), hints: Vec::new(), source: None }
    }

    /// Returns the failure of kind `Failed`.
    pub fn failed(message: impl Into<String>) -> Self {
        Failure::new(Kind::Failed, message)
    }

    /// Returns the failure with one more hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns the failure with the error that caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_a_contract() {
        use Kind::{Credentials, Failed, Guarded, Interrupted, Partly, Stale, Threshold, Usage};
        let kinds = [Failed, Threshold, Partly, Credentials, Stale, Guarded, Usage, Interrupted];
        assert_eq!(kinds.map(Kind::code), [1, 2, 3, 4, 5, 6, 64, 130]);
    }
}
