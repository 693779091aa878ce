//! An amount of dollars as people type it on the command line.

use rust_decimal::Decimal;

use crate::model::Money;

/// Reads `12.50` or `$12.50`; for clap's `value_parser`.
///
/// # Errors
/// It is no amount, or less than nothing.
pub fn dollars(text: &str) -> Result<Money, String> {
    let usd: Decimal = text
        .strip_prefix('$')
        .unwrap_or(text)
        .parse()
        .map_err(|_| "it is not an amount of dollars, like 12.50".to_owned())?;
    if usd.is_sign_negative() { Err("it is less than nothing".to_owned()) } else { Ok(Money::new(usd)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_may_have_a_dollar_sign_and_is_not_negative() {
        assert_eq!(dollars("12.50"), dollars("$12.50"));
        assert_eq!(dollars("0").unwrap(), Money::ZERO);
        assert!(["-1", "$-1", "$$1", "", "lots", "1,50"].iter().all(|text| dollars(text).is_err()));
    }
}
