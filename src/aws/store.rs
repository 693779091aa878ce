//! Snapshots in S3: an object store over the SDK, through the connector, with an allowlist of its own.
//!
//! Exports of bills are read in the same way, under a list that knows no writing.
//!
//! It reads, writes, lists and deletes objects under one prefix of one bucket and refuses every other key.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::SdkConfig;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::aws::client;
use crate::aws::collect::{Failed, Trouble};
use crate::aws::connector::{Role, Tag};
use crate::store::place::NAMELESS;
use crate::store::{Place as Readable, Store};

const NAME: &str = "S3";

/// Times that a write is tried when S3 says that another one is under way (409 `ConditionalRequestConflict`).
const CONFLICTS: usize = 4;

/// Where in S3 a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The bucket.
    pub bucket: String,
    /// The prefix, without slashes at its ends; empty for the whole bucket.
    pub prefix: String,
}

/// Why a store in S3 cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not `s3://bucket/prefix`.
    #[error("`{0}` is not the address of a store: it should be s3://bucket/prefix")]
    Address(String),
    /// S3 said no.
    #[error("cannot open the bucket `{bucket}`: {failed}")]
    Refused {
        /// The bucket.
        bucket: String,
        /// What S3 said.
        failed: Failed,
    },
}

impl Place {
    /// Returns the place that `url` names.
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        let refused = || OpenError::Address(url.to_owned());
        let rest = url.strip_prefix("s3://").ok_or_else(refused)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_matches('/');
        let named = |part: &str| !part.is_empty() && part != "." && part != "..";
        let whole = prefix.is_empty() || prefix.split('/').all(named);
        if bucket.is_empty() || !whole {
            return Err(refused());
        }
        Ok(Place { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

/// Opens the store at `url`, in whatever Region its bucket is.
pub async fn open(sdk: &SdkConfig, url: &str) -> Result<Store, OpenError> {
    let place = Place::parse(url)?;
    let region = region_of(sdk, &place, Role::Store).await?;
    let sdk = client::in_region(sdk, &region);
    let client = client::s3(&sdk, Tag::new(Role::Store, "s3", "", &region));
    let prefix = Path::from(place.prefix.as_str());
    let objects = Objects { client, bucket: place.bucket, prefix: prefix.clone() };
    Ok(Store::on(Arc::new(objects), prefix, url.trim_end_matches('/')))
}

/// Returns the export at `url`, to be read and nothing else; in whatever Region its bucket is where nobody says.
pub async fn place(sdk: &SdkConfig, url: &str, region: Option<&str>) -> Result<Readable, OpenError> {
    let place = Place::parse(url)?;
    let region = match region {
        Some(region) => region.to_owned(),
        None => region_of(sdk, &place, Role::Exports).await?,
    };
    let client = client::s3(&client::in_region(sdk, &region), Tag::new(Role::Exports, "s3", "", &region));
    let prefix = Path::from(place.prefix.as_str());
    let objects = Objects { client, bucket: place.bucket, prefix: prefix.clone() };
    Ok(Readable::on(Arc::new(objects), prefix, url))
}

/// Returns the bucket's Region. S3 says it in a header even where it redirects or refuses.
async fn region_of(sdk: &SdkConfig, place: &Place, role: Role) -> Result<String, OpenError> {
    let here = sdk.region().map_or("us-east-1", |region| region.as_ref()).to_owned();
    let client = client::s3(sdk, Tag::new(role, "s3", "", &here));
    let error = match client.head_bucket().bucket(&place.bucket).send().await {
        Ok(head) => return Ok(head.bucket_region().map_or(here, str::to_owned)),
        Err(error) => error,
    };
    match (status_of(&error), elsewhere(&error)) {
        (Some(301 | 307 | 400), Some(region)) if region != here => Ok(region),
        (Some(400 | 403), region) => listed(sdk, place, role, region.unwrap_or(here)).await,
        _ => Err(refused(&error, place)),
    }
}

/// A HEAD has no body, so S3 cannot say whether it no longer takes the credentials or what is not allowed. A list under
/// the prefix has one; and whoever may list only there is not refused at all.
async fn listed(sdk: &SdkConfig, place: &Place, role: Role, region: String) -> Result<String, OpenError> {
    let client = client::s3(&client::in_region(sdk, &region), Tag::new(role, "s3", "", &region));
    let prefix = if place.prefix.is_empty() { String::new() } else { format!("{}/", place.prefix) };
    match client.list_objects_v2().bucket(&place.bucket).prefix(prefix).max_keys(1).send().await {
        Ok(_) => Ok(region),
        Err(error) => match (status_of(&error), elsewhere(&error)) {
            (Some(301 | 307 | 400), Some(other)) if other != region => Ok(other),
            _ => Err(refused(&error, place)),
        },
    }
}

fn status_of<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|said| said.status().as_u16())
}

fn elsewhere<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    error.raw_response()?.headers().get("x-amz-bucket-region").map(str::to_owned)
}

fn refused<E>(error: &SdkError<E, HttpResponse>, place: &Place) -> OpenError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let (bucket, failed) = (place.bucket.clone(), Failed::from_sdk(error));
    let reason = format!("there is no bucket `{bucket}`");
    match status_of(error) {
        Some(404) => OpenError::Refused { failed: Failed { trouble: Trouble::Refused, reason, ..failed }, bucket },
        _ => OpenError::Refused { bucket, failed },
    }
}

/// Objects under one prefix of a bucket.
#[derive(Debug)]
struct Objects {
    client: Client,
    bucket: String,
    prefix: Path,
}

impl fmt::Display for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

impl Objects {
    /// Returns the key of a location, or refuses it when it is not under the store's prefix.
    fn key(&self, location: &Path) -> Result<String> {
        if location.prefix_matches(&self.prefix) {
            return Ok(key_of(location));
        }
        let refused = format!("`{location}` is not under `{}`", self.prefix);
        Err(Error::PermissionDenied { path: location.to_string(), source: refused.into() })
    }

    /// Returns what a listing asks for: whole path segments, and never outside the store's prefix.
    fn listed(&self, prefix: Option<&Path>) -> Result<String> {
        let key = self.key(prefix.unwrap_or(&self.prefix))?;
        Ok(if key.is_empty() { key } else { format!("{key}/") })
    }

    async fn put_once(&self, key: &str, body: &Bytes, create: bool) -> Result<PutResult, Refusal> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from(body.clone()));
        let put = if create { put.if_none_match("*") } else { put };
        let done = put.send().await.map_err(|error| Refusal::of(&error))?;
        Ok(PutResult { e_tag: done.e_tag().map(str::to_owned), version: done.version_id().map(str::to_owned) })
    }

    async fn page(
        &self,
        prefix: &str,
        delimiter: Option<&str>,
        token: Option<String>,
    ) -> Result<(ListResult, Option<String>)> {
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let list = list.set_delimiter(delimiter.map(str::to_owned)).set_continuation_token(token);
        let page = list.send().await.map_err(|error| Refusal::of(&error).into_error(prefix))?;
        let objects = page.contents().iter().filter_map(meta).collect::<Result<_>>()?;
        let folders = page.common_prefixes().iter().filter_map(|folder| folder.prefix());
        let common_prefixes = folders.map(|folder| Ok(Path::parse(folder)?)).collect::<Result<_>>()?;
        let next = page.next_continuation_token().map(str::to_owned);
        Ok((ListResult { common_prefixes, objects }, next))
    }
}

#[async_trait]
impl ObjectStore for Objects {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let create = match opts.mode {
            PutMode::Overwrite => false,
            PutMode::Create => true,
            PutMode::Update(_) => return Err(unsupported("a conditional update")),
        };
        let (key, body) = (self.key(location)?, Bytes::from(payload));
        let mut tries = 0;
        loop {
            tries += 1;
            match self.put_once(&key, &body, create).await {
                Err(refusal) if refusal.status == Some(409) && tries < CONFLICTS => {}
                done => return done.map_err(|refusal| refusal.into_error(&key)),
            }
        }
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(unsupported("a multipart upload"))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let key = self.key(location)?;
        if options.head {
            let head = self.client.head_object().bucket(&self.bucket).key(&key).send().await;
            let head = head.map_err(|error| Refusal::of(&error).into_error(&key))?;
            let (size, e_tag) = (size_of(head.content_length()), head.e_tag().map(str::to_owned));
            let meta = ObjectMeta {
                location: location.clone(),
                last_modified: time_of(head.last_modified()),
                size,
                e_tag,
                version: None,
            };
            return Ok(GetResult { payload: empty(), meta, range: 0..0, attributes: Attributes::default() });
        }
        let get = self.client.get_object().bucket(&self.bucket).key(&key);
        let get = get.set_range(options.range.as_ref().map(range_header)).set_if_match(options.if_match);
        let got = get.send().await.map_err(|error| Refusal::of(&error).into_error(&key))?;
        Ok(result_of(location, got))
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let objects = Objects { client: self.client.clone(), bucket: self.bucket.clone(), prefix: self.prefix.clone() };
        let deleted = locations.and_then(move |location| {
            let (client, bucket, key) = (objects.client.clone(), objects.bucket.clone(), objects.key(&location));
            async move {
                let key = key?;
                let done = client.delete_object().bucket(bucket).key(&key).send().await;
                done.map_err(|error| Refusal::of(&error).into_error(&key))?;
                Ok(location)
            }
        });
        deleted.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let asked = match self.listed(prefix) {
            Ok(asked) => asked,
            Err(error) => return stream::once(async { Err(error) }).boxed(),
        };
        let objects = Objects { client: self.client.clone(), bucket: self.bucket.clone(), prefix: self.prefix.clone() };
        let pages = stream::try_unfold((objects, asked, Some(None)), |(objects, asked, token)| async move {
            let Some(token) = token else { return Ok::<_, Error>(None) };
            let (page, next) = objects.page(&asked, None, token).await?;
            Ok(Some((stream::iter(page.objects.into_iter().map(Ok)), (objects, asked, next.map(Some)))))
        });
        pages.try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let asked = self.listed(prefix)?;
        let mut all = ListResult { common_prefixes: Vec::new(), objects: Vec::new() };
        let mut token = None;
        loop {
            let (page, next) = self.page(&asked, Some("/"), token).await?;
            all.common_prefixes.extend(page.common_prefixes);
            all.objects.extend(page.objects);
            token = next;
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(unsupported("a copy"))
    }
}

/// What S3 refused, and with which status.
#[derive(Debug)]
struct Refusal {
    status: Option<u16>,
    failed: Failed,
}

impl Refusal {
    fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        Refusal { status: status_of(error), failed: Failed::from_sdk(error) }
    }

    fn into_error(self, path: &str) -> Error {
        let (path, denied) = (path.to_owned(), self.failed.trouble == Trouble::Denied);
        let credentials = self.failed.trouble == Trouble::Credentials;
        let source = Box::new(self.failed);
        match self.status {
            Some(404) => Error::NotFound { path, source },
            Some(409 | 412) => Error::AlreadyExists { path, source },
            Some(304) => Error::NotModified { path, source },
            _ if credentials => Error::Unauthenticated { path, source },
            Some(403) => Error::PermissionDenied { path, source },
            _ if denied => Error::PermissionDenied { path, source },
            _ => Error::Generic { store: NAME, source },
        }
    }
}

fn unsupported(what: &str) -> Error {
    Error::NotSupported { source: format!("{what} is nothing that a snapshot store needs").into() }
}

fn result_of(location: &Path, got: GetObjectOutput) -> GetResult {
    let length = size_of(got.content_length());
    let (range, size) = got.content_range().and_then(parse_range).unwrap_or((0..length, length));
    let (last_modified, e_tag) = (time_of(got.last_modified()), got.e_tag().map(str::to_owned));
    let meta = ObjectMeta { location: location.clone(), last_modified, size, e_tag, version: None };
    let chunks = stream::try_unfold(got.body, |mut body| async move {
        let broken = |source| Error::Generic { store: NAME, source: Box::new(source) };
        Ok(body.try_next().await.map_err(broken)?.map(|chunk| (chunk, body)))
    });
    GetResult { payload: GetResultPayload::Stream(chunks.boxed()), meta, range, attributes: Attributes::default() }
}

fn empty() -> GetResultPayload {
    GetResultPayload::Stream(stream::empty().boxed())
}

fn range_header(range: &GetRange) -> String {
    match range {
        GetRange::Bounded(bounds) => format!("bytes={}-{}", bounds.start, bounds.end.saturating_sub(1)),
        GetRange::Offset(from) => format!("bytes={from}-"),
        GetRange::Suffix(last) => format!("bytes=-{last}"),
    }
}

/// Returns the range and the whole size of `bytes 0-99/1234`.
fn parse_range(header: &str) -> Option<(Range<u64>, u64)> {
    let (range, size) = header.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.parse().ok()?..last.parse::<u64>().ok()?.checked_add(1)?, size.parse().ok()?))
}

/// Returns an object of a listing; `None` for keys that only mark a folder.
fn meta(object: &aws_sdk_s3::types::Object) -> Option<Result<ObjectMeta>> {
    let key = object.key().filter(|key| !key.ends_with('/'))?;
    let (last_modified, e_tag) = (time_of(object.last_modified()), object.e_tag().map(str::to_owned));
    let size = size_of(object.size());
    let location = location_of(key);
    Some(location.map(|location| ObjectMeta { location, last_modified, size, e_tag, version: None }))
}

/// Returns the location of a key, in which folders without a name have one.
fn location_of(key: &str) -> Result<Path> {
    if !key.starts_with('/') && !key.contains("//") {
        return Ok(Path::parse(key)?);
    }
    let folders = key.split('/').map(|folder| if folder.is_empty() { NAMELESS } else { folder });
    Ok(Path::parse(folders.collect::<Vec<_>>().join("/"))?)
}

/// Returns the key of a location.
fn key_of(location: &Path) -> String {
    let folders = location.as_ref().split('/').map(|folder| if folder == NAMELESS { "" } else { folder });
    folders.collect::<Vec<_>>().join("/")
}

fn size_of(bytes: Option<i64>) -> u64 {
    bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0)
}

fn time_of(instant: Option<&aws_sdk_s3::primitives::DateTime>) -> DateTime<Utc> {
    instant.and_then(|at| DateTime::from_timestamp(at.secs(), at.subsec_nanos())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::connector::allow::STORE;
    use crate::aws::connector::{Allowlist, Connector, Fault};
    use crate::aws::stand_in::{answer, sdk, setup};

    fn objects(say: impl Fn(&str) -> Fault + Send + Sync + 'static) -> Objects {
        let mut setup = setup(Allowlist::default().and(Role::Store, STORE.iter().copied()));
        setup.faults = Some(Arc::new(move |call, _| Some(say(&call.operation))));
        let client = client::s3(&sdk(&Connector::new(setup)), Tag::new(Role::Store, "s3", "", "us-east-1"));
        Objects { client, bucket: "keep".to_owned(), prefix: Path::from("lake/store") }
    }

    #[test]
    fn an_address_names_a_bucket_and_a_prefix() {
        let place = Place::parse("s3://keep/lake/store/").unwrap();
        assert_eq!((place.bucket.as_str(), place.prefix.as_str()), ("keep", "lake/store"));
        assert_eq!(Place::parse("s3://keep").unwrap().prefix, "");
        for bad in ["keep/lake", "s3://", "s3:///x", "s3://keep/../other", "s3://keep/a//b"] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn keys_outside_the_prefix_are_refused_before_anything_is_sent() {
        let store = objects(|operation| panic!("{operation} was sent"));
        for outside in ["lake/other", "lake/store2/x", "x"] {
            let error = store.get_opts(&Path::from(outside), GetOptions::default()).await.unwrap_err();
            assert!(matches!(error, Error::PermissionDenied { .. }), "{error}");
        }
        assert!(store.list_with_delimiter(Some(&Path::from("lake"))).await.is_err());
    }

    #[tokio::test]
    async fn creating_what_is_there_already_says_so() {
        let refused = "<Error><Code>PreconditionFailed</Code><Message>there</Message></Error>";
        let store = objects(move |_| answer(412, refused));
        let options = PutOptions::from(PutMode::Create);
        let error = store.put_opts(&Path::from("lake/store/x"), "x".into(), options).await.unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error}");
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_found_and_what_is_denied_is_denied() {
        let store = objects(|_| answer(404, "<Error><Code>NoSuchKey</Code></Error>"));
        let error = store.get_opts(&Path::from("lake/store/x"), GetOptions::default()).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
        let store = objects(|_| answer(403, "<Error><Code>AccessDenied</Code></Error>"));
        let error = store.get_opts(&Path::from("lake/store/x"), GetOptions::default()).await.unwrap_err();
        assert!(matches!(error, Error::PermissionDenied { .. }), "{error}");
    }

    #[test]
    fn a_key_with_folders_that_have_no_name_is_a_location_and_back() {
        for key in ["a/b.csv", "a//b.csv", "/a/b//c.csv"] {
            assert_eq!(key_of(&location_of(key).unwrap()), key);
        }
    }

    #[test]
    fn ranges_are_read_and_written_as_s3_has_them() {
        assert_eq!(range_header(&GetRange::Bounded(0..100)), "bytes=0-99");
        assert_eq!(range_header(&GetRange::Suffix(8)), "bytes=-8");
        assert_eq!(parse_range("bytes 0-99/1234"), Some((0..100, 1234)));
    }
}
