//! What a bucket has: its document or none, and the small-object setting that travels beside it in a header.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LifecycleError;
use super::document::{Document, Rule, digest};
use super::rule::OwnRule;

/// What S3 sets when a configuration arrives without the header.
pub const SMALL_OBJECT_DEFAULT: &str = "all_storage_classes_128K";

/// How the small-object setting that was read back compares with the one that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// As AWS does it: what was sent is read.
    Strict,
    /// A custom endpoint: servers that are not S3 forget the header, so "none" is taken for any value.
    CustomEndpoint,
}

/// A bucket's lifecycle configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Recorded", into = "Recorded")]
pub struct Configuration {
    /// The document; `None` when the bucket has none.
    pub document: Option<Document>,
    /// `x-amz-transition-default-minimum-object-size` as read; `None` when the answer had none.
    pub small_objects: Option<String>,
}

/// A configuration as plans and journals keep it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The document, byte for byte; `null` when the bucket has none.
    pub xml: Option<String>,
    /// The header `x-amz-transition-default-minimum-object-size` as read.
    pub small_objects: Option<String>,
    /// SHA-256 of what the document means (white space and order of rules do not count).
    pub digest: String,
}

impl From<Configuration> for Recorded {
    fn from(configuration: Configuration) -> Recorded {
        Recorded {
            digest: configuration.fingerprint(),
            xml: configuration.document.map(|document| document.xml().to_owned()),
            small_objects: configuration.small_objects,
        }
    }
}

impl TryFrom<Recorded> for Configuration {
    type Error = LifecycleError;

    fn try_from(recorded: Recorded) -> Result<Configuration, LifecycleError> {
        let document = recorded.xml.map(|xml| Document::parse(xml.as_bytes())).transpose()?;
        let configuration = Configuration { document, small_objects: recorded.small_objects };
        if configuration.fingerprint() != recorded.digest {
            return Err(LifecycleError::Unreadable("its digest does not fit its XML".to_owned()));
        }
        Ok(configuration)
    }
}

impl Configuration {
    /// Returns the digest of what the document means; the same for no document and one without rules.
    pub fn fingerprint(&self) -> String {
        self.document.as_ref().map_or_else(|| digest(b""), Document::fingerprint)
    }

    /// Returns the rules, in the order they stand.
    pub fn rules(&self) -> &[Rule] {
        self.document.as_ref().map_or(&[], Document::rules)
    }

    /// Returns true when both mean the same, the small-object setting included.
    pub fn means(&self, other: &Configuration) -> bool {
        self.fingerprint() == other.fingerprint() && self.small_objects == other.small_objects
    }

    /// Returns true when `self`, read from the bucket, is what `sent` asked for.
    pub fn settles(&self, sent: &Configuration, tolerance: Tolerance) -> bool {
        self.fingerprint() == sent.fingerprint() && self.setting_settles(sent, tolerance)
    }

    /// Returns true when writing `wanted` over `self`, read from the bucket, leaves the small-object setting as it is.
    pub fn keeps_setting_of(&self, wanted: &Configuration) -> bool {
        wanted.document.is_none() || self.setting_settles(wanted, Tolerance::CustomEndpoint)
    }

    fn setting_settles(&self, sent: &Configuration, tolerance: Tolerance) -> bool {
        let (read, sent) = (self.small_objects.as_deref(), sent.small_objects.as_deref());
        match (read, sent) {
            _ if self.document.is_none() || read == sent => true,
            (Some(read), None) => read == SMALL_OBJECT_DEFAULT,
            (None, Some(_)) => tolerance == Tolerance::CustomEndpoint,
            _ => false,
        }
    }

    /// Returns the configuration with our rule in it; the setting stays as read.
    pub fn with(&self, rule: &OwnRule) -> Result<Configuration, LifecycleError> {
        let document = match &self.document {
            Some(document) if document.rules().is_empty() => {
                document.check_only_rules()?;
                Document::only(rule)?
            }
            Some(document) => document.with(rule)?,
            None => Document::only(rule)?,
        };
        Ok(Configuration { document: Some(document), small_objects: self.small_objects.clone() })
    }

    /// Returns the configuration with its document replaced; the setting stays as read.
    #[must_use]
    pub fn replaced(&self, document: Option<Document>) -> Configuration {
        Configuration { document, small_objects: self.small_objects.clone() }
    }

    /// Returns true when every rule that is not ours stands in `other` with the same bytes, in the same order.
    pub fn keeps_foreign_rules_of(&self, other: &Configuration) -> bool {
        let foreign = |c: &Configuration| -> Vec<String> {
            let slices = c.document.as_ref().map(Document::foreign_slices).unwrap_or_default();
            slices.into_iter().map(str::to_owned).collect()
        };
        foreign(self) == foreign(other)
    }
}

/// What one look at a bucket saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Its lifecycle configuration.
    pub configuration: Configuration,
    /// Its tags; `None` when they could not be read.
    pub tags: Option<BTreeMap<String, String>>,
}
