//! The local clock against AWS's: signatures are refused when they are five minutes apart.
//!
//! Only STS is listened to: its answers are never from a cache. Never sets a clock.

use std::sync::{Mutex, PoisonError};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use chrono::{DateTime, TimeDelta, Utc};

use super::tag::Call;

/// How far the local clock is ahead of AWS's, as far as that was heard.
#[derive(Debug, Default)]
pub struct Clock(Mutex<Option<TimeDelta>>);

impl Clock {
    /// Notes the date of an answer of STS.
    pub fn note(&self, call: &Call, answer: &HttpResponse) {
        if call.service == "sts" {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ahead(answer, now());
        }
    }

    /// Returns how far the local clock is ahead of STS's; less than nothing when it is behind.
    pub fn ahead(&self) -> Option<TimeDelta> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ahead(answer: &HttpResponse, now: DateTime<Utc>) -> Option<TimeDelta> {
    let said = DateTime::parse_from_rfc2822(answer.headers().get("date")?).ok()?;
    Some(now.signed_duration_since(said))
}

#[expect(clippy::disallowed_methods, reason = "the real clock signs the requests, whatever `--as-of` says")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn answer(date: Option<&str>) -> HttpResponse {
        let mut answer = HttpResponse::new(200.try_into().unwrap(), SdkBody::empty());
        if let Some(date) = date {
            answer.headers_mut().insert("date", date.to_owned());
        }
        answer
    }

    #[test]
    fn a_clock_that_is_behind_is_less_than_nothing_ahead() {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let ahead = |date| ahead(&answer(date), now).map(|skew| skew.num_seconds());
        assert_eq!(ahead(Some("Tue, 24 Nov 2026 12:04:30 GMT")), Some(-270));
        assert_eq!(ahead(Some("Tue, 24 Nov 2026 11:59:59 GMT")), Some(1));
        assert_eq!((ahead(Some("yesterday")), ahead(None)), (None, None));
    }
}
