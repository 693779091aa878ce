//! S3: buckets with their settings, kept as they were written; unfinished uploads of any age.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::answer::escape;
use super::objects::Objects;
use super::settings::Settings;
use super::{Answer, Request};

pub(super) const XMLNS: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
const SIZE_HEADER: &str = "x-amz-transition-default-minimum-object-size";
const DEFAULT_SIZE: &str = "all_storage_classes_128K";

/// One bucket.
#[derive(Clone, Debug, Default)]
pub struct Bucket {
    pub region: String,
    /// `Enabled` or `Suspended`; empty when it never was.
    pub versioning: String,
    pub tags: Vec<(String, String)>,
    /// The lifecycle document as it was put.
    pub lifecycle: Option<Vec<u8>>,
    /// The small-object header that goes with it.
    pub minimum_size: Option<String>,
    pub uploads: Vec<Upload>,
    pub settings: Settings,
    pub objects: Objects,
}

impl Bucket {
    pub fn in_region(region: &str) -> Self {
        Bucket { region: region.into(), ..Bucket::default() }
    }

    pub fn versioned(mut self) -> Self {
        self.versioning = "Enabled".into();
        self
    }

    pub fn tagged(mut self, key: &str, value: &str) -> Self {
        self.tags.push((key.into(), value.into()));
        self
    }

    pub fn with_lifecycle(mut self, document: &str) -> Self {
        self.lifecycle = Some(document.into());
        self
    }

    pub fn set(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    pub fn with_upload(mut self, upload: Upload) -> Self {
        self.uploads.push(upload);
        self
    }
}

/// An upload that nobody completed.
#[derive(Clone, Debug)]
pub struct Upload {
    pub key: String,
    pub id: String,
    /// RFC 3339.
    pub initiated: String,
    pub parts: Vec<u64>,
}

impl Upload {
    /// Returns an upload begun on `day` (`2026-10-01`) with parts of these sizes.
    pub fn new(key: &str, id: &str, day: &str, parts: &[u64]) -> Self {
        Upload { key: key.into(), id: id.into(), initiated: format!("{day}T08:30:00.000Z"), parts: parts.to_vec() }
    }
}

/// The account's buckets, and how many of a thing stand on one page.
pub struct Buckets {
    pub by_name: BTreeMap<String, Bucket>,
    pub bucket_page: usize,
    pub upload_page: usize,
    pub part_page: usize,
    pub configuration_page: usize,
    pub object_page: usize,
    /// False where the list does not say in which Region a bucket is, as older stores that speak S3.
    pub tells_regions: bool,
}

impl Default for Buckets {
    fn default() -> Self {
        Buckets {
            by_name: BTreeMap::new(),
            bucket_page: 10_000,
            upload_page: 1_000,
            part_page: 1_000,
            configuration_page: 100,
            object_page: 1_000,
            tells_regions: true,
        }
    }
}

impl Buckets {
    pub fn add(&mut self, name: &str, bucket: Bucket) {
        self.by_name.insert(name.into(), bucket);
    }

    pub(super) fn answer(&mut self, request: &Request, owner: &str) -> Answer {
        if request.operation == "s3:ListBuckets" {
            return self.list(request);
        }
        let (name, key) = request.bucket_and_key();
        let (upload_page, part_page) = (self.upload_page, self.part_page);
        let (configuration_page, object_page) = (self.configuration_page, self.object_page);
        let Some(bucket) = self.by_name.get_mut(name) else {
            return request.refuse(404, "NoSuchBucket", "The specified bucket does not exist");
        };
        if let Some(refusal) = stranger(request, bucket, owner) {
            return refusal;
        }
        match request.operation.as_str() {
            "s3:GetBucketLifecycleConfiguration" => bucket.get_lifecycle(request),
            "s3:PutBucketLifecycleConfiguration" => bucket.put_lifecycle(request),
            "s3:DeleteBucketLifecycle" => bucket.delete_lifecycle(),
            "s3:GetBucketVersioning" => bucket.get_versioning(),
            "s3:GetBucketTagging" => bucket.get_tagging(request),
            "s3:GetBucketLocation" => bucket.get_location(),
            "s3:HeadBucket" => Answer::new(200, "application/xml", "").header("x-amz-bucket-region", &bucket.region),
            "s3:ListMultipartUploads" => bucket.list_uploads(request, name, upload_page),
            "s3:ListParts" => bucket.list_parts(request, name, key, part_page),
            "s3:PutObject" | "s3:GetObject" | "s3:HeadObject" | "s3:DeleteObject" | "s3:ListObjectsV2" => {
                bucket.objects.answer(request, name, key, object_page)
            }
            _ => bucket.settings.answer(request, configuration_page),
        }
    }

    /// As AWS: at most `max-buckets`, and the Region only when the request has a parameter.
    fn list(&self, request: &Request) -> Answer {
        let asked = |name: &str| request.query.get(name).map(String::as_str);
        let most = request.limit("max-buckets", self.bucket_page).min(self.bucket_page);
        let with_region = self.tells_regions
            && ["max-buckets", "continuation-token", "prefix", "bucket-region"].iter().any(|p| asked(p).is_some());
        let after = asked("continuation-token").and_then(|token| token.strip_prefix("after:")).unwrap_or_default();
        let wanted = |(name, bucket): &(&String, &Bucket)| {
            name.as_str() > after
                && name.starts_with(asked("prefix").unwrap_or_default())
                && asked("bucket-region").is_none_or(|region| region == bucket.region)
        };
        let left: Vec<_> = self.by_name.iter().filter(wanted).collect();
        let mut xml = format!("<ListAllMyBucketsResult {XMLNS}><Owner><ID>owner</ID></Owner><Buckets>");
        for (name, bucket) in left.iter().take(most) {
            let region =
                if with_region { format!("<BucketRegion>{}</BucketRegion>", bucket.region) } else { String::new() };
            let _ = write!(
                xml,
                "<Bucket><Name>{name}</Name><CreationDate>2024-01-02T03:04:05.000Z</CreationDate>{region}</Bucket>"
            );
        }
        xml += "</Buckets>";
        if let Some((last, _)) = left.get(most.wrapping_sub(1)).filter(|_| left.len() > most) {
            let _ = write!(xml, "<ContinuationToken>after:{last}</ContinuationToken>");
        }
        Answer::xml(xml + "</ListAllMyBucketsResult>")
    }
}

/// Refuses a request signed for another Region, and one that expects another owner.
fn stranger(request: &Request, bucket: &Bucket, owner: &str) -> Option<Answer> {
    if request.headers.get("x-amz-expected-bucket-owner").is_some_and(|expected| expected != owner) {
        return Some(request.refuse(403, "AccessDenied", "Access Denied"));
    }
    let message = "The bucket you are attempting to access must be addressed using the specified endpoint.";
    let redirect = || request.refuse(301, "PermanentRedirect", message).header("x-amz-bucket-region", &bucket.region);
    (request.region != bucket.region && request.operation != "s3:GetBucketLocation").then(redirect)
}

impl Bucket {
    fn get_lifecycle(&self, request: &Request) -> Answer {
        match &self.lifecycle {
            None => request.refuse(404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
            Some(document) => Answer::new(200, "application/xml", document.clone())
                .header(SIZE_HEADER, self.minimum_size.as_deref().unwrap_or(DEFAULT_SIZE)),
        }
    }

    fn put_lifecycle(&mut self, request: &Request) -> Answer {
        let checked = request.headers.keys().any(|name| name == "content-md5" || name.starts_with("x-amz-checksum-"));
        if !checked {
            return request.refuse(400, "InvalidRequest", "Missing required header for this request: Content-MD5");
        }
        if !String::from_utf8_lossy(&request.body).contains("<Rule") {
            return request.refuse(400, "MalformedXML", "The XML you provided was not well-formed");
        }
        let size = request.headers.get(SIZE_HEADER).map_or(DEFAULT_SIZE, String::as_str).to_owned();
        self.lifecycle = Some(request.body.clone());
        self.minimum_size = Some(size.clone());
        Answer::new(200, "application/xml", "").header(SIZE_HEADER, &size)
    }

    fn delete_lifecycle(&mut self) -> Answer {
        (self.lifecycle, self.minimum_size) = (None, None);
        Answer::new(204, "application/xml", "")
    }

    fn get_versioning(&self) -> Answer {
        let status =
            if self.versioning.is_empty() { String::new() } else { format!("<Status>{}</Status>", self.versioning) };
        let mfa = if self.settings.mfa_delete { "<MfaDelete>Enabled</MfaDelete>" } else { "" };
        Answer::xml(format!("<VersioningConfiguration {XMLNS}>{status}{mfa}</VersioningConfiguration>"))
    }

    fn get_tagging(&self, request: &Request) -> Answer {
        if self.tags.is_empty() {
            return request.refuse(404, "NoSuchTagSet", "The TagSet does not exist");
        }
        let tag = |(key, value): &(String, String)| {
            format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", escape(key), escape(value))
        };
        let tags: String = self.tags.iter().map(tag).collect();
        Answer::xml(format!("<Tagging {XMLNS}><TagSet>{tags}</TagSet></Tagging>"))
    }

    fn get_location(&self) -> Answer {
        let region = if self.region == "us-east-1" { "" } else { self.region.as_str() };
        Answer::xml(format!("<LocationConstraint {XMLNS}>{region}</LocationConstraint>"))
    }

    fn list_uploads(&self, request: &Request, name: &str, page: usize) -> Answer {
        let asked = |field: &str| request.query.get(field).map_or("", String::as_str);
        let (key_marker, id_marker) = (asked("key-marker"), asked("upload-id-marker"));
        let after = |upload: &&Upload| {
            let same_key = upload.key == key_marker && !id_marker.is_empty() && upload.id.as_str() > id_marker;
            upload.key.starts_with(asked("prefix")) && (upload.key.as_str() > key_marker || same_key)
        };
        let mut left: Vec<&Upload> = self.uploads.iter().filter(after).collect();
        left.sort_by(|a, b| (&a.key, &a.id).cmp(&(&b.key, &b.id)));
        let most = request.limit("max-uploads", 1_000).min(page);
        let shown = &left[..most.min(left.len())];
        let mut xml =
            format!("<ListMultipartUploadsResult {XMLNS}><Bucket>{name}</Bucket><MaxUploads>{most}</MaxUploads>");
        if let Some(last) = shown.last().filter(|_| left.len() > most) {
            let _ = write!(
                xml,
                "<NextKeyMarker>{}</NextKeyMarker><NextUploadIdMarker>{}</NextUploadIdMarker>",
                last.written_key(request),
                last.id
            );
        }
        let _ = write!(xml, "<IsTruncated>{}</IsTruncated>", left.len() > most);
        xml.extend(shown.iter().map(|upload| upload.xml(request)));
        Answer::xml(xml + "</ListMultipartUploadsResult>")
    }

    fn list_parts(&self, request: &Request, name: &str, key: &str, page: usize) -> Answer {
        let id = request.query.get("uploadId").map_or("", String::as_str);
        let Some(upload) = self.uploads.iter().find(|upload| upload.key == key && upload.id == id) else {
            return request.refuse(404, "NoSuchUpload", "The specified upload does not exist.");
        };
        let from = request.query.get("part-number-marker").and_then(|text| text.parse().ok()).unwrap_or(0_usize);
        let most = request.limit("max-parts", 1_000).min(page);
        let parts: Vec<_> = upload.parts.iter().enumerate().skip(from).collect();
        let more = parts.len() > most;
        let mut xml = format!(
            "<ListPartsResult {XMLNS}><Bucket>{name}</Bucket><Key>{}</Key><UploadId>{id}</UploadId>\
             <PartNumberMarker>{from}</PartNumberMarker><NextPartNumberMarker>{}</NextPartNumberMarker>\
             <MaxParts>{most}</MaxParts><IsTruncated>{more}</IsTruncated>",
            escape(key),
            from + parts.len().min(most)
        );
        for (index, size) in parts.into_iter().take(most) {
            let _ = write!(
                xml,
                "<Part><PartNumber>{}</PartNumber><LastModified>{}</LastModified><ETag>&quot;e&quot;</ETag><Size>{size}</Size></Part>",
                index + 1,
                upload.initiated
            );
        }
        Answer::xml(xml + "<StorageClass>STANDARD</StorageClass></ListPartsResult>")
    }
}

impl Upload {
    fn xml(&self, request: &Request) -> String {
        format!(
            "<Upload><Key>{}</Key><UploadId>{}</UploadId><StorageClass>STANDARD</StorageClass><Initiated>{}</Initiated></Upload>",
            self.written_key(request),
            self.id,
            self.initiated
        )
    }

    /// Returns the key as XML text, percent-encoded when that was asked for.
    fn written_key(&self, request: &Request) -> String {
        if request.query.get("encoding-type").is_none_or(|kind| kind != "url") {
            return escape(&self.key);
        }
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(byte);
        self.key.bytes().map(|b| if plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    }
}
