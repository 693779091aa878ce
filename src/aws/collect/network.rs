//! The network of one Region: VPCs, subnets, routes, endpoints, NAT gateways and their traffic, firewalls.
//!
//! The reads are declared whether or not the feature `network` is compiled; without it nothing is asked, and that is said.

#[cfg(feature = "network")]
mod endpoints;
#[cfg(feature = "network")]
mod firewalls;
#[cfg(feature = "network")]
mod gateways;
#[cfg(feature = "network")]
mod gather;
mod reads;
#[cfg(feature = "network")]
mod routes;
#[cfg(feature = "network")]
mod tags;
#[cfg(feature = "network")]
mod traffic;
#[cfg(feature = "network")]
mod vpcs;

pub use reads::READS;

use super::{Scope, Sink};

/// Reads the network of the scope's Region.
#[cfg(feature = "network")]
pub async fn collect(scope: &Scope, sink: &Sink) {
    let network = gather::gather(scope).await;
    network.cover(scope, sink).await;
    network.hand_over(scope, sink).await;
    traffic::collect(scope, sink, &network).await;
}

/// Says that this build cannot read the network.
#[cfg(not(feature = "network"))]
pub async fn collect(scope: &Scope, sink: &Sink) {
    use crate::model::{Coverage, CoverageState};

    for read in READS.iter().filter(|read| read.columns.is_empty()) {
        let row = Coverage::new(read.table, read.operation, CoverageState::NotAsked)
            .at(&scope.account_id, Some(&scope.region))
            .because("this build of leanlake cannot read the network: it was made without the feature `network`");
        sink.cover(row).await;
    }
}
