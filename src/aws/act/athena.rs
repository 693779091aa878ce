//! Roll-ups on Athena: a table over the files of an export, one query, its rows; the table is dropped again.
//!
//! Makes and drops nothing but tables called `leanlake_…` in the database that was named. Never scans more than it may: what
//! would is refused before it is asked, and the engine's own count is added up after.

mod results;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_athena::Client;
use aws_sdk_athena::types::{QueryExecutionContext, QueryExecutionState, QueryExecutionStatistics};
use aws_types::SdkConfig;
use rust_decimal::Decimal;

use crate::aws::client;
use crate::aws::collect::Failed;
use crate::aws::connector::{Connector, Role, Tag};
use crate::engine::files::Files;
use crate::model::Money;
use crate::model::money::grouped;
use crate::model::text::terminal;
use crate::prices::scanned::{TERABYTE, billed_bytes};
use crate::rollup::athena::{Statements, statements};
use crate::rollup::{Batches, Elsewhere, RollUp, RollUpError};

/// First and longest pause between two looks at a query.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// What may be done on Athena.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The database that tables are made in.
    pub database: String,
    /// The workgroup that queries run in; its output location takes the results.
    pub workgroup: String,
    /// Most bytes to scan, all queries together.
    pub max_scan: u64,
    /// Most dollars that the whole scan may cost; `None` for no limit.
    pub max_cost: Option<Money>,
    /// Dollars for a TB; `None` where the price book has no price.
    pub usd_per_tb: Option<Money>,
    /// What tells the tables of this scan from those of another.
    pub stamp: String,
}

/// What was done on Athena.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Queries that scanned.
    pub queries: u64,
    /// Bytes that they would scan at most, by the footers of the files.
    pub estimated_bytes: u64,
    /// Bytes that they are charged for: what they scanned in whole MB, and 10 of them at least for each.
    pub scanned_bytes: u64,
    /// Their price; `None` where the price book has none.
    pub usd: Option<Money>,
    /// Tables that could not be dropped.
    pub left: BTreeSet<String>,
}

/// Athena, as one scan uses it.
pub struct Athena {
    client: Client,
    connector: Connector,
    terms: Terms,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    made: u64,
    receipt: Receipt,
    /// Queries under way.
    running: BTreeSet<String>,
    /// Tables that were made and not dropped, with the statement that drops each.
    open: BTreeSet<String>,
}

impl fmt::Debug for Athena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Athena").field("terms", &self.terms).finish_non_exhaustive()
    }
}

impl Athena {
    /// Returns the Athena of an account in the Region of `sdk`.
    pub fn new(sdk: &SdkConfig, connector: &Connector, account_id: &str, terms: Terms) -> Self {
        let region = sdk.region().map_or("", |region| region.as_ref());
        let client = client::athena(sdk, Tag::new(Role::RollUps, "athena", account_id, region));
        Athena { client, connector: connector.clone(), terms, state: Mutex::default() }
    }

    /// Returns what was done so far.
    pub fn receipt(&self) -> Receipt {
        let state = self.state();
        let usd = self.usd_of(state.receipt.scanned_bytes);
        Receipt { usd, left: state.open.clone(), ..state.receipt.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn usd_of(&self, bytes: u64) -> Option<Money> {
        self.terms.usd_per_tb.map(|per_tb| per_tb * (Decimal::from(bytes) / Decimal::from(TERABYTE)))
    }

    /// Returns the statements for the files, counted against the limits.
    fn plan(&self, roll_up: &RollUp, files: &Files) -> Result<Statements, String> {
        let outline = files.outline().map_err(|error| format!("Athena does not read it: {}", error.reason))?;
        let mut state = self.state();
        let name = format!("{}_{}", self.terms.stamp, state.made + 1);
        let said = statements(roll_up, &outline, &self.terms.database, &name).map_err(|error| error.to_string())?;
        let bytes = charged(said.bytes.max(1));
        self.allowed(&state.receipt, bytes)?;
        state.made += 1;
        state.receipt.estimated_bytes += bytes;
        Ok(said)
    }

    /// Refuses what would scan, or cost, more than it may.
    fn allowed(&self, so_far: &Receipt, bytes: u64) -> Result<(), String> {
        let (most, whole) = (self.terms.max_scan, so_far.scanned_bytes.saturating_add(bytes));
        if whole > most {
            return Err(format!(
                "on Athena it would scan {} bytes, {} with what was scanned before, and `--max-scan` allows {}",
                grouped(&bytes.to_string()),
                grouped(&whole.to_string()),
                grouped(&most.to_string())
            ));
        }
        let Some(limit) = self.terms.max_cost else { return Ok(()) };
        let usd =
            self.usd_of(whole).ok_or("the price of an Athena query is not known, so no `--max-cost` can be kept")?;
        let whole = self.connector.spent().usd() + usd;
        if whole > limit {
            let (whole, limit) = (whole.human(), limit.human());
            return Err(format!("with this query on Athena the scan would cost {whole}, and it may cost {limit}"));
        }
        Ok(())
    }

    /// Runs one statement to its end. Returns the id of the query.
    async fn execute(&self, sql: &str, what: &str) -> Result<String, String> {
        let context = QueryExecutionContext::builder().database(&self.terms.database).build();
        let call = self.client.start_query_execution().query_string(sql).work_group(&self.terms.workgroup);
        let started = Box::pin(call.query_execution_context(context).send()).await;
        let started = started.map_err(|error| told(what, &Failed::from_sdk(&error)))?;
        let id = started.query_execution_id.ok_or_else(|| format!("Athena gave {what} no id"))?;
        self.state().running.insert(id.clone());
        let ended = self.wait(&id, what).await;
        self.state().running.remove(&id);
        ended.map(|()| id)
    }

    async fn wait(&self, id: &str, what: &str) -> Result<(), String> {
        let mut pause = PAUSE.0;
        loop {
            let asked = Box::pin(self.client.get_query_execution().query_execution_id(id).send()).await;
            let execution = asked.map_err(|error| told(what, &Failed::from_sdk(&error)))?.query_execution;
            let execution = execution.ok_or_else(|| format!("Athena does not know {what} any more"))?;
            let status = execution.status();
            let state = status.and_then(|status| status.state());
            let ended = !matches!(state, Some(QueryExecutionState::Queued | QueryExecutionState::Running) | None);
            if ended {
                let scanned = execution
                    .statistics()
                    .and_then(QueryExecutionStatistics::data_scanned_in_bytes)
                    .unwrap_or_default();
                self.count(u64::try_from(scanned).unwrap_or_default());
            }
            let why = status.and_then(|status| status.state_change_reason()).unwrap_or("no reason was given");
            match state {
                Some(QueryExecutionState::Succeeded) => return Ok(()),
                Some(QueryExecutionState::Cancelled) => {
                    return Err(format!("{what} was cancelled on Athena: {}", terminal(why)));
                }
                Some(_) if ended => return Err(format!("{what} failed on Athena: {}", terminal(why))),
                _ => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// Counts what a query scanned; statements that make and drop tables scan nothing.
    fn count(&self, bytes: u64) {
        if bytes > 0 {
            let mut state = self.state();
            state.receipt.queries += 1;
            state.receipt.scanned_bytes += charged(bytes);
        }
    }

    async fn drop_table(&self, statement: &str) {
        if self.execute(statement, "dropping its table").await.is_ok() {
            self.state().open.remove(statement);
        }
    }

    async fn roll_up(&self, roll_up: &'static RollUp, files: &Files) -> Result<Batches, String> {
        let said = self.plan(roll_up, files)?;
        self.state().open.insert(said.drop.clone());
        let made = self.execute(&said.create, "making its table").await;
        let asked = match made {
            Ok(_) => self.execute(&said.query, "its query").await,
            Err(why) => Err(why),
        };
        self.drop_table(&said.drop).await;
        Ok(results::rows(self.client.clone(), asked?, roll_up))
    }
}

/// Returns what a query is charged for that scans `bytes`.
fn charged(bytes: u64) -> u64 {
    billed_bytes(i64::try_from(bytes).unwrap_or(i64::MAX)).cast_unsigned()
}

/// Says what AWS said.
fn told(what: &str, failed: &Failed) -> String {
    format!("{what} was refused by Athena: {}", terminal(&failed.reason))
}

#[async_trait]
impl Elsewhere for Athena {
    async fn run(&self, roll_up: &'static RollUp, files: &Files) -> Result<Batches, RollUpError> {
        self.roll_up(roll_up, files).await.map_err(RollUpError::Elsewhere)
    }

    async fn settle(&self) {
        let (running, open) = {
            let mut state = self.state();
            (std::mem::take(&mut state.running), state.open.clone())
        };
        for id in running {
            let _ = self.client.stop_query_execution().query_execution_id(id).send().await;
        }
        for statement in open {
            self.drop_table(&statement).await;
        }
    }

    fn usd(&self) -> Money {
        self.receipt().usd.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
