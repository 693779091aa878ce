//! Folders of a bucket, the small ones folded into the one above: a depth that adapts to the size.
//!
//! Rows come sorted by folder, so the outcome depends on the rows alone, and no more than twice as many folders as are
//! kept are ever held.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::model::Row;

/// Folders that a bucket keeps.
pub const MOST: usize = 1000;

/// What tells apart the rows of one folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    storage_class: Option<String>,
    tier: Option<String>,
    state: String,
    older_than_days: Option<i64>,
    larger_than_bytes: Option<i64>,
}

/// What such objects come to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Amount {
    objects: i64,
    bytes: Option<i64>,
    oldest: Option<DateTime<Utc>>,
    newest: Option<DateTime<Utc>>,
}

impl Amount {
    fn add(&mut self, other: &Amount) {
        self.objects = self.objects.saturating_add(other.objects);
        // A size that is not known makes the sum unknown.
        self.bytes = self.bytes.zip(other.bytes).map(|(a, b)| a.saturating_add(b));
        self.oldest = [self.oldest, other.oldest].into_iter().flatten().min();
        self.newest = [self.newest, other.newest].into_iter().flatten().max();
    }
}

#[derive(Debug, Default)]
struct Folder {
    cells: BTreeMap<Cell, Amount>,
}

impl Folder {
    /// By what the smallest is found: bytes, then objects.
    fn weight(&self) -> (i64, i64) {
        let sum = |of: fn(&Amount) -> i64| self.cells.values().map(of).fold(0, i64::saturating_add);
        (sum(|amount| amount.bytes.unwrap_or(0)), sum(|amount| amount.objects))
    }

    fn add(&mut self, cell: Cell, amount: Amount) {
        match self.cells.get_mut(&cell) {
            Some(known) => known.add(&amount),
            None => drop(self.cells.insert(cell, amount)),
        }
    }
}

/// The folders of one bucket.
#[derive(Debug)]
pub struct Folders {
    most: usize,
    held: BTreeMap<String, Folder>,
    /// The folder whose rows come now.
    open: String,
}

impl Folders {
    /// Returns no folders yet, of which `most` will be kept.
    pub fn keeping(most: usize) -> Self {
        Folders { most: most.max(1), held: BTreeMap::new(), open: String::new() }
    }

    /// Takes in a row of the roll-up, whose folder is `prefix`.
    pub fn add(&mut self, prefix: String, row: &Row) {
        if prefix != self.open {
            self.open.clone_from(&prefix);
            if self.held.len() >= self.most * 2 {
                self.shrink();
            }
        }
        let text = |name| row.text(name).map(|text| text.raw().to_owned());
        let cell = Cell {
            storage_class: text("storage_class"),
            tier: text("tier"),
            state: row.key("state").to_owned(),
            older_than_days: row.int("older_than_days"),
            larger_than_bytes: row.int("larger_than_bytes"),
        };
        let amount = Amount {
            objects: row.int("objects").unwrap_or(0),
            bytes: row.int("bytes"),
            oldest: row.time("oldest"),
            newest: row.time("newest"),
        };
        self.held.entry(prefix).or_default().add(cell, amount);
    }

    /// Folds the smallest folders into the ones above until no more than `most` are left.
    fn shrink(&mut self) {
        let weighed = self.held.iter().map(|(prefix, folder)| (folder.weight(), prefix.clone()));
        let mut smallest: BTreeSet<((i64, i64), String)> = weighed.filter(|(_, prefix)| !prefix.is_empty()).collect();
        while self.held.len() > self.most {
            let Some((_, prefix)) = smallest.pop_first() else { return };
            let Some(folder) = self.held.remove(&prefix) else { continue };
            let above = above(&prefix).to_owned();
            let known = self.held.entry(above.clone()).or_default();
            let before = known.weight();
            folder.cells.into_iter().for_each(|(cell, amount)| known.add(cell, amount));
            if !above.is_empty() {
                smallest.remove(&(before, above.clone()));
                smallest.insert((known.weight(), above));
            }
        }
    }

    /// Returns the rows, in order of the folders.
    pub fn rows(mut self) -> Vec<Row> {
        self.shrink();
        let of = |(prefix, folder): (String, Folder)| {
            folder.cells.into_iter().map(move |(cell, amount)| row(&prefix, &cell, &amount))
        };
        self.held.into_iter().flat_map(of).collect()
    }
}

fn row(prefix: &str, cell: &Cell, amount: &Amount) -> Row {
    Row::new()
        .with("prefix", prefix)
        .with("storage_class", cell.storage_class.as_deref())
        .with("tier", cell.tier.as_deref())
        .with("state", cell.state.as_str())
        .with("older_than_days", cell.older_than_days)
        .with("larger_than_bytes", cell.larger_than_bytes)
        .with("objects", amount.objects)
        .with("bytes", amount.bytes)
        .with("oldest", amount.oldest)
        .with("newest", amount.newest)
}

/// Returns the folder above: empty for the bucket itself.
fn above(prefix: &str) -> &str {
    let inner = prefix.strip_suffix('/').unwrap_or(prefix);
    inner.rfind('/').map_or("", |at| &prefix[..=at])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(bytes: i64) -> Row {
        Row::new().with("state", "current").with("objects", 1_i64).with("bytes", bytes).with("older_than_days", 30_i64)
    }

    fn folded(most: usize, folders: &[(&str, i64)]) -> Vec<(String, i64, i64)> {
        let mut all = Folders::keeping(most);
        for (prefix, bytes) in folders {
            all.add((*prefix).to_owned(), &of(*bytes));
        }
        let rows = all.rows();
        let told = |row: &Row| (row.key("prefix").to_owned(), row.int("bytes").unwrap(), row.int("objects").unwrap());
        rows.iter().map(told).collect()
    }

    #[test]
    fn small_folders_are_counted_in_the_one_above_and_large_ones_keep_their_depth() {
        let folders = [("", 1), ("a/", 2), ("a/b/", 3), ("a/c/", 100), ("d/e/", 4)];
        let told = |rows: &[(&str, i64, i64)]| -> Vec<(String, i64, i64)> {
            rows.iter().map(|(prefix, bytes, objects)| ((*prefix).to_owned(), *bytes, *objects)).collect()
        };
        assert_eq!(folded(9, &folders).len(), 5);
        assert_eq!(folded(2, &folders), told(&[("", 10, 4), ("a/c/", 100, 1)]));
        assert_eq!(folded(1, &folders), told(&[("", 110, 5)]));
        assert_eq!(folded(3, &folders), told(&[("", 6, 3), ("a/c/", 100, 1), ("d/e/", 4, 1)]));
    }

    #[test]
    fn a_size_that_is_not_known_makes_no_sum() {
        let mut folders = Folders::keeping(1);
        folders.add("a/".to_owned(), &of(5));
        folders.add("b/".to_owned(), &of(5).with("bytes", crate::model::Cell::Null));
        let rows = folders.rows();
        assert_eq!((rows.len(), rows[0].int("bytes"), rows[0].int("objects")), (1, None, Some(2)));
    }

    proptest! {
        #[test]
        fn however_few_folders_are_kept_no_object_is_lost(
            paths in prop::collection::btree_map("([ab]/){0,4}", 1..1000_i64, 1..30), most in 1..8_usize
        ) {
            let folders: Vec<(&str, i64)> = paths.iter().map(|(path, bytes)| (path.as_str(), *bytes)).collect();
            let rows = folded(most, &folders);
            prop_assert!(rows.len() <= most);
            prop_assert_eq!(rows.iter().map(|(_, bytes, _)| bytes).sum::<i64>(), paths.values().sum::<i64>());
            let count = i64::try_from(paths.len()).unwrap();
            prop_assert_eq!(rows.iter().map(|(.., objects)| objects).sum::<i64>(), count);
        }
    }
}
