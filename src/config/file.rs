//! The text of a configuration file as settled keys. Pure. A key that nobody declared is an error, with what it may
//! have meant.

use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use super::key::Key;
use super::{ConfigError, Settled, Source};

/// Words in the names of keys that hold secrets elsewhere.
const SECRETS: &[&str] = &["secret", "access_key", "token", "password", "credential"];

/// Returns what `text`, the file at `path`, says of `keys`.
pub(super) fn parse(text: &str, path: &Path, keys: &[&'static Key]) -> Result<Vec<Settled>, ConfigError> {
    let file = File { text, path, keys };
    let table = DeTable::parse(text).map_err(|error| {
        let said: Vec<&str> = error.message().lines().map(str::trim).collect();
        let hint = "the file is TOML: `key = \"text\"`, `key = 7`, `key = [\"a\", \"b\"]`";
        file.mistake(&error.span().unwrap_or(0..0), said.join(", "), hint)
    })?;
    let mut settled = Vec::new();
    file.collect(table.get_ref(), "", &mut settled)?;
    Ok(settled)
}

struct File<'a> {
    text: &'a str,
    path: &'a Path,
    keys: &'a [&'static Key],
}

impl File<'_> {
    /// Adds the keys of `table`, whose own name is `prefix` with its dot.
    fn collect(&self, table: &DeTable<'_>, prefix: &str, settled: &mut Vec<Settled>) -> Result<(), ConfigError> {
        for (name, written) in table {
            let full = format!("{prefix}{}", name.get_ref());
            let below = format!("{full}.");
            if let Some(table) = written.get_ref().as_table()
                && self.keys.iter().any(|key| key.name.starts_with(&below))
            {
                self.collect(table, &below, settled)?;
                continue;
            }
            let Some(key) = self.keys.iter().find(|key| key.name == full) else {
                return Err(self.mistake(&name.span(), format!("there is no key `{full}`"), &self.meant(&full)));
            };
            let folder = self.path.parent().unwrap_or(Path::new(""));
            let value = key.kind.value(written.get_ref(), folder).map_err(|wants| {
                self.mistake(&written.span(), format!("`{full}` cannot be that"), &format!("it takes {wants}"))
            })?;
            let (line, _) = self.position(name.span().start);
            settled.push(Settled {
                key,
                value: Some(value),
                source: Source::File { path: self.path.to_owned(), line },
            });
        }
        Ok(())
    }

    fn mistake(&self, at: &Range<usize>, problem: String, hint: &str) -> ConfigError {
        let (line, column) = self.position(at.start);
        ConfigError::Mistake { path: self.path.to_owned(), line, column, problem, hint: hint.to_owned() }
    }

    /// Returns line and column of a byte, both from 1.
    fn position(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// Returns what an unknown key may have meant.
    fn meant(&self, name: &str) -> String {
        if SECRETS.iter().any(|word| name.to_ascii_lowercase().contains(word)) {
            return "credentials are never read from this file: name a `profile`".to_owned();
        }
        let nearest = self.keys.iter().map(|key| (distance(name, key.name), key.name)).min();
        match nearest {
            Some((far, key)) if far <= key.len() / 2 => format!("did you mean `{key}`?"),
            _ => format!("there are {}", self.keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// Returns how many letters have to be put in, taken out or changed to make `b` of `a` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut before = i;
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = before + usize::from(from != *to);
            before = row[j + 1];
            row[j + 1] = changed.min(before + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::super::KEYS;
    use super::super::key::{Kind, Value};
    use super::*;

    fn refused(text: &str) -> String {
        let error = parse(text, Path::new("leanlake.toml"), KEYS).unwrap_err();
        let ConfigError::Mistake { hint, .. } = &error else { panic!("{error}") };
        format!("{error} / {hint}")
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place_and_the_nearest_known_one() {
        let said = refused("profile = 'lake'\n  owner_tag = ['x']\n");
        assert_eq!(said, "`leanlake.toml`, line 2, column 3: there is no key `owner_tag` / did you mean `owner_tags`?");
        assert!(refused("colour = 1").contains("there are store, profile"));
    }

    #[test]
    fn a_credential_is_refused_and_never_repeated() {
        let said = refused("aws_secret_access_key = 'wJalrXUtnFEMI'");
        assert!(said.contains("never read from this file") && !said.contains("wJalr"), "{said}");
    }

    #[test]
    fn a_value_of_another_kind_says_what_the_key_takes() {
        let said = refused("history_days = 'all'");
        assert!(said.contains("column 16") && said.contains("a whole number of days"), "{said}");
    }

    #[test]
    fn text_that_is_no_toml_is_refused_where_it_ends() {
        assert!(refused("profile = 'lake'\nregions = [").contains("line 2"));
        assert!(refused("profile = 'a'\nprofile = 'b'\n").contains("line 2"), "a key twice is a mistake");
    }

    #[test]
    fn folders_are_relative_to_the_file_and_addresses_are_not() {
        let settled = parse("store = 'kept'\npolicies = ['a', '/b']", Path::new("/home/u/l.toml"), KEYS).unwrap();
        let values: Vec<String> = settled.iter().map(|said| said.value.as_ref().unwrap().to_string()).collect();
        assert_eq!(values, ["[\"/home/u/a\", \"/b\"]", "\"/home/u/kept\""]);
        let store = parse("store = 's3://keep/lake'", Path::new("/home/u/l.toml"), KEYS).unwrap();
        assert_eq!(store[0].value, Some(Value::Text("s3://keep/lake".into())));
    }

    #[test]
    fn a_dot_in_the_name_of_a_key_is_a_table() {
        const NAME: Key =
            Key { name: "role.name", kind: Kind::Text, default: None, flag: None, variable: None, doc: "" };
        let settled = parse("[role]\nname = 'reader'\n", Path::new("l.toml"), &[&NAME]).unwrap();
        assert_eq!(settled[0].value, Some(Value::Text("reader".into())));
        let error = parse("[role]\nnam = 'reader'\n", Path::new("l.toml"), &[&NAME]).unwrap_err();
        assert!(error.to_string().contains("line 2, column 1: there is no key `role.nam`"), "{error}");
    }

    #[test]
    fn distance_counts_letters() {
        assert_eq!((distance("", "abc"), distance("store", "store"), distance("stroe", "store")), (3, 0, 2));
    }
}
