//! What differs between two states of a document, by rule ID and never by position.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::configuration::Configuration;
use super::document::Rule;
use crate::model::Untrusted;

/// Rules that were added, changed and removed, by ID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delta {
    /// IDs that only the later state has.
    pub added: Vec<Untrusted>,
    /// IDs that both have, with another meaning.
    pub changed: Vec<Untrusted>,
    /// IDs that only the earlier state has.
    pub removed: Vec<Untrusted>,
}

impl Delta {
    /// Returns what must happen to `from` to get `to`.
    pub fn between(from: &Configuration, to: &Configuration) -> Delta {
        let (from, to) = (by_id(from), by_id(to));
        let pick = |keys: Vec<&String>| keys.into_iter().map(|id| Untrusted::from(id.as_str())).collect();
        let changed = from.iter().filter(|(id, rule)| to.get(*id).is_some_and(|now| now.canonical != rule.canonical));
        Delta {
            added: pick(to.keys().filter(|id| !from.contains_key(*id)).collect()),
            changed: pick(changed.map(|(id, _)| id).collect()),
            removed: pick(from.keys().filter(|id| !to.contains_key(*id)).collect()),
        }
    }

    /// Returns true when nothing differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    /// Returns every ID named, each once, sorted.
    pub fn ids(&self) -> Vec<Untrusted> {
        let mut ids: Vec<Untrusted> =
            [&self.added, &self.changed, &self.removed].into_iter().flatten().cloned().collect();
        ids.sort();
        ids
    }
}

struct Meaning {
    canonical: String,
    leaves: Vec<(String, String)>,
}

/// The rules by ID; one without ID is named by its fingerprint, a repeated ID gets a number.
fn by_id(configuration: &Configuration) -> BTreeMap<String, Meaning> {
    let mut out = BTreeMap::new();
    for rule in configuration.rules() {
        let canonical = rule.element.canonical();
        let mut name = name_of(rule, &canonical);
        let mut copy = 2;
        while out.contains_key(&name) {
            name = format!("{} ({copy})", name_of(rule, &canonical));
            copy += 1;
        }
        out.insert(name, Meaning { canonical, leaves: rule.element.leaves() });
    }
    out
}

fn name_of(rule: &Rule, canonical: &str) -> String {
    rule.id.clone().unwrap_or_else(|| {
        let digest = super::document::digest(canonical.as_bytes());
        format!("without ID {}", &digest[..8])
    })
}

/// Returns, in lines safe for a terminal, what changed between two states: `+ rule`, `~ rule`, `- rule` and below
/// each its values; rules that are kept are named at the end.
pub fn lines(from: &Configuration, to: &Configuration) -> Vec<String> {
    let (old, new) = (by_id(from), by_id(to));
    let mut ids: Vec<&String> = old.keys().chain(new.keys()).collect();
    ids.sort();
    ids.dedup();
    let mut out = Vec::new();
    let mut kept = Vec::new();
    for id in ids {
        let shown = Untrusted::from(id.as_str()).terminal();
        match (old.get(id), new.get(id)) {
            (Some(was), Some(is)) if was.canonical == is.canonical => {
                kept.push(format!("  rule `{shown}` (kept as it is)"));
            }
            (Some(was), Some(is)) => {
                out.push(format!("~ rule `{shown}`"));
                out.extend(leaf_changes(&was.leaves, &is.leaves));
            }
            (None, Some(is)) => {
                out.push(format!("+ rule `{shown}`"));
                out.extend(leaf_changes(&[], &is.leaves));
            }
            (Some(was), None) => {
                out.push(format!("- rule `{shown}`"));
                out.extend(leaf_changes(&was.leaves, &[]));
            }
            (None, None) => {}
        }
    }
    out.extend(kept);
    out
}

fn leaf_changes(old: &[(String, String)], new: &[(String, String)]) -> Vec<String> {
    let shown = |sign: char, (path, value): &(String, String)| {
        format!("    {sign} {}: {}", Untrusted::from(path.as_str()).terminal(), quoted(value))
    };
    let gone = old.iter().filter(|leaf| !new.contains(leaf) && leaf.0 != "ID").map(|leaf| shown('-', leaf));
    let come = new.iter().filter(|leaf| !old.contains(leaf) && leaf.0 != "ID").map(|leaf| shown('+', leaf));
    gone.chain(come).collect()
}

fn quoted(value: &str) -> String {
    format!("\"{}\"", Untrusted::from(value).terminal())
}

/// Returns the three-way view of a bucket that moved on: what the plan saw, what stands there now, what was wanted.
pub fn three_way(planned: &Configuration, live: &Configuration, wanted: &Configuration) -> Vec<String> {
    let mut out = vec!["since the plan was made:".to_owned()];
    let moved = lines(planned, live);
    out.extend(moved.iter().filter(|line| !line.ends_with("(kept as it is)")).map(|line| format!("  {line}")));
    if planned.small_objects != live.small_objects {
        let shown = |setting: &Option<String>| setting.as_deref().map_or("none".to_owned(), quoted);
        out.push(format!("  ~ small objects: {} → {}", shown(&planned.small_objects), shown(&live.small_objects)));
    }
    out.push("the plan wants, on what it saw:".to_owned());
    let change = lines(planned, wanted);
    out.extend(change.iter().filter(|line| !line.ends_with("(kept as it is)")).map(|line| format!("  {line}")));
    out
}
