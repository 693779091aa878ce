//! The demo's Glue jobs: what runs when, on what. A table by hand; their runs are in `run.rs`.

use super::calendar::Calendar;
use super::catalog::{IRELAND, PLATFORM, TOKYO, VIRGINIA};
use super::random::Random;
use crate::model::Row;

/// A Glue job of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Region; all of them are the platform's.
    pub region: &'static str,
    /// Name.
    pub name: &'static str,
    /// The line of the bill that its runs are on.
    pub usage_type: &'static str,
    /// Who answers for it, by its tag.
    pub owner: Option<&'static str>,
    /// Glue version.
    pub version: &'static str,
    /// Worker type.
    pub worker: &'static str,
    /// Workers.
    pub workers: i64,
    /// True with auto scaling.
    pub scales: bool,
    /// Minutes; none for Glue's default.
    pub timeout: Option<i64>,
    /// Retries after a failure.
    pub retries: i64,
    /// Runs a day.
    pub runs: i64,
    /// Its share of the line, beside the other jobs on it.
    pub weight: i64,
    /// How many of a thousand runs fail.
    pub fails: i64,
}

const STANDARD: Job = Job {
    region: VIRGINIA,
    name: "",
    usage_type: "USE1-ETL-DPU-Hour",
    owner: Some("team-platform"),
    version: "4.0",
    worker: "G.1X",
    workers: 10,
    scales: false,
    timeout: Some(240),
    retries: 1,
    runs: 1,
    weight: 100,
    fails: 8,
};
const FLEX: Job = Job { usage_type: "USE1-ETL-Flex-DPU-Hour", timeout: Some(600), ..STANDARD };
const EU: Job = Job { usage_type: "EU-ETL-DPU-Hour", region: IRELAND, ..STANDARD };
const APN: Job = Job { usage_type: "APN1-ETL-DPU-Hour", region: TOKYO, owner: None, ..STANDARD };

/// Every job. Some are run well; some fail and try again, are larger than their work, or have not run for months.
pub const JOBS: &[Job] = &[
    Job { name: "events-sessionize", worker: "G.2X", workers: 20, runs: 4, weight: 300, ..STANDARD },
    Job { name: "orders-daily", workers: 30, runs: 2, weight: 120, owner: Some("team-commerce"), ..STANDARD },
    Job {
        name: "payments-ledger",
        workers: 20,
        timeout: None,
        retries: 3,
        weight: 90,
        fails: 220,
        owner: Some("team-payments"),
        ..STANDARD
    },
    Job { name: "catalog-sync", runs: 4, weight: 60, owner: Some("team-commerce"), ..STANDARD },
    Job { name: "ads-attribution", version: "2.0", worker: "G.4X", runs: 2, weight: 180, owner: None, ..STANDARD },
    Job { name: "search-index", weight: 50, owner: Some("team-search"), ..STANDARD },
    Job { name: "telemetry-rollup", workers: 50, scales: true, runs: 3, weight: 100, version: "5.0", ..STANDARD },
    Job { name: "fraud-features", worker: "G.2X", workers: 20, scales: true, runs: 2, weight: 80, ..STANDARD },
    Job { name: "legacy-import", version: "1.0", workers: 5, weight: 20, owner: None, timeout: None, ..STANDARD },
    Job { name: "mobile-backfill-2025", workers: 60, runs: 0, weight: 0, owner: None, timeout: None, ..STANDARD },
    Job { name: "logs-compact", workers: 20, runs: 2, weight: 70, ..FLEX },
    Job { name: "archive-parquet", weight: 30, fails: 60, ..FLEX },
    Job { name: "crm-daily", workers: 20, weight: 30, owner: Some("team-growth"), ..EU },
    Job { name: "web-sessionize", workers: 20, runs: 2, weight: 50, ..EU },
    Job { name: "shipping-eta", runs: 2, weight: 20, owner: Some("team-logistics"), fails: 90, ..EU },
    Job { name: "iot-rollup", runs: 2, weight: 60, ..APN },
    Job { name: "pricing-refresh", workers: 5, runs: 2, weight: 40, ..APN },
];

impl Job {
    /// Returns the DPUs of a run.
    pub fn dpu(&self) -> i64 {
        let size = match self.worker {
            "G.2X" => 2,
            "G.4X" => 4,
            _ => 1,
        };
        size * self.workers
    }

    /// Returns true for jobs that wait for spare capacity.
    pub fn is_flex(&self) -> bool {
        self.usage_type.contains("Flex")
    }

    /// Returns the minute of the day of its first run.
    pub fn first_minute(&self) -> i64 {
        Random::new(0, self.name).between(20, 230)
    }

    /// Returns the row of `glue_jobs`.
    pub fn row(&self, calendar: Calendar) -> Row {
        let made = Random::new(0, self.name).between(200, 900);
        let created = calendar.at(calendar.today, 36_000) - chrono::TimeDelta::days(made);
        let tags = self.owner.map_or_else(|| "{}".to_owned(), |owner| format!("{{\"team\":\"{owner}\"}}"));
        let class = if self.is_flex() { "FLEX" } else { "STANDARD" };
        let settings = if self.scales { "{\"--enable-auto-scaling\":\"true\"}" } else { "{}" };
        place(self.region)
            .with("job", self.name)
            .with("job_type", "glueetl")
            .with("job_mode", "SCRIPT")
            .with("python_version", "3")
            .with("glue_version", self.version)
            .with("worker_type", self.worker)
            .with("number_of_workers", self.workers)
            .with("max_capacity", rust_decimal::Decimal::from(self.dpu()))
            .with("allocated_dpu", rust_decimal::Decimal::from(self.dpu()))
            .with("dpu_unit", "DPU")
            .with("execution_class", class)
            .with("timeout_minutes", self.timeout)
            .with("max_retries", self.retries)
            .with("max_concurrent_runs", 1)
            .with("queuing", false)
            .with("auto_scaling", self.scales)
            .with("bookmark", "job-bookmark-disable")
            .with("metrics", self.weight > 90)
            .with("observability_metrics", false)
            .with("spark_ui", true)
            .with("continuous_log", self.weight > 50)
            .with("known_arguments", settings)
            .with("other_arguments", "[\"--TempDir\",\"--target\"]")
            .with("script_location", format!("s3://nw-glue-assets-2222-{}/scripts/{}.py", self.region, self.name))
            .with("role", "arn:aws:iam::222233334444:role/glue-etl")
            .with("connection_count", 0)
            .with("created", created)
            .with("last_modified", created + chrono::TimeDelta::days(made / 3))
            .with("tags", tags)
    }

    /// Returns the row of `glue_triggers`: by the clock, or after another job.
    pub fn trigger(&self) -> Row {
        let row = place(self.region).with("trigger", self.trigger_name()).with("position", 0);
        let row = row.with("starts_job", self.name).with("known_arguments", "{}").with("other_arguments", "[]");
        if self.after().is_some() {
            return row.with("trigger_type", "CONDITIONAL").with("state", "ACTIVATED");
        }
        let (hour, minute) = (self.first_minute() / 60, self.first_minute() % 60);
        let hours = if self.runs > 1 { format!("{hour}/{}", 24 / self.runs) } else { hour.to_string() };
        row.with("trigger_type", "SCHEDULED")
            .with("state", if self.runs > 0 { "ACTIVATED" } else { "DEACTIVATED" })
            .with("schedule", format!("cron({minute} {hours} * * ? *)"))
    }

    /// Returns the row of `glue_trigger_conditions`, for a job that waits for another.
    pub fn condition(&self) -> Option<Row> {
        let row = place(self.region).with("trigger", self.trigger_name()).with("position", 0).with("logical", "AND");
        Some(row.with("waits_for_job", self.after()?).with("state", "SUCCEEDED"))
    }

    /// Returns the name of what starts it.
    pub fn trigger_name(&self) -> String {
        format!("start-{}", self.name)
    }

    fn after(&self) -> Option<&'static str> {
        (self.name == "fraud-features").then_some("payments-ledger")
    }
}

fn place(region: &str) -> Row {
    Row::new().with("account_id", PLATFORM).with("region", region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_on_the_line_of_its_own_region() {
        for job in JOBS {
            let prefix = crate::demo::catalog::REGIONS.iter().find(|(region, _)| *region == job.region).unwrap().1;
            let prefix = if prefix.is_empty() { "USE1-" } else { prefix };
            assert!(job.usage_type.starts_with(prefix), "{}", job.name);
        }
    }
}
