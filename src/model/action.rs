//! Typed changes. A closed set: what leanlake can do to an account is written here and nowhere else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::Untrusted;

/// A change that a finding proposes, ready to become a step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Action {
    /// Adds or replaces one `leanlake-` rule of a bucket's lifecycle configuration.
    PutLifecycleRule(LifecycleRule),
}

/// A lifecycle rule over a whole bucket, of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LifecycleRule {
    /// The bucket whose configuration gets the rule.
    pub bucket: Untrusted,
    /// Days after which an incomplete multipart upload is aborted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_incomplete_multipart_days: Option<u32>,
    /// Days after which a version that is no longer current is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent_expiration_days: Option<u32>,
    /// Days after which objects move to Intelligent-Tiering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intelligent_tiering_days: Option<u32>,
}

/// What an action can break (guards stand before each class).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskClass {
    /// 0: housekeeping; no object that anybody can read is touched.
    Housekeeping,
    /// 1: objects stay readable at once, in another storage class.
    StillReadable,
    /// 2: objects must be restored before they can be read.
    NotReadableAtOnce,
    /// 3: old versions are deleted.
    DeletesOldVersions,
    /// 4: current data is deleted.
    DeletesCurrentData,
}

impl Action {
    /// Returns what the change can break.
    pub fn risk_class(&self) -> RiskClass {
        match self {
            Action::PutLifecycleRule(rule) if rule.noncurrent_expiration_days.is_some() => {
                RiskClass::DeletesOldVersions
            }
            Action::PutLifecycleRule(rule) if rule.intelligent_tiering_days.is_some() => RiskClass::StillReadable,
            Action::PutLifecycleRule(_) => RiskClass::Housekeeping,
        }
    }

    /// Returns true for a change that plans hold today: housekeeping. The others are found and priced, and a plan
    /// lists them as skips.
    pub fn is_planned(&self) -> bool {
        self.risk_class() == RiskClass::Housekeeping
    }

    /// Returns the resource whose state the action replaces.
    pub fn resource(&self) -> &Untrusted {
        match self {
            Action::PutLifecycleRule(rule) => &rule.bucket,
        }
    }

    /// Returns the knob that two recommended actions must not set to different values: (resource, knob, value).
    pub fn claims(&self) -> Vec<(String, &'static str, String)> {
        let Action::PutLifecycleRule(rule) = self;
        let knobs = [
            ("abort-incomplete-multipart", rule.abort_incomplete_multipart_days),
            ("noncurrent-expiration", rule.noncurrent_expiration_days),
            ("intelligent-tiering", rule.intelligent_tiering_days),
        ];
        let set = knobs.into_iter().filter_map(|(knob, days)| Some((knob, days?)));
        set.map(|(knob, days)| (rule.bucket.raw().to_owned(), knob, days.to_string())).collect()
    }
}
