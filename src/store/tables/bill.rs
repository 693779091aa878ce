//! The bill as Cost Explorer shows it. The tables overlap: never sum or union across them.

use crate::store::table::{Kind, Source, Table, column};

const READ: &str = "ce:GetCostAndUsage";

/// Credits, refunds, tax, fees and usage apart.
pub const CHARGES: Table = Table {
    name: "charges",
    doc: "Cost Explorer by day, record type and service, unfiltered: what is usage, and what is a credit, refund, tax or fee.",
    key: &["day", "record_type", "service"],
    source: Source::Period { read: READ, column: "day" },
    columns: &[
        column("account_id", Kind::Text, "Account that was asked; the answer may cover accounts below it."),
        column("day", Kind::Day, "Day of usage."),
        column(
            "record_type",
            Kind::Text,
            "Cost Explorer's RECORD_TYPE: `Usage`, `Credit`, `Refund`, `Tax`, `SavingsPlanCoveredUsage`, …",
        ),
        column("service", Kind::Text, "Service as Cost Explorer names it."),
        column("unblended", Kind::Money, "Unblended cost."),
        column("amortized", Kind::Money, "Amortized cost."),
        column("net_amortized", Kind::Money, "Net amortized cost; NULL where the caller may not see net cost."),
        column("estimated", Kind::Flag, "True while AWS calls the day an estimate (not invoiced yet)."),
        column("source", Kind::Text, "NULL for what Cost Explorer told; `cur` or `focus` where an export stands in."),
    ],
};

/// Usage cost by usage type: the grain of the report.
pub const COSTS: Table = Table {
    name: "costs",
    doc: "Cost Explorer by day, service and usage type, usage records only (no credits, refunds, tax or fees). A day that is absent was not read or had no cost: see `coverage`.",
    key: &["day", "service", "usage_type"],
    source: Source::Period { read: READ, column: "day" },
    columns: &[
        column("account_id", Kind::Text, "Account that was asked; the answer may cover accounts below it."),
        column("day", Kind::Day, "Day of usage."),
        column("service", Kind::Text, "Service as Cost Explorer names it."),
        column("usage_type", Kind::Text, "Usage type with its Region prefix, as billed."),
        column("region", Kind::Text, "Region from the usage type's prefix; NULL when it has none that is known."),
        column("unblended", Kind::Money, "Unblended cost."),
        column("amortized", Kind::Money, "Amortized cost."),
        column("net_amortized", Kind::Money, "Net amortized cost; NULL where the caller may not see net cost."),
        column("usage", Kind::Quantity, "Usage in `unit`; NULL when Cost Explorer mixes units."),
        column("unit", Kind::Text, "Unit of `usage`: `GB-Mo`, `Requests`, `Hrs`, …"),
        column("estimated", Kind::Flag, "True while AWS calls the day an estimate (not invoiced yet)."),
        column("source", Kind::Text, "NULL for what Cost Explorer told; `cur` or `focus` where an export stands in."),
    ],
};

/// Usage cost by linked account.
pub const COSTS_BY_ACCOUNT: Table = Table {
    name: "costs_by_account",
    doc: "Cost Explorer by day, linked account and service, usage records only.",
    key: &["day", "linked_account_id", "service"],
    source: Source::Period { read: READ, column: "day" },
    columns: &[
        column("account_id", Kind::Text, "Account that was asked."),
        column("day", Kind::Day, "Day of usage."),
        column("linked_account_id", Kind::Text, "Account that caused the cost."),
        column("service", Kind::Text, "Service as Cost Explorer names it."),
        column("unblended", Kind::Money, "Unblended cost."),
        column("amortized", Kind::Money, "Amortized cost."),
        column("net_amortized", Kind::Money, "Net amortized cost; NULL where the caller may not see net cost."),
        column("estimated", Kind::Flag, "True while AWS calls the day an estimate (not invoiced yet)."),
        column("source", Kind::Text, "NULL for what Cost Explorer told; `cur` or `focus` where an export stands in."),
    ],
};

/// Usage cost by usage type and operation, for the services of a lake.
pub const COSTS_BY_OPERATION: Table = Table {
    name: "costs_by_operation",
    doc: "Cost Explorer by day, usage type and operation, usage records of the lake's services only: S3, Glue, Athena, EMR, Redshift, Kinesis, Kafka, Airflow, and `EC2 - Other`, VPC and Network Firewall around them. It tells apart what shares a usage type, such as replication and transfer.",
    key: &["day", "usage_type", "operation"],
    source: Source::Period { read: READ, column: "day" },
    columns: &[
        column("account_id", Kind::Text, "Account that was asked; the answer may cover accounts below it."),
        column("day", Kind::Day, "Day of usage."),
        column("usage_type", Kind::Text, "Usage type with its Region prefix, as billed."),
        column("operation", Kind::Text, "Operation as billed: `PutObject`, `StandardIAStorage`, `GlueJob`, …"),
        column("region", Kind::Text, "Region from the usage type's prefix; NULL when it has none that is known."),
        column("unblended", Kind::Money, "Unblended cost."),
        column("amortized", Kind::Money, "Amortized cost."),
        column("net_amortized", Kind::Money, "Net amortized cost; NULL where the caller may not see net cost."),
        column("usage", Kind::Quantity, "Usage in `unit`; NULL when Cost Explorer mixes units."),
        column("unit", Kind::Text, "Unit of `usage`: `GB-Mo`, `Requests`, `Hrs`, …"),
        column("estimated", Kind::Flag, "True while AWS calls the day an estimate (not invoiced yet)."),
        column("source", Kind::Text, "NULL for what Cost Explorer told; `cur` or `focus` where an export stands in."),
    ],
};

/// Usage cost by the tags that the configuration names.
pub const TAGS_COST: Table = Table {
    name: "tags_cost",
    doc: "Cost Explorer by day, tag value and service, usage records only, for each key of `cost_tags`. Each key splits the whole bill: never sum over keys. Usage of before the tag was activated is untagged.",
    key: &["day", "tag_key", "tag_value", "service"],
    source: Source::Period { read: READ, column: "day" },
    columns: &[
        column("account_id", Kind::Text, "Account that was asked; the answer may cover accounts below it."),
        column("day", Kind::Day, "Day of usage."),
        column("tag_key", Kind::Text, "Key of the cost allocation tag."),
        column("tag_value", Kind::Text, "Its value; empty for what carries no such tag."),
        column("service", Kind::Text, "Service as Cost Explorer names it."),
        column("unblended", Kind::Money, "Unblended cost."),
        column("amortized", Kind::Money, "Amortized cost."),
        column("net_amortized", Kind::Money, "Net amortized cost; NULL where the caller may not see net cost."),
        column("estimated", Kind::Flag, "True while AWS calls the day an estimate (not invoiced yet)."),
    ],
};

/// Views of the bill; whether costs are pro-forma.
pub const BILLING_VIEWS: Table = Table {
    name: "billing_views",
    doc: "Billing views that the account may open. A `BILLING_GROUP` is a group of AWS Billing Conductor: its costs are pro-forma, by rates of the payer, and not what AWS charges. A member of one may see no view of it.",
    key: &["account_id", "arn"],
    source: Source::State("billing:ListBillingViews"),
    columns: &[
        column("account_id", Kind::Text, "Account that was asked."),
        column("arn", Kind::Text, "ARN of the view."),
        column("name", Kind::Text, "Its name."),
        column(
            "billing_view_type",
            Kind::Text,
            "`PRIMARY`, `BILLING_GROUP`, `CUSTOM`, `BILLING_TRANSFER`, `BILLING_TRANSFER_SHOWBACK`.",
        ),
        column("owner_account_id", Kind::Text, "Account that owns it."),
        column("source_account_id", Kind::Text, "Account whose view it is made from."),
    ],
};

/// Which export each month of `bill` is from.
pub const BILL_MONTHS: Table = Table {
    name: "bill_months",
    doc: "The months of `bill`: which export each is from, which cost its rows have, and what that export leaves out. A month is replaced only by an export of the same payer that leaves out no more.",
    key: &["account_id", "month"],
    source: Source::Period { read: "export:Bill", column: "month" },
    columns: &[
        column("account_id", Kind::Text, "Account that pays the bill; NULL where the export does not say."),
        column("month", Kind::Day, "First day of the month."),
        column("export", Kind::Text, "The export, or the folder or file that was handed over."),
        column("source", Kind::Text, "`cur`, or `focus`: for seeing spend, never the basis of a saving."),
        column(
            "metric",
            Kind::Text,
            "The best cost that all its usage rows have: `net_amortized`, else `amortized` or `unblended`, which are before discounts.",
        ),
        column("whole", Kind::Flag, "False where the export's query has a condition, or it is a member's own."),
        column("daily", Kind::Flag, "False where the export is by the month."),
        column("by_resource", Kind::Flag, "False where the export has no resources."),
        column("row_count", Kind::Count, "Rows of `bill`."),
    ],
};

/// The bill itself, from exports.
pub const BILL: Table = Table {
    name: "bill",
    doc: "The bill from its exports (Cost and Usage Report 2.0 or legacy, else FOCUS): by day, account, Region, service, usage type, operation, resource and line type. A row is dated at the day of its usage, or at the nearest day of the billing period that charges it, so that the days of a month sum to its bill. Exports come by whole months: a month is here with all its files or not at all. It overlaps the tables of Cost Explorer: never sum across them.",
    key: &[
        "day",
        "linked_account_id",
        "region",
        "service",
        "usage_type",
        "operation",
        "resource",
        "line_type",
        "record_type",
        "pricing_rate_id",
        "unit",
        "currency",
    ],
    source: Source::Period { read: "export:Bill", column: "day" },
    columns: &[
        column("account_id", Kind::Text, "Account that pays the bill."),
        column("day", Kind::Day, "Day of usage, inside the billing period."),
        column("linked_account_id", Kind::Text, "Account that caused the cost."),
        column("region", Kind::Text, "Region of the product; NULL for what has none."),
        column(
            "service",
            Kind::Text,
            "Product code as exports name it (`AmazonS3`, `AWSGlue`); Cost Explorer has other names.",
        ),
        column("usage_type", Kind::Text, "Usage type with its Region prefix, as billed."),
        column("operation", Kind::Text, "Operation as billed: `PutObject`, `StandardStorage`, `Jobrun`, …"),
        column(
            "resource",
            Kind::Text,
            "Resource id as exports write it: a bucket's name, an ARN; NULL where the export has none.",
        ),
        column(
            "line_type",
            Kind::Text,
            "Line item type: `Usage`, `SavingsPlanCoveredUsage`, `DiscountedUsage`, `Credit`, `Tax`, …; in FOCUS the charge category.",
        ),
        column(
            "record_type",
            Kind::Text,
            "`usage`, `commitment` (plans and reservations beside what they cover), `credit`, `refund`, `tax`, `fee`, `discount` or `other`.",
        ),
        column("pricing_rate_id", Kind::Text, "Id of the rate that was applied; in FOCUS the SKU price."),
        column("currency", Kind::Text, "Currency of the amounts; what is not USD is never added to what is."),
        column("usage", Kind::Quantity, "Usage in `unit`, of usage records only."),
        column("unit", Kind::Text, "Unit of `usage`: `GB-Mo`, `Requests`, `Hrs`, …"),
        column("unblended", Kind::Money, "Unblended cost; NULL in FOCUS, which knows net cost only."),
        column(
            "amortized",
            Kind::Money,
            "Amortised cost: what Savings Plans and reservations covered at their effective cost, unused commitment in the fee's own row; NULL where the export lacks a column of it.",
        ),
        column("net_unblended", Kind::Money, "Unblended cost after discounts; NULL where the export lacks it."),
        column("net_amortized", Kind::Money, "Amortised cost after discounts; NULL where the export lacks it."),
        column("list", Kind::Money, "What the usage costs at public on-demand prices."),
        column("source", Kind::Text, "`cur`, or `focus`: for seeing spend, never the basis of a saving."),
    ],
};
