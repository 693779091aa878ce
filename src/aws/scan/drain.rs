//! The writer's end of a scan: what collectors hand over goes into the snapshot, gaps are counted, the cost is told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rust_decimal::Decimal;
use tokio::sync::mpsc;

use super::tally::Tally;
use crate::aws::collect::Piece;
use crate::aws::connector::Connector;
use crate::model::{Cell, Event, Row};
use crate::rollup::lens::Lens;
use crate::store::tables::storage::BUCKETS;
use crate::store::{SnapshotWriter, StoreError, Table};

/// How often the cost so far is told.
const TELL_COST: Duration = Duration::from_millis(500);

/// Rows of a table that go to the writer at once: collectors hand over a bucket or a page at a time, and each heap that
/// the writer gets takes some kilobytes beside its rows.
const HEAP: usize = 1_000;

/// Rows that wait until they are a heap.
#[derive(Default)]
struct Heaps(BTreeMap<&'static str, (&'static Table, Vec<Row>)>);

impl Heaps {
    fn add(&mut self, table: &'static Table, rows: Vec<Row>, writer: &mut SnapshotWriter) -> Result<(), StoreError> {
        let (_, heap) = self.0.entry(table.name).or_insert_with(|| (table, Vec::new()));
        heap.extend(rows);
        if heap.len() >= HEAP { writer.append(table, std::mem::take(heap)) } else { Ok(()) }
    }

    fn end(self, writer: &mut SnapshotWriter) -> Result<(), StoreError> {
        self.0.into_values().try_for_each(|(table, rows)| writer.append(table, rows))
    }
}

/// Takes pieces until every sink is gone. An error ends it, which the collectors notice by their cancelled token.
pub async fn drain(
    mut writer: SnapshotWriter,
    mut pieces: mpsc::Receiver<Piece>,
    events: mpsc::Sender<Event>,
    connector: Connector,
) -> Result<(SnapshotWriter, Tally), StoreError> {
    let (mut tally, mut heaps, mut buckets) = (Tally::default(), Heaps::default(), Buckets::default());
    let mut clock = tokio::time::interval(TELL_COST);
    loop {
        tokio::select! {
            piece = pieces.recv() => match piece {
                None => {
                    heaps.end(&mut writer)?;
                    buckets.finish(&mut writer)?;
                    return Ok((writer, tally));
                }
                Some(Piece::Rows(table, mut rows)) => {
                    buckets.complete(table, &mut rows);
                    heaps.add(table, rows, &mut writer)?;
                }
                Some(Piece::Lens(lens)) => buckets.lens = Some(lens),
                Some(Piece::Draft(draft, kept)) => {
                    writer.settle(draft).await?;
                    let _ = kept.send(());
                }
                Some(Piece::Cover(coverage)) => {
                    tally.add(&coverage);
                    writer.cover(coverage);
                }
                Some(Piece::Left(left)) => writer.leave(left),
                Some(Piece::Replace { table, account_id, from, to }) => {
                    writer.replace_period(table, account_id.as_deref(), from, to);
                }
                Some(Piece::Ahead { what, operation, requests }) => {
                    let price = connector.price(operation, "");
                    let usd = (price * Decimal::from(requests.0), price * Decimal::from(requests.1));
                    let _ = events.try_send(Event::Ahead { what, requests, usd });
                }
            },
            _ = clock.tick() => {
                let spent = connector.spent();
                let _ = events.try_send(Event::Spent { requests: spent.requests(), usd: spent.usd() });
            }
        }
    }
}

/// Rows of `buckets`, completed with what Storage Lens says.
#[derive(Default)]
struct Buckets {
    lens: Option<Box<Lens>>,
    /// Accounts whose buckets were listed.
    listed: BTreeSet<String>,
}

impl Buckets {
    fn complete(&mut self, table: &Table, rows: &mut [Row]) {
        if table.name != BUCKETS.name {
            return;
        }
        for row in rows {
            self.listed.insert(row.key("account_id").to_owned());
            // A row that comes over from the last scan brings what an older report said.
            for column in ["noncurrent_bytes", "incomplete_bytes", "object_count"] {
                row.set(column, Cell::Null);
            }
            if let Some(lens) = &self.lens {
                lens.fill(row);
            }
        }
    }

    /// Adds the buckets of accounts that nobody listed. Where none was listed at all, those of the last scan come over.
    fn finish(&self, writer: &mut SnapshotWriter) -> Result<(), StoreError> {
        let Some(lens) = self.lens.as_ref().filter(|_| !self.listed.is_empty()) else { return Ok(()) };
        writer.append(&BUCKETS, lens.unlisted(&self.listed))?;
        lens.bucket_coverage().into_iter().for_each(|seen| writer.cover(seen));
        Ok(())
    }
}
