//! Unit prices: what an item costs in a Region, at a quantity, with where that number came from.
//!
//! A missing price is an error value, never 0. A price that nobody verified is shown and never used in arithmetic.

mod book;
mod card;
pub mod offer;
mod records;
pub mod refresh;
pub mod refreshed;
mod region;
pub mod scanned;

pub use book::{GLOBAL, Mark, Price, PriceBook, PriceError};
pub use card::{BilledUsage, End, NoRate, Payer, Rate, RateCard, RateSource, Tier};
pub use refreshed::{Refreshed, RefreshedError};
pub use region::{bare_usage_type, code_of, region_of_usage_type};
