//! The files of a place by the export that they belong to: a manifest finds its own files only. Reads none of them.

use std::collections::{BTreeMap, BTreeSet};

use object_store::ObjectMeta;

use super::gap;
use super::manifest::{export_of, is_manifest, month_of, resolve};
use crate::engine::files::Format;
use crate::model::{Coverage, CoverageState};
use crate::rollup::export::READ;
use crate::store::tables::bill::BILL;
use crate::store::{Days, Place};

/// Files of a place by their paths below it.
pub struct Tree<'a> {
    place: &'a Place,
    files: BTreeMap<&'a str, &'a ObjectMeta>,
    /// Folders of exports: those above the periods of manifests.
    roots: BTreeSet<&'a str>,
    /// Paths by export and by name.
    owned: BTreeMap<(&'a str, &'a str), Vec<&'a str>>,
    /// Data files that are below no export.
    outside: Vec<&'a str>,
}

impl<'a> Tree<'a> {
    /// Sorts the files.
    pub fn of(place: &'a Place, files: &'a [ObjectMeta]) -> Self {
        let files: BTreeMap<&str, &ObjectMeta> = files.iter().map(|file| (place.below(&file.location), file)).collect();
        let manifests = files.keys().copied().filter(|path| is_manifest(path));
        let roots: BTreeSet<&str> = manifests.map(export_of).collect();
        let (mut owned, mut outside): (BTreeMap<_, Vec<&str>>, Vec<&str>) = (BTreeMap::new(), Vec::new());
        for path in files.keys().copied() {
            match owner(&roots, path) {
                Some(root) => owned.entry((root, name(path))).or_default().push(path),
                None if Format::of(path).is_some() => outside.push(path),
                None => {}
            }
        }
        Tree { place, files, roots, owned, outside }
    }

    /// Returns true where there is no manifest.
    pub fn is_bare(&self) -> bool {
        self.roots.is_empty()
    }

    /// Returns the file that a manifest of the export at `root` names `key`. What was a ZIP may be unpacked beside it.
    pub fn find(&self, root: &str, key: &str) -> Option<&'a ObjectMeta> {
        let unpacked = key.get(..key.len().saturating_sub(4)).filter(|_| key.to_ascii_lowercase().ends_with(".zip"));
        let found = [Some(key), unpacked]
            .into_iter()
            .flatten()
            .rev()
            .find_map(|key| resolve(key, self.owned.get(&(root, name(key)))?.iter().copied()));
        found.and_then(|path| self.files.get(path).copied())
    }

    /// Returns what there is to say of data files that no manifest names. Older deliveries of a month that has its
    /// manifest are none of them.
    pub fn unnamed(&self, named: &BTreeSet<String>, manifests: &BTreeSet<(String, Option<Days>)>) -> Vec<Coverage> {
        let mut without: BTreeMap<(&str, Days), usize> = BTreeMap::new();
        let mut beside = self.outside.clone();
        for ((root, _), path) in self.owned.iter().flat_map(|(of, paths)| paths.iter().map(move |path| (of, *path))) {
            if Format::of(path).is_none() || named.contains(path) || path.contains(STATUS) {
                continue;
            }
            match month_of(path) {
                Some(month) if manifests.contains(&((*root).to_owned(), Some(month))) => {}
                Some(month) => *without.entry((root, month)).or_default() += 1,
                None if manifests.iter().any(|(of, _)| of == root) => beside.push(path),
                None => {}
            }
        }
        let told = |((root, month), count): ((&str, Days), usize)| {
            let why = format!("no manifest names its {count} files: the delivery, or the copy of it, is not complete");
            gap(&self.place.show_below(root), why).days(month.from, month.to)
        };
        let read = manifests.iter().map(|(root, _)| root.as_str()).collect::<BTreeSet<_>>();
        let without = without.into_iter().filter(|((root, _), _)| read.contains(root)).map(told);
        without.chain(self.beside(&beside)).collect()
    }

    fn beside(&self, paths: &[&str]) -> Option<Coverage> {
        let example = self.place.show_below(paths.first()?);
        let count = paths.len();
        let why = format!(
            "{count} data files beside exports with manifests are not read, such as `{example}`: name their folder"
        );
        Some(Coverage::new(BILL.name, READ, CoverageState::NotAsked).of(self.place.shown()).because(why))
    }
}

/// What legacy exports for Athena keep beside their months: whether a month is being written.
const STATUS: &str = "cost_and_usage_data_status";

/// Returns the export that a path is below, the innermost one.
fn owner<'a>(roots: &BTreeSet<&'a str>, path: &str) -> Option<&'a str> {
    let mut folder = path;
    while let Some((above, _)) = folder.rsplit_once('/') {
        if let Some(root) = roots.get(above) {
            return Some(root);
        }
        folder = above;
    }
    roots.get("").copied()
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
