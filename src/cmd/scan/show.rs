//! What a scan and its estimate look like: tables for people, JSON for scripts. Decides nothing.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::aws::connector::Paced;
use crate::aws::estimate::{Estimate, total};
use crate::aws::scan::Outcome;
use crate::model::Money;
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
    if outcome.left_out > Money::ZERO {
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
pub fn summary_json(outcome: &Outcome) -> Value {
    let manifest = &outcome.snapshot.manifest;
    let rows: serde_json::Map<String, Value> =
        manifest.tables.keys().map(|name| (name.clone(), json!(manifest.rows(name)))).collect();
    json!({
        "schema": "leanlake.scan",
        "version": "1.0",
        "snapshot": manifest.id,
        "origin": manifest.origin,
        "generated_at": manifest.as_of,
        "account_id": manifest.account_id,
        "interrupted": outcome.interrupted,
        "over_budget": outcome.over_budget,
        "left_out_usd": outcome.left_out,
        "unchanged_buckets": outcome.unchanged,
        "credentials_refused": outcome.refused,
        "rows": rows,
        "receipt": manifest.receipt,
        "gaps": outcome.gaps,
    })
}

/// Returns requests, dollars and minutes by service.
pub fn estimate_table(estimates: &[Estimate]) -> String {
    let columns = [
        ("service", Align::Left),
        ("requests", Align::Right),
        ("dollars", Align::Right),
        ("minutes", Align::Right),
        ("from", Align::Left),
    ];
    let mut table = TextTable::new(&columns);
    for estimate in estimates.iter().chain(std::iter::once(&total(estimates))) {
        let [requests, dollars, minutes] = estimate.human();
        table.row([estimate.service.to_owned(), requests, dollars, minutes, estimate.basis.clone()]);
    }
    table.to_string()
}

/// Returns the same as JSON.
pub fn estimate_json(estimates: &[Estimate]) -> Value {
    json!({
        "schema": "leanlake.estimate",
        "version": "1.0",
        "services": estimates,
        "total": total(estimates),
    })
}
