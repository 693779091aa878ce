//! Jobs as they are defined.
//!
//! Arguments pass through [`Arguments`]: no value of an unknown one is kept.

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{ExecutionProperty, Job, JobMode, WorkerType};

use super::arguments::Arguments;
use super::capacity::Workers;
use crate::aws::collect::ask::ask;
use crate::aws::collect::instant::utc;
use crate::aws::collect::pages::{Listed, list};
use crate::aws::collect::{Read, Scope};
use crate::model::Row;

/// Jobs on a page: each may be long (Glue takes up to 1,000).
const PAGE: i32 = 100;

/// The list.
pub const JOBS: Read = Read::rows("glue:GetJobs", "glue:GetJobs", "glue_jobs");

/// Returns the jobs of the Region.
pub async fn jobs(scope: &Scope, client: &Client) -> Listed<Job> {
    list(|token| {
        let call = client.get_jobs().max_results(PAGE).set_next_token(token);
        async {
            let page = ask(scope, call.send()).await?;
            Ok((page.jobs.unwrap_or_default(), page.next_token))
        }
    })
    .await
}

/// Returns the row of a job.
pub fn row(scope: &Scope, job: &Job) -> Row {
    let command = job.command();
    let of_command = Row::new()
        .with("job_type", job_type(job))
        .with("python_version", command.and_then(|command| command.python_version()))
        .with("script_location", command.and_then(|command| command.script_location()));
    let row = sized(with_arguments(super::place(of_command, scope), job), job);
    row.with("job", job.name())
        .with("job_mode", job.job_mode().map(JobMode::as_str))
        .with("glue_version", job.glue_version())
        .with("execution_class", job.execution_class().map_or("STANDARD", |class| class.as_str()))
        .with("timeout_minutes", job.timeout())
        .with("max_retries", job.max_retries())
        .with(
            "max_concurrent_runs",
            job.execution_property().map(ExecutionProperty::max_concurrent_runs).filter(|n| *n > 0),
        )
        .with("queuing", job.job_run_queuing_enabled())
        .with("role", job.role())
        .with("connection_count", job.connections().map_or(0, |connections| connections.connections().len()))
        .with("created", job.created_on().and_then(utc))
        .with("last_modified", job.last_modified_on().and_then(utc))
}

/// Returns what kind of job it is.
pub fn job_type(job: &Job) -> Option<&str> {
    job.command().and_then(|command| command.name())
}

fn sized(row: Row, job: &Job) -> Row {
    let workers = Workers {
        kind: job.worker_type().map(WorkerType::as_str),
        number: job.number_of_workers(),
        max_capacity: job.max_capacity(),
    };
    row.with("worker_type", workers.kind)
        .with("number_of_workers", workers.number)
        .with("max_capacity", workers.max_capacity())
        .with("allocated_dpu", workers.dpu())
        .with("dpu_unit", workers.dpu().map(|_| workers.unit()))
}

fn with_arguments(row: Row, job: &Job) -> Row {
    let arguments = Arguments::of([job.default_arguments(), job.non_overridable_arguments()]);
    let runs_spark = job_type(job).is_some_and(|kind| matches!(kind, "glueetl" | "gluestreaming"));
    let switch = |name| arguments.switch(name).unwrap_or(false);
    let bookmark = arguments.setting("--job-bookmark-option").unwrap_or("job-bookmark-disable");
    row.with("auto_scaling", runs_spark.then(|| switch("--enable-auto-scaling")))
        .with("bookmark", runs_spark.then_some(bookmark))
        .with("metrics", switch("--enable-metrics"))
        .with("observability_metrics", switch("--enable-observability-metrics"))
        .with("spark_ui", switch("--enable-spark-ui"))
        .with("continuous_log", switch("--enable-continuous-cloudwatch-log"))
        .with("known_arguments", arguments.known())
        .with("other_arguments", arguments.others())
}

#[cfg(test)]
mod tests {
    use aws_sdk_glue::types::{JobCommand, WorkerType};

    use super::*;
    use crate::aws::collect::glue::tests::scope;

    fn job() -> aws_sdk_glue::types::builders::JobBuilder {
        Job::builder().name("etl").command(JobCommand::builder().name("glueetl").build())
    }

    #[test]
    fn a_job_without_arguments_has_the_defaults_of_glue() {
        let row = row(&scope(vec![]), &job().build());
        assert_eq!((row.flag("auto_scaling"), row.flag("metrics")), (Some(false), Some(false)));
        assert_eq!((row.key("bookmark"), row.key("execution_class")), ("job-bookmark-disable", "STANDARD"));
        assert_eq!(row.int("timeout_minutes"), None, "the default depends on the Glue version");
    }

    #[test]
    fn auto_scaling_and_bookmarks_do_not_apply_to_a_python_shell() {
        let shell = job().command(JobCommand::builder().name("pythonshell").build()).max_capacity(0.0625).build();
        let row = row(&scope(vec![]), &shell);
        assert_eq!((row.flag("auto_scaling"), row.text("bookmark")), (None, None));
        assert_eq!(row.decimal("allocated_dpu").unwrap().to_string(), "0.0625");
    }

    #[test]
    fn a_worker_type_that_the_sdk_does_not_know_is_kept_as_glue_wrote_it() {
        let job = job().worker_type(WorkerType::from("G.64X")).number_of_workers(4).build();
        let row = row(&scope(vec![]), &job);
        assert_eq!((row.key("worker_type"), row.decimal("allocated_dpu")), ("G.64X", None));
    }
}
