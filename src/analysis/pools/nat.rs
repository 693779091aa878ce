//! NAT gateways: what they process, by gateway.

use super::leaf::{Leaf, Used};
use crate::analysis::Given;
use crate::analysis::athena::Window;
use crate::engine::EngineError;
use crate::model::Row;
use crate::model::service::EC2_OTHER;
use rust_decimal::Decimal;

const BYTES_PER_GB: i64 = 1 << 30;

/// Leaves of the gateways, for a bill that names none: GB of the last full 30 days, both ways. AWS bills about these
/// (CloudWatch's `BytesInFromSource` and `BytesInFromDestination`).
pub(super) async fn leaves(given: Given<'_>) -> Result<Vec<Leaf>, EngineError> {
    let Window { from, until } = Window::before(given.as_of);
    let sql = format!(
        "select account_id, region, nat_gateway_id, sum(bytes) as bytes from nat_traffic \
         where metric in ('BytesInFromSource', 'BytesInFromDestination') and day >= date '{from}' and day < date '{until}' \
         group by 1, 2, 3 having sum(bytes) > 0 order by 1, 2, 3"
    );
    let leaf = |row: &Row| {
        let (account_id, region, id) = (row.key("account_id"), row.key("region"), row.key("nat_gateway_id"));
        Some(Leaf::used(Used {
            account_id,
            region,
            root: "nat",
            name: id,
            resource: format!("ec2:{region}:{account_id}:natgateway/{id}"),
            class: "",
            item: "network.nat.bytes",
            service: EC2_OTHER,
            usage_type: "NatGateway-Bytes",
            unit: "GB",
            quantity: (row.decimal("bytes")? / Decimal::from(BYTES_PER_GB)).round_dp(12),
            day: until,
        }))
    };
    Ok(given.engine.rows(&sql).await?.iter().filter_map(leaf).collect())
}
