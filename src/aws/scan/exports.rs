//! The bill from its exports, as part of a scan: what the account delivers, and what the command line names.

use std::time::Instant;

use chrono::{DateTime, Utc};
use futures::FutureExt;

use super::{Order, guarded};
use crate::aws::collect::{Collector, Scope, Sink, exports};
use crate::aws::store;
use crate::model::{Coverage, CoverageState};
use crate::rollup::export::{self, READ, Step, import, survey};
use crate::store::tables::bill::BILL;
use crate::store::{Days, Place, Snapshot};

/// Reads the exports: those that were named first, then those that the account has, where they are asked for.
pub async fn read(scope: &Scope, sink: &Sink, order: &Order, base: Option<&Snapshot>) {
    let mut places = order.bills.clone();
    if order.collectors.contains(&Collector::Exports) {
        let found = guarded(Collector::Exports, scope, sink, async |scope: Scope, sink: Sink| {
            exports::collect(&scope, &sink).await
        });
        for export in found.await.unwrap_or_default() {
            match store::place(&scope.sdk, &export.url, Some(&export.region)).await {
                Ok(place) => places.push(place),
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
    let reading = std::panic::AssertUnwindSafe(taken(scope, &named, order, (&places, base))).catch_unwind();
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

async fn taken(scope: &Scope, sink: &Sink, order: &Order, (places, base): (&[Place], Option<&Snapshot>)) {
    let found = survey(places).await;
    for gap in found.gaps {
        sink.cover(gap).await;
    }
    let (known, account_id) = (known(&scope.earlier), Some(scope.account_id.clone()));
    let order =
        export::Order { as_of: order.as_of, known, read: read_at(base), account_id, runner: order.runner.clone() };
    for step in import(found.units, &order).await {
        match step {
            Step::Replace { account_id, days } => sink.replace_of(&BILL, account_id, days.from, days.to).await,
            Step::Rows(draft) => sink.draft(draft).await,
            Step::Cover(coverage) => sink.cover(coverage).await,
        }
    }
}

/// Returns the days of the bill that an earlier scan saw.
pub fn known(earlier: &[Coverage]) -> Vec<Days> {
    let seen = earlier.iter().filter(|row| row.table == BILL.name && row.state == CoverageState::Seen);
    seen.filter_map(|row| Some(Days { from: row.from?, to: row.to? })).collect()
}

/// Returns when the days of the bill that `base` holds were read.
pub fn read_at(base: Option<&Snapshot>) -> Vec<(Days, DateTime<Utc>)> {
    let parts = base.map_or(&[][..], |base| base.parts(BILL.name));
    parts.iter().filter_map(|part| Some((part.period?, part.read_at))).collect()
}
