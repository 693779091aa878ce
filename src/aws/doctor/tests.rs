//! The check-up against answers from a stand-in for AWS.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::aws::connector::{Allowlist, Fault, Role};
use crate::aws::stand_in::{answer, refusal, scope, sdk, setup};

const BUCKETS: u32 = 30;

/// Returns a sampling connector over `say`, and the scope that asks through it.
fn sampled(say: impl Fn(&str) -> Fault + Send + Sync + 'static) -> (Connector, Scope) {
    let allow = Allowlist::default().and(Role::Reading, READS.concat().iter().map(|read| read.operation));
    let mut setup = setup(allow);
    setup.sample = Some(SAMPLE);
    setup.faults = Some(Arc::new(move |call, _| Some(say(&call.operation))));
    let connector = Connector::new(setup);
    let scope = Scope { sdk: sdk(&connector), ..scope(Vec::new()) };
    (connector, scope)
}

fn buckets() -> Fault {
    let bucket = |n| format!("<Bucket><Name>b{n}</Name><BucketRegion>eu-west-1</BucketRegion></Bucket>");
    let all: String = (0..BUCKETS).map(bucket).collect();
    answer(200, &format!("<ListAllMyBucketsResult><Buckets>{all}</Buckets></ListAllMyBucketsResult>"))
}

/// An answer to the question for charges, without any.
fn charges() -> Fault {
    let by = |key: &str| format!("{{\"Type\": \"DIMENSION\", \"Key\": \"{key}\"}}");
    let groups = [by("RECORD_TYPE"), by("SERVICE")].join(", ");
    answer(200, &format!("{{\"GroupDefinitions\": [{groups}], \"ResultsByTime\": []}}"))
}

fn verdict<'a>(found: &'a [Permission], operation: &str) -> &'a Verdict {
    &found.iter().find(|permission| permission.operation == operation).unwrap().verdict
}

#[tokio::test]
async fn each_permission_is_tried_a_few_times_and_gets_its_verdict() {
    let (connector, scope) = sampled(|operation| match operation {
        "s3:ListBuckets" => buckets(),
        "s3:GetBucketTagging" => answer(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"),
        "s3:GetBucketVersioning" => answer(200, "<VersioningConfiguration/>"),
        "cost-optimization-hub:ListEnrollmentStatuses" => answer(200, "{\"items\": []}"),
        "organizations:DescribeOrganization" | "organizations:ListAccounts" => {
            refusal("AWSOrganizationsNotInUseException", "not a member")
        }
        "ce:GetCostAndUsage" => charges(),
        _ => refusal("ServiceUnavailableException", "later"),
    });
    let found = check_up(&scope, &connector, Without::default()).await.permissions;
    assert!(matches!(verdict(&found, "s3:GetBucketTagging"), Verdict::Denied(said) if said.raw().contains("no")));
    assert_eq!(verdict(&found, "s3:GetBucketVersioning"), &Verdict::Allowed);
    assert_eq!(verdict(&found, "ce:GetCostAndUsage"), &Verdict::Allowed);
    assert!(matches!(verdict(&found, "s3:ListParts"), Verdict::NotTried(_)));
    assert!(matches!(verdict(&found, "cost-optimization-hub:ListRecommendations"), Verdict::NotEnabled(_)));
    assert!(matches!(verdict(&found, "organizations:ListAccounts"), Verdict::NotEnabled(_)));
    assert!(matches!(verdict(&found, "budgets:DescribeBudgets"), Verdict::Failed(_)));
    let tried = connector.tried();
    assert_eq!(tried["ce:GetCostAndUsage"].sent, 1, "an answer costs");
    assert_eq!(tried["s3:GetBucketVersioning"].succeeded, SAMPLE.each, "of {BUCKETS} buckets in one Region");
    assert!(tried["s3:GetBucketTagging"].sent <= SAMPLE.each * 3);
}

#[tokio::test]
async fn without_paid_requests_cost_explorer_is_never_asked() {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let (connector, scope) = sampled(move |operation| {
        counted.fetch_add(u32::from(operation.starts_with("ce:")), Ordering::Relaxed);
        refusal("AccessDeniedException", "no")
    });
    let found = check_up(&scope, &connector, Without { paid: Paid::Nothing, organization: true, ..Without::default() })
        .await
        .permissions;
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    for operation in ["ce:GetCostAndUsage", "ce:GetAnomalies", "organizations:ListAccounts"] {
        assert_eq!(verdict(&found, operation), &Verdict::NotTried("it was left out".into()), "{operation}");
    }
    assert!(matches!(verdict(&found, "budgets:DescribeBudgets"), Verdict::Denied(_)));
}

#[tokio::test]
async fn regions_that_are_named_are_tried_else_those_of_earlier_scans_and_of_buckets() {
    let tried = async |change: fn(&mut Scope)| {
        let (connector, mut scope) = sampled(|operation| match operation {
            "s3:ListBuckets" => buckets(),
            _ => refusal("AccessDeniedException", "no"),
        });
        scope.region = "us-west-2".into();
        change(&mut scope);
        check_up(&scope, &connector, Without { paid: Paid::Nothing, organization: true, ..Without::default() })
            .await
            .regions
    };
    assert_eq!(tried(|_| ()).await, ["us-west-2", "eu-west-1"], "its own and that of the buckets");
    let earlier = |scope: &mut Scope| {
        let seen = |region| Coverage::new("glue_jobs", "glue:GetJobs", CoverageState::Seen).at("1", Some(region));
        scope.earlier = ["x-1", "x-2", "x-2", "x-3", "x-4", "x-5"].map(seen).into();
    };
    assert_eq!(tried(earlier).await, ["us-west-2", "x-2", "x-1", "x-3"], "those with the most first, and not all");
    assert_eq!(tried(|scope| scope.options.regions = vec!["ap-south-1".into()]).await, ["ap-south-1"]);
}
