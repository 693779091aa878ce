//! Lifecycle configurations over S3: the bytes that S3 sent are what is looked at, the bytes that we made are sent.
//!
//! The SDK's model would drop what it does not know, so the body of an answer is taken before it is forgotten, and
//! the body of a request is put in place of the SDK's before its checksum is computed. A write is never retried here:
//! whether an unanswered one took effect is found out by looking.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketLifecycleConfiguration, ExpirationStatus, LifecycleRule};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;

use crate::apply::{CallError, CallTrouble, Executor, Place, Write};
use crate::aws::client;
use crate::aws::collect::{Failed, Trouble};
use crate::aws::connector::{Role, Tag};
use crate::lifecycle::{Configuration, Document, LifecycleError, Observed};

const SMALL_OBJECTS: &str = "x-amz-transition-default-minimum-object-size";

/// Operations with which a bucket is looked at, for a plan and again for apply.
pub const LOOKS: &[&str] = &["s3:GetBucketLifecycleConfiguration", "s3:GetBucketTagging"];

/// The account's buckets, over the SDK.
#[derive(Clone, Debug)]
pub struct Buckets {
    sdk: SdkConfig,
    account_id: String,
    role: Role,
}

impl Buckets {
    /// Returns the buckets as the credentials of `sdk` reach them, in `role`: reading only looks.
    pub fn new(sdk: &SdkConfig, account_id: &str, role: Role) -> Self {
        Buckets { sdk: sdk.clone(), account_id: account_id.to_owned(), role }
    }

    fn client(&self, place: &Place) -> Client {
        let tag = Tag::new(self.role, "s3", &self.account_id, &place.region);
        client::s3(&client::in_region(&self.sdk, &place.region), tag)
    }

    async fn configuration(&self, client: &Client, place: &Place) -> Result<Configuration, CallError> {
        let kept = Kept::default();
        let call = client.get_bucket_lifecycle_configuration();
        let call = call.bucket(&place.bucket).expected_bucket_owner(&place.account_id);
        match call.customize().interceptor(kept.clone()).send().await {
            Err(error) if has_code(&error, "NoSuchLifecycleConfiguration") => Ok(Configuration::default()),
            Err(error) => Err(failed(&error)),
            Ok(_) => {
                kept.configuration().map_err(|why| CallError { trouble: CallTrouble::Refused, said: why.to_string() })
            }
        }
    }

    /// Returns the tags; `None` when they cannot be read.
    async fn tags(client: &Client, place: &Place) -> Option<BTreeMap<String, String>> {
        let call = client.get_bucket_tagging().bucket(&place.bucket).expected_bucket_owner(&place.account_id);
        match call.send().await {
            Ok(answer) => {
                Some(answer.tag_set().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
            }
            Err(error) => has_code(&error, "NoSuchTagSet").then(BTreeMap::new),
        }
    }

    async fn put(&self, place: &Place, document: &Document, small_objects: Option<&str>) -> Result<(), CallError> {
        let call = self.client(place).put_bucket_lifecycle_configuration();
        let call = call.bucket(&place.bucket).expected_bucket_owner(&place.account_id);
        let call = call.set_transition_default_minimum_object_size(small_objects.map(Into::into));
        let call = call.lifecycle_configuration(stand_in()?);
        let call = call.customize().config_override(once()).interceptor(Sent(document.xml().to_owned()));
        call.send().await.map(|_| ()).map_err(|error| failed(&error))
    }

    async fn delete(&self, place: &Place) -> Result<(), CallError> {
        let call = self.client(place).delete_bucket_lifecycle();
        let call = call.bucket(&place.bucket).expected_bucket_owner(&place.account_id);
        call.customize().config_override(once()).send().await.map(|_| ()).map_err(|error| failed(&error))
    }
}

#[async_trait]
impl Executor for Buckets {
    async fn observe(&self, place: &Place) -> Result<Observed, CallError> {
        let client = self.client(place);
        let (configuration, tags) = tokio::join!(self.configuration(&client, place), Self::tags(&client, place));
        Ok(Observed { configuration: configuration?, tags })
    }

    async fn perform(&self, place: &Place, write: Write<'_>) -> Result<(), CallError> {
        match write {
            Write::Put { document, small_objects } => self.put(place, document, small_objects).await,
            Write::Delete => self.delete(place).await,
        }
    }
}

/// One attempt: a second one after a lost answer could overwrite what somebody wrote in between.
fn once() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new().retry_config(RetryConfig::standard().with_max_attempts(1))
}

/// A configuration that the SDK accepts; its body is replaced before it is sent.
fn stand_in() -> Result<BucketLifecycleConfiguration, CallError> {
    let unbuilt =
        |error: aws_sdk_s3::error::BuildError| CallError { trouble: CallTrouble::Refused, said: error.to_string() };
    let rule = LifecycleRule::builder().id("stand-in").status(ExpirationStatus::Disabled).build().map_err(unbuilt)?;
    BucketLifecycleConfiguration::builder().rules(rule).build().map_err(unbuilt)
}

fn has_code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>, code: &str) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some(code)
}

fn failed<E>(error: &SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let failed = Failed::from_sdk(error);
    let trouble = match failed.trouble {
        Trouble::Denied | Trouble::Credentials => CallTrouble::Denied,
        Trouble::Refused | Trouble::Throttled | Trouble::Cancelled | Trouble::OverBudget => CallTrouble::Refused,
        Trouble::Broken | Trouble::TimedOut | Trouble::OverTime => CallTrouble::Unknown,
    };
    CallError { trouble, said: failed.reason }
}

/// Keeps the body and the small-object header of an answer.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Option<Answered>>>);

/// A body, and the small-object header beside it.
type Answered = (Vec<u8>, Option<String>);

impl Kept {
    fn configuration(&self) -> Result<Configuration, LifecycleError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (bytes, small_objects) =
            kept.ok_or_else(|| LifecycleError::Unreadable("the answer had no body to keep".to_owned()))?;
        Ok(Configuration { document: Some(Document::parse(&bytes)?), small_objects })
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Kept {
    fn name(&self) -> &'static str {
        "leanlake::Kept"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let setting = response.headers().get(SMALL_OBJECTS).map(str::to_owned);
        let body = response.body().bytes().map(<[u8]>::to_vec);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body.map(|body| (body, setting));
        Ok(())
    }
}

/// Puts these bytes in the place of the body that the SDK made.
#[derive(Clone, Debug)]
struct Sent(String);

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Sent {
    fn name(&self) -> &'static str {
        "leanlake::Sent"
    }

    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        request.headers_mut().insert("content-length", self.0.len().to_string());
        *request.body_mut() = SdkBody::from(self.0.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::act::WRITES;
    use crate::aws::connector::{Allowlist, Connector, Fault, Faults};
    use crate::aws::stand_in::{answer, sdk, setup};

    const THEIRS: &str = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>a</ID>\
        <Filter/><Status>Enabled</Status><FutureThing>kept</FutureThing><Expiration><Days>3</Days></Expiration></Rule>\
        </LifecycleConfiguration>";

    fn place() -> Place {
        Place { account_id: "111122223333".into(), region: "eu-west-1".into(), bucket: "lake".into() }
    }

    fn buckets(faults: Faults) -> Buckets {
        let allow = Allowlist::default().and(Role::Writing, WRITES.iter().map(|write| write.operation));
        let mut setup = setup(allow);
        setup.faults = Some(faults);
        Buckets::new(&sdk(&Connector::new(setup)), "111122223333", Role::Writing)
    }

    #[tokio::test]
    async fn what_is_read_is_every_byte_that_s3_sent_and_no_tags_are_no_tags() {
        let faults: Faults = Arc::new(|call, _| {
            if call.operation == "s3:GetBucketTagging" {
                return Some(answer(404, "<Error><Code>NoSuchTagSet</Code></Error>"));
            }
            let Fault::Answer(mut response) = answer(200, THEIRS) else { unreachable!() };
            response.headers_mut().insert(SMALL_OBJECTS, "varies_by_storage_class");
            Some(Fault::Answer(response))
        });
        let seen = buckets(faults).observe(&place()).await.unwrap();
        assert_eq!(seen.configuration.document.unwrap().xml(), THEIRS);
        assert_eq!(seen.configuration.small_objects.as_deref(), Some("varies_by_storage_class"));
        assert_eq!(seen.tags, Some(BTreeMap::new()));
    }

    #[tokio::test]
    async fn no_configuration_is_no_document_and_denied_tags_are_unknown() {
        let faults: Faults = Arc::new(|call, _| {
            let code =
                if call.operation.ends_with("Tagging") { "AccessDenied" } else { "NoSuchLifecycleConfiguration" };
            Some(answer(404, &format!("<Error><Code>{code}</Code></Error>")))
        });
        assert_eq!(buckets(faults).observe(&place()).await.unwrap(), Observed::default());
    }

    type Sent = Arc<Mutex<Vec<(String, BTreeMap<String, String>)>>>;

    fn recording(reply: fn() -> Fault) -> (Faults, Sent) {
        let sent: Sent = Arc::default();
        let log = Arc::clone(&sent);
        let faults: Faults = Arc::new(move |_, request| {
            let body = String::from_utf8(request.body().bytes().unwrap_or_default().to_vec()).unwrap();
            let headers = request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            log.lock().unwrap().push((body, headers));
            Some(reply())
        });
        (faults, sent)
    }

    #[tokio::test]
    async fn what_is_sent_is_every_byte_that_we_made_with_owner_setting_and_a_checksum_of_it() {
        let (faults, sent) = recording(|| answer(200, ""));
        let document = Document::parse(THEIRS.as_bytes()).unwrap();
        let write = Write::Put { document: &document, small_objects: Some("varies_by_storage_class") };
        buckets(faults).perform(&place(), write).await.unwrap();
        let sent = sent.lock().unwrap();
        let (body, headers) = &sent[0];
        assert_eq!((sent.len(), body.as_str()), (1, THEIRS));
        assert_eq!(headers[SMALL_OBJECTS], "varies_by_storage_class");
        assert_eq!(headers["x-amz-expected-bucket-owner"], "111122223333");
        assert_eq!(headers["content-length"], THEIRS.len().to_string());
        assert!(headers.keys().any(|name| name.starts_with("x-amz-checksum-") || name == "content-md5"), "{headers:?}");
    }

    #[tokio::test]
    async fn a_write_that_fails_is_never_sent_again() {
        let (faults, sent) = recording(|| answer(500, "<Error><Code>InternalError</Code></Error>"));
        let error = buckets(faults).perform(&place(), Write::Delete).await.unwrap_err();
        assert_eq!((error.trouble, sent.lock().unwrap().len()), (CallTrouble::Unknown, 1));
    }

    #[tokio::test]
    async fn a_reader_cannot_write() {
        let mut reading = buckets(Arc::new(|_, _| Some(answer(200, ""))));
        reading.role = Role::Reading;
        let error = reading.perform(&place(), Write::Delete).await.unwrap_err();
        assert_eq!(error.trouble, CallTrouble::Refused);
    }
}
