//! A snapshot from files alone: exports that somebody handed over, without an account to ask. Calls nobody.

use std::collections::BTreeSet;
use std::time::Instant;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::exports::known;
use super::{Outcome, ScanError};
use crate::aws::collect::READS;
use crate::aws::rank::Cost;
use crate::model::{Coverage, CoverageState, Origin, Untrusted};
use crate::rollup::export::{Import as Bills, Order, Step, survey};
use crate::rollup::import::{self, Import};
use crate::rollup::lens::{self, Lens};
use crate::rollup::{Runner, inventory};
use crate::store::tables::bill::BILL;
use crate::store::tables::storage::BUCKETS;
use crate::store::{Head, Place, Receipt, SnapshotWriter, Store};

/// Why nothing else is known.
const ALONE: &str = "read from files alone, without an account to ask";

/// Exports that somebody handed over.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Exports of a bill.
    pub bills: Vec<Place>,
    /// Storage Lens exports.
    pub lens: Vec<Place>,
    /// Inventory lists.
    pub inventories: Vec<Place>,
}

/// How much there is to read of one export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    /// The export, or the folder that was named; text from outside.
    pub place: String,
    /// `bill`, `lens` or `inventory`.
    pub what: &'static str,
    /// Files.
    pub files: usize,
    /// Bytes of them as they lie there.
    pub bytes: u64,
}

/// Returns how much there is to read: of bills what their manifests name, else all files of a place. Reads no rows.
///
/// # Errors
/// There is no export of a bill, or a place cannot be listed.
pub async fn estimate_files(given: &Given) -> Result<Vec<Size>, ScanError> {
    let found = survey(&given.bills).await;
    if let (Some(gap), true) = (found.gaps.first(), found.units.is_empty()) {
        let example = gap.reason.as_ref().map(Untrusted::terminal).unwrap_or_default();
        return Err(ScanError::NoFiles { example });
    }
    let mut sizes: Vec<Size> = Vec::new();
    for unit in &found.units {
        let (files, bytes) = unit.size();
        match sizes.iter_mut().find(|size| size.place == unit.export) {
            Some(size) => (size.files, size.bytes) = (size.files + files, size.bytes + bytes),
            None => sizes.push(Size { place: unit.export.clone(), what: "bill", files, bytes }),
        }
    }
    for (what, places) in [("lens", &given.lens), ("inventory", &given.inventories)] {
        for place in places {
            let files = place.files().await?;
            let bytes = files.iter().map(|file| file.size).sum();
            sizes.push(Size { place: place.shown().to_owned(), what, files: files.len(), bytes });
        }
    }
    Ok(sizes)
}

/// Reads the exports into a new snapshot.
///
/// # Errors
/// No month could be read, or the store cannot be written.
pub async fn scan_files(store: &Store, as_of: DateTime<Utc>, given: &Given) -> Result<Outcome, ScanError> {
    let began = Instant::now();
    let (mut found, lenses) = (survey(&given.bills).await, lens::survey(&given.lens).await);
    let payer = found.units.iter().find_map(|unit| unit.payer.clone());
    let payer = payer.or_else(|| lenses.units.iter().find_map(|unit| unit.account.clone()));
    let others = found.units.extract_if(.., |unit| unit.payer.is_some() && unit.payer != payer);
    let others: Vec<Coverage> = others.map(|unit| other(&unit.export, payer.as_deref())).collect();
    found.gaps.extend(others);
    let head = Head { origin: Origin::Files, payer, account_id: None, as_of };
    let base = store.base(&head).await?;
    let earlier = match &base {
        Some(base) => base.coverage().await?,
        None => Vec::new(),
    };
    let known = known(&earlier, base.as_ref()).await;
    let mut writer = store.write(head, base.as_ref());
    let mut taken = Taken { seen: !known.seen.is_empty(), gaps: Vec::new() };
    for gap in found.gaps {
        taken.cover(&mut writer, gap);
    }
    let mut bills = Bills::new(found.units, Order { as_of, known, account_id: None, runner: Runner::Here });
    while let Some(step) = bills.next().await {
        taken.take(&mut writer, step).await?;
    }
    let whose = import::Order { as_of, account_id: None, runner: Runner::Here };
    let lens = taken.lens(&mut writer, lenses, &whose).await?;
    taken.inventories(&mut writer, &given.inventories, &whose, &lens).await?;
    if !taken.seen {
        let example = taken.gaps.iter().find_map(|gap| gap.reason.as_ref()).map(Untrusted::terminal);
        return Err(ScanError::NoFiles { example: example.unwrap_or_default() });
    }
    for read in READS.iter().copied().flatten().filter(|read| read.columns.is_empty() && read.table != BILL.name) {
        writer.cover(Coverage::new(read.table, read.operation, CoverageState::NotAsked).because(ALONE));
    }
    let receipt = Receipt { seconds: began.elapsed().as_secs(), ..Receipt::default() };
    let snapshot = writer.finish(receipt, false).await?;
    let (left_out, gaps) = (Cost::default(), taken.gaps);
    let (interrupted, over_budget, refused) = (false, false, None);
    Ok(Outcome { snapshot, gaps, left_out, interrupted, over_budget, unchanged: 0, paced: Vec::new(), refused })
}

/// The gap of an export that belongs into a snapshot of its own.
fn other(export: &str, payer: Option<&str>) -> Coverage {
    let why = format!("it is another payer's than {}: scan it by itself", payer.unwrap_or("the first"));
    Coverage::new(BILL.name, crate::rollup::export::READ, CoverageState::Missing).of(export).because(why)
}

struct Taken {
    seen: bool,
    gaps: Vec<Coverage>,
}

impl Taken {
    /// Reads the Storage Lens exports; the buckets are those that they name.
    async fn lens(
        &mut self,
        writer: &mut SnapshotWriter,
        found: lens::Survey,
        whose: &import::Order,
    ) -> Result<Lens, ScanError> {
        let mut lens = lens::import(found.units, whose).await;
        self.keep(writer, std::mem::take(&mut lens.import), found.gaps)?;
        if !lens.buckets.is_empty() {
            writer.append(&BUCKETS, lens.unlisted(&BTreeSet::new()))?;
            lens.bucket_coverage().into_iter().for_each(|seen| writer.cover(seen));
        }
        Ok(lens)
    }

    async fn inventories(
        &mut self,
        writer: &mut SnapshotWriter,
        places: &[Place],
        whose: &import::Order,
        lens: &Lens,
    ) -> Result<(), ScanError> {
        let found = inventory::survey(places).await;
        let import = inventory::import(found.units, whose, &lens.homes()).await;
        self.keep(writer, import, found.gaps)
    }

    fn keep(&mut self, writer: &mut SnapshotWriter, import: Import, gaps: Vec<Coverage>) -> Result<(), ScanError> {
        for (table, account_id, days) in import.replaced {
            writer.replace_period(table, account_id.as_deref(), days.from, days.to);
        }
        for draft in import.drafts {
            self.seen |= draft.rows() > 0;
            writer.keep(draft)?;
        }
        for seen in gaps.into_iter().chain(import.coverage) {
            self.cover(writer, seen);
        }
        Ok(())
    }

    fn cover(&mut self, writer: &mut SnapshotWriter, coverage: Coverage) {
        self.gaps.extend(coverage.is_gap().then(|| coverage.clone()));
        writer.cover(coverage);
    }

    async fn take(&mut self, writer: &mut SnapshotWriter, step: Step) -> Result<(), ScanError> {
        match step {
            Step::Replace { table, account_id, days } => {
                writer.replace_period(table, account_id.as_deref(), days.from, days.to);
            }
            Step::Rows(draft) => {
                self.seen = true;
                writer.settle(draft).await?;
            }
            Step::Cover(coverage) => self.cover(writer, coverage),
        }
        Ok(())
    }
}
