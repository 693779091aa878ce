//! Policies × snapshot → findings. The same snapshot gives the same findings in the same order.
//!
//! Decides nothing between findings: verdicts are the portfolio's.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use super::curve::Flow;
use super::formula::{Formula, Inputs, Unknown, Value};
use super::gaps::{self, Reads};
use super::parsed::Ends;
use super::{Library, Policy, PolicyError};
use crate::engine::Engine;
use crate::model::finding::{Effect, TraceStep};
use crate::model::{
    Cell, Confidence, Cost, Coverage, Estimate, Finding, FindingId, Money, PoolPath, Range, Row, Status, Untrusted,
    Verdict,
};
use crate::prices::{End, RateCard};

/// What the policies found, and what they could not see.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// Findings by account, Region, resource and policy; verdicts are provisional.
    pub findings: Vec<Finding>,
    /// For each policy, the gaps of the snapshot that touch it.
    pub gaps: BTreeMap<String, Vec<Coverage>>,
}

/// Columns that are not evidence.
const NAMING: [&str; 5] = ["resource", "account_id", "region", "pool_id", "confidence"];
/// Decimal places to which dollars are kept, as tables keep them.
const SCALE: u32 = crate::model::money::MONEY_SCALE;

/// Evaluates every policy of `library` over the tables of `engine`; analyses that a query names are computed first.
/// `owner_tags` are the tag keys that name an owner, the first that is there counts.
///
/// # Errors
/// A query fails, returns a row without a name, or two rows about one resource.
pub async fn evaluate(
    library: &Library,
    engine: &Engine,
    card: &RateCard,
    as_of: DateTime<Utc>,
    owner_tags: &[String],
) -> Result<Evaluation, PolicyError> {
    let named: BTreeSet<String> = library.policies().flat_map(|policy| policy.query().tables()).collect();
    crate::analysis::provide(engine, card, as_of, &named).await?;
    run(library, engine, card, as_of, owner_tags).await
}

/// Evaluates over tables and analyses that are there already.
pub(super) async fn run(
    library: &Library,
    engine: &Engine,
    card: &RateCard,
    as_of: DateTime<Utc>,
    owner_tags: &[String],
) -> Result<Evaluation, PolicyError> {
    let all_gaps = gaps::read(engine).await.map_err(PolicyError::Engine)?;
    let owners = owners(engine, owner_tags).await?;
    let mut evaluation = Evaluation::default();
    for policy in library.policies() {
        let gaps = Reads::of(policy).gaps(&all_gaps);
        let desk = Desk { policy, card, as_of, gaps: &gaps, owners: &owners };
        evaluation.findings.extend(desk.findings(engine).await?);
        evaluation.gaps.insert(policy.id().to_owned(), gaps);
    }
    evaluation.findings.sort_by(|a, b| key(a).cmp(&key(b)));
    Ok(evaluation)
}

fn key(finding: &Finding) -> (&str, &str, &Untrusted, &str) {
    (&finding.account_id, &finding.region, &finding.resource, &finding.policy)
}

type Owners = BTreeMap<(String, String), Untrusted>;

/// Returns the owner of each bucket that says one: (account, bucket) to the first of the tag keys that is there.
async fn owners(engine: &Engine, keys: &[String]) -> Result<Owners, PolicyError> {
    let sql = "select account_id, bucket, tags from buckets where tags is not null";
    let rows = engine.rows(sql).await.map_err(PolicyError::Engine)?;
    let owner = |row: &Row| {
        let tags: BTreeMap<String, String> = serde_json::from_str(row.key("tags")).ok()?;
        let value = |key: &String| tags.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(key)).map(|(_, value)| value);
        let name = keys.iter().find_map(value).filter(|name| !name.is_empty())?;
        Some(((row.key("account_id").to_owned(), row.key("bucket").to_owned()), name.as_str().into()))
    };
    Ok(rows.iter().filter_map(owner).collect())
}

/// One policy at work.
struct Desk<'a> {
    policy: &'a Policy,
    card: &'a RateCard,
    as_of: DateTime<Utc>,
    gaps: &'a [Coverage],
    owners: &'a Owners,
}

impl Desk<'_> {
    async fn findings(&self, engine: &Engine) -> Result<Vec<Finding>, PolicyError> {
        let failed = |source| PolicyError::Query { policy: self.policy.id().to_owned(), source };
        let rows = engine.rows(&self.policy.sql(self.as_of)).await.map_err(failed)?;
        let mut seen = BTreeSet::new();
        rows.iter()
            .map(|row| {
                let finding = self.finding(row)?;
                if seen.insert(finding.id.clone()) { Ok(finding) } else { Err(self.twice(&finding)) }
            })
            .collect()
    }

    fn twice(&self, finding: &Finding) -> PolicyError {
        PolicyError::Duplicate {
            policy: self.policy.id().to_owned(),
            account_id: finding.account_id.clone(),
            region: finding.region.clone(),
            resource: finding.resource.terminal(),
        }
    }

    fn name<'r>(&self, row: &'r Row, column: &'static str) -> Result<&'r Untrusted, PolicyError> {
        let nameless = || PolicyError::Nameless { policy: self.policy.id().to_owned(), column };
        row.text(column).filter(|text| !text.raw().is_empty()).ok_or_else(nameless)
    }

    fn finding(&self, row: &Row) -> Result<Finding, PolicyError> {
        let file = &self.policy.file;
        let resource = self.name(row, "resource")?.clone();
        let account_id = self.name(row, "account_id")?.raw().to_owned();
        let region = self.name(row, "region")?.raw().to_owned();
        let params = self.policy.params();
        let inputs = Inputs { row, params: &params, as_of: self.as_of, region: &region, card: self.card };
        let mut trace = Vec::new();
        let dollars = Dollars::of(self.policy, &inputs, &mut trace);
        let confidence = confidence(row).unwrap_or(file.confidence);
        let about = |gap: &&Coverage| gaps::is_about(gap, &account_id, &region, resource.raw());
        Ok(Finding {
            id: id(self.policy, &account_id, &region, resource.raw()),
            policy: file.id.clone(),
            title: file.title.clone(),
            pillar: file.pillar,
            owner: self.owner(&account_id, &resource),
            effect: effect(self.policy, row),
            verdict: provisional(&dollars.saving, confidence),
            curve: dollars.curve,
            net_saving_12m: dollars.net_saving_12m,
            payback_days: dollars.payback_days,
            saving: dollars.saving,
            running: dollars.running,
            one_off: dollars.one_off,
            basis: file.basis.clone(),
            confidence,
            unlock: file.unlock.clone(),
            effort: file.effort,
            risk: file.risk,
            reversible: file.reversible,
            action: self.policy.action.as_ref().and_then(|action| action.fill(&inputs)),
            instructions: file.instructions.clone(),
            evidence: evidence(row),
            trace,
            gaps: self.gaps.iter().filter(about).cloned().collect(),
            status: Status::New,
            resource,
            account_id,
            region,
        })
    }

    fn owner(&self, account_id: &str, resource: &Untrusted) -> Option<Untrusted> {
        let bucket = (self.policy.service() == "s3").then(|| (account_id.to_owned(), resource.raw().to_owned()))?;
        self.owners.get(&bucket).cloned()
    }
}

/// The same from week to week: neither a number nor a date nor a path enters it.
fn id(policy: &Policy, account_id: &str, region: &str, resource: &str) -> FindingId {
    let oldest = policy.file.was.first().unwrap_or(&policy.file.id);
    let mut hash = Sha256::new();
    for part in [oldest.as_str(), account_id, region, resource] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let name = BASE32_NOPAD.encode(&hash.finalize()).to_ascii_lowercase();
    FindingId(format!("f-{}", &name[..12]))
}

fn confidence(row: &Row) -> Option<Confidence> {
    let word = row.key("confidence");
    [Confidence::Measured, Confidence::Estimated, Confidence::Possible].into_iter().find(|known| known.as_str() == word)
}

fn effect(policy: &Policy, row: &Row) -> Option<Effect> {
    let file = policy.file.effect.as_ref()?;
    let scope = PoolPath::parse(row.text("pool_id")?.raw());
    Some(Effect { scope, class: file.class.clone(), axis: file.axis })
}

fn provisional(saving: &Estimate, confidence: Confidence) -> Verdict {
    match (saving, confidence) {
        (Estimate::Unknown(why), _) => Verdict::Unknown { why: why.clone() },
        (Estimate::Known(_), Confidence::Possible) => Verdict::Possible,
        (Estimate::Known(range), _) => Verdict::Recommended { counted: *range, limit: None },
    }
}

/// Evidence as JSON: whole numbers as numbers, decimals as text, times as RFC 3339.
fn evidence(row: &Row) -> BTreeMap<String, serde_json::Value> {
    use serde_json::Value as Json;
    let json = |cell: &Cell| match cell {
        Cell::Null => Json::Null,
        Cell::Text(text) => Json::from(text.raw()),
        Cell::Bool(flag) => Json::from(*flag),
        Cell::Int(number) => Json::from(*number),
        Cell::Decimal(number) => Json::from(number.normalize().to_string()),
        Cell::Date(day) => Json::from(day.to_string()),
        Cell::Time(instant) => Json::from(instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
    };
    let shown = row.cells().filter(|(name, _)| !NAMING.contains(name));
    shown.map(|(name, cell)| (name.to_owned(), json(cell))).collect()
}

/// Everything in dollars about one row.
struct Dollars {
    saving: Estimate,
    running: Estimate,
    one_off: Estimate,
    curve: Vec<Range>,
    net_saving_12m: Estimate,
    payback_days: Option<u32>,
}

impl Dollars {
    fn of(policy: &Policy, inputs: &Inputs<'_>, trace: &mut Vec<TraceStep>) -> Self {
        let missing = policy.file.requires.iter().find(|column| *inputs.row.cell(column) == Cell::Null);
        let saving = match missing {
            Some(column) => Estimate::Unknown(format!("`{column}` is not known")),
            None => estimate("saving", &policy.saving, inputs, trace),
        };
        let none = Estimate::Known(Range::ZERO);
        let mut cost = |name, ends: &Option<Ends>| ends.as_ref().map(|ends| estimate(name, ends, inputs, trace));
        let running = cost("running", &policy.running).unwrap_or(none.clone());
        let one_off = cost("one_off", &policy.one_off).unwrap_or(none);
        let ramp: Vec<(u32, Estimate)> = policy
            .ramp
            .iter()
            .map(|(day, ends)| (*day, estimate(&format!("saving until day {day}"), ends, inputs, trace)))
            .collect();
        match flow(&saving, &running, &one_off, &ramp) {
            Ok(flow) => {
                let curve = flow.curve();
                let net_saving_12m = Estimate::Known(curve.iter().copied().sum::<Range>().map(rounded));
                let curve = curve.into_iter().map(|month| month.map(rounded)).collect();
                Dollars { payback_days: flow.payback_days(), saving, running, one_off, curve, net_saving_12m }
            }
            Err(why) => {
                let net_saving_12m = Estimate::Unknown(why);
                Dollars { saving, running, one_off, curve: Vec::new(), net_saving_12m, payback_days: None }
            }
        }
    }
}

fn rounded(usd: Money) -> Money {
    Money::new(usd.usd().round_dp(SCALE))
}

/// Returns the flow, or which part of it is not known.
fn flow(saving: &Estimate, running: &Estimate, one_off: &Estimate, ramp: &[(u32, Estimate)]) -> Result<Flow, String> {
    let known = |name: &str, estimate: &Estimate| match estimate {
        Estimate::Known(range) => Ok(*range),
        Estimate::Unknown(why) => Err(format!("{name}: {why}")),
    };
    let cost = |name: &str, estimate: &Estimate| {
        Cost::of(known(name, estimate)?).ok_or_else(|| format!("{name}: nothing bounds it"))
    };
    Ok(Flow {
        saving: known("saving", saving)?,
        running: cost("running cost", running)?,
        one_off: cost("one-off cost", one_off)?,
        ramp: ramp.iter().map(|(day, stage)| Ok((*day, known("ramp", stage)?))).collect::<Result<_, String>>()?,
    })
}

fn estimate(of: &str, ends: &Ends, inputs: &Inputs<'_>, trace: &mut Vec<TraceStep>) -> Estimate {
    let mut end = |name: &str, formula: &Formula, end| {
        let answer = usd(formula, inputs, end);
        push(trace, of, name, formula, &answer);
        answer.map(|(amount, ..)| amount)
    };
    let low = end("low", &ends.low, End::Low);
    let expected = end("expected", &ends.expected, End::Expected);
    let high = ends.high.as_ref().map(|formula| end("high", formula, End::High));
    match (low, expected) {
        (Ok(low), Ok(expected)) => {
            // Without a high end nothing bounds the range, and that is no reason to doubt the other two.
            let high = high.and_then(Result::ok);
            Range::new(low, expected, high).map_or_else(|| out_of_order(low, expected, high), Estimate::Known)
        }
        (Err(missing), _) | (_, Err(missing)) => Estimate::Unknown(missing.why),
    }
}

fn out_of_order(low: Money, expected: Money, high: Option<Money>) -> Estimate {
    let high = high.map_or_else(String::new, |high| format!(", high {}", high.human()));
    Estimate::Unknown(format!(
        "the ends contradict each other: low {}, expected {}{high}",
        low.human(),
        expected.human()
    ))
}

/// Dollars, the formula with its numbers, and the rates in words.
fn usd(formula: &Formula, inputs: &Inputs<'_>, end: End) -> Result<(Money, String, Vec<String>), Unknown> {
    let answer = formula.compute(inputs, end)?;
    let rates = answer.rates.iter().map(crate::prices::Rate::describe).collect();
    match answer.value {
        Value::Number(number) => Ok((rounded(Money::new(number)), answer.numbers, rates)),
        _ => Err(Unknown { why: format!("{} is no amount of dollars", answer.numbers) }),
    }
}

/// Adds a step; ends with the same arithmetic become one.
fn push(
    trace: &mut Vec<TraceStep>,
    of: &str,
    end: &str,
    formula: &Formula,
    answer: &Result<(Money, String, Vec<String>), Unknown>,
) {
    let (result, numbers, rates) = match answer {
        Ok((amount, numbers, rates)) => (amount.to_string(), numbers.clone(), rates.clone()),
        Err(missing) => (format!("unknown: {}", missing.why), String::new(), Vec::new()),
    };
    let same = |step: &&mut TraceStep| {
        (step.of == of || step.of.strip_prefix(of).is_some_and(|rest| rest.starts_with('.')))
            && step.formula == formula.text()
            && (&step.numbers, &step.result) == (&numbers, &result)
    };
    match trace.iter_mut().rev().find(same) {
        Some(step) if end == "high" && step.of.ends_with("expected") => of.clone_into(&mut step.of),
        Some(step) => step.of = format!("{}, {end}", step.of),
        None => {
            let formula = formula.text().to_owned();
            trace.push(TraceStep { of: format!("{of}.{end}"), formula, numbers, result, rates });
        }
    }
}
