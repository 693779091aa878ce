//! Files of a place by their names: what a manifest names is looked up among a few, not among all.

use std::collections::BTreeMap;

use object_store::ObjectMeta;

use super::export::manifest::resolve;

/// Paths by the name of the file.
pub struct Names<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'a> Names<'a> {
    /// Returns the names of `files`.
    pub fn of(files: &'a [ObjectMeta]) -> Self {
        let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for path in files.iter().map(|file| file.location.as_ref()) {
            names.entry(last(path)).or_default().push(path);
        }
        Names(names)
    }

    /// Returns the file that a manifest names `key`, in whatever folder the export was copied to.
    pub fn find(&self, key: &str) -> Option<&'a str> {
        resolve(key, self.0.get(last(key))?.iter().copied())
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
