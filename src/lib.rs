//! leanlake finds what an AWS data lake wastes, proves it from the lake's own bill, and fixes what is safe to fix.
//!
//! The modules, in the order of their dependencies (a module uses what stands above it; nobody uses `cmd`):
//!
//! - [`model`]: the nouns. Data and arithmetic.
//! - [`store`]: snapshots on disk or S3.
//! - [`prices`]: unit prices with source and date.
//! - [`engine`]: SQL over a snapshot.
//! - [`rollup`]: bills and inventories as tables, in SQL that runs here and on Athena.
//! - [`demo`]: a synthetic lake.
//! - [`analysis`]: derived tables: replays, bounds, pools.
//! - [`policy`]: what to look for, what it saves, how to fix it.
//! - [`portfolio`]: what to recommend; no dollar counted twice.
//! - [`forecast`]: what was spent, what moved, where the month lands.
//! - [`lifecycle`]: a bucket's lifecycle configuration as owned XML.
//! - [`plan`]: recommendations to a reviewed list of steps.
//! - [`apply`]: a plan carried out, and the way back.
//! - [`aws`]: what is read from AWS and what is changed there.
//! - [`config`]: `leanlake.toml`, each value with its origin.
//! - [`term`], [`error`], [`cmd`]: the command line; the only modules that talk to a person.

pub mod analysis;
pub mod apply;
pub mod aws;
pub mod cmd;
pub mod config;
pub mod demo;
pub mod engine;
pub mod error;
pub mod forecast;
pub mod lifecycle;
pub mod model;
pub mod plan;
pub mod policy;
pub mod portfolio;
pub mod prices;
pub mod report;
pub mod rollup;
pub mod store;
pub mod term;
pub mod tui;
