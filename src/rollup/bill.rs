//! Exports of the bill: the columns of Cost and Usage Reports and of FOCUS that table `bill` is made of.

use super::RollUp;
use crate::engine::files::{Foreign, Type, Wanted};
use crate::store::tables::bill::BILL;

/// Cost and Usage Reports, 2.0 and legacy.
pub const CUR: RollUp = RollUp { file: "bill.sql", sql: include_str!("bill.sql"), from: &CUR_FILES, into: &BILL };

/// FOCUS 1.0 and 1.2.
pub const FOCUS: RollUp = RollUp { file: "focus.sql", sql: include_str!("focus.sql"), from: &FOCUS_FILES, into: &BILL };

/// Columns that many exports lack without a loss: they stand for each other, or are about discounts, plans and
/// reservations that an account may not have. That a month is without net cost says `bill_months`.
pub const MAY_LACK: &[&str] = &[
    "commitmentdiscountid",
    "line_item_net_unblended_cost",
    "line_item_usage_end_date",
    "reservation_effective_cost",
    "reservation_net_effective_cost",
    "reservation_net_unused_amortized_upfront_fee_for_billing_period",
    "reservation_net_unused_recurring_fee",
    "reservation_reservation_a_r_n",
    "reservation_unused_amortized_upfront_fee_for_billing_period",
    "reservation_unused_recurring_fee",
    "savings_plan_net_savings_plan_effective_cost",
    "savings_plan_savings_plan_effective_cost",
    "savings_plan_total_commitment_to_date",
    "savings_plan_used_commitment",
    "serviceprovidername",
    "skumeter",
    "x_operation",
    "x_servicecode",
    "x_usagetype",
];

/// Returns the column that names the account that pays.
pub fn payer_column(roll_up: &RollUp) -> &'static str {
    if roll_up.file == CUR.file { "bill_payer_account_id" } else { "billingaccountid" }
}

/// Rows of a FOCUS file that are of AWS, as `focus.sql` chooses them.
pub const FOCUS_OF_AWS: &str =
    "providername = 'AWS' or serviceprovidername = 'AWS' or coalesce(providername, serviceprovidername) is null";

/// Returns the columns that say where the billing period starts and ends.
pub fn period_columns(roll_up: &RollUp) -> [&'static str; 2] {
    if roll_up.file == CUR.file {
        ["bill_billing_period_start_date", "bill_billing_period_end_date"]
    } else {
        ["billingperiodstart", "billingperiodend"]
    }
}

const fn text(name: &'static str, also: &'static [&'static str]) -> Wanted {
    Wanted { name, also, kind: Type::Text }
}

const fn time(name: &'static str, also: &'static [&'static str]) -> Wanted {
    Wanted { name, also, kind: Type::Instant }
}

const fn number(name: &'static str, also: &'static [&'static str]) -> Wanted {
    Wanted { name, also, kind: Type::Decimal }
}

/// A Cost and Usage Report: CUR 2.0 and legacy Parquet write `line_item_usage_type`, legacy CSV `lineItem/UsageType`.
pub const CUR_FILES: Foreign = Foreign {
    name: "cur",
    columns: &[
        time("bill_billing_period_start_date", &["bill/BillingPeriodStartDate"]),
        time("bill_billing_period_end_date", &["bill/BillingPeriodEndDate"]),
        text("bill_payer_account_id", &["bill/PayerAccountId"]),
        time("line_item_usage_start_date", &["lineItem/UsageStartDate"]),
        time("line_item_usage_end_date", &["lineItem/UsageEndDate"]),
        text("line_item_usage_account_id", &["lineItem/UsageAccountId"]),
        text("line_item_line_item_type", &["lineItem/LineItemType"]),
        text("line_item_product_code", &["lineItem/ProductCode"]),
        text("line_item_usage_type", &["lineItem/UsageType"]),
        text("line_item_operation", &["lineItem/Operation"]),
        text("line_item_resource_id", &["lineItem/ResourceId"]),
        text("line_item_currency_code", &["lineItem/CurrencyCode"]),
        number("line_item_usage_amount", &["lineItem/UsageAmount"]),
        number("line_item_unblended_cost", &["lineItem/UnblendedCost"]),
        number("line_item_net_unblended_cost", &["lineItem/NetUnblendedCost"]),
        text("pricing_unit", &["pricing/unit"]),
        text("pricing_rate_id", &["pricing/RateId"]),
        number("pricing_public_on_demand_cost", &["pricing/publicOnDemandCost"]),
        text("product_region_code", &["product/regionCode", "product_region", "product/region"]),
        text("reservation_reservation_a_r_n", &["reservation/ReservationARN"]),
        number("reservation_effective_cost", &["reservation/EffectiveCost"]),
        number("reservation_net_effective_cost", &["reservation/NetEffectiveCost"]),
        number(
            "reservation_unused_amortized_upfront_fee_for_billing_period",
            &["reservation/UnusedAmortizedUpfrontFeeForBillingPeriod"],
        ),
        number(
            "reservation_net_unused_amortized_upfront_fee_for_billing_period",
            &["reservation/NetUnusedAmortizedUpfrontFeeForBillingPeriod"],
        ),
        number("reservation_unused_recurring_fee", &["reservation/UnusedRecurringFee"]),
        number("reservation_net_unused_recurring_fee", &["reservation/NetUnusedRecurringFee"]),
        number("savings_plan_savings_plan_effective_cost", &["savingsPlan/SavingsPlanEffectiveCost"]),
        number("savings_plan_net_savings_plan_effective_cost", &["savingsPlan/NetSavingsPlanEffectiveCost"]),
        number("savings_plan_total_commitment_to_date", &["savingsPlan/TotalCommitmentToDate"]),
        number("savings_plan_used_commitment", &["savingsPlan/UsedCommitment"]),
    ],
    null_words: &[],
};

/// A FOCUS file. Real ones lack columns that the specification demands, and some write the word `NULL`.
pub const FOCUS_FILES: Foreign = Foreign {
    name: "focus",
    columns: &[
        time("billingperiodstart", &[]),
        time("billingperiodend", &[]),
        time("chargeperiodstart", &[]),
        text("billingaccountid", &[]),
        text("subaccountid", &[]),
        text("regionid", &["region"]),
        text("servicename", &[]),
        text("x_servicecode", &[]),
        text("x_usagetype", &[]),
        text("x_operation", &[]),
        text("skumeter", &[]),
        text("skupriceid", &[]),
        text("resourceid", &[]),
        text("chargecategory", &[]),
        text("providername", &[]),
        text("serviceprovidername", &[]),
        text("billingcurrency", &[]),
        text("commitmentdiscountid", &[]),
        text("consumedunit", &[]),
        number("consumedquantity", &[]),
        text("pricingunit", &[]),
        number("pricingquantity", &[]),
        number("billedcost", &[]),
        number("effectivecost", &[]),
        number("listcost", &[]),
    ],
    null_words: &["NULL"],
};
