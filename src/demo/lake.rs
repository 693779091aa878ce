//! The whole demo lake, and what a scan of it on one day sees.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::bill::Ledger;
use super::bucket::Bucket;
use super::calendar::{self, Calendar, Day};
use super::catalog;
use super::pipes::Sighting;
use super::query::{self, Query};
use super::seen;
use super::statement::Statement;
use super::storage::{self, Daily, Sight};
use super::{DemoOptions, HISTORY_DAYS, Without};
use crate::model::{Coverage, Row};
use crate::store::table::Table;
use crate::store::tables;

/// A simulated lake: the truth, from which scans see a part.
#[derive(Clone, Debug)]
pub struct Lake {
    /// What it was made from.
    pub options: DemoOptions,
    /// Its days.
    pub calendar: Calendar,
    /// Its buckets, each with what it holds on every day.
    pub buckets: Vec<(Bucket, Daily)>,
    /// Every run of every query.
    pub queries: Vec<Query>,
    /// What everything cost.
    pub ledger: Ledger,
}

/// The rows of one scan by table, and what it saw.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Rows by table name. A table that nothing fills is absent.
    pub rows: BTreeMap<&'static str, Vec<Row>>,
    /// What was seen and what was not.
    pub coverage: Vec<Coverage>,
}

/// The first days that a scan reads; what is older comes over from the scan before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Since {
    /// Of the bill.
    pub bill: Day,
    /// Of sizes and queries.
    pub recent: Day,
}

impl Tables {
    pub(super) fn put(&mut self, table: &Table, rows: impl IntoIterator<Item = Row>) {
        self.rows.entry(table.name).or_default().extend(rows);
    }
}

impl Lake {
    pub(super) fn simulate(options: &DemoOptions) -> Self {
        let calendar = Calendar::new(options.days.max(60));
        let live = |plot| {
            let bucket = Bucket::live(plot, options.seed, calendar);
            let daily = storage::daily(&bucket, calendar);
            (bucket, daily)
        };
        let buckets: Vec<_> = catalog::plots(options).into_iter().map(live).collect();
        let queries: Vec<_> = (0..=calendar.today).flat_map(|day| query::of_day(options.seed, calendar, day)).collect();
        let ledger = Ledger::of(options.seed, calendar, &buckets, &queries);
        Lake { options: options.clone(), calendar, buckets, queries, ledger }
    }

    /// Returns when the newest scan ran.
    pub fn as_of(&self) -> DateTime<Utc> {
        calendar::newest()
    }

    /// Returns everything that a scan at `as_of` sees of the days that it reads.
    pub fn tables(&self, as_of: DateTime<Utc>, since: Since) -> Tables {
        let today = self.calendar.day(as_of.date_naive());
        let mut tables = Tables::default();
        if !self.without(Without::Bill) {
            let (ledger, calendar) = (&self.ledger, self.calendar);
            let statement = Statement { ledger, calendar, today, from: since.bill };
            tables.put(&tables::bill::CHARGES, statement.charges());
            tables.put(&tables::bill::COSTS, statement.costs());
            tables.put(&tables::bill::COSTS_BY_ACCOUNT, statement.costs_by_account());
            tables.put(&tables::bill::COSTS_BY_OPERATION, statement.costs_by_operation());
        }
        self.see_buckets(&mut tables, today, since.recent);
        tables.put(&tables::athena::ATHENA_WORKGROUPS, query::workgroups());
        let mut hashes = BTreeMap::new();
        let oldest = as_of - TimeDelta::days(HISTORY_DAYS.into());
        let remembered = |query: &&Query| query.submitted >= oldest && query.completed() <= as_of;
        let fresh = |query: &&Query| self.calendar.day(query.submitted.date_naive()) >= since.recent;
        let history = self.queries.iter().filter(remembered).filter(fresh).map(|query| query.row(&mut hashes));
        tables.put(&tables::athena::ATHENA_QUERIES, history);
        let account =
            |a: &catalog::Account| Row::new().with("account_id", a.id).with("name", a.name).with("scanned", a.scanned);
        tables.put(&tables::scan::ACCOUNTS, catalog::ACCOUNTS.iter().map(account));
        let buckets: Vec<&Bucket> = self.known(today).map(|(bucket, _)| bucket).collect();
        tables.coverage = seen::coverage(self.calendar, today, since, &buckets, |what| self.without(what));
        Sighting::new(self, as_of, since, self.known(today).collect()).put(&mut tables);
        tables
    }

    fn see_buckets(&self, tables: &mut Tables, today: Day, since: Day) {
        let sight = Sight { calendar: self.calendar, today, lens: !self.without(Without::Lens) };
        for (bucket, daily) in self.known(today) {
            tables.put(&tables::storage::BUCKETS, [sight.bucket(bucket)]);
            tables.put(&tables::storage::LIFECYCLE_RULES, storage::rules(bucket));
            tables.put(&tables::storage::STORAGE, sight.storage(bucket, daily, since));
            tables.put(&tables::storage::MULTIPART_UPLOADS, sight.uploads(bucket));
        }
    }

    /// Returns the buckets that exist on `today`.
    fn known(&self, today: Day) -> impl Iterator<Item = &(Bucket, Daily)> {
        self.buckets.iter().filter(move |(bucket, _)| bucket.created <= today)
    }

    fn without(&self, what: Without) -> bool {
        self.options.without.contains(&what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::fill;

    /// What is simulated.
    const SIMULATED: [&str; 35] = [
        "accounts",
        "athena_queries",
        "athena_workgroups",
        "aws_advice",
        "aws_anomalies",
        "buckets",
        "budgets",
        "charges",
        "cost_forecast",
        "costs",
        "costs_by_account",
        "costs_by_operation",
        "emr_clusters",
        "emr_instance_groups",
        "glue_crawlers",
        "glue_crawls",
        "glue_databases",
        "glue_job_runs",
        "glue_jobs",
        "glue_tables",
        "glue_trigger_conditions",
        "glue_triggers",
        "lifecycle_changes",
        "lifecycle_rules",
        "multipart_uploads",
        "nat_gateways",
        "nat_traffic",
        "redshift_clusters",
        "redshift_workgroups",
        "route_tables",
        "routes",
        "storage",
        "subnets",
        "vpc_endpoints",
        "vpcs",
    ];

    #[test]
    fn every_table_that_is_simulated_is_filled_with_columns_that_exist() {
        let lake = fill(&DemoOptions::default());
        let tables = lake.tables(lake.as_of(), Since::default());
        let filled: Vec<&str> =
            tables.rows.iter().filter(|(_, rows)| !rows.is_empty()).map(|(name, _)| *name).collect();
        assert_eq!(filled, SIMULATED);
        for table in tables::TABLES.iter().filter(|table| SIMULATED.contains(&table.name)) {
            crate::store::batch::to_batch(table, &tables.rows[table.name]).unwrap();
        }
        assert!(tables.coverage.iter().any(Coverage::is_gap));
    }
}
