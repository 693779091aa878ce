//! Units of formulas, checked when a policy is loaded: dollars a month must come out as dollars a month.
//!
//! The unit of a column is in its name: `…bytes` is bytes, `…_hours` is hours, `…_per_month` is a flow; anything else
//! counts things. `gib()` and `tib()` turn bytes into the bill's GB and TB, `rate()` is dollars for its item's unit.

use std::collections::BTreeMap;
use std::fmt;

use super::FormulaError;
use super::parse::{Arith, Node, Size};
use crate::prices::PriceBook;

/// Powers of the base units; `None` for a zero, which fits everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit(Option<BTreeMap<&'static str, i8>>);

const BASES: [&str; 6] = ["USD", "byte", "GB", "TB", "hour", "month"];

impl Unit {
    fn count() -> Self {
        Unit(Some(BTreeMap::new()))
    }

    fn of(base: &'static str, power: i8) -> Self {
        Unit(Some(BTreeMap::from([(base, power)])))
    }

    /// US dollars.
    pub fn usd() -> Self {
        Unit::of("USD", 1)
    }

    /// US dollars a month.
    pub fn usd_per_month() -> Self {
        Unit::usd().times(&Unit::of("month", 1), -1)
    }

    /// Returns true when an answer in `self` can stand where `wanted` is asked for.
    pub fn fits(&self, wanted: &Unit) -> bool {
        self.0.is_none() || wanted.0.is_none() || self == wanted
    }

    fn times(&self, other: &Unit, power: i8) -> Unit {
        let (Some(left), Some(right)) = (&self.0, &other.0) else { return Unit(None) };
        let mut product = left.clone();
        for (base, exponent) in right {
            let sum = product.entry(base).or_insert(0);
            *sum = sum.saturating_add(exponent.saturating_mul(power));
        }
        product.retain(|_, exponent| *exponent != 0);
        Unit(Some(product))
    }

    /// Returns the unit of what stands in the price book as `GB-month`, `request`, `DPU-hour`.
    fn billed(unit: &str) -> Unit {
        unit.split('-').fold(Unit::count(), |so_far, word| match BASES.iter().find(|base| **base == word) {
            Some(base) => so_far.times(&Unit::of(base, 1), 1),
            None => so_far,
        })
    }

    fn named(column: &str) -> Unit {
        let (stem, flow) = match column.strip_suffix("_per_month") {
            Some(stem) => (stem, Unit::of("month", -1)),
            None => (column, Unit::count()),
        };
        let has = |word: &str| stem.split('_').any(|part| part == word);
        match (has("bytes"), has("hours")) {
            (true, _) => flow.times(&Unit::of("byte", 1), 1),
            (_, true) => flow.times(&Unit::of("hour", 1), 1),
            _ => flow,
        }
    }
}

/// `USD per month`, `GB`, `a count`.
impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(powers) = &self.0 else { return f.write_str("zero") };
        let side = |sign: i8| {
            let of = BASES.iter().filter_map(|base| Some((base, powers.get(base)?.saturating_mul(sign))));
            let words = of.filter(|(_, power)| *power > 0).map(|(base, power)| match power {
                1 => (*base).to_owned(),
                more => format!("{base}^{more}"),
            });
            words.collect::<Vec<_>>().join("·")
        };
        match (side(1).as_str(), side(-1).as_str()) {
            ("", "") => f.write_str("a count"),
            (above, "") => f.write_str(above),
            ("", below) => write!(f, "1 per {below}"),
            (above, below) => write!(f, "{above} per {below}"),
        }
    }
}

/// Returns the unit of the node's answer.
pub(super) fn of(node: &Node, book: &PriceBook) -> Result<Unit, FormulaError> {
    let unit = |node: &Node| of(node, book);
    match node {
        Node::Number(number) if number.is_zero() => Ok(Unit(None)),
        Node::Number(_) | Node::Text(_) | Node::Flag(_) | Node::AsOf => Ok(Unit::count()),
        Node::Column(name) | Node::Param(name) => Ok(Unit::named(name)),
        Node::Group(inner) | Node::Negate(inner) => unit(inner),
        Node::Not(inner) => unit(inner).map(|_| Unit::count()),
        Node::Arith(Arith::Times, left, right) => Ok(unit(left)?.times(&unit(right)?, 1)),
        Node::Arith(Arith::Over, left, right) => Ok(unit(left)?.times(&unit(right)?, -1)),
        Node::Arith(_, left, right) => same(&[unit(left)?, unit(right)?]),
        Node::Compare(_, left, right) | Node::And(left, right) | Node::Or(left, right) => {
            same(&[unit(left)?, unit(right)?]).map(|_| Unit::count())
        }
        Node::Pick(_, of) => same(&of.iter().map(unit).collect::<Result<Vec<_>, _>>()?),
        Node::Case(branches, otherwise) => {
            branches.iter().try_for_each(|(when, _)| unit(when).map(|_| ()))?;
            let answers = branches.iter().map(|(_, then)| then).chain(otherwise.as_deref());
            same(&answers.map(unit).collect::<Result<Vec<_>, _>>()?)
        }
        Node::Size(size, inner) => sized(*size, &unit(inner)?),
        Node::Rate(item, quantity) => rate(item, quantity.as_deref().map(unit).transpose()?.as_ref(), book),
    }
}

fn same(units: &[Unit]) -> Result<Unit, FormulaError> {
    let known = units.iter().find(|unit| unit.0.is_some()).cloned().unwrap_or(Unit(None));
    match units.iter().find(|unit| !unit.fits(&known)) {
        Some(other) => Err(FormulaError::new(format!("{known} and {other} stand together"))),
        None => Ok(known),
    }
}

fn sized(size: Size, inner: &Unit) -> Result<Unit, FormulaError> {
    let (name, base) = match size {
        Size::Gib => ("gib", "GB"),
        Size::Tib => ("tib", "TB"),
    };
    if inner.0.as_ref().is_some_and(|powers| powers.get("byte") != Some(&1)) {
        return Err(FormulaError::new(format!("`{name}()` turns bytes into {base}, and this is {inner}")));
    }
    Ok(inner.times(&Unit::of("byte", 1), -1).times(&Unit::of(base, 1), 1))
}

fn rate(item: &str, quantity: Option<&Unit>, book: &PriceBook) -> Result<Unit, FormulaError> {
    let Some(price) = book.any(item) else {
        return Err(FormulaError::new(format!("the price book has no item `{item}`: see `leanlake prices show`")));
    };
    let billed = Unit::billed(&price.unit);
    // A stock of GB is billed by the GB-month: the month may be missing from the quantity that picks the tier.
    let stock = billed.times(&Unit::of("month", 1), -1);
    if let Some(quantity) = quantity.filter(|quantity| ![&billed, &stock].iter().any(|unit| quantity.fits(unit))) {
        let what = format!("the quantity of `{item}` is billed in {}, and this is {quantity}", price.unit);
        return Err(FormulaError::new(what));
    }
    Ok(Unit::usd().times(&billed, -1))
}
