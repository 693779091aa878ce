//! The value of a formula for one row. Strict: what is read must be there.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::parse::{Arith, Compare, Node, Pick, Size};
use super::{Computed, Inputs, Literal, Unknown, Value};
use crate::model::Cell;
use crate::prices::{End, Rate};

type Answer = Result<Computed, Unknown>;

fn unknown<T>(why: impl Into<String>) -> Result<T, Unknown> {
    Err(Unknown { why: why.into() })
}

fn plain(value: Value, numbers: impl Into<String>) -> Computed {
    Computed { value, numbers: numbers.into(), rates: Vec::new() }
}

fn number(value: Decimal) -> Computed {
    plain(Value::Number(value), shown(value))
}

/// Twelve significant digits are enough for a reader to check.
fn shown(value: Decimal) -> String {
    value.round_sf(12).unwrap_or(value).normalize().to_string()
}

/// Returns the answer of `node`. Where a tier is not known, `end` decides; it turns round behind a minus or a division.
pub(super) fn eval(node: &Node, inputs: &Inputs<'_>, end: End) -> Answer {
    match node {
        Node::Number(value) => Ok(number(*value)),
        Node::Text(text) => Ok(plain(Value::Text(text.as_str().into()), format!("'{text}'"))),
        Node::Flag(flag) => Ok(plain(Value::Flag(*flag), flag.to_string())),
        Node::AsOf => Ok(plain(Value::Instant(inputs.as_of), inputs.as_of.to_rfc3339())),
        Node::Column(name) => column(name, inputs.row.cell(name)),
        Node::Param(name) => param(name, inputs),
        Node::Group(inner) => {
            let inner = eval(inner, inputs, end)?;
            Ok(Computed { numbers: format!("({})", inner.numbers), ..inner })
        }
        Node::Negate(inner) => {
            let inner = eval(inner, inputs, turned(end))?;
            let value = Value::Number(-number_of(&inner)?);
            Ok(Computed { value, numbers: format!("-{}", inner.numbers), rates: inner.rates })
        }
        Node::Arith(op, left, right) => arith(*op, left, right, inputs, end),
        Node::Compare(op, left, right) => compare(*op, left, right, inputs, end),
        Node::Not(inner) => {
            let inner = eval(inner, inputs, end)?;
            let value = Value::Flag(!flag_of(&inner)?);
            Ok(Computed { value, numbers: format!("not {}", inner.numbers), rates: inner.rates })
        }
        Node::And(left, right) => either(left, right, false, inputs, end),
        Node::Or(left, right) => either(left, right, true, inputs, end),
        Node::Case(branches, otherwise) => case(branches, otherwise.as_deref(), inputs, end),
        Node::Pick(pick, of) => picked(*pick, of, inputs, end),
        Node::Size(size, inner) => sized(*size, inner, inputs, end),
        Node::Rate(item, quantity) => rate(item, quantity.as_deref(), inputs, end),
    }
}

fn turned(end: End) -> End {
    match end {
        End::Low => End::High,
        End::Expected => End::Expected,
        End::High => End::Low,
    }
}

fn column(name: &str, cell: &Cell) -> Answer {
    match cell {
        Cell::Null => unknown(format!("`{name}` is not known")),
        Cell::Text(text) => Ok(plain(Value::Text(text.clone()), format!("'{}'", text.terminal()))),
        Cell::Bool(flag) => Ok(plain(Value::Flag(*flag), flag.to_string())),
        Cell::Int(value) => Ok(number(Decimal::from(*value))),
        Cell::Decimal(value) => Ok(number(*value)),
        Cell::Time(instant) => Ok(plain(Value::Instant(*instant), instant.to_rfc3339())),
        Cell::Date(day) => {
            let start = day.and_time(chrono::NaiveTime::MIN).and_utc();
            Ok(plain(Value::Instant(start), day.to_string()))
        }
    }
}

fn param(name: &str, inputs: &Inputs<'_>) -> Answer {
    match inputs.params.get(name) {
        None => unknown(format!("parameter `{name}` is not set")),
        Some(Literal::Int(value)) => Ok(number(Decimal::from(*value))),
        Some(Literal::Flag(flag)) => Ok(plain(Value::Flag(*flag), flag.to_string())),
        Some(Literal::Text(text)) => Ok(plain(Value::Text(text.as_str().into()), format!("'{text}'"))),
    }
}

fn number_of(answer: &Computed) -> Result<Decimal, Unknown> {
    match answer.value {
        Value::Number(value) => Ok(value),
        _ => unknown(format!("{} is not a number", answer.numbers)),
    }
}

fn flag_of(answer: &Computed) -> Result<bool, Unknown> {
    match answer.value {
        Value::Flag(flag) => Ok(flag),
        _ => unknown(format!("{} is neither true nor false", answer.numbers)),
    }
}

fn joined(mut left: Vec<Rate>, right: Vec<Rate>) -> Vec<Rate> {
    for rate in right {
        if !left.contains(&rate) {
            left.push(rate);
        }
    }
    left
}

fn arith(op: Arith, left: &Node, right: &Node, inputs: &Inputs<'_>, end: End) -> Answer {
    let other_end = if matches!(op, Arith::Minus | Arith::Over) { turned(end) } else { end };
    let (left, right) = (eval(left, inputs, end)?, eval(right, inputs, other_end)?);
    let (a, b) = (number_of(&left)?, number_of(&right)?);
    if op == Arith::Plus && [&left, &right].iter().any(|side| side.numbers == "0") {
        // A term that does not apply is nothing to read in the arithmetic.
        return Ok(if right.numbers == "0" { left } else { right });
    }
    let (sign, value) = match op {
        Arith::Plus => ("+", a.checked_add(b)),
        Arith::Minus => ("−", a.checked_sub(b)),
        Arith::Times => ("×", a.checked_mul(b)),
        Arith::Over if b.is_zero() => return unknown(format!("{} ÷ 0 has no answer", left.numbers)),
        Arith::Over => ("÷", a.checked_div(b)),
    };
    let numbers = format!("{} {sign} {}", left.numbers, right.numbers);
    let Some(value) = value else { return unknown(format!("{numbers} is too large")) };
    Ok(Computed { value: Value::Number(value), numbers, rates: joined(left.rates, right.rates) })
}

fn compare(op: Compare, left: &Node, right: &Node, inputs: &Inputs<'_>, end: End) -> Answer {
    let (left, right) = (eval(left, inputs, end)?, eval(right, inputs, end)?);
    let order = match (&left.value, &right.value) {
        (Value::Number(a), Value::Number(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Flag(a), Value::Flag(b)) => a.cmp(b),
        (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
        _ => return unknown(format!("{} and {} cannot be compared", left.numbers, right.numbers)),
    };
    let (sign, holds) = match op {
        Compare::Equal => ("=", order == Ordering::Equal),
        Compare::NotEqual => ("≠", order != Ordering::Equal),
        Compare::Less => ("<", order == Ordering::Less),
        Compare::LessOrEqual => ("≤", order != Ordering::Greater),
        Compare::Greater => (">", order == Ordering::Greater),
        Compare::GreaterOrEqual => ("≥", order != Ordering::Less),
    };
    let numbers = format!("{} {sign} {}", left.numbers, right.numbers);
    Ok(Computed { value: Value::Flag(holds), numbers, rates: joined(left.rates, right.rates) })
}

/// AND and OR: the second operand is read only when the first does not settle it.
fn either(left: &Node, right: &Node, settles: bool, inputs: &Inputs<'_>, end: End) -> Answer {
    let left = eval(left, inputs, end)?;
    if flag_of(&left)? == settles {
        return Ok(left);
    }
    let right = eval(right, inputs, end)?;
    flag_of(&right)?;
    let word = if settles { "or" } else { "and" };
    let numbers = format!("{} {word} {}", left.numbers, right.numbers);
    Ok(Computed { value: right.value, numbers, rates: joined(left.rates, right.rates) })
}

/// The first branch whose condition holds; only the conditions up to it and its own answer are read.
fn case(branches: &[(Node, Node)], otherwise: Option<&Node>, inputs: &Inputs<'_>, end: End) -> Answer {
    for (when, then) in branches {
        if flag_of(&eval(when, inputs, end)?)? {
            return eval(then, inputs, end);
        }
    }
    match otherwise {
        Some(otherwise) => eval(otherwise, inputs, end),
        None => unknown("no case applies"),
    }
}

fn picked(pick: Pick, of: &[Node], inputs: &Inputs<'_>, end: End) -> Answer {
    let answers = of.iter().map(|node| eval(node, inputs, end)).collect::<Result<Vec<_>, _>>()?;
    let values = answers.iter().map(number_of).collect::<Result<Vec<_>, _>>()?;
    let (name, value) = match pick {
        Pick::Least => ("least", values.into_iter().min()),
        Pick::Greatest => ("greatest", values.into_iter().max()),
    };
    let numbers = answers.iter().map(|answer| answer.numbers.as_str()).collect::<Vec<_>>().join(", ");
    let rates = answers.into_iter().map(|answer| answer.rates).fold(Vec::new(), joined);
    let Some(value) = value else { return unknown(format!("`{name}` of nothing")) };
    Ok(Computed { value: Value::Number(value), numbers: format!("{name}({numbers})"), rates })
}

fn sized(size: Size, inner: &Node, inputs: &Inputs<'_>, end: End) -> Answer {
    let inner = eval(inner, inputs, end)?;
    let (name, bytes) = match size {
        Size::Gib => ("GiB", Decimal::from(1_u64 << 30)),
        Size::Tib => ("TiB", Decimal::from(1_u64 << 40)),
    };
    let value = number_of(&inner)? / bytes;
    Ok(Computed { value: Value::Number(value), numbers: format!("{} {name}", shown(value)), rates: inner.rates })
}

fn rate(item: &str, quantity: Option<&Node>, inputs: &Inputs<'_>, end: End) -> Answer {
    let quantity = quantity.map(|node| number_of(&eval(node, inputs, end)?)).transpose()?;
    match inputs.card.rate_for(item, inputs.region, quantity, end) {
        Ok(rate) => {
            let numbers = format!("${} per {}", shown(rate.value), rate.unit);
            Ok(Computed { value: Value::Number(rate.value), numbers, rates: vec![rate] })
        }
        Err(missing) => unknown(missing.to_string()),
    }
}
