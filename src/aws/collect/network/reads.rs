//! The calls about the network, and what each fills. One list answers for columns of several tables.

use crate::aws::collect::Read;

const fn ec2(operation: &'static str, table: &'static str) -> Read {
    Read::rows(operation, operation, table)
}

const fn fills(operation: &'static str, table: &'static str, columns: &'static [&'static str]) -> Read {
    Read::columns(operation, operation, table, columns)
}

/// The VPCs.
pub const VPCS: Read = ec2("ec2:DescribeVpcs", "vpcs");
/// The subnets.
pub const SUBNETS: Read = ec2("ec2:DescribeSubnets", "subnets");
/// The route tables.
pub const ROUTE_TABLES: Read = ec2("ec2:DescribeRouteTables", "route_tables");
/// The endpoints.
pub const ENDPOINTS: Read = ec2("ec2:DescribeVpcEndpoints", "vpc_endpoints");
/// The NAT gateways.
pub const GATEWAYS: Read = ec2("ec2:DescribeNatGateways", "nat_gateways");
/// The names of prefix lists.
pub const PREFIX_LISTS: Read = fills("ec2:DescribeManagedPrefixLists", "routes", &["prefix_list_name"]);
/// The firewalls.
pub const FIREWALLS: Read = fills("network-firewall:ListFirewalls", "firewall_endpoints", &[]);
/// One firewall.
pub const FIREWALL: Read = ec2("network-firewall:DescribeFirewall", "firewall_endpoints");
/// The same as a column of the VPC.
pub const FIREWALLS_OF_VPCS: Read = fills("network-firewall:DescribeFirewall", "vpcs", &["firewall_endpoint_count"]);
/// The traffic of NAT gateways.
pub const TRAFFIC: Read = ec2("cloudwatch:GetMetricData", "nat_traffic");

/// The calls of this collector.
pub const READS: &[Read] = &[
    VPCS,
    SUBNETS,
    fills("ec2:DescribeSubnets", "vpcs", &["subnet_count"]),
    fills("ec2:DescribeSubnets", "route_tables", &["implicit_subnet_count"]),
    fills("ec2:DescribeSubnets", "vpc_endpoints", &["availability_zone_count"]),
    fills("ec2:DescribeSubnets", "nat_gateways", &["availability_zones", "subnets_in_other_zones"]),
    ROUTE_TABLES,
    ec2("ec2:DescribeRouteTables", "routes"),
    fills("ec2:DescribeRouteTables", "vpcs", &["transit_gateway_route_tables"]),
    fills("ec2:DescribeRouteTables", "subnets", &["route_table_id", "main_route_table"]),
    fills("ec2:DescribeRouteTables", "nat_gateways", &["route_table_count"]),
    ENDPOINTS,
    fills("ec2:DescribeVpcEndpoints", "vpcs", &["s3_gateway_endpoint", "dynamodb_gateway_endpoint"]),
    fills("ec2:DescribeVpcEndpoints", "route_tables", &["s3_gateway_endpoint", "dynamodb_gateway_endpoint"]),
    fills(
        "ec2:DescribeVpcEndpoints",
        "nat_gateways",
        &["route_tables_without_s3_endpoint", "route_tables_without_dynamodb_endpoint"],
    ),
    PREFIX_LISTS,
    GATEWAYS,
    fills("ec2:DescribeNatGateways", "vpcs", &["nat_gateway_count"]),
    FIREWALLS,
    FIREWALL,
    FIREWALLS_OF_VPCS,
    TRAFFIC,
];
