//! What one scan may still use: counted budgets, shared by all Regions, and the time of each collector.
//!
//! A budget that is spent is coverage, never an error. Clones share what is left.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::failure::{Failed, Trouble};
use super::scope::Options;

/// So many of one thing, for the whole scan.
#[derive(Clone, Debug)]
pub struct Budget {
    what: &'static str,
    total: u32,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    counts: Mutex<Counts>,
    given_back: Notify,
}

#[derive(Debug)]
struct Counts {
    /// Neither used nor taken.
    left: u32,
    /// Taken by requests whose answers have not come yet.
    taken: u32,
}

/// What was taken out of a budget for one request. What is not said to be used goes back when this is dropped.
#[derive(Debug)]
pub struct Taken {
    budget: Budget,
    count: u32,
    used: u32,
}

impl Taken {
    /// Returns how many may be asked for.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Gives back all but `used`.
    pub fn used(mut self, used: usize) {
        self.used = u32::try_from(used).unwrap_or(self.count).min(self.count);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut counts = self.budget.counts();
        counts.taken -= self.count;
        counts.left += self.count - self.used;
        drop(counts);
        self.budget.shared.given_back.notify_waiters();
    }
}

impl Budget {
    /// Returns a budget of `total` of `what` (`queries`).
    pub fn of(total: u32, what: &'static str) -> Self {
        let counts = Mutex::new(Counts { left: total, taken: 0 });
        Budget { what, total, shared: Arc::new(Shared { counts, given_back: Notify::new() }) }
    }

    /// Takes up to `most` out of the budget. While others hold all that is left of it, waits for what they give back.
    ///
    /// # Errors
    /// It is spent; the failure says which budget it was.
    pub async fn take(&self, most: u32) -> Result<Taken, Failed> {
        loop {
            let given_back = self.shared.given_back.notified();
            tokio::pin!(given_back);
            // From here on nothing that is given back is missed.
            given_back.as_mut().enable();
            if let Some(taken) = self.try_take(most) {
                return taken;
            }
            given_back.await;
        }
    }

    /// Gives back what was said to be used and was not.
    pub fn give_back(&self, unused: usize) {
        self.counts().left += u32::try_from(unused).unwrap_or_default();
        self.shared.given_back.notify_waiters();
    }

    fn try_take(&self, most: u32) -> Option<Result<Taken, Failed>> {
        let mut counts = self.counts();
        let count = counts.left.min(most);
        if count == 0 {
            return (counts.taken == 0).then(|| Err(self.spent()));
        }
        counts.left -= count;
        counts.taken += count;
        Some(Ok(Taken { budget: self.clone(), count, used: 0 }))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spent(&self) -> Failed {
        let reason = format!("the budget of {} {} was spent", self.total, self.what);
        Failed { trouble: Trouble::OverBudget, code: None, reason }
    }
}

/// What is left for a scan, or for one collector of it.
#[derive(Clone, Debug)]
pub struct Allowance {
    /// Query ids to look up.
    pub queries: Budget,
    /// `s3:ListParts` requests.
    pub list_parts: Budget,
    /// Incomplete uploads to list.
    pub uploads: Budget,
    time: Option<(Instant, Duration)>,
}

impl Allowance {
    /// Returns what a scan with `options` begins with.
    pub fn of(options: &Options) -> Self {
        Allowance {
            queries: Budget::of(options.queries, "queries"),
            list_parts: Budget::of(options.list_parts, "`s3:ListParts` requests"),
            uploads: Budget::of(options.uploads, "incomplete uploads"),
            time: None,
        }
    }

    /// Returns the same for one collector, whose time begins now.
    #[must_use]
    pub fn for_one(&self, time: Duration) -> Self {
        Allowance { time: Some((Instant::now() + time, time)), ..self.clone() }
    }

    /// Returns why no further call is made when the collector's time is up.
    pub fn late(&self) -> Option<Failed> {
        self.time.filter(|(until, _)| *until <= Instant::now()).map(|(_, time)| too_late(time))
    }

    /// Ends when the collector's time is up.
    pub async fn ends(&self) -> Failed {
        match self.time {
            Some((until, time)) => {
                tokio::time::sleep_until(until).await;
                too_late(time)
            }
            None => std::future::pending().await,
        }
    }
}

fn too_late(time: Duration) -> Failed {
    let reason = format!("the time to read this, {} s, was up (`--collector-time`)", time.as_secs());
    Failed { trouble: Trouble::OverTime, code: None, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_budget_is_one_for_all_regions_and_says_which_it_was_when_it_is_spent() {
        let here = Budget::of(5, "queries");
        let there = here.clone();
        let (one, two) = (here.take(3).await.unwrap(), there.take(3).await.unwrap());
        assert_eq!((one.count(), two.count()), (3, 2));
        one.used(3);
        two.used(2);
        let spent = here.take(1).await.unwrap_err();
        assert_eq!(spent.trouble, Trouble::OverBudget);
        assert!(spent.reason.contains("5 queries"), "{}", spent.reason);
    }

    #[tokio::test]
    async fn what_was_taken_and_not_used_can_be_taken_again() {
        let budget = Budget::of(50, "queries");
        budget.take(50).await.unwrap().used(20);
        assert_eq!(budget.take(50).await.unwrap().count(), 30);
    }

    #[tokio::test]
    async fn what_others_hold_is_not_spent_until_they_used_it() {
        let budget = Budget::of(1_000, "incomplete uploads");
        // Two hundred lists at once, each of which asks for a page of a thousand and finds three.
        let lists = (0..200).map(async |_| {
            let taken = budget.take(1_000).await?;
            tokio::task::yield_now().await;
            taken.used(3);
            Ok::<_, Failed>(())
        });
        let done = futures::future::join_all(lists).await;
        assert!(done.iter().all(Result::is_ok), "{:?}", done.iter().find(|list| list.is_err()));
        budget.take(400).await.unwrap().used(400);
        assert!(budget.take(1).await.is_err(), "and not one more than there are");
    }

    #[tokio::test]
    async fn a_request_that_was_given_up_holds_nothing() {
        let budget = Budget::of(10, "queries");
        drop(budget.take(10).await.unwrap());
        let held = budget.take(10).await.unwrap();
        let waiting = budget.take(4);
        let (waited, ()) = tokio::join!(waiting, async { drop(held) });
        assert_eq!(waited.unwrap().count(), 4);
    }
}
