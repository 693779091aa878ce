//! Storage Lens exports and inventory lists as part of a scan: what the command line names. Asks AWS for nothing else.

use std::future::Future;
use std::time::Instant;

use futures::FutureExt;

use super::Order;
use crate::aws::collect::{Scope, Sink};
use crate::model::{Coverage, CoverageState, Row};
use crate::rollup::import::{self, Import};
use crate::rollup::inventory::{self, Homes};
use crate::rollup::lens;
use crate::store::Snapshot;
use crate::store::tables::inventory::STORAGE_AGES;
use crate::store::tables::lens::STORAGE_LENS;
use crate::store::tables::storage::BUCKETS;

/// Returns whose the buckets of the last snapshot are.
pub async fn homes(base: Option<&Snapshot>) -> Homes {
    let Some(base) = base else { return Homes::new() };
    // What cannot be read there is a gap of that snapshot.
    let rows = base.rows(&BUCKETS).await.unwrap_or_default();
    let home = |row: &Row| {
        (row.key("bucket").to_owned(), (row.key("account_id").to_owned(), Some(row.key("region").to_owned())))
    };
    rows.iter().map(home).collect()
}

/// Reads the Storage Lens exports. What they say of buckets goes to whoever writes the rows of those.
pub async fn read_lens(scope: &Scope, sink: &Sink, order: &Order) -> Homes {
    if order.lens.is_empty() {
        return Homes::new();
    }
    let whose = whose(scope, order, true);
    let reading = async {
        let found = lens::survey(&order.lens).await;
        let mut lens = lens::import(found.units, &whose).await;
        lens.import.coverage.extend(found.gaps);
        lens
    };
    let lost = Coverage::new(STORAGE_LENS.name, lens::READ, CoverageState::Missing);
    let Some(mut lens) = watched("Storage Lens exports", scope, sink, lost, reading).await else { return Homes::new() };
    hand_over(std::mem::take(&mut lens.import), sink).await;
    let homes = lens.homes();
    sink.lens(lens).await;
    homes
}

/// Reads the inventory lists. `homes` says whose the buckets are.
pub async fn read_inventories(scope: &Scope, sink: &Sink, order: &Order, homes: &Homes) {
    if order.inventories.is_empty() {
        return;
    }
    // Where no bucket is known, nobody can say whose a list is.
    let whose = whose(scope, order, !homes.is_empty());
    let reading = async {
        let found = inventory::survey(&order.inventories).await;
        let mut import = inventory::import(found.units, &whose, homes).await;
        import.coverage.extend(found.gaps);
        import
    };
    let lost = Coverage::new(STORAGE_AGES.name, inventory::READ, CoverageState::Missing);
    let import = watched("inventory lists", scope, sink, lost, reading).await;
    order.runner.settle().await;
    if let Some(import) = import {
        hand_over(import, sink).await;
    }
}

fn whose(scope: &Scope, order: &Order, known: bool) -> import::Order {
    import::Order {
        as_of: order.as_of,
        account_id: known.then(|| scope.account_id.clone()),
        runner: order.runner.clone(),
    }
}

async fn hand_over(import: Import, sink: &Sink) {
    for (table, account_id, days) in import.replaced {
        sink.replace_of(table, account_id, days.from, days.to).await;
    }
    for draft in import.drafts {
        sink.draft(draft).await;
    }
    for coverage in import.coverage {
        sink.cover(coverage).await;
    }
}

/// Reads under the eyes of the scan: a mistake of ours, or Ctrl-C, leaves the gap `lost`.
async fn watched<T>(
    name: &str,
    scope: &Scope,
    sink: &Sink,
    lost: Coverage,
    reading: impl Future<Output = T>,
) -> Option<T> {
    let (named, began) = (sink.named(name.to_owned()), Instant::now());
    named.started();
    let reading = std::panic::AssertUnwindSafe(reading).catch_unwind();
    let read = tokio::select! {
        done = reading => done.map_err(|_| "leanlake failed while reading it; this is a mistake in leanlake"),
        () = scope.cancel.cancelled() => Err("the scan was interrupted"),
    };
    named.finished(began.elapsed());
    match read {
        Ok(read) => Some(read),
        Err(why) => {
            named.cover(lost.because(why)).await;
            None
        }
    }
}
