//! A plan for those whose buckets are managed by other tools: Terraform, CloudFormation, or the AWS CLI by hand.
//!
//! Pure. Every form states the *whole* configuration of a bucket, rules of others included, since that is what S3
//! replaces. A bucket whose rules a form cannot say in full is left out with the reason: dropping an element could
//! widen an expiration to the whole bucket. Text of an account leaves only as quoted ASCII.

mod cli;
mod cloudformation;
mod rule;
mod terraform;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::show::minute;
use super::{Plan, Step, guard, show};
use crate::model::Untrusted;
use crate::model::text::terminal;
use rule::Rule;

/// What a plan is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `aws_s3_bucket_lifecycle_configuration` with an `import` block for each bucket that has rules.
    Terraform,
    /// A template whose `LifecycleConfiguration` properties go into the resources that declare the buckets.
    CloudFormation,
    /// A shell script of AWS CLI calls.
    Cli,
}

/// A plan in another form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// The file.
    pub text: String,
    /// Buckets that the form cannot say in full, with the reason; safe for a terminal.
    pub left_out: Vec<(Untrusted, String)>,
}

/// A step whose rules are understood in full.
struct Said<'p> {
    step: &'p Step,
    rules: Vec<Rule>,
}

/// Returns the plan in the form `shape`. `now` is the real time.
pub fn emit(plan: &Plan, shape: Shape, now: DateTime<Utc>) -> Emitted {
    let mut said = Vec::new();
    let mut left_out = Vec::new();
    for step in &plan.steps {
        match understood(step, shape) {
            Ok(rules) => said.push(Said { step, rules }),
            Err(why) => left_out.push((step.bucket.clone(), terminal(&why))),
        }
    }
    let text = match shape {
        Shape::Terraform => terraform::file(&said, &notes(plan, &left_out, now)),
        Shape::CloudFormation => cloudformation::template(&said, &notes(plan, &left_out, now)),
        Shape::Cli => cli::script(&said, &notes(plan, &left_out, now)),
    };
    Emitted { text, left_out }
}

/// Returns the rules of the step's wanted state, or why the form cannot say them all.
fn understood(step: &Step, shape: Shape) -> Result<Vec<Rule>, String> {
    guard::check_names(step.bucket.raw(), &step.region)?;
    let document = step.after.document.as_ref().ok_or("the plan wants no configuration there")?;
    document.check_only_rules().map_err(|why| why.to_string())?;
    // CloudFormation replaces such a text by a secret wherever it stands.
    let refers = |rule: &crate::lifecycle::Rule| rule.element.leaves().iter().any(|(_, text)| text.contains("{{"));
    if shape == Shape::CloudFormation && document.rules().iter().any(refers) {
        return Err("a rule holds `{{`, which CloudFormation reads as a reference".to_owned());
    }
    document
        .rules()
        .iter()
        .map(|rule| Rule::of(&rule.element).map_err(|why| in_rule(rule.id.as_deref(), &why)))
        .collect()
}

fn in_rule(id: Option<&str>, why: &str) -> String {
    format!("rule `{}`: {why}", id.unwrap_or("without ID"))
}

/// What a reader must know before running it; lines of ASCII.
fn notes(plan: &Plan, left_out: &[(Untrusted, String)], now: DateTime<Utc>) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(plan.origin.banner());
    notes.push(format!("From a leanlake plan for account {}, made {}.", plan.account_id, minute(plan.created_at)));
    if plan.is_stale(now) {
        notes.push(format!("Stale since {}: make a new plan.", minute(plan.stale_from())));
    }
    notes.push(
        "S3 replaces the configuration of a bucket as a whole: every rule is here, those of others too,".to_owned(),
    );
    notes.push(
        "as they stood when the plan was made. Nothing here checks that they still do; `leanlake apply` does."
            .to_owned(),
    );
    notes.extend(left_out.iter().map(|(bucket, why)| format!("Left out: s3://{}: {why}", bucket.raw())));
    notes.iter().map(|note| ascii(note)).collect()
}

/// Why a bucket is changed; lines of ASCII.
fn reasons(step: &Step) -> Vec<String> {
    let mut reasons = vec![format!("s3://{} in {} ({})", step.bucket.raw(), step.region, show::risk(step.risk_class))];
    reasons.extend(step.changes.iter().map(show::show_change));
    reasons.iter().map(|reason| ascii(reason)).collect()
}

/// Text for a comment or a description: one line of printable ASCII, everything else as a visible code.
fn ascii(text: &str) -> String {
    terminal(text).chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c.is_ascii() {
            out.push(c);
        } else {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        }
        out
    })
}

/// JSON of printable ASCII: what could be mistaken on a screen is written as `\uNNNN`.
fn ascii_json(value: &Value) -> String {
    let pretty = format!("{value:#}");
    let mut out = String::with_capacity(pretty.len());
    for c in pretty.chars() {
        if c == '\n' || (c.is_ascii() && !c.is_ascii_control()) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// Returns a name made of letters, digits and `_` for each bucket; two buckets never share one.
fn names(said: &[Said<'_>], name: impl Fn(&str) -> String) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for one in said {
        let base = name(one.step.bucket.raw());
        let mut free = (1..).map(|n| if n == 1 { base.clone() } else { format!("{base}{n}") });
        names.extend(free.find(|name| !names.contains(name)));
    }
    names
}
