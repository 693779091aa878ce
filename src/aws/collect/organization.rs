//! The organization: which accounts there are, and which of them pays. Asked when a scan is about more than one account.

use std::collections::BTreeMap;

use aws_sdk_organizations::Client;

use super::ask::ask;
use super::{Failed, Read, Scope, Sink};
use crate::model::{Coverage, CoverageState};
use crate::store::tables::scan::ACCOUNTS;

/// What this collector calls.
pub const READS: &[Read] = &[LIST, DESCRIBE];

const LIST: Read = Read::rows("organizations:ListAccounts", "organizations:ListAccounts", ACCOUNTS.name);
const DESCRIBE: Read = Read::columns(
    "organizations:DescribeOrganization",
    "organizations:DescribeOrganization",
    ACCOUNTS.name,
    &["payer"],
);

/// An account of the organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Its name; text from outside.
    pub name: Option<String>,
    /// `PENDING_ACTIVATION`, `ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE`, `CLOSED`; `None` where AWS does not say.
    pub state: Option<String>,
}

impl Member {
    /// Returns false for accounts where no role can be assumed any more.
    pub fn is_open(&self) -> bool {
        !matches!(self.state.as_deref(), Some("SUSPENDED" | "PENDING_CLOSURE" | "CLOSED"))
    }
}

/// What the organization says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Organization {
    /// The management account, which pays; `None` where nobody says.
    pub payer: Option<String>,
    /// Accounts by id; `None` where they may not be listed, or there is no organization.
    pub members: Option<BTreeMap<String, Member>>,
}

/// Reads the organization. A caller in no organization is told so as a gap.
pub async fn collect(scope: &Scope, sink: &Sink) -> Organization {
    let client = scope.organizations();
    let payer = payer(scope, sink, &client).await;
    let members = match members(scope, sink, &client).await {
        Ok(members) => {
            let seen = i64::try_from(members.len()).ok();
            let covered = Coverage { seen, ..Coverage::new(ACCOUNTS.name, LIST.operation, CoverageState::Seen) };
            // Of all accounts: those that left the organization do not come over from the last scan.
            sink.cover(covered).await;
            Some(members)
        }
        Err(failed) => {
            sink.cover(failed.gap(&LIST).at(&scope.account_id, None)).await;
            None
        }
    };
    Organization { payer, members }
}

async fn payer(scope: &Scope, sink: &Sink, client: &Client) -> Option<String> {
    match ask(scope, client.describe_organization().send()).await {
        Ok(answer) => answer.organization.and_then(|organization| organization.master_account_id),
        Err(failed) => {
            sink.cover(failed.gap(&DESCRIBE).at(&scope.account_id, None)).await;
            None
        }
    }
}

async fn members(scope: &Scope, sink: &Sink, client: &Client) -> Result<BTreeMap<String, Member>, Failed> {
    let mut members = BTreeMap::new();
    let mut token = None;
    loop {
        let page = ask(scope, client.list_accounts().set_next_token(token).send()).await?;
        for account in page.accounts.unwrap_or_default() {
            let Some(id) = account.id().map(str::to_owned) else { continue };
            // `state` follows `status`, which AWS is giving up (Organizations API reference, Account).
            let state = account.state().map(aws_sdk_organizations::types::AccountState::as_str);
            let state = state.or_else(|| account.status().map(aws_sdk_organizations::types::AccountStatus::as_str));
            members.insert(id, Member { name: account.name().map(str::to_owned), state: state.map(str::to_owned) });
        }
        sink.progress(members.len() as u64, None);
        token = page.next_token;
        if token.is_none() {
            return Ok(members);
        }
    }
}
