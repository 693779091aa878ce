//! The document: its bytes, where each rule stands in them, and edits that touch no other byte.

use std::fmt::Write;
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::element::Element;
use super::parser::{Parser, unreadable};
use super::rule::{self, OwnRule};
use super::{LifecycleError, MAX_RULES};

/// Namespace of S3's documents.
pub const S3_NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
/// Name of the root.
pub const ROOT: &str = "LifecycleConfiguration";
/// Above any real configuration (1,000 rules of some kilobytes); bounds what a broken server can make us parse.
const MAX_BYTES: usize = 16 << 20;

/// How the rules of a document say which objects they are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// With `Filter`.
    Filter,
    /// With a rule-level `Prefix`, from before filters.
    Legacy,
    /// Both, which S3 refuses.
    Mixed,
}

/// One rule: the bytes it is, and what they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its ID; `None` when it has none (S3 gives every rule one, other servers do not).
    pub id: Option<String>,
    /// What it means.
    pub element: Element,
    pub(super) span: Range<usize>,
}

impl Rule {
    /// Returns true when leanlake wrote the rule.
    pub fn is_ours(&self) -> bool {
        self.id.as_deref().is_some_and(|id| id.starts_with(rule::OWN_PREFIX))
    }

    /// Returns true when the rule is enabled.
    pub fn is_enabled(&self) -> bool {
        self.element.text_at(&["Status"]) == Some("Enabled")
    }

    /// Returns true when the rule aborts incomplete uploads and does nothing else.
    pub fn is_housekeeping(&self) -> bool {
        let known = ["ID", "Filter", "Prefix", "Status", "AbortIncompleteMultipartUpload"];
        self.element.children.iter().all(|child| known.contains(&child.name.as_str()))
    }

    /// Returns true when the rule is about every object of the bucket.
    pub fn is_whole_bucket(&self) -> bool {
        match (self.element.child("Filter"), self.element.text_at(&["Prefix"])) {
            (Some(filter), None) => filter.children.iter().all(|child| child.name == "Prefix" && child.text.is_empty()),
            (None, Some(prefix)) => prefix.is_empty(),
            _ => false,
        }
    }
}

/// A lifecycle configuration as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub(super) xml: String,
    /// Prefix of the root's name, with its colon, or empty: our rules stand in the same namespace.
    pub(super) prefix: String,
    /// The end tag of the root, or the `/>` of a root without content.
    pub(super) root_end: Range<usize>,
    pub(super) rules: Vec<Rule>,
    pub(super) others: Vec<Element>,
}

impl Document {
    /// Reads the bytes that S3 answered. Anything that is not plain, well-formed XML of one configuration is refused.
    pub fn parse(bytes: &[u8]) -> Result<Document, LifecycleError> {
        if bytes.len() > MAX_BYTES {
            return Err(unreadable("more than 16 MiB"));
        }
        let xml = std::str::from_utf8(bytes).map_err(|e| unreadable(format!("not UTF-8: {e}")))?;
        if xml.starts_with('\u{feff}') {
            return Err(unreadable("a byte order mark stands before the XML"));
        }
        Parser::new(xml).run()
    }

    /// Returns a document that holds nothing but `rule`.
    pub fn only(rule: &OwnRule) -> Result<Document, LifecycleError> {
        let body = rule.xml("", Form::Filter);
        Document::parse(format!("<{ROOT} xmlns=\"{S3_NAMESPACE}\">{body}</{ROOT}>").as_bytes())
    }

    /// Returns the document, byte for byte.
    pub fn xml(&self) -> &str {
        &self.xml
    }

    /// Returns the rules in the order they stand.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Returns the bytes of a rule of this document.
    pub fn slice(&self, rule: &Rule) -> &str {
        &self.xml[rule.span.clone()]
    }

    /// Returns the bytes of every rule that is not ours, in order.
    pub fn foreign_slices(&self) -> Vec<&str> {
        self.rules.iter().filter(|rule| !rule.is_ours()).map(|rule| self.slice(rule)).collect()
    }

    /// Returns how the rules say which objects they are about. Without any that says, `Filter`.
    pub fn form(&self) -> Form {
        let legacy = self.rules.iter().any(|rule| rule.element.child("Prefix").is_some());
        let filter = self.rules.iter().any(|rule| rule.element.child("Filter").is_some());
        match (legacy, filter) {
            (true, true) => Form::Mixed,
            (true, false) => Form::Legacy,
            (false, _) => Form::Filter,
        }
    }

    /// Returns our rule called `id`.
    pub fn own(&self, id: &str) -> Result<Option<&Rule>, LifecycleError> {
        let mut found = self.rules.iter().filter(|rule| rule.id.as_deref() == Some(id));
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(LifecycleError::Ambiguous(id.to_owned())),
            (Some(rule), None) if !rule.is_ours() => Err(LifecycleError::Foreign(id.to_owned())),
            (rule, None) => Ok(rule),
        }
    }

    /// Checks that the root holds nothing but rules: what else stands there is not ours to keep or to drop.
    ///
    /// # Errors
    /// It holds something else.
    pub fn check_only_rules(&self) -> Result<(), LifecycleError> {
        match self.others.first() {
            Some(other) => Err(LifecycleError::NotOnlyRules(other.name.clone())),
            None => Ok(()),
        }
    }

    /// Returns the document with our rule in it: changed where it stands, else added after the others.
    pub fn with(&self, rule: &OwnRule) -> Result<Document, LifecycleError> {
        let form = match self.form() {
            Form::Mixed => return Err(LifecycleError::Mixed),
            form => form,
        };
        if form == Form::Legacy
            && let Some(other) = self.rules.iter().find(|other| rule.overlaps_legacy(other))
        {
            return Err(LifecycleError::LegacyOverlap(other.id.clone().unwrap_or_default()));
        }
        self.with_slice(rule.id(), &rule.xml(&self.prefix, form))
    }

    /// Returns the document with the bytes of our rule `id` in it, as `slice` of an earlier state of the document.
    pub fn with_slice(&self, id: &str, slice: &str) -> Result<Document, LifecycleError> {
        if !id.starts_with(rule::OWN_PREFIX) {
            return Err(LifecycleError::Foreign(id.to_owned()));
        }
        self.check_only_rules()?;
        let edited = match self.own(id)? {
            Some(old) => self.replaced(&old.span, slice),
            None if self.rules.len() >= MAX_RULES => return Err(LifecycleError::TooMany(self.rules.len() + 1)),
            None => self.appended(slice),
        };
        Document::parse(edited.as_bytes())
    }

    /// Returns the document without our rule `id`; `None` when no rule is left, since S3 takes no empty document.
    pub fn without(&self, id: &str) -> Result<Option<Document>, LifecycleError> {
        let Some(rule) = self.own(id)? else { return Ok(Some(self.clone())) };
        self.check_only_rules()?;
        let rest = Document::parse(self.replaced(&rule.span, "").as_bytes())?;
        Ok((!rest.rules.is_empty()).then_some(rest))
    }

    fn replaced(&self, span: &Range<usize>, by: &str) -> String {
        [&self.xml[..span.start], by, &self.xml[span.end..]].concat()
    }

    fn appended(&self, slice: &str) -> String {
        let (before, end) = (&self.xml[..self.root_end.start], &self.xml[self.root_end.clone()]);
        let after = &self.xml[self.root_end.end..];
        match end {
            "/>" => format!("{before}>{slice}</{}{ROOT}>{after}", self.prefix),
            end => format!("{before}{slice}{end}{after}"),
        }
    }

    /// Returns the SHA-256 of what the document means: white space, comments and the order of rules do not count.
    pub fn fingerprint(&self) -> String {
        let all = self.rules.iter().map(|rule| &rule.element).chain(&self.others);
        let mut parts: Vec<String> = all.map(Element::canonical).collect();
        parts.sort_unstable();
        digest(parts.join("\n").as_bytes())
    }
}

/// Returns the SHA-256 of `bytes` in lower-case hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
