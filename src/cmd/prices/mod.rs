//! `prices`: look prices up, refresh them from AWS's public list, see what changed.

mod changed;
mod refresh;
mod show;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Context;
use crate::error::Failure;
use crate::model::Origin;
use crate::prices::{PriceBook, Refreshed};
use crate::store::{PriceFile, Store};

/// Look up unit prices and where they were read; refresh them from AWS's public price list.
#[derive(Debug, Args)]
pub struct Prices {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the list prices that are used; --region picks Regions.
    Show(show::Show),
    /// Read newer prices from AWS's public price list into the store: no credentials, no cost.
    Refresh(refresh::Refresh),
}

/// Prints prices, or refreshes them.
pub async fn run(prices: &Prices, context: &Context) -> Result<ExitCode, Failure> {
    match &prices.what {
        What::Show(show) => show::run(show, context).await.map(|()| ExitCode::SUCCESS),
        What::Refresh(refresh) => refresh::run(refresh, context).await,
    }
}

/// Returns the prices for facts of `origin`: the embedded book, and over it what the store knows newer. Prices that
/// another host than AWS's gave are only for facts that are not AWS's either.
///
/// # Errors
/// The newest price file is damaged.
pub(super) async fn book(store: &Store, origin: &Origin) -> Result<PriceBook, Failure> {
    let newest = store.newest_price_file().await?.map(|file| parse(&file)).transpose()?;
    let embedded = embedded()?;
    Ok(match newest {
        Some(newest) if newest.endpoint.is_none() || !origin.is_aws() => embedded.with(&newest.book),
        _ => embedded,
    })
}

pub(super) fn embedded() -> Result<PriceBook, Failure> {
    PriceBook::embedded().map_err(|error| Failure::failed(error.to_string()))
}

fn parse(file: &PriceFile) -> Result<Refreshed, Failure> {
    Refreshed::parse(&file.text).map_err(|error| {
        let location = crate::model::text::terminal(&file.location);
        Failure::failed(format!("the price file `{location}` is damaged: {error}"))
            .hint("remove it, and `leanlake prices refresh` makes another")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::Price;

    /// A store whose newest prices halve Athena's, as `endpoint` (AWS, when `None`) said.
    async fn store(endpoint: Option<&str>) -> Store {
        let store = Store::temporary().unwrap();
        let mut price: Price = embedded().unwrap().tiers("athena.sql.scanned", "us-east-1")[0].clone();
        price.usd = crate::model::Money::new("2.5".parse().unwrap());
        let read_at = "2026-11-20T06:00:00Z".parse().unwrap();
        let book = PriceBook::of([price]).unwrap();
        let refreshed = Refreshed { read_at, endpoint: endpoint.map(str::to_owned), book };
        store.keep_prices(&refreshed.write()).await.unwrap();
        store
    }

    async fn athena(store: &Store, origin: &Origin) -> String {
        book(store, origin).await.unwrap().tiers("athena.sql.scanned", "us-east-1")[0].usd.to_string()
    }

    #[tokio::test]
    async fn prices_of_another_host_never_meet_facts_of_aws() {
        let aws = Origin::Aws { partition: "aws".to_owned() };
        let (real, mock) = (store(None).await, store(Some("127.0.0.1:4566")).await);
        assert_eq!(athena(&real, &aws).await, "2.50");
        assert_eq!(athena(&mock, &aws).await, "5.00");
        assert_eq!(athena(&mock, &Origin::Demo).await, "2.50");
    }

    #[tokio::test]
    async fn a_damaged_price_file_is_named_and_not_passed_over() {
        let store = store(None).await;
        store.keep_prices("nonsense").await.unwrap();
        let failure = book(&store, &Origin::Demo).await.unwrap_err();
        assert!(failure.message.contains("prices/000002.csv"), "{}", failure.message);
    }
}
