//! Which inventory lists there are in the places that were named: the newest of each bucket. Reads manifests, no rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use super::manifest::{self, ListFormat, Manifest};
use super::{READ, gap};
use crate::engine::files::{ForeignFile, Format, columns_of};
use crate::model::{Coverage, CoverageState};
use crate::rollup::names::Names;
use crate::store::Place;
use crate::store::tables::inventory::STORAGE_AGES;

/// One list of a bucket.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The list, as people call it.
    pub list: String,
    /// Bucket whose objects are listed.
    pub bucket: String,
    /// Configuration that made it.
    pub configuration_id: String,
    /// When it was begun.
    pub listed_at: DateTime<Utc>,
    /// True when it holds noncurrent versions and delete markers too.
    pub all_versions: bool,
    /// True for CSV, whose keys are encoded.
    pub encoded: bool,
    pub(super) files: Vec<ForeignFile>,
    pub(super) objects: Arc<dyn ObjectStore>,
}

/// What there is.
#[derive(Debug, Default)]
pub struct Survey {
    /// One list for each bucket, in order of the buckets.
    pub units: Vec<Unit>,
    /// What cannot be read, or was left, and why.
    pub gaps: Vec<Coverage>,
}

/// Looks at the places, in their order. Of each configuration the newest list is looked at, and of each bucket one list
/// is taken: one with all versions before one without, then the newest.
pub async fn survey(places: &[Place]) -> Survey {
    let (mut survey, mut units) = (Survey::default(), Vec::new());
    for place in places {
        let files = match place.files().await {
            Ok(files) => files,
            Err(error) => {
                survey.gaps.push(gap(place.shown(), error.to_string()));
                continue;
            }
        };
        let (newest, names) = (newest(&files), Names::of(&files));
        if newest.is_empty() {
            survey.gaps.push(gap(
                place.shown(),
                "there is no inventory list: no manifest.json in a folder like 2026-11-22T01-00Z",
            ));
        }
        for file in newest {
            match unit(place, file, &names).await {
                Ok(unit) => units.push(unit),
                Err(why) => survey.gaps.push(gap(&place.show(&file.location), why)),
            }
        }
    }
    survey.choose(units);
    survey
}

/// Returns the newest manifest of each configuration of each bucket.
fn newest(files: &[ObjectMeta]) -> Vec<&ObjectMeta> {
    let mut newest: BTreeMap<&str, &ObjectMeta> = BTreeMap::new();
    for file in files.iter().filter(|file| manifest::is_manifest(file.location.as_ref())) {
        let path = file.location.as_ref();
        let best = newest.entry(manifest::list_of(path)).or_insert(file);
        if manifest::time_of(path) > manifest::time_of(best.location.as_ref()) {
            *best = file;
        }
    }
    newest.into_values().collect()
}

async fn unit(place: &Place, file: &ObjectMeta, names: &Names<'_>) -> Result<Unit, String> {
    let path = file.location.as_ref();
    let text = place.read(&file.location).await.map_err(|error| error.to_string())?;
    let manifest = manifest::parse(path, &text).map_err(|error| error.to_string())?;
    let mut files = Vec::new();
    for key in &manifest.files {
        let path = names.find(key).ok_or_else(|| format!("its manifest names `{key}`, which is not there"))?;
        let path = Path::parse(path).map_err(|error| error.to_string())?;
        files.push(foreign(place, path, &manifest).await?);
    }
    Ok(Unit {
        list: place.show(&Path::from(manifest::list_of(path))),
        bucket: manifest.bucket,
        configuration_id: manifest::configuration_of(path).unwrap_or_default().to_owned(),
        listed_at: manifest.listed_at,
        all_versions: manifest.all_versions,
        encoded: manifest.format == ListFormat::Csv,
        files,
        objects: place.objects(),
    })
}

/// Returns a file with how it is written. CSV has no header; should S3 ever write one, it is seen.
async fn foreign(place: &Place, path: Path, manifest: &Manifest) -> Result<ForeignFile, String> {
    let shown = place.show(&path);
    let gzip = path.as_ref().to_ascii_lowercase().ends_with(".gz");
    if manifest.format == ListFormat::Parquet {
        return Ok(ForeignFile { path, shown, format: Format::Parquet });
    }
    let mut file = ForeignFile { path, shown, format: Format::Csv { gzip, columns: None } };
    let Ok(first) = columns_of(place.objects(), &file).await else {
        // Not even a first line: whoever reads the rows says why, or finds that there are none.
        file.format = Format::Csv { gzip, columns: Some(manifest.columns.clone()) };
        return Ok(file);
    };
    let has_header = first.iter().zip(&manifest.columns).all(|(a, b)| a.trim().eq_ignore_ascii_case(b));
    if first.len() != manifest.columns.len() {
        let (found, told) = (first.len(), manifest.columns.len());
        return Err(format!("`{}` has {found} columns, its manifest names {told}", file.shown));
    }
    if !has_header {
        file.format = Format::Csv { gzip, columns: Some(manifest.columns.clone()) };
    }
    Ok(file)
}

impl Survey {
    fn choose(&mut self, mut units: Vec<Unit>) {
        let best = |unit: &Unit| (unit.all_versions, unit.listed_at);
        units.sort_by(|a, b| (&a.bucket, best(b), &a.list).cmp(&(&b.bucket, best(a), &b.list)));
        for unit in units {
            match self.units.last().filter(|taken| taken.bucket == unit.bucket) {
                Some(taken) => {
                    let why = format!("`{}` is about the same bucket and was taken: an object counts once", taken.list);
                    let left = Coverage::new(STORAGE_AGES.name, READ, CoverageState::NotAsked);
                    self.gaps.push(left.of(unit.list.as_str()).because(why));
                }
                None => self.units.push(unit),
            }
        }
    }
}
