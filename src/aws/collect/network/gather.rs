//! Asks EC2 for the lists of a Region, all at once, and puts together what none of them says alone.
//!
//! A list that was cut is kept as far as it came; what would have to be counted over all of it is then unknown.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{ManagedPrefixList, NatGateway, RouteTable, Subnet, Vpc, VpcEndpoint};

use super::endpoints::{self, Gateways};
use super::firewalls::{self, Firewalls};
use super::gateways::{self, Around};
use super::reads::{ENDPOINTS, GATEWAYS, PREFIX_LISTS, READS, ROUTE_TABLES, SUBNETS, VPCS};
use super::routes::{self, Applied};
use super::vpcs;
use crate::aws::collect::pages::{Listed, list_pages};
use crate::aws::collect::{Read, Scope, Sink};
use crate::model::{Coverage, Row};
use crate::store::Table;
use crate::store::tables::network;

/// Most items on a page of most lists (EC2 API reference).
const PAGE: i32 = 1000;
/// Most route tables, and most prefix lists, on a page (EC2 API reference).
const SHORT_PAGE: i32 = 100;

/// The network of one Region as it was listed.
#[derive(Debug)]
pub struct Network {
    /// VPCs.
    pub vpcs: Listed<Vpc>,
    /// Subnets.
    pub subnets: Listed<Subnet>,
    /// Route tables with their routes.
    pub tables: Listed<RouteTable>,
    /// VPC endpoints.
    pub endpoints: Listed<VpcEndpoint>,
    /// Prefix lists.
    pub lists: Listed<ManagedPrefixList>,
    /// NAT gateways.
    pub gateways: Listed<NatGateway>,
    /// Firewalls.
    pub firewalls: Firewalls,
}

/// Reads the lists of the scope's Region.
pub async fn gather(scope: &Scope) -> Network {
    let ec2 = scope.ec2();
    let vpcs = ec2.describe_vpcs().max_results(PAGE).into_paginator().send();
    let subnets = ec2.describe_subnets().max_results(PAGE).into_paginator().send();
    let tables = ec2.describe_route_tables().max_results(SHORT_PAGE).into_paginator().send();
    let endpoints = ec2.describe_vpc_endpoints().max_results(PAGE).into_paginator().send();
    let lists = ec2.describe_managed_prefix_lists().max_results(SHORT_PAGE).into_paginator().send();
    let gateways = ec2.describe_nat_gateways().max_results(PAGE).into_paginator().send();
    let (vpcs, subnets, tables, endpoints, lists, gateways, firewalls) = tokio::join!(
        list_pages(scope, vpcs, |page| page.vpcs),
        list_pages(scope, subnets, |page| page.subnets),
        list_pages(scope, tables, |page| page.route_tables),
        list_pages(scope, endpoints, |page| page.vpc_endpoints),
        list_pages(scope, lists, |page| page.prefix_lists),
        list_pages(scope, gateways, |page| page.nat_gateways),
        firewalls::read(scope),
    );
    Network { vpcs, subnets, tables, endpoints, lists, gateways, firewalls }
}

impl Network {
    /// Returns the gateway endpoints, where all endpoints were seen.
    pub fn gateway_endpoints(&self) -> Option<Gateways<'_>> {
        self.endpoints.whole().map(Gateways::of)
    }

    /// Returns the route table of each subnet, where all of both were seen.
    fn applied(&self) -> Option<BTreeMap<&str, Applied<'_>>> {
        Some(routes::applied(self.tables.whole()?, self.subnets.whole()?))
    }

    /// Returns the zone of each subnet, where all were seen.
    fn zones(&self) -> Option<BTreeMap<&str, &str>> {
        let all = self.subnets.whole()?.iter();
        Some(all.filter_map(|subnet| Some((subnet.subnet_id()?, subnet.availability_zone()?))).collect())
    }

    /// Hands over the rows of every table but the traffic's.
    pub async fn hand_over(&self, scope: &Scope, sink: &Sink) {
        for (table, rows) in self.rows(scope) {
            sink.rows(table, rows).await;
        }
    }

    fn rows(&self, scope: &Scope) -> [(&'static Table, Vec<Row>); 7] {
        let (applied, zones, reached) = (self.applied(), self.zones(), self.gateway_endpoints());
        let around = Around {
            tables: self.tables.whole(),
            applied: applied.as_ref(),
            zones: zones.as_ref(),
            endpoints: reached.as_ref(),
        };
        let tables = &self.tables.found;
        [
            (&network::VPCS, self.vpcs.found.iter().map(|vpc| vpcs::vpc_row(scope, vpc, self)).collect()),
            (
                &network::SUBNETS,
                self.subnets.found.iter().map(|subnet| vpcs::subnet_row(scope, subnet, around.applied)).collect(),
            ),
            (
                &network::ROUTE_TABLES,
                tables.iter().map(|table| routes::table_row(scope, table, around.applied, around.endpoints)).collect(),
            ),
            (
                &network::ROUTES,
                tables.iter().flat_map(|table| routes::route_rows(scope, table, self.lists.whole())).collect(),
            ),
            (
                &network::VPC_ENDPOINTS,
                self.endpoints.found.iter().map(|endpoint| endpoints::row(scope, endpoint, around.zones)).collect(),
            ),
            (
                &network::NAT_GATEWAYS,
                self.gateways.found.iter().map(|gateway| gateways::row(scope, gateway, around)).collect(),
            ),
            (&network::FIREWALL_ENDPOINTS, self.firewalls.rows(scope)),
        ]
    }

    /// Hands over what was seen, read by read.
    pub async fn cover(&self, scope: &Scope, sink: &Sink) {
        let lists = READS.iter().filter_map(|read| self.coverage(read));
        let lists = lists.map(|row| row.at(&scope.account_id, Some(&scope.region)));
        for row in lists.chain(self.firewalls.coverage(scope)) {
            sink.cover(row).await;
        }
    }

    /// Returns what the list behind `read` says; firewalls and traffic speak for themselves.
    fn coverage(&self, read: &Read) -> Option<Coverage> {
        Some(match read.operation {
            operation if operation == VPCS.operation => self.vpcs.coverage(read),
            operation if operation == SUBNETS.operation => self.subnets.coverage(read),
            operation if operation == ROUTE_TABLES.operation => self.tables.coverage(read),
            operation if operation == ENDPOINTS.operation => self.endpoints.coverage(read),
            operation if operation == PREFIX_LISTS.operation => self.lists.coverage(read),
            operation if operation == GATEWAYS.operation => self.gateways.coverage(read),
            _ => return None,
        })
    }
}
