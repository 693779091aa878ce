//! Which buckets' settings were changed since some time, as CloudTrail's event history of one Region has it.
//!
//! Free. Says nothing where the history cannot be read to its end: half a list of changes vouches for no bucket.

use std::collections::BTreeSet;

use aws_sdk_cloudtrail::Client;
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt};

use super::by_name;
use super::event::{self, About};
use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope, Trouble, instant};

/// The call, as buckets use it.
pub const CHANGES: Read =
    Read::columns("cloudtrail:LookupEvents", "cloudtrail:LookupEvents", "buckets", &["unchanged_since"]);

/// How far back before a reading events are looked for. CloudTrail stamps an event with the time of the call, and a
/// setting may have been read while another call changed it.
const BEFORE: i64 = 60;
/// Events on a page (CloudTrail API reference, LookupEvents).
const PAGE: i32 = 50;
/// Most pages of one name: 50 seconds at two requests a second.
const PAGES: usize = 100;
/// Names that are looked up at the same time.
const AT_ONCE: usize = 4;

/// The management events that change what a scan reads of a bucket (S3 user guide, CloudTrail events for S3 buckets;
/// where an event has had two names, both stand here: a name that never comes costs one request).
pub const NAMES: [&str; 26] = [
    "CreateBucket",
    "DeleteBucket",
    "PutBucketLifecycle",
    "PutBucketLifecycleConfiguration",
    "DeleteBucketLifecycle",
    "PutBucketVersioning",
    "PutBucketTagging",
    "DeleteBucketTagging",
    "TagResource",
    "UntagResource",
    "PutBucketObjectLockConfiguration",
    "PutObjectLockConfiguration",
    "PutBucketEncryption",
    "DeleteBucketEncryption",
    "PutBucketRequestPayment",
    "PutBucketLogging",
    "PutBucketReplication",
    "DeleteBucketReplication",
    "PutBucketIntelligentTieringConfiguration",
    "DeleteBucketIntelligentTieringConfiguration",
    "PutBucketInventoryConfiguration",
    "DeleteBucketInventoryConfiguration",
    "PutBucketAnalyticsConfiguration",
    "DeleteBucketAnalyticsConfiguration",
    "PutBucketMetricsConfiguration",
    "DeleteBucketMetricsConfiguration",
];

/// Returns the buckets of the scope's Region whose settings were changed since `read`, refused calls included.
///
/// # Errors
/// The history cannot be read to its end, or an event does not say which bucket it is about.
pub async fn since(scope: &Scope, read: DateTime<Utc>) -> Result<BTreeSet<String>, Failed> {
    let client = scope.cloudtrail();
    let from = read.checked_sub_signed(TimeDelta::minutes(BEFORE)).unwrap_or(read);
    // On the heap: together they would be a large part of a task's stack.
    let names: Vec<_> = NAMES.iter().map(|name| Box::pin(named(scope, &client, name, from))).collect();
    let found: Vec<BTreeSet<String>> = futures::stream::iter(names).buffered(AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// Returns the buckets that the events of one name are about.
async fn named(scope: &Scope, client: &Client, name: &str, from: DateTime<Utc>) -> Result<BTreeSet<String>, Failed> {
    // Settings are as they are now, however long ago `--as-of` is.
    let today = scope.real_time().max(scope.as_of).date_naive();
    let end = instant::start_of(today.succ_opt().unwrap_or(today));
    let start = aws_smithy_types::DateTime::from_secs(from.timestamp());
    let (mut buckets, mut token) = (BTreeSet::new(), None);
    for _ in 0..PAGES {
        let call = client.lookup_events().set_lookup_attributes(by_name(name)).max_results(PAGE);
        let page = ask(scope, call.start_time(start).end_time(end).set_next_token(token.take()).send()).await?;
        for found in page.events() {
            match event::about(found) {
                About::Bucket(bucket) => drop(buckets.insert(bucket)),
                About::NoBucket => {}
                About::Unsaid => return Err(nameless(name)),
            }
        }
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(buckets);
        }
    }
    let reason = format!("there are more than {PAGES} pages of `{name}` in CloudTrail's event history");
    Err(Failed { trouble: Trouble::OverBudget, code: None, reason })
}

fn nameless(name: &str) -> Failed {
    let reason = format!("an event `{name}` of CloudTrail does not say which bucket it is about");
    Failed { trouble: Trouble::Broken, code: None, reason }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::stand_in::{answer, answered, refusal};

    fn page(events: &[serde_json::Value], next: Option<&str>) -> String {
        let event = |record: &serde_json::Value| {
            json!({"EventName": record["eventName"], "EventSource": record["eventSource"], "EventTime": 1,
                   "CloudTrailEvent": record.to_string()})
        };
        let mut page = json!({"Events": events.iter().map(event).collect::<Vec<_>>()});
        if let Some(next) = next {
            page["NextToken"] = json!(next);
        }
        page.to_string()
    }

    fn now() -> DateTime<Utc> {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }

    async fn told(page: String) -> Result<BTreeSet<String>, Failed> {
        since(&answered(&[CHANGES], move |_| answer(200, &page)), now()).await
    }

    #[tokio::test]
    async fn a_bucket_is_named_by_the_call_or_by_its_arn_and_other_services_are_not_buckets() {
        let events = [
            json!({"eventName": "X", "eventSource": "s3.amazonaws.com", "requestParameters": {"bucketName": "lake"}}),
            json!({"eventName": "X", "eventSource": "s3.amazonaws.com",
                   "requestParameters": {"resourceArn": "arn:aws:s3:::logs"}}),
            json!({"eventName": "X", "eventSource": "s3.amazonaws.com",
                   "requestParameters": {"resourceArn": "arn:aws:s3:us-east-1:111122223333:accesspoint/x"}}),
            json!({"eventName": "X", "eventSource": "s3.amazonaws.com", "errorCode": "AccessDenied"}),
            json!({"eventName": "X", "eventSource": "glue.amazonaws.com", "requestParameters": {"resourceArn": "arn:x"}}),
        ];
        let both = BTreeSet::from(["lake".to_owned(), "logs".to_owned()]);
        assert_eq!(told(page(&events, None)).await, Ok(both));
        assert_eq!(told(page(&[], None)).await, Ok(BTreeSet::new()));
    }

    #[tokio::test]
    async fn a_change_of_nobody_knows_what_and_a_history_that_does_not_end_vouch_for_nothing() {
        let event = json!({"eventName": "X", "eventSource": "s3.amazonaws.com", "requestParameters": {}});
        assert!(told(page(&[event], None)).await.unwrap_err().reason.contains("which bucket"));
        let denied = answered(&[CHANGES], |_| refusal("AccessDeniedException", "no"));
        assert_eq!(since(&denied, now()).await.unwrap_err().trouble, Trouble::Denied);
    }
}
