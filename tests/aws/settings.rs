//! S3: what a bucket is set to beside lifecycle, versioning and tags: each document kept as a test wrote it.

use super::s3::XMLNS;
use super::{Answer, Request};

/// The settings of one bucket. Nothing is set unless a test says so.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub mfa_delete: bool,
    pub requester_pays: bool,
    /// Inside of `ObjectLockConfiguration`.
    pub object_lock: Option<String>,
    /// Inside of `ServerSideEncryptionConfiguration`.
    pub encryption: Option<String>,
    /// Inside of `LoggingEnabled`.
    pub logging: Option<String>,
    /// Inside of `ReplicationConfiguration`.
    pub replication: Option<String>,
    /// Insides of `IntelligentTieringConfiguration`.
    pub tiering: Vec<String>,
    /// Insides of `InventoryConfiguration`.
    pub inventory: Vec<String>,
    /// Insides of `AnalyticsConfiguration`.
    pub analytics: Vec<String>,
    /// Insides of `MetricsConfiguration`.
    pub metrics: Vec<String>,
}

impl Settings {
    pub(super) fn answer(&self, request: &Request, page: usize) -> Answer {
        let list = |root: &str, item: &str, items: &[String]| list(request, page, root, item, items);
        match request.operation.as_str() {
            "s3:GetObjectLockConfiguration" => {
                let none = "ObjectLockConfigurationNotFoundError";
                document(request, "ObjectLockConfiguration", self.object_lock.as_ref(), none)
            }
            "s3:GetBucketEncryption" => {
                let none = "ServerSideEncryptionConfigurationNotFoundError";
                document(request, "ServerSideEncryptionConfiguration", self.encryption.as_ref(), none)
            }
            "s3:GetBucketReplication" => {
                let none = "ReplicationConfigurationNotFoundError";
                document(request, "ReplicationConfiguration", self.replication.as_ref(), none)
            }
            "s3:GetBucketRequestPayment" => {
                let payer = if self.requester_pays { "Requester" } else { "BucketOwner" };
                xml("RequestPaymentConfiguration", &format!("<Payer>{payer}</Payer>"))
            }
            "s3:GetBucketLogging" => {
                let inside = self.logging.as_ref().map(|target| format!("<LoggingEnabled>{target}</LoggingEnabled>"));
                xml("BucketLoggingStatus", &inside.unwrap_or_default())
            }
            "s3:ListBucketIntelligentTieringConfigurations" => list(
                "ListBucketIntelligentTieringConfigurationsOutput",
                "IntelligentTieringConfiguration",
                &self.tiering,
            ),
            "s3:ListBucketInventoryConfigurations" => {
                list("ListInventoryConfigurationsResult", "InventoryConfiguration", &self.inventory)
            }
            "s3:ListBucketAnalyticsConfigurations" => {
                list("ListBucketAnalyticsConfigurationResult", "AnalyticsConfiguration", &self.analytics)
            }
            "s3:ListBucketMetricsConfigurations" => {
                list("ListMetricsConfigurationsResult", "MetricsConfiguration", &self.metrics)
            }
            _ => request.refuse(501, "NotImplemented", "the tests' server does not play this operation"),
        }
    }
}

fn xml(root: &str, inside: &str) -> Answer {
    Answer::xml(format!("<{root} {XMLNS}>{inside}</{root}>"))
}

fn document(request: &Request, root: &str, inside: Option<&String>, none: &str) -> Answer {
    inside.map_or_else(|| request.refuse(404, none, "The configuration does not exist"), |inside| xml(root, inside))
}

/// A page of a list. A token that S3 did not give is refused.
fn list(request: &Request, page: usize, root: &str, item: &str, items: &[String]) -> Answer {
    let from = match request.query.get("continuation-token") {
        None => 0,
        Some(token) => match token.strip_prefix("after:").and_then(|at| at.parse::<usize>().ok()) {
            Some(at) if at < items.len() => at,
            _ => return request.refuse(400, "InvalidArgument", "The continuation token provided is incorrect"),
        },
    };
    let shown = items.iter().skip(from).take(page).map(|inside| format!("<{item}>{inside}</{item}>"));
    let shown = shown.collect::<Vec<_>>().concat();
    let end = from + page;
    let next = if end < items.len() {
        format!("<IsTruncated>true</IsTruncated><NextContinuationToken>after:{end}</NextContinuationToken>")
    } else {
        "<IsTruncated>false</IsTruncated>".to_owned()
    };
    xml(root, &format!("{shown}{next}"))
}
