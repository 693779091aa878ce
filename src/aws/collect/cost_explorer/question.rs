//! The questions put to Cost Explorer, each for one month: what they group by, which records they want.

use std::collections::BTreeSet;

use aws_sdk_costexplorer::operation::get_cost_and_usage::builders::GetCostAndUsageFluentBuilder;
use aws_sdk_costexplorer::types::{
    DateInterval, Dimension, DimensionValues, Expression, Granularity, GroupDefinition, GroupDefinitionType,
};

use super::days::Span;
use crate::store::Table;
use crate::store::tables::bill::{CHARGES, COSTS, COSTS_BY_ACCOUNT};

/// One of the three questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// What is usage, and what is a credit, refund, tax or fee.
    Charges,
    /// Usage by usage type.
    Costs,
    /// Usage by linked account.
    ByAccount,
}

/// The questions in the order in which they are asked: the first one's answer filters the others.
pub const QUESTIONS: [Question; 3] = [Question::Charges, Question::Costs, Question::ByAccount];

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
    /// Returns the table that the answer fills.
    pub const fn table(self) -> &'static Table {
        match self {
            Question::Charges => &CHARGES,
            Question::Costs => &COSTS,
            Question::ByAccount => &COSTS_BY_ACCOUNT,
        }
    }

    /// Returns the two dimensions that it groups by.
    pub const fn dimensions(self) -> [&'static str; 2] {
        match self {
            Question::Charges => ["RECORD_TYPE", "SERVICE"],
            Question::Costs => ["SERVICE", "USAGE_TYPE"],
            Question::ByAccount => ["LINKED_ACCOUNT", "SERVICE"],
        }
    }

    /// Returns the metrics: all in one request, since each request costs the same.
    pub fn metrics(self, net: Net) -> Vec<&'static str> {
        let mut metrics = vec!["UnblendedCost", "AmortizedCost"];
        if net != Net::Hidden {
            metrics.push("NetAmortizedCost");
        }
        if self == Question::Costs {
            metrics.push("UsageQuantity");
        }
        metrics
    }

    /// Returns the request for `month` without a page token.
    pub fn request(
        self,
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
            .set_group_by(Some(self.dimensions().map(group).to_vec()))
            .set_filter((self != Question::Charges).then(|| records(usage)))
    }
}

fn group(dimension: &str) -> GroupDefinition {
    GroupDefinition::builder().r#type(GroupDefinitionType::Dimension).key(dimension).build()
}

fn records(types: &BTreeSet<String>) -> Expression {
    let values =
        DimensionValues::builder().key(Dimension::RecordType).set_values(Some(types.iter().cloned().collect()));
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
