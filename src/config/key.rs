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
    /// A whole number of days.
    Days,
    /// A length of time.
    Time,
    /// US dollars, not less than nothing.
    Dollars,
}

/// A value of one of the kinds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, or a place.
    Text(String),
    /// Texts, folders, or accounts.
    Texts(Vec<String>),
    /// Days.
    Days(u32),
    /// A length of time.
    Time(Duration),
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

/// The store.
pub const STORE: Key = Key {
    name: "store",
    kind: Kind::Place,
    default: None,
    flag: Some("--store"),
    variable: Some("LEANLAKE_STORE"),
    doc: "Where snapshots, journal and runs are kept: a folder or `s3://bucket/prefix`. Without it, `leanlake` below the user's data folder.",
};

/// The AWS profile.
pub const PROFILE: Key = Key {
    name: "profile",
    kind: Kind::Text,
    default: None,
    flag: Some("--profile"),
    variable: Some("AWS_PROFILE"),
    doc: "AWS profile to use. Credentials themselves never stand in this file.",
};

/// The Regions to read.
pub const REGIONS: Key = Key {
    name: "regions",
    kind: Kind::Texts,
    default: Some("[]"),
    flag: Some("--region"),
    variable: None,
    doc: "AWS Regions to read; empty for those on the bill and those of the buckets. `AWS_REGION` only says where requests go that are about no Region.",
};

/// The accounts to read.
pub const ACCOUNTS: Key = Key {
    name: "accounts",
    kind: Kind::Accounts,
    default: None,
    flag: Some("--accounts"),
    variable: Some("LEANLAKE_ACCOUNTS"),
    doc: "Accounts that `scan` reads in detail; without it, the caller's own. In the variable with commas between them.",
};

/// The role of other accounts.
pub const ROLE_NAME: Key = Key {
    name: "role.name",
    kind: Kind::Text,
    default: None,
    flag: Some("--role"),
    variable: Some("LEANLAKE_ROLE"),
    doc: "Name of the role that `scan` assumes in other accounts.",
};

/// What the role asks for.
pub const ROLE_EXTERNAL_ID: Key = Key {
    name: "role.external_id",
    kind: Kind::Text,
    default: None,
    flag: Some("--external-id"),
    variable: Some("LEANLAKE_EXTERNAL_ID"),
    doc: "External id that the role asks for. It is no secret.",
};

/// The name of the role's sessions.
pub const ROLE_SESSION_NAME: Key = Key {
    name: "role.session_name",
    kind: Kind::Text,
    default: Some("\"leanlake\""),
    flag: Some("--session-name"),
    variable: Some("LEANLAKE_SESSION_NAME"),
    doc: "Name of the role's sessions, as CloudTrail shows it.",
};

/// Folders of policies.
pub const POLICIES: Key = Key {
    name: "policies",
    kind: Kind::Folders,
    default: Some("[]"),
    flag: Some("--policies"),
    variable: None,
    doc: "Folders of further policies; the same id replaces a built-in one.",
};

/// Tag keys that name an owner.
pub const OWNER_TAGS: Key = Key {
    name: "owner_tags",
    kind: Kind::Texts,
    default: Some("[\"owner\", \"team\"]"),
    flag: None,
    variable: None,
    doc: "Tag keys that name the owner of a resource; the first that it carries counts.",
};

/// Tag keys by which cost is read.
pub const COST_TAGS: Key = Key {
    name: "cost_tags",
    kind: Kind::Texts,
    default: Some("[]"),
    flag: None,
    variable: None,
    doc: "Cost allocation tags, activated in the payer account, by which `scan` reads cost into `tags_cost`. Each key is one more Cost Explorer request for each month that is read.",
};

/// Days of Athena history.
pub const HISTORY_DAYS: Key = Key {
    name: "history_days",
    kind: Kind::Days,
    default: Some("45"),
    flag: Some("--history-days"),
    variable: None,
    doc: "Days of Athena history that `scan` reads; Athena keeps 45.",
};

/// The budget of a scan.
pub const MAX_COST: Key = Key {
    name: "max_cost",
    kind: Kind::Dollars,
    default: Some("5"),
    flag: Some("--max-cost"),
    variable: None,
    doc: "`scan` stops before its own requests cost more than this.",
};

/// The time of a collector.
pub const COLLECTOR_TIME: Key = Key {
    name: "collector_time",
    kind: Kind::Time,
    default: Some("\"2h\""),
    flag: Some("--collector-time"),
    variable: None,
    doc: "Longest time that `scan` reads one service in one account and Region; what it had not read by then is a gap.",
};

/// Every key, in the order of the docs.
pub const KEYS: &[&Key] = &[
    &STORE,
    &PROFILE,
    &REGIONS,
    &ACCOUNTS,
    &ROLE_NAME,
    &ROLE_EXTERNAL_ID,
    &ROLE_SESSION_NAME,
    &POLICIES,
    &OWNER_TAGS,
    &COST_TAGS,
    &HISTORY_DAYS,
    &MAX_COST,
    &COLLECTOR_TIME,
];

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
            Kind::Days => "a whole number of days",
            Kind::Time => "a length of time in quotes: \"90s\", \"20m\", \"2h\"",
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
            Kind::Days => number(written).and_then(|days| u32::from_str(days).ok()).map(Value::Days),
            Kind::Time => text(written).and_then(|time| duration::parse(&time)).map(Value::Time),
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
            Value::Days(days) => write!(f, "{days}"),
            Value::Time(time) => write!(f, "\"{}\"", duration::show(*time)),
            Value::Dollars(dollars) => write!(f, "{dollars}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
