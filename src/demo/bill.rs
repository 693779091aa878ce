//! The demo's bill: what its buckets and queries cost, and what else the organisation spends. One ledger of lines,
//! from which every table of the bill is a sum, so that they agree with each other.

use std::collections::BTreeMap;

use chrono::Datelike;
use rust_decimal::Decimal;

use super::bucket::Bucket;
use super::calendar::{Calendar, Day, days_in_month};
use super::catalog::REGIONS;
use super::query::Query;
use super::random::Random;
use super::storage::Daily;
use super::tariff::{self, Fixed, Shape, Tariff};
use crate::model::storage_type;

/// S3 as Cost Explorer names it.
pub const S3: &str = "Amazon Simple Storage Service";
/// Athena as Cost Explorer names it.
pub const ATHENA: &str = "Amazon Athena";
/// Decimal places of Cost Explorer's amounts.
const PLACES: u32 = 10;

/// What is counted and billed together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Meter {
    /// Service as Cost Explorer names it.
    pub service: &'static str,
    /// Usage type with its prefix.
    pub usage_type: String,
    /// Region, where the prefix tells.
    pub region: Option<&'static str>,
    /// Unit of the usage.
    pub unit: &'static str,
    /// True when a savings plan covers it.
    pub covered: bool,
}

/// What one account used on one day of one meter, and what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The day.
    pub day: Day,
    /// Account that caused it.
    pub account: &'static str,
    /// Place of the meter in the ledger.
    pub meter: usize,
    /// How much, and what it costs.
    pub amount: Amount,
}

/// A quantity and its costs, USD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Usage in the meter's unit.
    pub usage: Decimal,
    /// At list price.
    pub unblended: Decimal,
    /// With commitments spread over what they cover.
    pub amortized: Decimal,
    /// After discounts.
    pub net: Decimal,
}

impl Amount {
    /// Adds another amount.
    pub fn add(&mut self, other: &Amount) {
        self.usage += other.usage;
        self.unblended += other.unblended;
        self.amortized += other.amortized;
        self.net += other.net;
    }

    /// Returns `permille` thousandths of it.
    #[must_use]
    pub fn part(&self, permille: i64) -> Amount {
        let part = |amount: Decimal| (amount * Decimal::new(permille, 3)).round_dp(PLACES);
        Amount {
            usage: part(self.usage),
            unblended: part(self.unblended),
            amortized: part(self.amortized),
            net: part(self.net),
        }
    }
}

/// All that the organisation used, by day.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The meters.
    pub meters: Vec<Meter>,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A quantity of each account on each day.
type Quantities = BTreeMap<Day, BTreeMap<&'static str, Decimal>>;

impl Ledger {
    /// Returns the ledger of everything.
    pub fn of(seed: u64, calendar: Calendar, buckets: &[(Bucket, Daily)], queries: &[Query]) -> Self {
        let mut ledger = Ledger::default();
        let tariff = tariff::tariff();
        for ((region, usage_type), quantities) in stored(calendar, buckets) {
            ledger.tiered(calendar, &tariff, (S3, usage_type, region, "GB-Mo"), &quantities);
        }
        for (region, quantities) in scanned(calendar, queries) {
            ledger.tiered(calendar, &tariff, (ATHENA, "DataScannedInTB", region, "Terabytes"), &quantities);
        }
        for (at, fixed) in tariff::fixed().iter().enumerate() {
            ledger.fixed(&mut Random::new(seed, &format!("bill {at}")), calendar, fixed);
        }
        ledger.lines.sort_by(|a, b| (a.day, a.meter, a.account).cmp(&(b.day, b.meter, b.account)));
        ledger
    }

    fn meter(&mut self, meter: Meter) -> usize {
        let known = self.meters.iter().position(|known| *known == meter);
        known.unwrap_or_else(|| {
            self.meters.push(meter);
            self.meters.len() - 1
        })
    }

    /// Bills a quantity by tiers that the whole organisation fills together, each month anew.
    fn tiered(
        &mut self,
        calendar: Calendar,
        tariff: &Tariff,
        (service, usage_type, region, unit): (&'static str, &'static str, &'static str, &'static str),
        quantities: &Quantities,
    ) {
        let Some(tiers) = tariff.get(&(usage_type, region)) else { return };
        let usage_type = format!("{}{usage_type}", prefix(service, region));
        let meter = self.meter(Meter { service, usage_type, region: Some(region), unit, covered: false });
        let (mut month, mut used) = (0, Decimal::ZERO);
        for (&day, accounts) in quantities {
            if calendar.date(day).month() != month {
                (month, used) = (calendar.date(day).month(), Decimal::ZERO);
            }
            for (&account, &usage) in accounts {
                let (list, net) = tariff::cost(tiers, used, usage);
                used += usage;
                let (list, net) = (list.round_dp(PLACES), net.round_dp(PLACES));
                let amount = Amount { usage, unblended: list, amortized: list, net };
                self.lines.push(Line { day, account, meter, amount });
            }
        }
    }

    fn fixed(&mut self, random: &mut Random, calendar: Calendar, fixed: &Fixed) {
        let meter = self.meter(Meter {
            service: fixed.service,
            usage_type: fixed.usage_type.to_owned(),
            region: region_of(fixed.usage_type),
            unit: fixed.unit,
            covered: fixed.shape == Shape::Covered,
        });
        for day in 0..calendar.today {
            let first = calendar.date(day).day() == 1;
            if fixed.shape == Shape::First && !first {
                continue;
            }
            let weekday = if calendar.weekend(day) { fixed.weekend } else { 1000 };
            let jump = if fixed.shape == Shape::NatJump && day >= calendar.today - 7 { 4_300 } else { 1000 };
            let grown = 1000 + fixed.growth * i64::from(day - calendar.today / 2) / 30;
            let noisy = random.around(1000, fixed.noise);
            let factor = Decimal::new(weekday * jump, 6) * Decimal::new(grown * noisy, 6);
            let usage = (fixed.per_day * factor).round_dp(6);
            let list = (usage * fixed.rate).round_dp(PLACES);
            let net = (list * Decimal::new(fixed.net, 3)).round_dp(PLACES);
            let amortized = if fixed.shape == Shape::Covered { net } else { list };
            let amount = Amount { usage, unblended: list, amortized, net };
            self.lines.push(Line { day, account: fixed.account, meter, amount });
        }
    }
}

/// Returns what is stored by Region and usage type, in GB-months a day.
fn stored(calendar: Calendar, buckets: &[(Bucket, Daily)]) -> BTreeMap<(&'static str, &'static str), Quantities> {
    let mut bytes: BTreeMap<(&str, &str, Day, &str), i64> = BTreeMap::new();
    for (bucket, daily) in buckets {
        for (name, amounts) in daily {
            let Some(known) = storage_type::find(name) else { continue };
            for (day, amount) in (0..).zip(amounts) {
                let key = (bucket.plot.region, known.usage_type, day, bucket.plot.account);
                *bytes.entry(key).or_default() += amount;
            }
        }
    }
    let mut stored: BTreeMap<(&str, &str), Quantities> = BTreeMap::new();
    for ((region, usage_type, day, account), bytes) in bytes {
        let gib_months =
            Decimal::from(bytes) / Decimal::from(days_in_month(calendar.date(day))) / Decimal::from(1 << 30);
        let day = stored.entry((region, usage_type)).or_default().entry(day).or_default();
        day.insert(account, gib_months.round_dp(PLACES));
    }
    stored
}

/// Returns what is scanned by Region, in TB a day.
fn scanned(calendar: Calendar, queries: &[Query]) -> BTreeMap<&'static str, Quantities> {
    let mut bytes: BTreeMap<(&str, Day, &str), i64> = BTreeMap::new();
    for query in queries {
        let day = calendar.day(query.submitted.date_naive());
        *bytes.entry((query.workgroup.region, day, query.workgroup.account)).or_default() += query.billed_bytes();
    }
    let mut scanned: BTreeMap<&str, Quantities> = BTreeMap::new();
    for ((region, day, account), bytes) in bytes {
        let terabytes = (Decimal::from(bytes) / Decimal::from(1_i64 << 40)).round_dp(PLACES);
        scanned.entry(region).or_default().entry(day).or_default().insert(account, terabytes);
    }
    scanned
}

/// Athena's usage types carry a prefix in every Region, S3's have none in N. Virginia.
fn prefix(service: &str, region: &str) -> &'static str {
    let short = REGIONS.iter().find(|(name, _)| *name == region).map_or("", |(_, prefix)| prefix);
    if short.is_empty() && service == ATHENA { "USE1-" } else { short }
}

/// Returns the Region that a usage type tells; some that have no prefix exist in N. Virginia alone under that name.
fn region_of(usage_type: &str) -> Option<&'static str> {
    let virginia = ["USE1-", "us-east-1-", "Requests-", "Retrieval-", "EarlyDelete-", "Monitoring-", "TimedStorage-"];
    let others = ["NatGateway-", "VpcEndpoint-", "DataTransfer-", "PublicIPv4:", "EMR-SERVERLESS-", "Node:"];
    let begins = |start: &&str| usage_type.starts_with(*start);
    if virginia.iter().chain(&others).any(begins) {
        return Some(REGIONS[0].0);
    }
    REGIONS.iter().skip(1).find(|(_, prefix)| begins(prefix)).map(|(region, _)| *region)
}
