//! What a scan and its estimate look like: tables for people, JSON for scripts. Decides nothing.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::aws::act::athena::Receipt;
use crate::aws::connector::Paced;
use crate::aws::estimate::{Estimate, Estimates, Part, total};
use crate::aws::scan::Outcome;
use crate::aws::scan::files::Size;
use crate::model::Money;
use crate::model::text::terminal;
use crate::term::{Align, TextTable};

/// Returns what was read, and what it cost.
pub fn summary(outcome: &Outcome) -> String {
    let manifest = &outcome.snapshot.manifest;
    let mut table = TextTable::new(&[("table", Align::Left), ("rows", Align::Right)]);
    for name in manifest.tables.keys() {
        table.row([name.clone(), manifest.rows(name).to_string()]);
    }
    let requests: u64 = manifest.receipt.requests.values().sum();
    let mut text = format!("snapshot {}\n\n{table}\n\n", outcome.snapshot.id());
    let _ = writeln!(text, "{requests} requests, {}, {} s", manifest.receipt.usd.human(), manifest.receipt.seconds);
    if outcome.left_out.usd > Money::ZERO {
        let usd = outcome.left_out.human();
        let _ = writeln!(
            text,
            "left out: {usd} of the last 30 days, not read in detail; `leanlake scan --all` reads it too"
        );
    }
    if outcome.unchanged > 0 {
        let _ = writeln!(
            text,
            "settings of {} buckets were not read again: CloudTrail, whose events come up to 15 minutes late, names no \
             change since they were; `leanlake scan --fresh` reads them",
            outcome.unchanged
        );
    }
    if !outcome.gaps.is_empty() {
        let ask = "leanlake query \"select * from coverage where state <> 'seen'\"";
        let _ = writeln!(text, "{} gaps: {ask}", outcome.gaps.len());
    }
    text
}

/// Operations whose pace is told.
const SLOWEST: usize = 8;

/// Returns the operations that took longest, with the time that AWS's rate alone makes of their requests: where the two
/// are near, nothing but AWS was waited for.
pub fn slowest(paced: &[Paced]) -> Vec<String> {
    let mut by_time: Vec<&Paced> = paced.iter().filter(|paced| paced.took.as_secs() > 0).collect();
    by_time.sort_by_key(|paced| (std::cmp::Reverse(paced.took), &paced.operation, &paced.account_id, &paced.region));
    let line = |paced: &&Paced| {
        let Paced { operation, account_id, region, requests, took, least } = paced;
        let place = format!("{account_id} {region}");
        format!(
            "{operation} in {}: {requests} requests in {} s, {} s at its rate",
            place.trim(),
            took.as_secs(),
            least.as_secs()
        )
    };
    by_time.iter().take(SLOWEST).map(line).collect()
}

/// Returns the same as JSON.
pub fn summary_json(outcome: &Outcome, athena: Option<&Receipt>) -> Value {
    let manifest = &outcome.snapshot.manifest;
    let rows: serde_json::Map<String, Value> =
        manifest.tables.keys().map(|name| (name.clone(), json!(manifest.rows(name)))).collect();
    let mut summary = json!({
        "schema": "leanlake.scan",
        "version": "1.1",
        "snapshot": manifest.id,
        "origin": manifest.origin,
        "generated_at": manifest.as_of,
        "account_id": manifest.account_id,
        "interrupted": outcome.interrupted,
        "over_budget": outcome.over_budget,
        "left_out_usd": outcome.left_out.usd,
        "left_out_is_estimate": outcome.left_out.about,
        "unchanged_buckets": outcome.unchanged,
        "credentials_refused": outcome.refused,
        "rows": rows,
        "receipt": manifest.receipt,
        "gaps": outcome.gaps,
    });
    if let Some(done) = athena {
        summary["athena"] = json!({
            "queries": done.queries,
            "estimated_bytes": done.estimated_bytes,
            "scanned_bytes": done.scanned_bytes,
            "usd": done.usd,
            "tables_left": done.left,
        });
    }
    summary
}

/// Places of an estimate that are told one by one.
const PLACES: usize = 20;

/// Returns requests, dollars and minutes by service, then by account and Region where there are several, and what is not
/// known yet.
pub fn estimate_table(estimates: &Estimates) -> String {
    let columns = [
        ("service", Align::Left),
        ("requests", Align::Right),
        ("dollars", Align::Right),
        ("minutes", Align::Right),
        ("from", Align::Left),
    ];
    let mut table = TextTable::new(&columns);
    for estimate in estimates.services.iter().chain(std::iter::once(&total(&estimates.services))) {
        let [requests, dollars, minutes] = estimate.human();
        table.row([estimate.service.to_owned(), requests, dollars, minutes, estimate.basis.clone()]);
    }
    let mut text = table.to_string();
    if estimates.accounts.len() > 1 || estimates.regions.len() > 1 {
        let _ = write!(text, "\n\n{}", place_table(estimates));
    }
    for unknown in &estimates.unknown {
        let _ = write!(text, "\n\nnot known yet: {}", terminal(unknown));
    }
    text
}

/// Returns requests and dollars by account and Region, the dearest first.
fn place_table(estimates: &Estimates) -> TextTable {
    let (account, region) = (("account", Align::Left), ("Region", Align::Left));
    let mut table = TextTable::new(&[account, region, ("requests", Align::Right), ("dollars", Align::Right)]);
    let mut places: Vec<(String, String, Estimate)> = by_place(&estimates.parts);
    places.sort_by(|a, b| b.2.usd.high.cmp(&a.2.usd.high).then_with(|| (&a.0, &a.1).cmp(&(&b.0, &b.1))));
    let rest = places.split_off(places.len().min(PLACES));
    for (account, region, estimate) in places {
        let [requests, dollars, _] = estimate.human();
        table.row([account, region, requests, dollars]);
    }
    if !rest.is_empty() {
        let sum = total(&rest.iter().map(|(_, _, estimate)| estimate.clone()).collect::<Vec<_>>());
        let [requests, dollars, _] = sum.human();
        table.row([format!("{} others", rest.len()), String::new(), requests, dollars]);
    }
    table
}

/// Returns the sums over the services of each account and Region.
fn by_place(parts: &[Part]) -> Vec<(String, String, Estimate)> {
    let mut places: BTreeMap<(String, String), Vec<Estimate>> = BTreeMap::new();
    for part in parts {
        let account = part.account_id.clone().unwrap_or_else(|| "all".to_owned());
        let region = part.region.clone().unwrap_or_else(|| "not by Region".to_owned());
        places.entry((account, region)).or_default().push(part.estimate.clone());
    }
    places.into_iter().map(|((account, region), of)| (account, region, total(&of))).collect()
}

/// Returns the same as JSON.
pub fn estimate_json(estimates: &Estimates) -> Value {
    json!({
        "schema": "leanlake.estimate",
        "version": "1.1",
        "services": estimates.services,
        "total": total(&estimates.services),
        "parts": estimates.parts,
        "accounts": estimates.accounts,
        "regions": estimates.regions,
        "unknown": estimates.unknown,
    })
}

/// Returns how large the files are that a scan of files alone would read.
pub fn sizes_table(sizes: &[Size]) -> String {
    let columns = [("files of", Align::Left), ("what", Align::Left), ("files", Align::Right), ("bytes", Align::Right)];
    let mut table = TextTable::new(&columns);
    for size in sizes {
        let bytes = crate::model::money::grouped(&size.bytes.to_string());
        table.row([terminal(&size.place), size.what.to_owned(), size.files.to_string(), bytes]);
    }
    format!("{table}\n\nno requests to AWS services, no dollars but those of reading s3://; nothing was written")
}

/// Returns the same as JSON.
pub fn sizes_json(sizes: &[Size]) -> Value {
    let files: usize = sizes.iter().map(|size| size.files).sum();
    let bytes: u64 = sizes.iter().map(|size| size.bytes).sum();
    json!({
        "schema": "leanlake.estimate",
        "version": "1.0",
        "services": [],
        "files": sizes,
        "total": { "files": files, "bytes": bytes },
    })
}
