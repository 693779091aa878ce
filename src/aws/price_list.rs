//! AWS's public price list, fetched file by file: no credentials, no API, the same connector as everything else.
//!
//! Streams what arrives into a reader; keeps no file and judges no price.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_types::SdkConfig;

use crate::aws::client;
use crate::aws::collect::failure::chain;
use crate::aws::connector::allow::PRICES;
use crate::aws::connector::hosts::is_aws;
use crate::aws::connector::{Call, Connector, Role};

/// Where AWS serves the list. `--endpoint-url` and `AWS_ENDPOINT_URL[_PRICING]` name another place.
/// <https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-the-aws-price-list-bulk-api.html>
const HOST: &str = "https://pricing.us-east-1.amazonaws.com";

/// How long AWS may be silent: before its answer, and between two pieces of it.
const SILENCE: Duration = Duration::from_secs(45);

/// Times that a file is asked for when AWS fails before it began to send.
const TRIES: u32 = 3;

/// The first pause between two tries; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(400);

/// The price list.
#[derive(Clone, Debug)]
pub struct PriceList {
    http: SharedHttpConnector,
    host: String,
}

/// Why a file did not come.
#[derive(Debug, thiserror::Error)]
pub enum FetchError<E> {
    /// AWS has no such file: the service is not sold in the Region, or there is no such Region.
    #[error("AWS has no such file")]
    NotThere,
    /// AWS, or what stands in between, refused.
    #[error("the answer is status {0}")]
    Refused(u16),
    /// The connection failed, before or while the file came.
    #[error("{0}")]
    Broken(String),
    /// The file came, and its reader cannot use it.
    #[error(transparent)]
    Unusable(E),
}

impl PriceList {
    /// Returns the list as `sdk` is configured to reach it.
    pub fn new(sdk: &SdkConfig, connector: &Connector) -> Self {
        let settings = HttpConnectorSettings::builder().connect_timeout(Duration::from_secs(5)).read_timeout(SILENCE);
        let host = client::endpoint(sdk, "Pricing").unwrap_or_else(|| HOST.to_owned());
        PriceList { http: connector.plain(&settings.build()), host: host.trim_end_matches('/').to_owned() }
    }

    /// Returns the host where it is not AWS's.
    pub fn endpoint(&self) -> Option<&str> {
        let host = self.host.split_once("://").map_or(self.host.as_str(), |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or(host);
        (!is_aws(host)).then_some(host)
    }

    /// Returns the address of an edition (`current`, or the version that a file carries) of an offer in a Region.
    pub fn address(&self, offer: &str, edition: &str, region: &str) -> String {
        format!("{}/offers/v1.0/aws/{offer}/{edition}/{region}/index.csv", self.host)
    }

    /// Fetches the current file of an offer in a Region, and hands each piece of it to `each` as it comes.
    ///
    /// # Errors
    /// The file is not there, does not come whole, or is not what `each` can read.
    pub async fn fetch<E: std::error::Error>(
        &self,
        offer: &str,
        region: &str,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), FetchError<E>> {
        let mut body = ByteStream::new(self.ask(&self.address(offer, "current", region)).await?.into_body());
        loop {
            let silent = |_| FetchError::Broken(format!("nothing came for {} seconds", SILENCE.as_secs()));
            match tokio::time::timeout(SILENCE, body.next()).await.map_err(silent)? {
                Some(Ok(piece)) => each(&piece).map_err(FetchError::Unusable)?,
                Some(Err(error)) => return Err(FetchError::Broken(chain(&error))),
                None => return Ok(()),
            }
        }
    }

    async fn ask<E>(&self, address: &str) -> Result<HttpResponse, FetchError<E>> {
        let mut tried = 0;
        loop {
            tried += 1;
            let failed = match self.http.call(request(address)?).await {
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                // The list lies on S3, which says 403 of what is not there.
                Ok(answer) if matches!(answer.status().as_u16(), 403 | 404) => return Err(FetchError::NotThere),
                Ok(answer) => (answer.status().is_server_error(), FetchError::Refused(answer.status().as_u16())),
                Err(error) => (!error.is_user() && !error.is_other(), FetchError::Broken(chain(&error))),
            };
            match failed {
                (true, _) if tried < TRIES => tokio::time::sleep(PAUSE * 2_u32.pow(tried - 1)).await,
                (_, error) => return Err(error),
            }
        }
    }
}

fn request<E>(address: &str) -> Result<HttpRequest, FetchError<E>> {
    let mut request = HttpRequest::new(SdkBody::empty());
    request.set_uri(address).map_err(|error| FetchError::Broken(chain(&error)))?;
    request.headers_mut().insert("user-agent", concat!("leanlake/", env!("CARGO_PKG_VERSION")));
    request.add_extension(Call {
        role: Role::Prices,
        service: "pricing",
        operation: PRICES[0].to_owned(),
        account_id: String::new(),
        region: "us-east-1".to_owned(),
        units: 1,
    });
    Ok(request)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::aws::connector::{Allowlist, Fault};
    use crate::aws::stand_in::{answer, sdk, setup};

    fn list(allow: Allowlist, script: impl Fn(u32) -> Fault + Send + Sync + 'static) -> (PriceList, Arc<AtomicU32>) {
        let asked = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&asked);
        let mut setup = setup(allow);
        setup.faults = Some(Arc::new(move |_, _| Some(script(seen.fetch_add(1, Ordering::Relaxed)))));
        let connector = Connector::new(setup);
        (PriceList::new(&sdk(&connector), &connector), asked)
    }

    async fn fetch(list: &PriceList) -> Result<String, FetchError<Infallible>> {
        let mut text = Vec::new();
        let each = |piece: &[u8]| {
            text.extend_from_slice(piece);
            Ok(())
        };
        list.fetch("AmazonS3", "eu-west-1", each).await?;
        Ok(String::from_utf8(text).unwrap())
    }

    fn allowed() -> Allowlist {
        Allowlist::default().and(Role::Prices, PRICES.iter().copied())
    }

    #[tokio::test]
    async fn a_failure_before_the_file_is_tried_again() {
        let (list, asked) = list(allowed(), |n| answer(if n == 0 { 500 } else { 200 }, "prices"));
        assert_eq!(fetch(&list).await.unwrap(), "prices");
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        assert_eq!(list.endpoint(), None);
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_asked_for_once() {
        let (list, asked) = list(allowed(), |_| answer(403, "<Error/>"));
        assert!(matches!(fetch(&list).await, Err(FetchError::NotThere)));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_run_that_is_not_about_prices_fetches_none() {
        let (list, asked) = list(Allowlist::identity_only(), |_| answer(200, "prices"));
        assert!(matches!(fetch(&list).await, Err(FetchError::Broken(said)) if said.contains("pricing:GetOfferFile")));
        assert_eq!(asked.load(Ordering::Relaxed), 0);
    }
}
