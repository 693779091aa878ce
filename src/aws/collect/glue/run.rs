//! One run of a job as a row: what it was given, what it used, how it ended.
//!
//! The text of an error and the values of arguments are never kept.

use aws_sdk_glue::types::{JobRun, JobRunState, WorkerType};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::capacity::{Basis, Workers, billed, exact, minimum_seconds};
use super::cause::category;
use crate::aws::collect::Scope;
use crate::aws::collect::instant::utc;
use crate::model::Row;

/// States after which nothing of a run changes.
const ENDED: &[&str] = &["SUCCEEDED", "FAILED", "TIMEOUT", "ERROR", "STOPPED", "EXPIRED"];

/// Returns true when the run has ended.
pub fn has_ended(run: &JobRun) -> bool {
    run.job_run_state().is_some_and(|state| ENDED.contains(&state.as_str()))
}

/// Returns the row of a run of `job`.
pub fn row(scope: &Scope, job: &str, job_type: Option<&str>, run: &JobRun) -> Row {
    let arguments = Arguments::of([run.arguments()]);
    let row = used(super::place(Row::new(), scope), job_type, run);
    row.with("job", job)
        .with("run_id", run.id())
        .with("attempt", run.attempt())
        .with("previous_run_id", run.previous_run_id().filter(|id| !id.is_empty()))
        .with("trigger", run.trigger_name().filter(|name| !name.is_empty()))
        .with("workflow", arguments.workflow())
        .with("workflow_run_id", arguments.workflow_run_id())
        .with("started", run.started_on().and_then(utc))
        .with("completed", run.completed_on().and_then(utc))
        .with("state", run.job_run_state().map(JobRunState::as_str))
        .with("ended", has_ended(run))
        .with("timeout_minutes", run.timeout())
        .with("glue_version", run.glue_version())
        .with("execution_class", run.execution_class().map_or("STANDARD", |class| class.as_str()))
        .with("auto_scaling", arguments.switch("--enable-auto-scaling"))
        .with("bookmark", arguments.setting("--job-bookmark-option"))
        .with("error_category", run.error_message().and_then(category))
        .with("predecessors", predecessors(run))
}

fn used(row: Row, job_type: Option<&str>, run: &JobRun) -> Row {
    let workers = Workers {
        kind: run.worker_type().map(WorkerType::as_str),
        number: run.number_of_workers(),
        max_capacity: run.max_capacity(),
    };
    let reported = run.dpu_seconds().and_then(exact).filter(|used| *used > Decimal::ZERO);
    let seconds = seconds(run);
    let minimum = minimum_seconds(job_type, run.glue_version());
    let bill = seconds.and_then(|seconds| billed(reported, seconds, workers.dpu(), minimum));
    row.with("worker_type", workers.kind)
        .with("number_of_workers", workers.number)
        .with("max_capacity", workers.max_capacity())
        .with("allocated_dpu", workers.dpu())
        .with("dpu_unit", workers.dpu().map(|_| workers.unit()))
        .with("execution_seconds", seconds)
        .with("reported_dpu_seconds", reported)
        .with("dpu_seconds", bill.map(|(used, _)| used))
        .with("dpu_basis", bill.map(|(_, basis)| Basis::as_str(basis)))
}

/// Returns the seconds that used resources. The SDK says 0 where Glue says nothing: a run that succeeded in no time is
/// one of which nobody knows.
fn seconds(run: &JobRun) -> Option<i64> {
    let never_ran = run.job_run_state().is_some_and(|state| state.as_str() != "SUCCEEDED");
    let known = has_ended(run) && (run.execution_time() > 0 || never_ran);
    known.then(|| run.execution_time().max(0).into())
}

fn predecessors(run: &JobRun) -> Option<String> {
    let of = |before: &aws_sdk_glue::types::Predecessor| json!({"job": before.job_name(), "run_id": before.run_id()});
    let before: Vec<Value> = run.predecessor_runs().iter().map(of).collect();
    (!before.is_empty()).then(|| Value::from(before).to_string())
}

#[cfg(test)]
mod tests {
    use aws_sdk_glue::types::{JobRunState, WorkerType};

    use super::*;
    use crate::aws::collect::glue::tests::scope;

    fn run(state: JobRunState, seconds: i32) -> aws_sdk_glue::types::builders::JobRunBuilder {
        let run = JobRun::builder().id("jr_1").job_run_state(state).execution_time(seconds);
        run.worker_type(WorkerType::G1X).number_of_workers(10).glue_version("4.0")
    }

    fn row_of(run: aws_sdk_glue::types::builders::JobRunBuilder) -> Row {
        row(&scope(vec![]), "etl", Some("glueetl"), &run.build())
    }

    #[test]
    fn a_failed_run_costs_what_it_used() {
        let row = row_of(run(JobRunState::Failed, 900).error_message("KeyError: 'jane'").attempt(1));
        assert_eq!(row.decimal("dpu_seconds"), Some(Decimal::from(9_000)));
        assert_eq!((row.key("dpu_basis"), row.key("error_category")), ("allocated", "UNCLASSIFIED_ERROR"));
        assert!(!format!("{row:?}").contains("jane"));
    }

    #[test]
    fn a_run_that_has_not_ended_has_no_cost_yet() {
        let row = row_of(run(JobRunState::Running, 300));
        assert_eq!((row.decimal("dpu_seconds"), row.int("execution_seconds")), (None, None));
        assert_eq!(row.flag("ended"), Some(false));
    }

    #[test]
    fn a_run_that_failed_before_it_began_cost_nothing_and_one_that_succeeded_in_no_time_is_unknown() {
        assert_eq!(row_of(run(JobRunState::Failed, 0)).decimal("dpu_seconds"), Some(Decimal::ZERO));
        assert_eq!(row_of(run(JobRunState::Succeeded, 0)).decimal("dpu_seconds"), None);
    }

    #[test]
    fn what_glue_reports_comes_before_what_was_allocated() {
        let row = row_of(run(JobRunState::Succeeded, 100).dpu_seconds(432.5));
        assert_eq!(row.decimal("dpu_seconds").unwrap().normalize().to_string(), "432.5");
        assert_eq!(row.key("dpu_basis"), "reported");
    }

    #[test]
    fn a_state_that_the_sdk_does_not_know_is_not_taken_for_an_end() {
        assert_eq!(row_of(run(JobRunState::from("PAUSED"), 100)).flag("ended"), Some(false));
    }

    #[test]
    fn the_workflow_of_a_run_is_kept_and_its_other_arguments_are_not() {
        let run = run(JobRunState::Succeeded, 100).arguments("--WORKFLOW_NAME", "nightly");
        let row = row_of(run.arguments("--db_password", "hunter2"));
        assert_eq!(row.key("workflow"), "nightly");
        assert!(!format!("{row:?}").contains("hunter2"));
    }
}
