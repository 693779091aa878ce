//! One file of AWS's public price list: the offer of one service in one Region, as CSV, read while it arrives.
//!
//! Keeps only On-Demand prices in dollars of the usage types that were asked for. Judges nothing: what a row is worth
//! for an item of the book is decided in `refresh`.
//!
//! Format: <https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html>

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate};
use rust_decimal::Decimal;

use super::records::{Records, TooLong};
use super::region;

/// The columns that are read, lower-case and without spaces: AWS writes `usageType` and `Usage Type`.
const COLUMNS: [&str; 7] = ["sku", "termtype", "startingrange", "priceperunit", "currency", "usagetype", "operation"];

/// A price as the list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Usage type without its Region code.
    pub usage_type: String,
    /// Operation; empty for most.
    pub operation: String,
    /// SKU: the same product from the first tier to the last.
    pub sku: String,
    /// Quantity at which the tier begins.
    pub from: Decimal,
    /// Dollars for one unit.
    pub usd: Decimal,
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// `AmazonS3`.
    pub code: String,
    /// The day on which AWS published it.
    pub published: NaiveDate,
    /// AWS's name of this edition: `20261120183012`.
    pub version: String,
    /// The prices that were asked for, in the order of the file.
    pub prices: Vec<Listed>,
}

/// Why a file could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// The connection, or whoever wrote the file, stopped early.
    #[error("the file ends in the middle")]
    CutShort,
    /// It is something else.
    #[error("this is not a price list: {0}")]
    NotAList(String),
    /// It is of another service or Region.
    #[error("the file is of `{found}`, not of `{asked}`")]
    Another {
        /// What was asked for.
        asked: String,
        /// What the file calls itself.
        found: String,
    },
    /// A price that is not a number.
    #[error("`{0}` is not a number")]
    NotANumber(String),
}

impl From<TooLong> for OfferError {
    fn from(_: TooLong) -> Self {
        OfferError::NotAList("a line does not end".to_owned())
    }
}

/// Reads one file, piece by piece.
pub struct OfferReader {
    region: String,
    wanted: BTreeSet<String>,
    records: Records,
    head: BTreeMap<String, String>,
    /// Number of cells in a line, and where the columns stand.
    header: Option<(usize, [usize; 7])>,
    prices: Vec<Listed>,
}

impl OfferReader {
    /// Returns the reader of a Region's file that keeps these usage types (without Region code).
    pub fn new(region: &str, wanted: BTreeSet<String>) -> Self {
        let (records, head) = (Records::new(), BTreeMap::new());
        OfferReader { region: region.to_owned(), wanted, records, head, header: None, prices: Vec::new() }
    }

    /// Reads a piece of the file.
    ///
    /// # Errors
    /// It is no price list.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), OfferError> {
        let OfferReader { region, wanted, records, head, header, prices } = self;
        records.push(piece, |cells| match header {
            Some((width, at)) => {
                prices.extend(listed(cells, *width, at, region, wanted)?);
                Ok(())
            }
            None => begin(cells, head).map(|found| *header = found),
        })
    }

    /// Returns what the file said, when all of it was there.
    ///
    /// # Errors
    /// It was cut short, is of another service, or is no price list.
    pub fn finish(self, code: &str) -> Result<Offer, OfferError> {
        if self.head.is_empty() {
            return Err(OfferError::NotAList("it does not begin with its name and date".to_owned()));
        }
        if !self.records.is_between_records() || self.header.is_none() {
            return Err(OfferError::CutShort);
        }
        let said = |name: &str| {
            self.head.get(name).cloned().ok_or_else(|| OfferError::NotAList(format!("it does not say its {name}")))
        };
        let found = said("offercode")?;
        if found != code {
            return Err(OfferError::Another { asked: code.to_owned(), found });
        }
        let published = said("publicationdate")?;
        let published = DateTime::parse_from_rfc3339(&published)
            .map_err(|_| OfferError::NotAList(format!("`{published}` is not a time")))?;
        let version = said("version")?;
        if version.is_empty() || !version.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(OfferError::NotAList(format!("`{version}` is not a version")));
        }
        Ok(Offer { code: found, published: published.to_utc().date_naive(), version, prices: self.prices })
    }
}

/// Reads a line above the header, or the header itself.
fn begin(cells: &[String], head: &mut BTreeMap<String, String>) -> Result<Option<(usize, [usize; 7])>, OfferError> {
    let name = |cell: &String| cell.to_ascii_lowercase().replace([' ', '\u{feff}'], "");
    let names: Vec<String> = cells.iter().map(name).collect();
    if names.first().is_none_or(|first| first != COLUMNS[0]) {
        let [key, value] = cells else {
            return Err(OfferError::NotAList("it does not begin with its name and date".to_owned()));
        };
        head.insert(name(key), value.clone());
        return Ok(None);
    }
    let mut at = [0; 7];
    for (column, place) in COLUMNS.iter().zip(&mut at) {
        let found = names.iter().position(|name| name == column);
        *place = found.ok_or_else(|| OfferError::NotAList(format!("it has no column `{column}`")))?;
    }
    Ok(Some((cells.len(), at)))
}

fn listed(
    cells: &[String],
    width: usize,
    at: &[usize; 7],
    region: &str,
    wanted: &BTreeSet<String>,
) -> Result<Option<Listed>, OfferError> {
    if cells.len() != width {
        return Err(OfferError::CutShort);
    }
    let [sku, term, from, usd, currency, usage_type, operation] = at.map(|place| cells[place].as_str());
    let (of, bare) = region::split(usage_type);
    let here = of.unwrap_or("us-east-1") == region;
    if term != "OnDemand" || currency != "USD" || !here || !wanted.contains(bare) {
        return Ok(None);
    }
    let number = |text: &str| {
        let read = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text));
        read.map_err(|_| OfferError::NotANumber(text.to_owned()))
    };
    Ok(Some(Listed {
        usage_type: bare.to_owned(),
        operation: operation.to_owned(),
        sku: sku.to_owned(),
        from: number(from)?,
        usd: number(usd)?.normalize(),
    }))
}

#[cfg(test)]
pub(super) mod tests {
    use std::fmt::Write;

    use super::*;

    /// A file in AWS's shape with these lines: SKU, term, from, price, usage type, operation.
    pub fn file(code: &str, lines: &[[&str; 6]]) -> String {
        let mut text = format!(
            "\"FormatVersion\",\"v1.0\"\n\"Disclaimer\",\"For information, \"\"only\"\"\"\n\
             \"Publication Date\",\"2026-11-20T18:30:12Z\"\n\"Version\",\"20261120183012\"\n\"OfferCode\",\"{code}\"\n\
             \"SKU\",\"OfferTermCode\",\"RateCode\",\"TermType\",\"PriceDescription\",\"EffectiveDate\",\
             \"StartingRange\",\"EndingRange\",\"Unit\",\"PricePerUnit\",\"Currency\",\"Product Family\",\
             \"serviceCode\",\"Location\",\"usageType\",\"operation\",\"Region Code\",\"serviceName\"\n"
        );
        for [sku, term, from, usd, usage_type, operation] in lines {
            let _ = writeln!(
                text,
                "\"{sku}\",\"JRTC\",\"{sku}.JRTC\",\"{term}\",\"$ per, month\",\"2026-11-01\",\"{from}\",\"Inf\",\
                 \"GB-Mo\",\"{usd}\",\"USD\",\"Storage\",\"{code}\",\"here\",\"{usage_type}\",\"{operation}\",\"r\",\"s\""
            );
        }
        text
    }

    /// Reads a file in pieces of 7 bytes.
    pub fn read(text: &str, code: &str, region: &str, wanted: &[&str]) -> Result<Offer, OfferError> {
        let mut reader = OfferReader::new(region, wanted.iter().map(|&name| name.to_owned()).collect());
        for piece in text.as_bytes().chunks(7) {
            reader.push(piece)?;
        }
        reader.finish(code)
    }

    const LINES: &[[&str; 6]] = &[
        ["S1", "OnDemand", "0", "0.0230000000", "EU-TimedStorage-ByteHrs", ""],
        ["S1", "OnDemand", "51200", "0.0220000000", "EU-TimedStorage-ByteHrs", ""],
        ["S2", "Reserved", "0", "0.0100000000", "EU-TimedStorage-ByteHrs", ""],
        ["S3", "OnDemand", "0", "0.0250000000", "EUC1-TimedStorage-ByteHrs", ""],
        ["S4", "OnDemand", "0", "0.0125000000", "EU-TimedStorage-SIA-ByteHrs", ""],
    ];

    #[test]
    fn only_on_demand_prices_of_this_region_and_these_usage_types_are_kept() {
        let offer = read(&file("AmazonS3", LINES), "AmazonS3", "eu-west-1", &["TimedStorage-ByteHrs"]).unwrap();
        let found: Vec<(String, String)> =
            offer.prices.iter().map(|price| (price.from.to_string(), price.usd.to_string())).collect();
        assert_eq!(found, [("0".into(), "0.023".into()), ("51200".into(), "0.022".into())]);
        assert_eq!((offer.published.to_string().as_str(), offer.version.as_str()), ("2026-11-20", "20261120183012"));
    }

    #[test]
    fn a_file_that_is_cut_anywhere_is_never_taken_for_a_whole_one_unless_a_line_ended() {
        let text = file("AmazonS3", LINES);
        for cut in 0..text.len() {
            let read = read(&text[..cut], "AmazonS3", "eu-west-1", &["TimedStorage-ByteHrs"]);
            let whole_lines = text[..cut].ends_with('\n') && text[..cut].contains("\"SKU\"");
            assert_eq!(read.is_ok(), whole_lines, "cut at {cut}: {read:?}");
        }
    }

    #[test]
    fn another_offer_a_page_and_a_price_that_is_none_are_refused() {
        let other = read(&file("AmazonEC2", LINES), "AmazonS3", "eu-west-1", &[]).unwrap_err();
        assert_eq!(other, OfferError::Another { asked: "AmazonS3".into(), found: "AmazonEC2".into() });
        let page = read("<html>\n<body>sign in</body>\n", "AmazonS3", "eu-west-1", &[]).unwrap_err();
        assert!(matches!(page, OfferError::NotAList(_)), "{page}");
        let lines = [["S1", "OnDemand", "0", "dear", "TimedStorage-ByteHrs", ""]];
        let wrong = read(&file("AmazonS3", &lines), "AmazonS3", "us-east-1", &["TimedStorage-ByteHrs"]).unwrap_err();
        assert_eq!(wrong, OfferError::NotANumber("dear".into()));
    }
}
