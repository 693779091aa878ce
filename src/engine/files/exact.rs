//! Numbers of foreign files as decimal(28,12). Floating point becomes the shortest number that it stands for, rounded
//! half up, as Trino casts it: never the digits that only its binary form has.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::store::table::{DECIMAL_PRECISION, DECIMAL_SCALE};

/// 2^44 units of 10^-12: below it a double errs by less than [`NEAR_HALF`], so the short way rounds as the digits do.
const SAFE_UNITS: f64 = 17_592_186_044_416.0;
/// A tenth of a unit: what sums of floating point leave over, `2.7755575615628914E-17`.
const TINY: f64 = 1e-13;
/// How near to a half the fraction of a unit may be before the digits decide.
const NEAR_HALF: f64 = 0.01;

/// Returns the number in units of 10^-12; `None` for what is no number, or too large.
pub fn from_text(text: &str) -> Option<i128> {
    let text = text.trim();
    let number = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text));
    match number {
        Ok(number) => units(number),
        // Too many places for a decimal: what is far below a unit is none of it.
        Err(_) => text.parse::<f64>().is_ok_and(|number| number.abs() < TINY).then_some(0),
    }
}

/// The same for floating point.
#[expect(clippy::float_arithmetic, reason = "from floating point to decimals")]
#[expect(clippy::cast_possible_truncation, reason = "below 2^51 whole doubles are whole numbers")]
pub fn from_float(number: f64) -> Option<i128> {
    let scaled = number * 1e12;
    let far_from_half = ((scaled.abs().fract()) - 0.5).abs() > NEAR_HALF;
    if scaled.abs() < SAFE_UNITS && far_from_half {
        return Some(i128::from(scaled.round() as i64));
    }
    if !number.is_finite() {
        return None;
    }
    // The shortest text that reads back as the same double.
    from_text(&format!("{number:e}"))
}

/// The same for a decimal.
pub fn units(number: Decimal) -> Option<i128> {
    let scale = DECIMAL_SCALE.unsigned_abs().into();
    let mut rounded = number.round_dp_with_strategy(scale, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(scale);
    let most = 10_u128.pow(DECIMAL_PRECISION.into());
    (rounded.scale() == scale && rounded.mantissa().unsigned_abs() < most).then(|| rounded.mantissa())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn floating_point_and_text_are_the_same_number() {
        for (text, units) in [
            ("0.1", 100_000_000_000),
            ("8e-7", 800_000),
            ("2.7755575615628914E-17", 0),
            ("-1e-40", 0),
            ("0.0000000000005", 1),
            ("0.0000000000115", 12),
            ("-0.0000000000115", -12),
            ("1234567.89", 1_234_567_890_000_000_000),
            ("-513.9330847586795", -513_933_084_758_680),
            ("123456789012.345", 123_456_789_012_345_000_000_000),
        ] {
            assert_eq!(from_text(text), Some(units), "{text}");
            assert_eq!(from_float(text.parse().unwrap()), Some(units), "{text}");
        }
        assert_eq!((from_float(f64::NAN), from_float(1e300), from_text("12 USD")), (None, None, None));
    }

    proptest! {
        #[test]
        fn a_number_written_with_twelve_digits_survives_floating_point(units in -2_000_000_000_000_000_i64..2_000_000_000_000_000) {
            let number = Decimal::new(units, 12);
            let float: f64 = number.to_string().parse().unwrap();
            prop_assert_eq!(from_float(float), Some(i128::from(units)));
        }

        #[test]
        fn the_short_way_and_the_digits_agree(float in -2000.0..2000.0_f64) {
            prop_assert_eq!(from_float(float), from_text(&format!("{float:e}")));
        }
    }
}
