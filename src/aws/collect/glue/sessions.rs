//! Interactive sessions and development endpoints: what is billed while nobody looks.
//!
//! Arguments, messages, addresses and keys are never kept.

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{DevEndpoint, Session, SessionStatus, SessionType, WorkerType};

use super::capacity::{Workers, exact};
use crate::aws::collect::ask::ask;
use crate::aws::collect::instant::utc;
use crate::aws::collect::pages::{Listed, list};
use crate::aws::collect::{Read, Scope};
use crate::model::Row;

/// Things on a page (Glue takes up to 1,000).
const PAGE: i32 = 200;

/// Sessions.
pub const SESSIONS: Read = Read::rows("glue:ListSessions", "glue:ListSessions", "glue_sessions");
/// Development endpoints.
pub const ENDPOINTS: Read = Read::rows("glue:GetDevEndpoints", "glue:GetDevEndpoints", "glue_dev_endpoints");

/// Returns the sessions that Glue lists.
pub async fn sessions(scope: &Scope, client: &Client) -> Listed<Session> {
    list(|token| {
        let call = client.list_sessions().max_results(PAGE).set_next_token(token);
        async {
            let page = ask(scope, call.send()).await?;
            Ok((page.sessions.unwrap_or_default(), page.next_token))
        }
    })
    .await
}

/// Returns the development endpoints of the Region.
pub async fn endpoints(scope: &Scope, client: &Client) -> Listed<DevEndpoint> {
    list(|token| {
        let call = client.get_dev_endpoints().max_results(PAGE).set_next_token(token);
        async {
            let page = ask(scope, call.send()).await?;
            Ok((page.dev_endpoints.unwrap_or_default(), page.next_token))
        }
    })
    .await
}

/// Returns the row of a session.
pub fn session(scope: &Scope, session: &Session) -> Row {
    let workers = Workers {
        kind: session.worker_type().map(WorkerType::as_str),
        number: session.number_of_workers(),
        max_capacity: session.max_capacity(),
    };
    super::place(Row::new(), scope)
        .with("session_id", session.id())
        .with("status", session.status().map(SessionStatus::as_str))
        .with("session_type", session.session_type().map(SessionType::as_str))
        .with("command", session.command().and_then(|command| command.name()))
        .with("glue_version", session.glue_version())
        .with("worker_type", workers.kind)
        .with("number_of_workers", workers.number)
        .with("max_capacity", workers.max_capacity())
        .with("allocated_dpu", workers.dpu())
        .with("dpu_unit", workers.dpu().map(|_| workers.unit()))
        .with("idle_timeout_minutes", session.idle_timeout())
        .with("created", session.created_on().and_then(utc))
        .with("completed", session.completed_on().and_then(utc))
        .with("execution_seconds", session.execution_time().and_then(exact))
        .with("dpu_seconds", session.dpu_seconds().and_then(exact))
        .with("role", session.role())
}

/// Returns the row of a development endpoint. Old ones have nodes of one DPU each, newer ones workers.
pub fn endpoint(scope: &Scope, endpoint: &DevEndpoint) -> Row {
    let nodes = Some(endpoint.number_of_nodes()).filter(|nodes| *nodes > 0);
    let workers = Workers {
        kind: endpoint.worker_type().map(WorkerType::as_str),
        number: endpoint.number_of_workers(),
        max_capacity: nodes.map(f64::from),
    };
    super::place(Row::new(), scope)
        .with("endpoint", endpoint.endpoint_name())
        .with("status", endpoint.status())
        .with("glue_version", endpoint.glue_version())
        .with("worker_type", workers.kind)
        .with("number_of_workers", workers.number)
        .with("allocated_dpu", workers.dpu())
        .with("created", endpoint.created_timestamp().and_then(utc))
        .with("last_modified", endpoint.last_modified_timestamp().and_then(utc))
        .with("role", endpoint.role_arn())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::collect::glue::tests::scope;

    #[test]
    fn an_endpoint_keeps_its_size_and_never_its_keys() {
        let found = DevEndpoint::builder().endpoint_name("dev").number_of_nodes(5).public_key("ssh-rsa AAAA").build();
        let row = endpoint(&scope(vec![]), &found);
        assert_eq!(row.decimal("allocated_dpu").unwrap().to_string(), "5");
        assert!(!format!("{row:?}").contains("ssh-rsa"));
    }

    #[test]
    fn a_session_without_an_idle_limit_has_none_of_its_own() {
        let found = Session::builder().id("s").default_arguments("--token", "hunter2").dpu_seconds(1.5).build();
        let row = session(&scope(vec![]), &found);
        assert_eq!((row.int("idle_timeout_minutes"), row.decimal("allocated_dpu")), (None, None));
        assert_eq!(row.decimal("dpu_seconds").unwrap().to_string(), "1.5");
        assert!(!format!("{row:?}").contains("hunter2"));
    }
}
