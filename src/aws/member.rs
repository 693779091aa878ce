//! The other accounts of an organization: the role that a scan assumes in each of them.
//!
//! Asks STS only. An account whose role cannot be assumed is a gap of that account and of no other.

use std::time::{Duration, SystemTime};

use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider};
use aws_types::SdkConfig;
use tokio::sync::Mutex;

use super::collect::failure::{chain, find};
use super::collect::{Failed, Trouble};
use super::connector::Stop;

/// How long assumed credentials last before the SDK assumes the role again. Chained roles have an hour at most.
const SESSION: Duration = Duration::from_hours(1);

/// The name of sessions where nobody chooses another: it is what CloudTrail shows.
pub const SESSION_NAME: &str = "leanlake";

/// A role that has the same name in every account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRole {
    /// Its name, with its path where it has one.
    pub name: String,
    /// The external id that its trust policy asks for.
    pub external_id: Option<String>,
    /// The name of the session.
    pub session_name: String,
    /// Tags of the session.
    pub session_tags: Vec<(String, String)>,
}

impl MemberRole {
    /// Returns the role called `name`, without external id and tags.
    pub fn new(name: &str) -> Self {
        let (name, session_name) = (name.trim_start_matches('/').to_owned(), SESSION_NAME.to_owned());
        MemberRole { name, external_id: None, session_name, session_tags: Vec::new() }
    }

    /// Returns its ARN in `account_id`.
    pub fn arn(&self, partition: &str, account_id: &str) -> String {
        format!("arn:{partition}:iam::{account_id}:role/{}", self.name)
    }

    /// Returns `sdk` with the role's credentials in `account_id`, which it asks for once, so that a role that cannot be
    /// assumed is known before anything is read with it.
    pub async fn assume(&self, sdk: &SdkConfig, partition: &str, account_id: &str) -> Result<SdkConfig, Failed> {
        let mut builder = AssumeRoleProvider::builder(self.arn(partition, account_id))
            .configure(sdk)
            .session_name(&self.session_name)
            .session_length(SESSION);
        if let Some(id) = &self.external_id {
            builder = builder.external_id(id);
        }
        if !self.session_tags.is_empty() {
            builder = builder.tags(self.session_tags.iter().cloned());
        }
        let provider = builder.build().await;
        let held = provider.provide_credentials().await.map_err(|error| self.refused(&error, account_id))?;
        let assumed = Assumed { role: provider, held: Mutex::new(held) };
        Ok(sdk.to_builder().credentials_provider(SharedCredentialsProvider::new(assumed)).build())
    }

    /// The provider wraps what STS said; the innermost words are the ones that help.
    fn refused(&self, error: &(dyn std::error::Error + 'static), account_id: &str) -> Failed {
        let said = chain(error);
        let trouble = match find::<Stop>(error) {
            Some(stop) => stop.trouble(),
            None if said.contains("AccessDenied") => Trouble::Denied,
            None => Trouble::Refused,
        };
        let reason = format!("could not assume the role `{}` in account {account_id}: {said}", self.name);
        Failed { trouble, code: None, reason }
    }
}

/// The credentials of a role, asked for again only before they end: each request to STS is one of few that an account has.
#[derive(Debug)]
struct Assumed {
    role: AssumeRoleProvider,
    held: Mutex<Credentials>,
}

impl Assumed {
    async fn credentials(&self) -> provider::Result {
        let mut held = self.held.lock().await;
        if ends_soon(&held) {
            *held = self.role.provide_credentials().await?;
        }
        Ok(held.clone())
    }
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        provider::future::ProvideCredentials::new(self.credentials())
    }
}

/// Credentials that end sooner than this are asked for again.
const AHEAD: Duration = Duration::from_mins(5);

#[expect(clippy::disallowed_methods, reason = "credentials end by the real clock")]
fn ends_soon(held: &Credentials) -> bool {
    held.expiry().is_some_and(|end| end <= SystemTime::now() + AHEAD)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::aws::connector::{Allowlist, Connector};
    use crate::aws::stand_in::{answer, sdk, setup};

    async fn assumed(role: &MemberRole, status: u16, body: &'static str) -> (Result<SdkConfig, Failed>, String) {
        let asked = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&asked);
        let mut setup = setup(Allowlist::identity_only());
        setup.faults = Some(Arc::new(move |_, request| {
            *heard.lock().unwrap() = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
            Some(answer(status, body))
        }));
        let outcome = role.assume(&sdk(&Connector::new(setup)), "aws-cn", "222222222222").await;
        let asked = asked.lock().unwrap().clone();
        (outcome, asked)
    }

    const KEYS: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId>\
        <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>\
        </Credentials></AssumeRoleResult></AssumeRoleResponse>";

    #[tokio::test]
    async fn the_role_is_assumed_in_the_partition_with_external_id_name_and_tags() {
        let role = MemberRole {
            external_id: Some("x-1".to_owned()),
            session_tags: vec![("team".to_owned(), "finops".to_owned())],
            ..MemberRole::new("/audit/leanlake-scan")
        };
        let (sdk, asked) = assumed(&role, 200, KEYS).await;
        let keys = sdk.unwrap().credentials_provider().unwrap().provide_credentials().await.unwrap();
        assert_eq!(keys.access_key_id(), "ASIAEXAMPLE");
        for part in [
            "RoleArn=arn%3Aaws-cn%3Aiam%3A%3A222222222222%3Arole%2Faudit%2Fleanlake-scan",
            "ExternalId=x-1",
            "RoleSessionName=leanlake",
            "Tags.member.1.Key=team",
        ] {
            assert!(asked.contains(part), "{part} in {asked}");
        }
    }

    #[tokio::test]
    async fn a_role_is_assumed_once_for_many_clients_and_again_before_its_credentials_end() {
        let asked = async |expiration: &str| {
            let body = KEYS.replace("2099-01-01T00:00:00Z", expiration);
            let counted = Arc::new(Mutex::new(0));
            let count = Arc::clone(&counted);
            let mut setup = setup(Allowlist::identity_only());
            setup.faults = Some(Arc::new(move |_, _| {
                *count.lock().unwrap() += 1;
                Some(answer(200, &body))
            }));
            let sdk = sdk(&Connector::new(setup));
            let sdk = MemberRole::new("scan").assume(&sdk, "aws", "222222222222").await.unwrap();
            for _ in 0..3 {
                sdk.credentials_provider().unwrap().provide_credentials().await.unwrap();
            }
            *counted.lock().unwrap()
        };
        assert_eq!(asked("2099-01-01T00:00:00Z").await, 1);
        assert_eq!(asked("2001-01-01T00:00:00Z").await, 4, "credentials that have ended are never handed out");
    }

    #[tokio::test]
    async fn a_role_that_may_not_be_assumed_is_denied_with_its_name() {
        let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole\
                    </Message></Error></ErrorResponse>";
        let (outcome, _) = assumed(&MemberRole::new("leanlake-scan"), 403, body).await;
        let failed = outcome.unwrap_err();
        assert_eq!(failed.trouble, Trouble::Denied);
        assert!(failed.reason.contains("leanlake-scan") && failed.reason.contains("222222222222"), "{failed}");
        assert!(failed.reason.contains("not authorized"), "{failed}");
    }
}
