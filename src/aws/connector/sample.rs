//! A sample instead of a scan: how often each operation is asked before the connector refuses it.
//!
//! Counts answers, so that a refusal by AWS does not use the sample up; it never lets more through than it says.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::stop::Stop;
use super::tag::{Call, Role};

/// How much of a scan is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Most requests of one operation in one account and Region that succeed. Three times as many may fail.
    pub each: u32,
    /// The same in all Regions together.
    pub all: u32,
    /// Operations of which one is enough.
    pub once: &'static [&'static str],
}

/// What came of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Requests that were sent, retries included.
    pub sent: u32,
    /// Those that succeeded.
    pub succeeded: u32,
}

/// Requests under way, and those that ended.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    open: u32,
    tried: Tried,
}

impl Count {
    fn and(self, other: &Count) -> Count {
        let tried =
            Tried { sent: self.tried.sent + other.tried.sent, succeeded: self.tried.succeeded + other.tried.succeeded };
        Count { open: self.open + other.open, tried }
    }

    fn is_enough(&self, most: u32) -> bool {
        self.open + self.tried.succeeded >= most || self.open + self.tried.sent >= most.saturating_mul(3)
    }
}

/// Account, operation, Region.
type Key = (String, String, String);

/// Counts the reading requests of a sample, by account, operation and Region.
#[derive(Debug)]
pub struct Sampler {
    sample: Option<Sample>,
    counts: Mutex<BTreeMap<Key, Count>>,
}

/// A request that the sample lets through. Dropped without an end, it was not sent.
#[derive(Debug)]
pub struct Trial<'a> {
    sampler: &'a Sampler,
    key: Option<Key>,
}

impl Sampler {
    /// Returns a sampler that lets through what `sample` says, or everything.
    pub fn new(sample: Option<Sample>) -> Self {
        Sampler { sample, counts: Mutex::default() }
    }

    /// Lets `call` through, or refuses it where the sample has enough of its operation.
    pub fn begin(&self, call: &Call) -> Result<Trial<'_>, Stop> {
        let Some(sample) = self.sample.filter(|_| call.role == Role::Reading) else {
            return Ok(Trial { sampler: self, key: None });
        };
        let once = sample.once.contains(&call.operation.as_str());
        let (each, all) = if once { (1, 1) } else { (sample.each, sample.all) };
        let key = (call.account_id.clone(), call.operation.clone(), call.region.clone());
        let mut counts = self.counts();
        let everywhere = counts.iter().filter(|((account, operation, _), _)| (account, operation) == (&key.0, &key.1));
        let everywhere = everywhere.fold(Count::default(), |sum, (_, count)| sum.and(count));
        let here = counts.entry(key.clone()).or_default();
        if here.is_enough(each) || everywhere.is_enough(all) {
            return Err(Stop::Sampled);
        }
        here.open += 1;
        Ok(Trial { sampler: self, key: Some(key) })
    }

    /// Returns what came of each operation, over all accounts.
    pub fn tried(&self) -> BTreeMap<String, Tried> {
        let mut by_operation: BTreeMap<String, Tried> = BTreeMap::new();
        for ((_, operation, _), count) in self.counts().iter() {
            let tried = by_operation.entry(operation.clone()).or_default();
            tried.sent += count.tried.sent;
            tried.succeeded += count.tried.succeeded;
        }
        by_operation
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<Key, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trial<'_> {
    /// Notes how the request ended.
    pub fn ended(mut self, success: bool) {
        let Some(key) = self.key.take() else { return };
        let mut counts = self.sampler.counts();
        let count = counts.entry(key).or_default();
        count.open -= 1;
        count.tried.sent += 1;
        count.tried.succeeded += u32::from(success);
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.sampler.counts().entry(key).or_default().open -= 1;
        }
    }
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

    fn sampler() -> Sampler {
        Sampler::new(Some(Sample { each: 2, all: 3, once: &["ce:GetCostAndUsage"] }))
    }

    #[test]
    fn after_enough_answers_an_operation_is_refused_and_the_others_are_not() {
        let (sampler, tags) = (sampler(), call(Role::Reading, "s3:GetBucketTagging"));
        let (first, second) = (sampler.begin(&tags).unwrap(), sampler.begin(&tags).unwrap());
        assert_eq!(sampler.begin(&tags).unwrap_err(), Stop::Sampled, "two under way use it up");
        first.ended(true);
        second.ended(true);
        assert!(sampler.begin(&tags).is_err());
        assert!(sampler.begin(&call(Role::Reading, "s3:ListBuckets")).is_ok());
        assert_eq!(sampler.tried()["s3:GetBucketTagging"], Tried { sent: 2, succeeded: 2 });
    }

    #[test]
    fn another_region_has_a_sample_of_its_own_until_all_together_are_enough() {
        let sampler = sampler();
        let jobs = |region: &str| Call { region: region.to_owned(), ..call(Role::Reading, "glue:GetJobs") };
        for region in ["us-east-1", "us-east-1", "eu-west-1"] {
            sampler.begin(&jobs(region)).unwrap().ended(true);
        }
        for region in ["us-east-1", "eu-west-1", "ap-south-1"] {
            assert_eq!(sampler.begin(&jobs(region)).unwrap_err(), Stop::Sampled, "{region}");
        }
        assert_eq!(sampler.tried()["glue:GetJobs"], Tried { sent: 3, succeeded: 3 });
    }

    #[test]
    fn a_refusal_does_not_use_the_sample_up_but_does_not_go_on_for_ever() {
        let (sampler, cost) = (sampler(), call(Role::Reading, "ce:GetCostAndUsage"));
        sampler.begin(&cost).unwrap().ended(false);
        drop(sampler.begin(&cost).unwrap());
        sampler.begin(&cost).unwrap().ended(false);
        sampler.begin(&cost).unwrap().ended(false);
        assert!(sampler.begin(&cost).is_err(), "three refusals are enough");
        assert_eq!(sampler.tried()["ce:GetCostAndUsage"], Tried { sent: 3, succeeded: 0 });
    }

    #[test]
    fn a_store_and_a_whole_scan_are_not_sampled() {
        let (some, all) = (sampler(), Sampler::new(None));
        for _ in 0..50 {
            some.begin(&call(Role::Store, "s3:PutObject")).unwrap().ended(true);
            all.begin(&call(Role::Reading, "s3:GetBucketTagging")).unwrap().ended(true);
        }
        assert!(some.tried().is_empty());
    }
}
