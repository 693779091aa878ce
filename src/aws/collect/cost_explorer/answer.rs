//! Answers of Cost Explorer as rows. An answer to another question than the one asked is refused, never guessed at.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;

use aws_sdk_costexplorer::operation::get_cost_and_usage::GetCostAndUsageOutput;
use aws_sdk_costexplorer::types::{Group, GroupDefinition, GroupDefinitionType, MetricValue, ResultByTime};
use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::days::Span;
use super::question::Question;
use crate::model::Row;
use crate::model::money::MONEY_SCALE;
use crate::prices::region_of_usage_type;

/// Why an answer cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Grouped by something else.
    #[error("the answer is grouped by {got:?}, not by {asked:?}")]
    Grouping {
        /// What was asked.
        asked: Vec<String>,
        /// What came.
        got: Vec<String>,
    },
    /// About other days.
    #[error("the answer is about `{0}`, which was not asked for")]
    Period(String),
    /// In another currency.
    #[error("the bill is in `{0}`, and leanlake does not convert currencies")]
    Currency(String),
    /// Not a number.
    #[error("`{metric}` is `{amount}`, which is not an amount")]
    Amount {
        /// The metric.
        metric: String,
        /// What it says.
        amount: String,
    },
    /// A group that is not a value of the tag.
    #[error("a group of tag `{key}` is called `{written}`, not `{key}$value`")]
    Tag {
        /// The tag.
        key: String,
        /// The group.
        written: String,
    },
    /// The same page twice.
    #[error("the answer's page token repeats")]
    Loop,
}

/// One month of one question, put together from its pages.
#[derive(Debug, Default)]
pub struct Answer {
    /// Rows of the question's table.
    pub rows: Vec<Row>,
    /// Record types seen (charges).
    pub record_types: BTreeSet<String>,
    /// Regions seen (costs).
    pub regions: BTreeSet<String>,
    /// Linked accounts seen, with their names where Cost Explorer says them.
    pub accounts: BTreeMap<String, Option<String>>,
    /// Pages that it had.
    pub pages: u64,
    tokens: BTreeSet<String>,
}

impl Answer {
    /// Adds a page; returns the token of the next one.
    pub fn add(
        &mut self,
        question: &Question,
        month: Span,
        account_id: &str,
        page: &GetCostAndUsageOutput,
    ) -> Result<Option<String>, Unfit> {
        self.pages += 1;
        check_grouping(question, page)?;
        for result in page.results_by_time() {
            let day = day_of(result, month)?;
            for group in result.groups() {
                let row = self.row(question, group)?;
                self.rows
                    .push(row.with("account_id", account_id).with("day", day).with("estimated", result.estimated()));
            }
        }
        if *question == Question::ByAccount {
            self.name_accounts(page);
        }
        let next = page.next_page_token().filter(|token| !token.is_empty()).map(str::to_owned);
        match next {
            Some(token) if !self.tokens.insert(token.clone()) => Err(Unfit::Loop),
            next => Ok(next),
        }
    }

    fn row(&mut self, question: &Question, group: &Group) -> Result<Row, Unfit> {
        let [first, second] = group.keys() else {
            return Err(Unfit::Grouping { asked: named(&question.groups()), got: group.keys().to_vec() });
        };
        let none = HashMap::new();
        let metrics = group.metrics().unwrap_or(&none);
        let row = Row::new()
            .with("unblended", dollars(metrics, "UnblendedCost")?)
            .with("amortized", dollars(metrics, "AmortizedCost")?)
            .with("net_amortized", dollars(metrics, "NetAmortizedCost")?);
        Ok(match question {
            Question::Charges => {
                self.record_types.insert(first.clone());
                row.with("record_type", first.as_str()).with("service", second.as_str())
            }
            Question::Costs => {
                let region = region_of_usage_type(second);
                self.regions.extend(region.map(str::to_owned));
                let (usage, unit) = quantity(metrics)?;
                let row = row.with("service", first.as_str()).with("usage_type", second.as_str());
                row.with("region", region).with("usage", usage).with("unit", unit)
            }
            Question::ByAccount => {
                self.accounts.entry(first.clone()).or_default();
                row.with("linked_account_id", first.as_str()).with("service", second.as_str())
            }
            Question::ByOperation => {
                let (usage, unit) = quantity(metrics)?;
                let row = row.with("usage_type", first.as_str()).with("operation", second.as_str());
                row.with("region", region_of_usage_type(first)).with("usage", usage).with("unit", unit)
            }
            Question::ByTag(key) => {
                let row = row.with("tag_key", key.as_str()).with("tag_value", value_of_tag(key, first)?);
                row.with("service", second.as_str())
            }
        })
    }

    fn name_accounts(&mut self, page: &GetCostAndUsageOutput) {
        for value in page.dimension_value_attributes() {
            let name = value.attributes().and_then(|attributes| attributes.get("description"));
            if let (Some(account), Some(name)) = (value.value().and_then(|a| self.accounts.get_mut(a)), name) {
                *account = Some(name.clone());
            }
        }
    }
}

fn check_grouping(question: &Question, page: &GetCostAndUsageOutput) -> Result<(), Unfit> {
    let (asked, got) = (named(&question.groups()), named(page.group_definitions()));
    if got == asked { Ok(()) } else { Err(Unfit::Grouping { asked, got }) }
}

/// Returns the groups as they are told to people: a dimension by its name, a tag as `tag:key`.
fn named(groups: &[GroupDefinition]) -> Vec<String> {
    let name = |group: &GroupDefinition| {
        let key = group.key()?;
        let is_tag = group.r#type() == Some(&GroupDefinitionType::Tag);
        Some(if is_tag { format!("tag:{key}") } else { key.to_owned() })
    };
    groups.iter().filter_map(name).collect()
}

/// Cost Explorer writes `key$value`, and `key$` for what carries no such tag. A value may have a `$` of its own.
fn value_of_tag<'k>(key: &str, written: &'k str) -> Result<&'k str, Unfit> {
    let value = written.strip_prefix(key).and_then(|rest| rest.strip_prefix('$'));
    value.ok_or_else(|| Unfit::Tag { key: key.to_owned(), written: written.to_owned() })
}

fn day_of(result: &ResultByTime, month: Span) -> Result<NaiveDate, Unfit> {
    let period = result.time_period().map(|period| (period.start().to_owned(), period.end().to_owned()));
    let (start, end) = period.unwrap_or_default();
    let parsed = start.parse::<NaiveDate>().ok().zip(end.parse::<NaiveDate>().ok());
    match parsed {
        Some((day, after)) if month.contains(day) && day.succ_opt() == Some(after) => Ok(day),
        _ => Err(Unfit::Period(format!("{start} to {end}"))),
    }
}

/// Returns dollars, or `None` when the answer does not have that metric.
fn dollars(metrics: &HashMap<String, MetricValue>, name: &str) -> Result<Option<Decimal>, Unfit> {
    let Some(value) = metrics.get(name) else { return Ok(None) };
    match value.unit() {
        Some("USD") => number(name, value).map(Some),
        other => Err(Unfit::Currency(other.unwrap_or_default().to_owned())),
    }
}

/// Returns usage with its unit; neither where Cost Explorer added up different units.
fn quantity(metrics: &HashMap<String, MetricValue>) -> Result<(Option<Decimal>, Option<String>), Unfit> {
    let Some(value) = metrics.get("UsageQuantity") else { return Ok((None, None)) };
    match value.unit() {
        None | Some("" | "NA" | "N/A") => Ok((None, None)),
        Some(unit) => Ok((Some(number("UsageQuantity", value)?), Some(unit.to_owned()))),
    }
}

fn number(metric: &str, value: &MetricValue) -> Result<Decimal, Unfit> {
    let amount = value.amount().unwrap_or_default();
    let parsed = Decimal::from_str(amount).or_else(|_| Decimal::from_scientific(amount));
    let unfit = |_| Unfit::Amount { metric: metric.to_owned(), amount: amount.to_owned() };
    parsed.map(|number| number.round_dp(MONEY_SCALE)).map_err(unfit)
}
