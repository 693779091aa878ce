//! Runs that the last snapshot holds and that were not over, or whose figures nobody read. Asks AWS nothing.

use super::runs::Listed;
use crate::aws::collect::{Scope, Sink};
use crate::model::Row;
use crate::store::tables::emr::EMR_SERVERLESS_RUNS;

/// Days since their submission after which runs are not looked up again: AWS may have forgotten them.
const DAYS: i64 = 60;

/// Rows of such runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held(Vec<Row>);

impl Held {
    /// Returns what the last snapshot holds of the scope's account and Region.
    pub async fn of(scope: &Scope, sink: &Sink) -> Self {
        Held(sink.held_here(&EMR_SERVERLESS_RUNS, scope).await.into_iter().filter(is_open).collect())
    }

    /// Returns the runs of the scope's account and Region.
    pub(super) fn open(&self, scope: &Scope) -> impl Iterator<Item = Listed> {
        let here = |row: &&Row| row.key("account_id") == scope.account_id && row.key("region") == scope.region;
        let young = |row: &&Row| row.time("created").is_some_and(|at| (scope.as_of - at).num_days() <= DAYS);
        self.0.iter().filter(here).filter(young).map(|row| Listed {
            application: row.key("application_id").to_owned(),
            id: row.key("run_id").to_owned(),
            row: row.clone(),
        })
    }
}

/// Tags are there, if only as an empty object, once the figures were read.
fn is_open(row: &Row) -> bool {
    let over = ["SUCCESS", "FAILED", "CANCELLED"].contains(&row.key("state"));
    !over || row.text("tags").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::collect::emr_serverless::usage::tests::scope;

    #[test]
    fn runs_that_go_on_or_were_not_looked_up_are_open_while_they_are_young() {
        let row = |id: &str, state: &str, tags: Option<&str>, created: &str| {
            let row = Row::new().with("account_id", "123456789012").with("region", "eu-west-1").with("run_id", id);
            row.with("state", state)
                .with("tags", tags)
                .with("created", created.parse::<chrono::DateTime<chrono::Utc>>().unwrap())
        };
        let rows = [
            row("over", "SUCCESS", Some("{}"), "2026-11-20T00:00:00Z"),
            row("unread", "FAILED", None, "2026-11-20T00:00:00Z"),
            row("streaming", "RUNNING", Some("{}"), "2026-10-01T00:00:00Z"),
            row("ancient", "RUNNING", Some("{}"), "2026-05-01T00:00:00Z"),
        ];
        let held = Held(rows.into_iter().filter(is_open).collect());
        let open: Vec<String> = held.open(&scope(vec![])).map(|run| run.id).collect();
        assert_eq!(open, ["unread", "streaming"]);
    }
}
