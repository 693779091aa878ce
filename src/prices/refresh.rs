//! Which prices of AWS's public list are prices of the book's items.
//!
//! An item gets a newer price only where one offer, usage type and (where several items share it) operation name it
//! alone. What does not fit leaves the older price and is said; nothing is guessed.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::book::{GLOBAL, Mark, Price, PriceBook};
use super::offer::{Listed, Offer};
use crate::model::Money;

/// An offer of the price list, and the items of the book that are sold in it.
#[derive(Clone, Copy, Debug)]
pub struct Shelf {
    /// AWS's code of the offer.
    pub offer: &'static str,
    /// Starts of item names.
    items: &'static [&'static str],
}

/// Offers in the order in which they claim an item: the first shelf whose start fits has it.
///
/// NAT gateways are sold in the offer of EC2, whose file is some hundred megabytes a Region: read only when it is named.
/// The offer of S3 lists transfer at 0.00, that of Glacier its storage as `TimedStorage-ByteHrs`, which is STANDARD's
/// name on the bill: so an item belongs to one offer.
pub const SHELVES: &[Shelf] = &[
    Shelf {
        offer: "AmazonS3GlacierDeepArchive",
        items: &[
            "s3.storage.deep_archive",
            "s3.requests.deep_archive.tier1",
            "s3.restore.deep_archive",
            "s3.retrieval.deep_archive",
            "s3.early_delete.deep_archive",
        ],
    },
    Shelf { offer: "AmazonGlacier", items: &["s3.retrieval.glacier", "s3.early_delete.glacier"] },
    Shelf { offer: "AmazonS3", items: &["s3"] },
    Shelf { offer: "AWSGlue", items: &["glue"] },
    Shelf { offer: "AmazonAthena", items: &["athena"] },
    Shelf { offer: "ElasticMapReduce", items: &["emr_serverless"] },
    Shelf { offer: "AmazonRedshift", items: &["redshift"] },
    Shelf { offer: "AmazonCloudWatch", items: &["api.cloudwatch"] },
    Shelf { offer: "AmazonVPC", items: &["network.endpoint", "network.public_ipv4"] },
    Shelf { offer: LARGE, items: &["network.nat", "network.nat_regional"] },
    Shelf {
        offer: "AWSDataTransfer",
        items: &["network.inter_region", "network.internet_out", "network.cross_az", "network.transfer_in"],
    },
];

/// The offer that is read only when it is named.
pub const LARGE: &str = "AmazonEC2";

/// Items that share a usage type with others, and the operation that tells them apart. Items that share one and are not
/// here keep the price of the book.
const OPERATIONS: &[(&str, &str)] =
    &[("s3.transition.glacier", "S3-GlacierTransition"), ("s3.transition.deep_archive", "S3-GDATransition")];

/// A newer price that is further than this from the one before is another unit, or a mistake.
const FURTHEST: Decimal = Decimal::TEN;

/// Why an item keeps its older price.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Kept {
    /// The file has no such usage type.
    #[error("the list does not have it")]
    NotListed,
    /// Several prices fit, and nothing tells them apart.
    #[error("the list has several prices for it")]
    Several,
    /// More than ten times, or less than a tenth of, the price before.
    #[error("the list's {found} for one {unit} is too far from {before}: not believed")]
    TooFar {
        /// What the list says for one unit.
        found: Decimal,
        /// What the book says.
        before: Decimal,
        /// The unit.
        unit: String,
    },
}

/// What one file gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The newer prices, by item and tier.
    pub prices: Vec<Price>,
    /// Items that keep their older price, and why.
    pub kept: Vec<(String, Kept)>,
}

/// Returns the usage types, without Region code, that an offer's file is read for.
pub fn wanted(book: &PriceBook, offer: &str) -> BTreeSet<String> {
    items(book, offer).into_values().collect()
}

/// Returns the prices that a file gives for the items of the book in `region`. `source` says where it was read.
pub fn read(book: &PriceBook, offer: &Offer, region: &str, source: &str) -> Reading {
    let mut reading = Reading::default();
    for (item, name) in items(book, &offer.code) {
        let rows: Vec<&Listed> = offer.prices.iter().filter(|row| row.usage_type == name).collect();
        let tiers = tiers(&rows, operation_of(&item)).and_then(|tiers| believable(book, &item, region, tiers));
        match tiers {
            Ok(tiers) => reading.prices.extend(priced(book, &item, region, &tiers, offer, source)),
            Err(kept) => reading.kept.push((item, kept)),
        }
    }
    reading
}

/// The items of an offer with the usage type that names each alone there: the first, where several cost the same.
fn items(book: &PriceBook, offer: &str) -> BTreeMap<String, String> {
    let named = |price: &Price| Some((price.item.clone(), price.sure_usage_types().next()?.to_owned()));
    let sold = book.prices().filter(|price| price.region != GLOBAL && shelf(&price.item) == Some(offer));
    let items: BTreeMap<String, String> = sold.filter_map(named).collect();
    let alone = |(item, name): &(&String, &String)| {
        operation_of(item).is_some() || items.values().filter(|other| other == name).count() == 1
    };
    items.iter().filter(alone).map(|(item, name)| (item.clone(), name.clone())).collect()
}

fn shelf(item: &str) -> Option<&'static str> {
    let below = |start: &str| item.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    SHELVES.iter().find(|shelf| shelf.items.iter().copied().any(below)).map(|shelf| shelf.offer)
}

fn operation_of(item: &str) -> Option<&'static str> {
    OPERATIONS.iter().find(|(of, _)| *of == item).map(|(_, operation)| *operation)
}

type Tiers = Vec<(Decimal, Decimal)>;

/// The one list of tiers that the rows agree on. Several products under a usage type (one for each operation) count as
/// one where they cost the same; else the product without operation is meant.
fn tiers(rows: &[&Listed], operation: Option<&str>) -> Result<Tiers, Kept> {
    let of = |wanted: &dyn Fn(&str) -> bool| {
        let mut products: BTreeMap<&str, Tiers> = BTreeMap::new();
        for row in rows.iter().filter(|row| wanted(&row.operation)) {
            products.entry(&row.sku).or_default().push((row.from, row.usd));
        }
        let mut distinct: Vec<Tiers> = products.into_values().map(without_allowance).collect();
        distinct.sort();
        distinct.dedup();
        distinct
    };
    let any = match operation {
        Some(operation) => of(&|said| said == operation),
        None => of(&|_| true),
    };
    let chosen = if any.len() > 1 { of(&str::is_empty) } else { any };
    match <[Tiers; 1]>::try_from(chosen) {
        Ok([tiers]) if tiers.windows(2).all(|pair| pair[0].0 < pair[1].0) => Ok(tiers),
        Err(found) if found.is_empty() && (rows.is_empty() || operation.is_some()) => Err(Kept::NotListed),
        Ok(_) | Err(_) => Err(Kept::Several),
    }
}

/// Tiers in order; a first one that is free before others that are not is an allowance, which the book does not hold.
fn without_allowance(mut tiers: Tiers) -> Tiers {
    tiers.sort();
    if tiers.len() > 1 && tiers[0].1.is_zero() && !tiers[1].1.is_zero() {
        tiers.remove(0);
    }
    tiers
}

/// Refuses what is in another unit than the book's. A list that does not show the free allowance that the book knows of
/// begins where the book does.
fn believable(book: &PriceBook, item: &str, region: &str, mut tiers: Tiers) -> Result<Tiers, Kept> {
    let here = book.tiers(item, region);
    let Some(before) = here.first().or_else(|| book.any(item)) else { return Err(Kept::NotListed) };
    let (old, new) = (before.per_unit(), tiers[0].1);
    let far = old.is_zero() != new.is_zero() || new > old * FURTHEST || old > new * FURTHEST;
    if far {
        let (found, before) = (new.normalize(), old.normalize());
        return Err(Kept::TooFar { found, before, unit: book.unit(item).unwrap_or_default().to_owned() });
    }
    if tiers[0].0.is_zero() && tiers.get(1).is_none_or(|second| before.from < second.0) {
        tiers[0].0 = before.from;
    }
    Ok(tiers)
}

fn priced(
    book: &PriceBook,
    item: &str,
    region: &str,
    tiers: &[(Decimal, Decimal)],
    offer: &Offer,
    source: &str,
) -> Vec<Price> {
    let Some(like) = book.any(item) else { return Vec::new() };
    let price = |(from, usd): &(Decimal, Decimal)| Price {
        region: region.to_owned(),
        from: *from,
        usd: Money::new((usd * like.per).normalize()),
        mark: Mark::Refreshed,
        date: offer.published,
        source: source.to_owned(),
        ..like.clone()
    };
    tiers.iter().map(price).collect()
}

#[cfg(test)]
mod tests {
    use super::super::offer::tests::{file, read as read_file};
    use super::*;

    fn reading(code: &str, region: &str, lines: &[[&str; 6]]) -> Reading {
        let book = PriceBook::embedded().unwrap();
        let wanted: Vec<String> = wanted(&book, code).into_iter().collect();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let offer = read_file(&file(code, lines), code, region, &wanted).unwrap();
        read(&book, &offer, region, "somewhere")
    }

    fn told(reading: &Reading) -> Vec<String> {
        let line = |price: &Price| format!("{} from {}: {} per {}", price.item, price.from, price.usd, price.per);
        reading.prices.iter().map(line).collect()
    }

    fn kept(reading: &Reading, item: &str) -> Kept {
        reading.kept.iter().find(|(of, _)| of == item).unwrap().1.clone()
    }

    #[test]
    fn tiers_and_thousands_come_out_as_the_book_writes_them() {
        let found = reading(
            "AmazonS3",
            "eu-west-1",
            &[
                ["S1", "OnDemand", "51200", "0.0215000000", "EU-TimedStorage-ByteHrs", ""],
                ["S1", "OnDemand", "0", "0.0225000000", "EU-TimedStorage-ByteHrs", ""],
                ["S2", "OnDemand", "0", "0.0000051000", "EU-Requests-Tier1", ""],
            ],
        );
        let told = told(&found);
        assert_eq!(
            told,
            [
                "s3.requests.standard.tier1 from 0: 0.0051 per 1000",
                "s3.storage.standard from 0: 0.0225 per 1",
                "s3.storage.standard from 51200: 0.0215 per 1"
            ]
        );
        assert_eq!(found.prices[1].mark, Mark::Refreshed);
        assert_eq!(kept(&found, "s3.storage.standard_ia"), Kept::NotListed);
    }

    #[test]
    fn the_name_of_a_product_is_its_usage_type_and_not_its_sku() {
        let lines = |sku| [[sku, "OnDemand", "0", "5.0000000000", "EU-DataScannedInTB", ""]];
        let (old, new) = (
            reading("AmazonAthena", "eu-west-1", &lines("AAAA")),
            reading("AmazonAthena", "eu-west-1", &lines("ZZZZ")),
        );
        assert_eq!((told(&old), told(&old).len()), (told(&new), 1));
    }

    #[test]
    fn products_that_differ_only_in_operation_count_as_one_where_they_cost_the_same() {
        let two = |second| {
            [
                ["A", "OnDemand", "0", "0.4400000000", "EU-ETL-DPU-Hour", "Jobrun"],
                ["B", "OnDemand", "0", second, "EU-ETL-DPU-Hour", "DevEndpoint"],
            ]
        };
        assert_eq!(told(&reading("AWSGlue", "eu-west-1", &two("0.4400000000"))).len(), 1);
        let differ = reading("AWSGlue", "eu-west-1", &two("0.5000000000"));
        assert_eq!((differ.prices.len(), kept(&differ, "glue.etl.standard")), (0, Kept::Several));
    }

    #[test]
    fn transitions_that_share_a_usage_type_are_told_apart_by_their_operation_or_left() {
        let found = reading(
            "AmazonS3",
            "us-east-1",
            &[
                ["A", "OnDemand", "0", "0.0000310000", "Requests-Tier3", "S3-GlacierTransition"],
                ["B", "OnDemand", "0", "0.0000520000", "Requests-Tier3", "S3-GDATransition"],
                ["C", "OnDemand", "0", "0.0000110000", "Requests-Tier4", "S3-INTTransition"],
            ],
        );
        assert_eq!(
            told(&found),
            ["s3.transition.deep_archive from 0: 0.052 per 1000", "s3.transition.glacier from 0: 0.031 per 1000"]
        );
    }

    #[test]
    fn storage_of_glacier_is_never_taken_for_standard() {
        let line = ["G", "OnDemand", "0", "0.0036000000", "TimedStorage-ByteHrs", ""];
        assert_eq!(reading("AmazonGlacier", "us-east-1", &[line]).prices, []);
    }

    #[test]
    fn a_free_allowance_is_no_tier_and_one_that_the_list_leaves_out_stays() {
        let catalog = |from| ["C", "OnDemand", from, "0.0000110000", "USE1-Catalog-Storage", ""];
        let shown = reading(
            "AWSGlue",
            "us-east-1",
            &[["C", "OnDemand", "0", "0.0000000000", "USE1-Catalog-Storage", ""], catalog("1000000")],
        );
        let hidden = reading("AWSGlue", "us-east-1", &[catalog("0")]);
        assert_eq!(told(&shown), ["glue.catalog.storage from 1000000: 1.10 per 100000"]);
        assert_eq!(told(&hidden), told(&shown));
    }

    #[test]
    fn a_price_in_another_unit_is_not_believed() {
        let line = ["T", "OnDemand", "0", "0.0048828125", "EU-DataScannedInTB", ""];
        let found = reading("AmazonAthena", "eu-west-1", &[line]);
        assert!(matches!(kept(&found, "athena.sql.scanned"), Kept::TooFar { .. }), "{found:?}");
    }

    #[test]
    fn every_shelf_holds_something_and_every_item_stands_on_one_at_most() {
        let book = PriceBook::embedded().unwrap();
        for shelf in SHELVES {
            assert!(!wanted(&book, shelf.offer).is_empty(), "{}", shelf.offer);
        }
    }
}
