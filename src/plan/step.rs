//! What a plan holds: steps with what they rest on, and skips with their reason.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lifecycle::configuration::Recorded;
use crate::lifecycle::{Configuration, Delta};
use crate::model::action::RiskClass;
use crate::model::{Action, Estimate, FindingId, PoolPath, Untrusted};

/// One bucket's change, with the state that the plan saw and the state that it wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The bucket.
    pub bucket: Untrusted,
    /// Its account: sent as the expected owner with every call.
    pub account_id: String,
    /// Its Region.
    pub region: String,
    /// What can break: the highest class among the changes.
    pub risk_class: RiskClass,
    /// What is changed, and for which finding.
    pub changes: Vec<Change>,
    /// Who else seems to manage the configuration: CloudFormation or Terraform, with the evidence.
    pub managed_by: Option<Untrusted>,
    /// What stood there when the plan was made.
    #[schemars(with = "Recorded")]
    pub before: Configuration,
    /// What will stand there.
    #[schemars(with = "Recorded")]
    pub after: Configuration,
    /// What differs between the two, by rule ID.
    pub delta: Delta,
    /// What was true when the plan was made and is checked again before the write.
    pub assertions: Vec<Assertion>,
}

/// One action of a step, and the finding that it answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The finding.
    pub finding: FindingId,
    /// Its policy.
    pub policy: String,
    /// The policy's title: the desired state.
    pub title: String,
    /// The part of the bill that it reduces.
    pub pool: Option<PoolPath>,
    /// USD per month at full effect.
    pub saving: Estimate,
    /// USD that the change costs once.
    pub one_off: Estimate,
    /// Days until the low end has paid the one-off cost back.
    pub payback_days: Option<u32>,
    /// Bytes that it touches; `null` when they are not known.
    pub bytes: Option<i64>,
    /// The change itself.
    pub action: Action,
}

/// Something that must hold for a step, when the plan is made and again just before the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Assertion {
    /// Every rule of others stays with the same bytes, in the same order: so none can match more than before.
    ForeignRulesKept,
    /// The document keeps its form (`Filter`, or rule-level `Prefix`).
    FormKept,
    /// The document holds at most 1,000 rules.
    AtMostAThousandRules,
    /// Nothing but rules of leanlake differs.
    OnlyOwnRulesDiffer,
}

impl Assertion {
    /// Every assertion, in the order they are checked.
    pub const ALL: [Assertion; 4] = [
        Assertion::ForeignRulesKept,
        Assertion::FormKept,
        Assertion::AtMostAThousandRules,
        Assertion::OnlyOwnRulesDiffer,
    ];

    /// Returns true when it holds for a change from one state to another.
    pub fn holds(self, from: &Configuration, to: &Configuration) -> bool {
        match self {
            Assertion::ForeignRulesKept => to.keeps_foreign_rules_of(from),
            Assertion::FormKept => match (&from.document, &to.document) {
                (Some(from), Some(to)) if !from.rules().is_empty() => from.form() == to.form(),
                _ => true,
            },
            Assertion::AtMostAThousandRules => to.rules().len() <= crate::lifecycle::MAX_RULES,
            Assertion::OnlyOwnRulesDiffer => {
                let own = |id: &Untrusted| id.raw().starts_with(crate::lifecycle::rule::OWN_PREFIX);
                Delta::between(from, to).ids().iter().all(own)
            }
        }
    }

    /// Returns what it says, for people.
    pub const fn says(self) -> &'static str {
        match self {
            Assertion::ForeignRulesKept => "every rule of others stays byte for byte",
            Assertion::FormKept => "the document keeps its form",
            Assertion::AtMostAThousandRules => "the document holds at most 1,000 rules",
            Assertion::OnlyOwnRulesDiffer => "nothing but rules of leanlake differs",
        }
    }
}

/// Why a finding is not a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipKind {
    /// leanlake has no action for it: a person follows the instructions.
    NoAction,
    /// The action exists and this version does not plan it.
    NotPlanned,
    /// The portfolio did not recommend it.
    NotRecommended,
    /// Its saving is not known, and it was not asked for by name.
    Unpriced,
    /// Its saving is below the smallest that was asked for.
    TooSmall,
    /// It is in another account.
    OtherAccount,
    /// The bucket could not be looked at.
    NotSeen,
    /// The bucket already is as wanted.
    AlreadySo,
    /// A tag protects the bucket.
    Protected,
    /// Its document cannot be changed with certainty.
    NotEditable,
}

/// A finding that was considered and not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skip {
    /// The finding.
    pub finding: FindingId,
    /// Its policy.
    pub policy: String,
    /// Its resource.
    pub resource: Untrusted,
    /// The kind of reason.
    pub kind: SkipKind,
    /// The reason, for people; safe for a terminal.
    pub reason: String,
}
