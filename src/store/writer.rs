//! Takes a scan's rows and makes a snapshot of them: parts first, the manifest last.
//!
//! What was not read again comes over from the base: tables and Regions nobody asked for, and periods outside those
//! that were replaced. Never carries over a state table that was asked for: that it failed is a gap.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use chrono::NaiveDate;
use futures::{StreamExt, TryStreamExt};
use object_store::PutMode;

use super::asked::{self, Asked, Told};
use super::draft::{Draft, split};
use super::manifest::SCHEMA;
use super::period::{Days, part_of};
use super::slot::{Held, Slot, of_regions, without_days, without_keys};
use super::snapshot::digest;
use super::table::Table;
use super::tables::{self, scan::COVERAGE};
use super::{
    FORMAT, Head, Manifest, Part, REQUESTS, Receipt, Snapshot, Store, StoreError, batch, coverage, gaps, manifest_path,
};
use crate::model::{Coverage, CoverageState, Row};

/// Snapshots of one instant that may differ in nothing but their name's digest.
const NAMES: u32 = 16;

/// Most text of the rows that become one batch. Arrow counts a batch's text in 31 bits.
const PIECE_BYTES: usize = 256 << 20;
/// Most text of one part; what is more becomes a second part of the same days.
const PART_BYTES: usize = 1 << 30;

/// Parts by table that come over as they are, and coverage of those that should have.
type Carried = (BTreeMap<String, Vec<Part>>, Vec<Coverage>);

/// A snapshot in the making.
pub struct SnapshotWriter {
    pub(super) store: Store,
    pub(super) head: Head,
    base: Option<Snapshot>,
    pub(super) held: BTreeMap<Slot, Held>,
    /// Parts that are written already: rows that nothing else can join.
    pub(super) settled: Vec<(Slot, Part)>,
    coverage: Vec<Coverage>,
    /// What was left out for its little spend.
    left: Vec<Coverage>,
    replaced: BTreeMap<(&'static str, Option<String>), Vec<Days>>,
    /// Tables that were read in some Regions only, and which.
    visited: BTreeMap<&'static str, BTreeSet<String>>,
    /// Regions that this scan said nobody asked for, by table and account.
    not_asked: BTreeMap<(String, Option<String>), BTreeSet<String>>,
    /// Numbers that fit no column, by table and column.
    misfits: BTreeMap<(&'static str, &'static str), usize>,
    /// Most text of one batch, and of one part.
    piece_bytes: usize,
    pub(super) part_bytes: usize,
}

impl SnapshotWriter {
    pub(super) fn new(store: Store, head: Head, base: Option<Snapshot>) -> Self {
        SnapshotWriter {
            store,
            head,
            base,
            held: BTreeMap::new(),
            settled: Vec::new(),
            coverage: Vec::new(),
            left: Vec::new(),
            replaced: BTreeMap::new(),
            visited: BTreeMap::new(),
            not_asked: BTreeMap::new(),
            misfits: BTreeMap::new(),
            piece_bytes: PIECE_BYTES,
            part_bytes: PART_BYTES,
        }
    }

    /// Returns the snapshot that parts come over from.
    pub fn base(&self) -> Option<&Snapshot> {
        self.base.as_ref()
    }

    /// Keeps rows of a table. A number that fits no column is not known then, and a gap says so.
    ///
    /// # Errors
    /// A column or cell that the table does not declare, or an event without its time; of the rows handed over last none
    /// or some are kept.
    pub fn append(&mut self, table: &'static Table, mut rows: Vec<Row>) -> Result<(), StoreError> {
        let misfit = |source| StoreError::Rows { table: table.name, source };
        for (column, count) in batch::take_misfits(table, &mut rows) {
            *self.misfits.entry((table.name, column)).or_default() += count;
        }
        for rows in batch::by_text(rows, self.piece_bytes) {
            let fresh = batch::to_batch(table, &rows).map_err(misfit)?;
            drop(rows);
            for (slot, rows) in split(table, &fresh, self.head.as_of)? {
                self.held.entry(slot).or_default().push(table, rows).map_err(misfit)?;
            }
        }
        Ok(())
    }

    /// Keeps the rows of a draft.
    ///
    /// # Errors
    /// A batch that is not of the table.
    pub fn keep(&mut self, draft: Draft) -> Result<(), StoreError> {
        let table = draft.table;
        for (slot, rows) in draft.held {
            let misfit = |source| StoreError::Rows { table: table.name, source };
            self.held.entry(slot).or_default().join(table, rows).map_err(misfit)?;
        }
        Ok(())
    }

    /// Notes what was seen and what was not. A table is asked for once it is covered in any state but `NotAsked`.
    /// Of a Region that is said not to have been asked for, what the base holds comes over.
    pub fn cover(&mut self, seen: Coverage) {
        self.note_region(&seen);
        self.coverage.push(seen);
    }

    /// The same for what was left out for its little spend: said whatever the base holds of it, with the age of that.
    pub fn leave(&mut self, left: Coverage) {
        self.note_region(&left);
        self.left.push(left);
    }

    fn note_region(&mut self, seen: &Coverage) {
        if let (CoverageState::NotAsked, Some(region)) = (seen.state, &seen.region) {
            let place = (seen.table.clone(), seen.account_id.clone());
            self.not_asked.entry(place).or_default().insert(region.clone());
        }
    }

    /// Says that the days `from` to `to` of `table` were read again for `account`: old rows of them do not come over.
    pub fn replace_period<'a>(
        &mut self,
        table: &'static Table,
        account: impl Into<Option<&'a str>>,
        from: NaiveDate,
        to: NaiveDate,
    ) {
        let account = account.into().map(str::to_owned);
        self.replaced.entry((table.name, account)).or_default().push(Days { from, to });
    }

    /// Says that `table` is read in `regions` only: what the base holds of others comes over with its coverage.
    pub fn visit_only(&mut self, table: &'static str, regions: &[String]) {
        self.visited.entry(table).or_default().extend(regions.iter().cloned());
    }

    /// Writes the snapshot. May be called again after an error: nothing that was appended is lost.
    ///
    /// # Errors
    /// The store cannot be written, or a part of the base that must be joined is damaged.
    pub async fn finish(&mut self, receipt: Receipt, interrupted: bool) -> Result<Snapshot, StoreError> {
        let mut slots = self.held.clone();
        let (mut kept, lost) = self.carry_over(&mut slots).await?;
        let lost = lost.into_iter().chain(gaps::too_large(&self.head, &self.misfits));
        let coverage: Vec<Coverage> = self.all_coverage().await?.into_iter().chain(lost).collect();
        gaps::hold(&mut slots, &coverage)?;
        let full = slots.iter().filter(|(_, held)| !held.is_empty());
        let groups = full
            .flat_map(|(slot, held)| held.groups(self.part_bytes).into_iter().map(move |group| (slot, held, group)));
        let written = groups.map(async |(slot, held, group)| Ok((slot.table, self.put_part(slot, held, group).await?)));
        let mut written = futures::stream::iter(written).buffered(REQUESTS);
        while let Some((table, part)) = written.try_next().await? {
            kept.entry(table.to_owned()).or_default().push(part);
        }
        drop(written);
        for (slot, part) in &self.settled {
            kept.entry(slot.table.to_owned()).or_default().push(part.clone());
        }
        for parts in kept.values_mut() {
            parts.sort_by(|a, b| (&a.account_id, a.period, &a.path).cmp(&(&b.account_id, b.period, &b.path)));
        }
        self.put_manifest(kept, &coverage, receipt, interrupted).await
    }

    /// What this scan asked for.
    fn asked(&self) -> Asked<'_> {
        let slots = self.held.keys().chain(self.settled.iter().map(|(slot, _)| slot));
        Asked::of(&self.coverage, slots.map(|slot| (slot.table, slot.account_id.as_deref())))
    }

    /// True when the scan stayed out of the Region with that table: it was told to, or said that it did.
    fn left_out(&self, table: &str, account: Option<&str>, region: Option<&str>) -> bool {
        let Some(region) = region else { return false };
        let told = self.visited.get(table).is_some_and(|visited| !visited.contains(region));
        told || self.said(table, account).is_some_and(|regions| regions.contains(region))
    }

    fn said(&self, table: &str, account: Option<&str>) -> Option<&BTreeSet<String>> {
        if self.not_asked.is_empty() {
            return None;
        }
        self.not_asked.get(&(table.to_owned(), account.map(str::to_owned)))
    }

    /// Days of the table that were read again for the account.
    pub(super) fn replaced(&self, table: &'static str, account: Option<&str>) -> &[Days] {
        self.replaced.get(&(table, account.map(str::to_owned))).map_or(&[], Vec::as_slice)
    }

    /// The same for coverage, which may be over several accounts at once; and the days that this scan tells of anew.
    fn covered_again(&self, table: &'static str, seen: &Coverage, told: &Told<'_>) -> Vec<Days> {
        let mut again = match &seen.account_id {
            Some(account) => self.replaced(table, Some(account)).to_vec(),
            None => {
                self.replaced.iter().filter(|((of, _), _)| *of == table).flat_map(|(_, days)| days.clone()).collect()
            }
        };
        again.extend(told.anew(seen));
        again
    }

    /// This scan's coverage, and what still holds of the base's.
    async fn all_coverage(&self) -> Result<Vec<Coverage>, StoreError> {
        let Some(base) = &self.base else {
            return Ok([self.coverage.clone(), self.left.clone()].concat());
        };
        let mut old = Vec::new();
        let before = match base.coverage().await {
            Err(StoreError::Corrupt { .. }) => vec![gaps::lost_coverage()],
            before => before?,
        };
        let (asked, told) = (self.asked(), Told::of(&self.coverage));
        // That something was not asked for says each scan of itself.
        for seen in before.into_iter().filter(|seen| seen.state != CoverageState::NotAsked) {
            let account = seen.account_id.as_deref();
            if !asked.has(&seen.table, account) || self.left_out(&seen.table, account, seen.region.as_deref()) {
                old.push(seen);
            } else if let Some(table) = tables::find(&seen.table).filter(|table| table.period().is_some()) {
                let again = self.covered_again(table.name, &seen, &told);
                old.extend(coverage::outside(&seen, &again));
            }
        }
        let known = asked::Known::of(&old);
        // Not asked for this time, but known from an earlier one.
        let moot = |seen: &&Coverage| seen.state == CoverageState::NotAsked && known.has(seen);
        let mut new: Vec<Coverage> = self.coverage.iter().filter(|seen| !moot(seen)).cloned().collect();
        new.extend(self.left.iter().map(|left| gaps::left(left, base.parts(&left.table))));
        Ok(new.into_iter().chain(old).collect())
    }

    /// Sorts the base's parts into those that come over as they are, those that must be cut or joined (they go into
    /// `slots`), and the rest. Parts that the store has lost are gaps: what this scan read is worth more.
    async fn carry_over(&self, slots: &mut BTreeMap<Slot, Held>) -> Result<Carried, StoreError> {
        let (mut kept, mut missing) = (BTreeMap::new(), Vec::new());
        let Some(base) = &self.base else {
            return Ok((kept, missing));
        };
        let asked = self.asked();
        for table in tables::TABLES.iter().copied().filter(|table| table.name != COVERAGE.name) {
            let mut beside: BTreeMap<Option<&str>, Vec<&Part>> = BTreeMap::new();
            for part in base.parts(table.name) {
                beside.entry(part.account_id.as_deref()).or_default().push(part);
            }
            let (whole, rest): (Vec<&Part>, Vec<&Part>) =
                beside.values().flatten().copied().partition(|old| match old.period {
                    None => !asked.has(table.name, old.account_id.as_deref()),
                    Some(days) => self.stays(table, old, days, &beside[&old.account_id.as_deref()]),
                });
            let there = if whole.is_empty() { BTreeSet::new() } else { self.names(table).await? };
            for old in whole {
                if there.contains(&self.store.path(&old.path)) {
                    kept.entry(table.name.to_owned()).or_insert_with(Vec::new).push(old.clone());
                } else {
                    missing.push(gaps::lost(table, old));
                }
            }
            for old in rest.into_iter().filter(|old| self.has_rows_left(table, old)) {
                match self.join(base, table, old, slots).await {
                    Err(StoreError::Corrupt { .. }) => missing.push(gaps::lost(table, old)),
                    joined => joined?,
                }
            }
        }
        Ok((kept, missing))
    }

    /// Parts of the table that the store holds now: a prune may have been here since the base was chosen.
    async fn names(&self, table: &Table) -> Result<BTreeSet<object_store::path::Path>, StoreError> {
        let files = self.store.files(&format!("tables/{}", table.name)).await?;
        Ok(files.into_iter().map(|file| file.location).collect())
    }

    /// True when the part of `days` comes over as it is. `beside` are the account's parts of the table.
    fn stays(&self, table: &Table, old: &Part, days: Days, beside: &[&Part]) -> bool {
        let home = part_of(days.from, self.head.as_of);
        let slot = Slot { table: table.name, account_id: old.account_id.clone(), period: Some(home) };
        let touched =
            self.replaced(table.name, old.account_id.as_deref()).iter().any(|replaced| replaced.touches(days));
        let shared = beside
            .iter()
            .any(|other| other.path != old.path && other.period.is_some_and(|period| period.touches(home)));
        days == home && !touched && !self.held.contains_key(&slot) && !shared
    }

    fn has_rows_left(&self, table: &Table, old: &Part) -> bool {
        let account = old.account_id.as_deref();
        match old.period {
            Some(days) => !days.without(self.replaced(table.name, account)).is_empty(),
            None => self.visited.contains_key(table.name) || self.said(table.name, account).is_some(),
        }
    }

    /// Joins what is left of an old part with the rows of this scan; where both name the same thing, this scan's wins.
    async fn join(
        &self,
        base: &Snapshot,
        table: &'static Table,
        old: &Part,
        slots: &mut BTreeMap<Slot, Held>,
    ) -> Result<(), StoreError> {
        let misfit = |source| StoreError::Rows { table: table.name, source };
        let account = old.account_id.as_deref();
        for rows in base.decode(table, old).await? {
            let rows = match old.period {
                None => of_regions(&rows, |region| self.left_out(table.name, account, Some(region))),
                Some(_) => without_days(table, &rows, self.replaced(table.name, account)),
            };
            let rows = rows.map_err(misfit)?;
            for (slot, rows) in split(table, &rows, self.head.as_of)? {
                let fresh = self.held.get(&slot).map(|held| held.batches(table)).transpose().map_err(misfit)?;
                let rows = without_keys(table, &rows, &fresh.unwrap_or_default()).map_err(misfit)?;
                let held = slots.entry(slot).or_default();
                held.read_at = Some(held.read_at.map_or(old.read_at, |at| at.min(old.read_at)));
                held.push(table, rows).map_err(misfit)?;
            }
        }
        Ok(())
    }

    /// Told from the base alone, so that a second try to finish gives the same name.
    fn sequence(&self) -> u32 {
        let base = self.base.as_ref().filter(|base| base.manifest.as_of == self.head.as_of);
        base.map_or(0, |base| base.manifest.sequence.saturating_add(1))
    }

    async fn put_manifest(
        &self,
        tables: BTreeMap<String, Vec<Part>>,
        coverage: &[Coverage],
        receipt: Receipt,
        interrupted: bool,
    ) -> Result<Snapshot, StoreError> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for seen in coverage {
            *counts.entry(seen.state.as_str().to_owned()).or_default() += 1;
        }
        let mut manifest = Manifest {
            schema: SCHEMA.to_owned(),
            version: format!("{FORMAT}.0"),
            id: String::new(),
            origin: self.head.origin.clone(),
            payer: self.head.payer.clone(),
            account_id: self.head.account_id.clone(),
            as_of: self.head.as_of,
            sequence: self.sequence(),
            interrupted,
            coverage: counts,
            receipt,
            tables,
        };
        let nameless = manifest.to_json();
        for attempt in 0..NAMES {
            let seal = digest(&[nameless.as_slice(), attempt.to_le_bytes().as_slice()].concat());
            manifest.id = format!("{}-{}", self.head.as_of.format("%Y%m%dT%H%M%SZ"), &seal[..6]);
            let (path, bytes) = (manifest_path(&manifest.id), Bytes::from(manifest.to_json()));
            if self.store.put(&path, bytes.clone(), PutMode::Create).await?
                || self.store.get(&path).await?.is_some_and(|there| there == bytes)
            {
                return Ok(Snapshot { manifest, store: self.store.clone() });
            }
        }
        let reason = "too many snapshots of the same instant".to_owned();
        Err(StoreError::Folder { folder: self.store.url().to_owned(), reason })
    }
}
