//! A snapshot from files alone: exports that somebody handed over, without an account to ask. Calls nobody.

use std::collections::BTreeSet;
use std::time::Instant;

use chrono::{DateTime, Utc};

use super::exports::{known, read_at};
use super::{Outcome, ScanError};
use crate::aws::collect::READS;
use crate::aws::rank::Cost;
use crate::model::{Coverage, CoverageState, Origin, Untrusted};
use crate::rollup::export::{Order, Step, import as import_bills, survey};
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
    let known = known(&earlier);
    let order =
        Order { as_of, known: known.clone(), read: read_at(base.as_ref()), account_id: None, runner: Runner::Here };
    let mut writer = store.write(head, base.as_ref());
    let mut taken = Taken { seen: !known.is_empty(), gaps: Vec::new() };
    let steps = import_bills(found.units, &order).await;
    for step in found.gaps.into_iter().map(Step::Cover).chain(steps) {
        taken.take(&mut writer, step)?;
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
            self.take(writer, Step::Cover(seen))?;
        }
        Ok(())
    }

    fn take(&mut self, writer: &mut SnapshotWriter, step: Step) -> Result<(), ScanError> {
        match step {
            Step::Replace { account_id, days } => {
                writer.replace_period(&BILL, account_id.as_deref(), days.from, days.to);
            }
            Step::Rows(draft) => {
                self.seen = true;
                writer.keep(draft)?;
            }
            Step::Cover(coverage) => {
                self.gaps.extend(coverage.is_gap().then(|| coverage.clone()));
                writer.cover(coverage);
            }
        }
        Ok(())
    }
}
