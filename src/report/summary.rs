//! Three sentences in plain words: spent, why, what to do first.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use crate::forecast::Spend;
use crate::forecast::movers::{Driver, Mover};
use crate::forecast::spend::Week;
use crate::model::{Finding, Money, Verdict};
use crate::portfolio::Assessment;

/// The head of the report. Text of the account is in it: it needs a sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// What was spent, against the week before, and where the month lands.
    pub spent: String,
    /// What moved it.
    pub why: String,
    /// What to do first.
    pub first: String,
}

/// Returns the three sentences.
pub fn summary(assessment: &Assessment, best: Option<&Finding>) -> Summary {
    let spend = assessment.spend.as_ref();
    Summary {
        spent: spend.map_or_else(|| no_spend(assessment), spent),
        why: spend.and_then(|spend| spend.week.as_ref()).map_or_else(|| "Too few days to compare.".to_owned(), why),
        first: best.map_or_else(|| nothing_to_do(assessment), |best| first(assessment, best)),
    }
}

fn no_spend(assessment: &Assessment) -> String {
    if assessment.is_bill_blind() {
        "No bill was seen, so what was spent is unknown."
    } else {
        "The bill shows no cost."
    }
    .to_owned()
}

fn spent(spend: &Spend) -> String {
    let week = spend.week.as_ref().map(|week| {
        let change = week.change();
        let direction = if change.is_positive() { "more" } else { "less" };
        let size = Money::new(change.usd().abs()).human();
        let percent = percent(change, week.before).map(|p| format!(" ({p})")).unwrap_or_default();
        format!(
            "{} from {} to {}, {size}{percent} {direction} than in the week before. ",
            week.cost.human(),
            week.from,
            week.to
        )
    });
    let month = spend.month.format("%B");
    let so_far = format!("{month} so far {}", spend.month_to_date.human());
    let landing = spend.landing.as_ref().map(|landing| format!(", on the way to {}", landing.cost.human()));
    format!("{}{so_far}{}.", week.unwrap_or_default(), landing.unwrap_or_default())
}

fn percent(change: Money, before: Money) -> Option<String> {
    let percent = (change.usd() * Decimal::ONE_HUNDRED).checked_div(before.usd())?.abs();
    Some(format!("{} %", if percent < Decimal::TEN { percent.round_dp(1) } else { percent.round() }))
}

fn why(week: &Week) -> String {
    let Some(most) = week.movers.first() else {
        return "Nothing moved.".to_owned();
    };
    let also = week.movers.get(1).map(|next| format!(", then {} {}", name(next), moved(next))).unwrap_or_default();
    format!("{} moved most: {}, {}{also}.", name(most), moved(most), driven(most))
}

fn name(mover: &Mover) -> String {
    format!("{} ({})", mover.usage_type.raw(), mover.service.raw())
}

fn moved(mover: &Mover) -> String {
    let change = mover.change;
    if change.is_positive() { format!("+{}", change.human()) } else { change.human() }
}

fn driven(mover: &Mover) -> String {
    match mover.driver {
        Driver::Usage if mover.change.is_positive() => "because more of it was used".to_owned(),
        Driver::Usage => "because less of it was used".to_owned(),
        Driver::Rate => "because the same use had another price".to_owned(),
        Driver::Both => "by use and by price".to_owned(),
        Driver::New => "which is new".to_owned(),
        Driver::Gone => "which is gone".to_owned(),
        Driver::Unknown => "for a reason that the bill does not tell".to_owned(),
    }
}

fn first(assessment: &Assessment, best: &Finding) -> String {
    let counted = match &best.verdict {
        Verdict::Recommended { counted, .. } => counted.human(),
        _ => best.saving.human(),
    };
    format!(
        "At least {} a month can be saved in {} recommendations; start with {} ({}, {counted} a month).",
        assessment.totals.headline_low.human(),
        assessment.totals.recommended_count,
        best.resource.raw(),
        best.policy,
    )
}

fn nothing_to_do(assessment: &Assessment) -> String {
    match assessment.totals.possible_count + assessment.totals.unknown_count {
        0 if assessment.gaps.is_empty() => "Nothing was found that is worth a change.".to_owned(),
        0 => "Nothing was found in what could be seen; see below what could not.".to_owned(),
        n => format!("Nothing can be recommended yet; {n} findings need a closer look, see what to switch on."),
    }
}
