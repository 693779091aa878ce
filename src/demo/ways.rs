//! The demo's network: VPCs, where their route tables lead, endpoints, and NAT gateways with the bytes that the bill has.

use rust_decimal::Decimal;

use super::calendar::{Calendar, Day};
use super::catalog::{IRELAND, PLATFORM, VIRGINIA};
use super::metered::{Metered, parts};
use super::random::{Random, share};
use crate::model::Row;

/// Days of traffic that a first scan asks for.
const WATCHED: Day = 30;
/// Zones of each VPC.
const ZONES: [&str; 3] = ["a", "b", "c"];
/// Bytes of a gigabyte as NAT gateways are billed.
const GIB: i64 = 1 << 30;
/// Of a gateway's bytes, what goes out, in thousandths; the rest comes in.
const UP: i64 = 80;
/// Services with an interface endpoint in Virginia's VPCs.
const SERVICES: [&str; 7] = ["glue", "athena", "sts", "logs", "kms", "monitoring", "secretsmanager"];

/// A VPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Vpc {
    region: &'static str,
    name: &'static str,
    /// Zones whose private route table lists the S3 endpoint; none where there is no endpoint.
    s3: &'static [&'static str],
    /// The line that its gateways' bytes are on, and its share of it in thousandths.
    line: (&'static str, i64),
}

/// Every VPC. One has its endpoint in two of three route tables, one has none: that is where bytes go astray.
const VPCS: [Vpc; 3] = [
    Vpc { region: VIRGINIA, name: "lake", s3: &["a", "b"], line: ("NatGateway-Bytes", 700) },
    Vpc { region: VIRGINIA, name: "stream", s3: &ZONES, line: ("NatGateway-Bytes", 300) },
    Vpc { region: IRELAND, name: "lake-eu", s3: &[], line: ("EU-NatGateway-Bytes", 1000) },
];

impl Vpc {
    fn row(&self) -> Row {
        Row::new().with("account_id", PLATFORM).with("region", self.region).with("vpc_id", format!("vpc-{}", self.name))
    }

    fn id(&self, what: &str, zone: &str) -> String {
        format!("{what}-{}-{zone}", self.name)
    }

    fn vpc(&self) -> Row {
        self.row()
            .with("owner_id", PLATFORM)
            .with("cidr_block", "10.0.0.0/16")
            .with("is_default", false)
            .with("state", "available")
            .with("tags", format!("{{\"Name\":\"{}\"}}", self.name))
            .with("subnet_count", 6)
            .with("transit_gateway_route_tables", 0)
            .with("nat_gateway_count", 3)
            .with("s3_gateway_endpoint", !self.s3.is_empty())
            .with("dynamodb_gateway_endpoint", false)
            .with("firewall_endpoint_count", 0)
    }

    /// A public and a private subnet in each zone, each with a route table.
    fn subnets(&self) -> impl Iterator<Item = Row> {
        let one = |(kind, zone): (&str, &str)| {
            let id = self.id(&format!("subnet-{kind}"), zone);
            self.row()
                .with("subnet_id", if kind == "private" { self.id("subnet", zone) } else { id })
                .with("owner_id", PLATFORM)
                .with("availability_zone", format!("{}{zone}", self.region))
                .with("tags", "{}")
                .with("route_table_id", self.id(if kind == "private" { "rtb" } else { "rtb-public" }, zone))
                .with("main_route_table", false)
        };
        ["public", "private"]
            .iter()
            .flat_map(|kind| ZONES.map(|zone| (*kind, zone)))
            .map(one)
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn table(&self, zone: &str, public: bool) -> Row {
        let (kind, target) = if public {
            ("internet_gateway", format!("igw-{}", self.name))
        } else {
            ("nat_gateway", self.id("nat", zone))
        };
        let subnet = self.id(if public { "subnet-public" } else { "subnet" }, zone);
        self.row()
            .with("route_table_id", self.id(if public { "rtb-public" } else { "rtb" }, zone))
            .with("owner_id", PLATFORM)
            .with("main", false)
            .with("associated_subnets", format!("[\"{subnet}\"]"))
            .with("associated_gateways", "[]")
            .with("default_target_kind", kind)
            .with("default_target", target)
            .with("tags", "{}")
            .with("implicit_subnet_count", 0)
            .with("s3_gateway_endpoint", !public && self.s3.contains(&zone))
            .with("dynamodb_gateway_endpoint", false)
    }

    fn routes(&self, zone: &str) -> Vec<Row> {
        let row = || self.row().with("route_table_id", self.id("rtb", zone)).with("state", "active");
        let to = |destination: &str, kind: &str, target_kind: &str, target: String| {
            let row = row().with("destination", destination).with("destination_kind", kind);
            row.with("target_kind", target_kind).with("target", target).with("origin", "CreateRoute")
        };
        let mut routes = vec![
            to("10.0.0.0/16", "ipv4", "local", "local".to_owned()),
            to("0.0.0.0/0", "ipv4", "nat_gateway", self.id("nat", zone)),
        ];
        if self.s3.contains(&zone) {
            let list = to("pl-63a5400a", "prefix_list", "vpc_endpoint", self.id("vpce", "s3"));
            routes.push(list.with("prefix_list_name", format!("com.amazonaws.{}.s3", self.region)));
        }
        routes
    }

    fn endpoint(&self, service: &str) -> Row {
        let gateway = service == "s3";
        let list = |what: &str, zones: &[&str]| {
            let ids: Vec<String> = zones.iter().map(|zone| format!("\"{}\"", self.id(what, zone))).collect();
            format!("[{}]", ids.join(","))
        };
        self.row()
            .with("vpc_endpoint_id", self.id("vpce", service))
            .with("owner_id", PLATFORM)
            .with("vpc_endpoint_type", if gateway { "Gateway" } else { "Interface" })
            .with("service_name", format!("com.amazonaws.{}.{service}", self.region))
            .with("service", service)
            .with("state", "available")
            .with("route_tables", if gateway { list("rtb", self.s3) } else { "[]".to_owned() })
            .with("subnets", if gateway { "[]".to_owned() } else { list("subnet", &ZONES) })
            .with("custom_policy", false)
            .with("private_dns_enabled", !gateway)
            .with("requester_managed", false)
            .with("tags", "{}")
            .with("availability_zone_count", if gateway { 0 } else { ZONES.len() })
    }

    fn gateway(&self, zone: &str) -> Row {
        self.row()
            .with("nat_gateway_id", self.id("nat", zone))
            .with("state", "available")
            .with("connectivity_type", "public")
            .with("availability_mode", "zonal")
            .with("subnet_id", self.id("subnet-public", zone))
            .with("public_ip_count", 1)
            .with("tags", "{}")
            .with("availability_zones", format!("[\"{}{zone}\"]", self.region))
            .with("subnets_in_other_zones", 0)
            .with("route_table_count", 1)
            .with("route_tables_without_s3_endpoint", i64::from(!self.s3.contains(&zone)))
            .with("route_tables_without_dynamodb_endpoint", 1)
    }

    /// Returns the day's traffic: what the bill has, shared out among the gateways.
    fn traffic(&self, seed: u64, calendar: Calendar, day: Day, metered: &Metered<'_>) -> Vec<Row> {
        let mut random = Random::new(seed, &format!("nat {} {}", self.name, calendar.date(day)));
        let billed = metered.on(PLATFORM, self.line.0, day) * Decimal::new(self.line.1, 3);
        let bytes = (billed * Decimal::from(GIB)).round();
        let bytes = rust_decimal::prelude::ToPrimitive::to_i64(&bytes).unwrap_or(0);
        let each = parts(bytes, ZONES.len().try_into().unwrap_or(1), |even| random.around(even, 90));
        ZONES.iter().zip(each).flat_map(|(zone, bytes)| self.metrics(calendar, day, zone, bytes)).collect()
    }

    fn metrics(&self, calendar: Calendar, day: Day, zone: &str, bytes: i64) -> [Row; 5] {
        let up = share(bytes, UP);
        let row = |metric: &'static str| {
            let row = Row::new().with("account_id", PLATFORM).with("region", self.region);
            row.with("nat_gateway_id", self.id("nat", zone)).with("day", calendar.date(day)).with("metric", metric)
        };
        [
            row("BytesInFromSource").with("bytes", up),
            row("BytesOutToDestination").with("bytes", up),
            row("BytesInFromDestination").with("bytes", bytes - up),
            row("BytesOutToSource").with("bytes", bytes - up),
            row("ActiveConnectionCount").with("connections", 400 + bytes / (GIB * 2)),
        ]
    }
}

/// What a scan sees of the network.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// Rows of `vpcs`.
    pub vpcs: Vec<Row>,
    /// Rows of `subnets`.
    pub subnets: Vec<Row>,
    /// Rows of `route_tables`.
    pub tables: Vec<Row>,
    /// Rows of `routes`.
    pub routes: Vec<Row>,
    /// Rows of `vpc_endpoints`.
    pub endpoints: Vec<Row>,
    /// Rows of `nat_gateways`.
    pub gateways: Vec<Row>,
}

/// Returns the network as it stands.
pub fn ways() -> Ways {
    let mut ways = Ways::default();
    for vpc in &VPCS {
        ways.vpcs.push(vpc.vpc());
        ways.subnets.extend(vpc.subnets());
        for zone in ZONES {
            ways.tables.extend([vpc.table(zone, false), vpc.table(zone, true)]);
            ways.routes.extend(vpc.routes(zone));
            ways.gateways.push(vpc.gateway(zone));
        }
        let gateway = ["s3"].into_iter().filter(|_| !vpc.s3.is_empty());
        ways.endpoints.extend(gateway.chain(SERVICES).map(|service| vpc.endpoint(service)));
    }
    ways
}

/// Returns the rows of `nat_traffic` from `from` up to yesterday.
pub fn traffic(seed: u64, calendar: Calendar, today: Day, from: Day, metered: &Metered<'_>) -> Vec<Row> {
    let days = first_day(today, from)..today;
    days.flat_map(|day| VPCS.iter().flat_map(move |vpc| vpc.traffic(seed, calendar, day, metered))).collect()
}

/// Returns the first day of traffic that a scan reads.
pub fn first_day(today: Day, from: Day) -> Day {
    from.max(today - WATCHED)
}
