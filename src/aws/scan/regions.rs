//! Which Regions a scan visits, and which it knows of and leaves out.
//!
//! Decides nothing about what is read there. Reads only what earlier scans saw.

use std::collections::BTreeSet;

use crate::model::{Coverage, CoverageState};
use crate::store::Snapshot;
use crate::store::tables::bill::COSTS;
use crate::store::tables::storage::BUCKETS;

/// The Regions of one scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regions {
    /// Those of `--region`; empty when nobody named any.
    given: BTreeSet<String>,
    /// Those on the bill, of the buckets, and of earlier scans.
    found: BTreeSet<String>,
}

impl Regions {
    /// Returns the Regions of a scan that was asked for `given`.
    pub fn of(given: &[String]) -> Self {
        Regions { given: given.iter().cloned().collect(), found: BTreeSet::new() }
    }

    /// Adds Regions where something was found.
    pub fn add(&mut self, found: impl IntoIterator<Item = String>) {
        self.found.extend(found);
    }

    /// Returns those of `--region`; `None` when every Region that is found is read.
    pub fn given(&self) -> Option<&BTreeSet<String>> {
        (!self.given.is_empty()).then_some(&self.given)
    }

    /// Returns the Regions to visit: those given, else those found, else `home`.
    pub fn to_visit(&self, home: &str) -> BTreeSet<String> {
        match self.given() {
            Some(given) => given.clone(),
            None if self.found.is_empty() => BTreeSet::from([home.to_owned()]),
            None => self.found.clone(),
        }
    }

    /// Returns the Regions where there is something and that nobody asked for.
    pub fn left_out(&self) -> BTreeSet<String> {
        self.given().map(|given| self.found.difference(given).cloned().collect()).unwrap_or_default()
    }
}

/// Returns the Regions that the last snapshot knows of: what they hold must not vanish because a bill failed.
pub async fn known(base: Option<&Snapshot>, earlier: &[Coverage]) -> BTreeSet<String> {
    let told = |c: &&Coverage| !matches!(c.state, CoverageState::NotAsked | CoverageState::Missing);
    let mut regions: BTreeSet<String> = earlier.iter().filter(told).filter_map(|c| c.region.clone()).collect();
    let Some(base) = base else { return regions };
    for table in [&BUCKETS, &COSTS] {
        // A damaged part is found, and said, when the snapshot is finished.
        let rows = base.rows(table).await.unwrap_or_default();
        regions.extend(rows.iter().filter_map(|row| row.text("region")).map(|region| region.raw().to_owned()));
    }
    regions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_visited_and_what_was_found_beside_it_is_left_out() {
        let mut regions = Regions::of(&["eu-west-1".to_owned()]);
        regions.add(["us-east-1".to_owned(), "eu-west-1".to_owned()]);
        assert_eq!(regions.to_visit("sa-east-1"), BTreeSet::from(["eu-west-1".to_owned()]));
        assert_eq!(regions.left_out(), BTreeSet::from(["us-east-1".to_owned()]));
    }

    #[test]
    fn without_a_region_given_all_that_was_found_is_visited_and_home_where_nothing_was() {
        let mut regions = Regions::of(&[]);
        assert_eq!(regions.to_visit("sa-east-1"), BTreeSet::from(["sa-east-1".to_owned()]));
        regions.add(["us-east-1".to_owned()]);
        assert_eq!(regions.to_visit("sa-east-1"), BTreeSet::from(["us-east-1".to_owned()]));
        assert!(regions.left_out().is_empty());
    }
}
