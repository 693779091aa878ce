//! The network as a scan reads it from the tests' own EC2: what each subnet really uses, and what is missing is unknown.

use crate::aws::metrics::Series;
use crate::aws::network::{Endpoint, Firewall, Gateway, Network, Subnet, Table, Vpc};
use crate::aws::{Fault, Trouble};
use crate::support::{World, day};

const HERE: &str = "us-east-1";

fn subnet(id: &str, vpc: &str, zone: &'static str) -> Subnet {
    Subnet { region: HERE.into(), id: id.into(), vpc: vpc.into(), zone }
}

fn table(id: &str, vpc: &str, main: bool, subnets: &[&str], routes: &[(&str, &str)]) -> Table {
    Table {
        region: HERE.into(),
        id: id.into(),
        vpc: vpc.into(),
        main,
        subnets: subnets.iter().map(|subnet| (*subnet).to_owned()).collect(),
        routes: routes.iter().map(|(to, by)| ((*to).to_owned(), (*by).to_owned())).collect(),
    }
}

fn endpoint(id: &str, kind: &'static str, service: &str, tables: &[&str], subnets: &[&str]) -> Endpoint {
    let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    let (tables, subnets) = (owned(tables), owned(subnets));
    Endpoint {
        region: HERE.into(),
        id: id.into(),
        vpc: "vpc-lake".into(),
        kind,
        service: service.into(),
        tables,
        subnets,
        policy: None,
    }
}

fn gateway(id: &str, subnet: Option<&str>, state: &'static str) -> Gateway {
    Gateway { region: HERE.into(), id: id.into(), vpc: "vpc-lake".into(), subnet: subnet.map(str::to_owned), state }
}

/// A VPC whose private subnets go out through a NAT gateway, some of them past an S3 endpoint; a VPC with central egress.
pub fn lake() -> Network {
    Network {
        vpcs: ["vpc-lake", "vpc-spoke"].map(|id| Vpc { region: HERE.into(), id: id.into() }).into(),
        subnets: vec![
            subnet("subnet-public", "vpc-lake", "a"),
            subnet("subnet-etl", "vpc-lake", "a"),
            subnet("subnet-main", "vpc-lake", "b"),
            subnet("subnet-spoke", "vpc-spoke", "a"),
        ],
        tables: vec![
            table("rtb-main", "vpc-lake", true, &[], &[("0.0.0.0/0", "nat-a")]),
            table("rtb-etl", "vpc-lake", false, &["subnet-etl"], &[("0.0.0.0/0", "nat-a"), ("::/0", "igw-1")]),
            table("rtb-public", "vpc-lake", false, &["subnet-public"], &[("0.0.0.0/0", "igw-1")]),
            table("rtb-spoke", "vpc-spoke", true, &[], &[("0.0.0.0/0", "tgw-1")]),
        ],
        endpoints: vec![
            endpoint("vpce-s3", "Gateway", "s3", &["rtb-etl"], &[]),
            endpoint("vpce-glue", "Interface", "glue", &[], &["subnet-etl", "subnet-main"]),
        ],
        gateways: vec![gateway("nat-a", Some("subnet-public"), "available"), gateway("nat-r", None, "available")],
        firewalls: Vec::new(),
        page: 0,
    }
}

fn world() -> World {
    let world = World::new();
    world.aws.account().network = lake();
    world
}

fn scan(world: &World) {
    world.run(&["scan", "--only", "network", "--region", HERE]).ends_with(0);
}

#[test]
fn a_subnet_without_an_association_has_the_main_route_table_of_its_vpc() {
    let world = world();
    scan(&world);
    let rows = world.lines("select subnet_id as s, route_table_id as t, main_route_table as m from subnets order by s");
    assert_eq!(
        rows,
        [
            "m=false s=subnet-etl t=rtb-etl",
            "m=true s=subnet-main t=rtb-main",
            "m=false s=subnet-public t=rtb-public",
            "m=true s=subnet-spoke t=rtb-spoke"
        ]
    );
    let implicit = world.lines("select route_table_id as t, implicit_subnet_count as n from route_tables order by t");
    assert_eq!(implicit, ["n=0 t=rtb-etl", "n=1 t=rtb-main", "n=0 t=rtb-public", "n=1 t=rtb-spoke"]);
}

#[test]
fn where_the_default_route_leads_and_whether_s3_has_its_own_way_stand_with_the_route_table() {
    let world = world();
    scan(&world);
    let sql = "select route_table_id as t, default_target_kind as k, default_target as d, s3_gateway_endpoint as s3, dynamodb_gateway_endpoint as ddb from route_tables order by t";
    assert_eq!(
        world.lines(sql),
        [
            "d=nat-a ddb=false k=nat_gateway s3=true t=rtb-etl",
            "d=nat-a ddb=false k=nat_gateway s3=false t=rtb-main",
            "d=igw-1 ddb=false k=internet_gateway s3=false t=rtb-public",
            "d=tgw-1 ddb=false k=transit_gateway s3=false t=rtb-spoke"
        ]
    );
    let routes = "select destination as d, destination_kind as k, target_kind as t, prefix_list_name as p from routes where route_table_id = 'rtb-etl' order by d";
    assert_eq!(
        world.lines(routes),
        [
            "d=0.0.0.0/0 k=ipv4 p=null t=nat_gateway",
            "d=10.0.0.0/16 k=ipv4 p=null t=local",
            "d=::/0 k=ipv6 p=null t=internet_gateway",
            "d=pl-s3 k=prefix_list p=com.amazonaws.us-east-1.s3 t=vpc_endpoint"
        ]
    );
}

#[test]
fn a_nat_gateway_knows_who_goes_through_it_and_from_where() {
    let world = world();
    scan(&world);
    let sql = "select nat_gateway_id as g, availability_mode as m, availability_zones as z, route_table_count as n, route_tables_without_s3_endpoint as s3, subnets_in_other_zones as far from nat_gateways order by g";
    assert_eq!(
        world.lines(sql),
        [
            "far=1 g=nat-a m=zonal n=2 s3=1 z=[\"us-east-1a\"]",
            "far=null g=nat-r m=regional n=0 s3=0 z=[\"us-east-1a\"]"
        ]
    );
    let vpcs = "select vpc_id as v, nat_gateway_count as nat, s3_gateway_endpoint as s3, transit_gateway_route_tables as tgw, subnet_count as n, firewall_endpoint_count as fw, tags from vpcs order by v";
    assert_eq!(
        world.lines(vpcs),
        [
            "fw=0 n=3 nat=2 s3=true tags={\"team\":\"data & bi\"} tgw=0 v=vpc-lake",
            "fw=0 n=1 nat=0 s3=false tags={\"team\":\"data & bi\"} tgw=1 v=vpc-spoke"
        ]
    );
    let endpoints = "select vpc_endpoint_id as e, service as s, availability_zone_count as n, custom_policy as p, private_dns_enabled as dns from vpc_endpoints order by e";
    assert_eq!(
        world.lines(endpoints),
        ["dns=true e=vpce-glue n=2 p=false s=glue", "dns=false e=vpce-s3 n=0 p=false s=s3"]
    );
}

#[test]
fn pages_lose_nothing() {
    let world = world();
    {
        let mut account = world.aws.account();
        account.network.page = 1;
        let more = ["one", "two"].map(|name| Firewall {
            region: HERE.into(),
            name: name.into(),
            vpc: "vpc-lake".into(),
            zones: vec![("a", "subnet-etl".into()), ("b", "subnet-main".into())],
        });
        account.network.firewalls.extend(more);
    }
    scan(&world);
    for (table, count) in [
        ("vpcs", 2),
        ("subnets", 4),
        ("route_tables", 4),
        ("vpc_endpoints", 2),
        ("nat_gateways", 2),
        ("firewall_endpoints", 4),
    ] {
        assert_eq!(world.lines(&format!("select count(*) as n from {table}")), [format!("n={count}")], "{table}");
    }
    assert_eq!(world.aws.count("ec2:DescribeSubnets"), 4);
    assert_eq!(world.lines("select firewall_endpoint_count as n from vpcs where vpc_id = 'vpc-lake'"), ["n=4"]);
    let endpoints =
        "select distinct endpoint_id as e, availability_zone as z, state as s from firewall_endpoints order by e";
    assert_eq!(world.lines(endpoints), ["e=vpce-a s=READY z=us-east-1a", "e=vpce-b s=READY z=us-east-1b"]);
}

#[test]
fn a_denied_list_leaves_exactly_what_stands_on_it_unknown() {
    let cases = [
        (
            "ec2:DescribeSubnets",
            "select subnet_count as n from vpcs",
            "select implicit_subnet_count as n from route_tables",
        ),
        (
            "ec2:DescribeRouteTables",
            "select route_table_id as n from subnets",
            "select route_table_count as n from nat_gateways",
        ),
        (
            "ec2:DescribeVpcEndpoints",
            "select s3_gateway_endpoint as n from route_tables",
            "select route_tables_without_s3_endpoint as n from nat_gateways",
        ),
        (
            "ec2:DescribeManagedPrefixLists",
            "select prefix_list_name as n from routes",
            "select prefix_list_name as n from routes",
        ),
        (
            "ec2:DescribeNatGateways",
            "select nat_gateway_count as n from vpcs",
            "select nat_gateway_count as n from vpcs",
        ),
        (
            "network-firewall:ListFirewalls",
            "select firewall_endpoint_count as n from vpcs",
            "select firewall_endpoint_count as n from vpcs",
        ),
    ];
    for (operation, one, other) in cases {
        let world = world();
        world.aws.make(Fault::on(operation, Trouble::Denied));
        scan(&world);
        for sql in [one, other] {
            let rows = world.lines(sql);
            assert!(!rows.is_empty() && rows.iter().all(|row| row == "n=null"), "{operation}: {sql}: {rows:?}");
        }
        let gaps = world.lines(&format!(
            "select distinct missing_action as a from coverage where state = 'missing' and read = '{operation}'"
        ));
        assert_eq!(gaps, [format!("a={operation}")], "IAM calls it as the API does");
        assert_eq!(world.lines("select count(*) as n from vpcs"), ["n=2"], "{operation}: the rest is read");
    }
}

#[test]
fn one_firewall_that_is_denied_leaves_the_count_of_every_vpc_unknown() {
    let world = world();
    for name in ["seen", "hidden"] {
        let zones = vec![("a", "subnet-etl".to_owned())];
        let firewall = Firewall { region: HERE.into(), name: name.into(), vpc: "vpc-lake".into(), zones };
        world.aws.account().network.firewalls.push(firewall);
    }
    let arn = "arn:aws:network-firewall:us-east-1:1:firewall/hidden";
    world.aws.make(Fault::on("network-firewall:DescribeFirewall", Trouble::Denied).of(arn));
    scan(&world);
    assert_eq!(world.lines("select firewall_name as f from firewall_endpoints"), ["f=seen"]);
    assert_eq!(world.lines("select count(firewall_endpoint_count) as n from vpcs"), ["n=0"]);
    let gaps = world.lines(
        "select distinct resource as r from coverage where state = 'missing' and table_name = 'firewall_endpoints'",
    );
    assert_eq!(gaps, [format!("r={arn}")]);
}

#[test]
fn a_list_that_is_cut_counts_nothing_over_the_part_that_came() {
    let world = world();
    world.aws.account().network.page = 1;
    world.aws.make(Fault::on("ec2:DescribeRouteTables", Trouble::Denied).after(2));
    scan(&world);
    assert_eq!(world.lines("select count(*) as n from route_tables"), ["n=2"]);
    assert_eq!(world.lines("select count(route_table_id) as n from subnets"), ["n=0"]);
    assert_eq!(world.lines("select count(route_table_count) as n from nat_gateways"), ["n=0"]);
    let states = world.lines("select distinct state from coverage where read = 'ec2:DescribeRouteTables'");
    assert_eq!(states, ["state=partial"]);
}

fn metered(world: &World) {
    let series = |metric: &str, statistic, days: &[(&str, u32)]| {
        let points: Vec<_> = days.iter().map(|(on, value)| (day(on), *value)).collect();
        Series::of(HERE, "AWS/NATGateway", metric, &[("NatGatewayId", "nat-a")], &points).by(statistic)
    };
    world.aws.account().metrics.series = vec![
        series(
            "BytesInFromSource",
            "Sum",
            &[("2026-10-01", 1), ("2026-11-17", 700), ("2026-11-19", 900), ("2026-11-20", 5)],
        ),
        series("BytesInFromDestination", "Sum", &[("2026-11-19", 4_000)]),
        series("ActiveConnectionCount", "Maximum", &[("2026-11-19", 12)]),
    ];
}

#[test]
fn traffic_is_summed_by_day_and_the_running_day_is_left_out() {
    let world = world();
    metered(&world);
    scan(&world);
    let sql =
        "select cast(day as varchar) as d, metric as m, bytes as b, connections as c from nat_traffic order by d, m";
    assert_eq!(
        world.lines(sql),
        [
            "b=700 c=null d=2026-11-17 m=BytesInFromSource",
            "b=null c=12 d=2026-11-19 m=ActiveConnectionCount",
            "b=4000 c=null d=2026-11-19 m=BytesInFromDestination",
            "b=900 c=null d=2026-11-19 m=BytesInFromSource"
        ]
    );
    let covered = "select cast(from_day as varchar) as f, cast(to_day as varchar) as t from coverage where table_name = 'nat_traffic' and state = 'seen'";
    assert_eq!(world.lines(covered), ["f=2026-10-21 t=2026-11-19"]);
}

#[test]
fn a_later_scan_reads_the_traffic_of_the_days_since_and_keeps_the_history() {
    let world = world();
    metered(&world);
    scan(&world);
    world.aws.account().metrics.series.remove(1);
    let world = world.on("2026-11-21");
    world.aws.account().metrics.series[0].points.insert(day("2026-11-20"), 1_000.0);
    scan(&world);
    let sql =
        "select cast(day as varchar) as d, bytes as b from nat_traffic where metric = 'BytesInFromSource' order by d";
    assert_eq!(world.lines(sql), ["b=700 d=2026-11-17", "b=900 d=2026-11-19", "b=1000 d=2026-11-20"]);
    let covered = "select cast(from_day as varchar) as f, cast(to_day as varchar) as t from coverage where table_name = 'nat_traffic' and state = 'seen'";
    assert_eq!(world.lines(covered), ["f=2026-10-21 t=2026-11-20"]);
}

#[test]
fn metrics_that_are_denied_are_a_gap_of_each_gateway_and_the_gateways_are_there() {
    let world = world();
    metered(&world);
    world.aws.make(Fault::on("cloudwatch:GetMetricData", Trouble::Denied));
    scan(&world);
    assert_eq!(world.lines("select count(*) as n from nat_gateways"), ["n=2"]);
    let gaps = world.lines("select resource as r, missing_action as a from coverage where table_name = 'nat_traffic' and state = 'missing' and resource is not null order by r");
    assert_eq!(gaps, ["a=cloudwatch:GetMetricData r=nat-a", "a=cloudwatch:GetMetricData r=nat-r"]);
}

#[test]
fn throttled_lists_are_asked_again() {
    let world = world();
    world.aws.make(Fault::on("ec2:DescribeVpcs", Trouble::Throttled).times(1));
    scan(&world);
    assert_eq!(world.lines("select count(*) as n from vpcs"), ["n=2"]);
    assert_eq!(world.aws.count("ec2:DescribeVpcs"), 2);
}
