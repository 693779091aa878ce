//! Route tables: their associations, where their default route leads, and which table really applies to a subnet.
//!
//! EC2 lists explicit associations only. A subnet without one uses its VPC's main table: that is worked out here.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{ManagedPrefixList, Route, RouteTable, RouteTableAssociation, Subnet};

use super::endpoints::{Gateways, Reached};
use super::tags::{list, tags};
use crate::aws::collect::Scope;
use crate::model::{Cell, Row};

/// The IPv4 default route.
const EVERYWHERE: &str = "0.0.0.0/0";

/// The route table that applies to a subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied<'a> {
    /// The route table.
    pub table: &'a str,
    /// True when it applies because it is the VPC's main one.
    pub as_main: bool,
}

/// Returns the route table of each subnet; a subnet whose tables the account does not see is left out.
pub fn applied<'a>(tables: &'a [RouteTable], subnets: &'a [Subnet]) -> BTreeMap<&'a str, Applied<'a>> {
    let mut explicit = BTreeMap::new();
    let mut main = BTreeMap::new();
    for table in tables {
        let Some(id) = table.route_table_id() else { continue };
        explicit.extend(table.associations().iter().filter_map(|association| Some((association.subnet_id()?, id))));
        if is_main(table) {
            main.extend(table.vpc_id().map(|vpc| (vpc, id)));
        }
    }
    let of = |subnet: &'a Subnet| {
        let id = subnet.subnet_id()?;
        let own = explicit.get(id).map(|&table| Applied { table, as_main: false });
        let by_vpc = || Some(Applied { table: main.get(subnet.vpc_id()?)?, as_main: true });
        Some((id, own.or_else(by_vpc)?))
    };
    subnets.iter().filter_map(of).collect()
}

fn is_main(table: &RouteTable) -> bool {
    table.associations().iter().any(|association| association.main() == Some(true))
}

/// Returns where the table's IPv4 default route leads, a target that is gone included.
pub fn default_target(table: &RouteTable) -> Option<(&'static str, &str)> {
    let route = table.routes().iter().find(|route| route.destination_cidr_block() == Some(EVERYWHERE))?;
    Some(target(route))
}

/// Returns the kind of a route's target and its id; empty where EC2 names none.
fn target(route: &Route) -> (&'static str, &str) {
    let candidates = [
        ("nat_gateway", route.nat_gateway_id()),
        ("transit_gateway", route.transit_gateway_id()),
        ("vpc_peering_connection", route.vpc_peering_connection_id()),
        ("egress_only_internet_gateway", route.egress_only_internet_gateway_id()),
        ("local_gateway", route.local_gateway_id()),
        ("carrier_gateway", route.carrier_gateway_id()),
        ("core_network", route.core_network_arn()),
        ("instance", route.instance_id()),
        ("network_interface", route.network_interface_id()),
    ];
    let found = candidates.into_iter().find_map(|(kind, id)| Some((kind, id?)));
    found.or_else(|| route.gateway_id().map(gateway)).unwrap_or(("other", ""))
}

/// `GatewayId` stands for gateways of several kinds.
fn gateway(id: &str) -> (&'static str, &str) {
    let kind = match id.split('-').next() {
        Some("local") => "local",
        Some("igw") => "internet_gateway",
        Some("vgw") => "virtual_private_gateway",
        Some("vpce") => "vpc_endpoint",
        _ => "other",
    };
    (kind, id)
}

/// Returns the row of a route table; `subnets` and `endpoints` where the account's are known.
pub fn table_row(
    scope: &Scope,
    table: &RouteTable,
    applied: Option<&BTreeMap<&str, Applied<'_>>>,
    endpoints: Option<&Gateways<'_>>,
) -> Row {
    let id = table.route_table_id();
    let associations = table.associations();
    let default = default_target(table);
    let implicit =
        applied.map(|applied| applied.values().filter(|applied| applied.as_main && Some(applied.table) == id).count());
    let has = |reached| Some(endpoints?.in_table(reached, id?));
    scope
        .row()
        .with("vpc_id", table.vpc_id())
        .with("route_table_id", id)
        .with("owner_id", table.owner_id())
        .with("main", is_main(table))
        .with("associated_subnets", list(associations.iter().filter_map(RouteTableAssociation::subnet_id)))
        .with("associated_gateways", list(associations.iter().filter_map(RouteTableAssociation::gateway_id)))
        .with("default_target_kind", default.map_or("none", |(kind, _)| kind))
        .with("default_target", default.map(|(_, id)| id).filter(|id| !id.is_empty()))
        .with("tags", tags(table.tags()))
        .with("implicit_subnet_count", implicit)
        .with("s3_gateway_endpoint", has(Reached::S3))
        .with("dynamodb_gateway_endpoint", has(Reached::DynamoDb))
}

/// Returns the rows of a table's routes; `names` where prefix lists are known.
pub fn route_rows(scope: &Scope, table: &RouteTable, names: Option<&[ManagedPrefixList]>) -> Vec<Row> {
    let of_table = scope.row().with("vpc_id", table.vpc_id()).with("route_table_id", table.route_table_id());
    let row = |route: &Route| {
        let (kind, destination) = destination(route)?;
        let (target_kind, target) = target(route);
        let list = names.and_then(|names| names.iter().find(|list| list.prefix_list_id() == Some(destination)));
        let row = of_table
            .clone()
            .with("destination", destination)
            .with("destination_kind", kind)
            .with("target_kind", target_kind)
            .with("target", Some(target).filter(|target| !target.is_empty()))
            .with("state", route.state().map(aws_sdk_ec2::types::RouteState::as_str))
            .with("origin", route.origin().map(aws_sdk_ec2::types::RouteOrigin::as_str))
            .with(
                "prefix_list_name",
                list.and_then(ManagedPrefixList::prefix_list_name).map_or(Cell::Null, Cell::from),
            );
        Some(row)
    };
    table.routes().iter().filter_map(row).collect()
}

fn destination(route: &Route) -> Option<(&'static str, &str)> {
    let ipv4 = route.destination_cidr_block().map(|block| ("ipv4", block));
    let ipv6 = || route.destination_ipv6_cidr_block().map(|block| ("ipv6", block));
    let list = || route.destination_prefix_list_id().map(|id| ("prefix_list", id));
    ipv4.or_else(ipv6).or_else(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(id: &str, vpc: &str, associations: &[(Option<&str>, bool)]) -> RouteTable {
        let of = |(subnet, main): &(Option<&str>, bool)| {
            RouteTableAssociation::builder().set_subnet_id(subnet.map(str::to_owned)).main(*main).build()
        };
        let associations = associations.iter().map(of).collect();
        RouteTable::builder().route_table_id(id).vpc_id(vpc).set_associations(Some(associations)).build()
    }

    fn subnet(id: &str, vpc: &str) -> Subnet {
        Subnet::builder().subnet_id(id).vpc_id(vpc).build()
    }

    #[test]
    fn a_subnet_without_an_association_of_its_own_uses_its_vpcs_main_table() {
        let tables = [
            table("rtb-main", "vpc-1", &[(None, true)]),
            table("rtb-own", "vpc-1", &[(Some("subnet-own"), false)]),
            table("rtb-other", "vpc-2", &[(None, true)]),
        ];
        let subnets = [subnet("subnet-own", "vpc-1"), subnet("subnet-plain", "vpc-1"), subnet("subnet-far", "vpc-3")];
        let applied = applied(&tables, &subnets);
        assert_eq!(applied["subnet-own"], Applied { table: "rtb-own", as_main: false });
        assert_eq!(applied["subnet-plain"], Applied { table: "rtb-main", as_main: true });
        assert_eq!(applied.get("subnet-far"), None, "a VPC whose main table is not seen: unknown, not another's");
    }

    #[test]
    fn a_main_table_may_have_associations_of_its_own() {
        let tables = [table("rtb", "vpc-1", &[(None, true), (Some("subnet-a"), false)])];
        let subnets = [subnet("subnet-a", "vpc-1"), subnet("subnet-b", "vpc-1")];
        let applied = applied(&tables, &subnets);
        assert_eq!((applied["subnet-a"].as_main, applied["subnet-b"].as_main), (false, true));
    }

    #[test]
    fn each_kind_of_target_is_told_apart() {
        let to = |route: aws_sdk_ec2::types::builders::RouteBuilder| {
            let route = route.destination_cidr_block(EVERYWHERE).build();
            let table = RouteTable::builder().routes(route).build();
            let (kind, id) = default_target(&table).unwrap();
            (kind, id.to_owned())
        };
        let route = Route::builder;
        assert_eq!(to(route().nat_gateway_id("nat-1")), ("nat_gateway", "nat-1".into()));
        assert_eq!(to(route().transit_gateway_id("tgw-1")), ("transit_gateway", "tgw-1".into()));
        assert_eq!(to(route().gateway_id("igw-1")), ("internet_gateway", "igw-1".into()));
        assert_eq!(to(route().gateway_id("vpce-1")), ("vpc_endpoint", "vpce-1".into()));
        assert_eq!(to(route().instance_id("i-1").network_interface_id("eni-1")), ("instance", "i-1".into()));
        assert_eq!(to(route().core_network_arn("arn:x")), ("core_network", "arn:x".into()));
        assert_eq!(to(route()), ("other", String::new()));
        let local =
            RouteTable::builder().routes(route().destination_cidr_block("10.0.0.0/16").gateway_id("local").build());
        assert_eq!(default_target(&local.build()), None, "no default route");
    }
}
