//! The gaps that the store itself finds: parts that are lost, numbers that fit no column. Touches no file.

use std::collections::BTreeMap;

use super::slot::{Held, Slot};
use super::table::Table;
use super::tables::{self, scan::COVERAGE};
use super::{Head, Part, StoreError, batch, coverage};
use crate::model::{Coverage, CoverageState, Row};

/// Makes the coverage the content of its table.
pub(super) fn hold(slots: &mut BTreeMap<Slot, Held>, all: &[Coverage]) -> Result<(), StoreError> {
    let misfit = |source| StoreError::Rows { table: COVERAGE.name, source };
    let rows: Vec<Row> = all.iter().map(coverage::to_row).collect();
    let rows = batch::to_batch(&COVERAGE, &rows).map_err(misfit)?;
    slots.retain(|slot, _| slot.table != COVERAGE.name);
    if rows.num_rows() > 0 {
        let slot = Slot { table: COVERAGE.name, account_id: None, period: None };
        slots.entry(slot).or_default().push(&COVERAGE, rows).map_err(misfit)?;
    }
    Ok(())
}

const LOST: &str = "the part of an earlier scan is missing from the store or damaged";

/// The gap that a part leaves which the store has lost.
pub(super) fn lost(table: &Table, part: &Part) -> Coverage {
    let mut gap = Coverage::new(table.name, table.read().unwrap_or_default(), CoverageState::Missing).because(LOST);
    gap.account_id.clone_from(&part.account_id);
    part.period.map_or(gap.clone(), |days| gap.days(days.from, days.to))
}

pub(super) fn lost_coverage() -> Coverage {
    Coverage::new(COVERAGE.name, COVERAGE.read().unwrap_or_default(), CoverageState::Missing).because(LOST)
}

/// The gaps that numbers leave which fit no column, by table and column.
pub(super) fn too_large(head: &Head, misfits: &BTreeMap<(&'static str, &'static str), usize>) -> Vec<Coverage> {
    let gap = |((table, column), count): (&(&'static str, &'static str), &usize)| {
        let declared = tables::find(table);
        let read = declared.and_then(|table| table.column(column)?.read.or(table.read())).unwrap_or_default();
        let gap = Coverage::new(table, read, CoverageState::Partial);
        let reason = format!("{count} values of `{column}` do not fit {}: they are not known", batch::DECIMAL);
        Coverage { account_id: head.account_id.clone(), ..gap }.because(reason)
    };
    misfits.iter().map(gap).collect()
}
