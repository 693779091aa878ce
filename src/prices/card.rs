//! Rates: the best unit price there is for one payer, from what the bill says was paid and the price book.
//!
//! Never an average where a tier is meant, never a number from a price that nobody verified.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::book::{Mark, Price, PriceBook};
use crate::model::{Metric, Money};

/// What the bill says about one usage type in the last full month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BilledUsage {
    /// As billed, with its Region code.
    pub usage_type: String,
    /// From the code; `None` where it is unknown.
    pub region: Option<String>,
    /// Quantity in the bill's unit (GB-month, requests).
    pub quantity: Decimal,
    /// What was paid for it, as `metric` tells it.
    pub net: Money,
    /// Which cost `net` is: of one month the same for all usage.
    pub metric: Metric,
    /// First day of the month.
    pub month: NaiveDate,
}

/// Which tier of a list price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// The tier in which the last unit of this monthly quantity falls: what goes away first when usage falls.
    Marginal(Decimal),
    /// The tier in which the unit after this monthly quantity falls: what goes away last when usage falls to it.
    After(Decimal),
    /// The average over the last units of a monthly quantity, whatever tiers they cross.
    Last {
        /// How many units.
        units: Decimal,
        /// The quantity that they are the last units of; not below `units`.
        of: Decimal,
    },
    /// The tier of the first unit: the dearest.
    First,
    /// The tier of the last unit of a very large quantity: the cheapest.
    Cheapest,
}

/// Which end of a range a rate is wanted for; decides only where the payer's volume is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// What can be defended.
    Low,
    /// The likeliest.
    Expected,
    /// The most it can be.
    High,
}

/// Where a rate's number comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RateSource {
    /// The list price as it stands.
    List,
    /// The list price of the tier × what the payer paid for this usage type ÷ its list cost.
    Net {
        /// Paid ÷ list cost of the same quantity.
        paid_share: Decimal,
        /// First day of the month that was billed.
        month: NaiveDate,
        /// Which cost the bill gave.
        metric: Metric,
    },
    /// Paid ÷ quantity, for an item with one tier whose list price is not known.
    Average {
        /// First day of the month that was billed.
        month: NaiveDate,
        /// Which cost the bill gave.
        metric: Metric,
    },
}

/// A unit price with everything that a reader needs to check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Item of the price book.
    pub item: String,
    /// Region.
    pub region: String,
    /// Dollars for one unit.
    pub value: Decimal,
    /// What one unit is.
    pub unit: String,
    /// Quantity a month at which its tier begins; of several tiers, the cheapest.
    pub tier: Decimal,
    /// Where the dearest of several tiers begins, when the rate is an average over them.
    pub across: Option<Decimal>,
    /// Where the number comes from.
    pub source: RateSource,
    /// Day of the list price's reading, or the month of the bill.
    pub date: NaiveDate,
    /// How well the list price is known.
    pub mark: Mark,
}

impl Rate {
    /// Returns one line: item, value, unit, tier, source and date.
    pub fn describe(&self) -> String {
        let mut line = format!(
            "{} in {}: ${} per {}",
            self.item,
            self.region,
            self.value.round_sf(8).unwrap_or(self.value).normalize(),
            self.unit
        );
        let grouped = |quantity: Decimal| crate::model::money::grouped(&quantity.to_string());
        let _ = match self.across {
            Some(from) => {
                write!(
                    line,
                    " on average over the tiers from {} to beyond {} {}",
                    grouped(from),
                    grouped(self.tier),
                    self.unit
                )
            }
            None if self.tier.is_zero() => Ok(()),
            None => write!(line, " beyond {} {}", grouped(self.tier), self.unit),
        };
        let list = format!("list price of {} ({})", self.date, self.mark.as_str());
        let _ = match &self.source {
            RateSource::List => write!(line, ", {list}"),
            RateSource::Net { paid_share, month, metric } => {
                let percent = (Decimal::ONE - paid_share) * Decimal::ONE_HUNDRED;
                write!(
                    line,
                    ", {list} less {}% as billed in {}{}",
                    percent.round_dp(2).normalize(),
                    month.format("%Y-%m"),
                    gross(*metric)
                )
            }
            RateSource::Average { month, metric } => {
                write!(line, ", paid ÷ quantity on the bill of {}{}", month.format("%Y-%m"), gross(*metric))
            }
        };
        line
    }
}

/// Returns what a rate from gross cost must say of itself; nothing for net cost.
fn gross(metric: Metric) -> String {
    if metric.is_net() { String::new() } else { format!(" ({})", metric.described()) }
}

/// Why there is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRate {
    /// The item is not in the price book.
    #[error("the price book has no item `{0}`")]
    NoItem(String),
    /// The item is known, its price there is not.
    #[error("no price of `{item}` in `{region}` is known")]
    NoRegion {
        /// Item.
        item: String,
        /// Region.
        region: String,
    },
    /// There is a number, but nobody verified it.
    #[error("the price of `{item}` in `{region}` is not verified")]
    Unverified {
        /// Item.
        item: String,
        /// Region.
        region: String,
    },
}

#[derive(Clone, Copy, Debug)]
struct Paid {
    quantity: Decimal,
    net: Money,
    metric: Metric,
    month: NaiveDate,
}

/// Whose usage the bill shows: tiers are filled by all accounts of a payer together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payer {
    /// The bill is the payer's: it holds all of its accounts.
    Known,
    /// It may be a member account's: others may fill the tiers too.
    Unknown,
}

/// The rates of one payer: the price book, and what its last full month says was paid.
#[derive(Clone, Debug)]
pub struct RateCard {
    book: PriceBook,
    paid: BTreeMap<(String, String), Paid>,
    payer: Payer,
}

/// A share of list at which nobody else can have filled cheaper tiers: but for rounding, all of it was paid.
const WHOLE_SHARE: Decimal = Decimal::from_parts(9995, 0, 0, false, 4);

impl RateCard {
    /// Returns the card for a bill whose last full month was `billed`. Usage that is not in the book, that several
    /// items share, or that was not paid for as usage (a quantity or cost below 0) says nothing about a rate.
    pub fn new(book: PriceBook, billed: Vec<BilledUsage>, payer: Payer) -> Self {
        let mut paid: BTreeMap<(String, String), Paid> = BTreeMap::new();
        for usage in billed {
            let Some((item, place)) = book.item_of(&usage.usage_type) else { continue };
            if usage.quantity <= Decimal::ZERO || usage.net < Money::ZERO {
                continue;
            }
            let empty = Paid { quantity: Decimal::ZERO, net: Money::ZERO, metric: usage.metric, month: usage.month };
            let sum = paid.entry((item.to_owned(), place.to_owned())).or_insert(empty);
            sum.quantity += usage.quantity;
            sum.net += usage.net;
            sum.month = sum.month.max(usage.month);
        }
        RateCard { book, paid, payer }
    }

    /// Returns the price book behind the card.
    pub fn book(&self) -> &PriceBook {
        &self.book
    }

    /// Returns the billed quantity of `item` in `region` in the last full month, in the item's unit; all of the
    /// payer's, or a part of it where the payer is not known.
    pub fn volume(&self, item: &str, region: &str) -> Option<Decimal> {
        self.paid(item, region).map(|paid| paid.quantity)
    }

    fn paid(&self, item: &str, region: &str) -> Option<Paid> {
        self.paid.get(&(item.to_owned(), region.to_owned())).copied()
    }

    /// Returns the rate at which `quantity` a month of `item` would be saved, for one end of a range. The payer's last
    /// units go away first: the low end is their tier, the likeliest rate the average over the tiers that `quantity`
    /// crosses, the high end the dearest of them. Where the payer's volume is not known: the cheapest tier for the
    /// low end, the first for the high end, and between them as though what is known were all.
    ///
    /// # Errors
    /// As [`RateCard::rate`].
    pub fn rate_for(&self, item: &str, region: &str, quantity: Option<Decimal>, end: End) -> Result<Rate, NoRate> {
        let least = quantity.unwrap_or_default();
        let volume = self.volume(item, region);
        let known = volume.filter(|_| self.is_whole(item, region)).map(|volume| volume.max(least));
        let crossed = |of: Decimal| Tier::Last { units: least, of };
        let tier = match (known, end) {
            (Some(volume), End::Low) => Tier::Marginal(volume),
            (Some(volume), End::Expected) => crossed(volume),
            (Some(volume), End::High) if least.is_zero() => Tier::Marginal(volume),
            (Some(volume), End::High) => Tier::After(volume - least),
            (None, End::Low) => Tier::Cheapest,
            (None, End::High) => Tier::First,
            (None, End::Expected) => volume.or(quantity).map_or(Tier::First, |seen| crossed(seen.max(least))),
        };
        if known.is_none() && end != End::Expected {
            return self.rate_of_a_part(item, region, tier);
        }
        self.rate(item, region, tier)
    }

    /// Returns true when the billed quantity fills the tiers alone: the payer's own, or paid for as though it were.
    fn is_whole(&self, item: &str, region: &str) -> bool {
        let Some(paid) = self.paid(item, region) else { return false };
        let tiers = self.book.tiers(item, region);
        self.payer == Payer::Known
            || tiers.len() <= 1
            || paid_share(tiers, paid).is_some_and(|share| share >= WHOLE_SHARE)
    }

    /// The rate at `tier` for a part of the payer's usage: what it was paid below list can be a discount or cheaper
    /// tiers that others filled. As a discount on the first tier the cheapest tier errs low and the first errs high.
    fn rate_of_a_part(&self, item: &str, region: &str, tier: Tier) -> Result<Rate, NoRate> {
        let rate = self.rate(item, region, tier)?;
        let tiers = self.book.tiers(item, region);
        let average = self.paid(item, region).and_then(|paid| Some((paid.net.usd().checked_div(paid.quantity)?, paid)));
        let (Some((average, paid)), Some((value, _, _)), Some(first)) =
            (average, value_at(tiers, tier), tiers.first().filter(|first| !first.per_unit().is_zero()))
        else {
            return Ok(rate);
        };
        let paid_share = (average / first.per_unit()).round_dp(12);
        let source = RateSource::Net { paid_share, month: paid.month, metric: paid.metric };
        Ok(Rate { value: value * paid_share, source, ..rate })
    }

    /// Returns the rate of `item` in `region` at `tier`: list price × what the bill says was paid of list, else list
    /// price, else, for an item without tiers, what was paid ÷ its quantity.
    ///
    /// # Errors
    /// The item or its price there is not known, or not verified.
    pub fn rate(&self, item: &str, region: &str, tier: Tier) -> Result<Rate, NoRate> {
        let any = self.book.any(item).ok_or_else(|| NoRate::NoItem(item.to_owned()))?;
        let tiers = self.book.tiers(item, region);
        let paid = self.paid(item, region);
        let (item, region) = (item.to_owned(), region.to_owned());
        let Some((list, price, across)) = value_at(tiers, tier) else {
            let untiered = self.book.tiers(&any.item, &any.region).len() == 1;
            return average(any, &region, paid.filter(|_| untiered)).ok_or(NoRate::NoRegion { item, region });
        };
        if tiers.iter().any(|price| price.mark == Mark::Unverified) {
            return average(price, &region, paid.filter(|_| tiers.len() == 1))
                .ok_or(NoRate::Unverified { item, region });
        }
        let share = paid.and_then(|paid| Some((paid_share(tiers, paid)?, paid)));
        let (value, source) = match share {
            Some((paid_share, Paid { month, metric, .. })) => {
                (list * paid_share, RateSource::Net { paid_share, month, metric })
            }
            None => (list, RateSource::List),
        };
        let (unit, tier) = (price.unit.clone(), price.from);
        Ok(Rate { item, region, value, unit, tier, across, source, date: price.date, mark: price.mark })
    }

    /// Returns what `quantity` a month of `item` costs at list, filled tier by tier; `None` without a verified price.
    pub fn list_cost(&self, item: &str, region: &str, quantity: Decimal) -> Option<Money> {
        let tiers = self.book.tiers(item, region);
        let usable = !tiers.is_empty() && tiers.iter().all(|price| price.mark != Mark::Unverified);
        usable.then(|| Money::new(list_cost(tiers, quantity)))
    }

    /// Returns the unit of `item`: what one of it is.
    pub fn unit(&self, item: &str) -> Option<&str> {
        self.book.unit(item)
    }

    /// Returns the usage type of `item` in `region` as the bill writes it.
    pub fn usage_type(&self, item: &str, region: &str) -> Option<String> {
        self.book.usage_type(item, region)
    }
}

/// The list price of one unit at `tier`, the cheapest tier that it touches, and where the dearest begins when it is an
/// average over several.
fn value_at(tiers: &[Price], tier: Tier) -> Option<(Decimal, &Price, Option<Decimal>)> {
    let within = |quantity: Decimal| tiers.iter().rev().find(|price| price.from < quantity).or_else(|| tiers.first());
    let after = |quantity: Decimal| tiers.iter().rev().find(|price| price.from <= quantity).or_else(|| tiers.first());
    let price = match tier {
        Tier::First => tiers.first(),
        Tier::Cheapest => tiers.last(),
        Tier::Marginal(quantity) | Tier::Last { of: quantity, .. } => within(quantity),
        Tier::After(quantity) => after(quantity),
    }?;
    let Tier::Last { units, of } = tier else { return Some((price.per_unit(), price, None)) };
    let first = after(of - units).filter(|first| units > Decimal::ZERO && first.from < price.from);
    let Some(first) = first else { return Some((price.per_unit(), price, None)) };
    let cost = list_cost(tiers, of) - list_cost(tiers, of - units);
    Some(((cost / units).round_dp(12), price, Some(first.from)))
}

/// Returns paid ÷ list cost of the same quantity, filled tier by tier.
fn paid_share(tiers: &[Price], paid: Paid) -> Option<Decimal> {
    let list = list_cost(tiers, paid.quantity);
    (list > Decimal::ZERO).then(|| (paid.net.usd() / list).round_dp(12))
}

fn list_cost(tiers: &[Price], quantity: Decimal) -> Decimal {
    let ends = tiers.iter().skip(1).map(|next| next.from).chain([Decimal::MAX]);
    let inside = |price: &Price, end: Decimal| (quantity.min(end) - price.from).max(Decimal::ZERO);
    tiers.iter().zip(ends).map(|(price, end)| inside(price, end) * price.per_unit()).sum()
}

fn average(price: &Price, region: &str, paid: Option<Paid>) -> Option<Rate> {
    let paid = paid?;
    Some(Rate {
        item: price.item.clone(),
        region: region.to_owned(),
        value: (paid.net.usd() / paid.quantity).round_dp(12),
        unit: price.unit.clone(),
        tier: Decimal::ZERO,
        across: None,
        source: RateSource::Average { month: paid.month, metric: paid.metric },
        date: paid.month,
        mark: price.mark,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn card(billed: &[(&str, &str, &str)]) -> RateCard {
        let month = NaiveDate::from_ymd_opt(2026, 10, 1).unwrap();
        let usage = |&(usage_type, quantity, net): &(&str, &str, &str)| BilledUsage {
            usage_type: usage_type.to_owned(),
            region: None,
            quantity: dec(quantity),
            net: Money::new(dec(net)),
            metric: Metric::NetAmortized,
            month,
        };
        RateCard::new(BOOK.clone(), billed.iter().map(usage).collect(), Payer::Known)
    }

    fn member(billed: &[(&str, &str, &str)]) -> RateCard {
        RateCard { payer: Payer::Unknown, ..card(billed) }
    }

    static BOOK: std::sync::LazyLock<PriceBook> = std::sync::LazyLock::new(|| PriceBook::embedded().unwrap());
    const STANDARD: &str = "s3.storage.standard";

    #[test]
    fn tiers_change_after_51200_and_512000_gb() {
        let card = card(&[]);
        for (quantity, usd) in
            [("1", "0.023"), ("51200", "0.023"), ("51201", "0.022"), ("512000", "0.022"), ("512001", "0.021")]
        {
            let rate = card.rate(STANDARD, "us-east-1", Tier::Marginal(dec(quantity))).unwrap();
            assert_eq!(rate.value, dec(usd), "{quantity}");
        }
        assert_eq!(card.rate(STANDARD, "us-east-1", Tier::First).unwrap().value, dec("0.023"));
        assert_eq!(card.rate(STANDARD, "us-east-1", Tier::Cheapest).unwrap().value, dec("0.021"));
    }

    #[test]
    fn a_rate_from_gross_cost_says_that_it_is_before_discounts() {
        let mut gross = card(&[("TimedStorage-ByteHrs", "1000", "23")]);
        let rate = |card: &RateCard| card.rate(STANDARD, "us-east-1", Tier::First).unwrap().describe();
        assert!(!rate(&gross).contains("before discounts"), "{}", rate(&gross));
        gross.paid.values_mut().for_each(|paid| paid.metric = Metric::Amortized);
        assert!(rate(&gross).contains("as billed in 2026-10 (amortized cost, before discounts"), "{}", rate(&gross));
    }

    #[test]
    fn a_list_cost_fills_the_tiers_in_order_and_is_unknown_without_a_price() {
        let cost = |region, quantity| card(&[]).list_cost(STANDARD, region, dec(quantity));
        assert_eq!(cost("us-east-1", "60000"), Some(Money::new(dec("1371.20"))));
        assert_eq!(cost("sa-east-1", "60000"), None);
    }

    #[test]
    fn an_unknown_volume_is_cheap_at_the_low_end_and_dear_at_the_high_end() {
        let card = card(&[]);
        let at = |end| card.rate_for(STANDARD, "us-east-1", Some(dec("40")), end).unwrap().value;
        assert_eq!([at(End::Low), at(End::Expected), at(End::High)], [dec("0.021"), dec("0.023"), dec("0.023")]);
    }

    #[test]
    fn the_bill_moves_the_marginal_tier_and_not_the_average() {
        // 60,000 GB: 51,200 × 0.023 + 8,800 × 0.022 = 1,371.20 at list; paid 90 % of it.
        let card = card(&[("TimedStorage-ByteHrs", "60000", "1234.08")]);
        let rate = card.rate_for(STANDARD, "us-east-1", Some(dec("10")), End::Low).unwrap();
        assert_eq!(rate.value, dec("0.0198"), "0.022 × 0.9");
        assert!(rate.describe().contains("less 10% as billed in 2026-10"), "{}", rate.describe());
        let elsewhere = card.rate(STANDARD, "us-west-2", Tier::First).unwrap();
        assert_eq!((elsewhere.value, elsewhere.source), (dec("0.023"), RateSource::List));
    }

    #[test]
    fn a_saving_that_crosses_a_tier_lies_between_the_cheapest_and_the_dearest_that_it_touches() {
        // 60,000 GB of which 20,000 go: 8,800 × 0.022 + 11,200 × 0.023 = 451.20, or 0.02256 a GB.
        let card = card(&[("TimedStorage-ByteHrs", "60000", "1371.20")]);
        let at = |quantity: &str, end| card.rate_for(STANDARD, "us-east-1", Some(dec(quantity)), end).unwrap();
        let values = [End::Low, End::Expected, End::High].map(|end| at("20000", end).value);
        assert_eq!(values, [dec("0.022"), dec("0.02256"), dec("0.023")]);
        let line = at("20000", End::Expected).describe();
        assert!(line.contains("on average over the tiers from 0 to beyond 51,200 GB-month"), "{line}");
        let within = [End::Low, End::Expected, End::High].map(|end| at("8800", end).value);
        assert_eq!(within, [dec("0.022"); 3], "the last 8,800 GB cross nothing");
    }

    #[test]
    fn a_member_that_pays_less_than_its_own_tier_may_have_a_discount_or_cheap_tiers_of_others() {
        let ends = |card: &RateCard| {
            [End::Low, End::Expected, End::High]
                .map(|end| card.rate_for(STANDARD, "us-east-1", Some(dec("10")), end).unwrap().value.round_dp(6))
        };
        // 1,000 GB for $21: 0.021 a GB on average. The payer's last tier can be as cheap as 0.021 × 0.021 ÷ 0.023.
        let billed = [("TimedStorage-ByteHrs", "1000", "21")];
        assert_eq!(ends(&member(&billed)), [dec("0.019174"), dec("0.021"), dec("0.021")]);
        assert_eq!(ends(&card(&billed)), [dec("0.021"); 3], "the payer's own bill leaves no doubt");
        let full = [("TimedStorage-ByteHrs", "1000", "23")];
        assert_eq!(ends(&member(&full)), [dec("0.023"); 3], "who pays the first tier in full fills no other");
    }

    #[test]
    fn a_price_that_is_not_verified_gives_no_rate_unless_the_bill_says_what_was_paid() {
        let item = "glue.etl.standard_gen2";
        let none = card(&[]).rate(item, "eu-west-1", Tier::First).unwrap_err();
        assert_eq!(none.to_string(), "the price of `glue.etl.standard_gen2` in `eu-west-1` is not verified");
        let paid = card(&[("EU-ETL-DPU-Hour-Gen2", "100", "30")]).rate(item, "eu-west-1", Tier::First).unwrap();
        assert_eq!(paid.value, dec("0.3"));
    }

    #[test]
    fn an_unknown_item_or_region_is_an_error_that_names_it() {
        assert_eq!(card(&[]).rate("s3.magic", "us-east-1", Tier::First), Err(NoRate::NoItem("s3.magic".into())));
        let error = card(&[]).rate(STANDARD, "sa-east-1", Tier::First).unwrap_err();
        assert_eq!(error.to_string(), "no price of `s3.storage.standard` in `sa-east-1` is known");
        let tiered = card(&[("SAE1-TimedStorage-ByteHrs", "100", "4")]).rate(STANDARD, "sa-east-1", Tier::First);
        assert!(tiered.is_err(), "an average over unknown tiers is not a marginal rate");
    }

    #[test]
    fn usage_that_several_items_share_says_nothing_about_a_rate() {
        let card = card(&[("Requests-Tier4", "1000", "0.001")]);
        assert_eq!(card.rate("s3.transition.int", "us-east-1", Tier::First).unwrap().value, dec("0.00001"));
    }

    proptest! {
        #[test]
        fn the_ends_hold_what_the_last_units_cost_whatever_tiers_they_cross_and_whoever_pays(
            volume in 1_u64..2_000_000, percent in 0_u64..=100, asked in 1_u64..2_000_000,
        ) {
            let volume = Decimal::from(volume);
            let share = Decimal::from(percent) / Decimal::ONE_HUNDRED;
            let net = list_cost(BOOK.tiers(STANDARD, "us-east-1"), volume) * share;
            let card = card(&[("TimedStorage-ByteHrs", &volume.to_string(), &net.to_string())]);
            let all = volume.max(Decimal::from(asked));
            let asked = Decimal::from(asked);
            let tiers = BOOK.tiers(STANDARD, "us-east-1");
            let truth = (list_cost(tiers, all) - list_cost(tiers, all - asked)) / asked;
            for card in [card.clone(), RateCard { payer: Payer::Unknown, ..card }] {
                let at = |end| card.rate_for(STANDARD, "us-east-1", Some(asked), end).unwrap().value;
                let [low, expected, high] = [End::Low, End::Expected, End::High].map(at);
                let slack = dec("0.000000001");
                prop_assert!(low <= expected + slack && expected <= high + slack, "{low} {expected} {high}");
                prop_assert!((expected - truth * share).abs() < slack, "{expected} for {truth} × {share}");
                prop_assert!(high <= tiers[0].per_unit());
            }
        }

        #[test]
        fn more_quantity_never_costs_more_a_unit(a in 0_u64..3_000_000, b in 0_u64..3_000_000) {
            let card = card(&[]);
            let at = |q: u64| card.rate(STANDARD, "ap-northeast-1", Tier::Marginal(Decimal::from(q))).unwrap().value;
            prop_assert!(at(a.max(b)) <= at(a.min(b)));
        }
    }
}
