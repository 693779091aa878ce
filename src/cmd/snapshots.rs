//! `snapshots list|show|prune|export`: what the store holds.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Context, Format, rows};
use crate::error::{Failure, Kind};
use crate::model::Origin;
use crate::store::{Manifest, Snapshot};
use crate::term::{Align, TextTable};

/// List, show, prune and export snapshots.
#[derive(Debug, Args)]
pub struct Snapshots {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List all snapshots, newest first.
    List,
    /// Show what one snapshot holds and what its scan cost.
    Show(Show),
    /// Remove old snapshots, and files that no snapshot names.
    Prune(Prune),
    /// Write a snapshot as one folder of Parquet files per table.
    Export(Export),
}

#[derive(Debug, Args)]
struct Show {
    /// Snapshot to show instead of the newest.
    id: Option<String>,
    /// Read every part and name those that are damaged.
    #[arg(long)]
    check: bool,
}

#[derive(Debug, Args)]
struct Prune {
    /// Keep this many of the newest snapshots of each payer and origin; without it, all.
    #[arg(long, value_name = "N")]
    keep: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
struct Export {
    /// Snapshot to export.
    id: String,
    /// Folder to write to; must not exist or be empty.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// Does what was asked.
pub async fn run(snapshots: &Snapshots, context: &Context) -> Result<(), Failure> {
    match &snapshots.what {
        What::List => list(context).await,
        What::Show(show) => self::show(show, context).await,
        What::Prune(prune) => self::prune(prune, context).await,
        What::Export(export) => self::export(export, context).await,
    }
}

async fn list(context: &Context) -> Result<(), Failure> {
    let format = context.format(&[Format::Table, Format::Json])?;
    let found = context.store().await?.survey().await?;
    let text = match format {
        Format::Json => {
            let all: Vec<Value> = found.manifests.iter().map(summary).collect();
            rows::document("snapshots", json!({ "snapshots": all }))?
        }
        _ => overview(&found.manifests),
    };
    context.term.data(&text)?;
    found.broken.into_iter().next().map_or(Ok(()), |(_, error)| Err(error.into()))
}

fn summary(manifest: &Manifest) -> Value {
    json!({
        "id": manifest.id,
        "as_of": manifest.as_of,
        "origin": manifest.origin,
        "payer": manifest.payer,
        "account_id": manifest.account_id,
        "interrupted": manifest.interrupted,
        "rows": manifest.tables.keys().map(|table| manifest.rows(table)).sum::<u64>(),
        "bytes": manifest.bytes(),
        "coverage": manifest.coverage,
        "receipt": manifest.receipt,
    })
}

fn overview(manifests: &[Manifest]) -> String {
    let mut table = TextTable::new(&[
        ("snapshot", Align::Left),
        ("origin", Align::Left),
        ("account", Align::Left),
        ("rows", Align::Right),
        ("bytes", Align::Right),
        ("gaps", Align::Right),
        ("", Align::Left),
    ]);
    for manifest in manifests {
        let rows: u64 = manifest.tables.keys().map(|table| manifest.rows(table)).sum();
        let head = manifest.head();
        table.row([
            manifest.id.clone(),
            origin(&manifest.origin),
            head.lake().unwrap_or("unknown").to_owned(),
            rows.to_string(),
            manifest.bytes().to_string(),
            gaps(manifest).to_string(),
            if manifest.interrupted { "interrupted".to_owned() } else { String::new() },
        ]);
    }
    table.to_string()
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Aws { partition } => partition.clone(),
        Origin::Endpoint { .. } => "endpoint".to_owned(),
        Origin::Files => "files".to_owned(),
        Origin::Demo => "demo".to_owned(),
    }
}

fn gaps(manifest: &Manifest) -> u64 {
    manifest.coverage.iter().filter(|(state, _)| *state != "seen").map(|(_, count)| count).sum()
}

async fn show(show: &Show, context: &Context) -> Result<(), Failure> {
    let format = context.format(&[Format::Table, Format::Json])?;
    let snapshot = match &show.id {
        Some(id) => context.store().await?.snapshot(id).await?,
        None => context.open().await?.snapshot,
    };
    let text = match format {
        Format::Json => rows::document("snapshot", json!(snapshot.manifest))?,
        _ => contents(&snapshot),
    };
    context.term.data(&text)?;
    if show.check { check(&snapshot, context).await } else { Ok(()) }
}

fn contents(snapshot: &Snapshot) -> String {
    let manifest = &snapshot.manifest;
    let mut table = TextTable::new(&[
        ("table", Align::Left),
        ("rows", Align::Right),
        ("parts", Align::Right),
        ("bytes", Align::Right),
        ("read at", Align::Left),
    ]);
    for (name, parts) in &manifest.tables {
        let oldest = parts.iter().map(|part| part.read_at).min();
        let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
        let read_at = oldest.map(|at| at.format("%Y-%m-%d %H:%M").to_string()).unwrap_or_default();
        table.row([name.clone(), manifest.rows(name).to_string(), parts.len().to_string(), bytes.to_string(), read_at]);
    }
    let banner = manifest.origin.banner().map(|banner| format!("{banner}\n")).unwrap_or_default();
    let cut = if manifest.interrupted { "The scan was interrupted; what it had read is here.\n" } else { "" };
    let requests: u64 = manifest.receipt.requests.values().sum();
    let receipt = format!(
        "{requests} requests, {} charged by AWS, {} seconds; {} gaps in coverage",
        manifest.receipt.usd.human(),
        manifest.receipt.seconds,
        gaps(manifest)
    );
    format!("{}\n{banner}{cut}{table}\n{receipt}", manifest.id)
}

async fn check(snapshot: &Snapshot, context: &Context) -> Result<(), Failure> {
    let damaged = snapshot.check().await;
    let Some(first) = damaged.first() else {
        context.term.status("every part is whole");
        return Ok(());
    };
    let lines: Vec<String> = damaged.iter().map(ToString::to_string).collect();
    let failure = Failure::new(Kind::Failed, lines.join("\n"));
    Err(first.hints().into_iter().filter(|hint| !hint.contains("--check")).fold(failure, Failure::hint))
}

async fn prune(prune: &Prune, context: &Context) -> Result<(), Failure> {
    let pruned = context.store().await?.prune(prune.keep, context.real_time()).await?;
    for id in &pruned.snapshots {
        context.term.status(&format!("removed snapshot `{id}`"));
    }
    context.term.status(&format!("removed {} files, {} bytes", pruned.files, pruned.bytes));
    Ok(())
}

async fn export(export: &Export, context: &Context) -> Result<(), Failure> {
    let snapshot = context.store().await?.snapshot(&export.id).await?;
    let done = snapshot.export(&export.to).await?;
    context.term.status(&format!("wrote {} rows of {} tables, {} bytes", done.rows, done.tables, done.bytes));
    Ok(())
}
