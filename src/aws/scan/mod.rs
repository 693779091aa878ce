//! One scan: phases of collectors, bill first; one writer that turns what they saw into a snapshot.
//!
//! A collector that fails, even by a panic, leaves gaps and touches no other. Changes nothing in AWS.

pub mod accounts;
mod buckets;
mod drain;
mod exports;
pub mod files;
mod guard;
pub mod regions;
mod storage;
mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use self::accounts::{Accounts, Entered, Known};
use self::drain::drain;
use self::guard::guarded;
use self::regions::Regions;
use self::tally::Tally;
use crate::aws::collect::s3::OTHER_REGIONS;
use crate::aws::collect::{Allowance, Collector, Heard, Options, Reach, Scope, Sink, cost_explorer};
use crate::aws::connector::Paced;
use crate::aws::member::MemberRole;
use crate::aws::rank::{Buckets, Cost, Ranked, Run, Spend, rank, runs};
use crate::aws::session::Session;
use crate::model::{Coverage, CoverageState, Event, Origin};
use crate::rollup::Runner;
use crate::rollup::inventory::Homes;
use crate::store::tables::scan::ACCOUNTS;
use crate::store::{BillPages, Head, Place, Receipt, Snapshot, SnapshotWriter, Store, StoreError};

/// Collectors that run at the same time. Each of them keeps to the pace of its service by itself.
const AT_ONCE: usize = 48;

/// How the reason begins of what was too little to look at.
pub const LEFT_OUT: &str = "left out: ";

/// What to scan.
#[derive(Clone, Debug)]
pub struct Order {
    /// The clock.
    pub as_of: DateTime<Utc>,
    /// Which collectors run; the tables of the others come over from the last snapshot.
    pub collectors: BTreeSet<Collector>,
    /// Which accounts are read in detail.
    pub accounts: Accounts,
    /// The role that is assumed in other accounts.
    pub role: Option<MemberRole>,
    /// True to read every service, account and Region, however little it costs.
    pub all: bool,
    /// Exports of the bill that were named, beside those that the account has.
    pub bills: Vec<Place>,
    /// Storage Lens exports that were named.
    pub lens: Vec<Place>,
    /// Inventory lists that were named.
    pub inventories: Vec<Place>,
    /// Where exports of the bill and inventory lists are rolled up.
    pub runner: Runner,
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
    /// What was not read in detail because it is the least of the spend.
    pub left_out: Cost,
    /// True after Ctrl-C: what was read until then is kept.
    pub interrupted: bool,
    /// True when `--max-cost` cut something.
    pub over_budget: bool,
    /// Buckets whose settings an earlier scan read and CloudTrail names no change of: they were not asked for again.
    pub unchanged: u64,
    /// How each operation was asked, and how long its pace made that.
    pub paced: Vec<Paced>,
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
    /// Ctrl-C before the first answer: a snapshot of gaps would only hide the last one.
    #[error("interrupted before anything was read: there is no new snapshot, the last one stays the newest")]
    Interrupted,
    /// The first request was already too dear.
    #[error("the budget allowed no request, so there is no snapshot: {example}")]
    NothingPaid {
        /// The request that was not sent; text from outside.
        example: String,
    },
    /// No call was answered: a snapshot of gaps would only hide the last one.
    #[error("nothing could be read, so there is no snapshot: {example}")]
    NothingSeen {
        /// Why one of the calls failed; text from outside.
        example: String,
    },
    /// Of the files that were handed over not one month could be read.
    #[error("none of the exports could be read, so there is no snapshot: {example}")]
    NoFiles {
        /// What was wrong with one of them; text from outside.
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
    let mut writer = store.write(head(session, order), base.as_ref());
    leave_out(&mut writer, order);
    let (sink, pieces) = Sink::reporting(events.clone(), cancel.clone());
    let sink = sink.over(base.clone());
    let drained = tokio::spawn(drain(writer, pieces, events, session.connector.clone()));
    let ran = run(&scope, &sink, order, base.as_ref(), &session.identity.partition).await;
    drop(sink);
    let (mut writer, tally) = drained.await.map_err(|_| ScanError::Lost)??;
    let interrupted = cancel.is_cancelled();
    // Not from the gaps: collectors have budgets of their own (uploads, queries), which end no scan.
    let over_budget = session.connector.over_budget();
    tally.refuse(&scope.heard, &session.identity.arn, interrupted, over_budget)?;
    agree(session)?;
    let (spent, seconds) = (session.connector.spent(), began.elapsed().as_secs());
    let bill = ran.pages.or(base.and_then(|base| base.manifest.receipt.bill));
    let receipt = Receipt { requests: spent.counts(), usd: spent.usd() + order.runner.usd(), seconds, bill };
    // A thread of its own: to make the parts of a big snapshot is work, and whoever waits must be able to stop waiting.
    let runtime = Handle::current();
    let finishing = spawn_blocking(move || runtime.block_on(writer.finish(receipt, interrupted)));
    let snapshot = finishing.await.map_err(|_| ScanError::Lost)??;
    let (left_out, paced) = (ran.left_out, session.connector.paced());
    let refused = refused(session, &scope.heard).await;
    let Tally { gaps, unchanged, .. } = tally;
    Ok(Outcome { snapshot, gaps, left_out, interrupted, over_budget, unchanged, paced, refused })
}

/// Returns what AWS said if it stopped taking the credentials. The last answer of a Region that the account has not
/// enabled sounds the same, so STS is asked.
async fn refused(session: &Session, heard: &Heard) -> Option<String> {
    let failed = heard.refused()?;
    let taken = !failed.is_final() && session.is_known().await;
    (!taken).then_some(failed.reason)
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
        left: Allowance::of(&order.options),
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

/// With `--region`, what the tables hold of other Regions comes over from the base.
fn leave_out(writer: &mut SnapshotWriter, order: &Order) {
    if order.options.regions.is_empty() {
        return;
    }
    let heeds = |collector: &&Collector| matches!(collector.reach(), Reach::Buckets | Reach::Regional);
    let heeding = order.collectors.iter().filter(heeds);
    for read in heeding.flat_map(|collector| collector.reads()) {
        writer.visit_only(read.table, &order.options.regions);
    }
}

/// What came of the phases.
struct Ran {
    /// How the bill was paged; `None` when it was not read.
    pages: Option<BillPages>,
    /// What was left out costs.
    left_out: Cost,
}

/// The phases: the bill, which says where to look; the list of buckets of each account, which says where else; then
/// what buckets are set to and each Region, side by side.
async fn run(scope: &Scope, sink: &Sink, order: &Order, base: Option<&Snapshot>, partition: &str) -> Ran {
    for collector in Collector::ALL.into_iter().filter(|collector| !order.collectors.contains(collector)) {
        not_asked(collector, Some(&scope.account_id), sink, None, None).await;
    }
    let mut regions = Regions::of(&order.options.regions, order.collectors.contains(&Collector::Bill));
    regions.recall(base, &scope.earlier).await;
    let mut billed = cost_explorer::Bill::default();
    if order.collectors.contains(&Collector::Bill) {
        billed = guarded(Collector::Bill, scope, sink, bill).await.unwrap_or_default();
        regions.add_billed(std::mem::take(&mut billed.regions));
    }
    exports::read(scope, sink, order, base).await;
    let mut homes = storage::homes(base).await;
    homes.extend(storage::read_lens(scope, sink, order).await);
    // Whoever names a Region wants it read, however little it costs.
    let everything = order.all || regions.given().is_some();
    let spend = if everything { Spend::default() } else { std::mem::take(&mut billed.spend) };
    let (left_out, listed) = detail(scope, sink, order, (base, partition), &billed, &spend, &mut regions).await;
    homes.extend(listed);
    storage::read_inventories(scope, sink, order, &homes).await;
    Ran { pages: (billed.pages.pages > 0).then_some(billed.pages), left_out }
}

/// Reads the accounts in detail: the buckets of each, then its Regions. Returns what was left out, and whose the
/// buckets are.
async fn detail(
    scope: &Scope,
    sink: &Sink,
    order: &Order,
    (base, partition): (Option<&Snapshot>, &str),
    billed: &cost_explorer::Bill,
    spend: &Spend,
    regions: &mut Regions,
) -> (Cost, Homes) {
    let known = Known::ask(scope, sink, &order.accounts, billed).await;
    let wanted = known.wanted(&order.accounts, &scope.account_id);
    let detail: Vec<Collector> =
        Collector::ALL.into_iter().filter(|of| order.collectors.contains(of) && of.is_detail()).collect();
    let role = order.role.as_ref().map(|role| (role, partition));
    let first = rank(&runs(&detail, &wanted, &regions.to_visit(&scope.region)), spend, &Buckets::new());
    let mut entered = Entered::default();
    entered.enter(scope, accounts_of(&first.kept), role).await;
    let listed = buckets::list(&first, &entered, sink).await;
    regions.add(listed.regions());
    let homes = listed.homes();
    left_regions(regions, &wanted, scope, sink, &detail).await;
    let buckets = listed.counts();
    let mut ranked = rank(&runs(&detail, &wanted, &regions.to_visit(&scope.region)), spend, &buckets);
    ranked.decided_before(&first, |run| run.collector.reach() == Reach::Buckets);
    entered.enter(scope, accounts_of(&ranked.kept), role).await;
    entered.tell_closed(&ranked.kept, sink).await;
    let own_bill_only = !order.collectors.contains(&Collector::Bill) && order.accounts == Accounts::Own;
    if !own_bill_only || base.is_none_or(|base| base.parts(ACCOUNTS.name).is_empty()) {
        sink.rows(&ACCOUNTS, known.rows(&entered.open)).await;
    }
    leave(&ranked, &buckets, sink).await;
    let rest: Vec<&Run> = ranked.kept.iter().filter(|run| run.collector.reach() != Reach::Buckets).collect();
    // What buckets are set to is most of the requests, and at a pace of its own: nobody waits for it.
    tokio::join!(Box::pin(listed.read(&entered, sink)), Box::pin(others(&rest, &entered, sink)));
    (ranked.left_cost(), homes)
}

/// Reads everything but buckets, Region by Region.
async fn others(runs: &[&Run], entered: &Entered, sink: &Sink) {
    let scopes = runs.iter().filter_map(|run| Some((run.collector, scope_of(run, &entered.open)?)));
    futures::stream::iter(scopes)
        .map(async |(collector, scope)| {
            guarded(collector, &scope, sink, move |scope, sink| collector.collect(scope, sink)).await
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
}

fn accounts_of(runs: &[Run]) -> BTreeSet<String> {
    runs.iter().map(|run| run.account_id.clone()).collect()
}

/// Says which Regions nobody asked for: of the account, or of several at once.
async fn left_regions(regions: &Regions, wanted: &[String], scope: &Scope, sink: &Sink, detail: &[Collector]) {
    let account = (wanted == [scope.account_id.clone()]).then_some(scope.account_id.as_str());
    for region in regions.left_out() {
        for collector in detail.iter().filter(|collector| collector.reach() == Reach::Regional) {
            not_asked(*collector, account, sink, Some(&region), Some(OTHER_REGIONS)).await;
        }
    }
}

fn scope_of(run: &Run, scopes: &BTreeMap<String, Scope>) -> Option<Scope> {
    let scope = scopes.get(&run.account_id)?;
    Some(run.region.as_ref().map_or_else(|| scope.clone(), |region| scope.in_region(region)))
}

/// Says what was too little to look at, with its dollars: one piece of coverage for each table, account and Region, or
/// for the account where it is all Regions. What an earlier scan knew of such a Region comes over.
async fn leave(ranked: &Ranked, buckets: &Buckets, sink: &Sink) {
    for (run, cost) in ranked.left_by_place() {
        let seen = run.region.clone().and_then(|region| buckets.get(&(run.account_id.clone(), region)));
        let seen = seen.map(|count| format!(" ({count} buckets are there)")).unwrap_or_default();
        let why = format!("{LEFT_OUT}{} in the last 30 days{seen}; `--all` reads it too", cost.human());
        for row in rows_not_asked(run.collector) {
            sink.leave(row.at(&run.account_id, run.region.as_deref()).because(why.as_str())).await;
        }
    }
}

async fn bill(scope: Scope, sink: Sink) -> cost_explorer::Bill {
    cost_explorer::collect(&scope, &sink).await
}

/// Says that a collector's tables were not asked for: in the whole account, or in one Region, or there in several accounts.
async fn not_asked(collector: Collector, account: Option<&str>, sink: &Sink, region: Option<&str>, why: Option<&str>) {
    for row in rows_not_asked(collector) {
        let row = Coverage { account_id: account.map(str::to_owned), region: region.map(str::to_owned), ..row };
        sink.cover(why.map_or(row.clone(), |why| row.because(why))).await;
    }
}

fn rows_not_asked(collector: Collector) -> impl Iterator<Item = Coverage> {
    let rows = collector.reads().iter().filter(|read| read.columns.is_empty());
    rows.map(|read| Coverage::new(read.table, read.operation, CoverageState::NotAsked))
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
mod tests;
