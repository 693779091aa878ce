//! `leanlake.doctor`: a check-up for machines, as one JSON document with a published schema.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::blinds::Hidden;
use super::members::{Barred, Entries, Member};
use super::{CheckUp, is_denied};
use crate::aws::doctor::{Permission, Verdict};
use crate::aws::estimate::{Estimate, Estimates, Part, total};
use crate::aws::iam;
use crate::error::Failure;
use crate::model::{Money, Origin, Untrusted};

/// What the document calls itself.
const SCHEMA: &str = "leanlake.doctor";
/// `major.minor`: a later minor only adds.
const VERSION: &str = "1.2";

/// One check-up.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "leanlake.doctor")]
pub struct Document {
    /// `leanlake.doctor`.
    schema: &'static str,
    /// `major.minor`; a reader ignores fields that it does not know and refuses a major that it does not know.
    version: &'static str,
    /// When it was.
    generated_at: DateTime<Utc>,
    /// Where the answers are from. What is not AWS itself says nothing about AWS.
    origin: Origin,
    /// The account behind the credentials.
    account_id: String,
    /// The user or role behind the credentials.
    arn: Untrusted,
    /// `aws`, `aws-cn`, `aws-us-gov`.
    partition: String,
    /// The Region of the session.
    region: String,
    /// The Regions where it was tried.
    regions: Vec<String>,
    /// Seconds that the local clock is ahead of AWS's, less than 0 when it is behind; `null` when AWS did not say.
    clock_ahead_seconds: Option<i64>,
    /// Every call of a scan, those of a service together.
    permissions: Vec<Tried>,
    /// USD a month that the refusals hide at most, each dollar once; `null` where that is not known.
    blind_usd: Option<Money>,
    /// The snapshot that dollars are of; `null` where there is none.
    snapshot: Option<String>,
    /// The smallest IAM policy that allows what is denied; `null` when nothing is.
    missing_policy: Option<Value>,
    /// The other accounts that are meant; `null` when none are.
    members: Option<Members>,
    /// What the check-up itself used.
    used: Used,
    /// What a scan would cost.
    scan: Scan,
}

/// One call.
#[derive(Serialize, JsonSchema)]
struct Tried {
    /// The service.
    service: String,
    /// Service and operation, as the SDK names the operation.
    operation: String,
    /// The IAM action that allows it.
    action: String,
    /// Whether it works.
    verdict: Word,
    /// Why not, in AWS's words or ours.
    reason: Option<Untrusted>,
    /// Requests that were sent to try it.
    requests: u32,
    /// What it fills.
    fills: Vec<Fills>,
    /// USD a month that are hidden without it at most; `null` where that is not known.
    blind_usd: Option<Money>,
    /// Policies that cannot tell, or cannot tell all, without it.
    blind_policies: Vec<String>,
}

/// Whether a call works.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Word {
    /// It was answered.
    Allowed,
    /// A permission is missing.
    Denied,
    /// The account does not use the service.
    NotEnabled,
    /// It failed for another reason.
    Failed,
    /// It was not sent.
    NotTried,
}

/// A table, or columns of one.
#[derive(Serialize, JsonSchema)]
struct Fills {
    /// The table.
    table: String,
    /// The columns that are NULL without it; none when it makes the rows themselves.
    columns: Vec<String>,
}

/// Other accounts.
#[derive(Serialize, JsonSchema)]
struct Members {
    /// Accounts that a scan would enter with a role.
    accounts: usize,
    /// Those whose role was tried, a hundred at most.
    tried: usize,
    /// Those whose role was assumed.
    assumed: Vec<String>,
    /// Those that cannot be entered.
    closed: Vec<Closed>,
    /// Those in which every call was tried, two at most.
    checked: Vec<Checked>,
}

/// An account that cannot be entered.
#[derive(Serialize, JsonSchema)]
struct Closed {
    /// The account.
    account_id: String,
    /// What keeps us out, and what to do.
    advice: Untrusted,
    /// In AWS's words or ours.
    reason: Untrusted,
    /// USD a month that are hidden at most; `null` where that is not known.
    blind_usd: Option<Money>,
}

/// An account in which every call was tried.
#[derive(Serialize, JsonSchema)]
struct Checked {
    /// The account.
    account_id: String,
    /// The Regions where it was tried.
    regions: Vec<String>,
    /// Every call of a scan there.
    permissions: Vec<Tried>,
    /// USD a month that the refusals hide at most; `null` where that is not known.
    blind_usd: Option<Money>,
}

/// Requests and their price.
#[derive(Serialize, JsonSchema)]
struct Used {
    /// Requests, retries included.
    requests: u64,
    /// USD at list prices.
    usd: Money,
}

/// What a scan would cost.
#[derive(Serialize, JsonSchema)]
struct Scan {
    /// By service.
    services: Vec<Estimate>,
    /// In all.
    total: Estimate,
    /// By account, Region and service.
    parts: Vec<Part>,
    /// What is not known yet, in sentences.
    unknown: Vec<Untrusted>,
}

impl Document {
    /// Returns the document of a check-up.
    pub(super) fn of(found: &CheckUp, now: DateTime<Utc>) -> Self {
        let (session, (requests, usd)) = (&found.session, found.used);
        let who = session.identity.clone();
        Document {
            schema: SCHEMA,
            version: VERSION,
            generated_at: now,
            origin: session.configured_origin(),
            account_id: who.account_id,
            arn: who.arn.into(),
            partition: who.partition,
            region: session.region().to_owned(),
            regions: found.regions.clone(),
            clock_ahead_seconds: session.connector.clock_ahead().map(|ahead| ahead.num_seconds()),
            permissions: found
                .permissions
                .iter()
                .zip(&found.blinds.each)
                .map(|(of, blind)| tried(of, blind.as_ref()))
                .collect(),
            blind_usd: found.blinds.usd,
            snapshot: found.blinds.snapshot.clone(),
            missing_policy: missing_policy(found),
            members: found.members.as_ref().map(members),
            used: Used { requests, usd },
            scan: scan(&found.scan),
        }
    }

    /// Returns the text.
    pub(super) fn json(&self) -> Result<String, Failure> {
        serde_json::to_string_pretty(self).map_err(|error| Failure::failed("cannot write JSON").caused_by(error))
    }
}

/// Returns the JSON Schema of the document.
pub fn schema() -> Value {
    schemars::schema_for!(Document).to_value()
}

/// Returns the smallest policy that allows what is denied, in the caller's account or in another.
pub(super) fn missing_policy(found: &CheckUp) -> Option<Value> {
    let all = found.permissions.iter().chain(found.members.iter().flat_map(Entries::permissions));
    let actions: Vec<&str> = all.filter(|one| is_denied(&one.verdict)).map(|one| one.action).collect();
    (!actions.is_empty()).then(|| iam::missing(actions))
}

fn members(of: &Entries) -> Members {
    let barred = |one: &Barred| Closed {
        account_id: one.account_id.clone(),
        advice: one.advice.as_str().into(),
        reason: one.said.clone(),
        blind_usd: one.usd,
    };
    let checked = |one: &Member| Checked {
        account_id: one.account_id.clone(),
        regions: one.regions.clone(),
        permissions: one
            .permissions
            .iter()
            .zip(&one.blinds.each)
            .map(|(of, blind)| tried(of, blind.as_ref()))
            .collect(),
        blind_usd: one.blinds.usd,
    };
    Members {
        accounts: of.wanted,
        tried: of.tried(),
        assumed: of.open.clone(),
        closed: of.closed.iter().map(barred).collect(),
        checked: of.checked.iter().map(checked).collect(),
    }
}

fn scan(of: &Estimates) -> Scan {
    let unknown = of.unknown.iter().map(|said| said.as_str().into()).collect();
    Scan { services: of.services.clone(), total: total(&of.services), parts: of.parts.clone(), unknown }
}

fn tried(of: &Permission, blind: Option<&Hidden>) -> Tried {
    let (verdict, reason) = match &of.verdict {
        Verdict::Allowed => (Word::Allowed, None),
        Verdict::Denied(why) => (Word::Denied, Some(why.clone())),
        Verdict::NotEnabled(why) => (Word::NotEnabled, Some(why.clone())),
        Verdict::Failed(why) => (Word::Failed, Some(why.clone())),
        Verdict::NotTried(why) => (Word::NotTried, Some(why.clone())),
    };
    let columns = |of: &[&str]| of.iter().map(|column| (*column).to_owned()).collect();
    let hidden = blind.cloned().unwrap_or_default();
    Tried {
        service: of.service().to_owned(),
        operation: of.operation.to_owned(),
        action: of.action.to_owned(),
        verdict,
        reason,
        requests: of.requests,
        fills: of.fills.iter().map(|r| Fills { table: r.table.to_owned(), columns: columns(r.columns) }).collect(),
        blind_usd: hidden.usd,
        blind_policies: hidden.policies,
    }
}
