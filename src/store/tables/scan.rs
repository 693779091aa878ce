//! What the scan itself knows: who was asked, and what was seen.

use crate::store::table::{Kind, Source, Table, column};

/// One row for each account that the scan knows of.
pub const ACCOUNTS: Table = Table {
    name: "accounts",
    doc: "Accounts that the scan knows of.",
    key: &["account_id"],
    source: Source::State("sts:GetCallerIdentity"),
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("name", Kind::Text, "Its name; NULL when it was not seen."),
        column("scanned", Kind::Flag, "True when this scan read it with its own credentials."),
        column("state", Kind::Text, "`ACTIVE`, `SUSPENDED`, …; NULL when the organization was not asked.")
            .by("organizations:ListAccounts"),
        column("payer", Kind::Flag, "True for the management account, which pays; NULL when nobody said.")
            .by("organizations:DescribeOrganization"),
    ],
};

/// One row for each read, and for each resource where only that failed.
pub const COVERAGE: Table = Table {
    name: "coverage",
    doc: "What the scan saw and what it did not, with the reason. A row whose `state` is not `seen` is a gap.",
    key: &["table_name", "account_id", "region", "read", "resource"],
    source: Source::State("scan"),
    columns: &[
        column("table_name", Kind::Text, "Table that the read fills."),
        column("account_id", Kind::Text, "Account asked; NULL for answers over several."),
        column("region", Kind::Text, "Region asked; NULL for global services."),
        column("resource", Kind::Text, "The one resource that this is about; NULL for the whole table."),
        column("read", Kind::Text, "AWS operation."),
        column("state", Kind::Text, "`seen`, `partial`, `missing`, `not_asked`, `over_budget`."),
        column("reason", Kind::Text, "Why not all of it."),
        column("missing_action", Kind::Text, "IAM action that would have allowed it."),
        column("from_day", Kind::Day, "First day covered."),
        column("to_day", Kind::Day, "Last day covered."),
        column("seen", Kind::Count, "Resources or rows seen."),
        column("expected", Kind::Count, "Resources or rows that there are, where that is known."),
    ],
};
