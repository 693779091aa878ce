//! Triggers: what they start, when, and what they wait for.

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{
    Action, Condition, CrawlState, EventBatchingCondition, JobRunState, Logical, Trigger, TriggerState, TriggerType,
};

use super::arguments::Arguments;
use crate::aws::collect::ask::ask;
use crate::aws::collect::pages::{Listed, list};
use crate::aws::collect::{Read, Scope};
use crate::model::Row;

/// Triggers on a page (Glue API reference: at most 200).
const PAGE: i32 = 200;

/// The list.
pub const TRIGGERS: Read = Read::rows("glue:GetTriggers", "glue:GetTriggers", "glue_triggers");
/// The conditions in it.
pub const CONDITIONS: Read = Read::rows("glue:GetTriggers", "glue:GetTriggers", "glue_trigger_conditions");

/// Returns the triggers of the Region.
pub async fn triggers(scope: &Scope, client: &Client) -> Listed<Trigger> {
    list(|token| {
        let call = client.get_triggers().max_results(PAGE).set_next_token(token);
        async {
            let page = ask(scope, call.send()).await?;
            Ok((page.triggers.unwrap_or_default(), page.next_token))
        }
    })
    .await
}

/// Returns one row for each thing that the trigger starts, or one when it starts nothing.
pub fn rows(scope: &Scope, trigger: &Trigger) -> Vec<Row> {
    let batch = trigger.event_batching_condition();
    let row = super::place(Row::new(), scope)
        .with("trigger", trigger.name())
        .with("workflow", trigger.workflow_name())
        .with("trigger_type", trigger.r#type().map(TriggerType::as_str))
        .with("state", trigger.state().map(TriggerState::as_str))
        .with("schedule", trigger.schedule().filter(|schedule| !schedule.is_empty()))
        .with("event_batch_size", batch.map(EventBatchingCondition::batch_size))
        .with("event_batch_window_seconds", batch.and_then(EventBatchingCondition::batch_window));
    if trigger.actions().is_empty() {
        return vec![row.with("position", 0)];
    }
    let actions = trigger.actions().iter().enumerate();
    actions.map(|(position, action)| started(row.clone().with("position", position), action)).collect()
}

fn started(row: Row, action: &Action) -> Row {
    let arguments = Arguments::of([action.arguments()]);
    row.with("starts_job", action.job_name())
        .with("starts_crawler", action.crawler_name())
        .with("timeout_minutes", action.timeout())
        .with("known_arguments", arguments.known())
        .with("other_arguments", arguments.others())
}

/// Returns one row for each thing that the trigger waits for.
pub fn conditions(scope: &Scope, trigger: &Trigger) -> Vec<Row> {
    let Some(predicate) = trigger.predicate() else { return Vec::new() };
    let logical = predicate.logical().map(Logical::as_str);
    let conditions = predicate.conditions().iter().enumerate();
    let row = |(position, condition): (usize, &Condition)| {
        let state = condition.state().map(JobRunState::as_str);
        super::place(Row::new(), scope)
            .with("trigger", trigger.name())
            .with("position", position)
            .with("logical", logical)
            .with("waits_for_job", condition.job_name())
            .with("waits_for_crawler", condition.crawler_name())
            .with("state", state.or_else(|| condition.crawl_state().map(CrawlState::as_str)))
    };
    conditions.map(row).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_glue::types::{JobRunState, Logical, Predicate, TriggerType};

    use super::*;
    use crate::aws::collect::glue::tests::scope;

    #[test]
    fn a_trigger_has_a_row_for_each_thing_that_it_starts_and_waits_for() {
        let action = |name: &str| Action::builder().job_name(name).arguments("--token", "hunter2").build();
        let waits = Condition::builder().job_name("load").state(JobRunState::Succeeded).build();
        let predicate = Predicate::builder().logical(Logical::Any).conditions(waits).build();
        let trigger = Trigger::builder().name("t").r#type(TriggerType::Conditional).predicate(predicate);
        let trigger = trigger.actions(action("a")).actions(action("b")).build();
        let rows = rows(&scope(vec![]), &trigger);
        let started: Vec<_> = rows.iter().map(|row| (row.int("position"), row.key("starts_job"))).collect();
        assert_eq!(started, [(Some(0), "a"), (Some(1), "b")]);
        assert!(!format!("{rows:?}").contains("hunter2"));
        let waits = conditions(&scope(vec![]), &trigger);
        assert_eq!((waits[0].key("waits_for_job"), waits[0].key("logical")), ("load", "ANY"));
    }

    #[test]
    fn a_trigger_that_starts_nothing_keeps_its_row() {
        let rows = rows(&scope(vec![]), &Trigger::builder().name("idle").build());
        assert_eq!((rows.len(), rows[0].text("starts_job")), (1, None));
    }
}
