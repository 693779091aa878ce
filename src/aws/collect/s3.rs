//! S3: every bucket, its settings, its incomplete uploads and a sample of their sizes.
//!
//! Reads settings and lists uploads only: it never lists or opens an object.

pub mod lifecycle;
pub mod listing;
mod parts;
mod settings;
mod uploads;

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use futures::StreamExt;

use self::lifecycle::Lifecycle;
use self::listing::Bucket;
use self::parts::Sampled;
use self::uploads::{Listed, Upload};
use super::outcome::{Outcome, coverage};
use super::{Failed, Place, Read, Scope, Sink};
use crate::model::{Coverage, CoverageState, Row};
use crate::store::tables::storage::{BUCKETS, LIFECYCLE_RULES, MULTIPART_UPLOADS};

/// Buckets read at the same time: with some requests each, far below S3's limits and the time a permit may take.
const AT_ONCE: usize = 8;

/// The calls of this collector.
pub const READS: &[Read] = &[
    listing::BUCKETS,
    listing::LOCATION,
    listing::HEAD,
    settings::LIFECYCLE,
    settings::RULES,
    settings::VERSIONING,
    settings::TAGGING,
    uploads::COUNT,
    uploads::UPLOADS,
    parts::PARTS,
];

/// What was found out about one bucket.
struct Seen {
    bucket: Bucket,
    lifecycle: Result<Lifecycle, Failed>,
    versioning: Result<String, Failed>,
    tags: Result<BTreeMap<String, String>, Failed>,
    uploads: Listed,
}

/// Reads the account's buckets, each in its own Region, and returns where they are.
pub async fn collect(scope: &Scope, sink: &Sink) -> Vec<Place> {
    let (buckets, failed) = listing::list(scope).await;
    for row in of_list(scope, buckets.len(), failed.as_ref()) {
        sink.cover(row).await;
    }
    if failed.is_some() && buckets.is_empty() {
        return Vec::new();
    }
    let clients = clients(scope, &buckets);
    let total = u64::try_from(buckets.len()).ok();
    let mut reading =
        futures::stream::iter(buckets.into_iter().map(|bucket| one(scope, &clients, bucket))).buffer_unordered(AT_ONCE);
    let (mut ends, mut uploads, mut places) = (Ends::default(), Vec::new(), Vec::new());
    for done in 1.. {
        let Some(seen) = reading.next().await else { break };
        ends.add(&seen);
        places.extend(seen.place());
        hand_over(scope, sink, &seen).await;
        uploads.extend(seen.uploads.uploads);
        sink.progress(done, total);
    }
    ends.cover(scope, sink).await;
    sizes(scope, sink, &clients, uploads).await;
    places.sort();
    places
}

/// Returns what the list itself covers; without it the tables of what buckets have are blind too.
fn of_list(scope: &Scope, seen: usize, failed: Option<&Failed>) -> Vec<Coverage> {
    let read = &listing::BUCKETS;
    let tables: &[&str] =
        if failed.is_some() { &["buckets", "lifecycle_rules", "multipart_uploads"] } else { &["buckets"] };
    let row = match failed {
        None => Coverage::new(read.table, read.operation, CoverageState::Seen),
        Some(failed) if seen == 0 => failed.gap(read),
        Some(failed) => Coverage { state: CoverageState::Partial, ..failed.gap(read) },
    };
    let row = row.at(&scope.account_id, None).counted(seen, None);
    tables.iter().map(|table| Coverage { table: (*table).to_owned(), ..row.clone() }).collect()
}

/// Returns one client for each Region that has a bucket.
fn clients(scope: &Scope, buckets: &[Bucket]) -> BTreeMap<String, Client> {
    let mut clients = BTreeMap::new();
    for region in buckets.iter().filter_map(|bucket| bucket.region.as_ref().ok()) {
        clients.entry(region.clone()).or_insert_with(|| scope.in_region(region).s3());
    }
    clients
}

async fn one(scope: &Scope, clients: &BTreeMap<String, Client>, bucket: Bucket) -> Seen {
    let region = match &bucket.region {
        Ok(region) => region.clone(),
        Err(failed) => return Seen::unknown(failed.clone(), bucket),
    };
    // The list of clients was made from the same buckets.
    let Some(client) = clients.get(&region) else { return Seen::unknown(Failed::cancelled(), bucket) };
    let name = bucket.name.as_str();
    let (lifecycle, versioning, tags) = tokio::join!(
        settings::lifecycle(scope, client, name),
        settings::versioning(scope, client, name),
        settings::tags(scope, client, name),
    );
    let uploads = uploads::list(scope, client, name, &region).await;
    Seen { bucket, lifecycle, versioning, tags, uploads }
}

impl Seen {
    /// Returns a bucket of which nobody tells the Region: nothing else can be asked about it.
    fn unknown(why: Failed, bucket: Bucket) -> Self {
        Seen {
            lifecycle: Err(why.clone()),
            versioning: Err(why.clone()),
            tags: Err(why.clone()),
            uploads: Listed::nothing(why),
            bucket,
        }
    }

    fn place(&self) -> Option<Place> {
        let region = self.bucket.region.as_ref().ok()?.clone();
        Some(Place { bucket: self.bucket.name.clone(), region })
    }

    /// Returns the columns that name the bucket.
    fn named(&self, account_id: &str) -> Row {
        Row::new()
            .with("account_id", account_id)
            .with("region", self.bucket.region.as_deref().ok())
            .with("bucket", self.bucket.name.as_str())
    }

    fn row(&self, account_id: &str) -> Row {
        let row = self
            .named(account_id)
            .with("creation_date", self.bucket.created)
            .with("versioning", self.versioning.as_deref().ok())
            .with("tags", self.tags.as_ref().ok().map(lifecycle::object))
            .with("upload_count", self.uploads.count());
        match &self.lifecycle {
            Ok(lifecycle) => lifecycle.fill(row),
            Err(_) => row,
        }
    }
}

async fn hand_over(scope: &Scope, sink: &Sink, seen: &Seen) {
    sink.rows(&BUCKETS, vec![seen.row(&scope.account_id)]).await;
    if let Ok(lifecycle) = &seen.lifecycle {
        sink.rows(&LIFECYCLE_RULES, lifecycle.rows(&seen.named(&scope.account_id))).await;
    }
}

/// How each read of each bucket ended.
#[derive(Default)]
struct Ends {
    region: Vec<Outcome>,
    lifecycle: Vec<Outcome>,
    versioning: Vec<Outcome>,
    tags: Vec<Outcome>,
    uploads: Vec<Outcome>,
}

impl Ends {
    fn add(&mut self, seen: &Seen) {
        let name = seen.bucket.name.as_str();
        let region = seen.bucket.region.as_deref().ok();
        if seen.bucket.region.is_err() {
            self.region.push(Outcome::of(name, region, &seen.bucket.region));
        }
        self.lifecycle.push(Outcome::of(name, region, &seen.lifecycle));
        self.versioning.push(Outcome::of(name, region, &seen.versioning));
        self.tags.push(Outcome::of(name, region, &seen.tags));
        let end = seen.uploads.end.clone();
        self.uploads.push(Outcome { resource: name.to_owned(), region: region.map(str::to_owned), end });
    }

    async fn cover(mut self, scope: &Scope, sink: &Sink) {
        if !self.region.is_empty() {
            cover(scope, sink, &listing::LOCATION, &mut self.region).await;
        }
        let reads = [(&settings::VERSIONING, &mut self.versioning), (&settings::TAGGING, &mut self.tags)];
        for (read, outcomes) in reads {
            cover(scope, sink, read, outcomes).await;
        }
        for read in [&settings::LIFECYCLE, &settings::RULES] {
            cover(scope, sink, read, &mut self.lifecycle).await;
        }
        for read in [&uploads::COUNT, &uploads::UPLOADS] {
            cover(scope, sink, read, &mut self.uploads).await;
        }
    }
}

/// Hands over coverage in the order of the buckets' names: they come back in any order.
async fn cover(scope: &Scope, sink: &Sink, read: &Read, outcomes: &mut [Outcome]) {
    outcomes.sort_by(|a, b| a.resource.cmp(&b.resource));
    if outcomes.is_empty() {
        let none = Coverage::new(read.table, read.operation, CoverageState::Seen).counted(0, Some(0));
        sink.cover(none.at(&scope.account_id, None)).await;
    }
    for row in coverage(&scope.account_id, read, outcomes) {
        sink.cover(row).await;
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
    cover(scope, sink, &parts::PARTS, &mut parts::outcomes(&uploads, &found)).await;
}
