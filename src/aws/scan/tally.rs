//! What the coverage of a scan amounts to: whether it saw anything, and why it is no snapshot when it did not.

use std::collections::BTreeSet;

use super::ScanError;
use crate::aws::collect::Heard;
use crate::aws::collect::cloudtrail::changed::CHANGES;
use crate::model::{Coverage, CoverageState, Untrusted};
use crate::store::tables::bill::BILLING_VIEWS;

/// What the coverage amounts to.
#[derive(Debug, Default)]
pub struct Tally {
    /// True when anything of the lake was seen: which views of a bill there are is nothing of it.
    seen: bool,
    /// What could not be seen.
    pub gaps: Vec<Coverage>,
    /// Buckets whose settings are as an earlier scan read them.
    pub unchanged: u64,
}

impl Tally {
    /// Counts one piece of coverage.
    pub fn add(&mut self, coverage: &Coverage) {
        if (coverage.table.as_str(), coverage.read.as_str()) == (CHANGES.table, CHANGES.operation) {
            self.unchanged += coverage.seen.and_then(|seen| u64::try_from(seen).ok()).unwrap_or_default();
        }
        match coverage.state {
            CoverageState::NotAsked => {}
            state => {
                let lake = coverage.table != BILLING_VIEWS.name;
                self.seen |= lake && matches!(state, CoverageState::Seen | CoverageState::Partial);
                self.gaps.extend(coverage.is_gap().then(|| coverage.clone()));
            }
        }
    }

    /// Says why a scan that saw nothing is no snapshot.
    pub fn refuse(&self, heard: &Heard, arn: &str, interrupted: bool, over_budget: bool) -> Result<(), ScanError> {
        let saw = self.seen && heard.answered();
        if saw || (self.gaps.is_empty() && !interrupted) {
            return Ok(());
        }
        let example = self.example();
        if self.is_denied() && !interrupted {
            let missing: BTreeSet<String> = self.gaps.iter().filter_map(|gap| gap.missing_action.clone()).collect();
            let (arn, missing) = (crate::model::text::terminal(arn), missing.into_iter().collect());
            return Err(ScanError::AllDenied { arn, example, missing });
        }
        Err(match heard.refused() {
            _ if interrupted => ScanError::Interrupted,
            Some(failed) => ScanError::Expired { said: failed.reason },
            None if over_budget => ScanError::NothingPaid { example },
            None => ScanError::NothingSeen { example },
        })
    }

    fn is_denied(&self) -> bool {
        self.gaps.iter().all(|gap| gap.missing_action.is_some())
    }

    /// Returns one reason, safe for a terminal.
    fn example(&self) -> String {
        self.gaps.iter().find_map(|gap| gap.reason.as_ref()).map(Untrusted::terminal).unwrap_or_default()
    }
}
