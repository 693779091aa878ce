//! The bill from its exports, as part of a scan: what the account delivers, and what the command line names.

use std::collections::BTreeSet;
use std::time::Instant;

use futures::FutureExt;

use super::{Order, guarded};
use crate::aws::collect::{Collector, Scope, Sink, exports};
use crate::aws::store;
use crate::model::{Coverage, CoverageState};
use crate::rollup::export::{self, Held, Import, Known, Lack, READ, Step, survey};
use crate::store::tables::bill::{BILL, BILL_MONTHS};
use crate::store::{Days, Place, Snapshot};

/// Reads the exports: those that were named first, then those that the account has, where they are asked for.
pub async fn read(scope: &Scope, sink: &Sink, order: &Order, base: Option<&Snapshot>) {
    let (mut places, mut notes) = (order.bills.clone(), Vec::new());
    if order.collectors.contains(&Collector::Exports) {
        let found = guarded(Collector::Exports, scope, sink, async |scope: Scope, sink: Sink| {
            exports::collect(&scope, &sink).await
        });
        for export in found.await.unwrap_or_default() {
            match store::place(&scope.sdk, &export.url, Some(&export.region)).await {
                Ok(place) => {
                    places.push(place);
                    notes.push((export.url, export.lacks));
                }
                Err(error) => sink.cover(refused(scope, &export.url, &error.to_string())).await,
            }
        }
    }
    if places.is_empty() {
        return;
    }
    let named = sink.named("exports of the bill");
    named.started();
    let began = Instant::now();
    let reading = std::panic::AssertUnwindSafe(taken(scope, &named, order, (&places, &notes, base))).catch_unwind();
    let why = tokio::select! {
        done = reading => done.err().map(|_| "leanlake failed while reading it; this is a mistake in leanlake"),
        () = scope.cancel.cancelled() => Some("the scan was interrupted"),
        () = tokio::time::sleep(scope.options.time) => Some("it took longer than a collector may: --collector-time"),
    };
    if let Some(why) = why {
        named.cover(Coverage::new(BILL.name, READ, CoverageState::Missing).because(why)).await;
    }
    order.runner.settle().await;
    named.finished(began.elapsed());
}

fn refused(scope: &Scope, what: &str, why: &str) -> Coverage {
    Coverage::new(BILL.name, READ, CoverageState::Missing).at(&scope.account_id, None).of(what).because(why)
}

/// Exports by their address, and what their definitions leave out.
type Notes = [(String, BTreeSet<Lack>)];

async fn taken(
    scope: &Scope,
    sink: &Sink,
    order: &Order,
    (places, notes, base): (&[Place], &Notes, Option<&Snapshot>),
) {
    let mut found = survey(places).await;
    for (export, lacks) in notes {
        found.note(export, lacks);
    }
    for gap in found.gaps {
        sink.cover(gap).await;
    }
    let known = known(&scope.earlier, base).await;
    let account_id = Some(scope.account_id.clone());
    let order = export::Order { as_of: order.as_of, known, account_id, runner: order.runner.clone() };
    let mut import = Import::new(found.units, order);
    while let Some(step) = import.next().await {
        match step {
            Step::Replace { table, account_id, days } => sink.replace_of(table, account_id, days.from, days.to).await,
            Step::Rows(draft) => sink.draft(draft).await,
            Step::Cover(coverage) => sink.cover(coverage).await,
        }
    }
}

/// Returns what an earlier scan, whose coverage is `earlier`, holds of the bill. Of a damaged part nothing is known.
pub async fn known(earlier: &[Coverage], base: Option<&Snapshot>) -> Known {
    let seen = earlier.iter().filter(|row| row.table == BILL.name && row.state == CoverageState::Seen);
    let seen = seen.filter_map(|row| Some((row.account_id.clone(), Days { from: row.from?, to: row.to? })));
    let parts = base.map_or(&[][..], |base| base.parts(BILL.name));
    let read = parts.iter().filter_map(|part| Some((part.account_id.clone(), part.period?, part.read_at)));
    let months = match base {
        Some(base) => base.rows(&BILL_MONTHS).await.unwrap_or_default(),
        None => Vec::new(),
    };
    Known { seen: seen.collect(), read: read.collect(), months: months.iter().filter_map(Held::of).collect() }
}
