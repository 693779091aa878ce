//! The meter: every attempt counted and priced, and the budget that is reserved before a request is sent.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rust_decimal::Decimal;

use super::stop::Stop;
use super::tag::{Call, Role};
use super::tariff::{Basis, Tariff};
use crate::model::Money;

/// What one operation has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Their price.
    pub usd: Money,
}

/// What a run has cost so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// By service and operation.
    pub by_operation: BTreeMap<String, Used>,
}

impl Spent {
    /// Returns all requests.
    pub fn requests(&self) -> u64 {
        self.by_operation.values().map(|used| used.requests).sum()
    }

    /// Returns all dollars.
    pub fn usd(&self) -> Money {
        self.by_operation.values().map(|used| used.usd).sum()
    }

    /// Returns requests by service and operation.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.by_operation.iter().map(|(operation, used)| (operation.clone(), used.requests)).collect()
    }
}

#[derive(Debug, Default)]
struct Book {
    spent: Spent,
    reserved: Money,
    refused: bool,
}

/// Counts and prices requests, and stops a run before it gets dearer than allowed.
#[derive(Debug)]
pub struct Meter {
    tariff: Tariff,
    limit: Option<Money>,
    book: Mutex<Book>,
}

/// The price of a request that is under way. Dropped without an answer, it counts as charged.
#[derive(Debug)]
pub struct Reserved<'a> {
    meter: &'a Meter,
    price: Money,
    basis: Basis,
    operation: String,
    open: bool,
}

impl Meter {
    /// Returns a meter without a limit, or with one in dollars.
    pub fn new(tariff: Tariff, limit: Option<Money>) -> Self {
        Meter { tariff, limit, book: Mutex::default() }
    }

    /// Reserves the price of `call`, or refuses it. A store's requests are counted but never refused: what was paid for
    /// must be kept.
    pub fn reserve(&self, call: &Call) -> Result<Reserved<'_>, Stop> {
        let priced = self.tariff.price(&call.operation, &call.region);
        let price = priced.map_or(Money::ZERO, |price| price.usd * Decimal::from(call.units));
        let mut book = self.book();
        let so_far = book.spent.usd() + book.reserved;
        if let Some(limit) = self.limit
            && call.role != Role::Store
            && price.is_positive()
            && so_far + price > limit
        {
            book.refused = true;
            return Err(Stop::over_budget(&call.operation, price, so_far, limit));
        }
        book.reserved += price;
        let basis = priced.map_or(Basis::Attempt, |price| price.basis);
        Ok(Reserved { meter: self, price, basis, operation: call.operation.clone(), open: true })
    }

    /// Returns the list price of one unit of an operation; zero for those that are free.
    pub fn price(&self, operation: &str, region: &str) -> Money {
        self.tariff.price(operation, region).map_or(Money::ZERO, |price| price.usd)
    }

    /// Returns what the run has cost so far.
    pub fn spent(&self) -> Spent {
        self.book().spent.clone()
    }

    /// Returns true when the limit refused a request.
    pub fn refused(&self) -> bool {
        self.book().refused
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, reserved: &Reserved<'_>, sent: bool, charged: bool) {
        let mut book = self.book();
        book.reserved = book.reserved - reserved.price;
        let used = book.spent.by_operation.entry(reserved.operation.clone()).or_default();
        used.requests += u64::from(sent);
        if charged {
            used.usd += reserved.price;
        }
        book.spent.by_operation.retain(|_, used| *used != Used::default());
    }
}

impl Reserved<'_> {
    /// Counts the request, and charges it when this answer is charged.
    pub fn answered(mut self, success: bool) {
        self.open = false;
        self.meter.settle(&self, true, success || self.basis == Basis::Attempt);
    }

    /// Gives the price back: the request was not sent.
    pub fn not_sent(mut self) {
        self.open = false;
        self.meter.settle(&self, false, false);
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if self.open {
            self.meter.settle(self, true, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Money {
        Money::new(text.parse().unwrap())
    }

    fn meter(limit: &str) -> Meter {
        let tariff = Tariff::list(&crate::prices::PriceBook::embedded().unwrap());
        Meter::new(tariff.unwrap(), Some(usd(limit)))
    }

    fn call(role: Role, operation: &str, units: u32) -> Call {
        Call {
            role,
            service: "ce",
            operation: operation.to_owned(),
            account_id: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            units,
        }
    }

    fn page() -> Call {
        call(Role::Reading, "ce:GetCostAndUsage", 1)
    }

    #[test]
    fn cost_explorer_is_charged_for_answers_and_not_for_refusals() {
        let meter = meter("1");
        meter.reserve(&page()).unwrap().answered(true);
        meter.reserve(&page()).unwrap().answered(false);
        assert_eq!((meter.spent().requests(), meter.spent().usd()), (2, usd("0.01")));
    }

    #[test]
    fn metrics_are_charged_one_by_one() {
        let meter = meter("1");
        meter.reserve(&call(Role::Reading, "cloudwatch:GetMetricData", 500)).unwrap().answered(true);
        assert_eq!(meter.spent().usd(), usd("0.005"));
    }

    #[test]
    fn a_run_stops_before_it_is_too_dear_and_not_after() {
        let meter = meter("0.02");
        let (first, second) = (meter.reserve(&page()).unwrap(), meter.reserve(&page()).unwrap());
        assert!(!meter.refused());
        assert!(matches!(meter.reserve(&page()), Err(Stop::OverBudget { .. })), "two under way use it up");
        assert!(meter.refused());
        first.answered(false);
        meter.reserve(&page()).unwrap().answered(true);
        second.answered(true);
        assert!(meter.reserve(&page()).is_err());
        assert_eq!(meter.spent().usd(), usd("0.02"));
    }

    #[test]
    fn free_calls_and_the_store_go_on_when_the_budget_is_spent() {
        let meter = meter("0.00");
        assert!(meter.reserve(&call(Role::Reading, "athena:ListWorkGroups", 1)).is_ok());
        assert!(meter.reserve(&call(Role::Store, "s3:PutObject", 1)).is_ok());
        assert!(meter.reserve(&call(Role::Reading, "s3:ListBuckets", 1)).is_err());
    }

    #[test]
    fn a_request_that_is_dropped_under_way_counts_as_charged() {
        let meter = meter("1");
        drop(meter.reserve(&page()).unwrap());
        meter.reserve(&page()).unwrap().not_sent();
        assert_eq!((meter.spent().requests(), meter.spent().usd()), (1, usd("0.01")));
    }
}
