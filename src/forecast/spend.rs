//! What was spent: the daily series, the last final week against the one before, the month so far.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::landing::{self, Landing};
use super::movers::{self, Mover};
use crate::engine::{Engine, EngineError};
use crate::model::{Metric, Money, Row, Untrusted};

/// Days after which a day's cost is no longer expected to change: Cost Explorer lags about 24 hours and is refreshed
/// up to three times a day (AWS, "Best practices for the AWS Cost Explorer API"), so two days back is final enough for
/// a week.
const FINAL_AFTER_DAYS: u64 = 2;
/// Days read by usage type: two weeks to compare, eight for the landing.
const RECENT_DAYS: u64 = 63;

/// The cost of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DayCost {
    /// The day, UTC.
    pub day: NaiveDate,
    /// USD.
    pub cost: Money,
    /// True while AWS calls it an estimate.
    pub estimated: bool,
}

/// The cost of one usage type on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageCost {
    /// The day, UTC.
    pub day: NaiveDate,
    /// Service as Cost Explorer names it.
    pub service: Untrusted,
    /// Usage type with its Region prefix.
    pub usage_type: Untrusted,
    /// USD.
    pub cost: Money,
    /// Usage in `unit`, where Cost Explorer gives one unit.
    pub usage: Option<Decimal>,
    /// Unit of `usage`.
    pub unit: Option<Untrusted>,
}

/// Seven final days against the seven before: the same weekdays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Week {
    /// First day of the week.
    pub from: NaiveDate,
    /// Last day of the week, included.
    pub to: NaiveDate,
    /// USD in the week, without charges that come once a month.
    pub cost: Money,
    /// USD in the week before, without charges that come once a month.
    pub before: Money,
    /// USD of both weeks that come once a month (support, subscriptions), left out of the comparison.
    pub monthly: Money,
    /// Each service in both weeks, dearest first.
    pub services: Vec<ServiceWeek>,
    /// What moved most, largest change first.
    pub movers: Vec<Mover>,
}

/// One service in both weeks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ServiceWeek {
    /// Service as Cost Explorer names it.
    pub service: Untrusted,
    /// USD in the week before.
    pub before: Money,
    /// USD in the week.
    pub cost: Money,
}

impl Week {
    /// Returns USD more than in the week before; negative when less.
    pub fn change(&self) -> Money {
        self.cost - self.before
    }
}

/// What the lake spent, as of one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Spend {
    /// Which cost the numbers are.
    pub metric: Metric,
    /// The daily series, oldest first. A day that is absent was not read or had no cost.
    pub days: Vec<DayCost>,
    /// The last day that is taken as final.
    pub final_through: NaiveDate,
    /// The last final week; `None` unless each of the 14 days was seen.
    pub week: Option<Week>,
    /// First day of the month that `final_through` is in.
    pub month: NaiveDate,
    /// USD from the first of the month to `final_through`.
    pub month_to_date: Money,
    /// USD of the whole month before; `None` unless every day of it was seen.
    pub last_month: Option<Money>,
    /// Where the month lands.
    pub landing: Option<Landing>,
}

/// Why there is no spend to show.
#[derive(Debug, thiserror::Error)]
pub enum SpendError {
    /// The tables could not be asked.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Reads `costs` and returns what was spent as of `as_of`; `None` when the snapshot has no cost at all.
///
/// # Errors
/// The table cannot be read.
pub async fn read(engine: &Engine, as_of: DateTime<Utc>) -> Result<Option<Spend>, SpendError> {
    let today = as_of.date_naive();
    let since = today - Days::new(RECENT_DAYS);
    let metric = metric(engine, since).await?;
    let money = metric.column();
    let sum = format!("case when count({money}) = count(*) then sum({money}) end");
    let days = engine
        .rows(&format!(
            "select day, {sum} as cost, bool_or(estimated) as estimated from costs group by day order by day"
        ))
        .await?;
    let recent = engine
        .rows(&format!(
            "select day, service, usage_type, {sum} as cost, \
             case when count(usage) = count(*) and count(distinct unit) = 1 then sum(usage) end as usage, \
             min(unit) as unit from costs where day >= date '{since}' group by day, service, usage_type \
             order by day, service, usage_type"
        ))
        .await?;
    let days: Vec<DayCost> = days.iter().filter_map(day_cost).collect();
    let recent: Vec<UsageCost> = recent.iter().filter_map(usage_cost).collect();
    Ok((!days.is_empty()).then(|| spend(metric, days, &recent, today)))
}

/// Returns the metric that most of the days since `since` have in every row, then most days of all: no sum mixes two. Of
/// days without it there is no cost.
async fn metric(engine: &Engine, since: NaiveDate) -> Result<Metric, EngineError> {
    let mut best = (Metric::NetAmortized, (0, 0));
    for metric in Metric::ALL {
        let sql = format!(
            "select count(*) as days, count(*) filter (where day >= date '{since}') as recent \
             from (select day from costs group by day having count({}) = count(*)) as whole",
            metric.column()
        );
        let counts = engine.rows(&sql).await?;
        let count = |column| counts.first().and_then(|row| row.int(column)).unwrap_or(0);
        let days = (count("recent"), count("days"));
        if days > best.1 {
            best = (metric, days);
        }
    }
    Ok(best.0)
}

fn day_cost(row: &Row) -> Option<DayCost> {
    Some(DayCost { day: row.date("day")?, cost: row.money("cost")?, estimated: row.flag("estimated").unwrap_or(true) })
}

fn usage_cost(row: &Row) -> Option<UsageCost> {
    Some(UsageCost {
        day: row.date("day")?,
        service: row.text("service")?.clone(),
        usage_type: row.text("usage_type")?.clone(),
        cost: row.money("cost")?,
        usage: row.decimal("usage"),
        unit: row.text("unit").cloned(),
    })
}

/// Returns what was spent, from the daily series and the recent days by usage type.
pub fn spend(metric: Metric, days: Vec<DayCost>, recent: &[UsageCost], today: NaiveDate) -> Spend {
    let final_through = today - Days::new(FINAL_AFTER_DAYS);
    let month = first_of_month(final_through);
    let once_a_month = movers::once_a_month(recent);
    let steady = daily(recent.iter().filter(|row| !once_a_month.contains(&(&row.service, &row.usage_type))));
    let month_to_date = sum(&days, month, final_through);
    Spend {
        metric,
        week: week(&days, recent, &once_a_month, final_through),
        landing: landing::landing(month_to_date, &steady, final_through),
        last_month: whole_month_before(&days, month),
        month,
        month_to_date,
        final_through,
        days,
    }
}

fn week(days: &[DayCost], recent: &[UsageCost], once: &movers::UsageTypes<'_>, to: NaiveDate) -> Option<Week> {
    let (from, before_from) = (to - Days::new(6), to - Days::new(13));
    is_whole(days, before_from, to).then_some(())?;
    let (monthly, steady): (Vec<&UsageCost>, Vec<&UsageCost>) = recent
        .iter()
        .filter(|row| row.day >= before_from && row.day <= to)
        .partition(|row| once.contains(&(&row.service, &row.usage_type)));
    let (this, before): (Vec<&UsageCost>, Vec<&UsageCost>) = steady.into_iter().partition(|row| row.day >= from);
    Some(Week {
        from,
        to,
        cost: this.iter().map(|row| row.cost).sum(),
        before: before.iter().map(|row| row.cost).sum(),
        monthly: monthly.iter().map(|row| row.cost).sum(),
        services: services(&before, &this),
        movers: movers::movers(&before, &this),
    })
}

fn services(before: &[&UsageCost], this: &[&UsageCost]) -> Vec<ServiceWeek> {
    let mut by_name: BTreeMap<&Untrusted, (Money, Money)> = BTreeMap::new();
    for row in before {
        by_name.entry(&row.service).or_default().0 += row.cost;
    }
    for row in this {
        by_name.entry(&row.service).or_default().1 += row.cost;
    }
    let week = |(service, (before, cost)): (&Untrusted, _)| ServiceWeek { service: service.clone(), before, cost };
    let mut services: Vec<ServiceWeek> = by_name.into_iter().map(week).collect();
    services.sort_by_key(|week| Reverse(week.cost.max(week.before)));
    services
}

fn daily<'a>(rows: impl Iterator<Item = &'a UsageCost>) -> BTreeMap<NaiveDate, Money> {
    let mut days = BTreeMap::new();
    for row in rows {
        *days.entry(row.day).or_insert(Money::ZERO) += row.cost;
    }
    days
}

fn sum(days: &[DayCost], from: NaiveDate, to: NaiveDate) -> Money {
    days.iter().filter(|day| day.day >= from && day.day <= to).map(|day| day.cost).sum()
}

/// Returns true when every day was seen with some cost: a sum over days that were not read would look like a fall.
fn is_whole(days: &[DayCost], from: NaiveDate, to: NaiveDate) -> bool {
    from.iter_days().take_while(|day| *day <= to).all(|wanted| days.iter().any(|day| day.day == wanted))
}

fn whole_month_before(days: &[DayCost], month: NaiveDate) -> Option<Money> {
    let last = month.pred_opt()?;
    let first = first_of_month(last);
    is_whole(days, first, last).then(|| sum(days, first, last))
}

/// Returns the first day of the month of `day`.
pub fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn usage(at: NaiveDate, usage_type: &str, cents: i64, usage: i64) -> UsageCost {
        UsageCost {
            day: at,
            service: "Amazon Athena".into(),
            usage_type: usage_type.into(),
            cost: Money::new(Decimal::new(cents, 2)),
            usage: Some(usage.into()),
            unit: Some("TB".into()),
        }
    }

    /// Ten dollars a day, twenty in the last final week, and a support fee on each first of a month.
    fn lake(today: NaiveDate) -> Spend {
        let mut recent = Vec::new();
        for back in (1..=RECENT_DAYS).rev() {
            let at = today - Days::new(back);
            let scanned = if (2..9).contains(&back) { 4 } else { 2 };
            recent.push(usage(at, "DataScannedInTB", scanned * 500, scanned));
            if at.day() == 1 {
                recent.push(usage(at, "Support", 70_000, 1));
            }
        }
        let days =
            daily(recent.iter()).into_iter().map(|(day, cost)| DayCost { day, cost, estimated: false }).collect();
        spend(Metric::NetAmortized, days, &recent, today)
    }

    #[tokio::test]
    async fn days_of_two_metrics_are_never_in_one_series() {
        let row = |at: &str, net: Option<i64>, gross: i64| {
            let row = Row::new().with("day", day(at)).with("service", "s").with("usage_type", "u");
            row.with("net_amortized", net.map(|cents| Money::new(Decimal::new(cents, 2))))
                .with("amortized", Money::new(Decimal::new(gross, 2)))
        };
        let told = async |rows: &[Row]| {
            let engine = Engine::new().unwrap();
            engine.register(&crate::store::tables::bill::COSTS, rows).unwrap();
            let spend = read(&engine, "2026-11-24T00:00:00Z".parse().unwrap()).await.unwrap().unwrap();
            (spend.metric, spend.days.iter().map(|day| day.cost.human()).collect::<Vec<_>>())
        };
        let net_of_one =
            [row("2026-11-10", Some(700), 900), row("2026-11-11", None, 800), row("2026-11-11", Some(1), 2)];
        assert_eq!(told(&net_of_one).await, (Metric::Amortized, vec!["$9.00".into(), "$8.02".into()]));
        let none = row("2026-11-12", Some(500), 0).with("amortized", crate::model::Cell::Null);
        let of_two = [&net_of_one[..1], &[none.clone(), none.with("day", day("2026-11-13"))]].concat();
        assert_eq!(told(&of_two).await, (Metric::NetAmortized, vec!["$7.00".into(), "$5.00".into(), "$5.00".into()]));
    }

    #[test]
    fn the_week_compares_final_days_of_the_same_weekdays_and_names_the_driver() {
        let week = lake(day("2026-11-24")).week.unwrap();
        assert_eq!((week.from, week.to), (day("2026-11-16"), day("2026-11-22")));
        assert_eq!((week.cost.human(), week.before.human()), ("$140.00".into(), "$70.00".into()));
        assert_eq!(week.movers[0].usage_type, "DataScannedInTB".into());
        assert_eq!(week.movers[0].driver, movers::Driver::Usage);
    }

    #[test]
    fn a_fee_on_the_first_of_the_month_is_no_change_of_the_week() {
        let week = lake(day("2026-11-10")).week.unwrap();
        assert_eq!((week.from, week.monthly.human()), (day("2026-11-02"), "$700.00".into()));
        assert_eq!(week.change().human(), "$70.00");
    }

    #[test]
    fn the_month_so_far_counts_final_days_only_and_the_fee_once() {
        let spend = lake(day("2026-11-24"));
        assert_eq!(spend.month_to_date.human(), "$990.00", "700 + 15 × 10 + 7 × 20");
        assert_eq!(spend.last_month.unwrap().human(), "$1,010.00", "700 + 31 × 10");
    }

    #[test]
    fn a_month_or_week_with_a_day_that_was_not_read_is_no_month_and_no_week() {
        let whole = lake(day("2026-11-24"));
        let without = |missing: &str| {
            let days = whole.days.iter().filter(|cost| cost.day != day(missing)).copied().collect();
            spend(Metric::NetAmortized, days, &[], day("2026-11-24"))
        };
        assert_eq!(without("2026-10-15").last_month, None);
        assert_eq!(without("2026-11-12").week, None);
        assert!(without("2026-09-25").week.is_some());
    }

    #[test]
    fn a_lake_of_ten_days_has_no_week_to_compare() {
        let today = day("2026-11-24");
        let recent: Vec<UsageCost> =
            (1..=10).map(|n| usage(today - Days::new(n), "DataScannedInTB", 1000, 2)).collect();
        let days =
            daily(recent.iter()).into_iter().map(|(day, cost)| DayCost { day, cost, estimated: false }).collect();
        assert!(spend(Metric::Unblended, days, &recent, today).week.is_none());
    }
}
