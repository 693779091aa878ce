//! What things cost in the demo's world: two small files beside this one. The price book of the tool is another thing;
//! this is what the demo's imaginary AWS bills.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

/// How a fixed line of the bill behaves over the days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Every day.
    Daily,
    /// Only on the first of a month.
    First,
    /// Every day, and several times as much in the last days: a job reads S3 through the NAT gateway.
    NatJump,
    /// Every day, covered by a savings plan.
    Covered,
}

/// A line of the bill that does not follow from buckets or queries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Account that caused it.
    pub account: &'static str,
    /// Service as Cost Explorer names it.
    pub service: &'static str,
    /// Usage type with its prefix.
    pub usage_type: &'static str,
    /// Unit of the quantity.
    pub unit: &'static str,
    /// List price of a unit, USD.
    pub rate: Decimal,
    /// What is paid of it, in thousandths.
    pub net: i64,
    /// Quantity on a weekday in the middle of the window.
    pub per_day: Decimal,
    /// A weekend's quantity, in thousandths of a weekday's.
    pub weekend: i64,
    /// Growth a month, in thousandths.
    pub growth: i64,
    /// How far a day may be off, in thousandths.
    pub noise: i64,
    /// How it behaves.
    pub shape: Shape,
}

/// One tier of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Quantity in the month from which it holds.
    pub from: Decimal,
    /// List price of a unit, USD.
    pub rate: Decimal,
    /// What is paid of it, in thousandths.
    pub net: i64,
}

/// Tiers by usage type (without prefix) and Region, the first tier first.
pub type Tariff = BTreeMap<(&'static str, &'static str), Vec<Tier>>;

const WRITTEN_BY_HAND: &str = "the demo's own files are whole: a test reads them";

/// Returns the lines of `bill.csv`.
pub fn fixed() -> Vec<Fixed> {
    lines(include_str!("bill.csv")).map(|fields| one(&fields)).collect()
}

fn one(fields: &[&'static str]) -> Fixed {
    let whole = |at: usize| fields[at].parse::<i64>().expect(WRITTEN_BY_HAND);
    let decimal = |at: usize| fields[at].parse::<Decimal>().expect(WRITTEN_BY_HAND);
    let shape = match fields[10] {
        "first" => Shape::First,
        "nat" => Shape::NatJump,
        "covered" => Shape::Covered,
        _ => Shape::Daily,
    };
    Fixed {
        account: fields[0],
        service: fields[1],
        usage_type: fields[2],
        unit: fields[3],
        rate: decimal(4),
        net: whole(5),
        per_day: decimal(6),
        weekend: whole(7),
        growth: whole(8),
        noise: whole(9),
        shape,
    }
}

/// Returns the tiers of `rates.csv`.
pub fn tariff() -> Tariff {
    let mut rows = lines_with_head(include_str!("rates.csv"));
    let head = rows.next().unwrap_or_default();
    let mut tariff = Tariff::new();
    for fields in rows {
        let decimal = |at: usize| fields[at].parse::<Decimal>().expect(WRITTEN_BY_HAND);
        let net = fields[2].parse().expect(WRITTEN_BY_HAND);
        for (at, &region) in head.iter().enumerate().skip(3) {
            let tier = Tier { from: decimal(1), rate: decimal(at), net };
            tariff.entry((fields[0], region)).or_default().push(tier);
        }
    }
    tariff
}

/// Returns the list and net cost of the units from `before` to `before + units` of a month.
pub fn cost(tiers: &[Tier], before: Decimal, units: Decimal) -> (Decimal, Decimal) {
    let (mut list, mut net) = (Decimal::ZERO, Decimal::ZERO);
    for (at, tier) in tiers.iter().enumerate() {
        let end = tiers.get(at + 1).map_or(before + units, |next| next.from.min(before + units));
        let inside = (end - tier.from.max(before)).max(Decimal::ZERO);
        list += inside * tier.rate;
        net += inside * tier.rate * Decimal::new(tier.net, 3);
    }
    (list, net)
}

fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    lines_with_head(text).skip(1)
}

fn lines_with_head(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().map(|line| line.split(',').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_can_be_read_and_every_account_is_known() {
        for line in fixed() {
            assert!(crate::demo::catalog::ACCOUNTS.iter().any(|account| account.id == line.account), "{line:?}");
        }
        assert_eq!(tariff()[&("TimedStorage-ByteHrs", "eu-central-1")].len(), 3);
    }

    #[test]
    fn a_quantity_over_a_tier_is_billed_at_both_prices() {
        let tiers = &tariff()[&("TimedStorage-ByteHrs", "us-east-1")];
        let (list, net) = cost(tiers, Decimal::from(51_100), Decimal::from(200));
        assert_eq!(list, Decimal::new(23, 3) * Decimal::from(100) + Decimal::new(22, 3) * Decimal::from(100));
        assert_eq!(net, list * Decimal::new(93, 2));
    }
}
