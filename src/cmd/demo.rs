//! `demo`: writes the built-in lake into a store of its own. Opens no socket; never mixes made-up numbers with real ones.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};

use super::Context;
use crate::config::{self, Source};
use crate::demo::{DemoOptions, Without, fill};
use crate::error::{Failure, Kind};
use crate::model::text::terminal;
use crate::store::Store;

/// Write the built-in demo lake into an empty store, to try every verb on it.
#[derive(Debug, Args)]
pub struct Demo {
    /// Another seed is another lake.
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    /// How many times as many buckets.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    scale: u32,
    /// Days of history.
    #[arg(long, value_name = "N", default_value_t = 418, value_parser = clap::value_parser!(u32).range(60..=418))]
    days: u32,
    /// Evidence to leave out, to see what is made of less.
    #[arg(long, value_name = "EVIDENCE", value_delimiter = ',')]
    without: Vec<Evidence>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Evidence {
    /// Cost Explorer.
    Bill,
    /// Storage Lens.
    Lens,
}

/// Writes the lake.
pub async fn run(demo: &Demo, context: &Context) -> Result<(), Failure> {
    // Not the store of a configuration file: that is where the real lake is kept.
    if !matches!(context.config.source(&config::STORE), Source::Flag(_) | Source::Variable(_)) {
        return Err(Failure::new(Kind::Usage, "the demo lake needs a store of its own").hint("add `--store DIR`"));
    }
    let store = context.store().await?;
    refuse_a_used_one(&store).await?;
    let without: BTreeSet<Without> = demo.without.iter().map(|evidence| evidence.without()).collect();
    let lake = fill(&DemoOptions { seed: demo.seed, scale: demo.scale, days: demo.days, without });
    for snapshot in lake.write(&store).await? {
        context.term.data(snapshot.id())?;
    }
    context.term.hint(&format!("`leanlake report --store {}` reads it", terminal(store.url())));
    Ok(())
}

/// Returns the store of `--demo`: temporary, gone with the last handle to it.
pub async fn temporary() -> Result<Store, Failure> {
    let store = Store::temporary()?;
    fill(&DemoOptions::default()).write(&store).await?;
    Ok(store)
}

impl Evidence {
    fn without(self) -> Without {
        match self {
            Evidence::Bill => Without::Bill,
            Evidence::Lens => Without::Lens,
        }
    }
}

async fn refuse_a_used_one(store: &Store) -> Result<(), Failure> {
    let found = store.survey().await?;
    if found.manifests.is_empty() && found.broken.is_empty() {
        return Ok(());
    }
    let message = format!("the store `{}` already holds snapshots", terminal(store.url()));
    Err(Failure::new(Kind::Guarded, message).hint("name a folder that does not exist yet, or an empty one"))
}
