//! Every bucket of the account and the Region of each.
//!
//! Asks with `MaxBuckets`: without it S3 names no Region. A bucket whose Region nobody tells stays in the list.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_bucket_location::GetBucketLocationOutput;
use chrono::{DateTime, Utc};

use crate::aws::collect::ask::{ask, unless_stopped};
use crate::aws::collect::{Failed, Place, Read, Scope, instant};

/// Most buckets in one answer; S3 allows 10,000.
pub const PAGE: u16 = 1000;

/// The list of buckets.
pub const BUCKETS: Read = Read::rows("s3:ListBuckets", "s3:ListAllMyBuckets", "buckets");
/// A bucket's Region, where the list does not give it.
pub const LOCATION: Read = Read::columns("s3:GetBucketLocation", "s3:GetBucketLocation", "buckets", &["region"]);
/// The same where that is denied. S3 names the Region in its refusal too, so nothing more need be allowed for it.
pub const HEAD: Read = Read::columns("s3:HeadBucket", "s3:GetBucketLocation", "buckets", &["region"]);

/// A bucket as the list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Its Region, or why nobody tells.
    pub region: Result<String, Failed>,
    /// As S3 says it.
    pub created: Option<DateTime<Utc>>,
}

impl Bucket {
    /// Returns where it is, where that is known.
    pub fn place(&self) -> Option<Place> {
        Some(Place { bucket: self.name.clone(), region: self.region.as_ref().ok()?.clone() })
    }

    /// Returns true unless `--region` leaves its Region out; one whose Region nobody tells may be in any.
    pub fn is_asked(&self, scope: &Scope) -> bool {
        let given = &scope.options.regions;
        given.is_empty() || self.region.as_ref().map_or(true, |region| given.contains(region))
    }
}

/// Returns the buckets that were listed, and why the list ends early if it does.
pub async fn list(scope: &Scope) -> (Vec<Bucket>, Option<Failed>) {
    let client = scope.s3();
    let (mut buckets, mut token) = (Vec::new(), None);
    loop {
        let page = client.list_buckets().max_buckets(PAGE.into()).set_continuation_token(token.take()).send();
        let page = match ask(scope, page).await {
            Ok(page) => page,
            Err(failed) => return (buckets, Some(failed)),
        };
        for listed in page.buckets() {
            let Some(name) = listed.name() else { continue };
            let region = match listed.bucket_region() {
                Some(region) => Ok(region.to_owned()),
                None => region(scope, &client, name).await,
            };
            let created = listed.creation_date().and_then(instant::utc);
            buckets.push(Bucket { name: name.to_owned(), region, created });
        }
        match page.continuation_token() {
            Some(next) if !next.is_empty() => token = Some(next.to_owned()),
            _ => return (buckets, None),
        }
    }
}

async fn region(scope: &Scope, client: &Client, name: &str) -> Result<String, Failed> {
    let location = client.get_bucket_location().bucket(name).expected_bucket_owner(&scope.account_id).send();
    let denied = match ask(scope, location).await {
        Ok(answer) => return Ok(of_location(&answer)),
        Err(failed) => failed,
    };
    head(scope, client, name).await.ok_or(denied)
}

/// Returns the Region of a location constraint: none is us-east-1, `EU` is eu-west-1 (GetBucketLocation, API reference).
fn of_location(answer: &GetBucketLocationOutput) -> String {
    let constraint = answer.location_constraint().map_or("", |c| c.as_str());
    match constraint {
        "" | "null" => "us-east-1".to_owned(),
        "EU" => "eu-west-1".to_owned(),
        region => region.to_owned(),
    }
}

/// Returns the Region that a HEAD answers with, be it yes or no.
async fn head(scope: &Scope, client: &Client, name: &str) -> Option<String> {
    let call = client.head_bucket().bucket(name).expected_bucket_owner(&scope.account_id).send();
    match unless_stopped(scope, call).await.ok()? {
        Ok(answer) => answer.bucket_region().map(str::to_owned),
        Err(refusal) => refusal.raw_response()?.headers().get("x-amz-bucket-region").map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::BucketLocationConstraint;

    use super::*;

    #[test]
    fn old_forms_of_a_location_are_the_regions_they_stand_for() {
        let said = |constraint: Option<&str>| {
            let answer = GetBucketLocationOutput::builder();
            of_location(&answer.set_location_constraint(constraint.map(BucketLocationConstraint::from)).build())
        };
        assert_eq!(said(None), "us-east-1");
        assert_eq!(said(Some("")), "us-east-1");
        assert_eq!(said(Some("EU")), "eu-west-1");
        assert_eq!(said(Some("ap-northeast-1")), "ap-northeast-1");
    }
}
