//! Which accounts a scan reads in detail, and with whose credentials.
//!
//! Reads no service. An account whose role cannot be assumed leaves gaps of its own and stops no other.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;

use super::guard::guarded;
use crate::aws::collect::organization::{self, Member, Organization};
use crate::aws::collect::{Collector, Failed, Scope, Sink, Trouble, cost_explorer::Bill};
use crate::aws::member::MemberRole;
use crate::aws::rank::Run;
use crate::model::{Coverage, CoverageState, Row};
use crate::store::tables::scan::ACCOUNTS;

/// Roles that are assumed at the same time.
const AT_ONCE: usize = 8;

/// Which accounts are read in detail. The bill is always the caller's: a payer's covers every account below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Accounts {
    /// The caller's own.
    #[default]
    Own,
    /// Every open account of the organization or, where it may not be asked, of the bill.
    All,
    /// These.
    Listed(BTreeSet<String>),
}

/// What is known of the accounts before any of them is read.
#[derive(Debug, Default)]
pub struct Known {
    payer: Option<String>,
    members: BTreeMap<String, Member>,
    /// True where the organization named them.
    told: bool,
}

/// Accounts that can be read, and why others cannot.
#[derive(Debug, Default)]
pub struct Entered {
    /// A scope for each account with credentials.
    pub open: BTreeMap<String, Scope>,
    /// Why an account was not entered.
    closed: BTreeMap<String, Closed>,
}

impl Known {
    /// Asks the organization, where more than the caller's own account is to be read; adds the accounts of the bill.
    pub async fn ask(scope: &Scope, sink: &Sink, accounts: &Accounts, bill: &Bill) -> Known {
        let organization = match accounts {
            Accounts::Own => Organization::default(),
            _ => guarded(Collector::Organization, scope, sink, asked).await.unwrap_or_default(),
        };
        let told = organization.members.is_some();
        let mut known = Known { payer: organization.payer, members: organization.members.unwrap_or_default(), told };
        known.members.entry(scope.account_id.clone()).or_default();
        if !told {
            known.recall(&sink.held(&ACCOUNTS).await);
        }
        for (account, name) in &bill.accounts {
            let member = known.members.entry(account.clone()).or_default();
            member.name = member.name.take().or_else(|| name.clone());
        }
        known
    }

    /// Returns true where the organization named its accounts: there are no others.
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// Adds what an earlier scan knew, where the organization did not tell.
    fn recall(&mut self, rows: &[Row]) {
        let text = |row: &Row, column| row.text(column).map(|text| text.raw().to_owned());
        for row in rows {
            let member = self.members.entry(row.key("account_id").to_owned()).or_default();
            member.name = text(row, "name");
            member.state = text(row, "state");
            if self.payer.is_none() && row.flag("payer") == Some(true) {
                self.payer = Some(row.key("account_id").to_owned());
            }
        }
    }

    /// Returns the accounts to read, in order of their ids.
    pub fn wanted(&self, accounts: &Accounts, own: &str) -> Vec<String> {
        match accounts {
            Accounts::Own => vec![own.to_owned()],
            Accounts::Listed(ids) => ids.iter().cloned().collect(),
            Accounts::All => {
                self.members.iter().filter(|(_, member)| member.is_open()).map(|(id, _)| id.clone()).collect()
            }
        }
    }

    /// Returns the rows of `accounts`, with those marked that were read.
    pub fn rows(&self, read: &BTreeMap<String, Scope>) -> Vec<Row> {
        let ids: BTreeSet<&String> = self.members.keys().chain(read.keys()).collect();
        let row = |id: &String| {
            let member = self.members.get(id);
            Row::new()
                .with("account_id", id.as_str())
                .with("name", member.and_then(|member| member.name.as_deref()))
                .with("state", member.and_then(|member| member.state.as_deref()))
                .with("payer", self.payer.as_ref().map(|payer| payer == id))
                .with("scanned", read.contains_key(id))
        };
        ids.into_iter().map(row).collect()
    }
}

async fn asked(scope: Scope, sink: Sink) -> Organization {
    organization::collect(&scope, &sink).await
}

impl Entered {
    /// Enters those of `accounts` that nobody tried yet: the caller's own credentials in its own account, those of the
    /// role, in its partition, in the others.
    pub async fn enter(&mut self, scope: &Scope, accounts: BTreeSet<String>, role: Option<(&MemberRole, &str)>) {
        let new = accounts.into_iter().filter(|id| !self.open.contains_key(id) && !self.closed.contains_key(id));
        let new: Vec<String> = new.collect();
        let past = Past::of(&scope.earlier);
        let bare = Scope { earlier: Vec::new(), ..scope.clone() };
        let mut tried = futures::stream::iter(new)
            .map(async |account| (enter_one(&bare, &account, role).await, account))
            .buffer_unordered(AT_ONCE);
        while let Some((entered, account)) = tried.next().await {
            match entered {
                Ok(open) => {
                    let earlier = past.of_account(&account);
                    self.open.insert(account, Scope { earlier, ..open });
                }
                Err(why) => drop(self.closed.insert(account, why)),
            }
        }
    }

    /// Returns true where the account could not be entered.
    pub fn is_closed(&self, account: &str) -> bool {
        self.closed.contains_key(account)
    }

    /// Returns the accounts that were not entered, and why.
    pub fn into_closed(self) -> Vec<(String, Closed)> {
        self.closed.into_iter().collect()
    }

    /// Says of each account that was not entered that it is missing in the tables that `runs` would have read there.
    pub async fn tell_closed(&self, runs: &[Run], sink: &Sink) {
        let meant: BTreeSet<(&str, Collector)> =
            runs.iter().map(|run| (run.account_id.as_str(), run.collector)).collect();
        for (account, collector) in meant {
            if let Some(closed) = self.closed.get(account) {
                close(account, closed, sink, collector).await;
            }
        }
    }
}

/// What earlier scans saw, by account: with a thousand of them nobody looks through all of it for each.
struct Past<'a> {
    of_all: Vec<(usize, &'a Coverage)>,
    by_account: BTreeMap<&'a str, Vec<(usize, &'a Coverage)>>,
}

impl<'a> Past<'a> {
    fn of(earlier: &'a [Coverage]) -> Self {
        let mut past = Past { of_all: Vec::new(), by_account: BTreeMap::new() };
        for (place, seen) in earlier.iter().enumerate() {
            match seen.account_id.as_deref() {
                Some(account) => past.by_account.entry(account).or_default().push((place, seen)),
                None => past.of_all.push((place, seen)),
            }
        }
        past
    }

    /// Returns what is about the account, or about all, in the order in which it was kept.
    fn of_account(&self, account: &str) -> Vec<Coverage> {
        let own = self.by_account.get(account).into_iter().flatten();
        let mut all: Vec<&(usize, &Coverage)> = own.chain(&self.of_all).collect();
        all.sort_by_key(|(place, _)| *place);
        all.into_iter().map(|(_, seen)| (*seen).clone()).collect()
    }
}

/// Why an account was not entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    state: CoverageState,
    /// True when the role may not be assumed.
    pub denied: bool,
    /// In AWS's words or ours; text from outside.
    pub why: String,
}

impl From<Failed> for Closed {
    fn from(failed: Failed) -> Self {
        Closed { state: CoverageState::Missing, denied: failed.trouble == Trouble::Denied, why: failed.reason }
    }
}

async fn enter_one(scope: &Scope, account: &str, role: Option<(&MemberRole, &str)>) -> Result<Scope, Closed> {
    if account == scope.account_id {
        return Ok(scope.in_account(account, scope.sdk.clone()));
    }
    let Some((role, partition)) = role else {
        let why = "no role is named for other accounts: `--role NAME`".to_owned();
        return Err(Closed { state: CoverageState::NotAsked, denied: false, why });
    };
    if let Some(stopped) = scope.stopped() {
        return Err(stopped.into());
    }
    let time = scope.left.for_one(scope.options.time);
    let assumed = tokio::select! {
        assumed = role.assume(&scope.sdk, partition, account) => assumed,
        failed = scope.given_up() => Err(failed),
        failed = time.ends() => Err(failed),
    };
    Ok(scope.in_account(account, assumed?))
}

/// Says of each table of a collector that the account is missing in it.
async fn close(account: &str, closed: &Closed, sink: &Sink, collector: Collector) {
    for read in collector.reads().iter().filter(|read| read.columns.is_empty() && read.table != ACCOUNTS.name) {
        let mut gap = Coverage::new(read.table, read.operation, closed.state).at(account, None);
        gap.missing_action = closed.denied.then(|| "sts:AssumeRole".to_owned());
        sink.cover(gap.because(closed.why.as_str())).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_gets_its_own_past_and_what_is_about_all_in_order() {
        let seen = |read: &str, account: Option<&str>| {
            let account_id = account.map(str::to_owned);
            Coverage { account_id, ..Coverage::new("buckets", read, CoverageState::Seen) }
        };
        let earlier = [seen("a", Some("1")), seen("b", None), seen("c", Some("2")), seen("d", Some("1"))];
        let reads = |account| -> Vec<String> {
            Past::of(&earlier).of_account(account).into_iter().map(|seen| seen.read).collect()
        };
        assert_eq!(
            (reads("1"), reads("2"), reads("3")),
            (vec!["a".into(), "b".into(), "d".into()], vec!["b".into(), "c".into()], vec!["b".into()])
        );
    }
}
