//! The gaps that the store itself finds: parts that are lost, numbers that fit no column; and how old what is kept of a
//! gap is. Touches no file.

use std::collections::BTreeMap;

use super::slot::{Held, Slot};
use super::table::Table;
use super::tables::{self, scan::COVERAGE};
use super::{Head, Part, StoreError, batch, coverage};
use crate::model::{Coverage, CoverageState, Row, Untrusted};

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

/// What a scan left out, with the age of what comes over of it in `parts` of its table.
pub(super) fn left(gap: &Coverage, parts: &[Part]) -> Coverage {
    let own = parts.iter().filter(|part| gap.account_id.is_none() || part.account_id == gap.account_id);
    let Some(oldest) = own.map(|part| part.read_at).min() else { return gap.clone() };
    let why = gap.reason.as_ref().map_or("left out", Untrusted::raw);
    let age = oldest.format("%Y-%m-%d");
    gap.clone().because(format!("{why}; what earlier scans saw is kept, the oldest of {age}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Receipt;
    use crate::store::tables::storage::BUCKETS;
    use crate::store::writer_tests::{bucket, head, memory};

    #[tokio::test]
    async fn what_is_left_out_for_its_little_spend_is_said_with_its_dollars_and_with_the_age_of_what_is_kept() {
        let store = memory();
        let seen =
            |region: &str, state| Coverage::new("buckets", "s3:ListBuckets", state).at("111122223333", Some(region));
        let mut base = None;
        for day in ["2026-11-20", "2026-11-21", "2026-11-22"] {
            let mut writer = store.write(head(&format!("{day}T00:00:00Z")), base.as_ref());
            if day == "2026-11-20" {
                writer.append(&BUCKETS, vec![bucket("cheap").with("region", "us-east-1")]).unwrap();
                writer.cover(seen("us-east-1", CoverageState::Seen));
            } else {
                writer.append(&BUCKETS, vec![bucket("dear")]).unwrap();
                writer.cover(seen("eu-west-1", CoverageState::Seen));
                writer.leave(seen("us-east-1", CoverageState::NotAsked).because("left out: $9.00"));
            }
            base = Some(writer.finish(Receipt::default(), false).await.unwrap());
        }
        let last = base.unwrap();
        assert_eq!(last.rows(&BUCKETS).await.unwrap().len(), 2, "and what was seen of it stays");
        let told = last.coverage().await.unwrap().into_iter().filter(|c| c.region.as_deref() == Some("us-east-1"));
        let mut told: Vec<_> = told.map(|c| (c.state, c.reason.map(|why| why.raw().to_owned()))).collect();
        told.sort();
        let why = "left out: $9.00; what earlier scans saw is kept, the oldest of 2026-11-20".to_owned();
        assert_eq!(told, [(CoverageState::Seen, None), (CoverageState::NotAsked, Some(why))]);
    }
}
