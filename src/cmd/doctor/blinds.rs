//! What each refusal hides: the dollars of the services behind it, and the policies that read what it fills.
//!
//! Dollars are the newest snapshot's; without one they are not known, never nothing.

use crate::aws::collect::{Collector, Read};
use crate::aws::doctor::{Permission, Verdict};
use crate::cmd::{Context, prices};
use crate::error::Failure;
use crate::model::{Coverage, CoverageState, Money};
use crate::portfolio::{Blind, blinded};
use crate::store::Snapshot;

/// What one refusal hides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    /// USD a month at most; `None` where that is not known.
    pub usd: Option<Money>,
    /// Ids of the policies that cannot tell, or cannot tell all.
    pub policies: Vec<String>,
}

/// What all refusals hide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blinds {
    /// In the order of the permissions; `None` for those that were not refused.
    pub each: Vec<Option<Hidden>>,
    /// USD a month at most for all of them, each dollar once.
    pub usd: Option<Money>,
    /// The snapshot that the dollars are of.
    pub snapshot: Option<String>,
}

impl Blinds {
    /// Returns what the refusals among `permissions` hide.
    ///
    /// # Errors
    /// A policy is wrong, or the snapshot is damaged.
    pub async fn of(
        context: &Context,
        account_id: &str,
        permissions: &[Permission],
        base: Option<&Snapshot>,
    ) -> Result<Blinds, Failure> {
        let library = context.library().await?;
        let gaps: Vec<Vec<Coverage>> = permissions.iter().map(|of| gaps(of, account_id)).collect();
        let dollars = dollars(base, &gaps).await?;
        let each = gaps.iter().zip(&dollars).map(|(gaps, usd)| {
            let blind = library.policies().filter(|policy| gaps.iter().any(|gap| policy.depends_on(gap)));
            let policies = blind.map(|policy| policy.id().to_owned()).collect();
            (!gaps.is_empty()).then_some(Hidden { usd: *usd, policies })
        });
        let usd = dollars.last().copied().flatten();
        Ok(Blinds { each: each.collect(), usd, snapshot: base.map(|base| base.id().to_owned()) })
    }
}

/// Returns what each of `accounts` that cannot be entered hides, USD a month at most; `None` where that is not known.
///
/// # Errors
/// The snapshot is damaged.
pub async fn closed(accounts: &[String], base: Option<&Snapshot>) -> Result<Vec<Option<Money>>, Failure> {
    let detail = || Collector::ALL.into_iter().filter(|collector| collector.is_detail());
    let gap = |account: &str, read: &Read| {
        Coverage::new(read.table, read.operation, CoverageState::Missing).at(account, None)
    };
    let all = |account: &String| detail().flat_map(Collector::reads).map(|read| gap(account, read)).collect();
    let gaps: Vec<Vec<Coverage>> = accounts.iter().map(all).collect();
    let mut usd = dollars(base, &gaps).await?;
    usd.truncate(accounts.len());
    Ok(usd)
}

/// Returns the gaps that the refusal would leave in a scan.
fn gaps(permission: &Permission, account_id: &str) -> Vec<Coverage> {
    let Verdict::Denied(_) = permission.verdict else { return Vec::new() };
    let gap = |table| Coverage::new(table, permission.operation, CoverageState::Missing).at(account_id, None);
    permission.fills.iter().map(|read| gap(read.table)).collect()
}

/// Returns the dollars of each group of gaps, and at the end those of all.
async fn dollars(base: Option<&Snapshot>, gaps: &[Vec<Coverage>]) -> Result<Vec<Option<Money>>, Failure> {
    let nothing = vec![None; gaps.len() + 1];
    let Some(base) = base.filter(|_| gaps.iter().any(|gaps| !gaps.is_empty())) else { return Ok(nothing) };
    let groups = [gaps, &[gaps.concat()]].concat();
    let book = prices::book(&base.store, base.origin()).await?;
    Ok(blinded(base, &book, &groups).await?.iter().map(known).collect())
}

/// A table that no service's bill stands behind hides an amount that nobody knows.
fn known(blind: &Blind) -> Option<Money> {
    blind.usd.filter(|_| !blind.parts.is_empty())
}
