//! All policies by id: the built-in ones, and those of folders that a user adds.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Policy, PolicyError, file};
use crate::engine::{Engine, EngineError};
use crate::prices::PriceBook;

include!(concat!(env!("OUT_DIR"), "/policies.rs"));

/// Columns that every query must give.
const REQUIRED: [&str; 3] = ["resource", "account_id", "region"];

/// Policies by id.
#[derive(Clone, Debug)]
pub struct Library {
    policies: BTreeMap<String, Policy>,
    notices: Vec<String>,
}

impl Library {
    /// Returns the policies that are part of the crate: every file under `policies/`.
    ///
    /// # Errors
    /// One of them is wrong; a test keeps that from being released.
    pub fn built_in() -> Result<Self, PolicyError> {
        let book = PriceBook::embedded()?;
        let mut library = Library { policies: BTreeMap::new(), notices: Vec::new() };
        for (path, yaml) in BUILT_IN {
            library.add(Policy::parse(path, yaml, &book)?)?;
        }
        Ok(library)
    }

    /// Returns the built-in policies and those of `folders`; a later one of the same id replaces an earlier one.
    ///
    /// # Errors
    /// A folder cannot be read, or a file in it is wrong.
    pub fn with_folders(folders: &[PathBuf]) -> Result<Self, PolicyError> {
        let book = PriceBook::embedded()?;
        let mut library = Library::built_in()?;
        for folder in folders {
            for (path, yaml) in file::folder(folder)? {
                let policy = Policy::parse(&path, &yaml, &book)?;
                if let Some(old) = library.policies.remove(policy.id()) {
                    library.notices.push(format!("policy `{}` of {path} replaces {}", policy.id(), old.path));
                }
                library.add(policy)?;
            }
        }
        Ok(library)
    }

    pub(super) fn add(&mut self, policy: Policy) -> Result<(), PolicyError> {
        let taken = |name: &str| {
            let of = |old: &&Policy| old.id() == name || old.file.was.iter().any(|was| was == name);
            self.policies.values().find(of).map(|old| old.path.clone())
        };
        let names = std::iter::once(policy.id()).chain(policy.file.was.iter().map(String::as_str));
        for name in names {
            if let Some(by) = taken(name) {
                return Err(policy.mistake(&["id"], format!("the id `{name}` is taken by {by}")));
            }
        }
        self.policies.insert(policy.file.id.clone(), policy);
        Ok(())
    }

    /// Returns the policies by id.
    pub fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.policies.values()
    }

    /// Returns the policy called `id`, today or once.
    pub fn find(&self, id: &str) -> Option<&Policy> {
        self.policies.get(id).or_else(|| self.policies().find(|policy| policy.file.was.iter().any(|was| was == id)))
    }

    /// Returns the library with nothing but the policy called `id`.
    #[must_use]
    pub fn only(&self, id: &str) -> Library {
        let policies = self.find(id).map(|policy| (policy.file.id.clone(), policy.clone())).into_iter().collect();
        Library { policies, notices: self.notices.clone() }
    }

    /// Returns what a user should be told: which policies were replaced.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Runs every query against empty tables: a table, column or type that does not exist is found here.
    ///
    /// # Errors
    /// The first mistake, with the file's line.
    pub async fn check(&self) -> Result<(), PolicyError> {
        let engine = Engine::new().map_err(PolicyError::Engine)?;
        crate::analysis::declare(&engine)?;
        for policy in self.policies() {
            check(policy, &engine).await?;
        }
        Ok(())
    }
}

async fn check(policy: &Policy, engine: &Engine) -> Result<(), PolicyError> {
    // Planning needs literals, and no time matters to it.
    let sql = policy.sql(chrono::DateTime::UNIX_EPOCH);
    // Run, not only planned: types are compared when a query runs, and the tables are empty.
    let columns = engine.query(&sql).await.map_err(|error| wrong_query(policy, &error))?.columns;
    let needs_pool = policy.file.effect.is_some().then_some("pool_id");
    for column in REQUIRED.into_iter().chain(needs_pool) {
        if !columns.iter().any(|known| known == column) {
            return Err(policy.mistake(&["query"], format!("the query must give a column `{column}`")));
        }
    }
    let unknown = |column: &&str| !columns.iter().any(|known| known == column);
    if let Some(column) = policy.file.requires.iter().map(String::as_str).find(unknown) {
        return Err(policy.mistake(&["requires"], format!("the query has no column `{column}`")));
    }
    for formula in policy.formulas() {
        if let Some(column) = formula.columns().into_iter().find(unknown) {
            let what = format!("`{}` reads `{column}`, which the query does not give", formula.text());
            return Err(policy.mistake(&["saving"], what));
        }
    }
    Ok(())
}

/// The engine planned another text than the file's: the first name of its message that stands in the query says where.
fn wrong_query(policy: &Policy, error: &EngineError) -> PolicyError {
    let message = error.to_string();
    let what = message.lines().next().unwrap_or_default().to_owned();
    let names = what.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|name| name.len() > 1);
    let place = |name: &str| {
        let mut lines = policy.query.text().lines().enumerate();
        lines.find_map(|(line, text)| Some((line + 1, word_at(text, name)? + 1)))
    };
    policy.mistake_in_query(names.into_iter().find_map(place), what.clone())
}

fn word_at(text: &str, word: &str) -> Option<usize> {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let whole =
        |at: &usize| !is_part(text[..*at].chars().next_back()) && !is_part(text[*at + word.len()..].chars().next());
    text.match_indices(word).map(|(at, _)| at).find(whole)
}
