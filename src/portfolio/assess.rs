//! A snapshot, assessed: spend, findings with their verdicts, the bill reconciled, what could not be seen.
//!
//! Reads the snapshot's own parts and nothing else: no clock, no network. The same snapshot gives the same assessment.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::blind::{Billed, Blind, blind};
use super::dollars::Dollars;
use super::reconcile::{BillTotals, Reconciled, reconcile};
use super::{Portfolio, Totals, decide};
use crate::analysis::{self, AnalysisError, BillMonth, Compared};
use crate::engine::{Engine, EngineError};
use crate::forecast::spend::{self, Spend, SpendError};
use crate::model::{Coverage, Finding, FindingId, Origin, Status};
use crate::policy::{self, Library, PolicyError};
use crate::prices::{PriceBook, RateCard};
use crate::store::{Receipt, Snapshot, StoreError};

/// What a user may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Tag keys that name an owner; the first that a resource carries counts.
    pub owner_tags: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { owner_tags: ["owner", "team"].map(str::to_owned).to_vec() }
    }
}

/// Everything that a report, a screen or a plan reads.
#[derive(Clone, Debug, Serialize)]
pub struct Assessment {
    /// The snapshot.
    pub snapshot: String,
    /// The snapshot that `status` compares with; `None` for the first of a lake.
    pub previous: Option<String>,
    /// What was scanned.
    pub origin: Origin,
    /// The clock of everything in here.
    pub as_of: DateTime<Utc>,
    /// The account whose credentials scanned.
    pub account_id: Option<String>,
    /// What the scan used.
    pub receipt: Receipt,
    /// What was spent; `None` when the snapshot holds no bill.
    pub spend: Option<Spend>,
    /// The month that `lines` are of.
    pub bill_month: Option<BillMonth>,
    /// Months of which an export of the bill and Cost Explorer both have days, the newest first.
    pub compared: Vec<Compared>,
    /// That month in three parts; `None` without a full month.
    pub bill: Option<BillTotals>,
    /// Its lines: what the pools explain of each.
    pub lines: Vec<Reconciled>,
    /// Findings with verdicts and status, best first.
    pub findings: Vec<Finding>,
    /// What is recommended, in all.
    pub totals: Totals,
    /// What the dollars of the findings and of the total rest on.
    pub dollars: Dollars,
    /// What could not be seen.
    pub gaps: Vec<Coverage>,
    /// The spend that the gaps make blind.
    pub blind: Blind,
}

impl Assessment {
    /// Returns true when the bill, or a part of it, could not be read: then no cost is not the same as none.
    pub fn is_bill_blind(&self) -> bool {
        self.gaps.iter().any(|gap| matches!(gap.table.as_str(), "charges" | "costs"))
    }
}

/// Why a snapshot could not be assessed.
#[derive(Debug, thiserror::Error)]
pub enum AssessError {
    /// The engine could not be set up over it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A part of it could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An analysis failed.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// A policy failed.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Its spend could not be read.
    #[error(transparent)]
    Spend(#[from] SpendError),
}

/// Assesses a snapshot; findings that `previous` had too are open, the others new.
///
/// # Errors
/// A part is damaged, or a policy's query fails.
pub async fn assess(
    snapshot: &Snapshot,
    previous: Option<&Snapshot>,
    library: &Library,
    book: &PriceBook,
    settings: &Settings,
) -> Result<Assessment, AssessError> {
    let known = match previous {
        Some(previous) => Desk::over(previous, book).await?.findings(library, settings).await?,
        None => Vec::new(),
    };
    let desk = Desk::over(snapshot, book).await?;
    let mut findings = desk.findings(library, settings).await?;
    mark_new(&mut findings, &known.into_iter().map(|finding| finding.id).collect());
    let pools = desk.pools().await?;
    let lines = reconcile(&pools, &analysis::lines(&desk.engine, desk.as_of).await?);
    let accounts = analysis::by_account(&desk.engine, desk.as_of).await?;
    let gaps = desk.gaps(snapshot).await?;
    let Portfolio { findings, totals } = decide(findings, &pools);
    Ok(Assessment {
        snapshot: snapshot.id().to_owned(),
        previous: previous.map(|previous| previous.id().to_owned()),
        origin: snapshot.origin().clone(),
        as_of: desk.as_of,
        account_id: snapshot.account_id().map(str::to_owned),
        receipt: snapshot.manifest.receipt.clone(),
        spend: spend::read(&desk.engine, desk.as_of).await?,
        bill_month: analysis::full_month(&desk.engine, desk.as_of).await?,
        compared: desk.compared().await?,
        bill: BillTotals::of(&lines, &pools),
        blind: blind(&gaps, Billed { lines: &lines, accounts: &accounts }, &pools),
        dollars: Dollars::of(&findings, &pools),
        lines,
        findings,
        totals,
        gaps,
    })
}

/// Returns the spend that each group of gaps would make blind, by the last full month of the snapshot's bill.
///
/// # Errors
/// A part is damaged.
pub async fn blinded(
    snapshot: &Snapshot,
    book: &PriceBook,
    groups: &[Vec<Coverage>],
) -> Result<Vec<Blind>, AssessError> {
    let desk = Desk::over(snapshot, book).await?;
    let pools = desk.pools().await?;
    let lines = reconcile(&pools, &analysis::lines(&desk.engine, desk.as_of).await?);
    let accounts = analysis::by_account(&desk.engine, desk.as_of).await?;
    let billed = Billed { lines: &lines, accounts: &accounts };
    Ok(groups.iter().map(|gaps| blind(gaps, billed, &pools)).collect())
}

fn mark_new(findings: &mut [Finding], known: &BTreeSet<FindingId>) {
    for finding in findings {
        finding.status = if known.contains(&finding.id) { Status::Open } else { Status::New };
    }
}

/// One snapshot on the desk: its tables, the payer's rates, its clock.
struct Desk {
    engine: Engine,
    card: RateCard,
    as_of: DateTime<Utc>,
    /// True where exports of the bill stand in for Cost Explorer.
    from_bill: bool,
}

impl Desk {
    async fn over(snapshot: &Snapshot, book: &PriceBook) -> Result<Self, AssessError> {
        let (engine, as_of) = (Engine::over(snapshot)?, snapshot.as_of());
        let from_bill = analysis::stand_in(&engine).await?;
        let card = analysis::rate_card(&engine, book.clone(), as_of).await?;
        Ok(Desk { engine, card, as_of, from_bill })
    }

    async fn findings(&self, library: &Library, settings: &Settings) -> Result<Vec<Finding>, AssessError> {
        let evaluation = policy::evaluate(library, &self.engine, &self.card, self.as_of, &settings.owner_tags).await?;
        Ok(evaluation.findings)
    }

    async fn pools(&self) -> Result<Vec<crate::model::Pool>, AssessError> {
        let names = BTreeSet::from(["pools".to_owned()]);
        analysis::provide(&self.engine, &self.card, self.as_of, &names).await?;
        Ok(analysis::pools(&self.engine).await?)
    }

    /// An export is not held against itself.
    async fn compared(&self) -> Result<Vec<Compared>, AssessError> {
        Ok(if self.from_bill { Vec::new() } else { analysis::compared(&self.engine).await? })
    }

    /// What the scan could not see, and what it saw too long ago to be used.
    async fn gaps(&self, snapshot: &Snapshot) -> Result<Vec<Coverage>, AssessError> {
        let known = |gap: &Coverage| self.from_bill && analysis::is_filled(&gap.table);
        let coverage = snapshot.coverage().await?.into_iter();
        let mut gaps: Vec<Coverage> = coverage.filter(|gap| gap.is_gap() && !known(gap)).collect();
        gaps.extend(analysis::stale(&self.engine, self.as_of).await?);
        Ok(gaps)
    }
}
