//! What a failed call means: a code, a short reason, the IAM action that is missing.
//!
//! Decides by AWS's error code, never by the HTTP status: services answer refusals with 400 and 403 alike.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::read::Read;
use crate::aws::connector::Stop;
use crate::model::{Coverage, CoverageState};

/// Why a call did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// IAM, a bucket policy or an organization's policy said no.
    Denied,
    /// No credentials, or expired ones.
    Credentials,
    /// Too many requests, after the SDK's own retries.
    Throttled,
    /// AWS answered with another error.
    Refused,
    /// No answer, or one that could not be read.
    Broken,
    /// No answer in time.
    TimedOut,
    /// Ctrl-C, or the scan is ending.
    Cancelled,
    /// The budget does not allow another request.
    OverBudget,
    /// The time of the collector is up.
    OverTime,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Failed {
    /// The kind of trouble.
    pub trouble: Trouble,
    /// AWS's error code, where it gave one.
    pub code: Option<String>,
    /// One short sentence in AWS's words; text from outside.
    pub reason: String,
}

/// Longest reason that is kept.
const REASON: usize = 300;

impl Failed {
    /// Returns what `error` means.
    pub fn from_sdk<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let Some(service) = error.as_service_error() else { return Failed::unanswered(error) };
        let code = service.code().map(str::to_owned);
        let trouble = code.as_deref().map_or(Trouble::Broken, trouble_of);
        let said = service.message().map(str::to_owned);
        let reason = match (&code, said) {
            (Some(code), Some(said)) => format!("{code}: {said}"),
            (Some(code), None) => code.clone(),
            (None, Some(said)) => said,
            (None, None) => "an answer that could not be read".to_owned(),
        };
        Failed { trouble, code, reason: shortened(&reason) }
    }

    /// Returns the failure that an answer names for one of several things that were asked for at once.
    pub fn named(code: &str, said: Option<&str>) -> Self {
        let reason = said.map_or_else(|| code.to_owned(), |said| format!("{code}: {said}"));
        Failed { trouble: trouble_of(code), code: Some(code.to_owned()), reason: shortened(&reason) }
    }

    /// Returns the failure of an answer without what was asked for: the thing may be gone since it was listed.
    pub fn left_out(what: &str) -> Self {
        Failed { trouble: Trouble::Broken, code: None, reason: format!("the answer left {what} out") }
    }

    /// Returns the failure of an answer that says that what was listed is no longer there.
    pub fn gone(what: &str) -> Self {
        let reason = format!("{what} was listed, and gone when it was asked for");
        Failed { trouble: Trouble::Refused, code: None, reason }
    }

    /// Returns the failure of a call that was not made because the scan is ending.
    pub fn cancelled() -> Self {
        Failed { trouble: Trouble::Cancelled, code: None, reason: "the scan was interrupted".to_owned() }
    }

    fn unanswered<E: Error + 'static>(error: &SdkError<E, HttpResponse>) -> Self {
        let reason = shortened(&chain(error));
        if let Some(stop) = find::<Stop>(error) {
            return Failed { trouble: stop.trouble(), code: None, reason: stop.to_string() };
        }
        if let SdkError::ResponseError(unread) = error {
            let reason = format!("HTTP {} with an answer that could not be read", unread.raw().status().as_u16());
            return Failed { trouble: Trouble::Broken, code: None, reason };
        }
        let trouble = match error {
            SdkError::TimeoutError(_) => Trouble::TimedOut,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Trouble::TimedOut,
            SdkError::DispatchFailure(failure) if failure.is_user() => Trouble::Credentials,
            _ if find::<aws_credential_types::provider::error::CredentialsError>(error).is_some() => {
                Trouble::Credentials
            }
            _ => Trouble::Broken,
        };
        Failed { trouble, code: None, reason }
    }

    /// Returns the gap that this failure leaves in what `read` fills.
    pub fn gap(&self, read: &Read) -> Coverage {
        let state = match self.trouble {
            Trouble::OverBudget | Trouble::OverTime => CoverageState::OverBudget,
            _ => CoverageState::Missing,
        };
        let mut gap = Coverage::new(read.table, read.operation, state).because(self.reason.as_str());
        gap.missing_action = (self.trouble == Trouble::Denied).then(|| read.action.to_owned());
        gap
    }

    /// Returns true for credentials that no Region takes: other refusals also mean a Region that is not enabled.
    pub fn is_final(&self) -> bool {
        let expired = ["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"];
        let said = self.code.as_deref().is_none_or(|code| expired.contains(&code));
        self.trouble == Trouble::Credentials && said
    }

    /// Returns true when going on would fail or cost in the same way.
    pub fn ends_the_scan(&self) -> bool {
        matches!(self.trouble, Trouble::Cancelled | Trouble::OverBudget | Trouble::OverTime | Trouble::Credentials)
    }
}

/// Returns what an error code means. Codes of Cost Explorer, S3, CloudWatch, Athena, EC2, STS and the general ones.
fn trouble_of(code: &str) -> Trouble {
    match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "AllAccessDisabled"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "OptInRequired"
        | "UserUnauthorized" => Trouble::Denied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "AuthFailure"
        | "SignatureDoesNotMatch"
        | "InvalidToken"
        | "TokenRefreshRequired"
        | "MissingAuthenticationToken"
        | "RequestExpired" => Trouble::Credentials,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "LimitExceededException"
        | "SlowDown"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "BandwidthLimitExceeded" => Trouble::Throttled,
        "InternalError"
        | "InternalServiceException"
        | "InternalFailure"
        | "InternalServerException"
        | "InternalServiceFault"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => Trouble::Broken,
        "RequestTimeout" | "RequestTimeoutException" | "OperationTimeoutException" => Trouble::TimedOut,
        _ => Trouble::Refused,
    }
}

/// Returns the first error of type `T` among `error` and its causes.
pub fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|e| e.downcast_ref::<T>())
}

/// Returns an error and its causes in one line, each once.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in causes(error) {
        let line = cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        if !said.iter().any(|earlier| earlier.contains(&line)) {
            said.push(line);
        }
    }
    said.join(": ")
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

fn shortened(reason: &str) -> String {
    match reason.char_indices().nth(REASON) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason.to_owned(),
    }
}
