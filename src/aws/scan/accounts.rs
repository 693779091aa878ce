//! Which accounts a scan reads in detail, and with whose credentials.
//!
//! Reads no service. An account whose role cannot be assumed leaves gaps of its own and stops no other.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;

use super::guarded;
use crate::aws::collect::organization::{self, Member, Organization};
use crate::aws::collect::{Collector, Scope, Sink, cost_explorer::Bill};
use crate::aws::member::MemberRole;
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
}

impl Known {
    /// Asks the organization, where more than the caller's own account is to be read; adds the accounts of the bill.
    pub async fn ask(scope: &Scope, sink: &Sink, accounts: &Accounts, bill: &Bill) -> Known {
        let organization = match accounts {
            Accounts::Own => Organization::default(),
            _ => guarded(Collector::Organization, scope, sink, asked).await.unwrap_or_default(),
        };
        let mut members = organization.members.unwrap_or_default();
        members.entry(scope.account_id.clone()).or_default();
        for (account, name) in &bill.accounts {
            let member = members.entry(account.clone()).or_default();
            member.name = member.name.take().or_else(|| name.clone());
        }
        Known { payer: organization.payer, members }
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

/// Returns a scope for each of `accounts` that can be read: the caller's own credentials in its own account, those of the
/// role, in its partition, in the others.
pub async fn enter(
    scope: &Scope,
    sink: &Sink,
    accounts: &BTreeSet<String>,
    role: Option<(&MemberRole, &str)>,
    collectors: &[Collector],
) -> BTreeMap<String, Scope> {
    let entered = futures::stream::iter(accounts).map(async |account| {
        let entered = enter_one(scope, account, role).await;
        if let Err(closed) = &entered {
            close(account, closed, sink, collectors).await;
        }
        Some((account.clone(), entered.ok()?))
    });
    entered.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await
}

/// Why an account was not entered.
type Closed = (CoverageState, String);

async fn enter_one(scope: &Scope, account: &str, role: Option<(&MemberRole, &str)>) -> Result<Scope, Closed> {
    if account == scope.account_id {
        return Ok(scope.in_account(account, scope.sdk.clone()));
    }
    let Some((role, partition)) = role else {
        return Err((CoverageState::NotAsked, "no role is named for other accounts: `--role NAME`".to_owned()));
    };
    if let Some(stopped) = scope.stopped() {
        return Err((CoverageState::Missing, stopped.reason));
    }
    let assumed = role.assume(&scope.sdk, partition, account).await;
    assumed.map(|sdk| scope.in_account(account, sdk)).map_err(|failed| (CoverageState::Missing, failed.reason))
}

/// Says of each table that the account is missing in it.
async fn close(account: &str, (state, why): &Closed, sink: &Sink, collectors: &[Collector]) {
    let reads = collectors.iter().flat_map(|collector| collector.reads());
    for read in reads.filter(|read| read.columns.is_empty() && read.table != ACCOUNTS.name) {
        let mut gap = Coverage::new(read.table, read.operation, *state).at(account, None).because(why.as_str());
        if *state == CoverageState::Missing {
            gap.missing_action = Some("sts:AssumeRole".to_owned());
        }
        sink.cover(gap).await;
    }
}
