//! Tests from the outside, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::disallowed_methods, reason = "tests read the environment that `tests/run` sets")]

mod advice;
mod apply;
mod architecture;
mod assessed;
mod athena_engine;
#[allow(dead_code, reason = "the tests of later stages use the rest")]
mod aws;
mod bad_input;
mod big;
mod bill;
mod ci;
mod cli;
mod collect;
mod config;
mod demo;
mod doctor;
mod emulators;
mod findings;
mod generated;
mod iam;
mod init;
#[cfg(feature = "network")]
mod money;
mod network;
mod policies;
mod prices;
mod readme;
mod report;
mod scan;
mod schema;
mod sinks;
mod snapshots;
mod storage_exports;
mod store_in_s3;
mod stub;
#[allow(dead_code, reason = "the tests of later stages use the rest")]
mod support;
mod terminal;
mod trail;
mod trino;
mod truth;
mod tui;
#[cfg(feature = "network")]
mod whole;
