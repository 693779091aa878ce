//! The first twelve months of a finding: saving as it ramps up, running cost, one-off cost, and when it has paid back.
//!
//! A month is 30 days here, so a stage that ends on day 30 ends with the first month.

use rust_decimal::Decimal;

use crate::model::{Cost, Money, Range};

/// Months that the curve covers.
pub(super) const MONTHS: u32 = 12;
/// Days of one of its months.
const MONTH_DAYS: u32 = 30;

/// What a change brings and costs.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// USD per month until a day, in the order of days.
    pub ramp: Vec<(u32, Range)>,
    /// USD per month after the last stage.
    pub saving: Range,
    /// USD per month on top, from the first day.
    pub running: Cost,
    /// USD once, on the first day.
    pub one_off: Cost,
}

impl Flow {
    /// Returns USD in each month, costs taken off.
    pub fn curve(&self) -> Vec<Range> {
        (0..MONTHS)
            .map(|month| {
                let net = self.saved(month * MONTH_DAYS, (month + 1) * MONTH_DAYS).minus_cost(self.running);
                if month == 0 { net.minus_cost(self.one_off) } else { net }
            })
            .collect()
    }

    /// Returns what is saved from one day to another.
    fn saved(&self, from: u32, to: u32) -> Range {
        let mut saved = Range::ZERO;
        let mut start = 0;
        for (end, monthly) in self.ramp.iter().map(|(day, range)| (*day, *range)).chain([(u32::MAX, self.saving)]) {
            let days = end.min(to).saturating_sub(start.max(from));
            if days > 0 {
                saved = saved + monthly.map(|usd| share(usd, days));
            }
            start = end;
        }
        saved
    }

    /// Returns the day on which the low end has paid back what it cost; `None` when that is not within the curve.
    pub fn payback_days(&self) -> Option<u32> {
        let running = self.running.most();
        let mut balance = -self.one_off.most();
        // The last day before which the balance was negative: a later ramp may eat what was paid back.
        let mut paid = (balance >= Money::ZERO).then_some(0);
        for day in 1..=MONTHS * MONTH_DAYS {
            balance = balance + self.saved(day - 1, day).low - share(running, 1);
            match (balance >= Money::ZERO, paid) {
                (true, None) => paid = Some(day),
                (false, _) => paid = None,
                (true, Some(_)) => {}
            }
        }
        paid
    }
}

fn share(monthly: Money, days: u32) -> Money {
    Money::new(monthly.usd() * Decimal::from(days) / Decimal::from(MONTH_DAYS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Range {
        Range::exact(Money::new(text.parse().unwrap()))
    }

    fn cost(text: &str) -> Cost {
        Cost::of(usd(text)).unwrap()
    }

    #[test]
    fn nothing_is_saved_before_the_first_tier_and_the_one_off_comes_first() {
        let flow = Flow {
            ramp: vec![(30, usd("0")), (90, usd("10"))],
            saving: usd("18"),
            running: cost("1"),
            one_off: cost("20"),
        };
        let months: Vec<String> = flow.curve().iter().map(|month| month.low.to_string()).collect();
        assert_eq!(months[..5], ["-21.00", "9.00", "9.00", "17.00", "17.00"]);
        // −20 −30 days of 1/30; then 9 a month: −21 + 9 + 9 = −3; then 17 a month: paid back after 3/17 of month 4.
        assert_eq!(flow.payback_days(), Some(96));
    }

    #[test]
    fn what_costs_nothing_has_paid_back_at_once_and_what_only_costs_never_does() {
        let free = Flow { ramp: vec![], saving: usd("1"), running: cost("0"), one_off: cost("0") };
        assert_eq!(free.payback_days(), Some(0));
        let dear = Flow { ramp: vec![], saving: usd("1"), running: cost("2"), one_off: cost("0") };
        assert_eq!(dear.payback_days(), None);
    }
}
