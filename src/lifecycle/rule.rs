//! The rules that leanlake writes, one ID for each kind.

use super::document::{Form, Rule};
use crate::model::action::LifecycleRule;

/// Every rule of ours has an ID that starts so; no other rule is ever touched.
pub const OWN_PREFIX: &str = "leanlake-";
/// ID of the rule that aborts incomplete uploads.
pub const ABORT_UPLOADS: &str = "leanlake-abort-incomplete-uploads";

/// A rule of ours, over the whole bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnRule {
    /// Aborts multipart uploads that are not completed after so many days.
    AbortUploads {
        /// At least 1.
        days: u32,
    },
}

/// Why an action is not written as a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    /// It deletes old versions.
    #[error("deleting old versions is found and priced, and not planned by this version")]
    Deletes,
    /// It moves objects to another class.
    #[error("moving objects to another storage class is not planned by this version")]
    Moves,
    /// It says nothing, or a number of days that S3 refuses.
    #[error("the rule has no action that S3 takes: days must be 1 or more")]
    Empty,
}

impl OwnRule {
    /// Returns the rule that an action asks for.
    pub fn of(action: &LifecycleRule) -> Result<OwnRule, NotWritten> {
        if action.noncurrent_expiration_days.is_some() {
            return Err(NotWritten::Deletes);
        }
        if action.intelligent_tiering_days.is_some() {
            return Err(NotWritten::Moves);
        }
        match action.abort_incomplete_multipart_days {
            Some(days) if days > 0 => Ok(OwnRule::AbortUploads { days }),
            _ => Err(NotWritten::Empty),
        }
    }

    /// Returns its ID.
    pub fn id(&self) -> &'static str {
        match self {
            OwnRule::AbortUploads { .. } => ABORT_UPLOADS,
        }
    }

    /// Returns its XML with `prefix` before every name, in the form of the document that it goes into.
    pub fn xml(&self, prefix: &str, form: Form) -> String {
        let p = prefix;
        let OwnRule::AbortUploads { days } = self;
        let every_object = match form {
            Form::Legacy => format!("<{p}Prefix></{p}Prefix>"),
            Form::Filter | Form::Mixed => format!("<{p}Filter><{p}Prefix></{p}Prefix></{p}Filter>"),
        };
        format!(
            "<{p}Rule><{p}ID>{ABORT_UPLOADS}</{p}ID>{every_object}<{p}Status>Enabled</{p}Status>\
             <{p}AbortIncompleteMultipartUpload><{p}DaysAfterInitiation>{days}</{p}DaysAfterInitiation>\
             </{p}AbortIncompleteMultipartUpload></{p}Rule>"
        )
    }

    /// Returns true when `other` already does the same to every object, at least as soon.
    pub fn is_covered_by(&self, other: &Rule) -> bool {
        let OwnRule::AbortUploads { days } = self;
        let theirs = other.element.text_at(&["AbortIncompleteMultipartUpload", "DaysAfterInitiation"]);
        let sooner = theirs.and_then(|text| text.trim().parse::<u32>().ok()).is_some_and(|theirs| theirs <= *days);
        sooner && other.is_enabled() && other.is_whole_bucket()
    }

    /// Returns true when S3 would refuse both in one document of the old form: same kind of action, and ours is
    /// over every prefix.
    pub fn overlaps_legacy(&self, other: &Rule) -> bool {
        !other.is_ours() && other.element.child("AbortIncompleteMultipartUpload").is_some()
    }
}
