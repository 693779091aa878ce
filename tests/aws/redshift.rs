//! Redshift over the query protocol, and Redshift Serverless over JSON.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::answer::escape;
use super::{Answer, Request};

/// One provisioned cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub region: String,
    pub name: String,
    pub node_type: String,
    pub nodes: u32,
    pub status: &'static str,
    pub created: DateTime<Utc>,
    pub tags: Vec<(String, String)>,
}

/// One usage limit of a provisioned cluster.
#[derive(Clone, Debug)]
pub struct Limit {
    pub region: String,
    pub cluster: String,
    pub feature: &'static str,
    pub action: &'static str,
}

/// One scheduled action.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub region: String,
    pub cluster: String,
    /// `PauseCluster` or `ResumeCluster`.
    pub action: &'static str,
    pub cron: &'static str,
    pub state: &'static str,
}

/// The account's Redshift.
pub struct Redshift {
    pub clusters: Vec<Cluster>,
    pub limits: Vec<Limit>,
    pub schedules: Vec<Schedule>,
    /// Region, and a member of `workgroups`.
    pub workgroups: Vec<(String, Value)>,
    /// Region, and a member of `namespaces`.
    pub namespaces: Vec<(String, Value)>,
    /// Region, and a member of `usageLimits`.
    pub serverless_limits: Vec<(String, Value)>,
    /// Things on a page.
    pub page: usize,
}

impl Default for Redshift {
    fn default() -> Self {
        Redshift {
            clusters: Vec::new(),
            limits: Vec::new(),
            schedules: Vec::new(),
            workgroups: Vec::new(),
            namespaces: Vec::new(),
            serverless_limits: Vec::new(),
            page: 100,
        }
    }
}

impl Redshift {
    pub(super) fn answer(&self, request: &Request) -> Answer {
        let form = request.form();
        let here = |region: &str| region == request.region;
        let (result, list, items): (&str, &str, Vec<String>) = match request.operation.as_str() {
            "redshift:DescribeClusters" => {
                let own = self.clusters.iter().filter(|cluster| here(&cluster.region));
                ("DescribeClusters", "Clusters", own.map(Cluster::xml).collect())
            }
            "redshift:DescribeUsageLimits" => {
                let own = self.limits.iter().filter(|limit| here(&limit.region));
                ("DescribeUsageLimits", "UsageLimits", own.map(Limit::xml).collect())
            }
            "redshift:DescribeScheduledActions" => {
                let own = self.schedules.iter().filter(|schedule| here(&schedule.region));
                ("DescribeScheduledActions", "ScheduledActions", own.map(Schedule::xml).collect())
            }
            _ => return request.refuse(400, "InvalidAction", "the tests' server does not play this action"),
        };
        let most = form.get("MaxRecords").and_then(|text| text.parse().ok()).unwrap_or(100);
        if !(20..=100).contains(&most) {
            return request.refuse(400, "InvalidParameterValue", "MaxRecords is 20 to 100");
        }
        let from = match form.get("Marker").map(String::as_str) {
            None | Some("") => Some(0),
            Some(marker) => marker.strip_prefix("from:").and_then(|at| at.parse().ok()),
        };
        let Some(from) = from else { return request.refuse(400, "InvalidParameterValue", "the marker is not known") };
        let end = (from + self.page.min(most)).min(items.len());
        let mut body = format!("<{list}>{}</{list}>", items.get(from..end).unwrap_or_default().concat());
        if end < items.len() {
            let _ = write!(body, "<Marker>from:{end}</Marker>");
        }
        Answer::xml(format!(
            "<{result}Response xmlns=\"http://redshift.amazonaws.com/doc/2012-12-01/\"><{result}Result>{body}</{result}Result>\
             <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{result}Response>"
        ))
    }

    pub(super) fn serverless(&self, request: &Request) -> Answer {
        let (field, all) = match request.operation.as_str() {
            "redshift-serverless:ListWorkgroups" => ("workgroups", &self.workgroups),
            "redshift-serverless:ListNamespaces" => ("namespaces", &self.namespaces),
            "redshift-serverless:ListUsageLimits" => ("usageLimits", &self.serverless_limits),
            _ => return request.refuse(400, "ValidationException", "the tests' server does not play this operation"),
        };
        let body = request.json();
        let own: Vec<&Value> =
            all.iter().filter(|(region, _)| *region == request.region).map(|(_, item)| item).collect();
        let most = body["maxResults"].as_u64().map_or(100, |most| usize::try_from(most).unwrap());
        let from = match body["nextToken"].as_str() {
            None => Some(0),
            Some(token) => token.strip_prefix("from:").and_then(|at| at.parse().ok()),
        };
        let Some(from) = from else {
            return request.refuse(400, "InvalidPaginationException", "the token is not known");
        };
        let end = (from + self.page.min(most)).min(own.len());
        let mut answer = json!({field: own.get(from..end).unwrap_or_default()});
        if end < own.len() {
            answer["nextToken"] = json!(format!("from:{end}"));
        }
        Answer::json(&answer)
    }
}

impl Cluster {
    /// Returns two RA3 nodes in us-east-1.
    pub fn new(name: &str, created: DateTime<Utc>) -> Self {
        Cluster {
            region: "us-east-1".into(),
            name: name.into(),
            node_type: "ra3.xlplus".into(),
            nodes: 2,
            status: "available",
            created,
            tags: Vec::new(),
        }
    }

    fn xml(&self) -> String {
        let tag = |(key, value): &(String, String)| {
            format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", escape(key), escape(value))
        };
        let tags: String = self.tags.iter().map(tag).collect();
        format!(
            "<Cluster><ClusterIdentifier>{}</ClusterIdentifier><NodeType>{}</NodeType><ClusterStatus>{}</ClusterStatus>\
             <NumberOfNodes>{}</NumberOfNodes><ClusterCreateTime>{}</ClusterCreateTime><Encrypted>true</Encrypted>\
             <AutomatedSnapshotRetentionPeriod>7</AutomatedSnapshotRetentionPeriod>\
             <ManualSnapshotRetentionPeriod>-1</ManualSnapshotRetentionPeriod><MultiAZ>Disabled</MultiAZ>\
             <TotalStorageCapacityInMegaBytes>262144000</TotalStorageCapacityInMegaBytes><Tags>{tags}</Tags></Cluster>",
            self.name,
            self.node_type,
            self.status,
            self.nodes,
            self.created.format("%Y-%m-%dT%H:%M:%SZ"),
        )
    }
}

impl Schedule {
    fn xml(&self) -> String {
        let Schedule { cluster, action, cron, state, .. } = self;
        format!(
            "<ScheduledAction><ScheduledActionName>{cluster}-{action}</ScheduledActionName><TargetAction><{action}>\
             <ClusterIdentifier>{cluster}</ClusterIdentifier></{action}></TargetAction><Schedule>{cron}</Schedule>\
             <IamRole>arn:aws:iam::111122223333:role/clock</IamRole><State>{state}</State></ScheduledAction>"
        )
    }
}

impl Limit {
    fn xml(&self) -> String {
        format!(
            "<member><UsageLimitId>l-1</UsageLimitId><ClusterIdentifier>{}</ClusterIdentifier><FeatureType>{}</FeatureType>\
             <LimitType>time</LimitType><Amount>60</Amount><Period>daily</Period><BreachAction>{}</BreachAction></member>",
            self.cluster, self.feature, self.action
        )
    }
}
