//! The circuit breaker: an operation that keeps failing is left alone for a while, then tried once; so is a service of a
//! Region that does not answer at all, whatever it is asked.
//!
//! The first time, whoever asks waits for that try: an outage that passes costs time and no facts. Where the try fails
//! too, everybody else is refused at once. Never sleeps itself, and reads no clock.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::tag::Call;

/// Failures in a row that open the circuit: three times what the SDK's retries of one call make, and one.
pub const OPENS_AFTER: u32 = 10;

/// How long an open circuit stays open.
pub const COOLS_FOR: Duration = Duration::from_secs(10);

/// How soon to ask again while somebody else tries.
const LOOKS_AGAIN: Duration = Duration::from_millis(100);

/// How an attempt ended, as far as the service's health goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// The service answered; refusals and throttling are answers too.
    Answered,
    /// An answer that says that the service is broken.
    Failed,
    /// No answer.
    Lost,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Send it.
    Free,
    /// Send it: it is the one try of an open circuit, and whoever sends it says how it ended or gives it back.
    Try,
    /// Ask again after this.
    Wait(Duration),
    /// Do not send it.
    Closed {
        /// Failures in a row.
        failures: u32,
        /// True when they are those of the whole service.
        whole: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Instant },
    Trying,
}

/// One circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Circuit {
    state: State,
    /// Failures in a row.
    failures: u32,
    /// True once a try failed: nobody waits for the next one.
    hopeless: bool,
}

const WELL: Circuit = Circuit { state: State::Closed, failures: 0, hopeless: false };

/// Account, Region, and operation or service.
type Key = (String, String, String);

/// The circuits of a run: for each account and Region one for each operation, and one for each service.
#[derive(Debug)]
pub struct Breaker {
    circuits: Mutex<BTreeMap<Key, Circuit>>,
    cools_for: Duration,
}

impl Breaker {
    /// Returns a breaker whose circuits stay open for `cools_for`.
    pub fn new(cools_for: Duration) -> Self {
        Breaker { circuits: Mutex::default(), cools_for }
    }

    /// Returns what to do with `call`.
    pub fn check(&self, call: &Call, now: Instant) -> Way {
        let mut circuits = self.circuits.lock().unwrap_or_else(PoisonError::into_inner);
        let mut way = Way::Free;
        for (key, whole) in [(service(call), true), (operation(call), false)] {
            match circuits.entry(key).or_insert(WELL).way(whole, now) {
                Way::Free => {}
                Way::Try => way = Way::Try,
                shut => {
                    // A try that the service's circuit gave is not used.
                    give_back(&mut circuits, &service(call), (way == Way::Try).then_some(now));
                    return shut;
                }
            }
        }
        way
    }

    /// Notes how an attempt ended; `tried` for the try of an open circuit.
    pub fn note(&self, call: &Call, health: Health, tried: bool, now: Instant) {
        let mut circuits = self.circuits.lock().unwrap_or_else(PoisonError::into_inner);
        let until = now + self.cools_for;
        circuits.entry(operation(call)).or_insert(WELL).note(health == Health::Answered, tried, until);
        circuits.entry(service(call)).or_insert(WELL).note(health != Health::Lost, tried, until);
    }

    /// Gives back a try that was not sent after all, or whose end nobody waited for.
    pub fn withdraw(&self, call: &Call, now: Instant) {
        let mut circuits = self.circuits.lock().unwrap_or_else(PoisonError::into_inner);
        for key in [service(call), operation(call)] {
            give_back(&mut circuits, &key, Some(now));
        }
    }
}

impl Circuit {
    /// Returns what to do with a request, which may become the one try.
    fn way(&mut self, whole: bool, now: Instant) -> Way {
        match self.state {
            State::Closed => Way::Free,
            State::Open { until } if until <= now => {
                self.state = State::Trying;
                Way::Try
            }
            State::Open { .. } | State::Trying if self.hopeless => Way::Closed { failures: self.failures, whole },
            State::Open { until } => Way::Wait(until.duration_since(now)),
            State::Trying => Way::Wait(LOOKS_AGAIN),
        }
    }

    fn note(&mut self, well: bool, tried: bool, until: Instant) {
        if well {
            *self = WELL;
            return;
        }
        self.failures = self.failures.saturating_add(1);
        self.hopeless |= tried && self.state == State::Trying;
        if self.failures >= OPENS_AFTER {
            self.state = State::Open { until };
        }
    }
}

fn give_back(circuits: &mut BTreeMap<Key, Circuit>, key: &Key, at: Option<Instant>) {
    let trying = circuits.get_mut(key).filter(|circuit| circuit.state == State::Trying);
    if let Some((circuit, until)) = trying.zip(at) {
        circuit.state = State::Open { until };
    }
}

fn operation(call: &Call) -> Key {
    (call.account_id.clone(), call.region.clone(), call.operation.clone())
}

fn service(call: &Call) -> Key {
    (call.account_id.clone(), call.region.clone(), call.service.to_owned())
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
        let breaker = Breaker::new(COOLS_FOR);
        for _ in 0..OPENS_AFTER {
            assert_eq!(breaker.check(call, now), Way::Free);
            breaker.note(call, Health::Failed, false, now);
        }
        breaker
    }

    #[test]
    fn ten_failures_in_a_row_open_it_for_that_operation_alone_and_who_asks_waits() {
        let now = Instant::now();
        let breaker = opened(&call("s3:ListBuckets"), now);
        assert_eq!(breaker.check(&call("s3:ListBuckets"), now), Way::Wait(COOLS_FOR));
        assert_eq!(breaker.check(&call("s3:GetBucketTagging"), now), Way::Free);
    }

    #[test]
    fn an_answer_in_between_starts_the_count_again() {
        let (breaker, call, now) = (Breaker::new(COOLS_FOR), call("s3:ListBuckets"), Instant::now());
        for _ in 0..100 {
            breaker.note(&call, Health::Failed, false, now);
            breaker.note(&call, Health::Answered, false, now);
        }
        assert_eq!(breaker.check(&call, now), Way::Free);
    }

    #[test]
    fn after_a_pause_one_try_goes_through_and_its_answer_closes_it() {
        let (call, now) = (call("s3:ListBuckets"), Instant::now());
        let breaker = opened(&call, now);
        let later = now + COOLS_FOR;
        assert_eq!(breaker.check(&call, later), Way::Try, "half open: one try");
        assert_eq!(breaker.check(&call, later), Way::Wait(LOOKS_AGAIN), "only one");
        breaker.note(&call, Health::Answered, true, later);
        assert_eq!(breaker.check(&call, later), Way::Free);
        assert_eq!(breaker.check(&call, later), Way::Free);
    }

    #[test]
    fn after_a_try_that_fails_nobody_waits_any_more_and_one_is_let_through_now_and_then() {
        let (call, now) = (call("s3:ListBuckets"), Instant::now());
        let breaker = opened(&call, now);
        let later = now + COOLS_FOR;
        assert_eq!(breaker.check(&call, later), Way::Try);
        breaker.note(&call, Health::Failed, true, later);
        assert_eq!(breaker.check(&call, later), Way::Closed { failures: OPENS_AFTER + 1, whole: false });
        let again = later + COOLS_FOR;
        assert_eq!(breaker.check(&call, again), Way::Try);
        assert_eq!(breaker.check(&call, again), Way::Closed { failures: OPENS_AFTER + 1, whole: false });
        breaker.note(&call, Health::Answered, true, again);
        assert_eq!(opened_again(&breaker, &call, again), Way::Wait(COOLS_FOR), "hope is back");
    }

    fn opened_again(breaker: &Breaker, call: &Call, now: Instant) -> Way {
        for _ in 0..OPENS_AFTER {
            breaker.note(call, Health::Failed, false, now);
        }
        breaker.check(call, now)
    }

    #[test]
    fn a_failure_that_was_under_way_before_takes_no_hope() {
        let (call, now) = (call("s3:ListBuckets"), Instant::now());
        let breaker = opened(&call, now);
        let later = now + COOLS_FOR;
        assert_eq!(breaker.check(&call, later), Way::Try);
        breaker.note(&call, Health::Failed, false, later);
        assert_eq!(breaker.check(&call, later), Way::Wait(COOLS_FOR));
    }

    #[test]
    fn a_try_that_was_never_sent_does_not_block_the_next() {
        let (call, now) = (call("s3:ListBuckets"), Instant::now());
        let breaker = opened(&call, now);
        let later = now + COOLS_FOR;
        assert_eq!(breaker.check(&call, later), Way::Try);
        breaker.withdraw(&call, later);
        assert_eq!(breaker.check(&call, later), Way::Try);
    }

    #[test]
    fn a_service_that_answers_nothing_is_left_alone_whatever_it_is_asked_and_other_regions_are_not() {
        let (breaker, now) = (Breaker::new(COOLS_FOR), Instant::now());
        for n in 0..OPENS_AFTER {
            let one = call(&format!("s3:Operation{n}"));
            assert_eq!(breaker.check(&one, now), Way::Free);
            breaker.note(&one, Health::Lost, false, now);
        }
        let (another, far) =
            (call("s3:ListBuckets"), Call { region: "eu-west-1".to_owned(), ..call("s3:ListBuckets") });
        assert_eq!((breaker.check(&another, now), breaker.check(&far, now)), (Way::Wait(COOLS_FOR), Way::Free));
        let later = now + COOLS_FOR;
        assert_eq!(breaker.check(&another, later), Way::Try);
        breaker.note(&another, Health::Lost, true, later);
        assert_eq!(breaker.check(&another, later), Way::Closed { failures: OPENS_AFTER + 1, whole: true });
        let again = later + COOLS_FOR;
        assert_eq!(breaker.check(&another, again), Way::Try);
        breaker.note(&another, Health::Failed, true, again);
        assert_eq!(breaker.check(&call("s3:Operation1"), again), Way::Free, "an answer that it is broken is an answer");
    }

    #[test]
    fn a_try_that_the_operation_does_not_want_is_left_for_another() {
        let (one, now) = (call("s3:ListBuckets"), Instant::now());
        let breaker = Breaker::new(COOLS_FOR);
        for _ in 0..OPENS_AFTER {
            breaker.note(&one, Health::Lost, false, now);
        }
        let later = now + COOLS_FOR;
        breaker.note(&one, Health::Failed, false, now + COOLS_FOR / 2);
        for _ in 0..OPENS_AFTER {
            breaker.note(&call("s3:Other"), Health::Lost, false, now);
        }
        assert!(matches!(breaker.check(&one, later), Way::Wait(_)), "its own circuit is open for longer");
        assert_eq!(breaker.check(&call("s3:Third"), later), Way::Try);
    }
}
