//! The circuit breaker: an operation that keeps failing is left alone for a while, then tried once.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::tag::Call;

/// Failures in a row that open the circuit: three times what the SDK's retries of one call make, and one.
pub const OPENS_AFTER: u32 = 10;

/// How long an open circuit stays open.
pub const COOLS_FOR: Duration = Duration::from_secs(20);

/// How an attempt ended, as far as the service's health goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// The service answered; refusals and throttling are answers too.
    Answered,
    /// No answer, or an answer that says that the service is broken.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { failures: u32, until: Instant },
    Trying { failures: u32 },
}

type Key = (String, String, String);

/// The circuits of a run, one for each account, Region and operation.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<BTreeMap<Key, State>>);

impl Breaker {
    /// Returns the failures in a row when the circuit of `call` is open.
    pub fn check(&self, call: &Call, now: Instant) -> Result<(), u32> {
        let mut circuits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = circuits.entry(key(call)).or_insert(State::Closed { failures: 0 });
        match *state {
            State::Closed { .. } => Ok(()),
            State::Open { failures, until } if until <= now => {
                *state = State::Trying { failures };
                Ok(())
            }
            State::Open { failures, .. } | State::Trying { failures } => Err(failures),
        }
    }

    /// Notes how an attempt ended.
    pub fn note(&self, call: &Call, health: Health, now: Instant) {
        let mut circuits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = circuits.entry(key(call)).or_insert(State::Closed { failures: 0 });
        *state = match (*state, health) {
            (_, Health::Answered) => State::Closed { failures: 0 },
            (State::Closed { failures }, Health::Failed) if failures + 1 < OPENS_AFTER => {
                State::Closed { failures: failures + 1 }
            }
            (
                State::Closed { failures } | State::Trying { failures } | State::Open { failures, .. },
                Health::Failed,
            ) => State::Open { failures: failures.saturating_add(1), until: now + COOLS_FOR },
        };
    }

    /// Gives back a try that was not sent after all.
    pub fn withdraw(&self, call: &Call, now: Instant) {
        let mut circuits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = circuits.get_mut(&key(call))
            && let State::Trying { failures } = *state
        {
            *state = State::Open { failures, until: now };
        }
    }
}

fn key(call: &Call) -> Key {
    (call.account_id.clone(), call.region.clone(), call.operation.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::connector::Role;

    fn call(operation: &str) -> Call {
        Call {
            role: Role::Reading,
            service: "s3",
            operation: operation.to_owned(),
            account_id: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            units: 1,
        }
    }

    fn opened(call: &Call, now: Instant) -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..OPENS_AFTER {
            assert_eq!(breaker.check(call, now), Ok(()));
            breaker.note(call, Health::Failed, now);
        }
        breaker
    }

    #[test]
    fn ten_failures_in_a_row_open_it_for_that_operation_alone() {
        let now = Instant::now();
        let breaker = opened(&call("s3:ListBuckets"), now);
        assert_eq!(breaker.check(&call("s3:ListBuckets"), now), Err(OPENS_AFTER));
        assert_eq!(breaker.check(&call("s3:GetBucketTagging"), now), Ok(()));
    }

    #[test]
    fn an_answer_in_between_starts_the_count_again() {
        let (breaker, call, now) = (Breaker::default(), call("s3:ListBuckets"), Instant::now());
        for _ in 0..100 {
            breaker.note(&call, Health::Failed, now);
            breaker.note(&call, Health::Answered, now);
        }
        assert_eq!(breaker.check(&call, now), Ok(()));
    }

    #[test]
    fn after_a_pause_one_try_goes_through_and_its_answer_closes_it() {
        let (call, now) = (call("s3:ListBuckets"), Instant::now());
        let breaker = opened(&call, now);
        assert!(breaker.check(&call, now + COOLS_FOR / 2).is_err());
        let later = now + COOLS_FOR;
        assert_eq!(breaker.check(&call, later), Ok(()), "half open: one try");
        assert!(breaker.check(&call, later).is_err(), "only one");
        breaker.note(&call, Health::Answered, later);
        assert_eq!(breaker.check(&call, later), Ok(()));
        assert_eq!(breaker.check(&call, later), Ok(()));
    }

    #[test]
    fn a_try_that_fails_opens_it_again() {
        let (call, now) = (call("s3:ListBuckets"), Instant::now());
        let breaker = opened(&call, now);
        let later = now + COOLS_FOR;
        assert_eq!(breaker.check(&call, later), Ok(()));
        breaker.note(&call, Health::Failed, later);
        assert!(breaker.check(&call, later).is_err());
    }

    #[test]
    fn a_try_that_was_never_sent_does_not_block_the_next() {
        let (call, now) = (call("s3:ListBuckets"), Instant::now());
        let breaker = opened(&call, now);
        let later = now + COOLS_FOR;
        assert_eq!(breaker.check(&call, later), Ok(()));
        breaker.withdraw(&call, later);
        assert_eq!(breaker.check(&call, later), Ok(()));
    }
}
