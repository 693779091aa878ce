//! VPCs, their routes, endpoints and NAT gateways. The tables exist whether or not the feature `network` reads them.
//!
//! What a VPC, route table or gateway does *not* have is a column of it: a join that finds nothing is no evidence.

use crate::store::table::{Kind, Source, Table, column};

const VPCS_READ: &str = "ec2:DescribeVpcs";
const SUBNETS_READ: &str = "ec2:DescribeSubnets";
const TABLES_READ: &str = "ec2:DescribeRouteTables";
const ENDPOINTS_READ: &str = "ec2:DescribeVpcEndpoints";
const LISTS_READ: &str = "ec2:DescribeManagedPrefixLists";
const GATEWAYS_READ: &str = "ec2:DescribeNatGateways";
const FIREWALL_READ: &str = "network-firewall:DescribeFirewall";

/// One row for each VPC that the account sees, its own and those shared with it.
pub const VPCS: Table = Table {
    name: "vpcs",
    doc: "VPCs that the account sees: its own, and those of which a subnet is shared with it.",
    key: &["account_id", "region", "vpc_id"],
    source: Source::State(VPCS_READ),
    columns: &[
        column("account_id", Kind::Text, "Account that was asked."),
        column("region", Kind::Text, "Region."),
        column("vpc_id", Kind::Text, "Id."),
        column("owner_id", Kind::Text, "Account that owns it."),
        column("cidr_block", Kind::Text, "Primary IPv4 block."),
        column("is_default", Kind::Flag, "True for the Region's default VPC."),
        column("state", Kind::Text, "`available` or `pending`."),
        column("tags", Kind::Text, "Tags as a JSON object; `{}` when there are none."),
        column("subnet_count", Kind::Count, "Subnets that the account sees in it.").by(SUBNETS_READ),
        column(
            "transit_gateway_route_tables",
            Kind::Count,
            "Route tables whose IPv4 default route goes to a transit gateway: egress may be in another VPC.",
        )
        .by(TABLES_READ),
        column("nat_gateway_count", Kind::Count, "NAT gateways in it that are `available`.").by(GATEWAYS_READ),
        column(
            "s3_gateway_endpoint",
            Kind::Flag,
            "True when it has an S3 gateway endpoint; each route table must list it too.",
        )
        .by(ENDPOINTS_READ),
        column("dynamodb_gateway_endpoint", Kind::Flag, "True when it has a DynamoDB gateway endpoint.")
            .by(ENDPOINTS_READ),
        column(
            "firewall_endpoint_count",
            Kind::Count,
            "Network Firewall endpoints in it, 0 when there are none. Behind them AWS waives NAT charges one to one.",
        )
        .by(FIREWALL_READ),
    ],
};

/// One row for each subnet, with the route table that really applies to it.
pub const SUBNETS: Table = Table {
    name: "subnets",
    doc: "Subnets, each with its effective route table: a subnet without an association of its own uses its VPC's main one.",
    key: &["account_id", "region", "subnet_id"],
    source: Source::State(SUBNETS_READ),
    columns: &[
        column("account_id", Kind::Text, "Account that was asked."),
        column("region", Kind::Text, "Region."),
        column("vpc_id", Kind::Text, "VPC."),
        column("subnet_id", Kind::Text, "Id."),
        column("owner_id", Kind::Text, "Account that owns it."),
        column("availability_zone", Kind::Text, "Zone by the account's own name: `eu-west-1a`."),
        column("availability_zone_id", Kind::Text, "Zone by the name that is the same in all accounts: `euw1-az2`."),
        column("cidr_block", Kind::Text, "IPv4 block."),
        column("tags", Kind::Text, "Tags as a JSON object; `{}` when there are none."),
        column(
            "route_table_id",
            Kind::Text,
            "Route table that applies, by its own association or as the VPC's main one.",
        )
        .by(TABLES_READ),
        column("main_route_table", Kind::Flag, "True when that is the VPC's main one for want of an association.")
            .by(TABLES_READ),
    ],
};

/// One row for each route table.
pub const ROUTE_TABLES: Table = Table {
    name: "route_tables",
    doc: "Route tables with their associations, where their default route leads, and whether gateway endpoints are in them.",
    key: &["account_id", "region", "route_table_id"],
    source: Source::State(TABLES_READ),
    columns: &[
        column("account_id", Kind::Text, "Account that was asked."),
        column("region", Kind::Text, "Region."),
        column("vpc_id", Kind::Text, "VPC."),
        column("route_table_id", Kind::Text, "Id."),
        column("owner_id", Kind::Text, "Account that owns it."),
        column("main", Kind::Flag, "True for the VPC's main route table."),
        column("associated_subnets", Kind::Text, "Subnets with an association of their own, as a JSON list."),
        column(
            "associated_gateways",
            Kind::Text,
            "Internet or virtual private gateways with an association, as a JSON list.",
        ),
        column(
            "default_target_kind",
            Kind::Text,
            "Where 0.0.0.0/0 leads, in the words of `routes.target_kind`; `none` when there is no such route.",
        ),
        column("default_target", Kind::Text, "Id of that target; NULL when there is no such route."),
        column("tags", Kind::Text, "Tags as a JSON object; `{}` when there are none."),
        column("implicit_subnet_count", Kind::Count, "Subnets that use it only because it is the main one.")
            .by(SUBNETS_READ),
        column("s3_gateway_endpoint", Kind::Flag, "True when an available S3 gateway endpoint is in it.")
            .by(ENDPOINTS_READ),
        column("dynamodb_gateway_endpoint", Kind::Flag, "True when an available DynamoDB gateway endpoint is in it.")
            .by(ENDPOINTS_READ),
    ],
};

/// One row for each route of each route table.
pub const ROUTES: Table = Table {
    name: "routes",
    doc: "Routes of the route tables, those of gateway endpoints (prefix lists) and propagated ones included.",
    key: &["account_id", "region", "route_table_id", "destination"],
    source: Source::State(TABLES_READ),
    columns: &[
        column("account_id", Kind::Text, "Account that was asked."),
        column("region", Kind::Text, "Region."),
        column("vpc_id", Kind::Text, "VPC."),
        column("route_table_id", Kind::Text, "Route table."),
        column("destination", Kind::Text, "IPv4 or IPv6 block, or id of a prefix list."),
        column("destination_kind", Kind::Text, "`ipv4`, `ipv6` or `prefix_list`."),
        column(
            "target_kind",
            Kind::Text,
            "`local`, `internet_gateway`, `nat_gateway`, `transit_gateway`, `vpc_endpoint`, `virtual_private_gateway`, `vpc_peering_connection`, `instance`, `network_interface`, `egress_only_internet_gateway`, `local_gateway`, `carrier_gateway`, `core_network` or `other`.",
        ),
        column("target", Kind::Text, "Id of the target."),
        column("state", Kind::Text, "`active`, or `blackhole` when the target is gone."),
        column("origin", Kind::Text, "`CreateRouteTable`, `CreateRoute` or `EnableVgwRoutePropagation`."),
        column(
            "prefix_list_name",
            Kind::Text,
            "Name of the prefix list: `com.amazonaws.eu-west-1.s3`; NULL for other destinations.",
        )
        .by(LISTS_READ),
    ],
};

/// One row for each VPC endpoint.
pub const VPC_ENDPOINTS: Table = Table {
    name: "vpc_endpoints",
    doc: "VPC endpoints of every type. Gateway endpoints (S3, DynamoDB) cost nothing; interface endpoints cost by hour and zone, and by GB.",
    key: &["account_id", "region", "vpc_endpoint_id"],
    source: Source::State(ENDPOINTS_READ),
    columns: &[
        column("account_id", Kind::Text, "Account that was asked."),
        column("region", Kind::Text, "Region."),
        column("vpc_id", Kind::Text, "VPC."),
        column("vpc_endpoint_id", Kind::Text, "Id."),
        column("owner_id", Kind::Text, "Account that owns it."),
        column(
            "vpc_endpoint_type",
            Kind::Text,
            "`Gateway`, `Interface`, `GatewayLoadBalancer`, `Resource`, `ServiceNetwork`.",
        ),
        column("service_name", Kind::Text, "Service with its Region: `com.amazonaws.eu-west-1.s3`."),
        column(
            "service",
            Kind::Text,
            "Last part of an AWS service's name: `s3`, `dynamodb`, `glue`; NULL for other services.",
        ),
        column("service_region", Kind::Text, "Region of the service; NULL where EC2 does not say it."),
        column(
            "state",
            Kind::Text,
            "`available`, `pending`, `pendingAcceptance`, `deleting`, `failed`, … in lower camel case.",
        ),
        column("route_tables", Kind::Text, "Route tables that a gateway endpoint is in, as a JSON list."),
        column("subnets", Kind::Text, "Subnets that an interface endpoint is in, as a JSON list."),
        column(
            "custom_policy",
            Kind::Flag,
            "True when its policy is another than full access; NULL when EC2 shows none.",
        ),
        column("private_dns_enabled", Kind::Flag, "True when the service's own name leads to it inside the VPC."),
        column(
            "private_dns_only_for_inbound_resolver",
            Kind::Flag,
            "True when an S3 interface endpoint leaves the VPC's own traffic to the gateway endpoint; NULL for other endpoints.",
        ),
        column("requester_managed", Kind::Flag, "True when an AWS service made it and keeps it."),
        column("created", Kind::Instant, "When it was made."),
        column("tags", Kind::Text, "Tags as a JSON object; `{}` when there are none."),
        column(
            "availability_zone_count",
            Kind::Count,
            "Zones in which it is billed by the hour; 0 for gateway endpoints.",
        )
        .by(SUBNETS_READ),
    ],
};

/// One row for each NAT gateway, zonal or regional.
pub const NAT_GATEWAYS: Table = Table {
    name: "nat_gateways",
    doc: "NAT gateways, zonal and regional, public and private. Deleted ones are shown for about an hour.",
    key: &["account_id", "region", "nat_gateway_id"],
    source: Source::State(GATEWAYS_READ),
    columns: &[
        column("account_id", Kind::Text, "Account that was asked."),
        column("region", Kind::Text, "Region."),
        column("vpc_id", Kind::Text, "VPC."),
        column("nat_gateway_id", Kind::Text, "Id."),
        column("state", Kind::Text, "`available`, `pending`, `failed`, `deleting` or `deleted`."),
        column("connectivity_type", Kind::Text, "`public` or `private`."),
        column("availability_mode", Kind::Text, "`zonal` (one subnet) or `regional` (a route table of its own)."),
        column("subnet_id", Kind::Text, "Subnet of a zonal one; NULL for regional ones."),
        column("route_table_id", Kind::Text, "Route table of a regional one; NULL for zonal ones."),
        column("public_ip_count", Kind::Count, "Public IPv4 addresses that it holds; each is billed by the hour."),
        column("created", Kind::Instant, "When it was made."),
        column("tags", Kind::Text, "Tags as a JSON object; `{}` when there are none."),
        column("availability_zones", Kind::Text, "Zones that it is in, as a JSON list.").by(SUBNETS_READ),
        column(
            "subnets_in_other_zones",
            Kind::Count,
            "Subnets that send 0.0.0.0/0 to a zonal one from another zone: that traffic is billed as cross-AZ too; NULL for regional ones.",
        )
        .by(SUBNETS_READ),
        column("route_table_count", Kind::Count, "Route tables that send 0.0.0.0/0 to it; 0 when none does.").by(TABLES_READ),
        column(
            "route_tables_without_s3_endpoint",
            Kind::Count,
            "Of those, the ones without an S3 gateway endpoint: S3 traffic of their subnets goes through the gateway. Needs the route tables too.",
        )
        .by(ENDPOINTS_READ),
        column(
            "route_tables_without_dynamodb_endpoint",
            Kind::Count,
            "Of those, the ones without a DynamoDB gateway endpoint. Needs the route tables too.",
        )
        .by(ENDPOINTS_READ),
    ],
};

/// Traffic of NAT gateways by day.
pub const NAT_TRAFFIC: Table = Table {
    name: "nat_traffic",
    doc: "CloudWatch's `AWS/NATGateway` metrics by day. A day without a row was not published: it is not zero. AWS bills about `BytesInFromSource` and `BytesInFromDestination`.",
    key: &["account_id", "region", "nat_gateway_id", "metric", "day"],
    source: Source::Period { read: "cloudwatch:GetMetricData", column: "day" },
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("nat_gateway_id", Kind::Text, "NAT gateway."),
        column("day", Kind::Day, "Day."),
        column(
            "metric",
            Kind::Text,
            "Direction, or what was counted: `BytesInFromSource` and `BytesOutToDestination` (upload), `BytesInFromDestination` and `BytesOutToSource` (download), `ActiveConnectionCount`.",
        ),
        column("bytes", Kind::Bytes, "Sum of the day; NULL on `ActiveConnectionCount` rows."),
        column(
            "connections",
            Kind::Count,
            "Most connections at once on that day; only on `ActiveConnectionCount` rows.",
        ),
    ],
};

/// One row for each endpoint of a Network Firewall.
pub const FIREWALL_ENDPOINTS: Table = Table {
    name: "firewall_endpoints",
    doc: "Network Firewall endpoints, by zone. A VPC without one has `vpcs.firewall_endpoint_count` 0.",
    key: &["account_id", "region", "firewall_arn", "availability_zone"],
    source: Source::State(FIREWALL_READ),
    columns: &[
        column("account_id", Kind::Text, "Account that was asked."),
        column("region", Kind::Text, "Region."),
        column("vpc_id", Kind::Text, "VPC of the firewall."),
        column("firewall_name", Kind::Text, "Name of the firewall."),
        column("firewall_arn", Kind::Text, "ARN of the firewall."),
        column(
            "transit_gateway_id",
            Kind::Text,
            "Transit gateway that it is attached to; NULL for firewalls in a VPC.",
        ),
        column("availability_zone", Kind::Text, "Zone."),
        column("subnet_id", Kind::Text, "Subnet; NULL where none is attached."),
        column("endpoint_id", Kind::Text, "VPC endpoint that routes name; NULL until there is one."),
        column("state", Kind::Text, "`READY`, `CREATING`, `SCALING`, `DELETING`, `FAILED`, `ERROR`."),
    ],
};
