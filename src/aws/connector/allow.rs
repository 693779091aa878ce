//! Which operations a run may call, by role. What is not named here never leaves the machine.

use std::collections::{BTreeMap, BTreeSet};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use super::tag::{Call, Role};

/// Operations that a snapshot store in S3 needs.
pub const STORE: &[&str] =
    &["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListObjectsV2", "s3:HeadObject", "s3:HeadBucket"];

/// Operations that read exports, each under the prefix that it is delivered to.
pub const EXPORTS: &[&str] = &["s3:GetObject", "s3:ListObjectsV2", "s3:HeadObject", "s3:HeadBucket"];

/// Operations that find out who we are and are called through a client of our own.
pub const IDENTITY: &[&str] = &["sts:GetCallerIdentity"];

/// What `prices refresh` fetches: files that anybody may read. Not an API, so the name is ours.
pub const PRICES: &[&str] = &["pricing:GetOfferFile"];

/// The lists of one run. A role without a list may call nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowlist(BTreeMap<Role, BTreeSet<&'static str>>);

impl Allowlist {
    /// Returns the list that allows only finding out who we are.
    pub fn identity_only() -> Self {
        Allowlist::default().and(Role::Credentials, IDENTITY.iter().copied())
    }

    /// Returns the list with `operations` added for `role`.
    #[must_use]
    pub fn and(mut self, role: Role, operations: impl IntoIterator<Item = &'static str>) -> Self {
        self.0.entry(role).or_default().extend(operations);
        self
    }

    /// Returns true when `call` may be sent.
    pub fn allows(&self, call: &Call) -> bool {
        self.0.get(&call.role).is_some_and(|operations| operations.contains(call.operation.as_str()))
    }
}

/// Returns the name of a request that carries no tag, when it is one that fetches credentials.
///
/// The SDK's own providers (SSO, assume role, web identity, container and instance metadata) build such requests. A
/// signed request can only be an assumed role; everything else that is signed and untagged is nobody's.
pub fn credential_operation(request: &HttpRequest) -> Option<String> {
    let (host, path) = (host_of(request), path_of(request));
    let signed = request.headers().get("authorization").is_some_and(|value| value.starts_with("AWS4-"));
    if let Some(action) = form_action(request) {
        let known = ["AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"];
        return known.contains(&action).then(|| format!("sts:{action}"));
    }
    match (request.method(), path) {
        _ if signed => None,
        ("GET", "/federation/credentials") => Some("sso:GetRoleCredentials".to_owned()),
        ("POST", "/token") => Some("sso-oidc:CreateToken".to_owned()),
        ("PUT", "/latest/api/token") => Some("metadata:Token".to_owned()),
        ("GET", path) if path.starts_with("/latest/meta-data/") => Some("metadata:Credentials".to_owned()),
        ("GET", _) if is_container_endpoint(host) => Some("metadata:Credentials".to_owned()),
        _ => None,
    }
}

/// Returns the host, with its port where it has one.
pub fn host_of(request: &HttpRequest) -> &str {
    let after = request.uri().split_once("://").map_or("", |(_, rest)| rest);
    after.split(['/', '?']).next().unwrap_or("")
}

fn path_of(request: &HttpRequest) -> &str {
    let after = request.uri().split_once("://").map_or(request.uri(), |(_, rest)| rest);
    let path = after.find('/').map_or("/", |at| &after[at..]);
    path.split('?').next().unwrap_or("/")
}

/// Returns the `Action` of a form that a query-protocol service gets.
fn form_action(request: &HttpRequest) -> Option<&str> {
    let body = std::str::from_utf8(request.body().bytes()?).ok()?;
    body.split('&').find_map(|pair| pair.strip_prefix("Action="))
}

/// ECS and EKS serve credentials on these addresses, and on the loopback of the container.
fn is_container_endpoint(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "127.0.0.1", "localhost"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(role: Role, operation: &str) -> Call {
        Call {
            role,
            service: "s3",
            operation: operation.to_owned(),
            account_id: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            units: 1,
        }
    }

    fn request(method: &str, uri: &str, body: &'static str) -> HttpRequest {
        let mut request = HttpRequest::new(body.into());
        request.set_method(method).unwrap();
        request.set_uri(uri).unwrap();
        request
    }

    #[test]
    fn a_scan_may_not_write_and_a_store_may_not_read_buckets() {
        let list = Allowlist::default().and(Role::Reading, ["s3:ListBuckets"]).and(Role::Store, STORE.iter().copied());
        assert!(list.allows(&call(Role::Reading, "s3:ListBuckets")));
        assert!(!list.allows(&call(Role::Reading, "s3:PutBucketLifecycleConfiguration")));
        assert!(!list.allows(&call(Role::Writing, "s3:PutBucketLifecycleConfiguration")));
        assert!(!list.allows(&call(Role::Store, "s3:ListBuckets")));
        assert!(!list.allows(&call(Role::Reading, "s3:DeleteObject")));
    }

    #[test]
    fn untagged_requests_are_known_only_when_they_fetch_credentials() {
        let name = |method, uri, body| credential_operation(&request(method, uri, body));
        let sts = name("POST", "https://sts.us-east-1.amazonaws.com/", "Action=AssumeRole&Version=2011-06-15");
        assert_eq!(sts.as_deref(), Some("sts:AssumeRole"));
        let sso = name("GET", "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?role_name=r", "");
        assert_eq!(sso.as_deref(), Some("sso:GetRoleCredentials"));
        assert!(name("GET", "http://169.254.169.254/latest/meta-data/iam/security-credentials/", "").is_some());
        assert!(name("GET", "http://169.254.170.2/v2/credentials/1", "").is_some());
        assert_eq!(name("GET", "https://lake.s3.amazonaws.com/secret", ""), None);
        assert_eq!(name("POST", "https://iam.amazonaws.com/", "Action=CreateUser"), None);
    }

    #[test]
    fn a_signed_request_without_a_tag_is_nobodys() {
        let mut signed = request("GET", "http://127.0.0.1:4566/lake", "");
        signed.headers_mut().insert("authorization", "AWS4-HMAC-SHA256 Credential=x");
        assert_eq!(credential_operation(&signed), None);
    }
}
