//! The keys of `leanlake.toml`. One declaration gives parsing, default, origin and documentation; no value is kept here.
//!
//! A key that no code reads is not declared: an unknown key is an error, so nobody can believe in it.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use rust_decimal::Decimal;
use toml::de::DeValue;

use super::duration;
use crate::model::Money;

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A list of texts, each once.
    Texts,
    /// An `s3://` address or a folder; a folder is relative to the file that names it.
    Place,
    /// A list of folders, relative to the file that names them.
    Folders,
    /// `"all"`, or a list of account ids.
    Accounts,
    /// A list of some of these words, each once.
    Words(Words),
    /// `true` or `false`.
    Flag,
    /// A whole number of days.
    Days,
    /// A length of time.
    Time,
    /// A whole number of things.
    Count,
    /// US dollars, not less than nothing.
    Dollars,
}

/// The words that a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The words.
    pub all: &'static [&'static str],
    /// The same for people.
    pub wants: &'static str,
}

/// A value of one of the kinds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, or a place.
    Text(String),
    /// Texts, folders, or accounts.
    Texts(Vec<String>),
    /// True or false.
    Flag(bool),
    /// Days.
    Days(u32),
    /// A length of time.
    Time(Duration),
    /// So many.
    Count(u32),
    /// US dollars.
    Dollars(Money),
}

/// The declaration of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name in the file; a dot is a table.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Its default, written as in the file.
    pub default: Option<&'static str>,
    /// The option of the command line that wins over it.
    pub flag: Option<&'static str>,
    /// The variable of the environment that wins over it.
    pub variable: Option<&'static str>,
    /// What it is for.
    pub doc: &'static str,
}

impl Key {
    /// Returns the value when nobody gives one.
    pub fn default_value(&self) -> Option<Value> {
        let written = DeValue::parse(self.default?).ok()?;
        self.kind.value(written.get_ref(), Path::new("")).ok()
    }
}

impl Kind {
    /// Returns what the kind takes, for people.
    pub const fn wants(self) -> &'static str {
        match self {
            Kind::Text => "text in quotes",
            Kind::Texts => "a list of texts, each once: [\"a\", \"b\"]",
            Kind::Place => "a folder or an s3:// address in quotes",
            Kind::Folders => "a list of folders: [\"policies\"]",
            Kind::Accounts => "\"all\", or a list of account ids of 12 digits",
            Kind::Words(words) => words.wants,
            Kind::Flag => "true or false",
            Kind::Days => "a whole number of days",
            Kind::Time => "a length of time in quotes: \"90s\", \"20m\", \"2h\"",
            Kind::Count => "a whole number",
            Kind::Dollars => "dollars, not less than 0: 5 or 2.50",
        }
    }

    /// Returns the value that is written, or what the kind wants instead. Folders are relative to `folder`.
    pub(super) fn value(self, written: &DeValue<'_>, folder: &Path) -> Result<Value, &'static str> {
        let value = match self {
            Kind::Text => text(written).map(Value::Text),
            Kind::Place => text(written).map(|place| Value::Text(placed(place, folder))),
            Kind::Texts => texts(written).map(Value::Texts),
            Kind::Accounts => accounts(written),
            Kind::Folders => texts(written)
                .map(|folders| Value::Texts(folders.into_iter().map(|name| placed(name, folder)).collect())),
            Kind::Words(words) => texts(written)
                .filter(|said| said.iter().all(|word| words.all.contains(&word.as_str())))
                .map(Value::Texts),
            Kind::Flag => match written {
                DeValue::Boolean(said) => Some(Value::Flag(*said)),
                _ => None,
            },
            Kind::Days => number(written).and_then(|days| u32::from_str(days).ok()).map(Value::Days),
            Kind::Time => text(written).and_then(|time| duration::parse(&time)).map(Value::Time),
            Kind::Count => number(written).and_then(|count| u32::from_str(count).ok()).map(Value::Count),
            Kind::Dollars => dollars(written).map(Value::Dollars),
        };
        value.ok_or(self.wants())
    }
}

fn text(written: &DeValue<'_>) -> Option<String> {
    match written {
        DeValue::String(text) if !text.is_empty() => Some(text.clone().into_owned()),
        _ => None,
    }
}

fn texts(written: &DeValue<'_>) -> Option<Vec<String>> {
    let DeValue::Array(items) = written else { return None };
    let texts: Vec<String> = items.iter().map(|item| text(item.get_ref())).collect::<Option<_>>()?;
    let twice = texts.iter().enumerate().any(|(at, text)| texts[..at].contains(text));
    (!twice).then_some(texts)
}

fn accounts(written: &DeValue<'_>) -> Option<Value> {
    let is_id = |id: &String| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    match text(written) {
        Some(all) if all == "all" => Some(Value::Text(all)),
        Some(_) => None,
        None => texts(written).filter(|ids| !ids.is_empty() && ids.iter().all(is_id)).map(Value::Texts),
    }
}

/// Returns the digits of a whole number.
fn number<'v>(written: &'v DeValue<'_>) -> Option<&'v str> {
    match written {
        DeValue::Integer(digits) if digits.radix() == 10 => Some(digits.as_str()),
        _ => None,
    }
}

/// Reads the digits as they are written: a price never passes through floating point.
fn dollars(written: &DeValue<'_>) -> Option<Money> {
    let digits = match written {
        DeValue::Float(digits) => digits.as_str(),
        DeValue::String(digits) => digits,
        other => number(other)?,
    };
    let amount = Decimal::from_str(digits).ok()?;
    (!amount.is_sign_negative()).then(|| Money::new(amount))
}

fn placed(name: String, folder: &Path) -> String {
    if name.starts_with("s3://") { name } else { folder.join(name).to_string_lossy().into_owned() }
}

/// As it would be written in the file.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => write!(f, "{}", toml::Value::from(text.as_str())),
            Value::Texts(texts) => {
                let texts: Vec<String> =
                    texts.iter().map(|text| toml::Value::from(text.as_str()).to_string()).collect();
                write!(f, "[{}]", texts.join(", "))
            }
            Value::Flag(said) => write!(f, "{said}"),
            Value::Days(number) | Value::Count(number) => write!(f, "{number}"),
            Value::Time(time) => write!(f, "\"{}\"", duration::show(*time)),
            Value::Dollars(dollars) => write!(f, "{dollars}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        ACCOUNTS, ALL, BUDGET_GLUE_TAGS, COLLECTOR_TIME, HISTORY_DAYS, KEYS, MAX_COST, OWNER_TAGS, REGIONS, STORE,
        WITHOUT,
    };

    #[test]
    fn every_default_is_a_value_of_its_kind_and_every_key_stands_once() {
        for (at, key) in KEYS.iter().enumerate() {
            assert_eq!(key.default_value().is_some(), key.default.is_some(), "{}", key.name);
            assert!(KEYS[..at].iter().all(|other| other.name != key.name), "{} stands twice", key.name);
        }
    }

    #[test]
    fn what_is_shown_is_what_could_be_written() {
        for (key, written) in [
            (&STORE, "\"s3://keep/lake\""),
            (&OWNER_TAGS, "['a\"b', \"c\"]"),
            (&MAX_COST, "2.50"),
            (&HISTORY_DAYS, "7"),
            (&COLLECTOR_TIME, "\"90s\""),
            (&ALL, "true"),
            (&WITHOUT, "[\"forecast\"]"),
            (&BUDGET_GLUE_TAGS, "0"),
            (&ACCOUNTS, "\"all\""),
            (&ACCOUNTS, "[\"111122223333\"]"),
        ] {
            let value = key.kind.value(DeValue::parse(written).unwrap().get_ref(), Path::new("")).unwrap();
            assert_eq!(value.to_string(), written);
        }
    }

    #[test]
    fn values_of_another_kind_are_refused() {
        for (key, written) in [
            (&STORE, "7"),
            (&STORE, "\"\""),
            (&REGIONS, "\"eu-west-1\""),
            (&REGIONS, "[\"a\", \"a\"]"),
            (&REGIONS, "[1]"),
            (&ACCOUNTS, "\"some\""),
            (&ACCOUNTS, "[]"),
            (&ACCOUNTS, "[\"12345\"]"),
            (&ACCOUNTS, "[\"all\"]"),
            (&ALL, "1"),
            (&ALL, "\"true\""),
            (&WITHOUT, "\"hub\""),
            (&WITHOUT, "[\"hubs\"]"),
            (&WITHOUT, "[\"hub\", \"hub\"]"),
            (&BUDGET_GLUE_TAGS, "-1"),
            (&BUDGET_GLUE_TAGS, "1.5"),
            (&HISTORY_DAYS, "-1"),
            (&HISTORY_DAYS, "4.5"),
            (&HISTORY_DAYS, "\"45\""),
            (&COLLECTOR_TIME, "90"),
            (&COLLECTOR_TIME, "\"soon\""),
            (&MAX_COST, "-0.01"),
            (&MAX_COST, "nan"),
            (&MAX_COST, "\"five\""),
        ] {
            let value = key.kind.value(DeValue::parse(written).unwrap().get_ref(), Path::new(""));
            assert!(value.is_err(), "{} = {written}", key.name);
        }
    }
}
