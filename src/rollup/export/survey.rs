//! Which exports there are in the places that were named: months, files, kind, who pays. Reads manifests and columns,
//! no rows but the first ones.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use super::grade::{Grade, Lack};
use super::kind::{Kind, Looked, look};
use super::manifest::{self, Layout, Manifest, ManifestError};
use super::tree::Tree;
use super::{gap, kind};
use crate::engine::files::{ForeignFile, Format};
use crate::model::{Coverage, Untrusted};
use crate::rollup::RollUp;
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
    /// What the export is known to leave out.
    pub lacks: BTreeSet<Lack>,
    /// When the youngest of its files was written.
    pub(super) written: DateTime<Utc>,
    pub(super) roll_up: &'static RollUp,
    pub(super) layout: Option<Layout>,
    pub(super) files: Vec<ForeignFile>,
    /// Bytes of its files as they lie there.
    pub(super) bytes: u64,
    pub(super) objects: Arc<dyn ObjectStore>,
}

impl Unit {
    /// Returns how good it is as the bill of its month.
    pub fn grade(&self) -> Grade {
        Grade::of(kind::is_focus(self.roll_up), &self.lacks)
    }

    /// Returns how many files it has, and how many bytes.
    pub fn size(&self) -> (usize, u64) {
        (self.files.len(), self.bytes)
    }
}

/// What there is.
#[derive(Debug, Default)]
pub struct Survey {
    /// What can be read: the best exports first, of each the newest month.
    pub units: Vec<Unit>,
    /// What cannot, and why.
    pub gaps: Vec<Coverage>,
}

impl Survey {
    /// Takes in what the definition of the export at `export` is known to leave out.
    pub fn note(&mut self, export: &str, lacks: &BTreeSet<Lack>) {
        let below = |unit: &&mut Unit| {
            unit.export.strip_prefix(export).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.units.iter_mut().filter(below).for_each(|unit| unit.lacks.extend(lacks));
        self.sort();
    }

    /// Whole exports by the day with resources before others, FOCUS last: an export of a month never stands in for a
    /// better one. Of deliveries that are otherwise alike those with a manifest, new ones before legacy ones, and the
    /// youngest.
    fn sort(&mut self) {
        let layout = |layout: Option<Layout>| layout.map_or(2, |layout| u8::from(layout == Layout::Legacy));
        self.units.sort_by_key(|unit| (unit.grade(), Reverse(unit.month), layout(unit.layout), Reverse(unit.written)));
    }
}

/// A unit whose kind is not known yet.
pub(super) struct Raw {
    export: String,
    layout: Option<Layout>,
    month: Option<Days>,
    account: Option<String>,
    lacks: BTreeSet<Lack>,
    written: DateTime<Utc>,
    bytes: u64,
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
        let mut others = BTreeSet::new();
        let raws = units(place, &files, &mut others, &mut survey.gaps).await;
        let found = known(place, raws, &mut others, &mut survey.gaps).await;
        if found.is_empty() && survey.gaps.len() == before {
            survey.gaps.push(gap(place.shown(), nothing(&others)));
        }
        survey.units.extend(found);
    }
    survey.sort();
    survey
}

fn nothing(others: &BTreeSet<&str>) -> String {
    if others.is_empty() {
        return "there is no export of a bill: no manifest, no Parquet and no CSV file".to_owned();
    }
    let others: Vec<&str> = others.iter().copied().collect();
    format!("there is no export of a bill: what lies there is of {}", others.join(" and "))
}

/// Returns what the manifests name; without any, the files as they lie there.
async fn units(place: &Place, files: &[ObjectMeta], others: &mut BTreeSet<&str>, gaps: &mut Vec<Coverage>) -> Vec<Raw> {
    let tree = Tree::of(place, files);
    if tree.is_bare() {
        return bare(place, files, gaps);
    }
    let (mut raws, mut read, mut named) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for file in newest_manifests(place, files) {
        let (shown, below) = (place.show(&file.location), place.below(&file.location));
        let text = match place.read(&file.location).await {
            Ok(text) => text,
            Err(error) => {
                gaps.push(gap(&shown, error.to_string()));
                continue;
            }
        };
        // A folder that somebody called after a month is none, but a partition says its month wherever it is cut off.
        let own = if place.name().contains('=') { place.name() } else { "" };
        let manifest = match manifest::parse(&format!("{own}/{below}"), &text) {
            Ok(manifest) => manifest,
            Err(ManifestError::Other(what)) => {
                others.insert(what);
                continue;
            }
            Err(error) => {
                gaps.push(gap(&shown, error.to_string()));
                continue;
            }
        };
        read.insert((manifest::export_of(below).to_owned(), Some(manifest.month)));
        let raw = of_manifest(place, file, manifest, &tree).map_err(|gap| gaps.push(*gap)).ok();
        let paths = raw.iter().flat_map(|raw| &raw.files).map(|file| place.below(&file.path).to_owned());
        named.extend(paths);
        raws.extend(raw);
    }
    gaps.extend(tree.unnamed(&named, &read));
    raws
}

/// Returns the newest manifest of each month of each export. Where deliveries are kept, AWS writes the newest one above
/// the folders of the single deliveries too; without it, the name of the folder says when, else the file's own time.
fn newest_manifests<'a>(place: &Place, files: &'a [ObjectMeta]) -> Vec<&'a ObjectMeta> {
    let mut newest: BTreeMap<(&str, Option<Days>, &str), &ObjectMeta> = BTreeMap::new();
    for file in files.iter().filter(|file| manifest::is_manifest(file.location.as_ref())) {
        let path = place.below(&file.location);
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
fn of_manifest(place: &Place, at: &ObjectMeta, manifest: Manifest, tree: &Tree<'_>) -> Result<Raw, Box<Coverage>> {
    let Manifest { layout, month, account, lacks, files: keys } = manifest;
    let root = manifest::export_of(place.below(&at.location));
    let export = place.show_below(root);
    let lost = |why: Untrusted| Box::new(gap(&export, why).days(month.from, month.to));
    if keys.is_empty() {
        return Err(lost("the month is empty: its manifest names no file".into()));
    }
    let (mut files, mut written, mut bytes) = (Vec::new(), at.last_modified, 0);
    for key in &keys {
        let found = tree.find(root, key);
        let found = found.ok_or_else(|| lost(format!("its manifest names `{key}`, which is not there").into()))?;
        files.push(foreign(place, &found.location).map_err(|why| lost(why.into()))?);
        (written, bytes) = (written.max(found.last_modified), bytes + found.size);
    }
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_ref()).collect();
    if paths.len() < files.len() {
        return Err(lost("its manifest names one file twice".into()));
    }
    Ok(Raw { export, layout: Some(layout), month: Some(month), account, lacks, written, bytes, files })
}

fn foreign(place: &Place, path: &Path) -> Result<ForeignFile, String> {
    let shown = place.show(path);
    match Format::of(path.as_ref()) {
        Some(format) => Ok(ForeignFile { path: path.clone(), shown, format }),
        None => Err(format!(
            "`{shown}` is not read: leanlake reads Parquet, CSV and CSV under gzip; unpack ZIP first, in its place"
        )),
    }
}

/// Returns the files of a place without manifests, by their folder and the month that it names. Files of two folders are
/// never added up: they may be two deliveries of one month, or two payers.
fn bare(place: &Place, files: &[ObjectMeta], gaps: &mut Vec<Coverage>) -> Vec<Raw> {
    let mut folders: BTreeMap<&str, (DateTime<Utc>, u64, Vec<ForeignFile>)> = BTreeMap::new();
    for file in files {
        let path = place.below(&file.location);
        match foreign(place, &file.location) {
            Ok(found) => {
                let folder = folders.entry(path.rsplit_once('/').map_or("", |(folder, _)| folder)).or_default();
                (folder.0, folder.1) = (folder.0.max(file.last_modified), folder.1 + file.size);
                folder.2.push(found);
            }
            Err(why) if path.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("zip")) => {
                gaps.push(gap(&place.show(&file.location), why));
            }
            Err(_) => {}
        }
    }
    let own = if place.name().contains('=') { place.name() } else { "" };
    let raw = |(folder, (written, bytes, files)): (&str, (DateTime<Utc>, u64, Vec<ForeignFile>))| {
        let (export, month) = (place.show_below(folder), manifest::month_of(&format!("{own}/{folder}/")));
        Raw { export, layout: None, month, account: None, lacks: BTreeSet::new(), written, bytes, files }
    };
    folders.into_iter().map(raw).collect()
}

/// Finds out what kind of export each is, and who pays: both are the same for all months of one export.
async fn known(place: &Place, mut raws: Vec<Raw>, others: &mut BTreeSet<&str>, gaps: &mut Vec<Coverage>) -> Vec<Unit> {
    raws.sort_by_key(|raw| (raw.export.clone(), Reverse(raw.month)));
    let mut exports: BTreeMap<String, Kind> = BTreeMap::new();
    let mut units = Vec::new();
    for raw in raws {
        let looked = match exports.get(&raw.export).filter(|_| raw.layout.is_some()) {
            Some(kind) => Ok(Looked::Bill(kind.clone())),
            None => look(place, &raw.files).await,
        };
        match looked {
            Ok(Looked::Bill(kind)) => {
                exports.insert(raw.export.clone(), kind.clone());
                units.push(unit(place, raw, kind));
            }
            Ok(Looked::Other(what)) => drop(others.insert(what)),
            Err(why) => {
                let gap = gap(&raw.export, why);
                gaps.push(raw.month.map_or(gap.clone(), |month| gap.days(month.from, month.to)));
            }
        }
    }
    units
}

/// A member's own export is a part of its payer's bill.
fn unit(place: &Place, raw: Raw, kind: Kind) -> Unit {
    let Raw { export, layout, month, account, mut lacks, written, bytes, files } = raw;
    lacks.extend(kind.lacks);
    let of_member = account.is_some() && kind.payer.is_some() && account != kind.payer;
    lacks.extend(of_member.then_some(Lack::Rows));
    let (payer, roll_up, objects) = (kind.payer.or(account), kind.roll_up, place.objects());
    Unit { export, month, payer, lacks, written, roll_up, layout, files, bytes, objects }
}
