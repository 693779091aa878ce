//! A check-up: each call of a scan really tried, a few times each, and a verdict for each permission.
//!
//! Reads only what a scan reads, keeps no row and writes nothing. What a missing permission hides is told elsewhere.

pub mod members;
mod verdict;

use std::collections::BTreeMap;

use futures::future::join_all;

pub use verdict::{Permission, Verdict, permissions};

use crate::aws::collect::advice::Adviser;
use crate::aws::collect::{Collector, READS, Reach, Read, Scope};
use crate::aws::connector::{Connector, Sample};
use crate::aws::look::look;
use crate::model::{Coverage, CoverageState};

/// How much of a scan a check-up is. Cost Explorer is asked once, since an answer costs.
pub const SAMPLE: Sample =
    Sample { each: 5, all: 20, once: &["ce:GetCostAndUsage", "ce:GetAnomalies", "ce:GetCostForecast"] };
/// Most Regions in which a check-up tries what a scan reads.
pub const REGIONS: usize = 4;

const BUCKETS: &str = "buckets";

/// What a check-up leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Without {
    /// What of Cost Explorer, whose answers cost.
    pub paid: Paid,
    /// The organization, which only a scan of several accounts asks.
    pub organization: bool,
    /// What is asked of the caller's own account alone: the bill and its exports, and advice for all accounts.
    pub of_caller: bool,
}

/// What a check-up pays for: a cent an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paid {
    /// Nothing.
    Nothing,
    /// The bill.
    #[default]
    Bill,
    /// The bill, anomalies and the forecast.
    All,
}

/// What a check-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// A verdict for each call of a scan.
    pub permissions: Vec<Permission>,
    /// The Regions where they were tried.
    pub regions: Vec<String>,
}

/// Tries every call of a scan in the scope's account, through a connector with a sample: in the Regions that the scope
/// names, else in its own, those of earlier scans and those of buckets.
pub async fn check_up(scope: &Scope, connector: &Connector, without: Without) -> Checked {
    let before = regions_of(scope.earlier.iter().filter_map(|seen| seen.region.clone()));
    let mut scope = Scope { earlier: Vec::new(), ..scope.clone() };
    scope.options.regions.truncate(REGIONS);
    let paid = |adviser: &Adviser| !adviser.is_paid() || without.paid == Paid::All;
    let asked = |adviser: &Adviser| paid(adviser) && (!without.of_caller || *adviser == Adviser::Budgets);
    scope.options.advisers = Adviser::ALL.into_iter().filter(asked).collect();
    let left_out = |collector: &Collector| match collector {
        Collector::Bill => without.paid == Paid::Nothing || without.of_caller,
        Collector::Exports => without.of_caller,
        Collector::Organization => without.organization,
        _ => false,
    };
    let all = Collector::ALL.into_iter().chain([Collector::Organization]);
    let (out, asked): (Vec<Collector>, Vec<Collector>) = all.partition(left_out);
    let mut told: Vec<Coverage> = out.iter().flat_map(|collector| collector.reads()).map(not_asked).collect();
    let unasked = Adviser::ALL.into_iter().filter(|adviser| !scope.options.advisers.contains(adviser));
    told.extend(unasked.map(|adviser| not_asked(adviser.read())));
    let (regional, once): (Vec<Collector>, Vec<Collector>) =
        asked.into_iter().partition(|collector| collector.reach() == Reach::Regional);
    let mut seen = look(&scope, &once, &[BUCKETS]).await;
    let buckets = seen.rows.remove(BUCKETS).unwrap_or_default();
    let buckets = regions_of(buckets.iter().filter_map(|row| Some(row.text("region")?.raw().to_owned())));
    let regions = to_try(&scope, before.into_iter().chain(buckets));
    let places: Vec<Scope> = regions.iter().map(|region| scope.in_region(region)).collect();
    let looks = join_all(places.iter().map(|place| look(place, &regional, &[]))).await;
    told.extend(seen.coverage);
    told.extend(looks.into_iter().flat_map(|seen| seen.coverage));
    Checked { permissions: permissions(&READS.concat(), &connector.tried(), &told), regions }
}

/// Returns the Regions that were named; else the scope's own and `others`, as many as are tried.
fn to_try(scope: &Scope, others: impl Iterator<Item = String>) -> Vec<String> {
    let named = &scope.options.regions;
    if !named.is_empty() {
        return named.clone();
    }
    let mut regions: Vec<String> = Vec::new();
    for region in std::iter::once(scope.region.clone()).chain(others) {
        if !regions.contains(&region) {
            regions.push(region);
        }
    }
    regions.truncate(REGIONS);
    regions
}

/// Returns Regions, those that are named most often first.
fn regions_of(named: impl Iterator<Item = String>) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for region in named {
        *counts.entry(region).or_default() += 1;
    }
    let mut regions: Vec<(String, usize)> = counts.into_iter().collect();
    regions.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    regions.into_iter().map(|(region, _)| region).collect()
}

fn not_asked(read: &Read) -> Coverage {
    Coverage::new(read.table, read.operation, CoverageState::NotAsked).because("it was left out")
}

#[cfg(test)]
mod tests;
