//! `scan --engine`: where exports are rolled up, and on which terms.

use std::fmt::Write as _;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::Context;
use crate::aws::act::athena::{Athena, Receipt, Terms};
use crate::aws::session::Session;
use crate::cmd::connect::Purpose;
use crate::cmd::prices;
use crate::error::{Failure, Kind};
use crate::model::Money;
use crate::model::money::grouped;
use crate::rollup::Runner;
use crate::store::Store;

/// What Athena may scan where nobody says: at list prices some cents.
const MAX_SCAN: u64 = 10_000_000_000;
/// The item of the price book.
const SCANNED: &str = "athena.sql.scanned";

/// Where exports are rolled up.
#[derive(Debug, Args)]
pub(super) struct EngineArgs {
    /// Where exports of the bill and inventory lists are rolled up: in this process, or on Athena (Parquet in S3 only),
    /// which makes a table `leanlake_…` in `--athena-database` for each, asks it, and drops it.
    #[arg(long, value_name = "ENGINE", default_value = "datafusion")]
    engine: Engine,
    /// The database that tables are made in, for `--engine athena`.
    #[arg(long, value_name = "NAME", value_parser = database)]
    athena_database: Option<String>,
    /// The workgroup that queries run in; its output location takes their results (primary where nobody says).
    #[arg(long, value_name = "NAME")]
    athena_workgroup: Option<String>,
    /// Most that Athena may scan, all queries together: 500MB, 20GB, 1TB (10GB where nobody says). What would scan more is
    /// left out.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_scan: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// In this process.
    Datafusion,
    /// On Athena.
    Athena,
}

impl EngineArgs {
    /// Returns what the scan wants from AWS.
    ///
    /// # Errors
    /// Options that do not fit each other.
    pub(super) fn purpose(&self) -> Result<Purpose, Failure> {
        let named = [self.athena_database.is_some(), self.athena_workgroup.is_some(), self.max_scan.is_some()];
        match self.engine {
            Engine::Athena if self.athena_database.is_none() => {
                Err(Failure::new(Kind::Usage, "`--engine athena` makes tables, and no database is named for them")
                    .hint(
                        "add `--athena-database NAME`; `leanlake iam scan --athena-database NAME` prints what it needs",
                    ))
            }
            Engine::Athena => Ok(Purpose::ScanOnAthena),
            Engine::Datafusion if named.contains(&true) => {
                Err(Failure::new(Kind::Usage, "`--athena-…` and `--max-scan` are for `--engine athena`"))
            }
            Engine::Datafusion => Ok(Purpose::Scan),
        }
    }

    /// Refuses Athena where nobody's credentials are at hand.
    ///
    /// # Errors
    /// Athena was asked for.
    pub(super) fn needs_nobody(&self) -> Result<(), Failure> {
        match self.engine {
            Engine::Datafusion => Ok(()),
            Engine::Athena => {
                Err(Failure::new(Kind::Credentials, "`--engine athena` needs credentials, and only the files are read")
                    .hint("without `--engine` the files are read in this process"))
            }
        }
    }

    /// Returns Athena, on the terms of the command line; `None` where roll-ups run in this process.
    ///
    /// # Errors
    /// The price book cannot be read.
    pub(super) async fn athena(
        &self,
        context: &Context,
        session: &Session,
        store: &Store,
        max_cost: Option<Money>,
    ) -> Result<Option<Arc<Athena>>, Failure> {
        let Some(database) = self.athena_database.clone().filter(|_| self.engine == Engine::Athena) else {
            return Ok(None);
        };
        let book = prices::book(store, &session.seen_origin()).await?;
        let price = book.tiers(SCANNED, session.region()).first().map(|price| Money::new(price.per_unit()));
        let terms = Terms {
            database,
            workgroup: self.athena_workgroup.clone().unwrap_or_else(|| "primary".to_owned()),
            max_scan: self.max_scan.unwrap_or(MAX_SCAN),
            max_cost,
            usd_per_tb: price,
            stamp: context.now().format("%Y%m%d_%H%M%S").to_string(),
        };
        context.term.status(&format!(
            "on Athena, workgroup `{}` in {}: tables `leanlake_{}_…` are made in database `{}` and dropped again; at most {} \
             bytes are scanned",
            crate::model::text::terminal(&terms.workgroup),
            session.region(),
            terms.stamp,
            terms.database,
            grouped(&terms.max_scan.to_string())
        ));
        let athena = Athena::new(&session.sdk, &session.connector, &session.identity.account_id, terms);
        Ok(Some(Arc::new(athena)))
    }
}

/// Returns where roll-ups run.
pub(super) fn runner(athena: Option<&Arc<Athena>>) -> Runner {
    athena.map_or(Runner::Here, |athena| Runner::There(Arc::clone(athena) as Arc<dyn crate::rollup::Elsewhere>))
}

/// Returns what was done on Athena, for people.
pub(super) fn told(receipt: &Receipt) -> String {
    let Receipt { queries, estimated_bytes, scanned_bytes, usd, left } = receipt;
    let usd = usd.map_or_else(|| "a price that is not known".to_owned(), Money::human);
    let noun = if *queries == 1 { "query" } else { "queries" };
    let mut text = format!(
        "Athena: {queries} {noun} scanned {} bytes for {usd}; at most {} were expected\n",
        grouped(&scanned_bytes.to_string()),
        grouped(&estimated_bytes.to_string())
    );
    for statement in left {
        let _ = writeln!(text, "{}", is_left(statement));
    }
    text
}

fn is_left(statement: &str) -> String {
    format!("a table is left in the database: {statement}")
}

/// Returns the failure of a scan with the tables that it left behind.
pub(super) fn with_left(failure: Failure, athena: Option<&Arc<Athena>>) -> Failure {
    let left = athena.map(|athena| athena.receipt().left).unwrap_or_default();
    left.iter().fold(failure, |failure, statement| failure.hint(is_left(statement)))
}

/// The names of Athena's databases that statements take without escapes.
fn database(name: &str) -> Result<String, String> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let fits = !name.is_empty() && name.len() <= 128 && name.chars().all(letters);
    if fits { Ok(name.to_owned()) } else { Err("lower-case letters, digits and `_`".to_owned()) }
}

/// Reads `500MB`, `20GB`, `1TB`, in powers of 1,000, or bytes.
fn size(text: &str) -> Result<u64, String> {
    let units = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("B", 1), ("", 1)];
    let read = units.into_iter().find_map(|(unit, factor)| {
        let number: u64 = text.trim().strip_suffix(unit)?.trim_end().parse().ok()?;
        number.checked_mul(factor)
    });
    read.ok_or_else(|| "a size is a whole number with its unit: 500MB, 20GB, 1TB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_or_is_bytes() {
        let read = ["500MB", "20 GB", "1TB", "7", "7B"].map(|text| size(text).unwrap());
        assert_eq!(read, [500_000_000, 20_000_000_000, 1_000_000_000_000, 7, 7]);
        for wrong in ["", "GB", "1.5GB", "-1GB", "1PB", "99999999999TB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
