//! The SDK's instants as ours.

use chrono::{DateTime, NaiveDate, Utc};

/// Returns the instant in UTC; `None` for years that no calendar of ours has.
pub fn utc(instant: &aws_smithy_types::DateTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(instant.secs(), instant.subsec_nanos())
}

/// Returns the day, UTC, of an instant.
pub fn day(instant: &aws_smithy_types::DateTime) -> Option<NaiveDate> {
    utc(instant).map(|at| at.date_naive())
}

/// Returns the SDK's instant at the start of `day`, UTC.
pub fn start_of(day: NaiveDate) -> aws_smithy_types::DateTime {
    aws_smithy_types::DateTime::from_secs(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_keeps_its_name_through_the_sdk_and_back() {
        let day_one = NaiveDate::from_ymd_opt(2026, 2, 28).unwrap();
        assert_eq!(day(&start_of(day_one)), Some(day_one));
        assert_eq!(day(&aws_smithy_types::DateTime::from_secs(i64::MAX)), None);
    }
}
