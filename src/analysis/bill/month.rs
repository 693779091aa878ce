//! The last full month, and its bill in one form, whoever tells it: the export or Cost Explorer.

use std::fmt::Write;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Engine, EngineError};
use crate::model::{Metric, Row, service};

/// Days until a day's cost is final for our purposes.
const SETTLE_DAYS: u64 = 2;

/// Usage rows of an export that are comparable with Cost Explorer's. FOCUS is for seeing spend, never a basis.
const EXPORTED: &str = "record_type = 'usage' and source = 'cur' and currency = 'USD'";

/// Rows of `costs` that may be the basis of a saving: FOCUS may stand in for Cost Explorer, to be seen only.
pub const COUNTED: &str = "(source is null or source <> 'focus')";

/// The columns of cost.
const COSTS: &str = "net_amortized, amortized, unblended";

/// Rows of a month, and how many of them have which cost.
pub(super) const METRICS: &str = "count(*) as n, count(net_amortized) as net, count(amortized) as amortized";

/// Sums over the days that both have, of each cost that both may know. In cents only rounding differs; a month that is
/// open, or restated since, does more.
pub(super) fn compared() -> String {
    let sums = |whose: &str| {
        let sum = |metric: Metric| format!("sum({0}) as {whose}_{0}, count({0}) as {whose}_{0}_n", metric.column());
        Metric::ALL.map(sum).join(", ")
    };
    let both = Metric::ALL.map(|metric| {
        let of = |whose: &str| format!("{whose}_{}", metric.column());
        let (told, exported) = (of("told"), of("exported"));
        format!(
            "sum({told}) as {told}, sum({exported}) as {exported}, \
             count(*) filter (where {told}_n = told_rows and {exported}_n = exported_rows) as {0}_days",
            metric.column()
        )
    });
    format!(
        "with told as (select day, count(*) as told_rows, {} from costs where {COUNTED} group by 1), \
         exported as (select day, count(*) as exported_rows, {} from bill where {EXPORTED} group by 1) \
         select cast(date_trunc('month', told.day) as date) as month, {}, count(*) as days \
         from told join exported on exported.day = told.day group by 1 order by 1 desc",
        sums("told"),
        sums("exported"),
        both.join(", ")
    )
}

/// Returns the best metric that all the rows have which a row of [`METRICS`] counts.
pub(super) fn metric_of(counts: &Row) -> Metric {
    let count = |column| counts.int(column).unwrap_or(0);
    Metric::of_all(count("n"), count("net"), count("amortized"))
}

/// Returns the best metric that all of `costs` has.
pub async fn metric_of_costs(engine: &Engine) -> Result<Metric, EngineError> {
    let counts = engine.rows(&format!("select {METRICS} from costs where {COUNTED}")).await?;
    Ok(counts.first().map_or(Metric::Unblended, metric_of))
}

/// A month with all its days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BillMonth {
    /// Its first day.
    pub first: NaiveDate,
    /// True where an export of the bill holds it, false where Cost Explorer tells of it.
    pub exported: bool,
    /// Which cost its amounts are: one for all of its rows.
    pub metric: Metric,
}

impl BillMonth {
    /// Returns the month, who tells of it, and which cost it is, for people.
    pub fn described(self) -> String {
        let teller = if self.exported { "an export of the bill" } else { "Cost Explorer" };
        format!("{} by {teller}: {}", self.first.format("%Y-%m"), self.metric.described())
    }

    /// Returns the newest month whose every day is settled; of an export and Cost Explorer the export.
    pub(super) async fn last(engine: &Engine, as_of: DateTime<Utc>) -> Result<Option<BillMonth>, EngineError> {
        let Some(settled) = as_of.date_naive().checked_sub_days(Days::new(SETTLE_DAYS)) else { return Ok(None) };
        let sql = format!(
            "select date_trunc('month', day) as month, exported, count(distinct day) as days, {METRICS} from \
             (select day, false as exported, net_amortized, amortized from costs where {COUNTED} \
              union all select day, true, net_amortized, amortized from bill where {EXPORTED}) as told \
             where day <= date '{settled}' group by 1, 2 order by 1 desc, 2 desc"
        );
        let whole = |row: &Row| {
            let first = row.date("month").or_else(|| Some(row.time("month")?.date_naive()))?;
            let (exported, metric) = (row.flag("exported")?, metric_of(row));
            (row.int("days") == Some(days_in(first)?)).then_some(BillMonth { first, exported, metric })
        };
        Ok(engine.rows(&sql).await?.iter().find_map(whole))
    }

    /// Returns usage in the names of Cost Explorer: `linked_account_id`, `region`, `service`,
    /// `usage_type`, `operation`, `resource`, `usage`, `unit`, `net`; what Cost Explorer does not tell is NULL.
    pub(super) fn usage(self) -> String {
        let (days, cost) = (self.days(), self.metric.column());
        if self.exported {
            let service = service_of_code();
            format!(
                "(select linked_account_id, region, {service} as service, usage_type, operation, resource, usage, unit, \
                 {cost} as net from bill where {EXPORTED} and {days}) as told"
            )
        } else {
            format!(
                "(select cast(null as varchar) as linked_account_id, region, service, usage_type, \
                 cast(null as varchar) as operation, cast(null as varchar) as resource, usage, cast('' as varchar) as unit, \
                 {cost} as net from costs where {COUNTED} and {days}) as told"
            )
        }
    }

    /// Returns cost by account: `account_id` that was asked or pays, `linked_account_id`, `service`, and each cost.
    pub(super) fn by_account(self) -> String {
        let (days, service) = (self.days(), service_of_code());
        if self.exported {
            format!(
                "(select account_id, linked_account_id, {service} as service, {COSTS} from bill \
                 where {EXPORTED} and {days}) as told"
            )
        } else {
            format!(
                "(select account_id, linked_account_id, service, {COSTS} from costs_by_account where {COUNTED} and {days}) as told"
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
