//! A synthetic lake that fills the same tables as a scan: seeded, deterministic, with its ground truth beside it.
//!
//! Buckets, uploads, queries and the bill are *simulated*; rows are what a scan would have seen of the simulation.
//! Must know no policy and no price book, read no clock and open no socket.

mod advice;
pub mod bill;
pub mod bucket;
pub mod calendar;
pub mod catalog;
mod changes;
mod clusters;
mod habit;
mod lake;
pub mod metastore;
pub mod metered;
mod panel;
mod pipes;
pub mod query;
mod random;
mod rule;
pub mod run;
mod seen;
mod spark;
mod statement;
mod storage;
mod tariff;
mod truth;
pub mod upload;
mod ways;
mod write;

use std::collections::BTreeSet;

pub use lake::{Lake, Since, Tables};

/// Days that Athena keeps its history.
pub const HISTORY_DAYS: i32 = 45;

/// Evidence that the demo can do without, to show what the tool makes of less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Without {
    /// No answer from Cost Explorer.
    Bill,
    /// No Storage Lens export.
    Lens,
}

/// Which lake to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoOptions {
    /// Another seed is another lake.
    pub seed: u64,
    /// How many times the organisation; its buckets grow with it.
    pub scale: u32,
    /// Days of history before the newest scan.
    pub days: u32,
    /// Evidence that is missing.
    pub without: BTreeSet<Without>,
}

impl Default for DemoOptions {
    /// Returns the lake of `--demo`: 14 months, from 2025-10-01 to 2026-11-23.
    fn default() -> Self {
        DemoOptions { seed: 42, scale: 1, days: 418, without: BTreeSet::new() }
    }
}

/// Returns the lake that the options name: the same options, the same lake, on every machine.
pub fn fill(options: &DemoOptions) -> Lake {
    Lake::simulate(options)
}
