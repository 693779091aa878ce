//! The buckets of the accounts: listed first, since they say in which Regions to look, and read beside everything else.
//!
//! Decides nothing about what is asked of a bucket.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use futures::StreamExt;

use super::accounts::Entered;
use super::guard::{bounded, named};
use crate::aws::collect::s3::{self, Listing};
use crate::aws::collect::{Collector, Scope, Sink};
use crate::aws::rank::{Buckets, Ranked};
use crate::rollup::inventory::Homes;

/// Accounts whose buckets are listed, or read, at the same time.
const AT_ONCE: usize = 16;

/// The buckets of each account.
pub struct Listed(BTreeMap<String, Listing>);

/// Lists the buckets of the accounts that are read.
pub async fn list(first: &Ranked, entered: &Entered, sink: &Sink) -> Listed {
    let with_buckets = first.kept.iter().filter(|run| run.collector == Collector::S3);
    let scopes = with_buckets.filter_map(|run| entered.open.get(&run.account_id));
    let listed = futures::stream::iter(scopes)
        .map(async |scope| {
            let named = named(Collector::S3, scope, sink);
            named.started();
            let listing = bounded(Collector::S3, scope, &named, of_account).await;
            Some((scope.account_id.clone(), listing?))
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    Listed(listed.into_iter().flatten().collect())
}

async fn of_account(scope: Scope, sink: Sink) -> Listing {
    s3::list(&scope, &sink).await
}

impl Listed {
    /// Returns the Regions that have a bucket.
    pub fn regions(&self) -> BTreeSet<String> {
        self.0.values().flat_map(|listing| &listing.places).map(|place| place.region.clone()).collect()
    }

    /// Returns how many buckets each account has in each Region.
    pub fn counts(&self) -> Buckets {
        let mut counts = Buckets::new();
        for (account, listing) in &self.0 {
            for place in &listing.places {
                *counts.entry((account.clone(), place.region.clone())).or_default() += 1;
            }
        }
        counts
    }

    /// Returns whose the buckets are and where.
    pub fn homes(&self) -> Homes {
        let of = |(account, listing): (&String, &Listing)| {
            let account = account.clone();
            let places = listing.places.clone().into_iter();
            places.map(move |place| (place.bucket, (account.clone(), Some(place.region))))
        };
        self.0.iter().flat_map(of).collect()
    }

    /// Reads what the buckets are set to, and their uploads.
    pub async fn read(self, entered: &Entered, sink: &Sink) {
        let scopes = self.0.into_iter().filter_map(|(account, listing)| Some((entered.open.get(&account)?, listing)));
        futures::stream::iter(scopes)
            .map(async |(scope, listing)| {
                let (named, began) = (named(Collector::S3, scope, sink), Instant::now());
                let reading = move |scope: Scope, sink: Sink| async move { s3::read(&scope, &sink, listing).await };
                bounded(Collector::S3, scope, &named, reading).await;
                named.finished(began.elapsed());
            })
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>()
            .await;
    }
}
