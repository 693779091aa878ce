//! Tags of jobs: the list of jobs has none, and Glue tells them one resource at a time.
//!
//! A request for each job, so those that used the most come first and only so many are asked for; the others keep what
//! an earlier scan was told.

use std::collections::BTreeMap;

use aws_sdk_glue::Client;
use futures::StreamExt;
use rust_decimal::Decimal;

use crate::aws::client::partition;
use crate::aws::collect::ask::ask;
use crate::aws::collect::outcome::{Outcome, cover_all};
use crate::aws::collect::pages::spent;
use crate::aws::collect::refusals::Refusals;
use crate::aws::collect::{Failed, Read, Scope, Sink, tags};
use crate::model::Row;
use crate::store::tables::glue::GLUE_JOBS;

/// Jobs asked for at the same time.
const AT_ONCE: usize = 4;

/// The tags of one job.
pub const TAGS: Read = Read::columns("glue:GetTags", "glue:GetTags", "glue_jobs", &["tags"]);

/// DPU-seconds by job.
pub type Used = BTreeMap<String, Decimal>;

/// Adds tags to the rows of jobs, those first that `used` the most.
pub async fn read(scope: &Scope, sink: &Sink, client: &Client, jobs: &mut [Row], used: &Used) {
    for (row, tags) in held(scope, &sink.held_here(&GLUE_JOBS, scope).await, jobs) {
        jobs[row].set("tags", tags);
    }
    let order = ranked(jobs, used, scope.options.glue.tags as usize);
    let refusals = Refusals::default();
    let reads: Vec<_> = order.iter().map(|&at| of(scope, client, &refusals, jobs[at].key("job"))).collect();
    let answers: Vec<Result<String, Failed>> = futures::stream::iter(reads).buffered(AT_ONCE).collect().await;
    let mut outcomes = Vec::new();
    for (&at, answer) in order.iter().zip(answers) {
        outcomes.push(Outcome::of(jobs[at].key("job"), Some(&scope.region), &answer));
        if let Ok(tags) = answer {
            jobs[at].set("tags", tags);
        }
    }
    cover_all(scope, sink, &TAGS, &outcomes).await;
    if jobs.len() > order.len() {
        let why = format!("the {} of {} jobs that used the most were asked for tags", order.len(), jobs.len());
        let cut = spent(&why).gap(&TAGS).at(&scope.account_id, Some(&scope.region));
        sink.cover(cut.counted(order.len(), Some(jobs.len()))).await;
    }
}

/// Returns the places of the jobs to ask for: most used first, then by name.
fn ranked(jobs: &[Row], used: &Used, most: usize) -> Vec<usize> {
    let of = |at: &usize| used.get(jobs[*at].key("job")).copied().unwrap_or_default();
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by(|a, b| of(b).cmp(&of(a)).then_with(|| jobs[*a].key("job").cmp(jobs[*b].key("job"))));
    order.truncate(most);
    order
}

/// Returns what an earlier scan was told, by the place of the job's row.
fn held(scope: &Scope, rows: &[Row], jobs: &[Row]) -> Vec<(usize, String)> {
    let here = |row: &Row| row.key("account_id") == scope.account_id && row.key("region") == scope.region;
    let told: BTreeMap<String, String> = rows
        .iter()
        .filter(|row| here(row))
        .filter_map(|row| Some((row.key("job").to_owned(), row.text("tags")?.raw().to_owned())))
        .collect();
    let of = |(at, job): (usize, &Row)| Some((at, told.get(job.key("job"))?.clone()));
    jobs.iter().enumerate().filter_map(of).collect()
}

async fn of(scope: &Scope, client: &Client, refusals: &Refusals, job: &str) -> Result<String, Failed> {
    if let Some(refusal) = refusals.standing() {
        return Err(refusal);
    }
    let (partition, region, account) = (partition(&scope.region), &scope.region, &scope.account_id);
    let arn = format!("arn:{partition}:glue:{region}:{account}:job/{job}");
    let answer = ask(scope, client.get_tags().resource_arn(arn).send()).await;
    refusals.note(&answer);
    let found = answer?.tags.unwrap_or_default();
    Ok(tags::object(found.iter().map(|(key, value)| (Some(key.as_str()), Some(value.as_str())))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::collect::glue::tests::scope;

    fn job(name: &str) -> Row {
        Row::new().with("account_id", "111122223333").with("region", "us-east-1").with("job", name)
    }

    #[test]
    fn jobs_that_used_the_most_are_asked_first_and_idle_ones_by_name() {
        let jobs = ["b", "idle", "a", "busy"].map(job);
        let used = Used::from([("busy".to_owned(), Decimal::TEN), ("a".to_owned(), Decimal::ONE)]);
        let names = |most| ranked(&jobs, &used, most).into_iter().map(|at| jobs[at].key("job")).collect::<Vec<_>>();
        assert_eq!(names(9), ["busy", "a", "b", "idle"]);
        assert_eq!(names(1), ["busy"]);
    }

    #[test]
    fn tags_of_an_earlier_scan_stay_with_their_job_and_not_with_one_of_another_region() {
        let scope = scope(vec![]);
        let row = |name: &str, region: &str| {
            job(name).with("account_id", scope.account_id.as_str()).with("region", region).with("tags", "{}")
        };
        let earlier = vec![row("a", &scope.region), row("b", "ap-south-1"), row("gone", &scope.region)];
        assert_eq!(held(&scope, &earlier, &[job("b"), job("a")]), [(1, "{}".to_owned())]);
    }
}
