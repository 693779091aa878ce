//! A rule with every element understood, or none of it.

use std::collections::BTreeMap;

use crate::lifecycle::element::Element;

/// A rule, as every form can say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub id: String,
    pub enabled: bool,
    pub filter: Filter,
    pub abort_days: Option<u64>,
    pub expiration: Option<Expiration>,
    pub noncurrent_expiration: Option<Versions>,
    pub transitions: Vec<Transition>,
    pub noncurrent_transitions: Vec<(Versions, String)>,
}

/// How a rule says which objects it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FilterForm {
    /// A rule-level prefix, from before filters.
    Legacy,
    /// A filter with one condition or none.
    Single,
    /// A filter with several.
    And,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub form: FilterForm,
    pub prefix: Option<String>,
    pub tags: Vec<(String, String)>,
    pub larger: Option<u64>,
    pub smaller: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expiration {
    pub days: Option<u64>,
    pub date: Option<String>,
    pub marker: Option<bool>,
}

/// Old versions: how long after they were replaced, and how many newer ones are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Versions {
    pub days: Option<u64>,
    pub newer: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transition {
    pub days: Option<u64>,
    pub date: Option<String>,
    pub class: String,
}

type Leaves<'e> = BTreeMap<&'e str, &'e str>;

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// The first thing that is not understood.
    pub fn of(element: &Element) -> Result<Rule, String> {
        plain(element)?;
        let mut rule = Rule {
            id: String::new(),
            enabled: false,
            filter: Filter::empty(FilterForm::Single),
            abort_days: None,
            expiration: None,
            noncurrent_expiration: None,
            transitions: vec![],
            noncurrent_transitions: vec![],
        };
        let mut once: Vec<&str> = Vec::new();
        for child in &element.children {
            let name = child.name.as_str();
            if once.contains(&name) {
                return Err(format!("`{name}` stands twice"));
            }
            if !["Transition", "NoncurrentVersionTransition"].contains(&name) {
                once.push(name);
            }
            rule.read(child)?;
        }
        if once.contains(&"Prefix") == once.contains(&"Filter") {
            return Err("it says by `Filter` and `Prefix`, or by neither, which objects it is about".to_owned());
        }
        if rule.id.is_empty() || !once.contains(&"Status") {
            return Err("it has no ID or no status".to_owned());
        }
        Ok(rule)
    }

    fn read(&mut self, child: &Element) -> Result<(), String> {
        match child.name.as_str() {
            "ID" => leaf(child)?.clone_into(&mut self.id),
            "Status" => self.enabled = status(leaf(child)?)?,
            "Prefix" => {
                self.filter = Filter { prefix: Some(leaf(child)?.to_owned()), ..Filter::empty(FilterForm::Legacy) };
            }
            "Filter" => self.filter = Filter::of(child)?,
            "AbortIncompleteMultipartUpload" => {
                self.abort_days = number(&leaves(child, &["DaysAfterInitiation"])?, "DaysAfterInitiation")?;
            }
            "Expiration" => {
                let said = leaves(child, &["Days", "Date", "ExpiredObjectDeleteMarker"])?;
                let marker = said.get("ExpiredObjectDeleteMarker").map(|text| truth(text)).transpose()?;
                self.expiration = Some(Expiration { days: number(&said, "Days")?, date: text(&said, "Date"), marker });
            }
            "NoncurrentVersionExpiration" => {
                self.noncurrent_expiration =
                    Some(Versions::of(&leaves(child, &["NoncurrentDays", "NewerNoncurrentVersions"])?)?);
            }
            "Transition" => {
                let said = leaves(child, &["Days", "Date", "StorageClass"])?;
                let (days, date) = (number(&said, "Days")?, text(&said, "Date"));
                self.transitions.push(Transition { days, date, class: class(&said)? });
            }
            "NoncurrentVersionTransition" => {
                let said = leaves(child, &["NoncurrentDays", "NewerNoncurrentVersions", "StorageClass"])?;
                self.noncurrent_transitions.push((Versions::of(&said)?, class(&said)?));
            }
            other => return Err(unknown(other)),
        }
        Ok(())
    }
}

impl Filter {
    fn empty(form: FilterForm) -> Self {
        Filter { form, prefix: None, tags: vec![], larger: None, smaller: None }
    }

    fn of(element: &Element) -> Result<Filter, String> {
        plain(element)?;
        let (form, of) = match element.children.as_slice() {
            [and] if and.name == "And" => (FilterForm::And, and),
            _ => (FilterForm::Single, element),
        };
        plain(of)?;
        let mut filter = Filter::empty(form);
        for child in &of.children {
            match child.name.as_str() {
                "Prefix" if filter.prefix.is_none() => filter.prefix = Some(leaf(child)?.to_owned()),
                "Tag" => {
                    let said = leaves(child, &["Key", "Value"])?;
                    let part = |name| text(&said, name).ok_or("a tag lacks its key or its value");
                    filter.tags.push((part("Key")?, part("Value")?));
                }
                "ObjectSizeGreaterThan" if filter.larger.is_none() => filter.larger = Some(whole(leaf(child)?)?),
                "ObjectSizeLessThan" if filter.smaller.is_none() => filter.smaller = Some(whole(leaf(child)?)?),
                other => return Err(unknown(other)),
            }
        }
        if form == FilterForm::Single && of.children.len() > 1 {
            return Err("its filter has several conditions without `And`".to_owned());
        }
        Ok(filter)
    }
}

impl Versions {
    fn of(said: &Leaves<'_>) -> Result<Versions, String> {
        Ok(Versions { days: number(said, "NoncurrentDays")?, newer: number(said, "NewerNoncurrentVersions")? })
    }
}

fn unknown(name: &str) -> String {
    format!("`{name}` cannot be said there")
}

/// Refuses attributes and text beside elements: nobody knows what they mean.
fn plain(element: &Element) -> Result<(), String> {
    let mixed = !element.children.is_empty() && !element.text.trim().is_empty();
    if mixed || !element.attributes.is_empty() { Err(unknown(&element.name)) } else { Ok(()) }
}

fn leaf(element: &Element) -> Result<&str, String> {
    plain(element)?;
    if element.children.is_empty() { Ok(&element.text) } else { Err(unknown(&element.name)) }
}

fn leaves<'e>(element: &'e Element, known: &[&str]) -> Result<Leaves<'e>, String> {
    plain(element)?;
    let mut said = Leaves::new();
    for child in &element.children {
        if !known.contains(&child.name.as_str()) || said.insert(&child.name, leaf(child)?).is_some() {
            return Err(unknown(&child.name));
        }
    }
    Ok(said)
}

fn whole(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is no whole number"))
}

fn number(said: &Leaves<'_>, name: &str) -> Result<Option<u64>, String> {
    said.get(name).map(|text| whole(text)).transpose()
}

fn text(said: &Leaves<'_>, name: &str) -> Option<String> {
    said.get(name).map(|text| (*text).to_owned())
}

fn class(said: &Leaves<'_>) -> Result<String, String> {
    text(said, "StorageClass").ok_or_else(|| "a transition lacks its storage class".to_owned())
}

fn truth(text: &str) -> Result<bool, String> {
    match text.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(format!("`{other}` is neither true nor false")),
    }
}

fn status(text: &str) -> Result<bool, String> {
    match text {
        "Enabled" => Ok(true),
        "Disabled" => Ok(false),
        other => Err(format!("its status is `{other}`")),
    }
}
