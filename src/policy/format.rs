//! The format of a policy file, as serde reads it. Unknown keys are errors; what the fields mean together is checked
//! in `policy`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::formula::Literal;
use crate::model::finding::Pillar;
use crate::model::{Axis, Basis, Confidence, Level, Unlock};

/// A policy: one file that says what to look for, what it saves, and how to fix it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// Names the waste; the same as the file's name; never used again for another policy.
    pub id: String,
    /// Names that the policy had before, oldest first.
    #[serde(default)]
    pub was: Vec<String>,
    /// The desired state; starts with the thing.
    pub title: String,
    /// The step of the loop *see, save, plan, run*.
    pub pillar: Pillar,
    /// What is the matter.
    pub what: String,
    /// Why it costs money.
    pub why: String,
    /// What could go wrong when it is fixed, and what is left alone.
    pub safety: String,
    /// Work to do it.
    pub effort: Level,
    /// What can break.
    pub risk: Level,
    /// True when rollback restores what was there.
    pub reversible: bool,
    /// How settled the policy is.
    pub stage: Stage,
    /// Names of practices in published frameworks that it serves.
    #[serde(default)]
    pub frameworks: Vec<String>,
    /// The evidence levels that it rests on.
    pub basis: Vec<Basis>,
    /// Numbers, words and switches that the query and the formulas use as `$name`.
    #[serde(default)]
    pub params: BTreeMap<String, Param>,
    /// SQL over tables and analyses: rows and whole quantities, no money. Must give `resource`, `account_id` and
    /// `region`, and `pool_id` where the policy has an effect; the other columns are the evidence.
    pub query: String,
    /// Columns without which no dollars are claimed.
    #[serde(default)]
    pub requires: Vec<String>,
    /// USD per month at full effect.
    pub saving: Amount,
    /// USD that the change costs once.
    #[serde(default)]
    pub one_off: Option<Amount>,
    /// USD per month that the changed state costs on top.
    #[serde(default)]
    pub running: Option<Amount>,
    /// What is saved before the full effect is there, in the order of days.
    #[serde(default)]
    pub ramp: Vec<RampStage>,
    /// The part of the bill that it reduces: the pools under the row's `pool_id`.
    #[serde(default)]
    pub effect: Option<EffectFile>,
    /// How sure the saving is; a column `confidence` of the query overrides it for a row.
    pub confidence: Confidence,
    /// What to switch on to narrow the range.
    #[serde(default)]
    pub unlock: Option<Unlock>,
    /// The change that leanlake can make: its arguments are formulas.
    #[serde(default)]
    pub action: Option<serde_json::Value>,
    /// What a person does.
    #[serde(default)]
    pub instructions: Option<String>,
    /// Pages of the vendor that say so.
    pub references: Vec<String>,
    /// Rows in, findings out: at least one finding with dollars, one clean case, one unknown.
    pub tests: Vec<Case>,
}

/// How settled a policy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its numbers may still move.
    Preview,
    /// Settled.
    Stable,
    /// Kept for its id only.
    Deprecated,
}

impl Stage {
    /// Returns the word for people and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Preview => "preview",
            Stage::Stable => "stable",
            Stage::Deprecated => "deprecated",
        }
    }
}

/// A parameter.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// Its value.
    pub default: Literal,
    /// What it means, with its unit.
    pub help: String,
}

/// A range in formulas. One string stands for all three ends; without `high` nothing bounds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Low = expected = high.
    One(String),
    /// Each end by itself.
    Ends(Ends),
}

/// The ends of a range, as formulas.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ends {
    /// What can be defended.
    pub low: String,
    /// The likeliest.
    pub expected: String,
    /// The most it can be.
    #[serde(default)]
    pub high: Option<String>,
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct AmountVisitor;
        impl<'de> Visitor<'de> for AmountVisitor {
            type Value = Amount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a formula, or `low`, `expected` and `high`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
                Ok(Amount::One(text.to_owned()))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Amount, E> {
                Ok(Amount::One(number.to_string()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Amount, A::Error> {
                Ends::deserialize(MapAccessDeserializer::new(map)).map(Amount::Ends)
            }
        }
        input.deserialize_any(AmountVisitor)
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let ends = generator.subschema_for::<Ends>();
        json_schema!({
            "description": "A formula, or one for each end of the range",
            "oneOf": [{ "type": "string" }, ends]
        })
    }
}

/// What is saved until a day.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RampStage {
    /// Days after the change at which this stage ends.
    pub until_day: u32,
    /// USD per month until then.
    pub saving: Amount,
}

/// The part of the bill that a policy reduces.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EffectFile {
    /// Less of it, or the same cheaper.
    pub axis: Axis,
    /// The storage class that it touches; all of the scope without it.
    #[serde(default)]
    pub class: Option<String>,
}

/// One test of a policy.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A sentence about behaviour.
    pub name: String,
    /// What the bill of the last full month says; without it, what the given `costs` say, else nothing.
    #[serde(default)]
    pub paid: Vec<Paid>,
    /// Rows by table. Times may be relative (`-30d`, `-1h`), a row with a span of days (`-89d..-1d`) stands for one of
    /// each day, sizes may have a unit (`40 GiB`), decimals are quoted.
    #[serde(default)]
    pub given: BTreeMap<String, Vec<BTreeMap<String, serde_json::Value>>>,
    /// The findings, and nothing else.
    pub expect: Vec<Expected>,
}

/// One usage type on the bill of the last full month.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paid {
    /// As billed, with its Region code.
    pub usage_type: String,
    /// In the bill's unit, quoted.
    pub quantity: String,
    /// Net cost, quoted.
    pub usd: String,
}

/// A finding that a test expects. Dollars are compared to the decimals that are written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The resource.
    pub resource: String,
    /// USD per month, one for all ends or one for each, or `unknown`.
    pub saving: Amount,
    /// USD once.
    #[serde(default)]
    pub one_off: Option<Amount>,
    /// USD per month.
    #[serde(default)]
    pub running: Option<Amount>,
    /// USD over 12 months.
    #[serde(default)]
    pub net_saving_12m: Option<Amount>,
    /// How sure it is.
    #[serde(default)]
    pub confidence: Option<Confidence>,
}
