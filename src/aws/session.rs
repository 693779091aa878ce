//! Who we are: credentials by the usual ways, one SDK configuration with the connector under it.
//!
//! Never stores a secret and never asks for one; AWS's own variables and files are the only settings.

use std::error::Error;
use std::time::Duration;

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::region::ProfileFileRegionProvider;
use aws_config::{AppName, BehaviorVersion, Region};
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;

use crate::aws::client;
use crate::aws::collect::failure::{chain, find};
use crate::aws::collect::{Failed, Trouble};
use crate::aws::connector::hosts::origin_of;
use crate::aws::connector::limits::LONGEST_WAIT;
use crate::aws::connector::{Connector, Role, Tag};
use crate::model::Origin;

/// The Region of requests when nobody names one: every account has it, and S3 and Cost Explorer answer there.
const HOME: &str = "us-east-1";

/// The services whose facts or changes have an origin: our short name, and the SDK's for the settings of endpoints.
const SERVICES: &[(&str, &str)] = &[
    ("athena", "Athena"),
    ("bcm-data-exports", "BCM Data Exports"),
    ("billing", "Billing"),
    ("budgets", "Budgets"),
    ("ce", "Cost Explorer"),
    ("cloudtrail", "CloudTrail"),
    ("cloudwatch", "CloudWatch"),
    ("cost-optimization-hub", "Cost Optimization Hub"),
    ("ec2", "EC2"),
    ("emr", "EMR"),
    ("emr-serverless", "EMR Serverless"),
    ("glue", "Glue"),
    ("lakeformation", "LakeFormation"),
    ("organizations", "Organizations"),
    ("network-firewall", "Network Firewall"),
    ("redshift", "Redshift"),
    ("redshift-serverless", "Redshift Serverless"),
    ("s3", "S3"),
    ("s3control", "S3 Control"),
];

/// How long an answer may take once the request is sent.
const ANSWER: Duration = Duration::from_secs(45);

/// What the command line and the configuration say about who we are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// `--profile`.
    pub profile: Option<String>,
    /// The first `--region`: where requests go that are about no Region.
    pub home: Option<String>,
    /// The Regions to read; the first is home where nobody names another.
    pub regions: Vec<String>,
    /// `--endpoint-url`; `AWS_ENDPOINT_URL` and its forms for single services count without it.
    pub endpoint_url: Option<String>,
}

/// The account behind the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Account.
    pub account_id: String,
    /// User or role; text from outside.
    pub arn: String,
    /// `aws`, `aws-cn`, `aws-us-gov`, from the ARN.
    pub partition: String,
}

/// Credentials, configuration and identity of one run.
#[derive(Clone, Debug)]
pub struct Session {
    /// Configuration for [`Session::region`].
    pub sdk: SdkConfig,
    /// The connector under every client.
    pub connector: Connector,
    /// Who we are.
    pub identity: Identity,
    /// The Regions that were asked for; empty when none was.
    pub asked_regions: Vec<String>,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No provider had credentials.
    #[error("found no AWS credentials: {said}")]
    NoCredentials {
        /// What the providers said.
        said: String,
        /// The profile that was asked for.
        profile: Option<String>,
    },
    /// There are credentials, but AWS or a provider no longer takes them.
    #[error("the AWS credentials have expired or are not valid: {said}")]
    Expired {
        /// What AWS said.
        said: String,
        /// The profile that was asked for.
        profile: Option<String>,
    },
    /// AWS could not be asked who we are.
    #[error("could not ask `sts:GetCallerIdentity` who we are: {said}")]
    Unreachable {
        /// What came back.
        said: String,
    },
    /// STS answered without an account.
    #[error("`sts:GetCallerIdentity` answered without an account")]
    Anonymous,
    /// A setting that the SDK would choke on.
    #[error("`AWS_MAX_ATTEMPTS` is 0, so no request could be sent")]
    NoAttempts,
    /// `--endpoint-url` is no address.
    #[error("`{0}` is not an endpoint URL: it needs http:// or https:// and a host")]
    BadEndpoint(String),
}

impl Session {
    /// Finds credentials and asks STS whose they are.
    pub async fn open(who: &Who, connector: Connector) -> Result<Session, SessionError> {
        let sdk = configure(who, &connector).await?;
        find_credentials(&sdk, who.profile.as_deref()).await?;
        let identity = ask_identity(&sdk, who.profile.as_deref()).await?;
        Ok(Session { sdk, connector, identity, asked_regions: who.regions.clone() })
    }

    /// Returns the Region of requests that are about no other.
    pub fn region(&self) -> &str {
        self.sdk.region().map_or(HOME, Region::as_ref)
    }

    /// Returns true when STS still knows the credentials.
    pub async fn is_known(&self) -> bool {
        ask_identity(&self.sdk, None).await.is_ok()
    }

    /// Returns where requests are configured to go.
    pub fn configured_origin(&self) -> Origin {
        let hosts = SERVICES.iter().filter_map(|&(service, id)| {
            let url = client::endpoint(&self.sdk, id)?;
            let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest).split('/').next()?.to_owned();
            Some((service, host))
        });
        origin_of(&hosts.collect(), &self.identity.partition)
    }

    /// Returns where the facts read so far are from, as the connector saw it.
    pub fn seen_origin(&self) -> Origin {
        self.connector.origin(&self.identity.partition)
    }
}

/// Returns the Region that `who`, the environment or the profile names. Asks nobody anything, so what an instance's
/// metadata would say is not known.
pub async fn region_of(who: &Who) -> Option<String> {
    if let Some(home) = &who.home {
        return Some(home.clone());
    }
    let mut files = ProfileFileRegionProvider::builder();
    if let Some(profile) = &who.profile {
        files = files.profile_name(profile);
    }
    let found = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new()).or_else(files.build());
    let region = found.region().await.map(|region| region.as_ref().to_owned());
    region.or_else(|| who.regions.first().cloned())
}

/// Returns the SDK's configuration over `connector`; asks nobody anything.
pub async fn configure(who: &Who, connector: &Connector) -> Result<SdkConfig, SessionError> {
    check(who)?;
    Ok(load(who, connector).await)
}

fn check(who: &Who) -> Result<(), SessionError> {
    if let Some(url) = &who.endpoint_url {
        let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        if host.is_none_or(|host| host.is_empty() || host.starts_with('/')) {
            return Err(SessionError::BadEndpoint(url.clone()));
        }
    }
    #[expect(clippy::disallowed_methods, reason = "the SDK reads it too, and panics on this one value")]
    let attempts = std::env::var("AWS_MAX_ATTEMPTS");
    if attempts.is_ok_and(|attempts| attempts.trim() == "0") { Err(SessionError::NoAttempts) } else { Ok(()) }
}

async fn load(who: &Who, connector: &Connector) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(connector.clone())
        .timeout_config(timeouts())
        .app_name(AppName::new("leanlake").expect("a plain word is an app name"));
    if let Some(profile) = &who.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &who.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(home) = &who.home {
        loader = loader.region(Region::new(home.clone()));
    }
    let sdk = loader.load().await;
    let home = who.regions.first().map_or(HOME, String::as_str);
    if sdk.region().is_some() { sdk } else { client::in_region(&sdk, home) }
}

/// An attempt may wait for its permit and then for its answer; an operation may try three times with pauses between.
fn timeouts() -> TimeoutConfig {
    let attempt = LONGEST_WAIT + ANSWER * 3;
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(ANSWER)
        .operation_attempt_timeout(attempt)
        .operation_timeout(attempt * 4)
        .build()
}

/// Asks the providers before any request, so that "none found" and "refused by AWS" are told apart.
async fn find_credentials(sdk: &SdkConfig, profile: Option<&str>) -> Result<(), SessionError> {
    let profile = profile.map(str::to_owned);
    let Some(provider) = sdk.credentials_provider() else {
        return Err(SessionError::NoCredentials { said: "no provider is configured".to_owned(), profile });
    };
    let Err(error) = provider.provide_credentials().await else { return Ok(()) };
    let said = chain(&error);
    Err(match &error {
        CredentialsError::CredentialsNotLoaded(_) => {
            SessionError::NoCredentials { said: nowhere(profile.as_deref()), profile }
        }
        _ if speaks_of_expiry(&said) => SessionError::Expired { said, profile },
        _ => SessionError::NoCredentials { said, profile },
    })
}

/// The providers' own words fill a screen; where they looked is what helps.
fn nowhere(profile: Option<&str>) -> String {
    let profile = profile.map_or_else(|| "the default profile".to_owned(), |name| format!("profile `{name}`"));
    format!("none in the environment, in {profile}, nor from web identity, container or instance")
}

fn speaks_of_expiry(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    let words = ["expired", "sso token", "access token", "invalid_grant", "unauthorizedexception"];
    words.iter().any(|word| said.contains(word))
}

async fn ask_identity(sdk: &SdkConfig, profile: Option<&str>) -> Result<Identity, SessionError> {
    let region = sdk.region().map_or(HOME, Region::as_ref);
    let client = client::sts(sdk, Tag::new(Role::Credentials, "sts", "", region));
    let answer = client.get_caller_identity().send().await.map_err(|error| refused(&error, profile))?;
    let account_id = answer.account().filter(|account| !account.is_empty()).ok_or(SessionError::Anonymous)?;
    let arn = answer.arn().unwrap_or_default();
    let partition = arn.split(':').nth(1).filter(|partition| !partition.is_empty()).unwrap_or("aws");
    Ok(Identity { account_id: account_id.to_owned(), arn: arn.to_owned(), partition: partition.to_owned() })
}

fn refused<E>(error: &aws_sdk_sts::error::SdkError<E>, profile: Option<&str>) -> SessionError
where
    E: aws_sdk_sts::error::ProvideErrorMetadata + Error + 'static,
{
    let (failed, profile) = (Failed::from_sdk(error), profile.map(str::to_owned));
    match failed.trouble {
        Trouble::Credentials if find::<CredentialsError>(error).is_some() => {
            SessionError::NoCredentials { said: failed.reason, profile }
        }
        Trouble::Credentials => SessionError::Expired { said: failed.reason, profile },
        _ => SessionError::Unreachable { said: failed.reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::connector::Allowlist;
    use crate::aws::stand_in::{answer, sdk, setup};
    use std::sync::Arc;

    async fn identity(body: &'static str, status: u16) -> Result<Identity, SessionError> {
        let mut setup = setup(Allowlist::identity_only());
        setup.faults = Some(Arc::new(move |_, _| Some(answer(status, body))));
        ask_identity(&sdk(&Connector::new(setup)), Some("lake")).await
    }

    #[tokio::test]
    async fn the_partition_comes_from_the_arn() {
        let who = identity(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws-cn:iam::111122223333:user/u</Arn>\
             <Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
            200,
        );
        let who = who.await.unwrap();
        assert_eq!((who.account_id.as_str(), who.partition.as_str()), ("111122223333", "aws-cn"));
    }

    #[tokio::test]
    async fn an_expired_token_is_said_to_be_expired() {
        let body = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>The security token included in the \
                    request is expired</Message></Error></ErrorResponse>";
        let error = identity(body, 403).await.unwrap_err();
        assert!(matches!(&error, SessionError::Expired { profile: Some(p), .. } if p == "lake"), "{error}");
    }

    #[test]
    fn a_stale_single_sign_on_is_told_from_a_broken_credential_process() {
        assert!(speaks_of_expiry("error loading an access token: failed to load the cached SSO token"));
        assert!(!speaks_of_expiry("could not parse response: Error at offset 1: unexpected token 'V'"));
    }

    #[test]
    fn an_endpoint_without_a_scheme_is_refused() {
        for bad in ["localhost:4566", "http://", "ftp://x"] {
            let who = Who { endpoint_url: Some(bad.to_owned()), ..Who::default() };
            assert!(matches!(check(&who), Err(SessionError::BadEndpoint(_))), "{bad}");
        }
    }

    #[test]
    fn no_operation_times_out_before_its_permit_can_come() {
        let limits = timeouts();
        assert!(limits.operation_attempt_timeout().unwrap() > LONGEST_WAIT);
        assert!(limits.operation_timeout().unwrap() > limits.operation_attempt_timeout().unwrap());
    }
}
