//! A check-up: each call of a scan really tried, a few times each, and a verdict for each permission.
//!
//! Reads only what a scan reads, keeps no row and writes nothing. What a missing permission hides is told elsewhere.

mod verdict;

pub use verdict::{Permission, Verdict, permissions};

use crate::aws::collect::advice::Adviser;
use crate::aws::collect::{Collector, READS, Read, Scope};
use crate::aws::connector::{Connector, Sample};
use crate::aws::look::look;
use crate::model::{Coverage, CoverageState};

/// How much of a scan a check-up is. Cost Explorer is asked once, since an answer costs.
pub const SAMPLE: Sample = Sample { each: 5, once: &["ce:GetCostAndUsage"] };

/// What a check-up leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Without {
    /// Cost Explorer, whose answers cost.
    pub bill: bool,
    /// The organization, which only a scan of several accounts asks.
    pub organization: bool,
}

/// Tries every call of a scan in the scope's account and Region, through a connector with a sample.
pub async fn check_up(scope: &Scope, connector: &Connector, without: Without) -> Vec<Permission> {
    let mut scope = Scope { earlier: Vec::new(), ..scope.clone() };
    // One answer of Cost Explorer is enough to know that it answers.
    scope.options.advisers = Adviser::ALL.into_iter().filter(|adviser| !adviser.is_paid()).collect();
    let left_out = |collector: &Collector| match collector {
        Collector::Bill => without.bill,
        Collector::Organization => without.organization,
        _ => false,
    };
    let all = Collector::ALL.into_iter().chain([Collector::Organization]);
    let (out, asked): (Vec<Collector>, Vec<Collector>) = all.partition(left_out);
    let mut told: Vec<Coverage> = out.iter().flat_map(|collector| collector.reads()).map(not_asked).collect();
    let paid = Adviser::ALL.into_iter().filter(|adviser| adviser.is_paid());
    told.extend(paid.map(|adviser| not_asked(adviser.read())));
    told.extend(look(&scope, &asked, &[]).await.coverage);
    permissions(&READS.concat(), &connector.tried(), &told)
}

fn not_asked(read: &Read) -> Coverage {
    Coverage::new(read.table, read.operation, CoverageState::NotAsked).because("it was left out")
}

#[cfg(test)]
mod tests;
