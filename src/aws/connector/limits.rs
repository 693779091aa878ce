//! Permits: how many requests a second each operation gets, by account and Region.
//!
//! Requests are signed before they come here, and a signature grows old: no permit waits longer than [`LONGEST_WAIT`].

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::tag::Call;

/// The longest wait for a permit. AWS takes signatures that are up to five minutes old.
pub const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How many requests a collector should have in flight: few enough that the slowest bucket serves them in seconds.
pub const IN_FLIGHT: usize = 16;

/// A token bucket: so many a minute, so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Requests a minute in the long run.
    pub per_minute: u32,
    /// Requests at once after a pause.
    pub burst: u32,
}

impl Pace {
    /// Returns how many seconds so many requests take in the long run, rounded up.
    pub fn seconds(self, requests: u64) -> u64 {
        requests.saturating_mul(60).div_ceil(u64::from(self.per_minute.max(1)))
    }
}

const fn pace(per_second: u32, burst: u32) -> Pace {
    Pace { per_minute: per_second * 60, burst }
}

const fn every_two_seconds(burst: u32) -> Pace {
    Pace { per_minute: 30, burst }
}

/// Returns the pace of an operation. Sources: Athena service quotas (user guide); CloudWatch quotas (`ListMetrics` 25/s,
/// `GetMetricData` 50/s); EMR service quotas (burst and replenishment of each operation, 5/s over all of them, which the
/// two that have none share with the rest); Glue and Lake Formation throttle by account and Region and publish no rate (AWS
/// General Reference, Glue quotas), so a pace that leaves room for the jobs there; Cost Explorer publishes none, its staff
/// say under 10/s; S3 publishes none for configuration reads, so a pace that no bucket notices; EC2 User Guide, request
/// throttling (reads: 100 at once, 20/s, by operation, account and Region), of which half; CloudTrail API reference
/// (`LookupEvents` 2/s by account and Region); IAM User Guide, "IAM and AWS STS quotas" (600/s by account and Region, shared by
/// `AssumeRole`, `GetCallerIdentity` and the other STS requests of everybody in the account, of which a tenth). Budgets, Data Exports, Cost Optimization Hub and Network Firewall publish none.
pub fn default_pace(operation: &str) -> Pace {
    match operation {
        "athena:ListQueryExecutions" => pace(5, 10),
        "athena:BatchGetQueryExecution" => pace(20, 40),
        "cloudwatch:ListMetrics" => pace(25, 25),
        "cloudwatch:GetMetricData" => pace(50, 50),
        "cloudtrail:LookupEvents" => pace(2, 2),
        "sts:AssumeRole" => pace(60, 60),
        "emr:ListClusters" => every_two_seconds(20),
        "emr:ListInstanceFleets" => every_two_seconds(5),
        "emr:DescribeCluster" | "emr:ListInstanceGroups" => pace(1, 10),
        "emr:GetManagedScalingPolicy" | "emr:GetAutoTerminationPolicy" => pace(1, 5),
        _ => match operation.split(':').next() {
            Some(
                "ce"
                | "athena"
                | "bcm-data-exports"
                | "emr"
                | "billing"
                | "budgets"
                | "cost-optimization-hub"
                | "network-firewall",
            ) => pace(5, 5),
            Some("ec2") => pace(10, 50),
            Some("glue" | "lakeformation") => pace(5, 10),
            Some("s3") => pace(100, 100),
            _ => pace(10, 10),
        },
    }
}

/// Why there was no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong(pub Duration);

/// Account, Region, operation.
type Key = (String, String, String);

/// How an operation was asked: its permits, the time from the first to the last, and the time that its pace needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paced {
    /// Service and operation: `glue:GetJobRuns`.
    pub operation: String,
    /// The account that was asked.
    pub account_id: String,
    /// The Region that was asked.
    pub region: String,
    /// Permits given.
    pub requests: u64,
    /// From the first permit to the last.
    pub took: Duration,
    /// The time that so many permits take at the operation's pace, after its burst.
    pub least: Duration,
}

/// One operation's queue: first come, first served.
#[derive(Debug)]
struct Queue {
    pace: Pace,
    tokens: DefaultDirectRateLimiter,
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicU32,
    given: Mutex<Given>,
}

/// The permits that a queue gave: how many, and when first and last.
#[derive(Clone, Copy, Debug, Default)]
struct Given {
    count: u64,
    span: Option<(Instant, Instant)>,
}

/// All permits of a run.
#[derive(Debug)]
pub struct Limits {
    pace: fn(&str) -> Pace,
    queues: Mutex<BTreeMap<Key, Arc<Queue>>>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits::with(default_pace)
    }
}

impl Limits {
    /// Returns permits at another pace.
    pub fn with(pace: fn(&str) -> Pace) -> Self {
        Limits { pace, queues: Mutex::default() }
    }

    /// Waits for the permit of `call`; refuses at once where the queue is longer than the longest wait.
    pub async fn permit(&self, call: &Call) -> Result<(), TooLong> {
        let queue = self.queue(call);
        let _place = Place::take(&queue)?;
        let wait = async {
            let _turn = queue.turn.lock().await;
            queue.tokens.until_ready().await;
        };
        tokio::time::timeout(LONGEST_WAIT, wait).await.map_err(|_| TooLong(LONGEST_WAIT))?;
        queue.note(Instant::now());
        Ok(())
    }

    /// Returns how each operation was asked so far, in order of accounts and Regions.
    pub fn paced(&self) -> Vec<Paced> {
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.iter().map(|(key, queue)| queue.paced(key)).collect()
    }

    fn queue(&self, call: &Call) -> Arc<Queue> {
        let key = (call.account_id.clone(), call.region.clone(), call.operation.clone());
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(key).or_insert_with(|| Arc::new(Queue::new((self.pace)(&call.operation)))))
    }
}

impl Queue {
    fn new(pace: Pace) -> Self {
        let rate = NonZeroU32::new(pace.per_minute).unwrap_or(NonZeroU32::MIN);
        let burst = NonZeroU32::new(pace.burst).unwrap_or(NonZeroU32::MIN);
        let tokens = RateLimiter::direct(Quota::per_minute(rate).allow_burst(burst));
        let (turn, waiting) = (tokio::sync::Mutex::default(), AtomicU32::new(0));
        Queue { pace, tokens, turn, waiting, given: Mutex::default() }
    }

    fn note(&self, now: Instant) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.count += 1;
        given.span = Some((given.span.map_or(now, |(first, _)| first), now));
    }

    fn paced(&self, (account_id, region, operation): &Key) -> Paced {
        let given = *self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let after_burst = given.count.saturating_sub(self.pace.burst.into());
        Paced {
            operation: operation.clone(),
            account_id: account_id.clone(),
            region: region.clone(),
            requests: given.count,
            took: given.span.map_or(Duration::ZERO, |(first, last)| last.duration_since(first)),
            least: Duration::from_secs(self.pace.seconds(after_burst)),
        }
    }

    /// Returns how many may wait so that the last one is served in time.
    fn longest(&self) -> u32 {
        let minutes = u32::try_from(LONGEST_WAIT.as_secs() / 60).unwrap_or(u32::MAX);
        self.pace.per_minute.max(1).saturating_mul(minutes)
    }
}

/// A place in a queue, given back when the wait ends or is dropped.
struct Place<'a>(&'a Queue);

impl<'a> Place<'a> {
    fn take(queue: &'a Queue) -> Result<Self, TooLong> {
        let before = queue.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Place(queue);
        if before < queue.longest() { Ok(place) } else { Err(TooLong(Duration::ZERO)) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::aws::connector::Role;

    fn call(operation: &str, region: &str) -> Call {
        Call {
            role: Role::Reading,
            service: "athena",
            operation: operation.to_owned(),
            account_id: "111122223333".to_owned(),
            region: region.to_owned(),
            units: 1,
        }
    }

    async fn ask(limits: &Limits, calls: &[Call]) -> Duration {
        let start = Instant::now();
        futures::future::try_join_all(calls.iter().map(|call| limits.permit(call))).await.unwrap();
        start.elapsed()
    }

    #[tokio::test]
    async fn a_burst_passes_and_the_rest_keeps_the_pace() {
        let limits = Limits::with(|_| pace(20, 2));
        let calls = vec![call("athena:X", "us-east-1"); 6];
        let took = ask(&limits, &calls).await;
        assert!(took >= Duration::from_millis(180), "four requests after the burst at 20/s: {took:?}");
        let paced = limits.paced();
        assert_eq!((paced.len(), paced[0].operation.as_str(), paced[0].requests), (1, "athena:X", 6));
        assert!(paced[0].took >= Duration::from_millis(180) && paced[0].took <= took, "{paced:?}");
        assert_eq!(paced[0].least, Duration::from_secs(1), "rounded up");
    }

    #[tokio::test]
    async fn each_region_has_its_own_permits() {
        let limits = Limits::with(|_| pace(1, 1));
        let calls = [call("athena:X", "us-east-1"), call("athena:X", "eu-west-1"), call("athena:Y", "us-east-1")];
        assert!(ask(&limits, &calls).await < Duration::from_millis(500));
    }

    #[tokio::test]
    async fn each_account_has_its_own_permits() {
        let limits = Limits::with(|_| pace(1, 1));
        let here = call("athena:X", "us-east-1");
        let there = Call { account_id: "444455556666".to_owned(), ..here.clone() };
        assert!(ask(&limits, &[here.clone(), there]).await < Duration::from_millis(500));
        assert!(ask(&limits, &[here]).await >= Duration::from_millis(400), "the second of the same account waits");
    }

    #[tokio::test]
    async fn a_queue_longer_than_the_longest_wait_refuses_at_once() {
        let limits = Limits::with(|_| pace(1, 1));
        let call = call("athena:X", "us-east-1");
        let many = futures::future::join_all((0..200).map(|_| limits.permit(&call)));
        let refused = tokio::time::timeout(Duration::from_millis(300), async {
            let queue = limits.queue(&call);
            futures::pin_mut!(many);
            let _ = futures::poll!(many.as_mut());
            let places = queue.waiting.load(Ordering::Relaxed);
            (places, limits.permit(&call).await)
        });
        let (places, answer) = refused.await.unwrap();
        assert!(places <= 60, "at most a minute's worth waits: {places}");
        assert_eq!(answer, Err(TooLong(Duration::ZERO)));
    }

    #[test]
    fn the_documented_limits_are_the_defaults() {
        assert_eq!(default_pace("athena:ListQueryExecutions"), pace(5, 10));
        assert_eq!(default_pace("athena:BatchGetQueryExecution"), pace(20, 40));
        assert_eq!(default_pace("cloudwatch:ListMetrics").seconds(50), 2);
        assert_eq!(default_pace("ce:GetCostAndUsage").seconds(5), 1);
        assert_eq!((default_pace("emr:ListClusters").seconds(3), default_pace("emr:ListClusters").burst), (6, 20));
        assert_eq!(default_pace("emr:DescribeCluster"), pace(1, 10));
        assert_eq!(default_pace("sts:AssumeRole").seconds(1000), 17, "a tenth of what the account has for STS");
    }
}
