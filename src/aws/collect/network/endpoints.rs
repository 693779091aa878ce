//! VPC endpoints: gateway endpoints with their route tables, the others with their zones and policy. Pure.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{DnsOptions, State, VpcEndpoint, VpcEndpointType};

use super::tags::{list, tags};
use crate::aws::collect::{Scope, instant};
use crate::model::Row;

/// A service that a gateway endpoint reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// S3.
    S3,
    /// DynamoDB.
    DynamoDb,
}

/// The available gateway endpoints of the account, by what they reach.
#[derive(Debug, Default)]
pub struct Gateways<'a> {
    tables: BTreeSet<(Reached, &'a str)>,
    vpcs: BTreeSet<(Reached, &'a str)>,
}

impl<'a> Gateways<'a> {
    /// Returns those among all endpoints.
    pub fn of(endpoints: &'a [VpcEndpoint]) -> Self {
        let mut gateways = Gateways::default();
        for endpoint in endpoints.iter().filter(|endpoint| is_available(endpoint)) {
            let Some(reached) = reached(endpoint) else { continue };
            gateways.tables.extend(endpoint.route_table_ids().iter().map(|table| (reached, table.as_str())));
            gateways.vpcs.extend(endpoint.vpc_id().map(|vpc| (reached, vpc)));
        }
        gateways
    }

    /// Returns true when the route table has one.
    pub fn in_table(&self, reached: Reached, table: &str) -> bool {
        self.tables.contains(&(reached, table))
    }

    /// Returns true when the VPC has one.
    pub fn in_vpc(&self, reached: Reached, vpc: &str) -> bool {
        self.vpcs.contains(&(reached, vpc))
    }
}

fn is_available(endpoint: &VpcEndpoint) -> bool {
    endpoint.state().map(State::as_str).is_some_and(|state| state.eq_ignore_ascii_case("available"))
}

fn reached(endpoint: &VpcEndpoint) -> Option<Reached> {
    match service(endpoint.service_name()?)? {
        "s3" if endpoint.vpc_endpoint_type() == Some(&VpcEndpointType::Gateway) => Some(Reached::S3),
        "dynamodb" if endpoint.vpc_endpoint_type() == Some(&VpcEndpointType::Gateway) => Some(Reached::DynamoDb),
        _ => None,
    }
}

/// Returns `s3` of `com.amazonaws.eu-west-1.s3`, `ecr.api` of `com.amazonaws.eu-west-1.ecr.api`; nothing for the
/// services of others (`com.amazonaws.vpce.…`). The China Regions put `cn.` before the name.
fn service(name: &str) -> Option<&str> {
    let name = name.strip_prefix("cn.").unwrap_or(name);
    let (region, service) = name.strip_prefix("com.amazonaws.")?.split_once('.')?;
    (region != "vpce").then_some(service)
}

/// Returns the row of an endpoint; `zones` (subnet to zone) where subnets are known.
pub fn row(scope: &Scope, endpoint: &VpcEndpoint, zones: Option<&BTreeMap<&str, &str>>) -> Row {
    let subnets = endpoint.subnet_ids();
    let state = endpoint.state().map(|state| lower_camel(state.as_str()));
    scope
        .row()
        .with("vpc_id", endpoint.vpc_id())
        .with("vpc_endpoint_id", endpoint.vpc_endpoint_id())
        .with("owner_id", endpoint.owner_id())
        .with("vpc_endpoint_type", endpoint.vpc_endpoint_type().map(VpcEndpointType::as_str))
        .with("service_name", endpoint.service_name())
        .with("service", endpoint.service_name().and_then(service))
        .with("service_region", endpoint.service_region())
        .with("state", state)
        .with("route_tables", list(endpoint.route_table_ids().iter().map(String::as_str)))
        .with("subnets", list(subnets.iter().map(String::as_str)))
        .with("custom_policy", endpoint.policy_document().and_then(is_custom))
        .with("private_dns_enabled", endpoint.private_dns_enabled())
        .with(
            "private_dns_only_for_inbound_resolver",
            endpoint.dns_options().and_then(DnsOptions::private_dns_only_for_inbound_resolver_endpoint),
        )
        .with("requester_managed", endpoint.requester_managed())
        .with("created", endpoint.creation_timestamp().and_then(instant::utc))
        .with("tags", tags(endpoint.tags()))
        .with("availability_zone_count", zones.and_then(|zones| zone_count(subnets, zones)))
}

/// Returns how many zones the subnets are in; `None` when one of them is not known.
fn zone_count(subnets: &[String], zones: &BTreeMap<&str, &str>) -> Option<usize> {
    let found: Option<BTreeSet<&str>> = subnets.iter().map(|subnet| zones.get(subnet.as_str()).copied()).collect();
    found.map(|zones| zones.len())
}

/// EC2 has answered `available` and `Available` over the years.
fn lower_camel(state: &str) -> String {
    let mut letters = state.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// Returns true when a policy is more than "everybody may do everything with everything", which EC2 sets by itself;
/// `None` for what is no policy.
fn is_custom(document: &str) -> Option<bool> {
    let policy: serde_json::Value = serde_json::from_str(document).ok()?;
    let statements = match policy.get("Statement")? {
        serde_json::Value::Array(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    let [statement] = statements else { return Some(true) };
    let any = |field: &str| match statement.get(field) {
        Some(serde_json::Value::String(text)) => text == "*",
        Some(serde_json::Value::Array(list)) => list.len() == 1 && list[0] == "*",
        Some(serde_json::Value::Object(who)) => who.len() == 1 && who.get("AWS").is_some_and(|who| who == "*"),
        _ => false,
    };
    let open = statement.get("Effect").is_some_and(|effect| effect == "Allow") && statement.get("Condition").is_none();
    Some(!(open && ["Action", "Resource", "Principal"].into_iter().all(any)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway(service: &str, state: &str, tables: &[&str]) -> VpcEndpoint {
        endpoint(VpcEndpointType::Gateway, service, state, tables)
    }

    fn endpoint(kind: VpcEndpointType, service: &str, state: &str, tables: &[&str]) -> VpcEndpoint {
        VpcEndpoint::builder()
            .vpc_id("vpc-1")
            .vpc_endpoint_type(kind)
            .service_name(service)
            .state(State::from(state))
            .set_route_table_ids(Some(tables.iter().map(|table| (*table).to_owned()).collect()))
            .build()
    }

    #[test]
    fn only_the_route_tables_that_an_available_endpoint_lists_have_it() {
        let all = [
            gateway("com.amazonaws.eu-west-1.s3", "available", &["rtb-1"]),
            gateway("com.amazonaws.eu-west-1.s3", "deleting", &["rtb-2"]),
            gateway("com.amazonaws.eu-west-1.dynamodb", "Available", &["rtb-2"]),
        ];
        let gateways = Gateways::of(&all);
        assert!(gateways.in_table(Reached::S3, "rtb-1") && !gateways.in_table(Reached::S3, "rtb-2"));
        assert!(gateways.in_table(Reached::DynamoDb, "rtb-2") && gateways.in_vpc(Reached::S3, "vpc-1"));
    }

    #[test]
    fn an_s3_interface_endpoint_is_no_gateway_endpoint() {
        let interface = endpoint(VpcEndpointType::Interface, "com.amazonaws.eu-west-1.s3", "available", &[]);
        assert!(!Gateways::of(&[interface]).in_vpc(Reached::S3, "vpc-1"));
    }

    #[test]
    fn the_service_is_told_from_the_name_and_the_services_of_others_have_none() {
        assert_eq!(service("com.amazonaws.eu-west-1.ecr.api"), Some("ecr.api"));
        assert_eq!(service("cn.com.amazonaws.cn-north-1.s3"), Some("s3"));
        assert_eq!(service("com.amazonaws.vpce.eu-west-1.vpce-svc-0123"), None);
    }

    #[test]
    fn the_policy_that_ec2_sets_by_itself_is_not_custom() {
        let open =
            r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
        assert_eq!(is_custom(open), Some(false));
        assert_eq!(is_custom(&open.replace("\"Action\":\"*\"", "\"Action\":\"s3:GetObject\"")), Some(true));
        assert_eq!(is_custom(&open.replace("\"Principal\":\"*\"", "\"Principal\":{\"AWS\":\"*\"}")), Some(false));
        assert_eq!(is_custom("no policy"), None);
    }

    #[test]
    fn zones_are_counted_once_and_an_unknown_subnet_makes_the_count_unknown() {
        let zones = BTreeMap::from([("subnet-a", "eu-west-1a"), ("subnet-b", "eu-west-1a")]);
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(zone_count(&ids(&["subnet-a", "subnet-b"]), &zones), Some(1));
        assert_eq!(zone_count(&ids(&["subnet-c"]), &zones), None);
        assert_eq!(zone_count(&[], &zones), Some(0));
    }
}
