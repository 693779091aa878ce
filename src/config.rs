//! `leanlake.toml`: flag before environment before project file before user file before default, each value with its
//! origin.
//!
//! Never reads a credential, and never writes a file. What stands in a file counts only where a key declares it.

pub mod duration;
mod file;
mod key;
mod keys;
mod page;
mod template;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use key::{Key, Kind, Value, Words};
pub use keys::{
    ACCOUNTS, ADVISERS, ALL, BUDGET_EMR_CLUSTERS, BUDGET_EMR_SERVERLESS_RUNS, BUDGET_GLUE_CRAWLS, BUDGET_GLUE_QUALITY,
    BUDGET_GLUE_RUNS, BUDGET_GLUE_STATISTICS, BUDGET_GLUE_TABLES, BUDGET_GLUE_TAGS, BUDGET_LIST_PARTS, BUDGET_QUERIES,
    BUDGET_UPLOADS, COLLECTOR_TIME, COST_TAGS, HISTORY_DAYS, KEYS, MAX_COST, OWNER_TAGS, POLICIES, PROFILE, REGIONS,
    ROLE_EXTERNAL_ID, ROLE_NAME, ROLE_SESSION_NAME, STORE, WITHOUT,
};
pub use page::page;
pub use template::template;

use crate::model::Money;

/// The file of a project, in the folder where leanlake is called.
pub const PROJECT_FILE: &str = "leanlake.toml";
/// The file of a user, below the XDG configuration folder.
pub const USER_FILE: &str = "leanlake/config.toml";

/// Bytes that a configuration file may have: nobody writes more by hand.
const LARGEST: u64 = 1 << 20;

/// Where a value is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An option of the command line.
    Flag(&'static str),
    /// A variable of the environment.
    Variable(&'static str),
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// Nobody said anything.
    Default,
}

/// A key with its value, and where that is from.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// The key.
    pub key: &'static Key,
    /// The value; `None` where nobody gave one and there is no default.
    pub value: Option<Value>,
    /// Where it is from.
    pub source: Source,
}

/// The files that may say something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The file that was named: it is read alone, and it must be there.
    pub named: Option<PathBuf>,
    /// The project's.
    pub project: Option<PathBuf>,
    /// The user's.
    pub user: Option<PathBuf>,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read the configuration `{path}`: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is too large to be a configuration.
    #[error("`{0}` is larger than 1 MiB: that is no configuration")]
    TooLarge(PathBuf),
    /// A file has a mistake.
    #[error("`{path}`, line {line}, column {column}: {problem}")]
    Mistake {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: String,
    },
}

/// Every key, settled, in the order of [`KEYS`].
#[derive(Clone, Debug, PartialEq)]
pub struct Config(Vec<Settled>);

impl Config {
    /// Settles every key: `given` by flags and the environment first, then the files, then the defaults.
    ///
    /// # Errors
    /// A file that cannot be read or has a mistake, or a named one that is not there.
    pub fn load(given: Vec<Settled>, files: &Files) -> Result<Config, ConfigError> {
        let mut layers = given;
        match &files.named {
            Some(named) => layers.extend(read(named)?),
            None => {
                for path in [&files.project, &files.user].into_iter().flatten() {
                    layers.extend(if is_there(path) { read(path)? } else { Vec::new() });
                }
            }
        }
        let settle = |key: &&'static Key| {
            let said = layers.iter().find(|said| said.key == *key).cloned();
            said.unwrap_or_else(|| Settled { key, value: key.default_value(), source: Source::Default })
        };
        Ok(Config(KEYS.iter().map(settle).collect()))
    }

    /// Returns every key with its value.
    pub fn settled(&self) -> &[Settled] {
        &self.0
    }

    /// Returns where the value of `key` is from.
    pub fn source(&self, key: &Key) -> &Source {
        self.find(key).map_or(&Source::Default, |settled| &settled.source)
    }

    /// Returns the text of `key`.
    pub fn text(&self, key: &Key) -> Option<&str> {
        match self.value(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns the texts of `key`.
    pub fn texts(&self, key: &Key) -> &[String] {
        match self.value(key) {
            Some(Value::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// Returns the number of days of `key`.
    pub fn days(&self, key: &Key) -> Option<u32> {
        match self.value(key) {
            Some(Value::Days(days)) => Some(*days),
            _ => None,
        }
    }

    /// Returns the length of time of `key`.
    pub fn time(&self, key: &Key) -> Option<Duration> {
        match self.value(key) {
            Some(Value::Time(time)) => Some(*time),
            _ => None,
        }
    }

    /// Returns the number of `key`.
    pub fn count(&self, key: &Key) -> Option<u32> {
        match self.value(key) {
            Some(Value::Count(count)) => Some(*count),
            _ => None,
        }
    }

    /// Returns true where `key` says so.
    pub fn flag(&self, key: &Key) -> bool {
        matches!(self.value(key), Some(Value::Flag(true)))
    }

    /// Returns the dollars of `key`.
    pub fn dollars(&self, key: &Key) -> Option<Money> {
        match self.value(key) {
            Some(Value::Dollars(dollars)) => Some(*dollars),
            _ => None,
        }
    }

    fn value(&self, key: &Key) -> Option<&Value> {
        self.find(key)?.value.as_ref()
    }

    fn find(&self, key: &Key) -> Option<&Settled> {
        self.0.iter().find(|settled| settled.key == key)
    }
}

/// A file that may be missing is; one that may not be looked at is an error, not a missing one.
fn is_there(path: &Path) -> bool {
    !matches!(fs::metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

fn read(path: &Path) -> Result<Vec<Settled>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    if fs::metadata(path).map_err(unreadable)?.len() > LARGEST {
        return Err(ConfigError::TooLarge(path.to_owned()));
    }
    file::parse(&fs::read_to_string(path).map_err(unreadable)?, path, KEYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn each_layer_yields_to_the_one_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let project = written(folder.path(), "p.toml", "profile = 'project'\nhistory_days = 9\n");
        let user = written(folder.path(), "u.toml", "profile = 'user'\n\nmax_cost = 2.50\nhistory_days = 8\n");
        let flag =
            Settled { key: &PROFILE, value: Some(Value::Text("flag".into())), source: Source::Flag("--profile") };
        let files = Files { named: None, project: Some(project), user: Some(user.clone()) };
        let config = Config::load(vec![flag], &files).unwrap();
        assert_eq!((config.text(&PROFILE), config.days(&HISTORY_DAYS)), (Some("flag"), Some(9)));
        assert_eq!(config.dollars(&MAX_COST).unwrap().to_string(), "2.50");
        assert_eq!(config.source(&MAX_COST), &Source::File { path: user, line: 3 });
        assert_eq!(config.texts(&OWNER_TAGS), ["owner", "team"]);
        assert_eq!((config.source(&OWNER_TAGS), config.text(&STORE)), (&Source::Default, None));
    }

    #[test]
    fn a_file_that_was_named_is_read_alone_and_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let project = written(folder.path(), "p.toml", "history_days = 9\n");
        let named = written(folder.path(), "n.toml", "profile = 'named'\n");
        let files = Files { named: Some(named), project: Some(project), user: None };
        let config = Config::load(Vec::new(), &files).unwrap();
        assert_eq!((config.text(&PROFILE), config.days(&HISTORY_DAYS)), (Some("named"), Some(45)));
        let missing = Files { named: Some(folder.path().join("none.toml")), ..Files::default() };
        assert!(matches!(Config::load(Vec::new(), &missing), Err(ConfigError::Unreadable { .. })));
    }

    #[test]
    fn files_that_nobody_wrote_are_no_mistake() {
        let files = Files { user: Some("/no/such/config.toml".into()), ..Files::default() };
        assert!(Config::load(Vec::new(), &files).is_ok());
    }
}
