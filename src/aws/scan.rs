//! One scan: phases of collectors, bill first; one writer that turns what they saw into a snapshot.
//!
//! A collector that fails, even by a panic, leaves gaps and touches no other. Changes nothing in AWS.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures::future::join_all;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::aws::collect::{Collector, Heard, Options, Piece, Place, Reach, Scope, Sink, cost_explorer, s3};
use crate::aws::connector::Connector;
use crate::aws::session::Session;
use crate::model::{Coverage, CoverageState, Event, Origin, Row, Untrusted};
use crate::store::tables::bill::COSTS;
use crate::store::tables::scan::ACCOUNTS;
use crate::store::tables::storage::BUCKETS;
use crate::store::{Head, Receipt, Snapshot, SnapshotWriter, Store, StoreError};

/// How often the cost so far is told.
const TELL_COST: Duration = Duration::from_millis(500);

/// What to scan.
#[derive(Clone, Debug)]
pub struct Order {
    /// The clock.
    pub as_of: DateTime<Utc>,
    /// Which collectors run; the tables of the others come over from the last snapshot.
    pub collectors: BTreeSet<Collector>,
    /// Limits of the collectors.
    pub options: Options,
}

/// What came of a scan.
#[derive(Debug)]
pub struct Outcome {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// What could not be seen.
    pub gaps: Vec<Coverage>,
    /// True after Ctrl-C: what was read until then is kept.
    pub interrupted: bool,
    /// True when `--max-cost` cut something.
    pub over_budget: bool,
    /// What AWS said when it stopped taking the credentials in the middle of the scan; text from outside.
    pub refused: Option<String>,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing at all may be read: a snapshot of gaps would only hide the last one.
    #[error("every call was denied: `{arn}` may read nothing that a scan needs ({example})")]
    AllDenied {
        /// Who was denied; text from outside.
        arn: String,
        /// One refusal, in AWS's words; text from outside.
        example: String,
        /// The IAM actions that are missing.
        missing: Vec<String>,
    },
    /// AWS stopped taking the credentials before it answered anything.
    #[error("the AWS credentials have expired or are not valid, and nothing was read: {said}")]
    Expired {
        /// What AWS said; text from outside.
        said: String,
    },
    /// No call was answered: a snapshot of gaps would only hide the last one.
    #[error("nothing could be read, so there is no snapshot: {example}")]
    NothingSeen {
        /// Why one of the calls failed; text from outside.
        example: String,
    },
    /// The task that keeps what the collectors hand over ended in a panic.
    #[error("what was read could not be kept; this is a mistake in leanlake")]
    Lost,
    /// The connector called another host than the one configured: its facts would carry a false origin.
    #[error("the requests went to {seen:?} and not to {configured:?}")]
    Elsewhere {
        /// Where they went.
        seen: Origin,
        /// Where they should have gone.
        configured: Origin,
    },
}

/// Reads the account into a new snapshot. `cancel` must be the connector's.
pub async fn scan(
    session: &Session,
    store: &Store,
    order: &Order,
    cancel: CancellationToken,
    events: mpsc::Sender<Event>,
) -> Result<Outcome, ScanError> {
    let began = Instant::now();
    let (mut scope, base) = prepare(session, store, order).await?;
    scope.cancel = cancel.clone();
    let writer = store.write(head(session, order), base.as_ref());
    let (sink, pieces) = Sink::reporting(events.clone(), cancel.clone());
    let sink = sink.over(base.clone());
    let drained = tokio::spawn(drain(writer, pieces, events, session.connector.clone()));
    run(&scope, &sink, order, base.as_ref()).await;
    drop(sink);
    let (mut writer, tally) = drained.await.map_err(|_| ScanError::Lost)??;
    let interrupted = cancel.is_cancelled();
    // Not from the gaps: collectors have budgets of their own (uploads, queries), which end no scan.
    let over_budget = session.connector.over_budget();
    if tally.is_blind(&scope.heard) {
        refuse(&tally, &scope.heard, session, interrupted || over_budget)?;
    }
    agree(session)?;
    let spent = session.connector.spent();
    let receipt = Receipt { requests: spent.counts(), usd: spent.usd(), seconds: began.elapsed().as_secs() };
    let snapshot = writer.finish(receipt, interrupted).await?;
    Ok(Outcome { snapshot, gaps: tally.gaps, interrupted, over_budget, refused: scope.heard.refused() })
}

/// Returns what collectors are asked to read, and the snapshot that parts come over from. Asks AWS nothing.
pub async fn prepare(session: &Session, store: &Store, order: &Order) -> Result<(Scope, Option<Snapshot>), ScanError> {
    let base = store.base(&head(session, order)).await?;
    let earlier = match &base {
        Some(base) => base.coverage().await?,
        None => Vec::new(),
    };
    let scope = Scope {
        account_id: session.identity.account_id.clone(),
        region: session.region().to_owned(),
        as_of: order.as_of,
        sdk: session.sdk.clone(),
        cancel: CancellationToken::new(),
        options: order.options.clone(),
        heard: Heard::default(),
        earlier,
    };
    Ok((scope, base))
}

fn head(session: &Session, order: &Order) -> Head {
    Head {
        origin: session.configured_origin(),
        payer: None,
        account_id: Some(session.identity.account_id.clone()),
        as_of: order.as_of,
    }
}

/// The phases: the bill, which says where to look; the buckets; then each Region.
async fn run(scope: &Scope, sink: &Sink, order: &Order, base: Option<&Snapshot>) {
    for collector in Collector::ALL.into_iter().filter(|collector| !order.collectors.contains(collector)) {
        not_asked(collector, scope, sink).await;
    }
    let asked = |collector| order.collectors.contains(&collector);
    let mut regions: BTreeSet<String> = order.options.regions.iter().cloned().collect();
    let given = !regions.is_empty();
    if asked(Collector::Bill) {
        let bill = guarded(Collector::Bill, scope, sink, bill).await.unwrap_or_default();
        regions.extend(bill.regions.into_iter().filter(|_| !given));
    } else {
        let own = Row::new().with("account_id", scope.account_id.as_str()).with("scanned", true);
        sink.rows(&ACCOUNTS, vec![own]).await;
    }
    if asked(Collector::S3) {
        let places = guarded(Collector::S3, scope, sink, buckets).await.unwrap_or_default();
        regions.extend(places.into_iter().map(|place| place.region).filter(|_| !given));
    }
    if regions.is_empty() {
        regions = known_regions(base).await;
    }
    if regions.is_empty() {
        regions.insert(scope.region.clone());
    }
    let scopes = |collector: Collector| -> Vec<Scope> {
        match collector.reach() {
            Reach::Bill | Reach::Buckets => Vec::new(),
            Reach::Global => vec![scope.clone()],
            Reach::Regional => regions.iter().map(|region| scope.in_region(region)).collect(),
        }
    };
    let runs = Collector::ALL.into_iter().filter(|collector| asked(*collector));
    let runs = runs.flat_map(|collector| scopes(collector).into_iter().map(move |scope| (collector, scope)));
    join_all(runs.map(|(collector, scope)| async move {
        guarded(collector, &scope, sink, move |scope, sink| collector.collect(scope, sink)).await
    }))
    .await;
}

/// Returns the Regions that the last snapshot knows of, for scans that ask neither the bill nor S3.
async fn known_regions(base: Option<&Snapshot>) -> BTreeSet<String> {
    let mut regions = BTreeSet::new();
    let Some(base) = base else { return regions };
    for table in [&BUCKETS, &COSTS] {
        // A damaged part is found, and said, when the snapshot is finished.
        let rows = base.rows(table).await.unwrap_or_default();
        regions.extend(rows.iter().filter_map(|row| row.text("region")).map(|region| region.raw().to_owned()));
    }
    regions
}

async fn bill(scope: Scope, sink: Sink) -> cost_explorer::Bill {
    cost_explorer::collect(&scope, &sink).await
}

async fn buckets(scope: Scope, sink: Sink) -> Vec<Place> {
    s3::collect(&scope, &sink).await
}

/// Runs a collector in a task of its own: a panic there is a gap here.
async fn guarded<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    collector: Collector,
    scope: &Scope,
    sink: &Sink,
    collect: impl FnOnce(Scope, Sink) -> F,
) -> Option<T> {
    let region = (collector.reach() == Reach::Regional).then_some(scope.region.as_str());
    let named = sink.named(region.map_or_else(|| collector.name().to_owned(), |r| format!("{} {r}", collector.name())));
    named.started();
    let done = tokio::spawn(collect(scope.clone(), named.clone())).await;
    if done.is_err() {
        for read in collector.reads() {
            let gap = Coverage::new(read.table, read.operation, CoverageState::Missing).at(&scope.account_id, region);
            named.cover(gap.because("leanlake failed while reading it; this is a mistake in leanlake")).await;
        }
    }
    named.finished();
    done.ok()
}

async fn not_asked(collector: Collector, scope: &Scope, sink: &Sink) {
    for read in collector.reads().iter().filter(|read| read.columns.is_empty()) {
        let coverage = Coverage::new(read.table, read.operation, CoverageState::NotAsked).at(&scope.account_id, None);
        sink.cover(coverage).await;
    }
}

/// What the coverage amounts to.
#[derive(Debug, Default)]
struct Tally {
    seen: bool,
    gaps: Vec<Coverage>,
}

impl Tally {
    fn add(&mut self, coverage: &Coverage) {
        match coverage.state {
            CoverageState::NotAsked => {}
            state => {
                self.seen |= matches!(state, CoverageState::Seen | CoverageState::Partial);
                self.gaps.extend(coverage.is_gap().then(|| coverage.clone()));
            }
        }
    }

    /// Returns true when this scan saw nothing of what it asked for. What earlier scans saw does not count.
    fn is_blind(&self, heard: &Heard) -> bool {
        let saw = self.seen && heard.answered();
        !(saw || self.gaps.is_empty())
    }

    fn is_denied(&self) -> bool {
        self.gaps.iter().all(|gap| gap.missing_action.is_some())
    }

    /// Returns one reason, safe for a terminal.
    fn example(&self) -> String {
        self.gaps.iter().find_map(|gap| gap.reason.as_ref()).map(Untrusted::terminal).unwrap_or_default()
    }
}

/// Says why a scan that saw nothing is no snapshot. One that was told to stop is: it says so itself.
fn refuse(tally: &Tally, heard: &Heard, session: &Session, stopped: bool) -> Result<(), ScanError> {
    let example = tally.example();
    if tally.is_denied() {
        let missing: BTreeSet<String> = tally.gaps.iter().filter_map(|gap| gap.missing_action.clone()).collect();
        let (arn, missing) = (crate::model::text::terminal(&session.identity.arn), missing.into_iter().collect());
        return Err(ScanError::AllDenied { arn, example, missing });
    }
    match heard.refused() {
        _ if stopped => Ok(()),
        Some(said) => Err(ScanError::Expired { said }),
        None => Err(ScanError::NothingSeen { example }),
    }
}

/// Takes pieces until every sink is gone. An error ends it, which the collectors notice by their cancelled token.
async fn drain(
    mut writer: SnapshotWriter,
    mut pieces: mpsc::Receiver<Piece>,
    events: mpsc::Sender<Event>,
    connector: Connector,
) -> Result<(SnapshotWriter, Tally), StoreError> {
    let mut tally = Tally::default();
    let mut clock = tokio::time::interval(TELL_COST);
    loop {
        tokio::select! {
            piece = pieces.recv() => match piece {
                None => return Ok((writer, tally)),
                Some(Piece::Rows(table, rows)) => writer.append(table, rows)?,
                Some(Piece::Cover(coverage)) => {
                    tally.add(&coverage);
                    writer.cover(coverage);
                }
                Some(Piece::Replace { table, account_id, from, to }) => {
                    writer.replace_period(table, account_id.as_str(), from, to);
                }
            },
            _ = clock.tick() => {
                let spent = connector.spent();
                let _ = events.try_send(Event::Spent { requests: spent.requests(), usd: spent.usd() });
            }
        }
    }
}

/// The facts must be from where the settings say: the base was chosen by that.
fn agree(session: &Session) -> Result<(), ScanError> {
    let (seen, configured) = (session.seen_origin(), session.configured_origin());
    let agrees = match (&seen, &configured) {
        (Origin::Endpoint { hosts: seen }, Origin::Endpoint { hosts }) => {
            seen.iter().all(|(s, h)| hosts.get(s) == Some(h))
        }
        (Origin::Endpoint { .. }, _) => false,
        (_, Origin::Endpoint { .. }) => true,
        (seen, configured) => seen == configured,
    };
    if agrees { Ok(()) } else { Err(ScanError::Elsewhere { seen, configured }) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::aws::collect::READS;
    use crate::aws::connector::{Allowlist, Fault, Role};
    use crate::aws::session::Identity;
    use crate::aws::stand_in::{answer, refusal, sdk, setup};
    use crate::store::Filter;
    use crate::store::tables::storage::BUCKETS;

    const BUCKET: &str = "<ListAllMyBucketsResult><Buckets><Bucket><Name>lake</Name><BucketRegion>eu-west-1</BucketRegion>\
                          </Bucket></Buckets></ListAllMyBucketsResult>";

    fn session(say: impl Fn(&str) -> Fault + Send + Sync + 'static) -> (Session, CancellationToken) {
        let allow = Allowlist::default().and(Role::Reading, READS.concat().iter().map(|read| read.operation));
        let mut setup = setup(allow);
        setup.faults = Some(Arc::new(move |call, _| Some(say(&call.operation))));
        let cancel = setup.cancel.clone();
        let connector = Connector::new(setup);
        let (account_id, arn) = ("111122223333".to_owned(), "arn:aws:iam::111122223333:user/u".to_owned());
        let identity = Identity { account_id, arn, partition: "aws".to_owned() };
        (Session { sdk: sdk(&connector), connector, identity, asked_regions: Vec::new() }, cancel)
    }

    fn order(only: &[Collector]) -> Order {
        let collectors = only.iter().copied().collect();
        Order { as_of: "2026-03-10T08:00:00Z".parse().unwrap(), collectors, options: Options::default() }
    }

    async fn run(
        session: &Session,
        store: &Store,
        order: &Order,
        cancel: CancellationToken,
    ) -> Result<Outcome, ScanError> {
        let (events, _heard) = mpsc::channel(8);
        scan(session, store, order, cancel, events).await
    }

    fn denied(operation: &str) -> Fault {
        if operation.starts_with("s3:") {
            return answer(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
        }
        refusal("AccessDeniedException", "no")
    }

    #[tokio::test]
    async fn a_caller_who_may_read_nothing_gets_the_missing_actions_and_no_snapshot() {
        let (session, cancel) = session(denied);
        let store = Store::temporary().unwrap();
        let refused = run(&session, &store, &order(&[Collector::Bill, Collector::S3, Collector::Athena]), cancel).await;
        let Err(ScanError::AllDenied { missing, .. }) = refused else { panic!("{refused:?}") };
        assert!(
            missing.contains(&"ce:GetCostAndUsage".to_owned()) && missing.contains(&"s3:ListAllMyBuckets".to_owned())
        );
        assert!(store.list().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_denied_bill_leaves_a_gap_and_the_buckets_are_still_read() {
        let (session, cancel) = session(|operation| match operation {
            "s3:ListBuckets" => answer(200, BUCKET),
            other => denied(other),
        });
        let store = Store::temporary().unwrap();
        let outcome = run(&session, &store, &order(&Collector::ALL), cancel).await.unwrap();
        assert_eq!(outcome.snapshot.rows(&BUCKETS).await.unwrap()[0].key("bucket"), "lake");
        assert!(outcome.gaps.iter().any(|gap| gap.table == "costs" && gap.missing_action.is_some()));
        assert!(
            outcome.gaps.iter().any(|gap| gap.region.as_deref() == Some("eu-west-1")),
            "the bucket's Region is read"
        );
    }

    #[tokio::test]
    async fn after_ctrl_c_what_was_read_is_kept_and_marked() {
        let stop = CancellationToken::new();
        let pressed = stop.clone();
        let (session, cancel) = session(move |operation| match operation {
            "s3:ListBuckets" => {
                pressed.cancel();
                answer(200, BUCKET)
            }
            other => denied(other),
        });
        let forwarded = cancel.clone();
        let forward = tokio::spawn(async move {
            stop.cancelled().await;
            forwarded.cancel();
        });
        let store = Store::temporary().unwrap();
        let outcome = run(&session, &store, &order(&[Collector::S3, Collector::Athena]), cancel).await.unwrap();
        forward.await.unwrap();
        assert!(outcome.interrupted && store.newest(&Filter::default()).await.unwrap().manifest.interrupted);
        assert_eq!(outcome.snapshot.manifest.rows("buckets"), 1);
    }

    #[tokio::test]
    async fn tables_that_nobody_asked_for_come_over_from_the_last_scan() {
        let (session, cancel) = session(|operation| match operation {
            "s3:ListBuckets" => answer(200, BUCKET),
            "athena:ListWorkGroups" => answer(200, "{\"WorkGroups\": []}"),
            other => denied(other),
        });
        let store = Store::temporary().unwrap();
        run(&session, &store, &order(&[Collector::S3]), cancel.clone()).await.unwrap();
        let second = run(&session, &store, &order(&[Collector::Athena]), cancel).await.unwrap();
        assert_eq!(second.snapshot.manifest.rows("buckets"), 1);
        assert!(second.gaps.iter().all(|gap| gap.region.as_deref() != Some("us-east-1")), "Regions are the known ones");
    }

    #[tokio::test]
    async fn a_collector_that_panics_leaves_gaps() {
        let (session, cancel) = session(denied);
        let store = Store::temporary().unwrap();
        let (scope, _) = prepare(&session, &store, &order(&Collector::ALL)).await.unwrap();
        let (sink, mut pieces) = Sink::reporting(mpsc::channel(8).0, cancel);
        let broken = |_: Scope, _: Sink| async { panic!("a mistake") };
        assert_eq!(guarded::<(), _>(Collector::Bill, &scope, &sink, broken).await, None);
        drop(sink);
        let mut tables = BTreeSet::new();
        while let Some(Piece::Cover(gap)) = pieces.recv().await {
            tables.extend(gap.is_gap().then_some(gap.table));
        }
        assert_eq!(tables.len(), 3);
    }
}
