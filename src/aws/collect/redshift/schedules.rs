//! Scheduled actions: which clusters are paused and resumed by the clock.

use aws_sdk_redshift::Client;
use aws_sdk_redshift::types::{ScheduledAction, ScheduledActionState, ScheduledActionType};
use serde_json::{Value, json};

use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope, instant};
use crate::model::Row;

/// Most actions in one answer (Redshift API reference).
const PAGE: i32 = 100;

/// The actions of all clusters.
pub const SCHEDULES: Read = Read::columns(
    "redshift:DescribeScheduledActions",
    "redshift:DescribeScheduledActions",
    "redshift_clusters",
    &["scheduled_actions", "pause_scheduled", "resume_scheduled"],
);

/// Returns the scheduled actions of the Region: all of them, or none.
pub async fn list(scope: &Scope, client: &Client) -> Result<Vec<ScheduledAction>, Failed> {
    let (mut found, mut marker) = (Vec::new(), None);
    loop {
        let call = client.describe_scheduled_actions().max_records(PAGE).set_marker(marker.take());
        let page = ask(scope, call.send()).await?;
        found.extend(page.scheduled_actions.unwrap_or_default());
        match page.marker {
            Some(next) if !next.is_empty() => marker = Some(next),
            _ => return Ok(found),
        }
    }
}

/// What an action does, and to which cluster.
fn target(action: &ScheduledActionType) -> Option<(&'static str, &str)> {
    let pause = action.pause_cluster().map(|pause| ("pause", pause.cluster_identifier()));
    let resume = || action.resume_cluster().map(|resume| ("resume", resume.cluster_identifier()));
    let resize = || action.resize_cluster().map(|resize| ("resize", resize.cluster_identifier()));
    pause.or_else(resume).or_else(resize).and_then(|(what, cluster)| Some((what, cluster?)))
}

/// Returns the row with the actions of its cluster; none of them is known to be none.
pub fn with_schedules(row: Row, all: &[ScheduledAction]) -> Row {
    let name = row.key("cluster").to_owned();
    let own = all.iter().filter_map(|action| Some((target(action.target_action()?)?, action)));
    let own: Vec<_> =
        own.filter(|((_, cluster), _)| *cluster == name).map(|((what, _), action)| (what, action)).collect();
    let active = |wanted: &str| {
        own.iter().any(|(what, action)| *what == wanted && action.state() == Some(&ScheduledActionState::Active))
    };
    let (pause, resume) = (active("pause"), active("resume"));
    row.with("scheduled_actions", own.iter().map(|(what, action)| told(what, action)).collect::<Value>().to_string())
        .with("pause_scheduled", pause)
        .with("resume_scheduled", resume)
}

fn told(what: &str, action: &ScheduledAction) -> Value {
    json!({
        "action": what,
        "schedule": action.schedule(),
        "state": action.state().map(ScheduledActionState::as_str),
        "until": action.end_time().and_then(instant::utc),
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_redshift::types::{PauseClusterMessage, ResumeClusterMessage};

    use super::*;

    #[test]
    fn a_schedule_that_is_off_pauses_nothing_and_one_of_another_cluster_neither() {
        let pause = |cluster: &str| {
            ScheduledActionType::builder()
                .pause_cluster(PauseClusterMessage::builder().cluster_identifier(cluster).build())
        };
        let resume = ResumeClusterMessage::builder().cluster_identifier("a").build();
        let resume = ScheduledActionType::builder().resume_cluster(resume);
        let action = |target: aws_sdk_redshift::types::builders::ScheduledActionTypeBuilder, state| {
            ScheduledAction::builder().target_action(target.build()).schedule("cron(0 20 * * ? *)").state(state).build()
        };
        let (on, off) = (ScheduledActionState::Active, ScheduledActionState::Disabled);
        let all = [action(pause("a"), off), action(resume, on.clone()), action(pause("b"), on)];
        let row = with_schedules(Row::new().with("cluster", "a"), &all);
        assert_eq!((row.flag("pause_scheduled"), row.flag("resume_scheduled")), (Some(false), Some(true)));
        assert!(row.key("scheduled_actions").contains("cron(0 20 * * ? *)"));
        assert_eq!(with_schedules(Row::new().with("cluster", "c"), &all).key("scheduled_actions"), "[]");
    }
}
