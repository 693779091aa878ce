//! `prices refresh`: AWS's public price list, offer by offer, into the store. Reads no account and needs no credentials.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;
use futures::{StreamExt, stream};

use super::changed;
use crate::aws::connector::Connector;
use crate::aws::price_list::{FetchError, PriceList};
use crate::aws::session;
use crate::cmd::Context;
use crate::cmd::connect::Purpose;
use crate::engine::Engine;
use crate::error::{Failure, Kind};
use crate::model::text::terminal;
use crate::prices::offer::{OfferError, OfferReader};
use crate::prices::refresh::{Kept, LARGE, Reading, SHELVES, read, wanted};
use crate::prices::refreshed::differences;
use crate::prices::{GLOBAL, PriceBook, Refreshed, code_of};
use crate::store::{Filter, Store};

/// Files that are fetched together.
const AT_ONCE: usize = 4;

/// Read newer prices from AWS's public price list into the store: no credentials, no cost.
///
/// Without --region: the Regions of the newest snapshot, or those of the embedded book. What fails keeps its older price.
#[derive(Debug, Args)]
pub struct Refresh {
    /// Only this offer of the price list; repeat for several. AmazonEC2 (for NAT gateways) is read only when it is
    /// named: its files are some hundred megabytes a Region.
    #[arg(long, value_name = "OFFER", value_parser = offer)]
    offer: Vec<&'static str>,
}

fn offer(name: &str) -> Result<&'static str, String> {
    let known = SHELVES.iter().map(|shelf| shelf.offer);
    let like = known.clone().find(|offer| offer.eq_ignore_ascii_case(name));
    like.ok_or_else(|| format!("not one of {}", known.collect::<Vec<_>>().join(", ")))
}

/// Refreshes the prices.
pub async fn run(args: &Refresh, context: &Context) -> Result<ExitCode, Failure> {
    if context.global.demo {
        return Err(Failure::new(Kind::Usage, "the demo lake keeps no prices").hint("leave `--demo` out"));
    }
    let store = context.store().await?;
    let list = price_list(context).await?;
    let (embedded, before) = (super::embedded()?, newest(&store, list.endpoint()).await?);
    let known = before.as_ref().map_or_else(|| embedded.clone(), |before| embedded.clone().with(&before.book));
    let files = files(args, &regions(context, &store, &known).await?);
    let asked = files.len();
    let fetched = stream::iter(files).map(|file| fetch(&list, &known, file)).buffered(AT_ONCE);
    let read: Vec<(File, Result<Reading, String>)> = fetched.collect().await;
    let failed = tell(&read, context);
    let prices = read.into_iter().filter_map(|(_, reading)| reading.ok()).flat_map(|reading| reading.prices);
    let fresh = PriceBook::of(prices).map_err(|error| Failure::failed(error.to_string()))?;
    if fresh.prices().next().is_none() {
        return Err(Failure::failed("no price was read: the older ones stay")
            .hint("`-v` says what became of each item")
            .hint("check the network, the proxy variables and `--region`"));
    }
    let older = before.map(|before| before.book).unwrap_or_default();
    let (read_at, endpoint) = (context.now(), list.endpoint().map(str::to_owned));
    let refreshed = Refreshed { read_at, endpoint, book: older.with(&fresh) };
    let kept = store.keep_prices(&refreshed.write()).await?;
    context.term.status(&format!("wrote {}", terminal(&kept.location)));
    let changes = differences(&known, &refreshed);
    changed::print(&changes.iter().collect::<Vec<_>>(), context)?;
    if failed == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::new(Kind::Partly, format!("{failed} of {asked} price files were not read: their older prices stay")))
}

async fn price_list(context: &Context) -> Result<PriceList, Failure> {
    let connector = Connector::new(context.setup(Purpose::Prices)?);
    let sdk = session::configure(&context.who(), &connector).await?;
    let list = PriceList::new(&sdk, &connector);
    if let Some(host) = list.endpoint() {
        context.term.warn(&format!("these prices are not AWS's: `{}` is asked", terminal(host)));
    }
    Ok(list)
}

/// The newest refresh, when it came from the same place.
async fn newest(store: &Store, endpoint: Option<&str>) -> Result<Option<Refreshed>, Failure> {
    let newest = store.newest_price_file().await?.map(|file| super::parse(&file)).transpose()?;
    Ok(newest.filter(|newest| newest.endpoint.as_deref() == endpoint))
}

/// The Regions that were asked for, else those of the newest snapshot, else those of the book.
async fn regions(context: &Context, store: &Store, book: &PriceBook) -> Result<BTreeSet<String>, Failure> {
    if !context.global.region.is_empty() {
        return Ok(context.global.region.iter().cloned().collect());
    }
    let of_book = || book.prices().map(|price| price.region.clone()).filter(|region| region != GLOBAL).collect();
    let Ok(snapshot) = store.newest(&Filter::default()).await else { return Ok(of_book()) };
    let sql = "select distinct region from costs union select distinct region from buckets";
    let seen = Engine::over(&snapshot)?.query(sql).await?.shown()?;
    // The bill has places that are no Region: only those whose usage types can be read have price files of use.
    let seen: BTreeSet<String> =
        seen.iter().filter_map(|row| row.text("region")).map(|name| name.raw().to_owned()).collect();
    let known: BTreeSet<String> = seen.into_iter().filter(|region| code_of(region).is_some()).collect();
    Ok(if known.is_empty() { of_book() } else { known })
}

/// One file of the list: an offer in a Region.
#[derive(Clone, Debug)]
struct File {
    offer: &'static str,
    region: String,
}

fn files(args: &Refresh, regions: &BTreeSet<String>) -> Vec<File> {
    let asked = |offer: &&str| if args.offer.is_empty() { *offer != LARGE } else { args.offer.contains(offer) };
    let offers = SHELVES.iter().map(|shelf| shelf.offer).filter(asked);
    let of = |offer| regions.iter().map(move |region| File { offer, region: region.clone() });
    offers.flat_map(of).collect()
}

async fn fetch(list: &PriceList, book: &PriceBook, file: File) -> (File, Result<Reading, String>) {
    let mut reader = OfferReader::new(&file.region, wanted(book, file.offer));
    let fetched = list.fetch(file.offer, &file.region, |piece| reader.push(piece)).await;
    let offer = fetched.and_then(|()| reader.finish(file.offer).map_err(FetchError::Unusable));
    let reading = offer.map_err(|error: FetchError<OfferError>| terminal(&error.to_string())).map(|offer| {
        let address = list.address(file.offer, &offer.version, &file.region);
        read(book, &offer, &file.region, &format!("AWS price list of {}, {address}", offer.published))
    });
    (file, reading)
}

/// Says what became of each file, and returns how many were not read.
fn tell(read: &[(File, Result<Reading, String>)], context: &Context) -> usize {
    let mut failed = 0;
    for (file, reading) in read {
        let name = format!("{} in {}", file.offer, terminal(&file.region));
        match reading {
            Ok(reading) => {
                context.term.status(&format!("{name}: {} prices", reading.prices.len()));
                for (item, kept) in &reading.kept {
                    let line = format!("{name}: {item} keeps its older price: {kept}");
                    let surprising = matches!(kept, Kept::TooFar { .. });
                    if surprising { context.term.warn(&line) } else { context.term.detail(&line) }
                }
            }
            Err(why) => {
                failed += 1;
                context.term.warn(&format!("{name}: {why}; its older prices stay"));
            }
        }
    }
    failed
}
