//! Amounts as AWS's advisers send them, as decimals. Never computes with a float.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use crate::model::money::MONEY_SCALE;

/// Returns a number that came as a float; `None` for what is no number.
pub fn of_float(value: f64) -> Option<Decimal> {
    Decimal::from_f64(value).map(|number| number.round_dp(MONEY_SCALE))
}

/// Returns a number that came as text; `None` for what is no number.
pub fn of_text(text: &str) -> Option<Decimal> {
    let parsed = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text));
    parsed.ok().map(|number| number.round_dp(MONEY_SCALE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_is_the_decimal_that_was_written() {
        assert_eq!(of_float(12.34).map(|n| n.to_string()).as_deref(), Some("12.34"));
        assert_eq!(of_float(f64::NAN), None);
        assert_eq!(of_text("1.5E2").map(|n| n.normalize().to_string()).as_deref(), Some("150"));
        assert_eq!(of_text("n/a"), None);
    }
}
