//! One event of CloudTrail as a row: what, when, which bucket, which role. No session name leaves this file.

use aws_sdk_cloudtrail::types::Event;
use serde_json::Value;

use super::tool::{Signs, tool};
use crate::aws::collect::{Scope, instant};
use crate::model::Row;

/// What CloudTrail calls a bucket.
const BUCKET: &str = "AWS::S3::Bucket";

/// How S3 names a bucket in an ARN, whatever the partition.
const ARN: &str = ":s3:::";

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// This bucket.
    Bucket(String),
    /// No bucket: another service, an access point, or a call that failed before it named one.
    NoBucket,
    /// It does not say.
    Unsaid,
}

/// Returns what the event is about.
pub fn about(event: &Event) -> About {
    if event.event_source().is_some_and(|source| !source.starts_with("s3")) {
        return About::NoBucket;
    }
    let record: Value = event.cloud_trail_event().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let arn = record["requestParameters"]["resourceArn"].as_str();
    match (bucket(event, &record), arn) {
        (Some(bucket), _) => About::Bucket(bucket.to_owned()),
        (None, Some(arn)) => {
            arn.split_once(ARN).map_or(About::NoBucket, |(_, bucket)| About::Bucket(bucket.to_owned()))
        }
        (None, None) if record["errorCode"].is_string() => About::NoBucket,
        (None, None) => About::Unsaid,
    }
}

/// Returns the row of an event; none for one without its time, which has no place in the history.
pub fn row(scope: &Scope, event: &Event) -> Option<Row> {
    let record: Value = event.cloud_trail_event().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let who = Principal::of(&record["userIdentity"]);
    let said = |field: &str| record[field].as_str().unwrap_or_default();
    let signs = Signs {
        agent: said("userAgent"),
        invoked_by: record["userIdentity"]["invokedBy"].as_str().unwrap_or_default(),
        source: said("sourceIPAddress"),
        from_console: said("sessionCredentialFromConsole") == "true",
    };
    let known = record.is_object();
    let row = scope
        .row()
        .with("bucket", bucket(event, &record))
        .with("changed", event.event_time().and_then(instant::utc)?)
        .with("event_id", event.event_id())
        .with("event_name", event.event_name())
        .with("succeeded", known.then(|| record["errorCode"].is_null()))
        .with("tool", known.then(|| tool(signs)))
        .with("principal_type", who.kind)
        .with("principal", who.arn)
        .with("principal_name", who.name);
    Some(row)
}

fn bucket<'a>(event: &'a Event, record: &'a Value) -> Option<&'a str> {
    let named = record["requestParameters"]["bucketName"].as_str();
    let listed = || event.resources().iter().find(|resource| resource.resource_type() == Some(BUCKET))?.resource_name();
    named.or_else(listed)
}

/// Who called: the user, or the role behind a session.
#[derive(Debug, PartialEq, Eq)]
struct Principal<'a> {
    kind: Option<&'a str>,
    arn: Option<String>,
    name: Option<&'a str>,
}

impl<'a> Principal<'a> {
    fn of(identity: &'a Value) -> Self {
        let text = |value: &'a Value| value.as_str();
        let issuer = &identity["sessionContext"]["sessionIssuer"];
        let arn = text(&issuer["arn"]).or(text(&identity["arn"])).or(text(&identity["invokedBy"]));
        let name = text(&issuer["userName"]).or(text(&identity["userName"]));
        Principal { kind: text(&identity["type"]), arn: arn.map(without_session), name }
    }
}

/// Returns the ARN of a session without the session's name, which may be a person's address.
fn without_session(arn: &str) -> String {
    let session =
        [":assumed-role/", ":federated-user/"].into_iter().find_map(|kind| arn.find(kind).map(|at| at + kind.len()));
    match session.and_then(|role| arn[role..].find('/').map(|end| role + end)) {
        Some(end) => arn[..end].to_owned(),
        None => arn.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_session_the_role_is_kept_and_not_its_name() {
        let session = json!({
            "type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/deploy/jane@example.com",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/ci/deploy", "userName": "deploy"}},
        });
        let who = Principal::of(&session);
        assert_eq!((who.kind, who.name), (Some("AssumedRole"), Some("deploy")));
        assert_eq!(who.arn.as_deref(), Some("arn:aws:iam::111122223333:role/ci/deploy"));
        let bare = json!({"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/deploy/jane@example.com"});
        assert_eq!(Principal::of(&bare).arn.as_deref(), Some("arn:aws:sts::1:assumed-role/deploy"));
    }

    #[test]
    fn a_user_and_a_service_are_named_as_they_are() {
        let user = json!({"type": "IAMUser", "arn": "arn:aws:iam::1:user/team/ann", "userName": "ann"});
        assert_eq!(Principal::of(&user).arn.as_deref(), Some("arn:aws:iam::1:user/team/ann"));
        let service = json!({"type": "AWSService", "invokedBy": "controltower.amazonaws.com"});
        assert_eq!(Principal::of(&service).arn.as_deref(), Some("controltower.amazonaws.com"));
    }
}
