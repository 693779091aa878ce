//! The questions put to Cost Explorer, each for one month: what they group by, which records they want.

use std::collections::BTreeSet;

use aws_sdk_costexplorer::operation::get_cost_and_usage::builders::GetCostAndUsageFluentBuilder;
use aws_sdk_costexplorer::types::{
    DateInterval, Dimension, DimensionValues, Expression, Granularity, GroupDefinition, GroupDefinitionType,
};

use super::days::Span;
use crate::model::service::{EC2_OTHER, LAKE, NETWORK_FIREWALL, VPC};
use crate::store::Table;
use crate::store::tables::bill::{CHARGES, COSTS, COSTS_BY_ACCOUNT, COSTS_BY_OPERATION, TAGS_COST};

/// Services that bill what a lake's data passes through; they have other users too.
const AROUND: [&str; 3] = [EC2_OTHER, VPC, NETWORK_FIREWALL];

/// What Cost Explorer is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// What is usage, and what is a credit, refund, tax or fee.
    Charges,
    /// Usage by usage type.
    Costs,
    /// Usage by linked account.
    ByAccount,
    /// Usage of the lake's services by usage type and operation.
    ByOperation,
    /// Usage by the values of this tag.
    ByTag(String),
}

/// Whether net cost is asked for. Some callers may not see it, and a request that names it is refused whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net {
    /// Not known yet whether the caller may see it.
    Untried,
    /// The caller may see it.
    Visible,
    /// The caller may not.
    Hidden,
}

impl Question {
    /// Returns the questions in the order in which they are asked: the first one's answer filters the others.
    pub fn all(cost_tags: &[String]) -> Vec<Question> {
        let fixed = [Question::Charges, Question::Costs, Question::ByAccount, Question::ByOperation];
        fixed.into_iter().chain(cost_tags.iter().cloned().map(Question::ByTag)).collect()
    }

    /// Returns the table that the answer fills.
    pub const fn table(&self) -> &'static Table {
        match self {
            Question::Charges => &CHARGES,
            Question::Costs => &COSTS,
            Question::ByAccount => &COSTS_BY_ACCOUNT,
            Question::ByOperation => &COSTS_BY_OPERATION,
            Question::ByTag(_) => &TAGS_COST,
        }
    }

    /// Returns the tag that it is about: the resource of its coverage, since several tags share a table.
    pub fn tag(&self) -> Option<&str> {
        match self {
            Question::ByTag(key) => Some(key),
            _ => None,
        }
    }

    /// Returns the two groups.
    pub fn groups(&self) -> [GroupDefinition; 2] {
        let dimensions = |first, second| [dimension(first), dimension(second)];
        match self {
            Question::Charges => dimensions("RECORD_TYPE", "SERVICE"),
            Question::Costs => dimensions("SERVICE", "USAGE_TYPE"),
            Question::ByAccount => dimensions("LINKED_ACCOUNT", "SERVICE"),
            Question::ByOperation => dimensions("USAGE_TYPE", "OPERATION"),
            Question::ByTag(key) => {
                let tag = GroupDefinition::builder().r#type(GroupDefinitionType::Tag).key(key).build();
                [tag, dimension("SERVICE")]
            }
        }
    }

    /// Returns the metrics: all in one request, since each request costs the same.
    pub fn metrics(&self, net: Net) -> Vec<&'static str> {
        let mut metrics = vec!["UnblendedCost", "AmortizedCost"];
        if net != Net::Hidden {
            metrics.push("NetAmortizedCost");
        }
        if matches!(self, Question::Costs | Question::ByOperation) {
            metrics.push("UsageQuantity");
        }
        metrics
    }

    /// Returns the request for `month` without a page token.
    pub fn request(
        &self,
        request: GetCostAndUsageFluentBuilder,
        month: Span,
        net: Net,
        usage: &BTreeSet<String>,
    ) -> GetCostAndUsageFluentBuilder {
        let period = DateInterval::builder().start(month.from.to_string()).end(month.end().to_string()).build().ok();
        let metrics = self.metrics(net).into_iter().map(str::to_owned).collect();
        request
            .set_time_period(period)
            .granularity(Granularity::Daily)
            .set_metrics(Some(metrics))
            .set_group_by(Some(self.groups().to_vec()))
            .set_filter(self.filter(usage))
    }

    /// A value that the bill does not have filters nothing out and is no error.
    fn filter(&self, usage: &BTreeSet<String>) -> Option<Expression> {
        let records = || one_of(Dimension::RecordType, usage.iter().map(String::as_str));
        match self {
            Question::Charges => None,
            Question::ByOperation => {
                let services = one_of(Dimension::Service, LAKE.into_iter().chain(AROUND));
                Some(Expression::builder().and(records()).and(services).build())
            }
            _ => Some(records()),
        }
    }
}

fn dimension(key: &str) -> GroupDefinition {
    GroupDefinition::builder().r#type(GroupDefinitionType::Dimension).key(key).build()
}

fn one_of<'v>(dimension: Dimension, values: impl Iterator<Item = &'v str>) -> Expression {
    let values = DimensionValues::builder().key(dimension).set_values(Some(values.map(str::to_owned).collect()));
    Expression::builder().dimensions(values.build()).build()
}

/// Returns true for record types that are usage: `Usage`, `DiscountedUsage`, `SavingsPlanCoveredUsage`, `Reservation
/// applied usage`. Credits, refunds, tax, fees and the negation of covered usage are not.
pub fn is_usage(record_type: &str) -> bool {
    record_type.to_ascii_lowercase().contains("usage")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_records_are_told_from_the_rest() {
        for usage in ["Usage", "DiscountedUsage", "SavingsPlanCoveredUsage", "Reservation applied usage"] {
            assert!(is_usage(usage), "{usage}");
        }
        let others = ["Credit", "Refund", "Tax", "Support fee", "SavingsPlanNegation", "SavingsPlanRecurringFee"];
        for other in others {
            assert!(!is_usage(other), "{other}");
        }
    }

    #[test]
    fn net_cost_is_left_out_only_where_it_is_hidden() {
        assert!(Question::Costs.metrics(Net::Untried).contains(&"NetAmortizedCost"));
        assert_eq!(Question::Charges.metrics(Net::Hidden), ["UnblendedCost", "AmortizedCost"]);
    }
}
