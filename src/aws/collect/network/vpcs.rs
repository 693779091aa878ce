//! VPCs and subnets as rows. Pure.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Subnet, Vpc, VpcState};

use super::endpoints::Reached;
use super::gateways;
use super::gather::Network;
use super::routes::{Applied, default_target};
use super::tags::tags;
use crate::aws::collect::Scope;
use crate::model::Row;

/// Returns the row of a VPC, with what else is known to be in it.
pub fn vpc_row(scope: &Scope, vpc: &Vpc, network: &Network) -> Row {
    let id = vpc.vpc_id().unwrap_or_default();
    let endpoints = network.gateway_endpoints();
    let has = |reached| Some(endpoints.as_ref()?.in_vpc(reached, id));
    let subnets = network.subnets.whole().map(|all| all.iter().filter(|subnet| subnet.vpc_id() == Some(id)).count());
    let transit = network.tables.whole().map(|all| {
        let own = all.iter().filter(|table| table.vpc_id() == Some(id));
        own.filter(|table| default_target(table).is_some_and(|(kind, _)| kind == "transit_gateway")).count()
    });
    let nat = network.gateways.whole().map(|all| {
        all.iter().filter(|gateway| gateway.vpc_id() == Some(id) && gateways::is_available(gateway)).count()
    });
    scope
        .row()
        .with("vpc_id", vpc.vpc_id())
        .with("owner_id", vpc.owner_id())
        .with("cidr_block", vpc.cidr_block())
        .with("is_default", vpc.is_default())
        .with("state", vpc.state().map(VpcState::as_str))
        .with("tags", tags(vpc.tags()))
        .with("subnet_count", subnets)
        .with("transit_gateway_route_tables", transit)
        .with("nat_gateway_count", nat)
        .with("s3_gateway_endpoint", has(Reached::S3))
        .with("dynamodb_gateway_endpoint", has(Reached::DynamoDb))
        .with("firewall_endpoint_count", network.firewalls.endpoints_in(id))
}

/// Returns the row of a subnet, with the route table that applies where that is known.
pub fn subnet_row(scope: &Scope, subnet: &Subnet, applied: Option<&BTreeMap<&str, Applied<'_>>>) -> Row {
    let table = applied.and_then(|applied| applied.get(subnet.subnet_id()?));
    scope
        .row()
        .with("vpc_id", subnet.vpc_id())
        .with("subnet_id", subnet.subnet_id())
        .with("owner_id", subnet.owner_id())
        .with("availability_zone", subnet.availability_zone())
        .with("availability_zone_id", subnet.availability_zone_id())
        .with("cidr_block", subnet.cidr_block())
        .with("tags", tags(subnet.tags()))
        .with("route_table_id", table.map(|applied| applied.table))
        .with("main_route_table", table.map(|applied| applied.as_main))
}
