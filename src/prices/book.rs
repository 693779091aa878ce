//! The price book: list prices with unit, tier, mark, date and source, read from one data file in the crate.
//!
//! Reads nothing from AWS and invents nothing: a cell that nobody read is absent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::region;
use crate::model::Money;

const BOOK: &str = include_str!("book.csv");
/// The place of items that have one price everywhere.
pub const GLOBAL: &str = "global";

/// How well a price is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// A price list or price file of AWS was read in 2026.
    Read2026,
    /// The newest price file of AWS that was read is of 2025 or late 2024.
    Read2025,
    /// Independent texts agree.
    Corroborated,
    /// AWS's public price list, read by `prices refresh`.
    Refreshed,
    /// One weak source, or derived: shown, never used in arithmetic.
    Unverified,
}

impl Mark {
    const ALL: [Mark; 5] = [Mark::Read2026, Mark::Read2025, Mark::Corroborated, Mark::Refreshed, Mark::Unverified];

    /// Returns the mark as it stands in the data file.
    pub const fn code(self) -> &'static str {
        match self {
            Mark::Read2026 => "P26",
            Mark::Read2025 => "P25",
            Mark::Corroborated => "C",
            Mark::Refreshed => "R",
            Mark::Unverified => "U",
        }
    }

    /// Returns the mark in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mark::Read2026 => "price list read in 2026",
            Mark::Read2025 => "price file of 2025 or late 2024",
            Mark::Corroborated => "independent texts agree",
            Mark::Refreshed => "refreshed from AWS's price list",
            Mark::Unverified => "unverified: not used",
        }
    }
}

/// One cell of the book: the list price of an item in a Region from a quantity on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// Dotted name.
    pub item: String,
    /// Region, or `global`.
    pub region: String,
    /// Usage types that are billed at this price, as the data file writes them.
    pub usage_types: String,
    /// What one unit is: `GB-month`, `request`.
    pub unit: String,
    /// The price is for this many units.
    pub per: Decimal,
    /// Quantity a month, in `unit`, at which the tier begins.
    pub from: Decimal,
    /// Dollars for `per` units.
    pub usd: Money,
    /// How well it is known.
    pub mark: Mark,
    /// Day of the oldest reading that the mark rests on.
    pub date: NaiveDate,
    /// Where it was read, in words.
    pub source: String,
}

impl Price {
    /// Returns the dollars for one unit.
    pub fn per_unit(&self) -> Decimal {
        self.usd.usd() / self.per
    }

    /// Returns the usage types, without Region code, whose names are verified.
    pub fn sure_usage_types(&self) -> impl Iterator<Item = &str> {
        let sure = self.usage_types.split('|').filter(|name| !name.is_empty() && !name.ends_with('?'));
        sure.map(|name| name.trim_start_matches("*-"))
    }
}

/// Why the data file could not be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the price book: {what}")]
pub struct PriceError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// The list prices that leanlake carries.
#[derive(Clone, Debug, Default)]
pub struct PriceBook {
    /// (item, Region) to its tiers, cheapest quantity first.
    cells: BTreeMap<(String, String), Vec<Price>>,
    /// Usage type without Region code to the items that are billed under it.
    items: BTreeMap<String, BTreeSet<String>>,
}

impl PriceBook {
    /// Returns the book that is part of the crate.
    ///
    /// # Errors
    /// The data file is malformed; a test keeps that from being released.
    pub fn embedded() -> Result<Self, PriceError> {
        Self::parse(BOOK)
    }

    /// Returns the book written in `text`: comment lines, `# source KEY: words` among them, a header, one line a cell.
    ///
    /// # Errors
    /// A line that is malformed, repeats a cell, or names a source that is not given.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let mut book = PriceBook::default();
        let mut sources = BTreeMap::new();
        let mut header = true;
        for (at, line) in text.lines().enumerate() {
            let wrong = |what: String| PriceError { line: at + 1, what };
            if let Some(comment) = line.strip_prefix('#') {
                sources.extend(comment.trim().strip_prefix("source ").and_then(|rest| rest.split_once(": ")));
            } else if !std::mem::take(&mut header) {
                book.add(cell(line, &sources).map_err(wrong)?).map_err(wrong)?;
            }
        }
        Ok(book)
    }

    fn add(&mut self, price: Price) -> Result<(), String> {
        for name in price.sure_usage_types() {
            self.items.entry(name.to_owned()).or_default().insert(price.item.clone());
        }
        let tiers = self.cells.entry((price.item.clone(), price.region.clone())).or_default();
        if tiers.last().is_some_and(|last| last.from >= price.from) {
            return Err(format!("`{}` in {}: tiers are not in rising order", price.item, price.region));
        }
        tiers.push(price);
        Ok(())
    }

    /// Returns the book of these prices.
    ///
    /// # Errors
    /// The tiers of an item are not in rising order.
    pub fn of(prices: impl IntoIterator<Item = Price>) -> Result<Self, PriceError> {
        let mut book = PriceBook::default();
        for (at, price) in prices.into_iter().enumerate() {
            book.add(price).map_err(|what| PriceError { line: at + 1, what })?;
        }
        Ok(book)
    }

    /// Returns the book with the prices of `newer` in the place of its own: all tiers of an item in a Region together.
    #[must_use]
    pub fn with(mut self, newer: &PriceBook) -> Self {
        self.cells.extend(newer.cells.clone());
        for (name, items) in &newer.items {
            self.items.entry(name.clone()).or_default().extend(items.iter().cloned());
        }
        self
    }

    /// Returns the data file that [`PriceBook::parse`] reads.
    pub fn write(&self) -> String {
        let sources: BTreeSet<&str> = self.prices().map(|price| price.source.as_str()).collect();
        let key = |source: &str| sources.iter().position(|known| *known == source).unwrap_or_default() + 1;
        let mut text = String::new();
        for source in &sources {
            let _ = writeln!(text, "# source {}: {source}", key(source));
        }
        text.push_str("item,usage_type,unit,per,from,region,usd,mark,date,source\n");
        for price in self.prices() {
            let Price { item, region, usage_types, unit, per, from, usd, mark, date, source } = price;
            let (usd, mark, source) = (usd.usd(), mark.code(), key(source));
            let _ = writeln!(text, "{item},{usage_types},{unit},{per},{from},{region},{usd},{mark},{date},{source}");
        }
        text
    }

    /// Returns the unit of `item`: what one of it is.
    pub fn unit(&self, item: &str) -> Option<&str> {
        self.any(item).map(|price| price.unit.as_str())
    }

    /// Returns every cell, by item, Region and tier.
    pub fn prices(&self) -> impl Iterator<Item = &Price> {
        self.cells.values().flatten()
    }

    /// Returns the tiers of `item` in `region` from the first on; empty when there is no price.
    pub fn tiers(&self, item: &str, region: &str) -> &[Price] {
        let of = |place: &str| self.cells.get(&(item.to_owned(), place.to_owned()));
        of(region).or_else(|| of(GLOBAL)).map_or(&[], Vec::as_slice)
    }

    /// Returns any cell of `item`: what its unit and usage types are, whatever the Region.
    pub fn any(&self, item: &str) -> Option<&Price> {
        self.cells.range((item.to_owned(), String::new())..).next().filter(|((name, _), _)| name == item)?.1.first()
    }

    /// Returns the usage type of `item` as it is billed in `region`; `None` when its name is not known for sure.
    pub fn usage_type(&self, item: &str, region: &str) -> Option<String> {
        let price = self.any(item)?;
        let name = price.usage_types.split('|').next().filter(|name| !name.is_empty() && !name.ends_with('?'))?;
        if price.region == GLOBAL {
            return Some(name.to_owned());
        }
        let code = region::code_of(region)?;
        Some(match name.strip_prefix("*-") {
            Some(rest) => format!("{code}-{rest}"),
            None if region == "us-east-1" => name.to_owned(),
            None => format!("{code}-{name}"),
        })
    }

    /// Returns the item and Region that a billed usage type pays for; `None` when it is not in the book or when
    /// several items are billed under the one name.
    pub fn item_of(&self, usage_type: &str) -> Option<(&str, &str)> {
        if let Some(item) = self.only_item(usage_type).filter(|item| self.any(item).is_some_and(|p| p.region == GLOBAL))
        {
            return Some((item, GLOBAL));
        }
        let (region, bare) = region::split(usage_type);
        Some((self.only_item(bare)?, region.unwrap_or("us-east-1")))
    }

    fn only_item(&self, bare: &str) -> Option<&str> {
        let items = self.items.get(bare)?;
        items.first().filter(|_| items.len() == 1).map(String::as_str)
    }

    /// Returns the usage types, without Region code, that have a price by Region.
    pub(super) fn regional_usage_types(&self) -> BTreeSet<String> {
        let regional = |item: &String| self.any(item).is_some_and(|price| price.region != GLOBAL);
        self.items.iter().filter(|(_, items)| items.iter().all(regional)).map(|(name, _)| name.clone()).collect()
    }
}

fn cell(line: &str, sources: &BTreeMap<&str, &str>) -> Result<Price, String> {
    let fields: Vec<&str> = line.split(',').collect();
    let [item, usage_types, unit, per, from, place, usd, mark, date, source] = fields[..] else {
        return Err(format!("has {} fields, not 10", fields.len()));
    };
    let number = |text: &str| text.parse::<Decimal>().map_err(|_| format!("`{text}` is not a number"));
    let per = number(per)?;
    if per <= Decimal::ZERO {
        return Err("`per` must be above 0".to_owned());
    }
    Ok(Price {
        item: item.to_owned(),
        region: place.to_owned(),
        usage_types: usage_types.to_owned(),
        unit: unit.to_owned(),
        per,
        from: number(from)?,
        usd: Money::new(number(usd)?),
        mark: Mark::ALL.into_iter().find(|m| m.code() == mark).ok_or_else(|| format!("`{mark}` is not a mark"))?,
        date: date.parse().map_err(|_| format!("`{date}` is not a day"))?,
        source: sources.get(source).ok_or_else(|| format!("source `{source}` is not given"))?.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::storage_type::STORAGE_TYPES;

    const REGIONS: [&str; 6] =
        ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-northeast-1", "ap-southeast-1"];

    fn book() -> PriceBook {
        PriceBook::embedded().unwrap()
    }

    #[test]
    fn the_embedded_book_is_well_formed_and_prices_every_storage_class_in_six_regions() {
        let book = book();
        assert!(book.prices().count() > 600);
        for kind in STORAGE_TYPES {
            for region in REGIONS {
                assert!(!book.tiers(kind.item, region).is_empty(), "{} {region}", kind.item);
            }
        }
    }

    #[test]
    fn prices_that_a_reader_can_look_up() {
        let book = book();
        let first = |item: &str, region: &str| book.tiers(item, region)[0].usd.to_string();
        assert_eq!(first("s3.storage.standard", "us-east-1"), "0.023");
        assert_eq!(first("s3.storage.glacier_ir", "eu-central-1"), "0.005");
        assert_eq!(first("s3.requests.standard.tier1", "ap-northeast-1"), "0.0047");
        assert_eq!(first("athena.sql.scanned", "ap-southeast-1"), "5.00");
        assert_eq!(first("network.inter_region.us_east_1", "ap-northeast-1"), "0.09");
        assert_eq!(first("api.costexplorer.request", "eu-west-1"), "0.01");
    }

    /// A changed cell must be meant. Who changes one writes the new digest here, and in the commit why: which price was
    /// read where, and on which day.
    #[test]
    fn no_cell_of_the_book_changes_by_accident() {
        use sha2::{Digest, Sha256};
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(BOOK.as_bytes()));
        assert_eq!(digest, "80c5b2a6f2d31646d328637a9c9959ea04e7e0f3280945541f787bd75b710d0e");
    }

    #[test]
    fn what_nobody_read_is_absent_and_never_free() {
        let book = book();
        assert!(book.tiers("athena.capacity", "eu-central-1").is_empty());
        assert!(book.tiers("glue.ray", "ap-southeast-1").is_empty());
        assert!(book.tiers("redshift.managed_storage", "eu-west-1").is_empty());
        assert!(book.tiers("s3.storage.standard", "sa-east-1").is_empty());
    }

    #[test]
    fn usage_types_carry_the_code_of_their_region() {
        let book = book();
        let named = |item: &str, region: &str| book.usage_type(item, region).unwrap();
        assert_eq!(named("s3.storage.standard", "us-east-1"), "TimedStorage-ByteHrs");
        assert_eq!(named("s3.storage.standard", "eu-west-1"), "EU-TimedStorage-ByteHrs");
        assert_eq!(named("athena.sql.scanned", "ap-southeast-1"), "APS1-DataScannedInTB");
        assert_eq!(named("network.inter_region.eu_west_1", "us-east-1"), "USE1-EU-AWS-Out-Bytes");
        assert_eq!(book.usage_type("athena.capacity", "us-east-1"), None, "its name is not verified");
    }

    #[test]
    fn every_sure_usage_type_leads_back_to_its_item_unless_several_share_it() {
        let book = book();
        for price in book.prices() {
            let Some(name) = book.usage_type(&price.item, &price.region) else { continue };
            if let Some(found) = book.item_of(&name) {
                assert_eq!(found, (price.item.as_str(), price.region.as_str()), "{name}");
            }
        }
        assert_eq!(book.item_of("USE1-DataScannedInTB"), Some(("athena.sql.scanned", "us-east-1")));
        assert_eq!(book.item_of("EU-TimedStorage-SIA-SmObjects"), Some(("s3.storage.standard_ia", "eu-west-1")));
        assert_eq!(book.item_of("USE1-APIRequest"), Some(("api.costexplorer.request", "global")));
        assert_eq!(book.item_of("Requests-Tier4"), None, "transitions into four classes share it");
        assert_eq!(book.item_of("Standard-Retrieval-Bytes"), None);
    }

    #[test]
    fn a_malformed_line_is_named() {
        let error =
            PriceBook::parse("# source a: b\nheader\nx,y,GB,1,0,us-east-1,dear,P26,2026-01-01,a\n").unwrap_err();
        assert_eq!(error.to_string(), "line 3 of the price book: `dear` is not a number");
    }
}
