//! What the list of buckets covers: by Region where Regions were asked for, and what that leaves out.

use std::collections::{BTreeMap, BTreeSet};

use super::lens::LIST as LENS;
use super::listing::{BUCKETS, Bucket};
use crate::aws::collect::{Failed, Scope};
use crate::model::{Coverage, CoverageState};

/// Why a Region was not read.
pub const OTHER_REGIONS: &str = "`--region` names other Regions";

/// Returns the Regions that `--region` names; without one, the account as a whole.
pub fn places(scope: &Scope) -> Vec<Option<&str>> {
    match scope.options.regions.as_slice() {
        [] => vec![None],
        given => given.iter().map(|region| Some(region.as_str())).collect(),
    }
}

/// Returns what the list itself covers; without it the tables of what buckets have are blind too.
pub fn list(scope: &Scope, buckets: &[Bucket], failed: Option<&Failed>) -> Vec<Coverage> {
    let tables = if failed.is_some() { tables() } else { BTreeSet::from([BUCKETS.table]) };
    let row = |place: Option<&str>| {
        let here = |bucket: &&Bucket| place.is_none() || bucket.region.as_deref().ok() == place;
        let seen = buckets.iter().filter(here).count();
        listed(failed, seen).at(&scope.account_id, place).counted(seen, None)
    };
    let of_table = |row: Coverage| tables.iter().map(move |&table| Coverage { table: table.to_owned(), ..row.clone() });
    places(scope).into_iter().map(row).flat_map(of_table).collect()
}

fn listed(failed: Option<&Failed>, seen: usize) -> Coverage {
    match failed {
        None => Coverage::new(BUCKETS.table, BUCKETS.operation, CoverageState::Seen),
        Some(failed) if seen == 0 => failed.gap(&BUCKETS),
        Some(failed) => Coverage { state: CoverageState::Partial, ..failed.gap(&BUCKETS) },
    }
}

/// Says of each Region that `--region` leaves out how many buckets are there.
pub fn not_asked(scope: &Scope, left_out: &[Bucket]) -> Vec<Coverage> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for region in left_out.iter().filter_map(|bucket| bucket.region.as_deref().ok()) {
        *counts.entry(region).or_default() += 1;
    }
    let row = |table: &str, region: &str, count: usize| {
        let row = Coverage::new(table, BUCKETS.operation, CoverageState::NotAsked);
        row.at(&scope.account_id, Some(region)).because(OTHER_REGIONS).counted(0, Some(count))
    };
    counts.iter().flat_map(|(region, count)| tables().into_iter().map(|table| row(table, region, *count))).collect()
}

/// Returns the tables whose rows this collector makes of buckets; Storage Lens has a list of its own.
fn tables() -> BTreeSet<&'static str> {
    let rows = super::READS.iter().filter(|read| read.columns.is_empty() && read.table != LENS.table);
    rows.map(|read| read.table).collect()
}
