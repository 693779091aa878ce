//! Network Firewall: the endpoints of each firewall, by zone. Behind one, AWS waives what a NAT gateway costs.

use aws_sdk_networkfirewall::operation::describe_firewall::DescribeFirewallOutput;
use aws_sdk_networkfirewall::types::{Attachment, AttachmentStatus};

use super::reads::{FIREWALL, FIREWALLS, FIREWALLS_OF_VPCS};
use crate::aws::collect::ask::ask;
use crate::aws::collect::outcome::{Outcome, coverage};
use crate::aws::collect::pages::{Listed, list_pages};
use crate::aws::collect::{Failed, Scope};
use crate::model::{Coverage, Row};

/// Firewalls on one page (Network Firewall API reference, ListFirewalls).
const PAGE: i32 = 100;

/// The firewalls that were listed, and what each of them answered.
#[derive(Debug)]
pub struct Firewalls {
    listed: Listed<String>,
    described: Vec<(String, Result<DescribeFirewallOutput, Failed>)>,
}

/// Reads the firewalls of the scope's Region.
pub async fn read(scope: &Scope) -> Firewalls {
    let client = scope.network_firewall();
    let pages = client.list_firewalls().max_results(PAGE).into_paginator().send();
    let arn = |firewall: aws_sdk_networkfirewall::types::FirewallMetadata| firewall.firewall_arn;
    let listed = list_pages(scope, pages, |page| Some(page.firewalls?.into_iter().filter_map(arn).collect())).await;
    let mut described = Vec::new();
    for arn in &listed.found {
        let answer = ask(scope, client.describe_firewall().firewall_arn(arn).send()).await;
        let there = |answer: DescribeFirewallOutput| match answer.firewall() {
            Some(_) => Ok(answer),
            None => Err(Failed::left_out("the firewall")),
        };
        described.push((arn.clone(), answer.and_then(there)));
    }
    Firewalls { listed, described }
}

impl Firewalls {
    /// Returns how many endpoints there are in a VPC; `None` unless every firewall was seen.
    pub fn endpoints_in(&self, vpc: &str) -> Option<usize> {
        self.listed.whole()?;
        let mut count = 0;
        for (_, answer) in &self.described {
            let answer = answer.as_ref().ok()?;
            let own = answer.firewall().is_some_and(|firewall| firewall.vpc_id() == vpc);
            count += if own { attachments(answer).len() } else { 0 };
        }
        Some(count)
    }

    /// Returns the rows of all endpoints.
    pub fn rows(&self, scope: &Scope) -> Vec<Row> {
        self.described
            .iter()
            .filter_map(|(_, answer)| answer.as_ref().ok())
            .flat_map(|seen| rows(scope, seen))
            .collect()
    }

    /// Returns what was seen of the firewalls.
    pub fn coverage(&self, scope: &Scope) -> Vec<Coverage> {
        let here = |row: Coverage| row.at(&scope.account_id, Some(&scope.region));
        let list = here(self.listed.coverage(&FIREWALLS));
        let described = self.described.iter();
        let outcomes: Vec<Outcome> =
            described.map(|(arn, answer)| Outcome::of(arn, Some(&scope.region), answer)).collect();
        let mut rows = vec![list.clone()];
        for read in [&FIREWALL, &FIREWALLS_OF_VPCS] {
            if self.listed.failed.is_some() || outcomes.is_empty() {
                // As much as the list says, and what it lacks is the list's affair.
                let missing_action = list.missing_action.clone();
                rows.push(here(Coverage { missing_action, ..self.listed.coverage(read) }));
            }
            rows.extend(coverage(&scope.account_id, read, &outcomes));
        }
        rows
    }
}

/// Returns zone and attachment of each endpoint, in order.
fn attachments(answer: &DescribeFirewallOutput) -> Vec<(&str, Option<&Attachment>)> {
    let states = answer.firewall_status().and_then(|status| status.sync_states());
    let mut found: Vec<(&str, Option<&Attachment>)> =
        states.into_iter().flatten().map(|(zone, state)| (zone.as_str(), state.attachment())).collect();
    found.sort_unstable_by_key(|(zone, _)| *zone);
    found
}

fn rows(scope: &Scope, answer: &DescribeFirewallOutput) -> Vec<Row> {
    let Some(firewall) = answer.firewall() else { return Vec::new() };
    let vpc = Some(firewall.vpc_id()).filter(|vpc| !vpc.is_empty());
    let named = scope
        .row()
        .with("vpc_id", vpc)
        .with("firewall_name", firewall.firewall_name())
        .with("firewall_arn", firewall.firewall_arn())
        .with("transit_gateway_id", firewall.transit_gateway_id());
    let row = |(zone, attachment): (&str, Option<&Attachment>)| {
        named
            .clone()
            .with("availability_zone", zone)
            .with("subnet_id", attachment.and_then(Attachment::subnet_id))
            .with("endpoint_id", attachment.and_then(Attachment::endpoint_id))
            .with("state", attachment.and_then(Attachment::status).map(AttachmentStatus::as_str))
    };
    attachments(answer).into_iter().map(row).collect()
}
