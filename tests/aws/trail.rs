//! CloudTrail's event history: LookupEvents by one attribute, newest first, 90 days, Region by Region.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde_json::{Value, json};

use super::{Answer, Request};

/// One management event.
#[derive(Clone, Debug)]
pub struct Event {
    pub region: String,
    pub id: String,
    pub name: String,
    pub at: DateTime<Utc>,
    pub bucket: String,
    pub agent: String,
    /// `userIdentity` of the record.
    pub identity: Value,
    pub error: Option<String>,
}

impl Event {
    /// Returns a rule change by a role through `agent`.
    pub fn new(id: &str, bucket: &str, at: DateTime<Utc>, agent: &str) -> Self {
        let issuer = json!({"type": "Role", "arn": "arn:aws:iam::111122223333:role/deploy", "userName": "deploy"});
        let identity = json!({
            "type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/deploy/jane@example.com",
            "sessionContext": {"sessionIssuer": issuer},
        });
        Event {
            region: "us-east-1".into(),
            id: id.into(),
            name: "PutBucketLifecycle".into(),
            at,
            bucket: bucket.into(),
            agent: agent.into(),
            identity,
            error: None,
        }
    }

    fn json(&self) -> Value {
        let mut record = json!({
            "eventID": self.id, "eventName": self.name, "eventSource": "s3.amazonaws.com", "userAgent": self.agent,
            "sourceIPAddress": "203.0.113.9", "userIdentity": self.identity, "awsRegion": self.region,
            "requestParameters": {"bucketName": self.bucket, "lifecycle": ""},
        });
        if let Some(code) = &self.error {
            record["errorCode"] = json!(code);
        }
        json!({
            "EventId": self.id, "EventName": self.name, "EventTime": self.at.timestamp(), "ReadOnly": "false",
            "EventSource": "s3.amazonaws.com", "Username": "jane@example.com",
            "Resources": [{"ResourceType": "AWS::S3::Bucket", "ResourceName": self.bucket}],
            "CloudTrailEvent": record.to_string(),
        })
    }
}

/// The account's history.
pub struct Trail {
    pub events: Vec<Event>,
    /// Events on a page, at most 50.
    pub page: usize,
}

impl Default for Trail {
    fn default() -> Self {
        Trail { events: Vec::new(), page: 50 }
    }
}

impl Trail {
    pub(super) fn answer(&self, request: &Request, today: NaiveDate) -> Answer {
        match self.lookup(request, &request.json(), today) {
            Ok(body) => Answer::json(&body),
            Err((code, why)) => request.refuse(400, code, why),
        }
    }

    fn lookup(&self, request: &Request, body: &Value, today: NaiveDate) -> Result<Value, (&'static str, &'static str)> {
        let attributes = body["LookupAttributes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let [attribute] = attributes else {
            return Err(("InvalidLookupAttributesException", "exactly one attribute can be looked up"));
        };
        if request.operation != "cloudtrail:LookupEvents" || attribute["AttributeKey"] != "EventName" {
            return Err(("InvalidLookupAttributesException", "the tests' server only knows EventName"));
        }
        let most = body["MaxResults"].as_u64().unwrap_or(50);
        if !(1..=50).contains(&most) {
            return Err(("InvalidMaxResultsException", "1 to 50"));
        }
        let time = |field: &str| {
            DateTime::from_timestamp(body[field].as_f64()?.to_string().split('.').next()?.parse().ok()?, 0)
        };
        let (Some(start), Some(end)) = (time("StartTime"), time("EndTime")) else {
            return Err(("InvalidTimeRangeException", "the tests' server wants both ends"));
        };
        if start > end {
            return Err(("InvalidTimeRangeException", "StartTime is after EndTime"));
        }
        let kept = today.checked_sub_days(Days::new(90)).unwrap().and_time(NaiveTime::MIN).and_utc();
        let mut events: Vec<&Event> = self.events.iter().filter(|event| event.region == request.region).collect();
        events.retain(|event| attribute["AttributeValue"] == event.name.as_str());
        events.retain(|event| event.at >= start.max(kept) && event.at <= end);
        events.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
        let from = match body["NextToken"].as_str() {
            None => 0,
            Some(token) => token.parse().map_err(|_| ("InvalidNextTokenException", "the token is not known"))?,
        };
        let to = (from + self.page.min(usize::try_from(most).unwrap())).min(events.len());
        let mut answer = json!({"Events": events[from..to].iter().map(|event| event.json()).collect::<Vec<_>>()});
        if to < events.len() {
            answer["NextToken"] = json!(to.to_string());
        }
        Ok(answer)
    }
}
