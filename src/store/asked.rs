//! What a scan asked for, by table and account, so that a thousand accounts are not compared with each other.
//!
//! Pure. Decides nothing about what comes over: the writer does.

use std::collections::{BTreeMap, BTreeSet};

use super::coverage;
use super::period::Days;
use crate::model::{Coverage, CoverageState};

/// Tables that a scan asked for: by rows, or by coverage of any state but `NotAsked`.
pub(super) struct Asked<'a> {
    covered: BTreeMap<&'a str, BTreeSet<Option<&'a str>>>,
    held: BTreeSet<(&'a str, Option<&'a str>)>,
}

impl<'a> Asked<'a> {
    /// Returns what `coverage` and the places of rows tell.
    pub(super) fn of(coverage: &'a [Coverage], held: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let mut covered: BTreeMap<&str, BTreeSet<Option<&str>>> = BTreeMap::new();
        for seen in coverage.iter().filter(|seen| seen.state != CoverageState::NotAsked) {
            covered.entry(&seen.table).or_default().insert(seen.account_id.as_deref());
        }
        Asked { covered, held: held.collect() }
    }

    /// Returns true when the table was asked for in the account; coverage of no account is of all of them.
    pub(super) fn has(&self, table: &str, account: Option<&str>) -> bool {
        let covered = self
            .covered
            .get(table)
            .is_some_and(|accounts| account.is_none() || accounts.contains(&account) || accounts.contains(&None));
        covered || self.held.contains(&(table, account))
    }
}

/// Where an earlier scan saw something that still holds.
pub(super) struct Known<'a>(BTreeSet<(&'a str, Whose<'a>, Option<&'a str>)>);

/// One account's, or anybody's.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Whose<'a> {
    Anybodys,
    Of(Option<&'a str>),
}

impl<'a> Known<'a> {
    /// Returns what `coverage` tells.
    pub(super) fn of(coverage: &'a [Coverage]) -> Self {
        let places = coverage.iter().flat_map(|seen| {
            let (table, account, region) = (seen.table.as_str(), seen.account_id.as_deref(), seen.region.as_deref());
            [region, None]
                .into_iter()
                .flat_map(move |region| [(table, Whose::Of(account), region), (table, Whose::Anybodys, region)])
        });
        Known(places.collect())
    }

    /// Returns true when there is something of the account that `seen` is about; of any, where it is about several.
    pub(super) fn has(&self, seen: &Coverage) -> bool {
        let (table, region) = (seen.table.as_str(), seen.region.as_deref());
        match seen.account_id.as_deref() {
            None => self.0.contains(&(table, Whose::Anybodys, region)),
            account => [account, None].into_iter().any(|of| self.0.contains(&(table, Whose::Of(of), region))),
        }
    }
}

/// Coverage of one scan by what it is of.
pub(super) struct Told<'a>(BTreeMap<Place<'a>, Vec<&'a Coverage>>);

/// Table, read, account, Region.
type Place<'a> = (&'a str, &'a str, Option<&'a str>, Option<&'a str>);

impl<'a> Told<'a> {
    /// Returns what `coverage` tells.
    pub(super) fn of(coverage: &'a [Coverage]) -> Self {
        let mut told: BTreeMap<Place<'_>, Vec<&Coverage>> = BTreeMap::new();
        for seen in coverage {
            told.entry(place(seen)).or_default().push(seen);
        }
        Told(told)
    }

    /// Returns the days of which it says what `old` said.
    pub(super) fn anew(&self, old: &Coverage) -> Vec<Days> {
        let there = self.0.get(&place(old)).map_or(&[][..], Vec::as_slice);
        there.iter().filter_map(|new| coverage::told_anew(old, new)).collect()
    }
}

fn place(seen: &Coverage) -> Place<'_> {
    (&seen.table, &seen.read, seen.account_id.as_deref(), seen.region.as_deref())
}
