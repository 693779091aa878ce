//! Runs of the demo's Glue jobs: the DPU-hours of the bill's line, shared out among the jobs that are on it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::calendar::{Calendar, Day};
use super::catalog::PLATFORM;
use super::metered::{Metered, parts};
use super::random::{Random, share};
use super::spark::{JOBS, Job};
use crate::model::Row;

/// Of what its workers could use, what a run with auto scaling uses, in thousandths.
const SCALED: i64 = 620;

/// One run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The job.
    pub job: &'static Job,
    /// Run id.
    pub id: String,
    /// 0 for the first try.
    pub attempt: i64,
    /// The run that it tries again.
    pub previous: Option<String>,
    /// When it was started.
    pub started: DateTime<Utc>,
    /// How long it ran.
    pub seconds: i64,
    /// What it is billed for.
    pub dpu_seconds: i64,
    /// True when it failed.
    pub failed: bool,
}

/// Returns the runs of one day, by job.
pub fn of_day(seed: u64, calendar: Calendar, day: Day, metered: &Metered<'_>) -> Vec<Run> {
    let mut weights: BTreeMap<&str, i64> = BTreeMap::new();
    for job in JOBS {
        *weights.entry(job.usage_type).or_default() += job.weight;
    }
    let of_job = |job: &'static Job| {
        let line = metered.whole(PLATFORM, job.usage_type, day, 3600);
        runs(seed, calendar, day, job, line * job.weight / weights[job.usage_type].max(1))
    };
    JOBS.iter().filter(|job| job.runs > 0).flat_map(of_job).collect()
}

fn runs(seed: u64, calendar: Calendar, day: Day, job: &'static Job, dpu_seconds: i64) -> Vec<Run> {
    let mut random = Random::new(seed, &format!("job {} {}", job.name, calendar.date(day)));
    let mut made = Vec::new();
    let shares = parts(dpu_seconds, job.runs, |even| random.around(even, 120));
    for (place, dpu_seconds) in (0..).zip(shares) {
        let minute = job.first_minute() + place * 1440 / job.runs;
        let started = calendar.at(day, minute * 60 + random.between(2, 50));
        tries(&mut random, job, started, dpu_seconds, &mut made);
    }
    made
}

/// A run that fails is tried again as long as the job says so; all tries are billed.
fn tries(random: &mut Random, job: &'static Job, started: DateTime<Utc>, whole: i64, made: &mut Vec<Run>) {
    let (mut left, mut started, mut previous) = (whole, started, None);
    for attempt in 0..=job.retries {
        let failed = random.chance(job.fails);
        let used = if failed && attempt < job.retries { share(left, random.between(150, 500)) } else { left };
        left -= used;
        let id = format!("jr_{}{}{}{}", random.hex(16), random.hex(16), random.hex(16), random.hex(16));
        let run = Run::new(job, id.clone(), (attempt, previous), started, (used, failed));
        started = run.completed() + TimeDelta::seconds(30);
        made.push(run);
        previous = Some(id);
        if !failed {
            return;
        }
    }
}

impl Run {
    fn new(
        job: &'static Job,
        id: String,
        (attempt, previous): (i64, Option<String>),
        started: DateTime<Utc>,
        (used, failed): (i64, bool),
    ) -> Self {
        let reported = job.scales || job.is_flex();
        let seconds = if reported { used * 1000 / (job.dpu() * SCALED) } else { used / job.dpu() }.max(1);
        let dpu_seconds = if reported { used } else { seconds * job.dpu() };
        Run { job, id, attempt, previous, started, seconds, dpu_seconds, failed }
    }

    /// Returns when it ended.
    pub fn completed(&self) -> DateTime<Utc> {
        self.started + TimeDelta::seconds(self.seconds + 40)
    }

    /// Returns the row of `glue_job_runs`.
    pub fn row(&self) -> Row {
        let (job, dpu) = (self.job, Decimal::from(self.job.dpu()));
        let reported = job.scales || job.is_flex();
        let error = if self.dpu_seconds % 3 == 0 { "OUT_OF_MEMORY_ERROR" } else { "QUERY_ERROR" };
        Row::new()
            .with("account_id", PLATFORM)
            .with("region", job.region)
            .with("job", job.name)
            .with("run_id", self.id.as_str())
            .with("attempt", self.attempt)
            .with("previous_run_id", self.previous.as_deref())
            .with("trigger", job.trigger_name())
            .with("started", self.started)
            .with("completed", self.completed())
            .with("state", if self.failed { "FAILED" } else { "SUCCEEDED" })
            .with("ended", true)
            .with("execution_seconds", self.seconds)
            .with("timeout_minutes", job.timeout)
            .with("glue_version", job.version)
            .with("worker_type", job.worker)
            .with("number_of_workers", job.workers)
            .with("max_capacity", dpu)
            .with("allocated_dpu", dpu)
            .with("dpu_unit", "DPU")
            .with("execution_class", if job.is_flex() { "FLEX" } else { "STANDARD" })
            .with("reported_dpu_seconds", reported.then(|| Decimal::from(self.dpu_seconds)))
            .with("dpu_seconds", Decimal::from(self.dpu_seconds))
            .with("dpu_basis", if reported { "reported" } else { "allocated" })
            .with("error_category", self.failed.then_some(error))
            .with("predecessors", "[]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{DemoOptions, fill};

    #[test]
    fn runs_of_a_job_do_not_overlap_and_a_retry_follows_its_failure() {
        let lake = fill(&DemoOptions { days: 60, ..DemoOptions::default() });
        let metered = Metered::of(&lake.ledger, 0);
        let runs: Vec<Run> = (0..60).flat_map(|day| of_day(42, lake.calendar, day, &metered)).collect();
        let retries: Vec<&Run> = runs.iter().filter(|run| run.attempt > 0).collect();
        assert!(retries.len() > 5, "{}", retries.len());
        for retry in retries {
            let first = runs.iter().find(|run| Some(&run.id) == retry.previous.as_ref()).unwrap();
            assert!(first.failed && first.completed() < retry.started);
        }
        for job in JOBS {
            let mut own: Vec<&Run> = runs.iter().filter(|run| run.job.name == job.name).collect();
            own.sort_by_key(|run| run.started);
            assert!(own.windows(2).all(|two| two[0].completed() <= two[1].started), "{} overlaps itself", job.name);
        }
    }
}
