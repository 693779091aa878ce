//! Where a collector puts what it saw: a bounded channel to the part writer, and news for whoever listens. It also knows
//! what the last snapshot holds, so that what no longer changes need not be asked for again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::scope::Scope;
use crate::model::{Coverage, CoverageState, Event, Row};
use crate::rollup::lens::Lens;
use crate::store::{Draft, Snapshot, Table};

/// Pieces that may wait for the part writer: one that is behind slows the collectors down instead of filling memory. A
/// piece may be some megabytes.
const WAITING: usize = 8;

/// News that may wait for the screen; more is dropped.
const NEWS: usize = 1024;

/// One thing that a collector hands over.
#[derive(Debug)]
pub enum Piece {
    /// Rows of a table.
    Rows(&'static Table, Vec<Row>),
    /// Rows that were packed by whoever read them, and who waits until they are kept.
    Draft(Draft, oneshot::Sender<()>),
    /// What Storage Lens says of buckets. Comes before their rows.
    Lens(Box<Lens>),
    /// What was seen, or not.
    Cover(Coverage),
    /// What the scan left out for its little spend.
    Left(Coverage),
    /// Days of a table that are read again, both included: what an earlier scan knew of them is not carried over.
    Replace {
        /// The table.
        table: &'static Table,
        /// The account whose rows are read again.
        account_id: Option<String>,
        /// First day.
        from: NaiveDate,
        /// Last day.
        to: NaiveDate,
    },
    /// Requests still to come, from so many to so many: the scan says what they cost.
    Ahead {
        /// The collector's name.
        what: String,
        /// The operation.
        operation: &'static str,
        /// How often.
        requests: (u64, u64),
    },
}

/// The collector's end of the channel. Clones share the channel and the row count.
#[derive(Clone, Debug)]
pub struct Sink {
    what: String,
    pieces: mpsc::Sender<Piece>,
    events: mpsc::Sender<Event>,
    rows: Arc<AtomicU64>,
    cancel: CancellationToken,
    base: Option<Arc<Snapshot>>,
}

impl Sink {
    /// Returns a sink and the receivers of its pieces and its news. A receiver of pieces that is gone cancels `cancel`.
    pub fn channel(cancel: CancellationToken) -> (Sink, mpsc::Receiver<Piece>, mpsc::Receiver<Event>) {
        let (events, heard) = mpsc::channel(NEWS);
        let (sink, taken) = Sink::reporting(events, cancel);
        (sink, taken, heard)
    }

    /// Returns a sink that tells its news to `events`, and the receiver of its pieces.
    pub fn reporting(events: mpsc::Sender<Event>, cancel: CancellationToken) -> (Sink, mpsc::Receiver<Piece>) {
        let (pieces, taken) = mpsc::channel(WAITING);
        (Sink { what: String::new(), pieces, events, rows: Arc::default(), cancel, base: None }, taken)
    }

    /// Returns the sink of a scan whose last snapshot is `base`.
    #[must_use]
    pub fn over(self, base: Option<Snapshot>) -> Sink {
        Sink { base: base.map(Arc::new), ..self }
    }

    /// Returns the rows that the last snapshot holds of `table`. Of a damaged part there are none: what it held is asked
    /// for again, and that it is damaged is said when the snapshot is finished.
    pub async fn held(&self, table: &'static Table) -> Vec<Row> {
        match &self.base {
            Some(base) => base.rows(table).await.unwrap_or_default(),
            None => Vec::new(),
        }
    }

    /// Returns those of the scope's account and Region. Parts of other accounts are not opened.
    pub async fn held_here(&self, table: &'static Table, scope: &Scope) -> Vec<Row> {
        let Some(base) = &self.base else { return Vec::new() };
        let rows = base.rows_of(table, &scope.account_id, Some(&scope.region)).await.unwrap_or_default();
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// Returns those of the scope's account in all Regions, each row with the time at which it was read, or the oldest
    /// row that it was joined with; `None` where the store does not give them all.
    pub async fn held_since(&self, table: &'static Table, scope: &Scope) -> Option<Vec<(DateTime<Utc>, Row)>> {
        match &self.base {
            Some(base) => base.rows_of(table, &scope.account_id, None).await.ok(),
            None => Some(Vec::new()),
        }
    }

    /// Returns a sink into the same channel under the name of a collector, with a row count of its own.
    #[must_use]
    pub fn named(&self, what: impl Into<String>) -> Sink {
        Sink { what: what.into(), rows: Arc::default(), ..self.clone() }
    }

    /// Hands over rows of `table`. Waits while the writer is behind.
    pub async fn rows(&self, table: &'static Table, rows: Vec<Row>) {
        if rows.is_empty() {
            return;
        }
        self.rows.fetch_add(rows.len() as u64, Ordering::Relaxed);
        self.send(Piece::Rows(table, rows)).await;
    }

    /// Hands over coverage; a gap is news too, unless nobody asked.
    pub async fn cover(&self, coverage: Coverage) {
        if coverage.is_gap() && coverage.state != CoverageState::NotAsked {
            self.tell(Event::Gap(Box::new(coverage.clone())));
        }
        self.send(Piece::Cover(coverage)).await;
    }

    /// Says what the scan left out for its little spend, with its dollars.
    pub async fn leave(&self, left: Coverage) {
        self.send(Piece::Left(left)).await;
    }

    /// Says that the days `from` to `to` of `table` are read again. Call it before their rows.
    pub async fn replace(&self, table: &'static Table, account_id: &str, from: NaiveDate, to: NaiveDate) {
        self.replace_of(table, Some(account_id.to_owned()), from, to).await;
    }

    /// The same for rows of an account that nobody names.
    pub async fn replace_of(&self, table: &'static Table, account_id: Option<String>, from: NaiveDate, to: NaiveDate) {
        self.send(Piece::Replace { table, account_id, from, to }).await;
    }

    /// Hands over what Storage Lens says of buckets. Call it before any of their rows.
    pub async fn lens(&self, lens: Lens) {
        self.send(Piece::Lens(Box::new(lens))).await;
    }

    /// Hands over rows that are packed already, and waits until they are kept: one heap of them is held at a time.
    pub async fn draft(&self, draft: Draft) {
        self.rows.fetch_add(draft.rows(), Ordering::Relaxed);
        let (kept, wait) = oneshot::channel();
        self.send(Piece::Draft(draft, kept)).await;
        // A writer that is gone keeps nothing, and says why itself.
        let _ = wait.await;
    }

    /// Says how many requests of `operation` are still to come.
    pub async fn ahead(&self, operation: &'static str, requests: (u64, u64)) {
        self.send(Piece::Ahead { what: self.what.clone(), operation, requests }).await;
    }

    /// Says how far the collector is.
    pub fn progress(&self, done: u64, total: Option<u64>) {
        self.tell(Event::Progress { what: self.what.clone(), done, total });
    }

    /// Says that the collector began.
    pub fn started(&self) {
        self.tell(Event::Started { what: self.what.clone() });
    }

    /// Says that the collector ended, and how long it ran.
    pub fn finished(&self, took: Duration) {
        self.tell(Event::Finished { what: self.what.clone(), rows: self.row_count(), took });
    }

    /// Says anything else.
    pub fn tell(&self, event: Event) {
        // Nobody listening, or a screen that is behind, is fine: news is not data.
        let _ = self.events.try_send(event);
    }

    /// Returns how many rows were handed over under this name.
    pub fn row_count(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    async fn send(&self, piece: Piece) {
        if self.pieces.send(piece).await.is_err() {
            // The writer is gone and says why itself; reading on would only cost money.
            self.cancel.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;
    use object_store::memory::InMemory;
    use object_store::{ObjectStore, ObjectStoreExt};

    use super::*;
    use crate::aws::stand_in::scope;
    use crate::model::Origin;
    use crate::store::tables::glue::GLUE_JOBS;
    use crate::store::tables::scan::ACCOUNTS;
    use crate::store::{Head, Receipt, Store};

    #[tokio::test]
    async fn a_gap_reaches_the_writer_and_the_listener() {
        let (sink, mut pieces, mut events) = Sink::channel(CancellationToken::new());
        sink.cover(Coverage::new("buckets", "s3:ListBuckets", CoverageState::Missing)).await;
        assert!(matches!(pieces.recv().await, Some(Piece::Cover(c)) if c.is_gap()));
        assert!(matches!(events.recv().await, Some(Event::Gap(_))));
    }

    #[tokio::test]
    async fn a_writer_that_is_gone_stops_the_scan() {
        let cancel = CancellationToken::new();
        let (sink, pieces, _events) = Sink::channel(cancel.clone());
        drop(pieces);
        sink.named("accounts").rows(&ACCOUNTS, vec![Row::new()]).await;
        assert!(cancel.is_cancelled());
    }

    #[tokio::test]
    async fn of_what_earlier_scans_hold_only_the_parts_of_the_own_account_are_opened() {
        let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let store = Store::on(Arc::clone(&objects), "lake".into(), "memory");
        let scope = scope(Vec::new());
        let head = Head {
            origin: Origin::Aws { partition: "aws".to_owned() },
            payer: None,
            account_id: Some(scope.account_id.clone()),
            as_of: scope.as_of,
        };
        let mut writer = store.write(head, None);
        let others = (0..20).map(|n| format!("9999000000{n:02}"));
        for (at, account) in others.chain([scope.account_id.clone()]).enumerate() {
            let job = |region: &str| Row::new().with("account_id", account.as_str()).with("region", region);
            let jobs = ["eu-west-1", "us-east-1"].map(|region| job(region).with("job", format!("job-{at}-{region}")));
            writer.append(&GLUE_JOBS, jobs.to_vec()).unwrap();
        }
        let base = writer.finish(Receipt::default(), false).await.unwrap();
        // Whoever opens a part of another account finds that it is gone.
        let own = base.parts("glue_jobs").iter().find(|part| part.account_id.as_ref() == Some(&scope.account_id));
        let own = store.path(&own.unwrap().path);
        let parts: Vec<_> = objects.list(Some(&store.path("tables/glue_jobs"))).try_collect().await.unwrap();
        assert_eq!(parts.len(), 21);
        for part in parts.into_iter().filter(|part| part.location != own) {
            objects.delete(&part.location).await.unwrap();
        }
        let sink = Sink::channel(CancellationToken::new()).0.over(Some(base));
        assert!(sink.held(&GLUE_JOBS).await.is_empty(), "all of them are not there");
        let jobs = |rows: Vec<Row>| rows.iter().map(|row| row.key("job").to_owned()).collect::<Vec<_>>();
        assert_eq!(jobs(sink.held_here(&GLUE_JOBS, &scope).await), ["job-20-eu-west-1"]);
        let since = sink.held_since(&GLUE_JOBS, &scope).await.unwrap();
        assert_eq!(jobs(since.into_iter().map(|(_, row)| row).collect()), ["job-20-eu-west-1", "job-20-us-east-1"]);
    }
}
