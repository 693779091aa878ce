//! S3: every bucket, its settings, its incomplete uploads and a sample of their sizes; Storage Lens configurations.
//!
//! Reads settings and lists uploads only: it never lists or opens an object.

mod configurations;
mod covered;
mod filter;
mod lens;
pub mod lifecycle;
pub mod listing;
mod parts;
mod protection;
mod replication;
mod settings;
mod unchanged;
mod uploads;

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use futures::future::join_all;

pub use self::covered::OTHER_REGIONS;
use self::listing::Bucket;
use self::parts::Sampled;
use self::settings::{Asked, Facts, Setting};
use self::unchanged::{Known, Unchanged};
use self::uploads::{Listed, Upload};
use super::cloudtrail::changed::CHANGES;
use super::outcome::{Outcome, coverage};
use super::{Failed, Place, Read, Scope, Sink};
use crate::aws::connector::IN_FLIGHT;
use crate::model::{Coverage, CoverageState, Row};
use crate::store::tables::storage::{BUCKETS, MULTIPART_UPLOADS};

/// Buckets read at the same time, each with one request of each operation under way: at 80 ms for an answer that is what
/// an operation has permits for, and 10,000 buckets take two minutes. More would only wait, and what waits takes memory
/// and time from other collectors.
const AT_ONCE: usize = IN_FLIGHT / 2;

/// The calls of this collector.
pub const READS: &[Read] = &[
    listing::BUCKETS,
    listing::LOCATION,
    listing::HEAD,
    CHANGES,
    settings::LIFECYCLE,
    settings::RULES,
    settings::VERSIONING,
    settings::TAGGING,
    protection::OBJECT_LOCK,
    protection::ENCRYPTION,
    settings::REQUEST_PAYMENT,
    settings::LOGGING,
    replication::RULE_COUNT,
    replication::RULES,
    configurations::TIERING,
    configurations::TIERING_ROWS,
    configurations::INVENTORY,
    configurations::INVENTORY_ROWS,
    configurations::ANALYTICS,
    configurations::ANALYTICS_ROWS,
    configurations::METRICS,
    configurations::METRICS_ROWS,
    uploads::COUNT,
    uploads::UPLOADS,
    parts::PARTS,
    lens::LIST,
    lens::GET,
];

/// Returns the operations that are asked of each bucket, side by side.
pub fn each_bucket() -> impl Iterator<Item = &'static str> {
    let settings = Setting::ALL.into_iter().map(|setting| setting.reads()[0].operation);
    settings.chain([uploads::COUNT.operation])
}

/// Returns true for what reads a setting.
pub fn is_setting(operation: &str) -> bool {
    operation != uploads::COUNT.operation
}

/// Returns true where settings of so many buckets may be known from an earlier scan.
pub fn may_be_unchanged(scope: &Scope, buckets: u64) -> bool {
    let of_settings = |seen: &Coverage| seen.read == settings::VERSIONING.operation;
    !scope.options.fresh && buckets > unchanged::FEW as u64 && scope.earlier.iter().any(of_settings)
}

/// What was found out about one bucket.
struct Seen {
    bucket: Bucket,
    settings: Vec<(Setting, Result<Facts, Failed>)>,
    /// When settings were read that were not asked for again, or that were read before the scan's own time.
    unchanged_since: Option<DateTime<Utc>>,
    uploads: Listed,
}

/// The buckets of an account, before anything else is asked about them.
#[derive(Debug)]
pub struct Listing {
    /// Where all of them are, also those that `--region` leaves out.
    pub places: Vec<Place>,
    /// Those to read.
    buckets: Vec<Bucket>,
    /// True when the list failed and named none.
    blind: bool,
}

/// Reads the account's buckets, each in its own Region, and returns where they are; with `--region`, those of other
/// Regions are only counted.
pub async fn collect(scope: &Scope, sink: &Sink) -> Vec<Place> {
    let mut listing = list(scope, sink).await;
    let places = std::mem::take(&mut listing.places);
    read(scope, sink, listing).await;
    places
}

/// Lists the account's buckets: a request for each thousand, and all that others need to know of them.
pub async fn list(scope: &Scope, sink: &Sink) -> Listing {
    let (listed, failed) = listing::list(scope).await;
    let places = listed.iter().filter_map(Bucket::place).collect();
    let (buckets, left_out): (Vec<Bucket>, Vec<Bucket>) = listed.into_iter().partition(|b| b.is_asked(scope));
    for row in covered::list(scope, &buckets, failed.as_ref()).into_iter().chain(covered::not_asked(scope, &left_out)) {
        sink.cover(row).await;
    }
    Listing { places, blind: failed.is_some() && buckets.is_empty(), buckets }
}

/// Reads what the listed buckets are set to, and their uploads.
pub async fn read(scope: &Scope, sink: &Sink, listing: Listing) {
    let Listing { buckets, blind, .. } = listing;
    let clients = clients(scope, &buckets);
    lens::collect(scope, sink, clients.keys().cloned().collect()).await;
    if blind {
        return;
    }
    let total = u64::try_from(buckets.len()).ok();
    let mut unchanged = Box::pin(unchanged::of(scope, sink, &buckets)).await;
    let known = std::mem::take(&mut unchanged.known);
    let each = with_known(buckets, known).map(|(bucket, known)| one(scope, &clients, bucket, known));
    let mut reading = futures::stream::iter(each).buffer_unordered(AT_ONCE);
    let (mut ends, mut uploads) = (Ends::default(), Vec::new());
    for done in 1.. {
        let Some(seen) = reading.next().await else { break };
        ends.add(&seen);
        hand_over(scope, sink, &seen).await;
        uploads.extend(seen.uploads.uploads);
        sink.progress(done, total);
    }
    ends.cover(scope, sink, &unchanged).await;
    sizes(scope, sink, &clients, uploads).await;
}

/// Returns one client for each Region that has a bucket.
fn clients(scope: &Scope, buckets: &[Bucket]) -> BTreeMap<String, Client> {
    let mut clients = BTreeMap::new();
    for region in buckets.iter().filter_map(|bucket| bucket.region.as_ref().ok()) {
        clients.entry(region.clone()).or_insert_with(|| scope.in_region(region).s3());
    }
    clients
}

/// Returns each bucket with what need not be asked for again.
fn with_known(
    buckets: Vec<Bucket>,
    mut known: BTreeMap<String, Known>,
) -> impl Iterator<Item = (Bucket, Option<Known>)> {
    buckets.into_iter().map(move |bucket| {
        let known = known.remove(&bucket.name);
        (bucket, known)
    })
}

async fn one(scope: &Scope, clients: &BTreeMap<String, Client>, bucket: Bucket, known: Option<Known>) -> Seen {
    let region = match &bucket.region {
        Ok(region) => region.clone(),
        Err(failed) => return Seen::unknown(failed.clone(), bucket),
    };
    // The list of clients was made from the same buckets.
    let Some(client) = clients.get(&region) else { return Seen::unknown(Failed::cancelled(), bucket) };
    let of = Asked { scope, client, bucket: bucket.name.as_str() };
    let unchanged_since = known.as_ref().map(|known| known.since).or_else(|| unchanged::read_before(scope));
    let mut known = known.map(|known| known.facts).unwrap_or_default();
    let settings = Setting::ALL.map(|setting| answered(setting, &of, known.remove(&setting)));
    let (settings, uploads) =
        tokio::join!(join_all(settings), uploads::list(scope, client, bucket.name.as_str(), &region));
    Seen { bucket, settings, unchanged_since, uploads }
}

async fn answered(setting: Setting, of: &Asked<'_>, known: Option<Facts>) -> (Setting, Result<Facts, Failed>) {
    match known {
        Some(facts) => (setting, Ok(facts)),
        None => (setting, setting.read(of).await),
    }
}

impl Seen {
    /// Returns a bucket of which nobody tells the Region: nothing else can be asked about it.
    fn unknown(why: Failed, bucket: Bucket) -> Self {
        let settings = Setting::ALL.map(|setting| (setting, Err(why.clone()))).to_vec();
        Seen { settings, unchanged_since: None, uploads: Listed::nothing(why), bucket }
    }

    /// Returns the columns that name the bucket.
    fn named(&self, account_id: &str) -> Row {
        Row::new()
            .with("account_id", account_id)
            .with("region", self.bucket.region.as_deref().ok())
            .with("bucket", self.bucket.name.as_str())
    }

    fn row(&self, account_id: &str) -> Row {
        let row = self.named(account_id);
        let row = row.with("creation_date", self.bucket.created).with("upload_count", self.uploads.count());
        let row = match self.unchanged_since {
            Some(since) => row.with("unchanged_since", since),
            None => row,
        };
        let known = self.settings.iter().filter_map(|(_, facts)| facts.as_ref().ok());
        known.fold(row, |row, facts| row.and(facts.columns.clone()))
    }
}

async fn hand_over(scope: &Scope, sink: &Sink, seen: &Seen) {
    sink.rows(&BUCKETS, vec![seen.row(&scope.account_id)]).await;
    let named = seen.named(&scope.account_id);
    for (setting, facts) in &seen.settings {
        let (Some(table), Ok(facts)) = (setting.table(), facts) else { continue };
        sink.rows(table, facts.rows.iter().map(|row| named.clone().and(row.clone())).collect()).await;
    }
}

/// How each read of each bucket ended.
#[derive(Default)]
struct Ends {
    region: Vec<Outcome>,
    settings: BTreeMap<Setting, Vec<Outcome>>,
    uploads: Vec<Outcome>,
}

impl Ends {
    fn add(&mut self, seen: &Seen) {
        let name = seen.bucket.name.as_str();
        let region = seen.bucket.region.as_deref().ok();
        if seen.bucket.region.is_err() {
            self.region.push(Outcome::of(name, region, &seen.bucket.region));
        }
        for (setting, facts) in &seen.settings {
            self.settings.entry(*setting).or_default().push(Outcome::of(name, region, facts));
        }
        let end = seen.uploads.end.clone();
        self.uploads.push(Outcome { resource: name.to_owned(), region: region.map(str::to_owned), end });
    }

    async fn cover(mut self, scope: &Scope, sink: &Sink, unchanged: &Unchanged) {
        for row in &unchanged.coverage {
            sink.cover(row.clone()).await;
        }
        if !self.region.is_empty() {
            cover(scope, sink, &listing::LOCATION, &mut self.region, &Unchanged::default()).await;
        }
        for setting in Setting::ALL {
            let outcomes = self.settings.entry(setting).or_default();
            for read in setting.reads() {
                cover(scope, sink, read, outcomes, unchanged).await;
            }
        }
        for read in [&uploads::COUNT, &uploads::UPLOADS] {
            cover(scope, sink, read, &mut self.uploads, &Unchanged::default()).await;
        }
    }
}

/// Hands over coverage in the order of the buckets' names: they come back in any order.
async fn cover(scope: &Scope, sink: &Sink, read: &Read, outcomes: &mut [Outcome], unchanged: &Unchanged) {
    outcomes.sort_by(|a, b| a.resource.cmp(&b.resource));
    if outcomes.is_empty() {
        for place in covered::places(scope) {
            let none = Coverage::new(read.table, read.operation, CoverageState::Seen).counted(0, Some(0));
            sink.cover(none.at(&scope.account_id, place)).await;
        }
    }
    for row in coverage(&scope.account_id, read, outcomes) {
        sink.cover(unchanged.explain(row)).await;
    }
}

/// Sizes the oldest uploads as far as the budget goes, and hands over all that still exist.
async fn sizes(scope: &Scope, sink: &Sink, clients: &BTreeMap<String, Client>, mut uploads: Vec<Upload>) {
    uploads.sort();
    let found = parts::sample(scope, clients, &uploads).await;
    let rows = uploads.iter().zip(&found).filter_map(|(upload, sampled)| match sampled {
        Sampled::Gone => None,
        Sampled::Not(_) => Some(upload.row(&scope.account_id)),
        Sampled::Size(size) => Some(upload.row(&scope.account_id).with("bytes", size.bytes).with("parts", size.parts)),
    });
    sink.rows(&MULTIPART_UPLOADS, rows.collect()).await;
    cover(scope, sink, &parts::PARTS, &mut parts::outcomes(&uploads, &found), &Unchanged::default()).await;
}
