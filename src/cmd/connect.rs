//! Opens the connector and finds out who we are; says what to do when that fails.

use super::Context;
use crate::aws::act::{ROLL_UPS, WRITES};
use crate::aws::collect::{READS, Trouble};
use crate::aws::connector::allow::{EXPORTS, IDENTITY, PRICES, STORE};
use crate::aws::connector::{Allowlist, Connector, Role, Setup, Tariff};
use crate::aws::discover::CALLS;
use crate::aws::session::{self, Session, SessionError, Who};
use crate::aws::store as s3_store;
use crate::config;
use crate::error::{Failure, Kind};
use crate::prices::PriceBook;
use crate::store::Store;

/// What a verb wants from AWS. Each purpose has the shortest list of operations that serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Reading the account.
    Scan,
    /// Reading the account, with exports rolled up on Athena.
    ScanOnAthena,
    /// Finding out what there is before the first scan.
    Discover,
    /// Carrying out or undoing a plan.
    Apply,
    /// Only reading and keeping snapshots.
    Keep,
    /// Fetching AWS's public price list.
    Prices,
}

impl Purpose {
    fn allowlist(self) -> Allowlist {
        let base = Allowlist::default().and(Role::Credentials, IDENTITY.iter().copied());
        let base = base.and(Role::Store, STORE.iter().copied());
        match self {
            Purpose::Scan => base
                .and(Role::Reading, READS.concat().iter().map(|read| read.operation))
                .and(Role::Exports, EXPORTS.iter().copied()),
            Purpose::ScanOnAthena => {
                Purpose::Scan.allowlist().and(Role::RollUps, ROLL_UPS.iter().map(|write| write.operation))
            }
            Purpose::Discover => base.and(Role::Reading, CALLS.iter().copied()),
            Purpose::Apply => base.and(Role::Writing, WRITES.iter().map(|write| write.operation)),
            Purpose::Keep => base,
            Purpose::Prices => Allowlist::default().and(Role::Prices, PRICES.iter().copied()),
        }
    }
}

impl Context {
    /// Returns the setup of a connector for `purpose`, at list prices and the documented limits.
    ///
    /// # Errors
    /// The price book has no price for a metered request.
    pub fn setup(&self, purpose: Purpose) -> Result<Setup, Failure> {
        let unpriced = |error: String| Failure::failed(error);
        let book = PriceBook::embedded().map_err(|error| unpriced(error.to_string()))?;
        let tariff = Tariff::list(&book).map_err(|error| unpriced(error.to_string()))?;
        Ok(Setup::new(purpose.allowlist(), tariff))
    }

    /// Finds credentials and asks whose they are.
    ///
    /// # Errors
    /// There are none, they have expired, or AWS cannot be reached.
    pub async fn session(&self, setup: Setup) -> Result<Session, Failure> {
        Ok(Session::open(&self.who(), Connector::new(setup)).await?)
    }

    /// Returns the store at an `s3://` address, through a connector that may do nothing else.
    ///
    /// # Errors
    /// The address names no bucket, or S3 says no.
    pub async fn store_in_s3(&self, url: &str) -> Result<Store, Failure> {
        let connector = Connector::new(self.setup(Purpose::Keep)?);
        let sdk = session::configure(&self.who(), &connector).await?;
        Ok(s3_store::open(&sdk, url).await?)
    }

    pub(super) fn who(&self) -> Who {
        Who {
            profile: self.global.profile.clone(),
            home: self.global.region.first().cloned(),
            regions: self.config.texts(&config::REGIONS).to_vec(),
            endpoint_url: self.global.endpoint_url.clone(),
        }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Failure {
        let message = crate::model::text::terminal(&error.to_string());
        match error {
            SessionError::NoCredentials { profile, .. } => Failure::new(Kind::Credentials, message)
                .hint(sign_in(profile.as_deref()))
                .hint("or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
                .hint("`--demo` shows the built-in lake without credentials"),
            SessionError::Expired { profile, .. } => {
                Failure::new(Kind::Credentials, message).hint(sign_in(profile.as_deref()))
            }
            SessionError::Unreachable { .. } | SessionError::Anonymous => Failure::new(Kind::Credentials, message)
                .hint("check the network, the proxy variables and `--endpoint-url`"),
            SessionError::NoAttempts => Failure::new(Kind::Usage, message).hint("unset AWS_MAX_ATTEMPTS"),
            SessionError::BadEndpoint(_) => Failure::new(Kind::Usage, message),
        }
    }
}

pub(super) fn sign_in(profile: Option<&str>) -> String {
    match profile {
        Some(profile) => format!("aws sso login --profile {}", crate::model::text::terminal(profile)),
        None => "aws sso login, or name a profile with `--profile`".to_owned(),
    }
}

impl From<s3_store::OpenError> for Failure {
    fn from(error: s3_store::OpenError) -> Failure {
        let message = crate::model::text::terminal(&error.to_string());
        match error {
            s3_store::OpenError::Address(_) => Failure::new(Kind::Usage, message),
            s3_store::OpenError::Refused { failed, .. } if failed.trouble == Trouble::Refused => {
                Failure::failed(message).hint("make the bucket first, or name another with `--store`")
            }
            s3_store::OpenError::Refused { failed, .. } if failed.trouble == Trouble::Credentials => {
                Failure::new(Kind::Credentials, message).hint(sign_in(None))
            }
            s3_store::OpenError::Refused { failed, .. } if failed.trouble != Trouble::Denied => {
                Failure::failed(message).hint("check the network, the proxy variables and `--endpoint-url`")
            }
            s3_store::OpenError::Refused { .. } => Failure::new(Kind::Credentials, message)
                .hint("`leanlake iam scan --store s3://bucket/prefix` prints what the role must be allowed"),
        }
    }
}
