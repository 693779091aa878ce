//! Money in US dollars: an exact decimal, and a range where it is an estimate.
//!
//! Never a float, and never 0 where the amount is unknown.

use std::borrow::Cow;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub};

use rust_decimal::{Decimal, RoundingStrategy};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Decimal places kept in tables: money is `decimal(28,12)`.
pub const MONEY_SCALE: u32 = 12;

/// An amount of US dollars, exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(Decimal);

impl Money {
    /// No dollars. For a sum's start, never for "unknown".
    pub const ZERO: Money = Money(Decimal::ZERO);

    /// Returns the amount of `usd` dollars.
    pub const fn new(usd: Decimal) -> Self {
        Money(usd)
    }

    /// Returns the amount as a plain decimal number of dollars.
    pub const fn usd(self) -> Decimal {
        self.0
    }

    /// Returns true for amounts above zero.
    pub fn is_positive(self) -> bool {
        self.0 > Decimal::ZERO
    }

    /// Returns the amount for people: `$1,234.56`; below ten cents with two significant digits.
    pub fn human(self) -> String {
        let digits = if self.0.is_zero() || self.0.abs() >= Decimal::new(1, 1) {
            self.0.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
        } else {
            self.0.round_sf(2).unwrap_or(self.0)
        };
        let plain = format!("{:.*}", digits.normalize().scale().max(2) as usize, digits.abs());
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, "00"));
        let sign = if digits.is_sign_negative() && !digits.is_zero() { "-" } else { "" };
        format!("{sign}${}.{fraction}", grouped(whole))
    }
}

/// Returns `digits` with a comma between groups of three.
pub fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The exact number of dollars, at least two decimals: `0.92`, `1234.50`, `0.000012`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = self.0.normalize();
        write!(f, "{:.*}", exact.scale().max(2) as usize, exact)
    }
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0 + other.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        self.0 += other.0;
    }
}

impl Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(self.0 - other.0)
    }
}

impl Neg for Money {
    type Output = Money;
    fn neg(self) -> Money {
        Money(-self.0)
    }
}

impl Mul<Decimal> for Money {
    type Output = Money;
    fn mul(self, factor: Decimal) -> Money {
        Money(self.0 * factor)
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        amounts.fold(Money::ZERO, Add::add)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(input)?;
        text.parse().map(Money).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^-?\d+\.\d{2,}$",
            "description": "US dollars, exact, with a decimal point"
        })
    }
}

/// A range of dollars: `low` ≤ `expected` ≤ `high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Range {
    /// What can be defended; headlines sum this end.
    pub low: Money,
    /// The likeliest amount.
    pub expected: Money,
    /// The most it can be; `None` when nothing bounds it.
    pub high: Option<Money>,
}

impl Range {
    /// No dollars at either end.
    pub const ZERO: Range = Range::exact(Money::ZERO);

    /// Returns the range whose three ends are `amount`.
    pub const fn exact(amount: Money) -> Self {
        Range { low: amount, expected: amount, high: Some(amount) }
    }

    /// Returns the range, or `None` unless `low` ≤ `expected` ≤ `high`.
    pub fn new(low: Money, expected: Money, high: Option<Money>) -> Option<Self> {
        let ordered = low <= expected && high.is_none_or(|high| expected <= high);
        ordered.then_some(Range { low, expected, high })
    }

    /// Returns the range with every end changed by `f`, which must keep their order.
    #[must_use]
    pub fn map(self, f: impl Fn(Money) -> Money) -> Range {
        Range { low: f(self.low), expected: f(self.expected), high: self.high.map(f) }
    }

    /// Returns what is left of a saving after a cost: the ends cross, since a dear cost goes with the low saving.
    #[must_use]
    pub fn minus_cost(self, cost: Cost) -> Range {
        let expected = self.expected - cost.expected;
        Range {
            low: (self.low - cost.high).min(expected),
            expected,
            high: self.high.map(|high| (high - cost.low).max(expected)),
        }
    }

    /// Returns the range for people: `$1.00`, `$1.00 … $2.00`, or `$1.00 or more`.
    pub fn human(self) -> String {
        match self.high {
            Some(high) if high.human() == self.low.human() => self.low.human(),
            Some(high) => format!("{} … {}", self.low.human(), high.human()),
            None => format!("{} or more", self.low.human()),
        }
    }
}

/// A range of costs that something bounds. What nothing bounds cannot be taken off a saving: the rest is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    low: Money,
    expected: Money,
    high: Money,
}

impl Cost {
    /// It costs nothing.
    pub const NOTHING: Cost = Cost { low: Money::ZERO, expected: Money::ZERO, high: Money::ZERO };

    /// Returns the cost, or `None` when nothing bounds the range.
    pub fn of(range: Range) -> Option<Self> {
        Some(Cost { low: range.low, expected: range.expected, high: range.high? })
    }

    /// Returns the cost as a range.
    pub const fn range(self) -> Range {
        Range { low: self.low, expected: self.expected, high: Some(self.high) }
    }

    /// Returns the least that it can be.
    pub const fn least(self) -> Money {
        self.low
    }

    /// Returns the most that it can be.
    pub const fn most(self) -> Money {
        self.high
    }
}

impl Add for Range {
    type Output = Range;
    fn add(self, other: Range) -> Range {
        Range {
            low: self.low + other.low,
            expected: self.expected + other.expected,
            high: self.high.zip(other.high).map(|(a, b)| a + b),
        }
    }
}

impl Sum for Range {
    fn sum<I: Iterator<Item = Range>>(ranges: I) -> Range {
        ranges.fold(Range::ZERO, Add::add)
    }
}

/// A range of dollars, or the reason why there is none. In JSON `{low, expected, high}` or `{unknown: why}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum Estimate {
    /// The amount is known to lie in this range.
    Known(Range),
    /// The amount is not known, and why.
    Unknown(String),
}

/// An estimate as it stands in JSON.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Written {
    /// The amount lies in this range.
    Known(Range),
    /// Nobody knows the amount.
    Unknown {
        /// The missing column, rate or pool.
        unknown: String,
    },
}

impl From<Written> for Estimate {
    fn from(written: Written) -> Estimate {
        match written {
            Written::Known(range) => Estimate::Known(range),
            Written::Unknown { unknown } => Estimate::Unknown(unknown),
        }
    }
}

impl From<Estimate> for Written {
    fn from(estimate: Estimate) -> Written {
        match estimate {
            Estimate::Known(range) => Written::Known(range),
            Estimate::Unknown(unknown) => Written::Unknown { unknown },
        }
    }
}

impl JsonSchema for Estimate {
    fn schema_name() -> Cow<'static, str> {
        "Estimate".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}

impl Estimate {
    /// Returns the range where it is known.
    pub fn known(&self) -> Option<Range> {
        match self {
            Estimate::Known(range) => Some(*range),
            Estimate::Unknown(_) => None,
        }
    }

    /// Returns the range for people, or `unknown`.
    pub fn human(&self) -> String {
        self.known().map_or_else(|| "unknown".to_owned(), Range::human)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Money {
        Money::new(text.parse().unwrap())
    }

    #[test]
    fn money_for_people_has_commas_and_cents() {
        assert_eq!(usd("1234567.891").human(), "$1,234,567.89");
        assert_eq!(usd("-0.5").human(), "-$0.50");
        assert_eq!(usd("0").human(), "$0.00");
        assert_eq!(usd("0.004321").human(), "$0.0043");
    }

    #[test]
    fn money_for_machines_is_exact_with_a_decimal_point() {
        assert_eq!(usd("12").to_string(), "12.00");
        assert_eq!(usd("0.000012000").to_string(), "0.000012");
        assert_eq!(serde_json::to_string(&usd("0.92")).unwrap(), "\"0.92\"");
        assert_eq!(serde_json::from_str::<Money>("\"0.92\"").unwrap(), usd("0.92"));
    }

    #[test]
    fn an_estimate_in_json_is_a_range_or_says_why_not() {
        let json = |estimate: &Estimate| serde_json::to_string(estimate).unwrap();
        let known = Estimate::Known(Range { low: usd("1"), expected: usd("2"), high: None });
        assert_eq!(json(&known), r#"{"low":"1.00","expected":"2.00","high":null}"#);
        let unknown = Estimate::Unknown("`bytes` is NULL".into());
        assert_eq!(json(&unknown), r#"{"unknown":"`bytes` is NULL"}"#);
        for estimate in [known, unknown] {
            assert_eq!(serde_json::from_str::<Estimate>(&json(&estimate)).unwrap(), estimate);
        }
    }

    #[test]
    fn a_range_out_of_order_is_no_range() {
        assert!(Range::new(usd("2"), usd("1"), None).is_none());
        assert!(Range::new(usd("1"), usd("1"), Some(usd("0.5"))).is_none());
    }

    #[test]
    fn a_dear_cost_meets_the_low_saving() {
        let saving = Range::new(usd("10"), usd("20"), Some(usd("30"))).unwrap();
        let cost = Range::new(usd("1"), usd("2"), Some(usd("5"))).unwrap();
        let net = saving.minus_cost(Cost::of(cost).unwrap());
        assert_eq!((net.low, net.expected, net.high), (usd("5"), usd("18"), Some(usd("29"))));
    }

    #[test]
    fn a_cost_that_nothing_bounds_is_no_cost_to_reckon_with() {
        assert_eq!(Cost::of(Range { low: usd("1"), expected: usd("2"), high: None }), None);
    }
}
