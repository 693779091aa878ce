//! Which accounts and Regions a scan would visit, as far as that is known before it.
//!
//! Asks the organization, which is free, for the roles of other accounts, and for their lists of buckets up to a bound.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc;

use super::Roles;
use super::storage::{Counted, count};
use crate::aws::collect::s3::OTHER_REGIONS;
use crate::aws::collect::{Collector, Reach, Scope, Sink, cloudwatch, cost_explorer};
use crate::aws::rank::{Buckets, Run, Spend, rank, runs};
use crate::aws::scan::accounts::{Accounts, Entered, Known};
use crate::aws::scan::regions::Regions;
use crate::aws::scan::{LEFT_OUT, Order};
use crate::model::{Coverage, CoverageState, Row, Untrusted};
use crate::store::Snapshot;
use crate::store::tables::scan::ACCOUNTS;

/// Most accounts whose role is assumed to count their buckets.
const MEMBERS: usize = 100;
/// Most pages of buckets that are listed: together they cost a tenth of a cent.
const PAGES: u64 = 200;

/// The runs of a scan, and what is known of each.
pub(super) struct Visit {
    /// The runs, those that are left out for their spend left out.
    pub runs: Vec<Run>,
    /// The caller's own account.
    pub scope: Scope,
    /// True where the last scan visited the same accounts and Regions.
    pub as_before: bool,
    /// What is not known yet, in sentences.
    pub unknown: Vec<String>,
    /// The roles of other accounts.
    pub roles: Roles,
    scopes: BTreeMap<String, Scope>,
    counted: BTreeMap<String, Counted>,
    /// True where a bill may name Regions that nobody knows yet.
    regions_open: bool,
    /// True where there may be accounts that nobody knows yet.
    accounts_open: bool,
}

impl Visit {
    /// Returns the accounts that are read in detail.
    pub fn accounts(&self) -> BTreeSet<String> {
        self.runs.iter().map(|run| run.account_id.clone()).collect()
    }

    /// Returns the Regions that are visited.
    pub fn regions(&self) -> BTreeSet<String> {
        self.runs.iter().filter_map(|run| run.region.clone()).collect()
    }

    /// Returns the scope of a run; it asks for nothing.
    pub fn scope_of(&self, run: &Run) -> Scope {
        if run.collector.reach() == Reach::Bill {
            return self.scope.clone();
        }
        let scope = self.scopes.get(&run.account_id).unwrap_or(&self.scope);
        run.region.as_ref().map_or_else(|| scope.clone(), |region| scope.in_region(region))
    }

    /// Returns how many buckets a run is about; `None` where nobody counted.
    pub fn counted(&self, run: &Run) -> Option<u64> {
        let counted = self.counted.get(&run.account_id)?;
        Some(match &run.region {
            Some(region) => counted.regions.get(region).copied().unwrap_or_default(),
            None => counted.total,
        })
    }

    /// Returns true where a run in `scope` may cost more than can be said, or where there may be more runs like it.
    pub fn is_open(&self, run: &Run, scope: &Scope) -> bool {
        let counted = self.counted.get(&run.account_id);
        let uncounted = match run.collector {
            Collector::S3 => counted.is_none(),
            Collector::Storage => {
                // Where no earlier scan listed the metrics of the Region.
                counted.is_none_or(Counted::is_unplaced) && cloudwatch::listed_before(scope).is_empty()
            }
            _ => false,
        };
        let regional = run.collector.reach() == Reach::Regional;
        uncounted || (regional && self.regions_open) || (self.accounts_open && run.collector.is_detail())
    }
}

/// Returns what a scan of `order` would visit.
pub(super) async fn foresee(scope: &Scope, base: Option<&Snapshot>, order: &Order, partition: &str) -> Visit {
    let mut regions = Regions::of(&order.options.regions, order.collectors.contains(&Collector::Bill));
    regions.recall(base, &scope.earlier).await;
    let billed = base.filter(|_| order.collectors.contains(&Collector::Bill));
    let bill = cost_explorer::recalled(billed, scope.as_of.date_naive()).await;
    let everything = order.all || regions.given().is_some();
    let spend = if everything { Spend::default() } else { bill.spend.clone() };
    let (sink, mut pieces) = Sink::reporting(mpsc::channel(1).0, scope.cancel.clone());
    let swallow = tokio::spawn(async move { while pieces.recv().await.is_some() {} });
    let sink = sink.over(base.cloned());
    let known = Known::ask(scope, &sink, &order.accounts, &bill).await;
    drop(sink);
    let _ = swallow.await;
    let wanted = known.wanted(&order.accounts, &scope.account_id);
    let mut visit = Visit {
        runs: Vec::new(),
        scope: scope.clone(),
        as_before: as_before(base, scope, order, &wanted).await,
        unknown: Vec::new(),
        roles: Roles::default(),
        scopes: BTreeMap::new(),
        counted: BTreeMap::new(),
        regions_open: false,
        accounts_open: order.accounts == Accounts::All && !known.is_told(),
    };
    let open = visit.enter(order, wanted, partition).await;
    regions.add(visit.counted.values().flat_map(|counted| counted.regions.keys().cloned()));
    let bill_next = order.collectors.contains(&Collector::Bill) && regions.given().is_none();
    visit.regions_open = bill_next && !regions.is_billed();
    visit.choose(order, &open, &regions, &spend);
    visit.say();
    visit
}

impl Visit {
    /// Enters the accounts, as many as are tried, and counts their buckets. Returns those that a scan would read.
    async fn enter(&mut self, order: &Order, wanted: Vec<String>, partition: &str) -> Vec<String> {
        let role = order.role.as_ref().map(|role| (role, partition));
        let others = wanted.iter().filter(|id| **id != self.scope.account_id);
        let mut tried: BTreeSet<String> = others.clone().take(MEMBERS).cloned().collect();
        let untried = others.clone().count() - tried.len();
        self.roles.wanted = others.count();
        tried.extend(wanted.iter().filter(|id| **id == self.scope.account_id).cloned());
        let mut entered = Entered::default();
        entered.enter(&self.scope, tried, role).await;
        if untried > 0 {
            let why = format!("an estimate tries {MEMBERS} roles");
            self.unknown.push(format!("{untried} accounts were not entered ({why}): their buckets were not counted"));
        }
        let (mut pages, mut open) = (PAGES, Vec::new());
        for id in wanted {
            if entered.is_closed(&id) {
                continue;
            }
            let known = entered.open.remove(&id);
            let of_it = known.clone().unwrap_or_else(|| self.scope.in_account(&id, self.scope.sdk.clone()));
            let counted = if known.is_some() { self.count(&of_it, order, &mut pages).await } else { before(&of_it) };
            self.counted.extend(counted.map(|counted| (id.clone(), counted)));
            self.roles.open.extend(known.filter(|_| id != self.scope.account_id));
            self.scopes.insert(id.clone(), of_it);
            open.push(id);
        }
        self.roles.closed = entered.into_closed();
        if let Some((_, closed)) = self.roles.closed.first() {
            let (count, why) = (self.roles.closed.len(), &closed.why);
            self.unknown.push(format!("{count} accounts cannot be entered and are left out of this: {why}"));
        }
        open
    }

    async fn count(&self, scope: &Scope, order: &Order, pages: &mut u64) -> Option<Counted> {
        let of_buckets = [Collector::S3, Collector::Storage].iter().any(|of| order.collectors.contains(of));
        if !of_buckets && !order.options.regions.is_empty() {
            return None;
        }
        count(scope, pages).await
    }

    /// Chooses the runs as a scan does.
    fn choose(&mut self, order: &Order, accounts: &[String], regions: &Regions, spend: &Spend) {
        let detail: Vec<Collector> =
            Collector::ALL.into_iter().filter(|of| order.collectors.contains(of) && of.is_detail()).collect();
        let buckets: Buckets = self
            .counted
            .iter()
            .flat_map(|(account, counted)| {
                let of = |(region, count): (&String, &u64)| {
                    ((account.clone(), region.clone()), usize::try_from(*count).unwrap_or(usize::MAX))
                };
                counted.regions.iter().map(of)
            })
            .collect();
        let all = runs(&detail, accounts, &regions.to_visit(&self.scope.region));
        self.runs = rank(&all, spend, &buckets).kept;
        let first = Collector::ALL.into_iter().filter(|of| order.collectors.contains(of) && !of.is_detail());
        let own = |collector| Run { collector, account_id: self.scope.account_id.clone(), region: None };
        self.runs.extend(first.map(own).collect::<Vec<_>>());
    }

    /// Says what is not known.
    fn say(&mut self) {
        if self.regions_open {
            self.unknown.push("no scan has read the bill yet, which may name more Regions".to_owned());
        }
        if self.accounts_open {
            self.unknown.push("the organization does not tell its accounts: there may be more".to_owned());
        }
        let of_buckets = |run: &&Run| matches!(run.collector, Collector::S3 | Collector::Storage);
        let uncounted: BTreeSet<&String> = self.runs.iter().filter(of_buckets).map(|run| &run.account_id).collect();
        let uncounted = uncounted.into_iter().filter(|id| !self.counted.contains_key(*id)).count();
        if uncounted > 0 {
            self.unknown.push(format!("the buckets of {uncounted} accounts were not counted"));
        }
    }
}

/// Returns the buckets that the last scan listed in an account that is not entered now.
fn before(scope: &Scope) -> Option<Counted> {
    let of = |c: &&Coverage| {
        c.read == "s3:ListBuckets" && c.table == "buckets" && c.account_id.as_deref() == Some(&scope.account_id)
    };
    let listed: Vec<u64> = scope.earlier.iter().filter(of).filter_map(|c| u64::try_from(c.seen?).ok()).collect();
    (!listed.is_empty()).then(|| Counted { total: listed.iter().sum(), regions: BTreeMap::new() })
}

/// Returns true where the last scan visited the accounts that are wanted, and left none of their Regions out.
async fn as_before(base: Option<&Snapshot>, scope: &Scope, order: &Order, wanted: &[String]) -> bool {
    let Some(base) = base else { return false };
    let cut = |c: &Coverage| {
        let why = c.reason.as_ref().map(Untrusted::raw).unwrap_or_default();
        c.state == CoverageState::NotAsked && (why == OTHER_REGIONS || (order.all && why.starts_with(LEFT_OUT)))
    };
    if !order.options.regions.is_empty() || scope.earlier.iter().any(cut) {
        return false;
    }
    let rows = base.rows(&ACCOUNTS).await.unwrap_or_default();
    let scanned = |row: &Row| (row.flag("scanned") == Some(true)).then(|| row.key("account_id").to_owned());
    let scanned: BTreeSet<String> = rows.iter().filter_map(scanned).collect();
    scanned == wanted.iter().cloned().collect()
}
