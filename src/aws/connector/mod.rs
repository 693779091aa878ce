//! The one HTTP connector under all SDK clients.
//!
//! It refuses what the allowlist does not name, asks the circuit breaker, reserves the price, waits for the permit,
//! meters every attempt, remembers the host and takes no half answer. It never changes a request and never retries: that
//! is the SDK's work.

pub mod allow;
pub mod breaker;
pub mod clock;
pub mod hosts;
pub mod limits;
pub mod meter;
pub mod sample;
pub mod stop;
pub mod tag;
pub mod tariff;
mod whole;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, Connector as Transport, tls};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::retry::ErrorKind;
use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

pub use allow::Allowlist;
pub use limits::{IN_FLIGHT, Limits, Paced};
pub use meter::{Meter, Spent, Used};
pub use sample::{Sample, Tried};
pub use stop::Stop;
pub use tag::{Call, Role, Tag};
pub use tariff::Tariff;

use crate::model::{Money, Origin};
use breaker::{Breaker, Health, Way};
use clock::Clock;
use hosts::Hosts;
use sample::Sampler;

/// What a test lets happen instead of sending a request.
#[derive(Debug)]
pub enum Fault {
    /// This answer comes back.
    Answer(HttpResponse),
    /// The connection breaks like this.
    Error(ConnectorError),
    /// The request is sent after a pause.
    Stall(Duration),
}

/// The hook for tests: looks at each request that would be sent and may answer in AWS's place.
pub type Faults = Arc<dyn Fn(&Call, &HttpRequest) -> Option<Fault> + Send + Sync>;

/// How a connector is set up.
pub struct Setup {
    /// What this run may call.
    pub allow: Allowlist,
    /// How fast.
    pub limits: Limits,
    /// What each request costs.
    pub tariff: Tariff,
    /// What the run may cost; `None` for no limit.
    pub max_cost: Option<Money>,
    /// How much of a scan is wanted; `None` for all of it.
    pub sample: Option<Sample>,
    /// Ends the run: requests under way finish, no further one is sent but the store's and those that end a roll-up on Athena.
    pub cancel: CancellationToken,
    /// How long an operation that keeps failing is left alone.
    pub cools_for: Duration,
    /// The hook for tests.
    pub faults: Option<Faults>,
}

impl Setup {
    /// Returns the setup of a run that may call what `allow` names, at the documented limits.
    pub fn new(allow: Allowlist, tariff: Tariff) -> Self {
        let (limits, cancel) = (Limits::default(), CancellationToken::new());
        let cools_for = breaker::COOLS_FOR;
        Setup { allow, limits, tariff, max_cost: None, sample: None, cancel, cools_for, faults: None }
    }
}

/// The connector. Clones share permits, meter and circuits.
#[derive(Clone, Debug)]
pub struct Connector {
    gate: Arc<Gate>,
    transport: SharedHttpClient,
}

struct Gate {
    allow: Allowlist,
    limits: Limits,
    meter: Meter,
    breaker: Breaker,
    hosts: Hosts,
    sampler: Sampler,
    clock: Clock,
    cancel: CancellationToken,
    faults: Option<Faults>,
}

/// One transport with the gate before it.
#[derive(Debug)]
struct Gated {
    gate: Arc<Gate>,
    transport: SharedHttpConnector,
}

impl Connector {
    /// Returns a connector over HTTPS (rustls with aws-lc, proxies from the environment).
    pub fn new(setup: Setup) -> Self {
        let Setup { allow, limits, tariff, max_cost, sample, cancel, cools_for, faults } = setup;
        let (meter, sampler) = (Meter::new(tariff, max_cost), Sampler::new(sample));
        let (breaker, hosts, clock) = (Breaker::new(cools_for), Hosts::default(), Clock::default());
        let gate = Gate { allow, limits, meter, breaker, hosts, sampler, clock, cancel, faults };
        Connector { gate: Arc::new(gate), transport: https() }
    }

    /// Returns the way past the same gate for a request that no SDK client makes; it must carry its [`Call`].
    pub fn plain(&self, settings: &HttpConnectorSettings) -> SharedHttpConnector {
        let transport =
            SharedHttpConnector::new(transport(Some(settings.clone()), Some(SharedAsyncSleep::new(TokioSleep::new()))));
        SharedHttpConnector::new(Gated { gate: Arc::clone(&self.gate), transport })
    }

    /// Returns what was spent so far.
    pub fn spent(&self) -> Spent {
        self.gate.meter.spent()
    }

    /// Returns how each operation was asked so far, and how long its pace makes that.
    pub fn paced(&self) -> Vec<Paced> {
        self.gate.limits.paced()
    }

    /// Returns the list price of one unit of an operation; zero for those that are free.
    pub fn price(&self, operation: &str, region: &str) -> Money {
        self.gate.meter.price(operation, region)
    }

    /// Returns true when the run was refused a request because it would have become too dear.
    pub fn over_budget(&self) -> bool {
        self.gate.meter.refused()
    }

    /// Returns what came of each operation of a sample.
    pub fn tried(&self) -> BTreeMap<String, Tried> {
        self.gate.sampler.tried()
    }

    /// Returns how far the local clock is ahead of AWS's; `None` while STS did not say.
    pub fn clock_ahead(&self) -> Option<TimeDelta> {
        self.gate.clock.ahead()
    }

    /// Returns where the facts read so far are from.
    pub fn origin(&self, partition: &str) -> Origin {
        self.gate.hosts.origin(partition)
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let transport = self.transport.http_connector(settings, components);
        SharedHttpConnector::new(Gated { gate: Arc::clone(&self.gate), transport })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.transport.connector_metadata()
    }
}

impl HttpConnector for Gated {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (gate, transport) = (Arc::clone(&self.gate), self.transport.clone());
        HttpConnectorFuture::new(async move { gate.pass(&transport, request).await })
    }
}

impl Gate {
    async fn pass(
        &self,
        transport: &SharedHttpConnector,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let call = self.identify(&request).map_err(refused)?;
        let trial = self.sampler.begin(&call).map_err(refused)?;
        let (reserved, tried) = self.admit(&call).await?;
        self.hosts.note(&call, allow::host_of(&request));
        let trying = tried.then(|| Trying { breaker: &self.breaker, call: &call });
        let answer = match self.send(transport, &call, request).await {
            Ok(answer) => whole::whole(&call, answer).await,
            lost => lost,
        };
        let status = answer.as_ref().ok().map(HttpResponse::status);
        let success = status.is_some_and(StatusCode::is_success);
        trial.ended(success);
        reserved.answered(success);
        if let Ok(answer) = &answer {
            self.clock.note(&call, answer);
        }
        let health = status.map_or(Health::Lost, health_of);
        self.breaker.note(&call, health, tried, Instant::now());
        drop(trying);
        answer
    }

    /// Returns what a request is: its tag where the allowlist names it, or a fetch of credentials by the SDK itself.
    fn identify(&self, request: &HttpRequest) -> Result<Call, Stop> {
        if let Some(call) = request.extension::<Call>() {
            let refusal = || Stop::NotAllowed { operation: call.operation.clone() };
            return self.allow.allows(call).then(|| call.clone()).ok_or_else(refusal);
        }
        let operation = allow::credential_operation(request)
            .ok_or_else(|| Stop::NotAllowed { operation: allow::host_of(request).to_owned() })?;
        let (account_id, region) = (String::new(), String::new());
        Ok(Call { role: Role::Credentials, service: "credentials", operation, account_id, region, units: 1 })
    }

    /// Asks everyone who may say no, the cheapest question first; the price is reserved before the wait. The request may be
    /// the one try of an open circuit.
    async fn admit(&self, call: &Call) -> Result<(meter::Reserved<'_>, bool), ConnectorError> {
        // What runs on Athena is stopped there, and its table dropped, also after Ctrl-C.
        if matches!(call.role, Role::Store | Role::RollUps) {
            self.wait(call).await?;
            return Ok((self.meter.reserve(call).map_err(refused)?, false));
        }
        if self.cancel.is_cancelled() {
            return Err(refused(Stop::Cancelled));
        }
        let reserved = self.meter.reserve(call).map_err(refused)?;
        let let_in = tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(refused(Stop::Cancelled)),
            let_in = self.let_in(call) => let_in,
        };
        match let_in {
            Ok(tried) => Ok((reserved, tried)),
            Err(error) => {
                reserved.not_sent();
                Err(error)
            }
        }
    }

    /// Waits for the circuit and then for the permit; returns true for the one try of an open circuit.
    async fn let_in(&self, call: &Call) -> Result<bool, ConnectorError> {
        let tried = loop {
            match self.breaker.check(call, Instant::now()) {
                Way::Free => break false,
                Way::Try => break true,
                Way::Wait(pause) => tokio::time::sleep(pause).await,
                Way::Closed { failures, whole } => {
                    let what = if whole { call.service.to_owned() } else { call.operation.clone() };
                    return Err(refused(Stop::CircuitOpen { what, region: call.region.clone(), failures }));
                }
            }
        };
        let trying = tried.then(|| Trying { breaker: &self.breaker, call });
        self.wait(call).await?;
        if let Some(trying) = trying {
            trying.goes_on();
        }
        Ok(tried)
    }

    /// Waits for the permit. A wait that is too long is throttling of our own: the SDK signs again and asks again.
    async fn wait(&self, call: &Call) -> Result<(), ConnectorError> {
        self.limits.permit(call).await.map_err(|waited| {
            let stop = Stop::NoPermit { operation: call.operation.clone(), seconds: waited.0.as_secs() };
            ConnectorError::other(stop.into(), Some(ErrorKind::ThrottlingError))
        })
    }

    async fn send(
        &self,
        transport: &SharedHttpConnector,
        call: &Call,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let fault = self.faults.as_ref().and_then(|faults| faults(call, &request));
        match fault {
            Some(Fault::Answer(response)) => return Ok(response),
            Some(Fault::Error(error)) => return Err(error),
            Some(Fault::Stall(pause)) => tokio::time::sleep(pause).await,
            None => {}
        }
        transport.call(request).await
    }
}

/// The one try of an open circuit. Dropped, it is given back unless its end was noted: else everybody would wait for ever
/// for a call that was given up.
struct Trying<'a> {
    breaker: &'a Breaker,
    call: &'a Call,
}

impl Trying<'_> {
    /// Leaves the try to whoever sends the request.
    fn goes_on(self) {
        std::mem::forget(self);
    }
}

impl Drop for Trying<'_> {
    fn drop(&mut self) {
        self.breaker.withdraw(self.call, Instant::now());
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("allow", &self.allow).finish_non_exhaustive()
    }
}

/// 503 is how S3 and others throttle: the service is well, and the SDK waits before it asks again.
fn health_of(status: StatusCode) -> Health {
    if status.is_server_error() && status.as_u16() != 503 { Health::Failed } else { Health::Answered }
}

/// A refusal of our own: not transient, so the SDK does not try again.
fn refused(stop: Stop) -> ConnectorError {
    ConnectorError::other(stop.into(), None)
}

fn https() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        transport(settings.cloned(), components.and_then(RuntimeComponents::sleep_impl))
    })
}

/// The SDK's default transport, with proxies from the environment as its newest behaviour version has it.
fn transport(settings: Option<HttpConnectorSettings>, sleep: Option<SharedAsyncSleep>) -> Transport {
    let mut builder = Transport::builder().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc));
    builder.set_connector_settings(settings);
    builder.set_proxy_config(Some(ProxyConfig::from_env()));
    builder.set_sleep_impl(sleep);
    builder.build()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::aws::collect::{Failed, Trouble};
    use crate::aws::stand_in::{answer, sdk, setup};

    const IDENTITY: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/u</Arn><UserId>u</UserId>\
        <Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

    async fn ask(connector: &Connector) -> Result<(), Failed> {
        let tag = Tag::new(Role::Credentials, "sts", "", "us-east-1");
        let client = crate::aws::client::sts(&sdk(connector), tag);
        client.get_caller_identity().send().await.map(|_| ()).map_err(|error| Failed::from_sdk(&error))
    }

    fn scripted(script: impl Fn(u32) -> Option<Fault> + Send + Sync + 'static) -> (Connector, Arc<AtomicU32>) {
        let attempts = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&attempts);
        let mut setup = setup(Allowlist::identity_only());
        setup.faults = Some(Arc::new(move |_, _| script(seen.fetch_add(1, Ordering::Relaxed))));
        setup.cools_for = Duration::from_millis(100);
        (Connector::new(setup), attempts)
    }

    #[tokio::test]
    async fn a_retried_request_keeps_its_tag_and_each_attempt_is_counted() {
        let (connector, attempts) =
            scripted(|n| Some(if n == 0 { answer(503, "<e/>") } else { answer(200, IDENTITY) }));
        ask(&connector).await.unwrap();
        assert_eq!(attempts.load(Ordering::Relaxed), 2);
        assert_eq!(connector.spent().counts()["sts:GetCallerIdentity"], 2);
    }

    #[tokio::test]
    async fn an_operation_that_is_not_named_never_leaves_the_machine() {
        let (connector, attempts) = scripted(|_| Some(answer(200, "")));
        let tag = Tag::new(Role::Reading, "s3", "111122223333", "us-east-1");
        let client = crate::aws::client::s3(&sdk(&connector), tag);
        let error = client.delete_bucket().bucket("lake").send().await.unwrap_err();
        let failed = Failed::from_sdk(&error);
        assert_eq!(failed.trouble, Trouble::Refused);
        assert!(failed.reason.contains("s3:DeleteBucket"), "{}", failed.reason);
        assert_eq!(attempts.load(Ordering::Relaxed), 0);
        assert_eq!(connector.spent().requests(), 0);
    }

    #[tokio::test]
    async fn a_client_without_a_tag_gets_nothing() {
        let (connector, attempts) = scripted(|_| Some(answer(200, "")));
        let client = aws_sdk_s3::Client::new(&sdk(&connector));
        assert!(client.list_buckets().send().await.is_err());
        assert_eq!(attempts.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn after_ctrl_c_no_further_request_is_sent() {
        let attempts = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&attempts);
        let mut setup = setup(Allowlist::identity_only());
        setup.faults = Some(Arc::new(move |_, _| {
            seen.fetch_add(1, Ordering::Relaxed);
            Some(answer(200, IDENTITY))
        }));
        setup.cancel.cancel();
        let failed = ask(&Connector::new(setup)).await.unwrap_err();
        assert_eq!((failed.trouble, attempts.load(Ordering::Relaxed)), (Trouble::Cancelled, 0));
    }

    #[tokio::test]
    async fn a_broken_service_is_tried_once_more_after_a_pause_and_then_left_alone() {
        let (connector, attempts) = scripted(|_| Some(Fault::Error(ConnectorError::io("reset".into()))));
        for _ in 0..6 {
            assert_eq!(ask(&connector).await.unwrap_err().trouble, Trouble::Broken);
        }
        assert_eq!(attempts.load(Ordering::Relaxed), breaker::OPENS_AFTER + 1);
        let said = ask(&connector).await.unwrap_err().reason;
        assert!(said.contains("left alone"), "{said}");
    }

    #[tokio::test]
    async fn whoever_asks_while_a_service_is_down_waits_for_it_and_gets_the_answer() {
        let (connector, attempts) = scripted(|n| {
            let down = || Fault::Error(ConnectorError::io("reset".into()));
            Some(if n < breaker::OPENS_AFTER { down() } else { answer(200, IDENTITY) })
        });
        let asked = futures::future::join_all((0..10).map(|_| ask(&connector))).await;
        assert!(asked.iter().all(Result::is_ok), "{asked:?}");
        assert_eq!(attempts.load(Ordering::Relaxed), 20);
    }

    #[tokio::test]
    async fn a_try_that_was_given_up_is_tried_by_the_next() {
        let (connector, attempts) = scripted(|n| match n {
            0..10 => Some(Fault::Error(ConnectorError::io("reset".into()))),
            10 => Some(Fault::Stall(Duration::from_hours(1))),
            _ => Some(answer(200, IDENTITY)),
        });
        for _ in 0..3 {
            let _ = ask(&connector).await;
        }
        let given_up = tokio::time::timeout(Duration::from_secs(2), ask(&connector)).await;
        assert!(given_up.is_err() && attempts.load(Ordering::Relaxed) == 11);
        assert_eq!(ask(&connector).await, Ok(()));
    }

    #[tokio::test]
    async fn an_answer_that_ends_early_is_asked_for_again() {
        let half = &IDENTITY[..IDENTITY.len() / 2];
        let (connector, attempts) = scripted(move |n| Some(answer(200, if n == 0 { half } else { IDENTITY })));
        assert_eq!((ask(&connector).await, attempts.load(Ordering::Relaxed)), (Ok(()), 2));
    }

    #[tokio::test]
    async fn a_bad_minute_does_not_use_up_the_retries_of_what_comes_after_it() {
        let (connector, _) = scripted(|n| Some(if n % 3 == 2 { answer(200, IDENTITY) } else { answer(503, "<e/>") }));
        // The SDK's own quota allows a hundred such calls in a process.
        for call in 0..150 {
            assert_eq!(ask(&connector).await, Ok(()), "call {call}");
        }
    }

    #[tokio::test]
    async fn a_service_that_throttles_is_not_left_alone() {
        let (connector, attempts) = scripted(|n| Some(answer(if n % 2 == 0 { 503 } else { 429 }, "<e/>")));
        for _ in 0..=breaker::OPENS_AFTER {
            let said = ask(&connector).await.unwrap_err().reason;
            assert!(!said.contains("left alone"), "{said}");
        }
        assert!(attempts.load(Ordering::Relaxed) > breaker::OPENS_AFTER);
        let health = |status: u16| health_of(status.try_into().unwrap());
        assert_eq!((health(500), health(503)), (Health::Failed, Health::Answered));
    }

    #[tokio::test]
    async fn expired_credentials_are_told_from_refusals() {
        let body = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>expired</Message></Error></ErrorResponse>";
        let (connector, _) = scripted(move |_| Some(answer(403, body)));
        let failed = ask(&connector).await.unwrap_err();
        assert_eq!((failed.trouble, failed.code.as_deref()), (Trouble::Credentials, Some("ExpiredToken")));
    }
}
