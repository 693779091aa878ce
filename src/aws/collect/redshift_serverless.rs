//! Workgroups of Redshift Serverless in one Region: capacity, limits, and the compute that they used.

use std::collections::BTreeMap;

use aws_sdk_redshiftserverless::Client;
use aws_sdk_redshiftserverless::types::{
    Namespace, NamespaceStatus, PerformanceTarget, PerformanceTargetStatus, UsageLimit, UsageLimitBreachAction,
    UsageLimitPeriod, UsageLimitUsageType, Workgroup, WorkgroupStatus,
};
use serde_json::{Value, json};

use super::ask::ask;
use super::cloudwatch::hours::{self, Hours};
use super::outcome::{Outcome, listed, regional};
use super::{Failed, Read, Scope, Sink, instant};
use crate::model::Row;
use crate::store::tables::redshift::REDSHIFT_WORKGROUPS;

/// Most things in one answer (Redshift Serverless API reference).
const PAGE: i32 = 100;

const LIST: Read =
    Read::rows("redshift-serverless:ListWorkgroups", "redshift-serverless:ListWorkgroups", "redshift_workgroups");
const NAMESPACES: Read = Read::columns(
    "redshift-serverless:ListNamespaces",
    "redshift-serverless:ListNamespaces",
    "redshift_workgroups",
    &["namespace_status"],
);
const LIMITS: Read = Read::columns(
    "redshift-serverless:ListUsageLimits",
    "redshift-serverless:ListUsageLimits",
    "redshift_workgroups",
    &["usage_limits", "compute_limited"],
);
const METRICS: Read = Read::columns(
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricData",
    "redshift_workgroups",
    &["metric_hours", "busy_hours", "rpu_seconds"],
);

/// The calls of this collector.
pub const READS: &[Read] = &[LIST, NAMESPACES, LIMITS, METRICS];

/// Reads the workgroups of the scope's Region.
pub async fn collect(scope: &Scope, sink: &Sink) {
    let client = scope.redshift_serverless();
    let (all, failed) = workgroups(scope, &client).await;
    sink.cover(listed(scope, &LIST, all.len(), failed.as_ref())).await;
    if all.is_empty() {
        return;
    }
    let namespaces = namespaces(scope, &client).await;
    sink.cover(listed(scope, &NAMESPACES, namespaces.as_ref().map_or(0, BTreeMap::len), namespaces.as_ref().err()))
        .await;
    let limits = limits(scope, &client).await;
    sink.cover(listed(scope, &LIMITS, limits.as_ref().map_or(0, Vec::len), limits.as_ref().err())).await;
    let name = |group: &Workgroup| group.workgroup_name().unwrap_or_default().to_owned();
    let question = |group: &Workgroup| {
        hours::question("AWS/Redshift-Serverless", "ComputeSeconds", "Sum", &[("Workgroup", &name(group))])
    };
    let used = hours::read(scope, &all.iter().map(question).collect::<Vec<_>>()).await;
    let mut outcomes = Vec::new();
    for (group, used) in all.iter().zip(&used) {
        outcomes.push(Outcome::of(&name(group), Some(&scope.region), used));
        let row = with_namespace(row(scope, group), group, namespaces.as_ref().ok());
        let row = with_limits(row, group, limits.as_deref().ok());
        sink.rows(&REDSHIFT_WORKGROUPS, vec![with_usage(row, used.as_ref().ok())]).await;
    }
    for row in regional(scope, &METRICS, &outcomes) {
        sink.cover(row).await;
    }
}

async fn workgroups(scope: &Scope, client: &Client) -> (Vec<Workgroup>, Option<Failed>) {
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let call = client.list_workgroups().max_results(PAGE).set_next_token(token.take());
        let page = match ask(scope, call.send()).await {
            Ok(page) => page,
            Err(failed) => return (found, Some(failed)),
        };
        found.extend(page.workgroups);
        match page.next_token {
            Some(next) if !next.is_empty() => token = Some(next),
            _ => return (found, None),
        }
    }
}

/// Returns the namespaces of the Region by name: all of them, or none.
async fn namespaces(scope: &Scope, client: &Client) -> Result<BTreeMap<String, Namespace>, Failed> {
    let (mut found, mut token) = (BTreeMap::new(), None);
    loop {
        let call = client.list_namespaces().max_results(PAGE).set_next_token(token.take());
        let page = ask(scope, call.send()).await?;
        let named = page.namespaces.into_iter();
        found.extend(named.filter_map(|space| Some((space.namespace_name()?.to_owned(), space))));
        match page.next_token {
            Some(next) if !next.is_empty() => token = Some(next),
            _ => return Ok(found),
        }
    }
}

/// Returns the usage limits of the Region: all of them, or none.
async fn limits(scope: &Scope, client: &Client) -> Result<Vec<UsageLimit>, Failed> {
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let call = client.list_usage_limits().max_results(PAGE).set_next_token(token.take());
        let page = ask(scope, call.send()).await?;
        found.extend(page.usage_limits.unwrap_or_default());
        match page.next_token {
            Some(next) if !next.is_empty() => token = Some(next),
            _ => return Ok(found),
        }
    }
}

fn row(scope: &Scope, group: &Workgroup) -> Row {
    let target = group.price_performance_target();
    let decides = target.and_then(|target| target.status()).map(|s| *s == PerformanceTargetStatus::Enabled);
    Row::new()
        .with("account_id", scope.account_id.as_str())
        .with("region", scope.region.as_str())
        .with("workgroup", group.workgroup_name())
        .with("namespace", group.namespace_name())
        .with("status", group.status().map(WorkgroupStatus::as_str))
        .with("created", group.creation_date().and_then(instant::utc))
        .with("base_rpus", group.base_capacity())
        .with("max_rpus", group.max_capacity())
        .with("price_performance", decides.unwrap_or(false))
        .with("price_performance_level", target.and_then(PerformanceTarget::level))
        .with("extra_compute", group.extra_compute_for_automatic_optimization())
        .with("enhanced_vpc_routing", group.enhanced_vpc_routing())
}

fn with_namespace(row: Row, group: &Workgroup, all: Option<&BTreeMap<String, Namespace>>) -> Row {
    let own = all.and_then(|all| all.get(group.namespace_name()?));
    row.with("namespace_status", own.and_then(|space| space.status()).map(NamespaceStatus::as_str))
}

/// Returns the row with the limits of its workgroup; without an answer those columns stay NULL.
fn with_limits(row: Row, group: &Workgroup, all: Option<&[UsageLimit]>) -> Row {
    let Some(all) = all else { return row };
    let own: Vec<&UsageLimit> = all.iter().filter(|limit| limit.resource_arn() == group.workgroup_arn()).collect();
    let ends = |limit: &&UsageLimit| {
        let compute = limit.usage_type() == Some(&UsageLimitUsageType::ServerlessCompute);
        compute && limit.breach_action() == Some(&UsageLimitBreachAction::Deactivate)
    };
    let limited = own.iter().any(ends);
    row.with("usage_limits", own.into_iter().map(limit_json).collect::<Value>().to_string())
        .with("compute_limited", limited)
}

fn limit_json(limit: &UsageLimit) -> Value {
    json!({
        "feature": limit.usage_type().map(UsageLimitUsageType::as_str),
        "amount": limit.amount(),
        "period": limit.period().map(UsageLimitPeriod::as_str),
        "action": limit.breach_action().map(UsageLimitBreachAction::as_str),
    })
}

/// Returns the row with the compute used; without a point it is not known how much that was.
fn with_usage(row: Row, used: Option<&Hours>) -> Row {
    let Some(used) = used else { return row };
    row.with("metric_hours", used.count())
        .with("busy_hours", (used.count() > 0).then(|| used.count_if(|seconds| !seconds.is_zero())))
        .with("rpu_seconds", used.sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::stand_in::{self, answer, refusal};

    #[tokio::test]
    async fn a_workgroup_whose_namespace_and_limits_are_denied_keeps_its_row() {
        let scope = stand_in::answered(READS, |operation| match operation {
            "redshift-serverless:ListWorkgroups" => {
                answer(200, r#"{"workgroups":[{"workgroupName":"adhoc","namespaceName":"lake","baseCapacity":128}]}"#)
            }
            _ => refusal("AccessDeniedException", "no"),
        });
        let handed = stand_in::handed(async |sink| collect(&scope, sink).await).await;
        let row = &handed.rows["redshift_workgroups"][0];
        assert_eq!((row.int("base_rpus"), row.flag("price_performance")), (Some(128), Some(false)));
        assert_eq!(
            (row.text("namespace_status"), row.text("usage_limits"), row.int("metric_hours")),
            (None, None, None)
        );
        for read in ["redshift-serverless:ListNamespaces", "redshift-serverless:ListUsageLimits"] {
            let gap = format!("redshift_workgroups {read} missing {read}");
            assert!(handed.gaps().contains(&gap), "{gap}: {:?}", handed.gaps());
        }
    }

    #[test]
    fn a_limit_of_another_workgroup_or_one_that_only_logs_ends_no_query() {
        let limit = |arn: &str, action| {
            let limit = UsageLimit::builder().resource_arn(arn).usage_type(UsageLimitUsageType::ServerlessCompute);
            limit.amount(100).breach_action(action).build()
        };
        let all = [limit("arn:a", UsageLimitBreachAction::Log), limit("arn:b", UsageLimitBreachAction::Deactivate)];
        let of = |arn: &str| with_limits(Row::new(), &Workgroup::builder().workgroup_arn(arn).build(), Some(&all));
        assert_eq!(
            (of("arn:a").flag("compute_limited"), of("arn:b").flag("compute_limited")),
            (Some(false), Some(true))
        );
        assert_eq!(of("arn:c").key("usage_limits"), "[]");
    }

    #[test]
    fn without_a_point_the_compute_used_is_unknown() {
        let row = with_usage(Row::new(), Some(&Hours::default()));
        assert_eq!((row.int("metric_hours"), row.int("busy_hours"), row.decimal("rpu_seconds")), (Some(0), None, None));
    }
}
