//! Who sends a request and what it asks for, written onto each attempt.
//!
//! Retried requests are clones and lose their extensions, so the tag is set just before each transmission. Clients with a
//! tag may retry as often as their attempts allow: a scan asks thousands of times at once, and one bad minute would use up
//! the quota that the SDK keeps for all clients of a process. Permits and the circuit breaker do its work here.

use aws_sdk_cloudwatch::config::retry::TokenBucket;
use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataInput;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Layer, Storable, StoreReplace};

/// What a client is for. Each role has an allowlist of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Collecting facts.
    Reading,
    /// Applying and rolling back a plan.
    Writing,
    /// Keeping snapshots in S3.
    Store,
    /// Reading exports: bills, Storage Lens, inventories.
    Exports,
    /// Rolling exports up on Athena: the one thing of a scan that makes and drops something, and only when it is asked to.
    RollUps,
    /// Finding out who we are: SSO, STS, metadata.
    Credentials,
    /// Fetching AWS's public price list: unsigned, of nobody's account.
    Prices,
}

/// One request as the connector sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What the client is for.
    pub role: Role,
    /// Short name of the service: `s3`, `ce`, `athena`, `cloudwatch`, `sts`.
    pub service: &'static str,
    /// Service and operation: `s3:ListBuckets`.
    pub operation: String,
    /// The account whose credentials sign it.
    pub account_id: String,
    /// The Region that it goes to.
    pub region: String,
    /// How many priced units it asks for: metrics of a GetMetricData, otherwise 1.
    pub units: u32,
}

/// The interceptor that writes a [`Call`] onto each request of a client.
#[derive(Clone, Debug)]
pub struct Tag {
    role: Role,
    service: &'static str,
    account_id: String,
    region: String,
}

/// How many priced units the operation's input asks for.
#[derive(Debug)]
struct Units(u32);

impl Storable for Units {
    type Storer = StoreReplace<Self>;
}

impl Tag {
    /// Returns the tag of a client for `service` in an account and Region.
    pub fn new(role: Role, service: &'static str, account_id: &str, region: &str) -> Self {
        Tag { role, service, account_id: account_id.to_owned(), region: region.to_owned() }
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Tag {
    fn name(&self) -> &'static str {
        "leanlake::Tag"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(input) = context.input().downcast_ref::<GetMetricDataInput>() {
            let metrics = u32::try_from(input.metric_data_queries().len())?;
            let mut layer = Layer::new("leanlake::Units");
            layer.store_put(Units(metrics));
            config.push_layer(layer);
        }
        Ok(())
    }

    fn modify_before_retry_loop(
        &self,
        _: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut layer = Layer::new("leanlake::Retries");
        layer.store_put(TokenBucket::unlimited());
        config.push_layer(layer);
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map_or("", Metadata::name);
        let call = Call {
            role: self.role,
            service: self.service,
            operation: format!("{}:{operation}", self.service),
            account_id: self.account_id.clone(),
            region: self.region.clone(),
            units: config.load::<Units>().map_or(1, |units| units.0),
        };
        context.request_mut().add_extension(call);
        Ok(())
    }
}
