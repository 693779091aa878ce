//! Prices that were read again after the book was printed: one file for each refresh, never changed.
//!
//! A file holds every newer price that is known at its time, so the newest is enough; the older ones tell what changed.

use std::fmt::Write;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use rust_decimal::Decimal;

use super::book::{Price, PriceBook, PriceError};

/// What `prices refresh` kept at one time.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// When it was done.
    pub read_at: DateTime<Utc>,
    /// The host that was asked where it was not AWS: such prices must not look real.
    pub endpoint: Option<String>,
    /// Every price that is newer than the embedded book.
    pub book: PriceBook,
}

/// Why a file of prices cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RefreshedError {
    /// A line of it.
    #[error(transparent)]
    Line(#[from] PriceError),
    /// Its head.
    #[error("it does not begin with the time and place of a refresh")]
    Head,
}

/// A price that became another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The price now.
    pub price: Price,
    /// The one before in the same tier: dollars for as many units, and its date; `None` where there was none.
    pub before: Option<(Decimal, NaiveDate)>,
    /// When the change was seen.
    pub seen: DateTime<Utc>,
}

impl Refreshed {
    /// Returns the file.
    pub fn write(&self) -> String {
        let mut text = format!("# refreshed {}\n", self.read_at.to_rfc3339_opts(SecondsFormat::Secs, true));
        if let Some(host) = &self.endpoint {
            let _ = writeln!(text, "# endpoint {host}");
        }
        text + &self.book.write()
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It is damaged.
    pub fn parse(text: &str) -> Result<Self, RefreshedError> {
        let said = |key: &str| text.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(key));
        let read_at = said("refreshed ").and_then(|time| DateTime::parse_from_rfc3339(time).ok());
        let read_at = read_at.ok_or(RefreshedError::Head)?.to_utc();
        Ok(Refreshed { read_at, endpoint: said("endpoint ").map(str::to_owned), book: PriceBook::parse(text)? })
    }
}

/// Returns every change from the embedded book over refreshes in the order they were made.
pub fn changes(embedded: &PriceBook, refreshes: &[Refreshed]) -> Vec<Changed> {
    let (mut known, mut found) = (embedded.clone(), Vec::new());
    for refresh in refreshes {
        found.extend(differences(&known, refresh));
        known = known.with(&refresh.book);
    }
    found
}

/// Returns what `refresh` says differently from `known`.
pub fn differences(known: &PriceBook, refresh: &Refreshed) -> Vec<Changed> {
    let compare = |price: &Price| {
        let tiers = known.tiers(&price.item, &price.region);
        let before = tiers.iter().find(|before| before.from == price.from);
        let before = before.map(|before| ((before.per_unit() * price.per).normalize(), before.date));
        let same = before.is_some_and(|(usd, _)| usd == price.usd.usd());
        (!same).then(|| Changed { price: price.clone(), before, seen: refresh.read_at })
    };
    refresh.book.prices().filter_map(compare).collect()
}

#[cfg(test)]
mod tests {
    use super::super::book::Mark;
    use super::*;
    use crate::model::Money;

    fn refreshed(day: &str, usd: &str) -> Refreshed {
        let embedded = PriceBook::embedded().unwrap();
        let mut price = embedded.tiers("athena.sql.scanned", "eu-west-1")[0].clone();
        price.usd = Money::new(usd.parse().unwrap());
        price.date = day.parse().unwrap();
        price.mark = Mark::Refreshed;
        price.source = format!("AWS price list of {day}: https://pricing.us-east-1.amazonaws.com/x");
        let book = PriceBook::of([price]).unwrap();
        Refreshed { read_at: format!("{day}T06:00:00Z").parse().unwrap(), endpoint: None, book }
    }

    #[test]
    fn a_file_reads_back_as_it_was_written() {
        let mut kept = refreshed("2026-11-20", "4.75");
        kept.endpoint = Some("127.0.0.1:4566".to_owned());
        let again = Refreshed::parse(&kept.write()).unwrap();
        assert_eq!((again.read_at, &again.endpoint), (kept.read_at, &kept.endpoint));
        assert!(again.book.prices().eq(kept.book.prices()));
        assert_eq!(again.write(), kept.write());
    }

    #[test]
    fn each_change_is_told_once_with_the_price_before_it() {
        let embedded = PriceBook::embedded().unwrap();
        let same = embedded.tiers("athena.sql.scanned", "eu-west-1")[0].usd.to_string();
        let refreshes =
            [refreshed("2026-12-01", &same), refreshed("2027-01-01", "4.5"), refreshed("2027-02-01", "4.25")];
        let told: Vec<String> = changes(&embedded, &refreshes)
            .iter()
            .map(|change| format!("{} {} {}", change.before.unwrap().0, change.price.usd, change.seen.date_naive()))
            .collect();
        assert_eq!(told, ["5 4.50 2027-01-01", "4.5 4.25 2027-02-01"]);
    }

    #[test]
    fn a_damaged_file_is_no_empty_one() {
        let text = refreshed("2026-11-20", "4.75").write();
        assert!(matches!(Refreshed::parse(&text.replace("# refreshed", "#")), Err(RefreshedError::Head)));
        assert!(matches!(Refreshed::parse(&text.replace("4.75", "dear")), Err(RefreshedError::Line(_))));
        assert!(matches!(Refreshed::parse(""), Err(RefreshedError::Head)));
    }
}
