//! The last full month, and its bill in one form, whoever tells it: the export or Cost Explorer.

use std::fmt::Write;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Engine, EngineError};
use crate::model::service;

/// Days until a day's cost is final for our purposes.
const SETTLE_DAYS: u64 = 2;

/// Usage rows of an export that are comparable with Cost Explorer's. FOCUS is for seeing spend, never a basis.
const EXPORTED: &str = "record_type = 'usage' and source = 'cur' and currency = 'USD'";

/// Net amortised where the export has it, else amortised, else unblended.
const EXPORTED_COST: &str = "coalesce(net_amortized, amortized, net_unblended, unblended)";
/// The same for Cost Explorer, where the caller may see it.
pub const COST: &str = "coalesce(net_amortized, amortized, unblended)";

/// Both sums over the days that both have. In cents only rounding differs; a month that is open, or restated since, does
/// more.
pub(super) const COMPARED: &str = "\
    with told as (select day, sum(coalesce(net_amortized, amortized, unblended)) as net from costs group by 1), \
    exported as (select day, sum(coalesce(net_amortized, amortized, net_unblended, unblended)) as net from bill \
        where record_type = 'usage' and source = 'cur' and currency = 'USD' group by 1) \
    select cast(date_trunc('month', told.day) as date) as month, sum(told.net) as cost_explorer, \
        sum(exported.net) as export, count(*) as days \
    from told join exported on exported.day = told.day group by 1 order by 1 desc";

/// A month with all its days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BillMonth {
    /// Its first day.
    pub first: NaiveDate,
    /// True where an export of the bill holds it, false where Cost Explorer tells of it.
    pub exported: bool,
}

impl BillMonth {
    /// Returns the newest month whose every day is settled; of an export and Cost Explorer the export.
    pub(super) async fn last(engine: &Engine, as_of: DateTime<Utc>) -> Result<Option<BillMonth>, EngineError> {
        let Some(settled) = as_of.date_naive().checked_sub_days(Days::new(SETTLE_DAYS)) else { return Ok(None) };
        let sql = format!(
            "select date_trunc('month', day) as month, exported, count(distinct day) as days from \
             (select day, false as exported from costs union all select day, true from bill where {EXPORTED}) as told \
             where day <= date '{settled}' group by 1, 2 order by 1 desc, 2 desc"
        );
        let whole = |row: &crate::model::Row| {
            let first = row.date("month").or_else(|| Some(row.time("month")?.date_naive()))?;
            (row.int("days") == Some(days_in(first)?)).then_some(BillMonth { first, exported: row.flag("exported")? })
        };
        Ok(engine.rows(&sql).await?.iter().find_map(whole))
    }

    /// Returns usage in the names of Cost Explorer: `linked_account_id`, `region`, `service`,
    /// `usage_type`, `operation`, `resource`, `usage`, `unit`, `net`; what Cost Explorer does not tell is NULL.
    pub(super) fn usage(self) -> String {
        let days = self.days();
        if self.exported {
            let service = service_of_code();
            format!(
                "(select linked_account_id, region, {service} as service, usage_type, operation, resource, usage, unit, \
                 {EXPORTED_COST} as net from bill where {EXPORTED} and {days}) as told"
            )
        } else {
            format!(
                "(select cast(null as varchar) as linked_account_id, region, service, usage_type, \
                 cast(null as varchar) as operation, cast(null as varchar) as resource, usage, cast('' as varchar) as unit, \
                 {COST} as net from costs where {days}) as told"
            )
        }
    }

    /// Returns cost by account: `account_id` that was asked or pays, `linked_account_id`, `service`, `net`.
    pub(super) fn by_account(self) -> String {
        let (days, service) = (self.days(), service_of_code());
        if self.exported {
            format!(
                "(select account_id, linked_account_id, {service} as service, {EXPORTED_COST} as net from bill \
                 where {EXPORTED} and {days}) as told"
            )
        } else {
            format!(
                "(select account_id, linked_account_id, service, {COST} as net from costs_by_account where {days}) as told"
            )
        }
    }

    fn days(self) -> String {
        let next = self.first.checked_add_months(Months::new(1)).unwrap_or(self.first);
        format!("day >= date '{}' and day < date '{next}'", self.first)
    }
}

/// Returns SQL for the service as Cost Explorer names it, from the product code in `service` and from `usage_type`.
pub fn service_of_code() -> String {
    let instances = ["BoxUsage", "SpotUsage", "DedicatedUsage", "HostUsage", "UnusedBox", "HeavyUsage"];
    let instances: Vec<String> = instances.iter().map(|kind| format!("usage_type like '%{kind}%'")).collect();
    let mut sql = format!(
        "case when service = 'AmazonEC2' and ({}) then '{}' when service = 'AmazonEC2' then '{}'",
        instances.join(" or "),
        service::EC2,
        service::EC2_OTHER
    );
    for (code, name) in service::CODES {
        let _ = write!(sql, " when service = '{code}' then '{name}'");
    }
    sql + " else service end"
}

fn days_in(month: NaiveDate) -> Option<i64> {
    Some(month.checked_add_months(Months::new(1))?.pred_opt()?.day().into())
}
