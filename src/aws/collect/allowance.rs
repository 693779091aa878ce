//! What one scan may still use: counted budgets, shared by all Regions, and the time of each collector.
//!
//! A budget that is spent is coverage, never an error. Clones share what is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::failure::{Failed, Trouble};
use super::scope::Options;

/// So many of one thing, for the whole scan.
#[derive(Clone, Debug)]
pub struct Budget {
    what: &'static str,
    total: u32,
    left: Arc<AtomicU32>,
}

impl Budget {
    /// Returns a budget of `total` of `what` (`queries`).
    pub fn of(total: u32, what: &'static str) -> Self {
        Budget { what, total, left: Arc::new(AtomicU32::new(total)) }
    }

    /// Takes up to `most` out of the budget.
    ///
    /// # Errors
    /// It is spent; the failure says which budget it was.
    pub fn take(&self, most: u32) -> Result<u32, Failed> {
        let less = |left: u32| (left > 0).then(|| left.saturating_sub(most));
        let before = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        before.map(|left| left.min(most)).map_err(|_| self.spent())
    }

    /// Gives back what of `taken` was not used.
    pub fn give_back(&self, taken: u32, used: usize) {
        let unused = taken.saturating_sub(u32::try_from(used).unwrap_or(taken));
        self.left.fetch_add(unused, Ordering::Relaxed);
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

    #[test]
    fn a_budget_is_one_for_all_regions_and_says_which_it_was_when_it_is_spent() {
        let here = Budget::of(5, "queries");
        let there = here.clone();
        assert_eq!((here.take(3).unwrap(), there.take(3).unwrap()), (3, 2));
        let spent = here.take(1).unwrap_err();
        assert_eq!(spent.trouble, Trouble::OverBudget);
        assert!(spent.reason.contains("5 queries"), "{}", spent.reason);
    }

    #[test]
    fn what_was_taken_and_not_used_can_be_taken_again() {
        let budget = Budget::of(50, "queries");
        let taken = budget.take(50).unwrap();
        budget.give_back(taken, 20);
        assert_eq!(budget.take(50).unwrap(), 30);
    }
}
