//! A length of time as people write it: `90s`, `20m`, `2h`. Pure.

use std::time::Duration;

const UNITS: [(char, u64); 3] = [('h', 3_600), ('m', 60), ('s', 1)];

/// Returns the length of time that `text` says; `None` for anything else, and for no time at all.
pub fn parse(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let (_, seconds) = UNITS.into_iter().find(|(known, _)| *known == unit)?;
    let digits = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let seconds = digits.parse::<u64>().ok()?.checked_mul(seconds)?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// Returns `time` as [`parse`] reads it, in the largest unit that needs no fraction.
pub fn show(time: Duration) -> String {
    let seconds = time.as_secs();
    let fits = UNITS.into_iter().find(|(_, unit)| seconds.is_multiple_of(*unit));
    let (name, unit) = fits.unwrap_or(('s', 1));
    format!("{}{name}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_back() {
        for text in ["1s", "90s", "20m", "2h", "25h"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
        assert_eq!(parse("120m"), Some(Duration::from_hours(2)));
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for text in [
            "",
            "2",
            "h",
            "0s",
            "-1s",
            "+1s",
            "1.5h",
            "2 h",
            "2d",
            "ü",
            "99999999999999999999s",
            "9999999999999999999h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
