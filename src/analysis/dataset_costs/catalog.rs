//! The locations of the catalog's tables, and the bytes that lists of objects count under each.

use std::collections::BTreeMap;

use super::Place;
use crate::engine::{Engine, EngineError};
use crate::model::Row;

/// A location: `bucket/prefix/`, the prefix with its `/`.
pub(super) type Location = String;

/// What is at one location.
struct Held {
    place: Place,
    /// `database.table`, by name; never empty.
    tables: Vec<String>,
}

/// The tables that have a location on S3.
pub(super) struct Catalog {
    locations: BTreeMap<Location, Held>,
    tables: BTreeMap<(Place, String), Location>,
}

/// Bytes by bucket and class, then by the deepest location that holds them; `None` for those under none.
pub(super) struct Bytes(BTreeMap<(String, String), BTreeMap<Option<Location>, i64>>);

impl Catalog {
    pub async fn of(engine: &Engine) -> Result<Self, EngineError> {
        let sql = "select account_id, region, database, \"table\", location from glue_tables \
                   where location like 's3%://%' order by 1, 2, 3, 4";
        let mut catalog = Catalog { locations: BTreeMap::new(), tables: BTreeMap::new() };
        for row in engine.rows(sql).await? {
            let Some(location) = location(row.key("location")) else { continue };
            let name = format!("{}.{}", row.key("database"), row.key("table"));
            let held = Held { place: super::place(&row), tables: Vec::new() };
            let held = catalog.locations.entry(location.clone()).or_insert(held);
            held.tables.push(name.clone());
            catalog.tables.insert((super::place(&row), name), location);
        }
        Ok(catalog)
    }

    /// Returns the location of `database.table`.
    pub fn find(&self, place: &Place, table: String) -> Option<&Location> {
        self.tables.get(&(place.clone(), table))
    }

    /// Returns what the tables at a location are called together.
    pub fn name(&self, location: &str) -> String {
        self.locations.get(location).map(|held| held.tables[0].clone()).unwrap_or_default()
    }

    /// Returns whose catalog the location is in.
    pub fn place(&self, location: &str) -> Place {
        self.locations.get(location).map(|held| held.place.clone()).unwrap_or_default()
    }

    /// Returns the location of a dataset and how many tables are there.
    pub fn at(&self, (account_id, region): (&String, &String), dataset: &str) -> Option<(String, i64)> {
        let location = self.tables.get(&((account_id.clone(), region.clone()), dataset.to_owned()))?;
        let tables = i64::try_from(self.locations.get(location)?.tables.len()).ok()?;
        Some((format!("s3://{location}"), tables))
    }

    /// Reads the newest list of each bucket. A folder that holds a location, and more beside it, is under none.
    pub async fn bytes(&self, engine: &Engine) -> Result<Bytes, EngineError> {
        let sql = "select bucket, prefix, storage_class, sum(bytes) as bytes from storage_ages \
                   where bytes is not null and storage_class is not null group by 1, 2, 3 order by 1, 2, 3";
        let mut bytes = BTreeMap::new();
        for row in engine.rows(sql).await? {
            let class = (row.key("bucket").to_owned(), row.key("storage_class").to_owned());
            let under = self.holding(&row);
            let sum: &mut i64 = bytes.entry(class).or_insert_with(BTreeMap::new).entry(under).or_default();
            *sum = sum.saturating_add(row.int("bytes").unwrap_or(0));
        }
        Ok(Bytes(bytes))
    }

    /// Returns the deepest location that holds the folder.
    fn holding(&self, row: &Row) -> Option<Location> {
        let mut folder = format!("{}/{}", row.key("bucket"), row.key("prefix"));
        if !folder.ends_with('/') {
            folder.push('/');
        }
        loop {
            if self.locations.contains_key(&folder) {
                return Some(folder);
            }
            let cut = folder.trim_end_matches('/').rfind('/')?;
            folder.truncate(cut + 1);
        }
    }
}

impl Bytes {
    pub fn in_class(&self, bucket: &str, class: &str) -> BTreeMap<Option<Location>, i64> {
        self.0.get(&(bucket.to_owned(), class.to_owned())).cloned().unwrap_or_default()
    }
}

/// `s3://bucket/prefix`, `s3a://bucket/prefix/` → `bucket/prefix/`.
fn location(uri: &str) -> Option<Location> {
    let (_, path) = uri.split_once("://")?;
    let path = path.trim_end_matches('/');
    (!path.is_empty()).then(|| format!("{path}/"))
}
