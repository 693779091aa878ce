//! `leanlake.findings`: the findings for machines, as one JSON document with a published schema, and as CSV.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Assessment, Dollars, SourceTotal, Totals};
use crate::analysis::BillMonth;
use crate::model::{Coverage, DollarSource, Estimate, Finding, Money, Origin, PoolPath, Range, Verdict, text};

/// What the document calls itself.
const SCHEMA: &str = "leanlake.findings";
/// `major.minor`: a later minor only adds.
const VERSION: &str = "1.0";

/// The findings of one snapshot.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "leanlake.findings")]
pub struct Document<'a> {
    /// `leanlake.findings`.
    schema: &'static str,
    /// `major.minor`; a reader ignores fields that it does not know and refuses a major that it does not know.
    version: &'static str,
    /// The snapshot.
    snapshot: &'a str,
    /// The snapshot that `status` compares with; `null` for the first of a lake.
    previous: Option<&'a str>,
    /// What was scanned. Numbers that are not of AWS itself are not real.
    origin: &'a Origin,
    /// The clock of everything in here: the snapshot's, so that the same snapshot gives the same document.
    generated_at: DateTime<Utc>,
    /// The account whose credentials scanned.
    account_id: Option<&'a str>,
    /// The month of the bill that rates and pools rest on, and which cost it tells; `null` without a full month.
    bill_month: Option<BillMonth>,
    /// What is recommended in all, whichever findings are listed.
    totals: &'a Totals,
    /// What the headline of `totals` rests on, the surest first: parts that add up to it.
    dollars: &'a [SourceTotal],
    /// The findings that were asked for, best first.
    findings: Vec<Listed<'a>>,
    /// What could not be seen.
    gaps: &'a [Coverage],
}

/// One finding.
#[derive(Serialize, JsonSchema)]
struct Listed<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    /// The part of the bill that it reduces.
    pool: Option<&'a PoolPath>,
    /// What the dollars of that part rest on: `bill` (its own lines in an export), `allocated` (its share of a line of
    /// many), `list` (list prices); of several the weakest. `null` without a part of a known cost.
    dollars: Option<DollarSource>,
}

impl<'a> Document<'a> {
    /// Returns the document with these findings of the assessment.
    pub fn of(assessment: &'a Assessment, findings: &[&'a Finding]) -> Self {
        let listed = |finding: &&'a Finding| Listed {
            finding,
            pool: finding.effect.as_ref().map(|effect| &effect.scope),
            dollars: assessment.dollars.by_finding.get(&finding.id).copied(),
        };
        Document {
            schema: SCHEMA,
            version: VERSION,
            snapshot: &assessment.snapshot,
            previous: assessment.previous.as_deref(),
            origin: &assessment.origin,
            generated_at: assessment.as_of,
            account_id: assessment.account_id.as_deref(),
            bill_month: assessment.bill_month,
            totals: &assessment.totals,
            dollars: &assessment.dollars.headline,
            findings: findings.iter().map(listed).collect(),
            gaps: &assessment.gaps,
        }
    }

    /// Returns the JSON Schema of the document.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Document<'static>).to_value()
    }
}

/// Columns of the CSV form.
const COLUMNS: [&str; 27] = [
    "id",
    "policy",
    "title",
    "account_id",
    "region",
    "resource",
    "owner",
    "pool",
    "verdict",
    "status",
    "confidence",
    "basis",
    "saving_low",
    "saving_expected",
    "saving_high",
    "counted_low",
    "counted_expected",
    "counted_high",
    "running_expected",
    "one_off_expected",
    "net_saving_12m_low",
    "net_saving_12m_expected",
    "payback_days",
    "effort",
    "risk",
    "reversible",
    "dollars",
];

/// Returns findings as CSV (RFC 4180), safe to open in a spreadsheet. What is not known is an empty cell, never 0.
pub fn csv(findings: &[&Finding], dollars: &Dollars) -> String {
    let mut out = format!("{}\r\n", COLUMNS.join(","));
    for finding in findings {
        let cells = cells(finding, dollars.by_finding.get(&finding.id).copied());
        let quoted: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        out.push_str(&quoted.join(","));
        out.push_str("\r\n");
    }
    out
}

fn cells(finding: &Finding, dollars: Option<DollarSource>) -> Vec<Cow<'_, str>> {
    let [saving_low, saving_expected, saving_high] = ends(finding.saving.known());
    let counted = match finding.verdict {
        Verdict::Recommended { counted, .. } => Some(counted),
        _ => None,
    };
    let [counted_low, counted_expected, counted_high] = ends(counted);
    let [net_low, net_expected, _] = ends(finding.net_saving_12m.known());
    let expected = |estimate: &Estimate| ends(estimate.known())[1].clone();
    let basis: Vec<&str> = finding.basis.iter().map(|basis| basis.as_str()).collect();
    let pool = finding.effect.as_ref().map_or("", |effect| effect.scope.as_str());
    vec![
        finding.id.0.as_str().into(),
        finding.policy.as_str().into(),
        text::csv(&finding.title),
        finding.account_id.as_str().into(),
        finding.region.as_str().into(),
        finding.resource.csv(),
        finding.owner.as_ref().map_or("".into(), |owner| owner.csv()),
        text::csv(pool),
        finding.verdict.as_str().into(),
        finding.status.as_str().into(),
        finding.confidence.as_str().into(),
        basis.join(" ").into(),
        saving_low,
        saving_expected,
        saving_high,
        counted_low,
        counted_expected,
        counted_high,
        expected(&finding.running),
        expected(&finding.one_off),
        net_low,
        net_expected,
        finding.payback_days.map_or_else(String::new, |days| days.to_string()).into(),
        finding.effort.as_str().into(),
        finding.risk.as_str().into(),
        if finding.reversible { "yes".into() } else { "no".into() },
        dollars.map_or("", DollarSource::as_str).into(),
    ]
}

fn ends(range: Option<Range>) -> [Cow<'static, str>; 3] {
    let cell = |usd: Option<Money>| usd.map_or_else(String::new, |usd| usd.to_string()).into();
    [cell(range.map(|r| r.low)), cell(range.map(|r| r.expected)), cell(range.and_then(|r| r.high))]
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::tests::finding;
    use super::*;
    use crate::model::Axis;

    #[test]
    fn a_csv_row_has_every_column_and_no_formula() {
        let saving = Range { low: Money::ZERO, expected: Money::new(5.into()), high: None };
        let mut wild = finding(1, "a/b", None, Axis::Rate, saving, (Range::ZERO, Range::ZERO));
        wild.resource = "=cmd|' /C calc'!A0,\"x\"".into();
        wild.one_off = Estimate::Unknown("no rate".into());
        let csv = csv(&[&wild], &Dollars::default());
        let line = csv.lines().nth(1).unwrap();
        assert!(line.contains("\"'=cmd|' /C calc'!A0,\"\"x\"\"\""), "{line}");
        let plain = line.replace("\"'=cmd|' /C calc'!A0,\"\"x\"\"\"", "x");
        assert_eq!(plain.split(',').count(), COLUMNS.len());
        assert!(plain.contains("0.00,5.00,,,,,0.00,,"), "unknown is empty: {plain}");
    }
}
