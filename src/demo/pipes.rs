//! What a scan of the demo sees beside buckets and queries: jobs, catalog, clusters, network, advice, changes of rules;
//! rows and coverage side by side.

use chrono::{DateTime, Utc};

use super::advice::Advisers;
use super::bucket::Bucket;
use super::calendar::{Calendar, Day};
use super::catalog::{ANALYTICS, PAYER, PLATFORM, Plot, VIRGINIA};
use super::changes::{self, Change};
use super::lake::{Lake, Since, Tables};
use super::metastore::{self, Crawl};
use super::metered::Metered;
use super::run::{self, Run};
use super::spark::{JOBS, Job};
use super::storage::Daily;
use super::{clusters, ways};
use crate::model::{Coverage, CoverageState};
use crate::store::table::Table;
use crate::store::tables::{advice, catalog, emr, glue, network, redshift, trail};

/// Days of runs and crawls that the demo keeps: enough to say what a month costs, and few, so that it starts at once.
const HISTORY: Day = 35;
/// Days before that whose bill is looked at: the scan of a morning has none of its own day yet.
const BEFORE: Day = 2;

/// A scan that is being seen.
pub struct Sighting<'a> {
    lake: &'a Lake,
    as_of: DateTime<Utc>,
    today: Day,
    /// First day of histories that is read.
    from: Day,
    metered: Metered<'a>,
    buckets: Vec<&'a (Bucket, Daily)>,
}

impl<'a> Sighting<'a> {
    /// Returns the sighting of a scan at `as_of` that reads histories from `since` on.
    pub fn new(lake: &'a Lake, as_of: DateTime<Utc>, since: Since, buckets: Vec<&'a (Bucket, Daily)>) -> Self {
        let today = lake.calendar.day(as_of.date_naive());
        let from = since.recent.max(today - HISTORY).max(0);
        let metered = Metered::of(&lake.ledger, from.min(today - HISTORY) - BEFORE);
        Sighting { lake, as_of, today, from, metered, buckets }
    }

    /// Puts everything into `tables`.
    pub fn put(&self, tables: &mut Tables) {
        self.jobs(tables);
        self.metastore(tables);
        self.clusters(tables);
        self.network(tables);
        self.advice(tables);
        self.changes(tables);
    }

    fn calendar(&self) -> Calendar {
        self.lake.calendar
    }

    fn seed(&self) -> u64 {
        self.lake.options.seed
    }

    fn runs(&self) -> impl Iterator<Item = Run> {
        let days = self.from..=self.today;
        let runs = days.flat_map(|day| run::of_day(self.seed(), self.calendar(), day, &self.metered));
        runs.filter(|run| run.completed() <= self.as_of)
    }

    fn jobs(&self, tables: &mut Tables) {
        tables.put(&glue::GLUE_JOBS, JOBS.iter().map(|job| job.row(self.calendar())));
        tables.put(&glue::GLUE_JOB_RUNS, self.runs().map(|run| run.row()));
        tables.put(&glue::GLUE_TRIGGERS, JOBS.iter().map(Job::trigger));
        tables.put(&glue::GLUE_TRIGGER_CONDITIONS, JOBS.iter().filter_map(Job::condition));
        let regions: std::collections::BTreeSet<&str> = JOBS.iter().map(|job| job.region).collect();
        for region in regions {
            for (table, read) in [
                (&glue::GLUE_JOBS, "glue:GetJobs"),
                (&glue::GLUE_JOBS, "glue:GetTags"),
                (&glue::GLUE_TRIGGERS, "glue:GetTriggers"),
                (&glue::GLUE_TRIGGER_CONDITIONS, "glue:GetTriggers"),
            ] {
                tables.coverage.push(seen(table, read).at(PLATFORM, Some(region)));
            }
        }
        let history = |job: &Job| {
            let read = seen(&glue::GLUE_JOB_RUNS, "glue:GetJobRuns").at(PLATFORM, Some(job.region)).of(job.name);
            self.days(read, self.from)
        };
        tables.coverage.extend(JOBS.iter().map(history));
    }

    fn metastore(&self, tables: &mut Tables) {
        let (databases, rows) = metastore::tables(self.calendar(), self.today, &self.buckets);
        let plots: Vec<&Plot> = self.buckets.iter().map(|(bucket, _)| &bucket.plot).collect();
        let days = self.from..=self.today;
        let crawls: Vec<Crawl> = days
            .flat_map(|day| metastore::crawls(self.seed(), self.calendar(), day, &plots, &self.metered))
            .filter(|crawl| crawl.completed() <= self.as_of)
            .collect();
        let crawlers = metastore::crawlers(self.calendar(), &plots, &crawls);
        for database in &databases {
            let at = |coverage: Coverage| coverage.at(database.key("account_id"), Some(database.key("region")));
            if database.key("database") == "curated" || database.key("database") == "mart" {
                tables.coverage.push(at(seen(&catalog::GLUE_DATABASES, "glue:GetDatabases")));
                tables.coverage.push(at(seen(&catalog::GLUE_TABLES, "glue:GetTables")));
            }
        }
        for crawler in &crawlers {
            let read = seen(&glue::GLUE_CRAWLS, "glue:ListCrawls").at(PLATFORM, Some(VIRGINIA));
            tables.coverage.push(self.days(read.of(crawler.key("crawler")), self.from));
        }
        tables.coverage.push(seen(&glue::GLUE_CRAWLERS, "glue:GetCrawlers").at(PLATFORM, Some(VIRGINIA)));
        tables.put(&catalog::GLUE_DATABASES, databases);
        tables.put(&catalog::GLUE_TABLES, rows);
        tables.put(&glue::GLUE_CRAWLERS, crawlers);
        tables.put(&glue::GLUE_CRAWLS, crawls.iter().map(Crawl::row));
    }

    fn clusters(&self, tables: &mut Tables) {
        let (found, groups) = clusters::emr(self.seed(), self.calendar(), self.today, &self.metered);
        tables.put(&emr::EMR_CLUSTERS, found);
        tables.put(&emr::EMR_INSTANCE_GROUPS, groups);
        let warehouse = clusters::warehouse(self.calendar(), self.today, &self.metered);
        tables.put(&redshift::REDSHIFT_CLUSTERS, [warehouse]);
        let workgroup = clusters::workgroup(self.calendar(), self.today, &self.metered);
        tables.put(&redshift::REDSHIFT_WORKGROUPS, [workgroup]);
        for (account, table, read) in [
            (PLATFORM, &emr::EMR_CLUSTERS, "emr:ListClusters"),
            (PLATFORM, &emr::EMR_CLUSTERS, "emr:DescribeCluster"),
            (PLATFORM, &emr::EMR_INSTANCE_GROUPS, "emr:ListInstanceGroups"),
            (ANALYTICS, &redshift::REDSHIFT_CLUSTERS, "redshift:DescribeClusters"),
            (ANALYTICS, &redshift::REDSHIFT_WORKGROUPS, "redshift-serverless:ListWorkgroups"),
        ] {
            tables.coverage.push(seen(table, read).at(account, Some(VIRGINIA)));
        }
    }

    fn network(&self, tables: &mut Tables) {
        let found = ways::ways();
        let regions: std::collections::BTreeSet<String> =
            found.vpcs.iter().map(|vpc| vpc.key("region").to_owned()).collect();
        let from = ways::first_day(self.today, self.from);
        for region in &regions {
            for (table, read) in [
                (&network::VPCS, "ec2:DescribeVpcs"),
                (&network::SUBNETS, "ec2:DescribeSubnets"),
                (&network::ROUTE_TABLES, "ec2:DescribeRouteTables"),
                (&network::ROUTES, "ec2:DescribeRouteTables"),
                (&network::VPC_ENDPOINTS, "ec2:DescribeVpcEndpoints"),
                (&network::NAT_GATEWAYS, "ec2:DescribeNatGateways"),
            ] {
                tables.coverage.push(seen(table, read).at(PLATFORM, Some(region)));
            }
            let traffic = seen(&network::NAT_TRAFFIC, "cloudwatch:GetMetricData").at(PLATFORM, Some(region));
            tables.coverage.push(self.days(traffic, from));
        }
        tables.put(&network::VPCS, found.vpcs);
        tables.put(&network::SUBNETS, found.subnets);
        tables.put(&network::ROUTE_TABLES, found.tables);
        tables.put(&network::ROUTES, found.routes);
        tables.put(&network::VPC_ENDPOINTS, found.endpoints);
        tables.put(&network::NAT_GATEWAYS, found.gateways);
        let traffic = ways::traffic(self.seed(), self.calendar(), self.today, from, &self.metered);
        tables.put(&network::NAT_TRAFFIC, traffic);
    }

    fn advice(&self, tables: &mut Tables) {
        if self.lake.options.without.contains(&super::Without::Bill) {
            return;
        }
        let advisers = Advisers { ledger: &self.lake.ledger, calendar: self.calendar(), today: self.today };
        tables.put(&advice::BUDGETS, advisers.budgets());
        tables.put(&advice::AWS_ADVICE, advisers.advice());
        tables.put(&advice::AWS_ANOMALIES, advisers.anomalies());
        tables.put(&advice::COST_FORECAST, advisers.forecast());
        for (table, read) in [
            (&advice::BUDGETS, "budgets:DescribeBudgets"),
            (&advice::AWS_ADVICE, "cost-optimization-hub:ListRecommendations"),
            (&advice::COST_FORECAST, "ce:GetCostForecast"),
        ] {
            tables.coverage.push(seen(table, read).at(PAYER, None));
        }
        let anomalies = seen(&advice::AWS_ANOMALIES, "ce:GetAnomalies").at(PAYER, None);
        tables.coverage.push(self.days(anomalies, self.today - HISTORY));
    }

    fn changes(&self, tables: &mut Tables) {
        let from = self.from.max(self.today - changes::KEPT + 1);
        let kept = |change: &Change| change.at >= self.calendar().at(from, 0) && change.at <= self.as_of;
        let changes = Change::all(self.calendar(), self.buckets.iter().map(|(bucket, _)| bucket));
        tables.put(&trail::LIFECYCLE_CHANGES, changes.iter().filter(|change| kept(change)).map(Change::row));
        let places: std::collections::BTreeSet<(&str, &str)> =
            self.buckets.iter().map(|(bucket, _)| (bucket.plot.account, bucket.plot.region)).collect();
        for (account, region) in places {
            let read = seen(&trail::LIFECYCLE_CHANGES, "cloudtrail:LookupEvents").at(account, Some(region));
            tables.coverage.push(self.days(read, from));
        }
    }

    fn days(&self, read: Coverage, from: Day) -> Coverage {
        read.days(self.calendar().date(from), self.calendar().date(self.today))
    }
}

fn seen(table: &Table, read: &str) -> Coverage {
    Coverage::new(table.name, read, CoverageState::Seen)
}
