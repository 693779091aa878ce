//! Usage limits of clusters: what turns concurrency scaling or Spectrum off before it costs too much.

use aws_sdk_redshift::Client;
use aws_sdk_redshift::types::{UsageLimit, UsageLimitBreachAction, UsageLimitFeatureType};
use serde_json::{Value, json};

use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope};
use crate::model::Row;

/// Most limits in one answer (Redshift API reference).
const PAGE: i32 = 100;

/// The limits of all clusters.
pub const LIMITS: Read = Read::columns(
    "redshift:DescribeUsageLimits",
    "redshift:DescribeUsageLimits",
    "redshift_clusters",
    &["usage_limits", "concurrency_scaling_limited", "spectrum_limited"],
);

/// Returns the limits of the Region's clusters: all of them, or none.
pub async fn list(scope: &Scope, client: &Client) -> Result<Vec<UsageLimit>, Failed> {
    let (mut found, mut marker) = (Vec::new(), None);
    loop {
        let call = client.describe_usage_limits().max_records(PAGE).set_marker(marker.take());
        let page = ask(scope, call.send()).await?;
        found.extend(page.usage_limits.unwrap_or_default());
        match page.marker {
            Some(next) if !next.is_empty() => marker = Some(next),
            _ => return Ok(found),
        }
    }
}

/// Returns the row with the limits of its cluster; none of them is known to be none.
pub fn with_limits(row: Row, all: &[UsageLimit]) -> Row {
    let name = row.key("cluster").to_owned();
    let own: Vec<&UsageLimit> = all.iter().filter(|limit| limit.cluster_identifier() == Some(&name)).collect();
    let off = |feature: &UsageLimitFeatureType| {
        let ends = |limit: &&&UsageLimit| limit.breach_action() == Some(&UsageLimitBreachAction::Disable);
        own.iter().filter(ends).any(|limit| limit.feature_type() == Some(feature))
    };
    let (scaling, spectrum) = (off(&UsageLimitFeatureType::ConcurrencyScaling), off(&UsageLimitFeatureType::Spectrum));
    row.with("usage_limits", own.iter().map(|limit| json(limit)).collect::<Value>().to_string())
        .with("concurrency_scaling_limited", scaling)
        .with("spectrum_limited", spectrum)
}

fn json(limit: &UsageLimit) -> Value {
    json!({
        "feature": limit.feature_type().map(UsageLimitFeatureType::as_str),
        "limit": limit.limit_type().map(aws_sdk_redshift::types::UsageLimitLimitType::as_str),
        "amount": limit.amount(),
        "period": limit.period().map(aws_sdk_redshift::types::UsageLimitPeriod::as_str),
        "action": limit.breach_action().map(UsageLimitBreachAction::as_str),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_only_logs_limits_nothing() {
        let limit = |cluster: &str, feature, action| {
            let limit = UsageLimit::builder().cluster_identifier(cluster).feature_type(feature).amount(60);
            limit.breach_action(action).build()
        };
        let all = [
            limit("a", UsageLimitFeatureType::ConcurrencyScaling, UsageLimitBreachAction::Disable),
            limit("a", UsageLimitFeatureType::Spectrum, UsageLimitBreachAction::Log),
            limit("b", UsageLimitFeatureType::Spectrum, UsageLimitBreachAction::Disable),
        ];
        let row = with_limits(Row::new().with("cluster", "a"), &all);
        assert_eq!((row.flag("concurrency_scaling_limited"), row.flag("spectrum_limited")), (Some(true), Some(false)));
        assert!(row.key("usage_limits").contains("\"log\""));
        assert_eq!(with_limits(Row::new().with("cluster", "c"), &all).key("usage_limits"), "[]");
    }
}
