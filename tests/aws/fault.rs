//! Trouble that a test asks for: denied, throttled, stalled, expired, broken or lost calls.

use std::time::Duration;

use super::Request;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The caller may not.
    Denied,
    /// Too many requests; S3 says SlowDown with 503.
    Throttled,
    /// The token of the caller is no longer good.
    Expired,
    /// The credentials are not known: so answers a Region that the account has not enabled.
    Unknown,
    /// The service fails: 500.
    Broken,
    /// No answer comes, and the call takes no effect.
    Stalled,
    /// No answer comes, and the call takes effect.
    StalledAfter,
    /// The call takes effect and its answer is lost.
    LostAnswer,
    /// The answer is not what the model says.
    Garbled,
    /// The connection ends in the middle of the answer.
    CutShort,
    /// Half of the answer comes as if it were all of it.
    Halved,
    /// The connection is reset before any answer, and the call takes no effect.
    Reset,
    /// The answer comes byte by byte, with a pause before each.
    Dripping(Duration),
}

/// Trouble for the calls of one operation.
#[derive(Clone, Debug)]
pub struct Fault {
    operation: String,
    resource: Option<String>,
    region: Option<String>,
    account: Option<String>,
    attempts: Option<u32>,
    pub(super) trouble: Trouble,
    passed_over: usize,
    every_other: bool,
    left: Option<usize>,
}

impl Fault {
    /// Returns trouble for every call of `operation`: `s3:ListBuckets`, `ce:*` or `*`.
    pub fn on(operation: &str, trouble: Trouble) -> Self {
        Fault {
            operation: operation.to_owned(),
            resource: None,
            region: None,
            account: None,
            attempts: None,
            trouble,
            passed_over: 0,
            every_other: false,
            left: None,
        }
    }

    /// Only for one bucket, workgroup or other resource.
    pub fn of(mut self, resource: &str) -> Self {
        self.resource = Some(resource.to_owned());
        self
    }

    /// Only for calls that were signed for `region`.
    pub fn in_region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    /// Only for calls that are signed with the keys of a role in `account`.
    pub fn in_account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// Only for the first `attempts` at each call, as its SDK counts them: the next one goes well.
    pub fn first_attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Not for the next `calls` calls.
    pub fn after(mut self, calls: usize) -> Self {
        self.passed_over = calls;
        self
    }

    /// For the next call, not for the one after it, and so on: each second attempt goes well.
    pub fn every_other(mut self) -> Self {
        self.every_other = true;
        self
    }

    /// Only for the next `times` calls.
    pub fn times(mut self, times: usize) -> Self {
        self.left = Some(times);
        self
    }

    fn matches(&self, request: &Request) -> bool {
        let named = self.operation == request.operation
            || self.operation.strip_suffix('*').is_some_and(|start| request.operation.starts_with(start));
        let resource = self.resource.is_none() || self.resource == request.resource;
        let region = self.region.as_ref().is_none_or(|region| *region == request.region);
        let account = self.account.as_ref().is_none_or(|id| request.key_id.strip_prefix("ASIA") == Some(id));
        let attempt = self.attempts.is_none_or(|most| request.attempt() <= most);
        named && resource && region && account && attempt && self.left != Some(0)
    }
}

/// Returns the trouble that `request` meets, and uses it up by one.
pub(super) fn meet(faults: &mut [Fault], request: &Request) -> Option<Trouble> {
    let fault = faults.iter_mut().find(|fault| fault.matches(request))?;
    if fault.passed_over > 0 {
        fault.passed_over -= 1;
        return None;
    }
    fault.left = fault.left.map(|left| left - 1);
    fault.passed_over = usize::from(fault.every_other);
    Some(fault.trouble)
}
