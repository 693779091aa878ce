//! Uploads that were begun and never completed, listed with both markers.
//!
//! The SDK has no paginator for this call. A bucket with more uploads than the budget allows is cut, and says so.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::MultipartUpload;
use chrono::{DateTime, Utc};

use crate::aws::collect::ask::ask;
use crate::aws::collect::outcome::End;
use crate::aws::collect::{Failed, Read, Scope, Trouble, instant};
use crate::model::Row;

/// Most pages that are read of one bucket.
const PAGES: usize = 10;
/// Uploads on one page; S3 allows no more.
const PAGE: u32 = 1000;

/// Uploads as rows.
pub const UPLOADS: Read = Read::rows("s3:ListMultipartUploads", "s3:ListBucketMultipartUploads", "multipart_uploads");
/// Their number as a column of the bucket.
pub const COUNT: Read =
    Read::columns("s3:ListMultipartUploads", "s3:ListBucketMultipartUploads", "buckets", &["upload_count"]);

/// One incomplete upload. The order is that of the sample: oldest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Upload {
    /// When it began.
    pub initiated: Option<DateTime<Utc>>,
    /// Name of the bucket.
    pub bucket: String,
    /// Region of the bucket.
    pub region: String,
    /// Key of the object that would have been made.
    pub key: String,
    /// Upload id.
    pub id: String,
    /// Class that the object would have had.
    pub class: Option<String>,
}

/// The uploads of one bucket and how the listing ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The uploads that were listed.
    pub uploads: Vec<Upload>,
    /// How it ended.
    pub end: End,
}

impl Listed {
    /// Returns the listing that failed before its first page.
    pub fn nothing(failed: Failed) -> Self {
        Listed { uploads: Vec::new(), end: End::Failed(failed) }
    }

    /// Returns how many were listed; `None` when none could be.
    pub fn count(&self) -> Option<usize> {
        (!matches!(self.end, End::Failed(_))).then_some(self.uploads.len())
    }

    fn cut(uploads: Vec<Upload>, failed: Failed) -> Self {
        let seen = uploads.len();
        let end = if seen == 0 { End::Failed(failed) } else { End::Cut(failed, seen, None) };
        Listed { uploads, end }
    }
}

impl Upload {
    /// Returns the row without what only its parts tell.
    pub fn row(&self, account_id: &str) -> Row {
        Row::new()
            .with("account_id", account_id)
            .with("region", self.region.as_str())
            .with("bucket", self.bucket.as_str())
            .with("key", self.key.as_str())
            .with("upload_id", self.id.as_str())
            .with("initiated", self.initiated)
            .with("storage_class", self.class.as_deref())
    }

    fn read(bucket: &str, region: &str, upload: &MultipartUpload) -> Option<Self> {
        Some(Upload {
            initiated: upload.initiated().and_then(instant::utc),
            bucket: bucket.to_owned(),
            region: region.to_owned(),
            key: upload.key()?.to_owned(),
            id: upload.upload_id()?.to_owned(),
            class: upload.storage_class().map(|class| class.as_str().to_owned()),
        })
    }
}

/// Returns the incomplete uploads of `bucket`, as far as its own budget and that of the scan go.
pub async fn list(scope: &Scope, client: &Client, bucket: &str, region: &str) -> Listed {
    let mut uploads = Vec::new();
    let (mut key, mut upload_id) = (None, None);
    for _ in 0..PAGES {
        let taken = match scope.left.uploads.take(PAGE).await {
            Ok(taken) => taken,
            Err(spent) => return Listed::cut(uploads, spent),
        };
        let call = client.list_multipart_uploads().bucket(bucket).expected_bucket_owner(&scope.account_id);
        let call = call.max_uploads(taken.count().cast_signed());
        let call = call.set_key_marker(key.take()).set_upload_id_marker(upload_id.take());
        let page = match ask(scope, call.send()).await {
            Ok(page) => page,
            Err(failed) => return Listed::cut(uploads, failed),
        };
        taken.used(page.uploads().len());
        uploads.extend(page.uploads().iter().filter_map(|upload| Upload::read(bucket, region, upload)));
        if page.is_truncated() != Some(true) {
            return Listed { uploads, end: End::Whole };
        }
        (key, upload_id) = (page.next_key_marker, page.next_upload_id_marker);
    }
    let reason = format!("the budget of {PAGES} pages a bucket was spent");
    Listed::cut(uploads, Failed { trouble: Trouble::OverBudget, code: None, reason })
}
