//! Which exports there are in the places that were named: months, files, kind, who pays. Reads manifests and columns,
//! no rows but the first that names the payer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use super::manifest::{self, Layout, Manifest};
use super::{Rank, gap, rank};
use crate::engine::files::{Files, ForeignFile, Format, columns_of};
use crate::model::{Coverage, Untrusted};
use crate::rollup::{RollUp, bill};
use crate::store::{Days, Place};

/// A month of an export, or files of which nobody says which months they are about.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The export, as people call it.
    pub export: String,
    /// The month, where a manifest or the folders say it.
    pub month: Option<Days>,
    /// The account that pays.
    pub payer: Option<String>,
    /// When the youngest of its files was written.
    pub(super) written: DateTime<Utc>,
    pub(super) roll_up: &'static RollUp,
    pub(super) rank: Rank,
    pub(super) files: Vec<ForeignFile>,
    pub(super) objects: Arc<dyn ObjectStore>,
}

/// What there is.
#[derive(Debug, Default)]
pub struct Survey {
    /// What can be read, the newest month first.
    pub units: Vec<Unit>,
    /// What cannot, and why.
    pub gaps: Vec<Coverage>,
}

/// A unit whose kind is not known yet.
struct Raw {
    export: String,
    layout: Option<Layout>,
    month: Option<Days>,
    account: Option<String>,
    written: DateTime<Utc>,
    files: Vec<ForeignFile>,
}

/// Looks at the places, in their order.
pub async fn survey(places: &[Place]) -> Survey {
    let mut survey = Survey::default();
    for place in places {
        let before = survey.gaps.len();
        let files = match place.files().await {
            Ok(files) => files,
            Err(error) => {
                survey.gaps.push(gap(place.shown(), error.to_string()));
                continue;
            }
        };
        let raws = units(place, &files, &mut survey.gaps).await;
        if raws.is_empty() && survey.gaps.len() == before {
            survey
                .gaps
                .push(gap(place.shown(), "there is no export of a bill: no manifest, no Parquet and no CSV file"));
        }
        survey.units.extend(known(place, raws, &mut survey.gaps).await);
    }
    // Of deliveries that are otherwise alike the youngest.
    survey.units.sort_by_key(|unit| (Reverse(unit.month), unit.rank, Reverse(unit.written)));
    survey
}

/// Returns what the manifests name; without any, the files as they lie there.
async fn units(place: &Place, files: &[ObjectMeta], gaps: &mut Vec<Coverage>) -> Vec<Raw> {
    let newest = newest_manifests(files);
    if newest.is_empty() {
        return bare(place, files, gaps);
    }
    let mut raws = Vec::new();
    for file in newest {
        let shown = place.show(&file.location);
        let text = match place.read(&file.location).await {
            Ok(text) => text,
            Err(error) => {
                gaps.push(gap(&shown, error.to_string()));
                continue;
            }
        };
        match manifest::parse(file.location.as_ref(), &text) {
            Ok(manifest) => raws.extend(named(place, &file.location, manifest, files, gaps)),
            Err(error) => gaps.push(gap(&shown, error.to_string())),
        }
    }
    raws
}

/// Returns the newest manifest of each month of each export. Where deliveries are kept, AWS writes the newest one above
/// the folders of the single deliveries too; without it, the name of the folder says when, else the file's own time.
fn newest_manifests(files: &[ObjectMeta]) -> Vec<&ObjectMeta> {
    let mut newest: BTreeMap<(&str, Option<Days>, &str), &ObjectMeta> = BTreeMap::new();
    for file in files.iter().filter(|file| manifest::is_manifest(file.location.as_ref())) {
        let path = file.location.as_ref();
        let month = manifest::month_of(path);
        let alone = if month.is_none() { path } else { "" };
        let best = newest.entry((manifest::export_of(path), month, alone)).or_insert(file);
        if age(file) > age(best) {
            *best = file;
        }
    }
    newest.into_values().collect()
}

/// Sorts manifests of one month by how new they are.
fn age(file: &ObjectMeta) -> (Reverse<usize>, &str, DateTime<Utc>, &str) {
    let path = file.location.as_ref();
    let folder = path.rsplit('/').nth(1).unwrap_or_default();
    let dated = folder.bytes().take(4).filter(u8::is_ascii_digit).count() == 4 && folder.contains('T');
    (Reverse(path.split('/').count()), if dated { folder } else { "" }, file.last_modified, path)
}

/// Returns the month that a manifest names, or what keeps it from being read.
fn named(place: &Place, at: &Path, manifest: Manifest, files: &[ObjectMeta], gaps: &mut Vec<Coverage>) -> Option<Raw> {
    let Manifest { layout, month, account, files: keys } = manifest;
    let export = place.show(&Path::from(manifest::export_of(at.as_ref())));
    let lost = |what: String, why: Untrusted| gap(&what, why).days(month.from, month.to);
    if keys.is_empty() {
        gaps.push(lost(export, "the month is empty: its manifest names no file".into()));
        return None;
    }
    let known = || files.iter().map(|file| file.location.as_ref());
    let mut found = Vec::new();
    for key in &keys {
        let Some(path) = manifest::resolve(key, known()) else {
            gaps.push(lost(export, format!("its manifest names `{key}`, which is not there").into()));
            return None;
        };
        match foreign(place, path) {
            Ok(file) => found.push(file),
            Err(why) => {
                gaps.push(lost(export, why.into()));
                return None;
            }
        }
    }
    let paths: BTreeSet<&str> = found.iter().map(|file| file.path.as_ref()).collect();
    if paths.len() < found.len() {
        gaps.push(lost(export, "its manifest names one file twice".into()));
        return None;
    }
    let written = files.iter().filter(|file| paths.contains(file.location.as_ref()) || file.location == *at);
    let written = written.map(|file| file.last_modified).max().unwrap_or_default();
    Some(Raw { export, layout: Some(layout), month: Some(month), account, written, files: found })
}

fn foreign(place: &Place, path: &str) -> Result<ForeignFile, String> {
    let path = Path::parse(path).map_err(|error| error.to_string())?;
    let shown = place.show(&path);
    match Format::of(path.as_ref()) {
        Some(format) => Ok(ForeignFile { path, shown, format }),
        None => Err(format!("`{shown}` is not read: leanlake reads Parquet, CSV and CSV under gzip; unpack ZIP first")),
    }
}

/// Returns the files of a place without manifests, by their folder and the month that it names. Files of two folders are
/// never added up: they may be two deliveries of one month, or two payers.
fn bare(place: &Place, files: &[ObjectMeta], gaps: &mut Vec<Coverage>) -> Vec<Raw> {
    let mut folders: BTreeMap<&str, (DateTime<Utc>, Vec<ForeignFile>)> = BTreeMap::new();
    for file in files {
        let path = file.location.as_ref();
        match foreign(place, path) {
            Ok(found) => {
                let folder = folders.entry(path.rsplit_once('/').map_or("", |(folder, _)| folder)).or_default();
                folder.0 = folder.0.max(file.last_modified);
                folder.1.push(found);
            }
            Err(why) if path.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("zip")) => {
                gaps.push(gap(&place.show(&file.location), why));
            }
            Err(_) => {}
        }
    }
    let raw = |(folder, (written, files)): (&str, (DateTime<Utc>, Vec<ForeignFile>))| {
        let (export, month) = (place.show(&Path::from(folder)), manifest::month_of(&format!("{folder}/")));
        Raw { export, layout: None, month, account: None, written, files }
    };
    folders.into_iter().map(raw).collect()
}

/// Finds out what kind of export each is, and who pays: both are the same for all months of one export.
async fn known(place: &Place, mut raws: Vec<Raw>, gaps: &mut Vec<Coverage>) -> Vec<Unit> {
    raws.sort_by_key(|raw| (raw.export.clone(), Reverse(raw.month)));
    let mut exports: BTreeMap<String, (&'static RollUp, Option<String>)> = BTreeMap::new();
    let mut units = Vec::new();
    for raw in raws {
        let kind = match exports.get(&raw.export).filter(|_| raw.layout.is_some()) {
            Some(kind) => kind.clone(),
            None => match kind(place, &raw).await {
                Ok(kind) => {
                    exports.insert(raw.export.clone(), kind.clone());
                    kind
                }
                Err(why) => {
                    let gap = gap(&raw.export, why);
                    gaps.push(raw.month.map_or(gap.clone(), |month| gap.days(month.from, month.to)));
                    continue;
                }
            },
        };
        let Raw { export, layout, month, account, written, files } = raw;
        let (roll_up, payer) = kind;
        let (payer, rank, objects) = (account.or(payer), rank(roll_up, layout), place.objects());
        units.push(Unit { export, month, payer, written, roll_up, rank, files, objects });
    }
    units
}

async fn kind(place: &Place, raw: &Raw) -> Result<(&'static RollUp, Option<String>), String> {
    let first = raw.files.first().ok_or("it has no file")?;
    let names = columns_of(place.objects(), first).await.map_err(|error| error.to_string())?;
    let has = |wanted: &str| names.iter().any(|name| name.trim().eq_ignore_ascii_case(wanted));
    let roll_up = if has("line_item_unblended_cost") || has("lineItem/UnblendedCost") {
        &bill::CUR
    } else if has("BilledCost") {
        &bill::FOCUS
    } else {
        let why = "is no Cost and Usage Report and no FOCUS file: it has no column of unblended or billed cost";
        return Err(format!("`{}` {why}", first.shown));
    };
    let payer = match &raw.account {
        Some(account) => Some(account.clone()),
        None => payer(place, first, roll_up).await,
    };
    Ok((roll_up, payer))
}

/// Returns the account that pays, from the first row that says so.
async fn payer(place: &Place, first: &ForeignFile, roll_up: &'static RollUp) -> Option<String> {
    let column = bill::payer_column(roll_up);
    let files = Files::open(place.objects(), vec![first.clone()], roll_up.from).await.ok()?;
    let engine = crate::engine::Engine::new().ok()?;
    engine.attach(files).ok()?;
    let sql = format!("select {column} as payer from {} where {column} is not null", roll_up.from.name);
    let mut answer = engine.stream(&sql).await.ok()?;
    while let Some(Ok(batch)) = answer.next().await {
        let rows = crate::store::batch::from_batch(&batch.slice(0, batch.num_rows().min(1))).ok()?;
        if let Some(payer) = rows.first().and_then(|row| row.text("payer")) {
            return Some(payer.raw().to_owned());
        }
    }
    None
}
