//! Which Regions a scan visits, and which it knows of and leaves out.
//!
//! Decides nothing about what is read there. Reads only what earlier scans saw.

use std::collections::BTreeSet;

use crate::model::{Coverage, CoverageState};
use crate::store::tables::bill::COSTS;
use crate::store::tables::storage::BUCKETS;
use crate::store::{Snapshot, Table};

/// The Regions of one scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regions {
    /// Those of `--region`; empty when nobody named any.
    given: BTreeSet<String>,
    /// Those on the bill, of the buckets, and of earlier scans.
    found: BTreeSet<String>,
    /// True where a bill is read, which says what is in use where.
    asks_bill: bool,
    /// True once a bill said where something costs.
    billed: bool,
}

impl Regions {
    /// Returns the Regions of a scan that was asked for `given`, and that reads a bill or does not.
    pub fn of(given: &[String], asks_bill: bool) -> Self {
        Regions { given: given.iter().cloned().collect(), asks_bill, ..Regions::default() }
    }

    /// Adds Regions where something was found.
    pub fn add(&mut self, found: impl IntoIterator<Item = String>) {
        self.found.extend(found);
    }

    /// Adds the Regions of a bill, of this scan or an earlier one.
    pub fn add_billed(&mut self, found: BTreeSet<String>) {
        self.billed |= !found.is_empty();
        self.add(found);
    }

    /// Returns those of `--region`; `None` when every Region that is found is read.
    pub fn given(&self) -> Option<&BTreeSet<String>> {
        (!self.given.is_empty()).then_some(&self.given)
    }

    /// Returns the Regions to visit: those given, else those found; `home` too where none was, or where the bill did not say
    /// what is in use: buckets say nothing of jobs and queries.
    pub fn to_visit(&self, home: &str) -> BTreeSet<String> {
        let unsure = self.found.is_empty() || (self.asks_bill && !self.billed);
        let home = unsure.then(|| home.to_owned());
        self.given().cloned().unwrap_or_else(|| self.found.iter().cloned().chain(home).collect())
    }

    /// Returns true once a bill said where something costs.
    pub fn is_billed(&self) -> bool {
        self.billed
    }

    /// Returns the Regions where there is something and that nobody asked for.
    pub fn left_out(&self) -> BTreeSet<String> {
        self.given().map(|given| self.found.difference(given).cloned().collect()).unwrap_or_default()
    }
}

impl Regions {
    /// Adds the Regions that the last snapshot knows of: what they hold must not vanish because a bill failed.
    pub async fn recall(&mut self, base: Option<&Snapshot>, earlier: &[Coverage]) {
        let told = |c: &&Coverage| !matches!(c.state, CoverageState::NotAsked | CoverageState::Missing);
        self.add(earlier.iter().filter(told).filter_map(|c| c.region.clone()));
        let Some(base) = base else { return };
        self.add(named(base, &BUCKETS).await);
        self.add_billed(named(base, &COSTS).await);
    }
}

/// A damaged part is found, and said, when the snapshot is finished.
async fn named(base: &Snapshot, table: &'static Table) -> BTreeSet<String> {
    let rows = base.rows(table).await.unwrap_or_default();
    rows.iter().filter_map(|row| row.text("region")).map(|region| region.raw().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_visited_and_what_was_found_beside_it_is_left_out() {
        let mut regions = Regions::of(&["eu-west-1".to_owned()], true);
        regions.add(["us-east-1".to_owned(), "eu-west-1".to_owned()]);
        assert_eq!(regions.to_visit("sa-east-1"), BTreeSet::from(["eu-west-1".to_owned()]));
        assert_eq!(regions.left_out(), BTreeSet::from(["us-east-1".to_owned()]));
    }

    #[test]
    fn without_a_region_given_all_that_was_found_is_visited_and_home_where_no_bill_speaks_against_it() {
        let mut regions = Regions::of(&[], true);
        assert_eq!(regions.to_visit("sa-east-1"), BTreeSet::from(["sa-east-1".to_owned()]));
        regions.add(["us-east-1".to_owned()]);
        let both = BTreeSet::from(["sa-east-1".to_owned(), "us-east-1".to_owned()]);
        assert_eq!(regions.to_visit("sa-east-1"), both, "no bill says that nothing is at home");
        let mut without_bill = Regions::of(&[], false);
        without_bill.add(["us-east-1".to_owned()]);
        assert_eq!(without_bill.to_visit("sa-east-1"), BTreeSet::from(["us-east-1".to_owned()]));
        regions.add_billed(BTreeSet::from(["us-east-1".to_owned()]));
        assert_eq!(regions.to_visit("sa-east-1"), BTreeSet::from(["us-east-1".to_owned()]));
        assert!(regions.left_out().is_empty());
    }
}
