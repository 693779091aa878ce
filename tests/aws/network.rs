//! EC2's network and Network Firewall: lists computed from what the account has, page by page.
//!
//! Plays what is easily got wrong: explicit associations only, routes that gateway endpoints add, page sizes.

use serde_json::{Value, json};

use super::answer::escape;
use super::{Answer, Request};

/// Items of one page, and the token of the next.
type Page<'a> = (&'a [String], Option<String>);

/// The account's network, in all Regions.
#[derive(Default)]
pub struct Network {
    pub vpcs: Vec<Vpc>,
    pub subnets: Vec<Subnet>,
    pub tables: Vec<Table>,
    pub endpoints: Vec<Endpoint>,
    pub gateways: Vec<Gateway>,
    pub firewalls: Vec<Firewall>,
    /// Things on a page at most; EC2's own limits when it is 0.
    pub page: usize,
}

pub struct Vpc {
    pub region: String,
    pub id: String,
}

pub struct Subnet {
    pub region: String,
    pub id: String,
    pub vpc: String,
    /// Letter of its zone: `a`.
    pub zone: &'static str,
}

pub struct Table {
    pub region: String,
    pub id: String,
    pub vpc: String,
    pub main: bool,
    /// Subnets with an association of their own.
    pub subnets: Vec<String>,
    /// Destination and target: `("0.0.0.0/0", "nat-1")`.
    pub routes: Vec<(String, String)>,
}

pub struct Endpoint {
    pub region: String,
    pub id: String,
    pub vpc: String,
    /// `Gateway` or `Interface`.
    pub kind: &'static str,
    /// `s3`.
    pub service: String,
    pub tables: Vec<String>,
    pub subnets: Vec<String>,
    /// Another policy than full access.
    pub policy: Option<String>,
}

pub struct Gateway {
    pub region: String,
    pub id: String,
    pub vpc: String,
    /// The subnet of a zonal gateway; a regional one has none.
    pub subnet: Option<String>,
    pub state: &'static str,
}

pub struct Firewall {
    pub region: String,
    pub name: String,
    pub vpc: String,
    /// Zone letters, each with an endpoint in a subnet.
    pub zones: Vec<(&'static str, String)>,
}

/// Most things on a page, by operation (EC2 API reference).
fn most(operation: &str) -> usize {
    if ["ec2:DescribeRouteTables", "ec2:DescribeManagedPrefixLists"].contains(&operation) { 100 } else { 1000 }
}

impl Network {
    pub(super) fn answer(&self, request: &Request, account: &str) -> Answer {
        let form = request.form();
        if form.keys().any(|name| name.starts_with("Filter") || name == "DryRun") {
            return request.refuse(400, "InvalidParameterValue", "the tests' server has no filters");
        }
        let region = request.region.as_str();
        let (set, items) = match request.operation.as_str() {
            "ec2:DescribeVpcs" => ("vpcSet", self.vpc_items(region, account)),
            "ec2:DescribeSubnets" => ("subnetSet", self.subnet_items(region, account)),
            "ec2:DescribeRouteTables" => ("routeTableSet", self.table_items(region, account)),
            "ec2:DescribeVpcEndpoints" => ("vpcEndpointSet", self.endpoint_items(region, account)),
            "ec2:DescribeManagedPrefixLists" => ("prefixListSet", prefix_lists(region)),
            "ec2:DescribeNatGateways" => ("natGatewaySet", self.gateway_items(region)),
            _ => return request.refuse(400, "InvalidAction", "the tests' server does not play this action"),
        };
        match self.page(request, &form, &items) {
            Ok((page, next)) => {
                let name = request.operation.trim_start_matches("ec2:");
                let next = next.map(|token| tag("nextToken", &token)).unwrap_or_default();
                Answer::xml(format!(
                    "<{name}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r-1</requestId>\
                     {}{next}</{name}Response>",
                    set_of(set, page)
                ))
            }
            Err((code, why)) => request.refuse(400, code, why),
        }
    }

    fn page<'a>(
        &self,
        request: &Request,
        form: &std::collections::BTreeMap<String, String>,
        items: &'a [String],
    ) -> Result<Page<'a>, (&'static str, &'static str)> {
        let most = most(&request.operation);
        let asked: usize = form.get("MaxResults").and_then(|text| text.parse().ok()).unwrap_or(most);
        if !(5..=most).contains(&asked) {
            return Err(("InvalidParameterValue", "Value for MaxResults is out of range"));
        }
        let from = match form.get("NextToken") {
            None => 0,
            Some(token) => {
                let at = token.strip_prefix("from:").and_then(|at| at.parse().ok()).filter(|at| *at < items.len());
                at.ok_or(("InvalidNextToken", "the token is not known"))?
            }
        };
        let size = if self.page == 0 { asked } else { asked.min(self.page) };
        let end = (from + size).min(items.len());
        Ok((&items[from..end], (end < items.len()).then(|| format!("from:{end}"))))
    }

    fn vpc_items(&self, region: &str, account: &str) -> Vec<String> {
        let of = |vpc: &Vpc| {
            [tag("vpcId", &vpc.id), tag("ownerId", account), tag("state", "available"), tag("cidrBlock", "10.0.0.0/16")]
                .concat()
                + "<isDefault>false</isDefault><tagSet><item><key>team</key><value>data &amp; bi</value></item></tagSet>"
        };
        self.vpcs.iter().filter(|vpc| vpc.region == region).map(of).collect()
    }

    fn subnet_items(&self, region: &str, account: &str) -> Vec<String> {
        let of = |subnet: &Subnet| {
            let zone = format!("{region}{}", subnet.zone);
            let ids = [tag("subnetId", &subnet.id), tag("vpcId", &subnet.vpc), tag("ownerId", account)].concat();
            ids + &tag("availabilityZone", &zone) + &tag("availabilityZoneId", &format!("id-{}", subnet.zone))
        };
        self.subnets.iter().filter(|subnet| subnet.region == region).map(of).collect()
    }

    /// Explicit associations only, and the one that makes a table its VPC's main one; a route for each gateway endpoint.
    fn table_items(&self, region: &str, account: &str) -> Vec<String> {
        let of = |table: &Table| {
            let main = table.main.then(|| "<main>true</main>".to_owned());
            let explicit = table.subnets.iter().map(|subnet| format!("<main>false</main>{}", tag("subnetId", subnet)));
            let associations: Vec<String> = main.into_iter().chain(explicit).collect();
            let local = route("10.0.0.0/16", "local", "CreateRouteTable");
            let own = table.routes.iter().map(|(destination, target)| route(destination, target, "CreateRoute"));
            let reached = self.endpoints.iter().filter(|e| e.region == region && e.tables.contains(&table.id));
            let added = reached.map(|e| route(&prefix_list_id(&e.service), &e.id, "CreateRoute"));
            let routes: Vec<String> = std::iter::once(local).chain(own).chain(added).collect();
            [
                tag("routeTableId", &table.id),
                tag("vpcId", &table.vpc),
                tag("ownerId", account),
                set_of("routeSet", &routes),
                set_of("associationSet", &associations),
            ]
            .concat()
        };
        self.tables.iter().filter(|table| table.region == region).map(of).collect()
    }

    fn endpoint_items(&self, region: &str, account: &str) -> Vec<String> {
        let open =
            r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
        let of = |endpoint: &Endpoint| {
            [
                tag("vpcEndpointId", &endpoint.id),
                tag("vpcEndpointType", endpoint.kind),
                tag("vpcId", &endpoint.vpc),
                tag("ownerId", account),
                tag("serviceName", &format!("com.amazonaws.{region}.{}", endpoint.service)),
                tag("state", "available"),
                tag("policyDocument", endpoint.policy.as_deref().unwrap_or(open)),
                set_of("routeTableIdSet", &endpoint.tables),
                set_of("subnetIdSet", &endpoint.subnets),
                tag("privateDnsEnabled", if endpoint.kind == "Interface" { "true" } else { "false" }),
                tag("requesterManaged", "false"),
                tag("creationTimestamp", "2026-01-02T03:04:05.000Z"),
            ]
            .concat()
        };
        self.endpoints.iter().filter(|endpoint| endpoint.region == region).map(of).collect()
    }

    fn gateway_items(&self, region: &str) -> Vec<String> {
        let of = |gateway: &Gateway| {
            let place = match &gateway.subnet {
                Some(subnet) => tag("subnetId", subnet) + &tag("availabilityMode", "zonal"),
                None => tag("routeTableId", "rtb-of-nat") + &tag("availabilityMode", "regional"),
            };
            let zone =
                if gateway.subnet.is_none() { tag("availabilityZone", &format!("{region}a")) } else { String::new() };
            [
                tag("natGatewayId", &gateway.id),
                tag("vpcId", &gateway.vpc),
                tag("state", gateway.state),
                tag("connectivityType", "public"),
                tag("createTime", "2026-01-02T03:04:05.000Z"),
                place,
                set_of("natGatewayAddressSet", &[tag("publicIp", "203.0.113.7") + &zone]),
            ]
            .concat()
        };
        self.gateways.iter().filter(|gateway| gateway.region == region).map(of).collect()
    }

    pub(super) fn firewall(&self, request: &Request) -> Answer {
        let body = request.json();
        let arn =
            |firewall: &Firewall| format!("arn:aws:network-firewall:{}:1:firewall/{}", firewall.region, firewall.name);
        let own: Vec<&Firewall> = self.firewalls.iter().filter(|firewall| firewall.region == request.region).collect();
        match request.operation.as_str() {
            "network-firewall:ListFirewalls" => {
                let from = body["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
                let end = (from + if self.page == 0 { 100 } else { self.page }).min(own.len());
                let of = |f: &&Firewall| json!({"FirewallName": f.name, "FirewallArn": arn(f)});
                let mut answer = json!({"Firewalls": own[from..end].iter().map(of).collect::<Vec<_>>()});
                if end < own.len() {
                    answer["NextToken"] = json!(end.to_string());
                }
                Answer::json(&answer)
            }
            "network-firewall:DescribeFirewall" => {
                let found = own.iter().find(|firewall| body["FirewallArn"] == json!(arn(firewall)));
                match found {
                    Some(firewall) => Answer::json(&firewall.json(&arn(firewall))),
                    None => request.refuse(400, "ResourceNotFoundException", "there is no such firewall"),
                }
            }
            _ => request.refuse(400, "InvalidRequestException", "the tests' server does not play this operation"),
        }
    }
}

impl Firewall {
    fn json(&self, arn: &str) -> Value {
        let state = |(zone, subnet): &(&str, String)| {
            let attachment = json!({"SubnetId": subnet, "EndpointId": format!("vpce-{zone}"), "Status": "READY"});
            (format!("{}{zone}", self.region), json!({"Attachment": attachment}))
        };
        let states: serde_json::Map<String, Value> = self.zones.iter().map(state).collect();
        json!({
            "Firewall": {
                "FirewallName": self.name, "FirewallArn": arn, "FirewallId": "f-1", "VpcId": self.vpc,
                "FirewallPolicyArn": "arn:aws:network-firewall:x:1:firewall-policy/p",
                "SubnetMappings": self.zones.iter().map(|(_, subnet)| json!({"SubnetId": subnet})).collect::<Vec<_>>(),
            },
            "FirewallStatus": {
                "Status": "READY", "ConfigurationSyncStateSummary": "IN_SYNC", "SyncStates": states,
            },
        })
    }
}

fn prefix_list_id(service: &str) -> String {
    format!("pl-{service}")
}

/// Every Region has the lists of S3 and DynamoDB.
fn prefix_lists(region: &str) -> Vec<String> {
    let of = |service: &str| {
        let name = format!("com.amazonaws.{region}.{service}");
        tag("prefixListId", &prefix_list_id(service)) + &tag("prefixListName", &name) + &tag("ownerId", "AWS")
    };
    ["s3", "dynamodb"].into_iter().map(of).collect()
}

fn route(destination: &str, target: &str, origin: &str) -> String {
    let to = match destination.split_once('-') {
        Some(("pl", _)) => "destinationPrefixListId",
        _ if destination.contains(':') => "destinationIpv6CidrBlock",
        _ => "destinationCidrBlock",
    };
    let by = match target.split('-').next() {
        Some("nat") => "natGatewayId",
        Some("tgw") => "transitGatewayId",
        Some("pcx") => "vpcPeeringConnectionId",
        _ => "gatewayId",
    };
    [tag(to, destination), tag(by, target), tag("state", "active"), tag("origin", origin)].concat()
}

fn tag(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

fn set_of(name: &str, items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| format!("<item>{item}</item>")).collect();
    format!("<{name}>{}</{name}>", items.concat())
}
