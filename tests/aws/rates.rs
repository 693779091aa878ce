//! How fast AWS answers and how often it may be asked: a latency, and a bucket of tokens for each operation and Region.

#![expect(clippy::float_arithmetic, reason = "tokens of a bucket")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Request;

/// Requests a second in the long run, and at once after a pause.
type Limit = (f64, f64);

/// What AWS publishes: Athena service quotas, CloudWatch quotas, CloudTrail's LookupEvents, EC2's throttling. Of the
/// rest nothing is published: S3 takes more than anybody asks of settings, and other services some ten a second.
fn limit(operation: &str) -> Limit {
    match operation {
        "athena:ListQueryExecutions" => (5.0, 10.0),
        "athena:BatchGetQueryExecution" => (20.0, 40.0),
        "cloudwatch:ListMetrics" => (25.0, 25.0),
        "cloudwatch:GetMetricData" => (50.0, 50.0),
        "cloudtrail:LookupEvents" => (2.0, 2.0),
        _ if operation.starts_with("ec2:") => (20.0, 100.0),
        _ if operation.starts_with("s3:") => (200.0, 200.0),
        _ => (10.0, 20.0),
    }
}

/// The pace of an account: at once and without limits unless a test says otherwise.
#[derive(Default)]
pub struct Rates {
    /// How long each answer takes.
    pub latency: Duration,
    /// Requests above the limits are throttled, but only those that would be so if they had come this much later: a
    /// machine that is busy hands them over in heaps. `None` for no limits.
    pub limits: Option<Duration>,
    tokens: BTreeMap<(String, String), (f64, Instant)>,
}

impl Rates {
    /// Takes a token for `request`; false when there is none.
    pub(super) fn admit(&mut self, request: &Request, now: Instant) -> bool {
        let Some(slack) = self.limits else { return true };
        let (rate, burst) = limit(&request.operation);
        let most = burst + rate * slack.as_secs_f64();
        let key = (request.region.clone(), request.operation.clone());
        let (tokens, then) = self.tokens.entry(key).or_insert((most, now));
        *tokens = (*tokens + rate * now.duration_since(*then).as_secs_f64()).min(most);
        *then = now;
        let admitted = *tokens >= 1.0;
        *tokens -= f64::from(u8::from(admitted));
        admitted
    }
}

/// What was asked of one operation, and when first and last.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub requests: u64,
    pub throttled: u64,
    pub first: Instant,
    pub last: Instant,
}

impl Asked {
    pub(super) fn add(&mut self, throttled: bool, now: Instant) {
        self.requests += 1;
        self.throttled += u64::from(throttled);
        self.last = now;
    }

    pub(super) fn none(now: Instant) -> Self {
        Asked { requests: 0, throttled: 0, first: now, last: now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup() -> Request {
        let target = ("x-amz-target".to_owned(), "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents");
        Request::read("POST", "/", [(target.0, target.1.to_owned())].into(), Vec::new())
    }

    #[test]
    fn what_is_above_the_rate_is_throttled_and_the_rate_comes_back() {
        let (now, request) = (Instant::now(), lookup());
        let mut rates = Rates { limits: Some(Duration::ZERO), ..Rates::default() };
        let admitted: Vec<bool> = (0..3).map(|_| rates.admit(&request, now)).collect();
        assert_eq!(admitted, [true, true, false]);
        assert!(rates.admit(&request, now + Duration::from_millis(600)));
        assert!(!rates.admit(&request, now + Duration::from_millis(700)));
    }

    #[test]
    fn without_limits_nothing_is_throttled() {
        let (now, request) = (Instant::now(), lookup());
        assert!((0..100).all(|_| Rates::default().admit(&request, now)));
    }
}
