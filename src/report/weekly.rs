//! The weekly report as data: what the template prints and `--format json` publishes.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::gaps::{self, GapGroup};
use super::summary::{self, Summary};
use super::unlocks::{self, UnlockOffer};
use crate::analysis::{BillMonth, Compared};
use crate::forecast::Spend;
use crate::forecast::spend::DayCost;
use crate::model::{Action, DollarSource, Finding, Origin, Verdict};
use crate::portfolio::{Assessment, BillTotals, Blind, SourceTotal, Totals};
use crate::store::Receipt;

/// Days that the line of small bars shows.
const SPARK_DAYS: usize = 28;

/// The weekly report: an assessment, arranged to be read from the top.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Weekly<'a> {
    /// `leanlake.report`.
    pub schema: &'static str,
    /// Major: readers must refuse one that they do not know. Minor: fields were added.
    pub version: &'static str,
    /// The as-of of the snapshot: the same snapshot gives the same report.
    pub generated_at: DateTime<Utc>,
    /// Snapshot id.
    pub snapshot: &'a str,
    /// What was scanned.
    pub origin: &'a Origin,
    /// The sentence for an origin that is not AWS itself.
    pub banner: Option<String>,
    /// The account that was asked; `None` when the snapshot names none.
    pub account_id: Option<&'a str>,
    /// Three sentences: spent, why, what to do first.
    pub summary: Summary,
    /// What was spent; `None` when no bill was seen.
    pub spend: Option<&'a Spend>,
    /// The last 28 days as a line of small bars.
    pub spark: String,
    /// First and last day of `spark`.
    pub spark_days: Option<(NaiveDate, NaiveDate)>,
    /// What the recommendations add up to.
    pub totals: &'a Totals,
    /// What the headline of `totals` rests on, the surest first: parts that add up to it.
    pub dollars: &'a [SourceTotal],
    /// What of the lake's bill the collected resources explain; `None` without a bill.
    pub bill: Option<&'a BillTotals>,
    /// The month that `bill` is of, and who tells of it.
    pub bill_month: Option<BillMonth>,
    /// Months of which an export of the bill and Cost Explorer both have days, the newest first.
    pub compared: &'a [Compared],
    /// Recommended, best first.
    pub recommendations: Vec<Recommendation<'a>>,
    /// Only a look can settle them: listed, never summed.
    pub possible: Vec<&'a Finding>,
    /// Found, without a number.
    pub unknown: Vec<&'a Finding>,
    /// Found, and not recommended: outbid, clashing, or without payback.
    pub declined: Vec<&'a Finding>,
    /// What to switch on to know more, most dollars first.
    pub unlocks: Vec<UnlockOffer>,
    /// What could not be seen, by read and reason.
    pub gaps: Vec<GapGroup>,
    /// The spend that the gaps make blind.
    pub blind: &'a Blind,
    /// What the scan asked for and what that cost.
    pub receipt: &'a Receipt,
}

/// A finding that the portfolio kept, with the first thing to do about it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Recommendation<'a> {
    /// The finding.
    #[serde(flatten)]
    pub finding: &'a Finding,
    /// What its dollars rest on: `bill` (its own lines in an export), `allocated` (its share of a line of many), `list`
    /// (list prices); of several the weakest.
    pub dollars: Option<DollarSource>,
    /// The command to type.
    pub first_step: String,
}

impl<'a> Recommendation<'a> {
    fn of(finding: &'a Finding, dollars: Option<DollarSource>) -> Self {
        let planned = finding.action.as_ref().is_some_and(Action::is_planned);
        let verb = if planned { "plan --finding" } else { "findings show" };
        Recommendation { finding, dollars, first_step: format!("leanlake {verb} {}", finding.id) }
    }
}

impl<'a> Weekly<'a> {
    /// Arranges an assessment.
    pub fn of(assessment: &'a Assessment) -> Self {
        let those = |wanted: fn(&Finding) -> bool| assessment.findings.iter().filter(|f| wanted(f)).collect::<Vec<_>>();
        let recommendations = those(|f| matches!(f.verdict, Verdict::Recommended { .. }));
        let source = |finding: &Finding| assessment.dollars.by_finding.get(&finding.id).copied();
        let days = assessment.spend.as_ref().map_or(&[][..], |spend| last_days(spend));
        Weekly {
            schema: "leanlake.report",
            version: "1.0",
            generated_at: assessment.as_of,
            snapshot: &assessment.snapshot,
            origin: &assessment.origin,
            banner: assessment.origin.banner(),
            account_id: assessment.account_id.as_deref(),
            summary: summary::summary(assessment, recommendations.first().copied()),
            spend: assessment.spend.as_ref(),
            spark: spark(days),
            spark_days: days.first().zip(days.last()).map(|(first, last)| (first.day, last.day)),
            totals: &assessment.totals,
            dollars: &assessment.dollars.headline,
            bill: assessment.bill.as_ref(),
            bill_month: assessment.bill_month,
            compared: &assessment.compared,
            possible: those(|f| matches!(f.verdict, Verdict::Possible)),
            unknown: those(|f| matches!(f.verdict, Verdict::Unknown { .. })),
            declined: those(|f| {
                matches!(f.verdict, Verdict::Outbid { .. } | Verdict::Clashes { .. } | Verdict::NoPayback { .. })
            }),
            unlocks: unlocks::offers(&assessment.findings),
            gaps: gaps::grouped(&assessment.gaps),
            blind: &assessment.blind,
            receipt: &assessment.receipt,
            recommendations: recommendations
                .into_iter()
                .map(|finding| Recommendation::of(finding, source(finding)))
                .collect(),
        }
    }
}

fn last_days(spend: &Spend) -> &[DayCost] {
    let known = spend.days.partition_point(|day| day.day <= spend.final_through);
    &spend.days[known.saturating_sub(SPARK_DAYS)..known]
}

/// Returns a bar of eight heights for each day, the dearest full; nothing for no days.
fn spark(days: &[DayCost]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let Some(most) = days.iter().map(|day| day.cost).max().filter(|most| most.is_positive()) else {
        return String::new();
    };
    let height = |day: &DayCost| {
        let eighths = (day.cost.usd() / most.usd() * rust_decimal::Decimal::from(BARS.len() - 1)).round();
        usize::try_from(eighths).unwrap_or(0).min(BARS.len() - 1)
    };
    days.iter().map(|day| BARS[height(day)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Money;

    #[test]
    fn the_line_of_bars_shows_each_day_against_the_dearest() {
        let day = |usd: i64| DayCost { day: NaiveDate::MIN, cost: Money::new(usd.into()), estimated: false };
        assert_eq!(spark(&[day(0), day(50), day(100)]), "▁▅█");
        assert_eq!(spark(&[]), "");
        assert_eq!(spark(&[day(-5), day(0)]), "");
    }
}
