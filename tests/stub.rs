//! The tests' own AWS as the SDK in use reads it: an answer that only another client can read would prove nothing.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_sdk_costexplorer::error::ProvideErrorMetadata;
use aws_sdk_costexplorer::types::{DateInterval, Granularity};
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleRule,
};
use aws_smithy_types::retry::RetryConfig;
use rust_decimal::Decimal;

use crate::aws::athena::Query;
use crate::aws::ledger::Charge;
use crate::aws::metrics::Series;
use crate::aws::s3::{Bucket, Upload};
use crate::aws::{Aws, Fault, Trouble, emr, redshift};
use crate::support::{TODAY, day};

async fn sdk(aws: &Aws, region: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(aws.url())
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::new("AKIATESTS", "secret", None, None, "tests"))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(2)).build())
        .load()
        .await
}

#[tokio::test]
async fn the_caller_is_named() {
    let aws = Aws::start(day(TODAY));
    let caller = aws_sdk_sts::Client::new(&sdk(&aws, "eu-west-1").await).get_caller_identity().send().await.unwrap();
    assert_eq!(caller.account(), Some("111122223333"));
}

#[tokio::test]
async fn costs_come_as_decimals_under_their_group() {
    let aws = Aws::start(day(TODAY));
    let charge = Charge::usage(
        day("2026-11-01"),
        "Amazon Athena",
        "DataScannedInTB",
        Decimal::new(12_345, 4),
        Decimal::ONE,
        "TB",
    );
    aws.account().ledger.charges.push(charge);
    let client = aws_sdk_costexplorer::Client::new(&sdk(&aws, "us-east-1").await);
    let period = DateInterval::builder().start("2026-11-01").end("2026-11-03").build().unwrap();
    let ask = client.get_cost_and_usage().time_period(period).granularity(Granularity::Daily).metrics("UnblendedCost");
    let answer = ask.send().await.unwrap();
    let first = answer.results_by_time()[0].total().unwrap()["UnblendedCost"].amount();
    assert_eq!((answer.results_by_time().len(), first), (2, Some("1.2345")));
}

#[tokio::test]
async fn buckets_come_in_pages_with_their_region_and_refuse_another_one() {
    let aws = Aws::start(day(TODAY));
    for name in ["a", "b", "c"] {
        aws.account().s3.add(name, Bucket::in_region("eu-west-1").versioned().tagged("owner", "A & B"));
    }
    let client = aws_sdk_s3::Client::new(&sdk(&aws, "eu-west-1").await);
    let mut pages = client.list_buckets().max_buckets(2).into_paginator().send();
    let mut seen = Vec::new();
    while let Some(page) = pages.next().await {
        seen.push(page.unwrap().buckets().iter().filter_map(|b| b.bucket_region().map(str::to_owned)).count());
    }
    assert_eq!(seen, [2, 1]);
    let versioning = client.get_bucket_versioning().bucket("a").send().await.unwrap();
    assert_eq!(versioning.status().unwrap().as_str(), "Enabled");
    let tags = client.get_bucket_tagging().bucket("a").send().await.unwrap();
    assert_eq!(tags.tag_set()[0].value(), "A & B");
    let stranger = client.get_bucket_versioning().bucket("a").expected_bucket_owner("999999999999").send().await;
    assert_eq!(stranger.unwrap_err().code(), Some("AccessDenied"));
    let elsewhere = aws_sdk_s3::Client::new(&sdk(&aws, "us-east-1").await);
    assert_eq!(
        elsewhere.get_bucket_versioning().bucket("a").send().await.unwrap_err().code(),
        Some("PermanentRedirect")
    );
}

#[tokio::test]
async fn a_lifecycle_document_is_kept_with_its_header_and_its_absence_has_a_code() {
    let aws = Aws::start(day(TODAY));
    aws.account().s3.add("lake", Bucket::in_region("us-east-1"));
    let client = aws_sdk_s3::Client::new(&sdk(&aws, "us-east-1").await);
    let read = || client.get_bucket_lifecycle_configuration().bucket("lake").send();
    assert_eq!(read().await.unwrap_err().code(), Some("NoSuchLifecycleConfiguration"));
    let abort = AbortIncompleteMultipartUpload::builder().days_after_initiation(7).build();
    let rule =
        LifecycleRule::builder().id("x").status(ExpirationStatus::Enabled).abort_incomplete_multipart_upload(abort);
    let document = BucketLifecycleConfiguration::builder().rules(rule.build().unwrap()).build().unwrap();
    let put = client.put_bucket_lifecycle_configuration().bucket("lake").lifecycle_configuration(document);
    put.transition_default_minimum_object_size("varies_by_storage_class".into()).send().await.unwrap();
    let kept = read().await.unwrap();
    assert_eq!(kept.transition_default_minimum_object_size().unwrap().as_str(), "varies_by_storage_class");
    assert_eq!(kept.rules()[0].id(), Some("x"));
}

#[tokio::test]
async fn uploads_and_parts_come_in_pages_behind_their_markers() {
    let aws = Aws::start(day(TODAY));
    let upload = |key: &str, id: &str| Upload::new(key, id, "2026-01-02", &[5, 6, 7]);
    let bucket = Bucket::in_region("us-east-1").with_upload(upload("k +ü", "1")).with_upload(upload("k +ü", "2"));
    aws.account().s3.add("lake", bucket.with_upload(upload("z", "0")));
    (aws.account().s3.upload_page, aws.account().s3.part_page) = (1, 2);
    let client = aws_sdk_s3::Client::new(&sdk(&aws, "us-east-1").await);
    let (mut seen, mut key, mut id) = (Vec::new(), None, None);
    loop {
        let ask = client.list_multipart_uploads().bucket("lake").set_key_marker(key).set_upload_id_marker(id);
        let page = ask.send().await.unwrap();
        seen.extend(page.uploads().iter().map(|u| format!("{}#{}", u.key().unwrap(), u.upload_id().unwrap())));
        (key, id) = (page.next_key_marker().map(str::to_owned), page.next_upload_id_marker().map(str::to_owned));
        if page.is_truncated() != Some(true) {
            break;
        }
    }
    assert_eq!(seen, ["k +ü#1", "k +ü#2", "z#0"]);
    let mut parts = client.list_parts().bucket("lake").key("k +ü").upload_id("2").into_paginator().send();
    let mut sizes = Vec::new();
    while let Some(page) = parts.next().await {
        sizes.push(page.unwrap().parts().iter().filter_map(aws_sdk_s3::types::Part::size).sum::<i64>());
    }
    assert_eq!(sizes, [11, 7]);
}

#[tokio::test]
async fn metrics_are_listed_and_read_in_pages_of_their_region() {
    let aws = Aws::start(day(TODAY));
    let points = [(day("2026-11-17"), 10), (day("2026-11-18"), 20), (day("2026-11-19"), 30)];
    let old = [(day("2026-10-01"), 10)];
    for (region, bucket, points) in
        [("us-east-1", "lake", &points[..]), ("us-east-1", "old", &old), ("eu-west-1", "far", &points)]
    {
        aws.account().metrics.series.push(Series::new(region, bucket, "StandardStorage", points));
    }
    aws.account().metrics.point_page = 2;
    let client = aws_sdk_cloudwatch::Client::new(&sdk(&aws, "us-east-1").await);
    let listed = client.list_metrics().namespace("AWS/S3").send().await.unwrap();
    assert_eq!(listed.metrics().len(), 1, "neither the other Region's nor the one silent for two weeks");
    let mut pages = client
        .get_metric_data()
        .metric_data_queries(daily("lake"))
        .start_time(DateTime::from_secs(1_763_337_600 + 365 * 86_400))
        .end_time(DateTime::from_secs(1_763_596_800 + 365 * 86_400))
        .into_paginator()
        .send();
    let mut values = Vec::new();
    while let Some(page) = pages.next().await {
        values.push(page.unwrap().metric_data_results()[0].values().to_vec());
    }
    assert_eq!(values, [vec![30.0, 20.0], vec![10.0]]);
}

fn daily(bucket: &str) -> MetricDataQuery {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder().namespace("AWS/S3").metric_name("BucketSizeBytes");
    let metric =
        metric.dimensions(dimension("StorageType", "StandardStorage")).dimensions(dimension("BucketName", bucket));
    let stat = MetricStat::builder().metric(metric.build()).period(86_400).stat("Average").build();
    MetricDataQuery::builder().id("m0").metric_stat(stat).build()
}

#[tokio::test]
async fn queries_come_newest_first_with_their_statistics() {
    let aws = Aws::start(day(TODAY));
    for (id, on) in [("old", "2026-09-01"), ("first", "2026-11-01"), ("second", "2026-11-02")] {
        let at = day(on).and_hms_opt(9, 0, 0).unwrap().and_utc();
        aws.account().athena.queries.push(Query::new(id, "select 1", at, 4_096));
    }
    let client = aws_sdk_athena::Client::new(&sdk(&aws, "us-east-1").await);
    let ids = client.list_query_executions().work_group("primary").send().await.unwrap();
    assert_eq!(ids.query_execution_ids(), ["second", "first"], "Athena forgets after 45 days");
    let asked = client.batch_get_query_execution().query_execution_ids("first").query_execution_ids("none");
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.query_executions()[0].statistics().unwrap().data_scanned_in_bytes(), Some(4_096));
    assert_eq!(answer.unprocessed_query_execution_ids()[0].query_execution_id(), Some("none"));
}

#[tokio::test]
async fn clusters_and_warehouses_come_in_pages_and_refuse_the_wrong_list() {
    let aws = Aws::start(day(TODAY));
    let at = day("2026-11-01").and_hms_opt(9, 0, 0).unwrap().and_utc();
    for id in ["j-1", "j-2", "j-3"] {
        aws.account().emr.clusters.push(emr::Cluster::waiting(id, at));
    }
    aws.account().emr.clusters[2] = emr::Cluster::waiting("j-3", at).ended(at);
    aws.account().emr.page = 1;
    let config = sdk(&aws, "us-east-1").await;
    let client = aws_sdk_emr::Client::new(&config);
    let ask = client.list_clusters().cluster_states(aws_sdk_emr::types::ClusterState::Waiting);
    let first = ask.clone().send().await.unwrap();
    let second = ask.marker(first.marker().unwrap()).send().await.unwrap();
    let ids: Vec<_> = first.clusters().iter().chain(second.clusters()).map(|c| c.id().unwrap()).collect();
    assert_eq!((ids, second.marker()), (vec!["j-2", "j-1"], None));
    let wrong = client.list_instance_fleets().cluster_id("j-1").send().await;
    assert_eq!(wrong.unwrap_err().code(), Some("InvalidRequestException"));
    aws.account().redshift.clusters = vec![redshift::Cluster::new("a", at), redshift::Cluster::new("b", at)];
    aws.account().redshift.page = 1;
    let redshift = aws_sdk_redshift::Client::new(&config);
    let page = redshift.describe_clusters().max_records(20).send().await.unwrap();
    assert_eq!((page.clusters()[0].cluster_identifier(), page.marker()), (Some("a"), Some("from:1")));
    aws.make(Fault::on("redshift:DescribeClusters", Trouble::Denied));
    assert_eq!(redshift.describe_clusters().send().await.unwrap_err().code(), Some("AccessDenied"));
}

#[tokio::test]
async fn trouble_has_the_codes_that_the_sdk_knows() {
    let aws = Aws::start(day(TODAY));
    aws.account().s3.add("lake", Bucket::in_region("us-east-1"));
    let config = sdk(&aws, "us-east-1").await;
    let (s3, athena) = (aws_sdk_s3::Client::new(&config), aws_sdk_athena::Client::new(&config));
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&config);
    aws.make(Fault::on("s3:GetBucketTagging", Trouble::Denied).of("lake").times(1));
    aws.make(Fault::on("athena:*", Trouble::Throttled));
    aws.make(Fault::on("cloudwatch:ListMetrics", Trouble::Denied));
    aws.make(Fault::on("s3:ListBuckets", Trouble::Stalled));
    let tags = || s3.get_bucket_tagging().bucket("lake").send();
    assert_eq!(tags().await.unwrap_err().code(), Some("AccessDenied"));
    assert_eq!(tags().await.unwrap_err().code(), Some("NoSuchTagSet"));
    assert_eq!(athena.list_work_groups().send().await.unwrap_err().code(), Some("ThrottlingException"));
    assert_eq!(cloudwatch.list_metrics().send().await.unwrap_err().code(), Some("AccessDenied"));
    assert!(s3.list_buckets().send().await.unwrap_err().as_service_error().is_none(), "no answer comes");
    assert_eq!(aws.count("s3:GetBucketTagging"), 2);
}
