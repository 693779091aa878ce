//! NAT gateways: where they are, which route tables lead to them, and whether S3 has a way around them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{
    AvailabilityMode, ConnectivityType, NatGateway, NatGatewayAddress, NatGatewayState, RouteTable,
};

use super::endpoints::{Gateways, Reached};
use super::routes::{Applied, default_target};
use super::tags::{list, tags};
use crate::aws::collect::{Scope, instant};
use crate::model::{Cell, Row};

/// What is known of the network around the gateways; `None` where a list was not read to its end.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The route tables.
    pub tables: Option<&'a [RouteTable]>,
    /// The route table of each subnet.
    pub applied: Option<&'a BTreeMap<&'a str, Applied<'a>>>,
    /// The zone of each subnet.
    pub zones: Option<&'a BTreeMap<&'a str, &'a str>>,
    /// The gateway endpoints.
    pub endpoints: Option<&'a Gateways<'a>>,
}

/// Returns true for gateways that may have traffic.
pub fn is_alive(gateway: &NatGateway) -> bool {
    !matches!(gateway.state(), Some(NatGatewayState::Deleted | NatGatewayState::Failed))
}

/// Returns true for gateways that are in use or could be.
pub fn is_available(gateway: &NatGateway) -> bool {
    gateway.state() == Some(&NatGatewayState::Available)
}

/// Returns the row of a gateway.
pub fn row(scope: &Scope, gateway: &NatGateway, around: Around<'_>) -> Row {
    let NatGateway { create_time: created, .. } = gateway;
    let addresses = gateway.nat_gateway_addresses();
    let leading = gateway.nat_gateway_id().zip(around.tables).map(|(id, tables)| leading(id, tables));
    let without = |reached| Some(without(reached, leading.as_ref()?, around.endpoints?));
    // Zonal gateways came first: answers without the mode are of one.
    let mode = gateway.availability_mode().map_or("zonal", AvailabilityMode::as_str);
    scope
        .row()
        .with("vpc_id", gateway.vpc_id())
        .with("nat_gateway_id", gateway.nat_gateway_id())
        .with("state", gateway.state().map(NatGatewayState::as_str))
        .with("connectivity_type", gateway.connectivity_type().map(ConnectivityType::as_str))
        .with("availability_mode", mode)
        .with("subnet_id", gateway.subnet_id())
        .with("route_table_id", gateway.route_table_id())
        .with("public_ip_count", addresses.iter().filter(|address| address.public_ip().is_some()).count())
        .with("created", created.as_ref().and_then(instant::utc))
        .with("tags", tags(gateway.tags()))
        .with("availability_zones", zones(gateway, around.zones).map_or(Cell::Null, |zones| list(zones).into()))
        .with(
            "subnets_in_other_zones",
            (mode == "zonal").then(|| in_other_zones(gateway, leading.as_ref()?, around)).flatten(),
        )
        .with("route_table_count", leading.as_ref().map(BTreeSet::len))
        .with("route_tables_without_s3_endpoint", without(Reached::S3))
        .with("route_tables_without_dynamodb_endpoint", without(Reached::DynamoDb))
}

/// Returns the route tables whose default route leads to the gateway.
fn leading<'a>(id: &str, tables: &'a [RouteTable]) -> BTreeSet<&'a str> {
    let leads = |table: &&RouteTable| default_target(table) == Some(("nat_gateway", id));
    tables.iter().filter(leads).filter_map(RouteTable::route_table_id).collect()
}

fn without(reached: Reached, tables: &BTreeSet<&str>, endpoints: &Gateways<'_>) -> usize {
    tables.iter().filter(|table| !endpoints.in_table(reached, table)).count()
}

/// Returns the zones of a gateway: those of its addresses where EC2 says them, and that of its subnet.
fn zones<'a>(gateway: &'a NatGateway, known: Option<&BTreeMap<&'a str, &'a str>>) -> Option<BTreeSet<&'a str>> {
    let mut zones: BTreeSet<&str> =
        gateway.nat_gateway_addresses().iter().filter_map(NatGatewayAddress::availability_zone).collect();
    if let Some(subnet) = gateway.subnet_id() {
        zones.insert(known?.get(subnet)?);
    }
    (!zones.is_empty()).then_some(zones)
}

/// Returns how many subnets send their default route to a zonal gateway from another zone.
fn in_other_zones(gateway: &NatGateway, leading: &BTreeSet<&str>, around: Around<'_>) -> Option<usize> {
    let (applied, zones) = (around.applied?, around.zones?);
    let own = zones.get(gateway.subnet_id()?)?;
    let sending = applied.iter().filter(|(_, applied)| leading.contains(applied.table));
    Some(sending.filter(|(subnet, _)| zones.get(*subnet).is_some_and(|zone| zone != own)).count())
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::Route;

    use super::*;

    #[test]
    fn the_zones_of_a_regional_gateway_are_those_of_its_addresses() {
        let address = |zone: &str| NatGatewayAddress::builder().availability_zone(zone).build();
        let regional = NatGateway::builder().nat_gateway_addresses(address("b")).nat_gateway_addresses(address("a"));
        assert_eq!(zones(&regional.build(), None), Some(BTreeSet::from(["a", "b"])));
        let zonal = NatGateway::builder().subnet_id("subnet-1").build();
        assert_eq!(zones(&zonal, None), None, "its subnet was not read");
        assert_eq!(zones(&zonal, Some(&BTreeMap::from([("subnet-1", "c")]))), Some(BTreeSet::from(["c"])));
    }

    #[test]
    fn tables_without_the_endpoint_are_counted_among_those_that_lead_to_the_gateway() {
        let table = |id: &str, nat: &str| {
            let route = Route::builder().destination_cidr_block("0.0.0.0/0").nat_gateway_id(nat).build();
            RouteTable::builder().route_table_id(id).routes(route).build()
        };
        let tables = [table("rtb-1", "nat-1"), table("rtb-2", "nat-1"), table("rtb-3", "nat-2")];
        let leading = leading("nat-1", &tables);
        assert_eq!(leading, BTreeSet::from(["rtb-1", "rtb-2"]));
        assert_eq!(without(Reached::S3, &leading, &Gateways::default()), 2);
    }
}
