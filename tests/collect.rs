//! The collectors against the tests' own AWS, through the real SDK clients and the connector.

use std::collections::BTreeMap;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use chrono::{DateTime, Utc};
use leanlake::aws::collect::{Allowance, Heard, Options, Piece, Read, Scope, Sink, athena, cloudwatch, s3};
use leanlake::aws::connector::{Allowlist, Connector, Role, Setup, Tariff};
use leanlake::model::{Coverage, CoverageState, Row, Untrusted};
use leanlake::store::HashKey;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::aws::athena::{Query, Workgroup};
use crate::aws::lens::Lens;
use crate::aws::metrics::Series;
use crate::aws::s3::{Bucket, Upload};
use crate::aws::settings::Settings;
use crate::aws::{Aws, Fault, Trouble};
use crate::support::{TODAY, day};

/// What one collector handed over.
#[derive(Default)]
struct Seen {
    rows: BTreeMap<&'static str, Vec<Row>>,
    coverage: Vec<Coverage>,
}

impl Seen {
    fn rows(&self, table: &str) -> &[Row] {
        self.rows.get(table).map_or(&[], Vec::as_slice)
    }

    fn bucket(&self, name: &str) -> &Row {
        self.rows("buckets").iter().find(|row| row.key("bucket") == name).unwrap()
    }

    /// The gaps as `table read resource state`.
    fn gaps(&self) -> Vec<String> {
        let gaps = self.coverage.iter().filter(|seen| seen.is_gap());
        let told = gaps.map(|gap| {
            let resource = gap.resource.as_ref().map_or("-", Untrusted::raw);
            format!("{} {} {resource} {}", gap.table, gap.read, gap.state.as_str())
        });
        told.collect()
    }

    fn of(&self, table: &str, read: &str, state: CoverageState) -> &Coverage {
        self.coverage.iter().find(|seen| seen.table == table && seen.read == read && seen.state == state).unwrap()
    }
}

#[derive(Clone, Copy)]
enum Collector {
    S3,
    CloudWatch,
    Athena,
}

impl Collector {
    fn reads(self) -> &'static [Read] {
        match self {
            Collector::S3 => s3::READS,
            Collector::CloudWatch => cloudwatch::READS,
            Collector::Athena => athena::READS,
        }
    }
}

fn noon() -> DateTime<Utc> {
    day(TODAY).and_hms_opt(12, 0, 0).unwrap().and_utc()
}

/// Runs a collector in us-east-1 with the allowlist that its own declarations make.
async fn collect(aws: &Aws, collector: Collector, options: Options, earlier: Vec<Coverage>) -> Seen {
    let allow = Allowlist::default().and(Role::Reading, collector.reads().iter().map(|read| read.operation));
    let setup = Setup::new(allow, Tariff::default());
    let cancel = setup.cancel.clone();
    let sdk = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(aws.url())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKIATESTS", "secret", None, None, "tests"))
        .retry_config(RetryConfig::disabled())
        .http_client(Connector::new(setup))
        .load()
        .await;
    let (account_id, region) = ("111122223333".to_owned(), "us-east-1".to_owned());
    let left = Allowance::of(&options).for_one(options.time);
    let heard = Heard::default();
    let scope = Scope { account_id, region, as_of: noon(), sdk, cancel, options, left, heard, earlier };
    drain(&scope, collector).await
}

async fn drain(scope: &Scope, collector: Collector) -> Seen {
    let (sink, mut pieces, _events) = Sink::channel(CancellationToken::new());
    let work = async move {
        match collector {
            Collector::S3 => drop(s3::collect(scope, &sink).await),
            Collector::CloudWatch => cloudwatch::collect(scope, &sink).await,
            Collector::Athena => athena::collect(scope, &sink).await,
        }
    };
    let take = async {
        let mut seen = Seen::default();
        while let Some(piece) = pieces.recv().await {
            match piece {
                Piece::Rows(table, rows) => seen.rows.entry(table.name).or_default().extend(rows),
                Piece::Cover(coverage) => seen.coverage.push(coverage),
                Piece::Left(_) | Piece::Replace { .. } | Piece::Ahead { .. } | Piece::Draft(..) | Piece::Lens(_) => {}
            }
        }
        seen
    };
    tokio::join!(work, take).1
}

pub const WHOLE: &str = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>abort</ID>\
    <Status>Enabled</Status><Filter/><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation>\
    </AbortIncompleteMultipartUpload></Rule><Rule><ID>logs</ID><Status>Enabled</Status><Filter><And><Prefix>logs/</Prefix>\
    <ObjectSizeGreaterThan>131071</ObjectSizeGreaterThan></And></Filter><Transition><Days>30</Days>\
    <StorageClass>GLACIER_IR</StorageClass></Transition></Rule></LifecycleConfiguration>";
const LEGACY: &str = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>old</ID>\
    <Prefix>tmp/</Prefix><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>";

/// A bucket with one of each setting.
pub fn all_set() -> Settings {
    let archive = "<Id>cold</Id><Filter><And><Prefix>old/</Prefix><Tag><Key>keep</Key><Value>yes</Value></Tag></And></Filter>\
        <Status>Enabled</Status><Tiering><Days>125</Days><AccessTier>ARCHIVE_ACCESS</AccessTier></Tiering>";
    let off = "<Id>off</Id><Status>Disabled</Status><Tiering><Days>180</Days><AccessTier>DEEP_ARCHIVE_ACCESS</AccessTier>\
        </Tiering>";
    let listed = "<Id>all</Id><IsEnabled>true</IsEnabled><IncludedObjectVersions>All</IncludedObjectVersions>\
        <Schedule><Frequency>Weekly</Frequency></Schedule><OptionalFields><Field>Size</Field><Field>StorageClass</Field>\
        </OptionalFields><Destination><S3BucketDestination><AccountId>444455556666</AccountId>\
        <Bucket>arn:aws:s3:::lists</Bucket><Prefix>inv</Prefix><Format>Parquet</Format><Encryption><SSE-S3/></Encryption>\
        </S3BucketDestination></Destination>";
    let analysis = "<Id>ages</Id><Filter><Prefix>raw/</Prefix></Filter><StorageClassAnalysis><DataExport>\
        <OutputSchemaVersion>V_1</OutputSchemaVersion><Destination><S3BucketDestination><Format>CSV</Format>\
        <Bucket>arn:aws:s3:::lists</Bucket><Prefix>sca</Prefix></S3BucketDestination></Destination></DataExport>\
        </StorageClassAnalysis>";
    let rule = "<Rule><ID>dr</ID><Priority>1</Priority><Status>Enabled</Status><Filter><Prefix>raw/</Prefix></Filter>\
        <DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication><Destination>\
        <Bucket>arn:aws:s3:::backup</Bucket><StorageClass>GLACIER_IR</StorageClass></Destination></Rule>";
    Settings {
        mfa_delete: true,
        requester_pays: true,
        object_lock: Some(
            "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode>\
             <Years>2</Years></DefaultRetention></Rule>"
                .into(),
        ),
        encryption: Some(
            "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>key-1\
             </KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule>"
                .into(),
        ),
        logging: Some("<TargetBucket>logs</TargetBucket><TargetPrefix>raw/</TargetPrefix>".into()),
        replication: Some(format!("<Role>arn:aws:iam::111122223333:role/r</Role>{rule}")),
        tiering: vec![archive.into(), off.into()],
        inventory: vec![listed.into()],
        analytics: vec![analysis.into(), "<Id>bare</Id><StorageClassAnalysis/>".into()],
        metrics: vec![
            "<Id>EntireBucket</Id>".into(),
            "<Id>ap</Id><Filter><AccessPointArn>arn:ap</AccessPointArn></Filter>".into(),
        ],
    }
}

fn lake() -> Aws {
    let aws = Aws::start(day(TODAY));
    let mut raw =
        Bucket::in_region("eu-west-1").versioned().tagged("owner", "ingest").with_lifecycle(WHOLE).set(all_set());
    raw.minimum_size = Some("varies_by_storage_class".into());
    let raw = raw.with_upload(Upload::new("a/1", "u-1", "2026-08-01", &[5_000_000, 7]));
    let plain = Bucket::in_region("us-east-1").with_lifecycle(LEGACY);
    {
        let mut account = aws.account();
        account.s3.add("raw", raw.with_upload(Upload::new("a/2", "u-2", "2026-11-19", &[])));
        account.s3.add("plain", plain);
        account.s3.add("bare", Bucket::in_region("us-east-1"));
    }
    aws
}

async fn s3_of(aws: &Aws) -> Seen {
    collect(aws, Collector::S3, Options::default(), vec![]).await
}

#[tokio::test]
async fn every_bucket_is_read_in_its_own_region_with_all_its_settings() {
    let seen = s3_of(&lake()).await;
    assert_eq!(seen.gaps(), Vec::<String>::new());
    let raw = seen.bucket("raw");
    assert_eq!((raw.key("region"), raw.key("versioning")), ("eu-west-1", "Enabled"));
    assert_eq!(raw.key("tags"), r#"{"owner":"ingest"}"#);
    assert_eq!((raw.int("lifecycle_rule_count"), raw.int("upload_count")), (Some(2), Some(2)));
    assert_eq!((raw.flag("abort_rule"), raw.flag("tiering_rule")), (Some(true), Some(false)));
    assert_eq!(raw.key("transition_default_minimum_object_size"), "varies_by_storage_class");
    let flags = ["mfa_delete", "object_lock", "bucket_key", "requester_pays", "logging", "archive_tiering"];
    assert_eq!(flags.map(|flag| raw.flag(flag)), [Some(true); 6]);
    assert_eq!((raw.key("object_lock_mode"), raw.int("object_lock_days")), ("COMPLIANCE", Some(730)));
    assert_eq!((raw.key("encryption"), raw.key("kms_key_id")), ("aws:kms", "key-1"));
    assert_eq!((raw.key("logging_bucket"), raw.key("logging_prefix")), ("logs", "raw/"));
}

/// Returns the rows of `table` with these columns, in the order in which they came.
fn columns<const N: usize>(seen: &Seen, table: &str, columns: [&str; N]) -> Vec<String> {
    let cell = |row: &Row, column: &str| match row.cell(column) {
        leanlake::model::Cell::Null => "-".to_owned(),
        leanlake::model::Cell::Text(text) => text.raw().to_owned(),
        leanlake::model::Cell::Bool(flag) => flag.to_string(),
        leanlake::model::Cell::Int(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let line = |row: &Row| columns.map(|column| cell(row, column)).join(" ");
    seen.rows(table).iter().map(line).collect()
}

#[tokio::test]
async fn what_a_bucket_has_several_of_are_rows_read_page_by_page() {
    let aws = lake();
    aws.account().s3.configuration_page = 1;
    let seen = s3_of(&aws).await;
    let raw = seen.bucket("raw");
    let counts =
        ["replication_rule_count", "intelligent_tiering_count", "inventory_count", "analytics_count", "metrics_count"];
    assert_eq!(counts.map(|count| raw.int(count)), [1, 2, 1, 2, 2].map(Some));
    let tiering =
        ["bucket", "configuration_id", "enabled", "prefix", "tags", "archive_access_days", "deep_archive_access_days"];
    let rows = columns(&seen, "intelligent_tiering_configurations", tiering);
    assert_eq!(rows, [r#"raw cold true old/ {"keep":"yes"} 125 -"#, "raw off false - - - 180"]);
    let inventory = ["configuration_id", "enabled", "included_versions", "schedule", "fields", "prefix"];
    let rows = columns(&seen, "inventory_configurations", inventory);
    assert_eq!(rows, [r#"all true All Weekly ["Size","StorageClass"] -"#]);
    let to = ["destination_bucket", "destination_account_id", "destination_prefix", "format"];
    assert_eq!(columns(&seen, "inventory_configurations", to), ["lists 444455556666 inv Parquet"]);
    assert_eq!(columns(&seen, "inventory_configurations", ["encryption", "region"]), ["SSE-S3 eu-west-1"]);
    assert_eq!(columns(&seen, "analytics_configurations", to), ["lists - sca CSV", "- - - -"]);
    let rule = ["rule_id", "priority", "prefix", "destination_bucket", "storage_class", "delete_marker_replication"];
    assert_eq!(columns(&seen, "replication", rule), ["dr 1 raw/ backup GLACIER_IR true"]);
    assert_eq!(
        columns(&seen, "metrics_configurations", ["configuration_id", "access_point_arn"]),
        ["EntireBucket -", "ap arn:ap"]
    );
}

#[tokio::test]
async fn a_list_that_fails_on_its_second_page_is_not_known_at_all() {
    let aws = lake();
    aws.account().s3.configuration_page = 1;
    aws.make(Fault::on("s3:ListBucketAnalyticsConfigurations", Trouble::Broken).of("raw").after(1));
    let seen = s3_of(&aws).await;
    assert_eq!(seen.bucket("raw").int("analytics_count"), None);
    assert!(seen.rows("analytics_configurations").is_empty());
    assert_eq!(seen.bucket("raw").int("metrics_count"), Some(2));
}

#[tokio::test]
async fn what_a_bucket_does_not_have_is_known_not_to_be_there() {
    let seen = s3_of(&lake()).await;
    let bare = seen.bucket("bare");
    assert_eq!((bare.key("versioning"), bare.key("tags")), ("Never", "{}"));
    assert_eq!((bare.int("lifecycle_rule_count"), bare.int("upload_count")), (Some(0), Some(0)));
    assert_eq!(bare.text("transition_default_minimum_object_size"), None);
    let flags = ["mfa_delete", "object_lock", "bucket_key", "requester_pays", "logging", "archive_tiering"];
    assert_eq!(flags.map(|flag| bare.flag(flag)), [Some(false); 6]);
    let counts =
        ["replication_rule_count", "intelligent_tiering_count", "inventory_count", "analytics_count", "metrics_count"];
    assert_eq!(counts.map(|count| bare.int(count)), [Some(0); 5]);
    assert_eq!(bare.key("encryption"), "None");
}

#[tokio::test]
async fn rules_keep_their_form_the_legacy_one_too() {
    let seen = s3_of(&lake()).await;
    let mut forms: Vec<_> =
        seen.rows("lifecycle_rules").iter().map(|row| (row.key("rule_id"), row.key("filter_form"))).collect();
    forms.sort_unstable();
    assert_eq!(forms, [("abort", "all"), ("logs", "and"), ("old", "legacy")]);
}

#[tokio::test]
async fn the_size_of_an_upload_is_the_sum_of_its_parts_over_all_pages() {
    let aws = lake();
    aws.account().s3.part_page = 1;
    let seen = s3_of(&aws).await;
    let sizes: Vec<_> = seen
        .rows("multipart_uploads")
        .iter()
        .map(|row| (row.key("upload_id"), row.int("bytes"), row.int("parts")))
        .collect();
    assert_eq!(sizes, [("u-1", Some(5_000_007), Some(2)), ("u-2", Some(0), Some(0))]);
}

#[tokio::test]
async fn when_the_sample_ends_the_oldest_uploads_have_sizes_and_the_rest_are_unknown() {
    let options = Options { list_parts: 1, ..Options::default() };
    let seen = collect(&lake(), Collector::S3, options, vec![]).await;
    let sizes: Vec<_> = seen.rows("multipart_uploads").iter().map(|row| row.int("bytes")).collect();
    assert_eq!(sizes, [Some(5_000_007), None]);
    let gap = seen.of("multipart_uploads", "s3:ListParts", CoverageState::OverBudget);
    assert_eq!((gap.seen, gap.expected), (Some(1), Some(2)));
}

#[tokio::test]
async fn one_denied_read_of_one_bucket_leaves_exactly_its_columns_unknown() {
    let reads: [(&str, &[&str], &str); 13] = [
        (
            "s3:GetBucketLifecycleConfiguration",
            &[
                "lifecycle_rule_count",
                "abort_rule",
                "noncurrent_rule",
                "tiering_rule",
                "transition_default_minimum_object_size",
            ],
            "s3:GetLifecycleConfiguration",
        ),
        ("s3:GetBucketVersioning", &["versioning", "mfa_delete"], "s3:GetBucketVersioning"),
        ("s3:GetBucketTagging", &["tags"], "s3:GetBucketTagging"),
        (
            "s3:GetObjectLockConfiguration",
            &["object_lock", "object_lock_mode", "object_lock_days"],
            "s3:GetBucketObjectLockConfiguration",
        ),
        ("s3:GetBucketEncryption", &["encryption", "kms_key_id", "bucket_key"], "s3:GetEncryptionConfiguration"),
        ("s3:GetBucketRequestPayment", &["requester_pays"], "s3:GetBucketRequestPayment"),
        ("s3:GetBucketLogging", &["logging", "logging_bucket", "logging_prefix"], "s3:GetBucketLogging"),
        ("s3:GetBucketReplication", &["replication_rule_count"], "s3:GetReplicationConfiguration"),
        (
            "s3:ListBucketIntelligentTieringConfigurations",
            &["intelligent_tiering_count", "archive_tiering"],
            "s3:GetIntelligentTieringConfiguration",
        ),
        ("s3:ListBucketInventoryConfigurations", &["inventory_count"], "s3:GetInventoryConfiguration"),
        ("s3:ListBucketAnalyticsConfigurations", &["analytics_count"], "s3:GetAnalyticsConfiguration"),
        ("s3:ListBucketMetricsConfigurations", &["metrics_count"], "s3:GetMetricsConfiguration"),
        ("s3:ListMultipartUploads", &["upload_count"], "s3:ListBucketMultipartUploads"),
    ];
    let whole = s3_of(&lake()).await;
    for (operation, columns, action) in reads {
        let aws = lake();
        aws.make(Fault::on(operation, Trouble::Denied).of("raw"));
        let seen = s3_of(&aws).await;
        for (column, cell) in whole.bucket("raw").cells() {
            let expected = if columns.contains(&column) { None } else { Some(cell) };
            let got = Some(seen.bucket("raw").cell(column)).filter(|cell| **cell != leanlake::model::Cell::Null);
            assert_eq!(got, expected, "{operation}: {column}");
        }
        assert_eq!(seen.bucket("bare"), whole.bucket("bare"), "{operation}");
        let gap = seen.coverage.iter().find(|gap| gap.is_gap() && gap.resource.is_some()).unwrap();
        assert_eq!((gap.read.as_str(), gap.missing_action.as_deref()), (operation, Some(action)));
        assert_eq!(gap.resource.as_ref().unwrap().raw(), "raw");
    }
}

#[tokio::test]
async fn without_the_list_of_buckets_every_table_of_s3_is_a_gap() {
    let aws = lake();
    aws.make(Fault::on("s3:ListBuckets", Trouble::Denied));
    let seen = s3_of(&aws).await;
    let tables = [
        "analytics_configurations",
        "buckets",
        "intelligent_tiering_configurations",
        "inventory_configurations",
        "lifecycle_rules",
        "metrics_configurations",
        "multipart_uploads",
        "replication",
    ];
    assert_eq!(seen.gaps(), tables.map(|table| format!("{table} s3:ListBuckets - missing")));
    assert!(seen.rows.is_empty());
}

#[tokio::test]
async fn an_empty_account_is_seen_whole() {
    let seen = s3_of(&Aws::start(day(TODAY))).await;
    assert_eq!((seen.gaps(), seen.rows.len()), (vec![], 0));
    assert_eq!(seen.of("multipart_uploads", "s3:ListMultipartUploads", CoverageState::Seen).seen, Some(0));
}

#[tokio::test]
async fn buckets_and_uploads_are_read_page_by_page() {
    let aws = lake();
    {
        let mut account = aws.account();
        (account.s3.bucket_page, account.s3.upload_page) = (2, 1);
    }
    let seen = s3_of(&aws).await;
    assert_eq!((seen.rows("buckets").len(), seen.rows("multipart_uploads").len()), (3, 2));
    assert_eq!(aws.count("s3:ListBuckets"), 2);
}

#[tokio::test]
async fn a_bucket_with_more_uploads_than_the_budget_says_how_many_it_listed() {
    let aws = Aws::start(day(TODAY));
    let uploads = (10..22).map(|n| Upload::new(&format!("k/{n}"), &format!("u-{n}"), "2026-10-01", &[1]));
    let bucket = uploads.fold(Bucket::in_region("us-east-1"), Bucket::with_upload);
    {
        let mut account = aws.account();
        account.s3.add("busy", bucket);
        account.s3.upload_page = 1;
    }
    let seen = s3_of(&aws).await;
    assert_eq!(seen.bucket("busy").int("upload_count"), Some(10));
    assert_eq!(seen.of("multipart_uploads", "s3:ListMultipartUploads", CoverageState::OverBudget).seen, Some(10));
}

/// Two configurations in Ireland, one in Virginia, where no bucket is.
/// Returns three dashboards of Storage Lens in two Regions, one with all that can be said.
pub fn lenses() -> Vec<Lens> {
    let whole = "<AccountLevel><ActivityMetrics><IsEnabled>true</IsEnabled></ActivityMetrics><BucketLevel><PrefixLevel>\
        <StorageMetrics><IsEnabled>true</IsEnabled><SelectionCriteria><Delimiter>/</Delimiter><MaxDepth>3</MaxDepth>\
        <MinStorageBytesPercentage>1.5</MinStorageBytesPercentage></SelectionCriteria></StorageMetrics></PrefixLevel>\
        <AdvancedCostOptimizationMetrics><IsEnabled>true</IsEnabled></AdvancedCostOptimizationMetrics></BucketLevel>\
        </AccountLevel><Exclude><Buckets><Arn>arn:aws:s3:::scratch</Arn></Buckets></Exclude><DataExport>\
        <S3BucketDestination><Format>Parquet</Format><OutputSchemaVersion>V_1</OutputSchemaVersion>\
        <AccountId>444455556666</AccountId><Arn>arn:aws:s3:::lens-out</Arn><Prefix>daily</Prefix><Encryption><SSE-S3/>\
        </Encryption></S3BucketDestination><CloudWatchMetrics><IsEnabled>true</IsEnabled></CloudWatchMetrics></DataExport>\
        <AwsOrg><Arn>arn:aws:organizations::111122223333:organization/o-1</Arn></AwsOrg>";
    let bare = "<AccountLevel><BucketLevel/></AccountLevel>";
    let lens = |home: &str, id: &str, inside: &str| Lens { home: home.into(), id: id.into(), inside: inside.into() };
    vec![
        lens("eu-west-1", "whole", whole),
        lens("eu-west-1", "bare", bare),
        lens("us-east-1", "default-account-dashboard", bare),
    ]
}

fn observed() -> Aws {
    let aws = Aws::start(day(TODAY));
    {
        let mut account = aws.account();
        account.s3.add("raw", Bucket::in_region("eu-west-1"));
        account.lenses = lenses();
    }
    aws
}

fn lens<'s>(seen: &'s Seen, id: &str) -> &'s Row {
    seen.rows("storage_lens_configurations").iter().find(|row| row.key("configuration_id") == id).unwrap()
}

#[tokio::test]
async fn storage_lens_configurations_are_read_in_their_home_regions() {
    let seen = s3_of(&observed()).await;
    assert_eq!(seen.gaps(), Vec::<String>::new());
    assert_eq!(seen.rows("storage_lens_configurations").len(), 3);
    let whole = lens(&seen, "whole");
    assert_eq!(
        (whole.key("region"), whole.flag("is_default"), whole.flag("enabled")),
        ("eu-west-1", Some(false), Some(true))
    );
    let flags =
        ["activity_metrics", "advanced_cost_optimization_metrics", "prefix_level", "export", "cloudwatch_publishing"];
    assert_eq!(flags.map(|flag| whole.flag(flag)), [Some(true); 5]);
    assert_eq!(
        (whole.int("prefix_max_depth"), whole.decimal("prefix_min_percentage").unwrap().to_string()),
        (Some(3), "1.5".into())
    );
    let to = ["export_bucket", "export_account_id", "export_prefix", "export_format", "export_encryption"];
    assert_eq!(to.map(|column| whole.key(column)), ["lens-out", "444455556666", "daily", "Parquet", "SSE-S3"]);
    assert_eq!(whole.key("excluded"), r#"{"buckets":["scratch"],"regions":[]}"#);
    assert!(whole.key("organization_arn").ends_with("o-1"));
    let default = lens(&seen, "default-account-dashboard");
    assert_eq!((default.key("region"), default.flag("is_default")), ("us-east-1", Some(true)));
    assert_eq!(
        (default.flag("export"), default.flag("prefix_level"), default.text("excluded")),
        (Some(false), Some(false), None)
    );
}

#[tokio::test]
async fn a_storage_lens_configuration_that_is_denied_keeps_its_row_and_a_list_that_is_denied_is_a_gap_of_its_region() {
    let aws = observed();
    aws.make(Fault::on("s3control:GetStorageLensConfiguration", Trouble::Denied).of("whole"));
    let seen = s3_of(&aws).await;
    let whole = lens(&seen, "whole");
    assert_eq!((whole.flag("enabled"), whole.flag("export"), whole.text("export_bucket")), (Some(true), None, None));
    let gap = seen.coverage.iter().find(|gap| gap.is_gap() && gap.resource.is_some()).unwrap();
    assert_eq!(
        (gap.read.as_str(), gap.missing_action.as_deref()),
        ("s3control:GetStorageLensConfiguration", Some("s3:GetStorageLensConfiguration"))
    );
    let aws = observed();
    aws.make(Fault::on("s3control:ListStorageLensConfigurations", Trouble::Denied));
    let seen = s3_of(&aws).await;
    assert!(seen.rows("storage_lens_configurations").is_empty() && !seen.rows("buckets").is_empty());
    let gap = seen.of("storage_lens_configurations", "s3control:ListStorageLensConfigurations", CoverageState::Missing);
    assert_eq!(
        (gap.region.as_deref(), gap.missing_action.as_deref()),
        (Some("eu-west-1"), Some("s3:ListStorageLensConfigurations"))
    );
}

fn measured() -> Aws {
    let aws = Aws::start(day(TODAY));
    let points: Vec<_> = [("2026-01-05", 7), ("2026-11-17", 8), ("2026-11-19", 9)].map(|(d, n)| (day(d), n)).into();
    let series = |bucket, kind| Series::new("us-east-1", bucket, kind, &points);
    aws.account().metrics.series = vec![series("raw", "StandardStorage"), series("raw", "AllStorageTypes")];
    aws
}

async fn metrics_of(aws: &Aws, earlier: Vec<Coverage>) -> Seen {
    collect(aws, Collector::CloudWatch, Options::default(), earlier).await
}

#[tokio::test]
async fn the_first_scan_reads_every_day_that_was_published_and_invents_none() {
    let seen = metrics_of(&measured(), vec![]).await;
    let told = |row: &Row| (row.date("day").unwrap().to_string(), row.int("bytes"), row.int("objects"));
    let mut rows: Vec<_> = seen.rows("storage").iter().map(told).collect();
    rows.sort();
    let both = |d: &str, n| [(d.to_owned(), None, Some(n)), (d.to_owned(), Some(n), None)];
    assert_eq!(rows, [both("2026-01-05", 7), both("2026-11-17", 8), both("2026-11-19", 9)].concat());
    let covered = seen.of("storage", "cloudwatch:GetMetricData", CoverageState::Seen);
    assert_eq!((covered.from.unwrap(), covered.to.unwrap()), (day("2025-08-22"), day("2026-11-19")));
}

#[tokio::test]
async fn a_later_scan_reads_three_days_again_and_keeps_what_it_holds_covered() {
    let aws = measured();
    let first = metrics_of(&aws, vec![]).await;
    let second = metrics_of(&aws, first.coverage).await;
    let mut days: Vec<_> = second.rows("storage").iter().map(|row| row.date("day").unwrap()).collect();
    days.dedup();
    assert_eq!(days.iter().min(), Some(&day("2026-11-17")));
    let covered = second.of("storage", "cloudwatch:GetMetricData", CoverageState::Seen);
    assert_eq!(covered.from, Some(day("2025-08-22")));
}

#[tokio::test]
async fn the_series_that_the_list_hides_are_a_gap_of_the_days_before_two_weeks() {
    let seen = metrics_of(&measured(), vec![]).await;
    assert_eq!(seen.gaps(), ["storage cloudwatch:ListMetrics - partial"]);
    let gap = seen.of("storage", "cloudwatch:ListMetrics", CoverageState::Partial);
    assert_eq!(gap.to, Some(day("2026-11-05")));
}

#[tokio::test]
async fn metrics_that_are_denied_are_a_gap_with_the_action_that_is_missing() {
    for operation in ["cloudwatch:ListMetrics", "cloudwatch:GetMetricData"] {
        let aws = measured();
        aws.make(Fault::on(operation, Trouble::Denied));
        let seen = metrics_of(&aws, vec![]).await;
        assert!(seen.rows("storage").is_empty());
        let gap = seen.of("storage", operation, CoverageState::Missing);
        assert_eq!(gap.missing_action.as_deref(), Some(operation));
    }
}

#[tokio::test]
async fn a_list_of_series_that_was_cut_makes_the_next_scan_read_the_whole_window_again() {
    let aws = measured();
    aws.account().metrics.metric_page = 1;
    aws.make(Fault::on("cloudwatch:ListMetrics", Trouble::Denied).after(1).times(1));
    let first = metrics_of(&aws, vec![]).await;
    assert!(!first.rows("storage").is_empty(), "what was listed is read");
    let cut = first.of("storage", "cloudwatch:GetMetricData", CoverageState::Partial);
    assert_eq!((cut.from, cut.to.is_some()), (Some(day("2025-08-22")), true));
    let told = first.coverage.iter().filter(|c| c.read == "cloudwatch:GetMetricData");
    assert!(told.clone().all(|c| c.state != CoverageState::Seen), "{:?}", told.collect::<Vec<_>>());
    let second = metrics_of(&aws, first.coverage).await;
    assert_eq!(second.rows("storage").iter().filter_map(|row| row.date("day")).min(), Some(day("2026-01-05")));
}

#[tokio::test]
async fn many_series_and_points_are_read_page_by_page() {
    let aws = measured();
    {
        let mut account = aws.account();
        (account.metrics.metric_page, account.metrics.point_page) = (1, 2);
        let more = Series::new("us-east-1", "logs", "StandardStorage", &[(day("2026-11-18"), 1)]);
        account.metrics.series.push(more);
    }
    assert_eq!(metrics_of(&aws, vec![]).await.rows("storage").len(), 7);
}

/// `count` queries in `primary`, one an hour, the newest an hour ago; each second one in another workgroup.
fn queried(count: usize) -> Aws {
    let aws = Aws::start(day(TODAY));
    let hour = chrono::TimeDelta::hours(1);
    let query = |n: usize| {
        let at = noon() - hour * i32::try_from(n + 1).unwrap();
        let mut query = Query::new(&format!("q-{n}"), "select * from t where name = 'jane' order by a", at, 1 << 30);
        query.parameters = vec!["doe".into()];
        if n % 2 == 1 {
            query.workgroup = "adhoc".into();
        }
        query
    };
    let mut account = aws.account();
    account.athena.queries = (0..count).map(query).collect();
    let configuration = json!({"EnforceWorkGroupConfiguration": true, "BytesScannedCutoffPerQuery": 10_000_000});
    account.athena.workgroups.push(Workgroup { region: "us-east-1".into(), name: "adhoc".into(), configuration });
    drop(account);
    aws
}

fn keyed() -> Options {
    Options { hash_key: Some(HashKey::fixed([1; 32])), ..Options::default() }
}

#[tokio::test]
async fn the_history_of_every_workgroup_is_read_and_no_literal_of_it_is_kept() {
    let seen = collect(&queried(240), Collector::Athena, keyed(), vec![]).await;
    assert_eq!(seen.gaps(), Vec::<String>::new());
    let rows = seen.rows("athena_queries");
    assert_eq!(rows.len(), 240);
    for row in rows {
        assert_eq!(row.key("text_redacted"), "select * from t where name = '?' order by a");
        assert!(
            row.cells().all(|(_, cell)| !format!("{cell:?}").contains("jane") && !format!("{cell:?}").contains("doe"))
        );
    }
    assert_eq!(rows[0].key("text_hash"), rows[1].key("text_hash"));
    let adhoc = seen.rows("athena_workgroups").iter().find(|row| row.key("workgroup") == "adhoc").unwrap();
    assert_eq!((adhoc.int("bytes_scanned_cutoff"), adhoc.flag("enforced")), (Some(10_000_000), Some(true)));
}

#[tokio::test]
async fn reading_stops_at_the_first_day_asked_for() {
    let options = Options { history_days: 2, ..keyed() };
    let aws = queried(1000);
    let seen = collect(&aws, Collector::Athena, options, vec![]).await;
    let first = seen.rows("athena_queries").iter().map(|row| row.time("submitted").unwrap()).min().unwrap();
    assert_eq!(first.date_naive(), day("2026-11-18"));
    assert_eq!(aws.count("athena:ListQueryExecutions"), 2, "59 hours are one page for each workgroup");
}

#[tokio::test]
async fn a_later_scan_reads_only_what_is_new() {
    let aws = queried(400);
    let first = collect(&aws, Collector::Athena, keyed(), vec![]).await;
    let pages = aws.count("athena:BatchGetQueryExecution");
    aws.forget_calls();
    let second = collect(&aws, Collector::Athena, keyed(), first.coverage).await;
    assert_eq!((pages, aws.count("athena:BatchGetQueryExecution")), (8, 2));
    let covered = second.of("athena_queries", "athena:BatchGetQueryExecution", CoverageState::Seen);
    assert_eq!(covered.from, Some(day("2026-10-06")));
}

#[tokio::test]
async fn what_the_budget_of_queries_cuts_is_told_with_its_days() {
    let options = Options { queries: 100, ..keyed() };
    let seen = collect(&queried(400), Collector::Athena, options, vec![]).await;
    assert_eq!(seen.rows("athena_queries").len(), 100);
    let cut = seen.of("athena_queries", "athena:BatchGetQueryExecution", CoverageState::OverBudget);
    assert_eq!((cut.from, cut.to), (Some(day("2026-10-06")), Some(day("2026-11-16"))));
    let whole = seen.of("athena_queries", "athena:BatchGetQueryExecution", CoverageState::Seen);
    assert_eq!((whole.from, whole.to), (Some(day("2026-11-17")), Some(day(TODAY))));
}

#[tokio::test]
async fn the_budget_of_uploads_is_one_for_all_buckets_and_says_where_it_ended() {
    let aws = Aws::start(day(TODAY));
    for name in ["a", "b", "c"] {
        let mut bucket = Bucket::in_region("us-east-1");
        for n in 0..4 {
            bucket = bucket.with_upload(Upload::new(&format!("k{n}"), &format!("u{n}"), "2026-01-15", &[5]));
        }
        aws.account().s3.add(name, bucket);
    }
    let seen = collect(&aws, Collector::S3, Options { uploads: 6, ..Options::default() }, vec![]).await;
    assert!(seen.rows("multipart_uploads").len() <= 6, "{}", seen.rows("multipart_uploads").len());
    let cut: Vec<_> =
        seen.coverage.iter().filter(|c| c.read == "s3:ListMultipartUploads" && c.resource.is_some()).collect();
    assert!(!cut.is_empty() && cut.iter().all(|c| c.state == CoverageState::OverBudget), "{cut:?}");
    assert!(cut[0].reason.as_ref().unwrap().raw().contains("6 incomplete uploads"), "{cut:?}");
}

#[tokio::test]
async fn a_collector_whose_time_is_up_asks_nothing_more_and_says_so() {
    let aws = lake();
    let options = Options { time: std::time::Duration::ZERO, ..keyed() };
    let seen = collect(&aws, Collector::S3, options, vec![]).await;
    assert_eq!(aws.calls().len(), 0);
    assert!(seen.gaps().iter().all(|gap| gap.ends_with("over_budget")), "{:?}", seen.gaps());
}

#[tokio::test]
async fn one_workgroup_that_is_denied_does_not_hide_the_others() {
    let aws = queried(10);
    aws.make(Fault::on("athena:ListQueryExecutions", Trouble::Denied).of("adhoc"));
    aws.make(Fault::on("athena:GetWorkGroup", Trouble::Denied).of("adhoc"));
    let seen = collect(&aws, Collector::Athena, keyed(), vec![]).await;
    assert_eq!(seen.rows("athena_queries").len(), 5);
    let adhoc = seen.rows("athena_workgroups").iter().find(|row| row.key("workgroup") == "adhoc").unwrap();
    assert_eq!(adhoc.flag("enforced"), None);
    let gap = seen.of("athena_queries", "athena:ListQueryExecutions", CoverageState::Missing);
    assert_eq!(gap.resource.as_ref().unwrap().raw(), "adhoc");
}

#[tokio::test]
async fn a_scan_that_was_ended_asks_for_nothing_more() {
    let aws = lake();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let sdk = aws_config::defaults(BehaviorVersion::latest()).endpoint_url(aws.url()).region(Region::new("us-east-1"));
    let sdk = sdk.no_credentials().load().await;
    let (account_id, region) = ("111122223333".to_owned(), "us-east-1".to_owned());
    let scope = Scope {
        account_id,
        region,
        as_of: noon(),
        sdk,
        cancel,
        options: keyed(),
        left: Allowance::of(&keyed()),
        heard: Heard::default(),
        earlier: vec![],
    };
    for collector in [Collector::S3, Collector::CloudWatch, Collector::Athena] {
        assert!(!drain(&scope, collector).await.gaps().is_empty());
    }
    assert_eq!(aws.calls().len(), 0);
}
