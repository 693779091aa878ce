//! A request as it came, and which operation on which resource it is.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value;

/// One request, taken apart.
#[derive(Clone, Debug)]
pub struct Request {
    /// `service:Operation`.
    pub operation: String,
    /// Bucket or workgroup, where the request names one.
    pub resource: Option<String>,
    /// The Region that it was signed for.
    pub region: String,
    /// Access key id; empty when the request was not signed.
    pub key_id: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// What the log keeps of a request.
#[derive(Clone, Debug)]
pub struct Call {
    pub operation: String,
    pub resource: Option<String>,
    pub region: String,
    /// The access key that signed it.
    pub key_id: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    /// The body of JSON services, else null.
    pub json: Value,
    /// Status that was answered.
    pub status: u16,
    /// When it came.
    pub at: Instant,
}

impl Request {
    /// Takes a request apart.
    pub fn read(method: &str, target: &str, headers: BTreeMap<String, String>, body: Vec<u8>) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (key_id, region) = signature(headers.get("authorization").map_or("", String::as_str));
        let mut request = Request {
            operation: String::new(),
            resource: None,
            region,
            key_id,
            path: decode(path),
            query: pairs(query),
            headers,
            body,
        };
        request.operation = request.route(method);
        request.resource = request.named_resource();
        request
    }

    /// Returns `ce` of `ce:GetCostAndUsage`.
    pub fn service(&self) -> &str {
        self.operation.split(':').next().unwrap_or_default()
    }

    /// Returns the body as JSON; null when it is not.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Returns the body as a form.
    pub fn form(&self) -> BTreeMap<String, String> {
        pairs(&String::from_utf8_lossy(&self.body))
    }

    /// Returns which attempt at the call this is, as the SDK says it in `amz-sdk-request: attempt=2; max=3`.
    pub fn attempt(&self) -> u32 {
        let said = self.headers.get("amz-sdk-request").and_then(|said| said.split("attempt=").nth(1));
        said.and_then(|said| said.split(';').next()?.parse().ok()).unwrap_or(1)
    }

    /// Returns a number of the query string, or `default`, at most `most`.
    pub fn limit(&self, name: &str, most: usize) -> usize {
        self.query.get(name).and_then(|text| text.parse().ok()).unwrap_or(most).min(most)
    }

    fn route(&self, method: &str) -> String {
        if let Some((prefix, name)) = self.headers.get("x-amz-target").and_then(|target| target.rsplit_once('.')) {
            let service = match prefix {
                "AWSInsightsIndexService" => "ce",
                "AmazonAthena" => "athena",
                "AWSBillingAndCostManagementDataExports" => "bcm-data-exports",
                "AWSGlue" => "glue",
                "AWSBilling" => "billing",
                "AWSBudgetServiceGateway" => "budgets",
                "CostOptimizationHubService" => "cost-optimization-hub",
                "NetworkFirewall_20201112" => "network-firewall",
                target if target.ends_with("CloudTrail_20131101") => "cloudtrail",
                "AWSOrganizationsV20161128" => "organizations",
                "ElasticMapReduce" => "emr",
                "RedshiftServerless" => "redshift-serverless",
                other => other,
            };
            return format!("{service}:{name}");
        }
        if let Some(name) = self.path.strip_prefix("/service/GraniteServiceVersion20100801/operation/") {
            return format!("cloudwatch:{name}");
        }
        if super::price_list::named(&self.path).is_some() {
            return "pricing:GetOfferFile".to_owned();
        }
        if self.path == "/ListResources" {
            return "lakeformation:ListResources".to_owned();
        }
        let form = self.form();
        if let Some(action) = form.get("Action").filter(|_| method == "POST" && self.path == "/") {
            // Services of the query protocol are told by the version of their API.
            let service = match form.get("Version").map(String::as_str) {
                Some("2016-11-15") => "ec2",
                Some("2012-12-01") => "redshift",
                _ => "sts",
            };
            return format!("{service}:{action}");
        }
        if let Some(operation) = self.emr_serverless_operation() {
            return format!("emr-serverless:{operation}");
        }
        if let Some(id) = self.path.strip_prefix("/v20180820/storagelens") {
            let list = id.trim_matches('/').is_empty();
            let name = if list { "ListStorageLensConfigurations" } else { "GetStorageLensConfiguration" };
            return format!("s3control:{name}");
        }
        format!("s3:{}", self.s3_operation(method))
    }

    /// No bucket of the tests is called `applications`.
    fn emr_serverless_operation(&self) -> Option<&'static str> {
        match self.path.trim_matches('/').split('/').collect::<Vec<_>>()[..] {
            ["applications"] => Some("ListApplications"),
            ["applications", _] => Some("GetApplication"),
            ["applications", _, "jobruns"] => Some("ListJobRuns"),
            ["applications", _, "jobruns", _] => Some("GetJobRun"),
            _ => None,
        }
    }

    #[expect(clippy::cognitive_complexity, reason = "one line an operation")]
    fn s3_operation(&self, method: &str) -> &'static str {
        let has = |name: &str| self.query.contains_key(name);
        let (bucket, key) = self.bucket_and_key();
        match (method, bucket.is_empty(), key.is_empty()) {
            ("GET", true, _) => "ListBuckets",
            ("GET", _, true) if has("lifecycle") => "GetBucketLifecycleConfiguration",
            ("PUT", _, true) if has("lifecycle") => "PutBucketLifecycleConfiguration",
            ("DELETE", _, true) if has("lifecycle") => "DeleteBucketLifecycle",
            ("GET", _, true) if has("versioning") => "GetBucketVersioning",
            ("GET", _, true) if has("tagging") => "GetBucketTagging",
            ("GET", _, true) if has("location") => "GetBucketLocation",
            ("GET", _, true) if has("uploads") => "ListMultipartUploads",
            ("GET", _, true) if has("object-lock") => "GetObjectLockConfiguration",
            ("GET", _, true) if has("encryption") => "GetBucketEncryption",
            ("GET", _, true) if has("requestPayment") => "GetBucketRequestPayment",
            ("GET", _, true) if has("logging") => "GetBucketLogging",
            ("GET", _, true) if has("replication") => "GetBucketReplication",
            ("GET", _, true) if has("intelligent-tiering") => "ListBucketIntelligentTieringConfigurations",
            ("GET", _, true) if has("inventory") => "ListBucketInventoryConfigurations",
            ("GET", _, true) if has("analytics") => "ListBucketAnalyticsConfigurations",
            ("GET", _, true) if has("metrics") => "ListBucketMetricsConfigurations",
            ("HEAD", _, true) => "HeadBucket",
            ("GET", _, false) if has("uploadId") => "ListParts",
            ("GET", _, true) if has("list-type") => "ListObjectsV2",
            ("PUT", _, false) if !has("partNumber") => "PutObject",
            ("GET", _, false) => "GetObject",
            ("HEAD", _, false) => "HeadObject",
            ("DELETE", _, false) => "DeleteObject",
            _ => "Unknown",
        }
    }

    /// Returns bucket and key of a path-style address.
    pub fn bucket_and_key(&self) -> (&str, &str) {
        let path = self.path.trim_start_matches('/');
        path.split_once('/').unwrap_or((path, ""))
    }

    fn named_resource(&self) -> Option<String> {
        let named = match self.service() {
            "s3" => self.bucket_and_key().0.to_owned(),
            "pricing" => super::price_list::named(&self.path).unwrap_or_default(),
            "glue" => glue_resource(&self.json()).to_owned(),
            "s3control" => self.path.trim_start_matches("/v20180820/storagelens").trim_matches('/').to_owned(),
            "athena" => self.json()["WorkGroup"].as_str().unwrap_or_default().to_owned(),
            "network-firewall" => self.json()["FirewallArn"].as_str().unwrap_or_default().to_owned(),
            "emr" => self.json()["ClusterId"].as_str().unwrap_or_default().to_owned(),
            "emr-serverless" => self.path.split('/').nth(2).unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        Some(named).filter(|name| !name.is_empty())
    }

    pub(super) fn logged(&self, status: u16) -> Call {
        Call {
            operation: self.operation.clone(),
            resource: self.resource.clone(),
            region: self.region.clone(),
            key_id: self.key_id.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            json: self.json(),
            status,
            at: Instant::now(),
        }
    }
}

/// Returns the job, crawler or database that a request is about.
fn glue_resource(body: &Value) -> &str {
    let named = ["JobName", "CrawlerName", "DatabaseName"].into_iter().find_map(|field| body[field].as_str());
    named.unwrap_or_default()
}

/// Returns access key id and Region of `AWS4-HMAC-SHA256 Credential=KEY/day/region/service/aws4_request, …`.
fn signature(authorization: &str) -> (String, String) {
    let scope = authorization.split("Credential=").nth(1).unwrap_or_default();
    let mut parts = scope.split(['/', ',']);
    let key_id = parts.next().unwrap_or_default().to_owned();
    (key_id, parts.nth(1).unwrap_or_default().to_owned())
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    };
    text.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// Undoes percent-encoding.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (b'+', _) => {
                out.push(b' ');
                at += 1;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
