//! EMR on EC2: clusters with their groups or fleets. The lists are in no order, as EMR's are.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Answer, Request};

/// What a cluster is made of.
#[derive(Clone, Debug)]
pub enum MadeOf {
    /// Members of `InstanceGroups`.
    Groups(Vec<Value>),
    /// Members of `InstanceFleets`.
    Fleets(Vec<Value>),
}

/// One cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub region: String,
    pub id: String,
    pub name: String,
    pub state: &'static str,
    pub created: DateTime<Utc>,
    pub ended: Option<DateTime<Utc>>,
    pub release: String,
    pub tags: Vec<(String, String)>,
    pub made_of: MadeOf,
    /// `ManagedScalingPolicy`.
    pub scaling: Option<Value>,
    /// Seconds.
    pub idle_timeout: Option<u32>,
}

impl Cluster {
    /// Returns a cluster of us-east-1 that waits for steps: one primary node and four Spot core nodes.
    pub fn waiting(id: &str, created: DateTime<Utc>) -> Self {
        let group = |id: &str, role: &str, market: &str, count: u32| {
            json!({
                "Id": id, "InstanceGroupType": role, "Market": market, "InstanceType": "m5.xlarge",
                "RequestedInstanceCount": count, "RunningInstanceCount": count, "Status": {"State": "RUNNING"},
            })
        };
        Cluster {
            region: "us-east-1".into(),
            id: id.into(),
            name: format!("cluster {id}"),
            state: "WAITING",
            created,
            ended: None,
            release: "emr-6.15.0".into(),
            tags: Vec::new(),
            made_of: MadeOf::Groups(vec![group("ig-1", "MASTER", "ON_DEMAND", 1), group("ig-2", "CORE", "SPOT", 4)]),
            scaling: None,
            idle_timeout: None,
        }
    }

    /// Returns the cluster after its end.
    pub fn ended(mut self, at: DateTime<Utc>) -> Self {
        (self.state, self.ended) = ("TERMINATED", Some(at));
        self
    }

    fn summary(&self) -> Value {
        let mut timeline = json!({
            "CreationDateTime": self.created.timestamp(),
            "ReadyDateTime": self.created.timestamp() + 300,
        });
        if let Some(ended) = self.ended {
            timeline["EndDateTime"] = json!(ended.timestamp());
        }
        json!({
            "Id": self.id, "Name": self.name, "NormalizedInstanceHours": 40,
            "Status": {"State": self.state, "StateChangeReason": {}, "Timeline": timeline},
        })
    }

    fn description(&self) -> Value {
        let mut cluster = self.summary();
        let kind = if matches!(self.made_of, MadeOf::Groups(_)) { "INSTANCE_GROUP" } else { "INSTANCE_FLEET" };
        let tags: Vec<Value> = self.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        for (name, value) in [
            ("InstanceCollectionType", json!(kind)),
            ("ReleaseLabel", json!(self.release)),
            ("AutoTerminate", json!(false)),
            ("TerminationProtected", json!(true)),
            ("LogUri", json!("s3://logs/emr/")),
            ("Applications", json!([{"Name": "Spark", "Version": "3.4.1"}, {"Name": "Hive", "Version": "3.1.3"}])),
            ("StepConcurrencyLevel", json!(1)),
            ("Ec2InstanceAttributes", json!({"Ec2SubnetId": "subnet-1"})),
            ("Tags", json!(tags)),
        ] {
            cluster[name] = value;
        }
        cluster
    }
}

/// The account's EMR.
pub struct Emr {
    pub clusters: Vec<Cluster>,
    /// Clusters on a page.
    pub page: usize,
}

impl Default for Emr {
    fn default() -> Self {
        Emr { clusters: Vec::new(), page: 50 }
    }
}

impl Emr {
    pub(super) fn answer(&self, request: &Request) -> Answer {
        let body = request.json();
        let answer = match request.operation.as_str() {
            "emr:ListClusters" => self.list(request, &body),
            "emr:DescribeCluster" => {
                self.known(request, &body).map(|cluster| json!({"Cluster": cluster.description()}))
            }
            "emr:ListInstanceGroups" => self.known(request, &body).and_then(groups),
            "emr:ListInstanceFleets" => self.known(request, &body).and_then(fleets),
            "emr:GetManagedScalingPolicy" => self.known(request, &body).map(|cluster| match &cluster.scaling {
                Some(policy) => json!({"ManagedScalingPolicy": policy}),
                None => json!({}),
            }),
            "emr:GetAutoTerminationPolicy" => self.known(request, &body).map(|cluster| match cluster.idle_timeout {
                Some(seconds) => json!({"AutoTerminationPolicy": {"IdleTimeout": seconds}}),
                None => json!({}),
            }),
            _ => Err("the tests' server does not play this operation".into()),
        };
        answer.map_or_else(|why| request.refuse(400, "InvalidRequestException", &why), |body| Answer::json(&body))
    }

    fn list(&self, request: &Request, body: &Value) -> Result<Value, String> {
        let states: Vec<&str> =
            body["ClusterStates"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let after = body["CreatedAfter"].as_f64();
        #[expect(clippy::cast_precision_loss, reason = "a time in seconds, of a test")]
        let wanted = |cluster: &&Cluster| {
            cluster.region == request.region
                && (states.is_empty() || states.contains(&cluster.state))
                && after.is_none_or(|after| cluster.created.timestamp() as f64 >= after)
        };
        let found: Vec<Value> = self.clusters.iter().rev().filter(wanted).map(Cluster::summary).collect();
        let from = match body["Marker"].as_str() {
            None => 0,
            Some(marker) => marker.strip_prefix("from:").and_then(|at| at.parse().ok()).ok_or("Invalid marker")?,
        };
        let end = (from + self.page.min(50)).min(found.len());
        let mut answer = json!({"Clusters": found.get(from..end).unwrap_or_default()});
        if end < found.len() {
            answer["Marker"] = json!(format!("from:{end}"));
        }
        Ok(answer)
    }

    fn known(&self, request: &Request, body: &Value) -> Result<&Cluster, String> {
        let id = body["ClusterId"].as_str().unwrap_or_default();
        let found = self.clusters.iter().find(|cluster| cluster.id == id && cluster.region == request.region);
        found.ok_or_else(|| format!("Cluster id '{id}' is not valid."))
    }
}

fn groups(cluster: &Cluster) -> Result<Value, String> {
    match &cluster.made_of {
        MadeOf::Groups(groups) => Ok(json!({"InstanceGroups": groups})),
        MadeOf::Fleets(_) => Err("Instance fleets and instance groups are mutually exclusive.".into()),
    }
}

fn fleets(cluster: &Cluster) -> Result<Value, String> {
    match &cluster.made_of {
        MadeOf::Fleets(fleets) => Ok(json!({"InstanceFleets": fleets})),
        MadeOf::Groups(_) => Err("Instance fleets and instance groups are mutually exclusive.".into()),
    }
}
