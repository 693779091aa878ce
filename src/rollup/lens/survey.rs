//! Which Storage Lens exports there are in the places that were named: days, files, whose dashboard. Reads manifests,
//! no rows.

use std::sync::Arc;

use chrono::NaiveDate;
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use super::manifest::{self, Manifest, ReportFormat};
use super::{COLUMNS, gap};
use crate::engine::files::{ForeignFile, Format, columns_of};
use crate::model::{Coverage, CoverageState};
use crate::rollup::names::Names;
use crate::store::Place;
use crate::store::tables::lens::STORAGE_LENS;

/// Manifests that are read at once.
const AT_ONCE: usize = 8;

/// A day of an export, or files of which nobody says which days they are about.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The export, as people call it.
    pub export: String,
    /// The day, where a manifest or the folder says it.
    pub day: Option<NaiveDate>,
    /// Account that owns the dashboard.
    pub account: Option<String>,
    /// Bytes of its files: of two exports the larger one says more.
    pub bytes: u64,
    pub(super) files: Vec<ForeignFile>,
    pub(super) objects: Arc<dyn ObjectStore>,
}

/// What there is.
#[derive(Debug, Default)]
pub struct Survey {
    /// What can be read: the newest day first, of each day the largest export first.
    pub units: Vec<Unit>,
    /// What cannot, and why.
    pub gaps: Vec<Coverage>,
}

/// Looks at the places, in their order.
pub async fn survey(places: &[Place]) -> Survey {
    let mut survey = Survey::default();
    for place in places {
        let files = match place.files().await {
            Ok(files) => files,
            Err(error) => {
                survey.gaps.push(gap(place.shown(), error.to_string()));
                continue;
            }
        };
        let before = (survey.units.len(), survey.gaps.len());
        if files.iter().any(|file| manifest::is_manifest(file.location.as_ref())) {
            named(place, &files, &mut survey).await;
        } else {
            bare(place, &files, &mut survey).await;
        }
        if (survey.units.len(), survey.gaps.len()) == before {
            let why = "there is no Storage Lens export: no manifest, no Parquet and no CSV file";
            survey.gaps.push(gap(place.shown(), why));
        }
    }
    let order = |unit: &Unit| (std::cmp::Reverse(unit.day), std::cmp::Reverse(unit.bytes), unit.export.clone());
    survey.units.sort_by_key(order);
    survey
}

/// Takes in what the manifests name.
async fn named(place: &Place, files: &[ObjectMeta], survey: &mut Survey) {
    let all = files.iter().filter(|file| manifest::is_manifest(file.location.as_ref()));
    let (expanded, manifests): (Vec<_>, Vec<_>) = all.partition(|file| manifest::is_expanded(file.location.as_ref()));
    if let Some(first) = expanded.first() {
        let export = place.show(&Path::from(manifest::export_of(first.location.as_ref())));
        let why = "the report over every prefix is not read: the default report has the prefixes that matter";
        survey
            .gaps
            .push(Coverage::new(STORAGE_LENS.name, super::READ, CoverageState::NotAsked).of(export).because(why));
    }
    let read = futures::stream::iter(manifests).map(async |file| (file, place.read(&file.location).await));
    let read: Vec<_> = read.buffered(AT_ONCE).collect().await;
    let names = Names::of(files);
    for (file, text) in read {
        let (shown, day) = (place.show(&file.location), manifest::day_of(file.location.as_ref()));
        let lost =
            |why: String| day.map_or_else(|| gap(&shown, why.as_str()), |day| gap(&shown, why.as_str()).days(day, day));
        match text.map_err(|error| error.to_string()).and_then(|text| manifest::parse(&text).map_err(|e| e.to_string()))
        {
            Ok(manifest) => match unit(place, &file.location, manifest, &names).await {
                Ok(unit) => survey.units.push(unit),
                Err(why) => survey.gaps.push(lost(why)),
            },
            Err(why) => survey.gaps.push(lost(why)),
        }
    }
}

async fn unit(place: &Place, at: &Path, manifest: Manifest, names: &Names<'_>) -> Result<Unit, String> {
    let mut files = Vec::new();
    for key in &manifest.files {
        let path = names.find(key).ok_or_else(|| format!("its manifest names `{key}`, which is not there"))?;
        let path = Path::parse(path).map_err(|error| error.to_string())?;
        files.push(file(place, path, Some((manifest.format, manifest.columns.as_slice()))).await?);
    }
    if files.is_empty() {
        return Err("the day is empty: its manifest names no file".to_owned());
    }
    let export = place.show(&Path::from(manifest::export_of(at.as_ref())));
    let (day, account) = (Some(manifest.day), Some(manifest.account));
    Ok(Unit { export, day, account, bytes: manifest.bytes, files, objects: place.objects() })
}

/// Returns a file with how it is written. A CSV file has a header or not: where its first line does not name the metric
/// column, the columns are those of the manifest, else those of the documentation.
async fn file(place: &Place, path: Path, told: Option<(ReportFormat, &[String])>) -> Result<ForeignFile, String> {
    let shown = place.show(&path);
    let name = path.as_ref().to_ascii_lowercase();
    let ends = |words: &[&str]| words.iter().any(|end| name.ends_with(end));
    let format = match told.map(|(format, _)| format) {
        Some(ReportFormat::Parquet) => Format::Parquet,
        None if ends(&[".par", ".parquet"]) => Format::Parquet,
        _ => Format::Csv { gzip: ends(&[".gz"]), columns: None },
    };
    let mut file = ForeignFile { path, shown, format };
    let Format::Csv { gzip, .. } = file.format else { return Ok(file) };
    let first = columns_of(place.objects(), &file).await.map_err(|error| error.to_string())?;
    if !first.iter().any(|column| column.trim().eq_ignore_ascii_case("metric_name")) {
        let told = told.map(|(_, columns)| columns.to_vec()).filter(|columns| !columns.is_empty());
        let columns = told.unwrap_or_else(|| COLUMNS.map(str::to_owned).to_vec());
        if columns.len() != first.len() {
            return Err(format!("`{}` has {} columns, not the {} of a report", file.shown, first.len(), columns.len()));
        }
        file.format = Format::Csv { gzip, columns: Some(columns) };
    }
    Ok(file)
}

/// Takes in files of a place without manifests: somebody took a few of them.
async fn bare(place: &Place, files: &[ObjectMeta], survey: &mut Survey) {
    let report = |name: &str| {
        let name = name.to_ascii_lowercase();
        [".csv", ".csv.gz", ".par", ".parquet"].iter().any(|end| name.ends_with(end))
    };
    for meta in
        files.iter().filter(|file| report(file.location.as_ref()) && !manifest::is_expanded(file.location.as_ref()))
    {
        let shown = place.show(&meta.location);
        match file(place, meta.location.clone(), None).await {
            Ok(file) => {
                let export = place.show(&Path::from(manifest::export_of(meta.location.as_ref())));
                let day = manifest::day_of(meta.location.as_ref());
                match survey.units.iter_mut().find(|unit| unit.export == export && unit.day == day) {
                    Some(unit) => {
                        unit.bytes += meta.size;
                        unit.files.push(file);
                    }
                    None => survey.units.push(Unit {
                        export,
                        day,
                        account: None,
                        bytes: meta.size,
                        files: vec![file],
                        objects: place.objects(),
                    }),
                }
            }
            Err(why) => survey.gaps.push(gap(&shown, why)),
        }
    }
}
