//! The contract of a collector: it reads one AWS service and fills tables through a sink.
//!
//! A collector declares each call it makes in `READS`, turns a failed call into a gap, and never fails as a whole.

pub mod ask;
pub mod athena;
pub mod cloudwatch;
pub mod cost_explorer;
pub mod failure;
pub mod instant;
pub mod outcome;
pub mod read;
pub mod s3;
pub mod scope;
pub mod sink;

pub use failure::{Failed, Trouble};
pub use read::Read;
pub use scope::{Options, Place, Scope};
pub use sink::{Piece, Sink};

/// Every call that a scan makes, by collector. The connector's allowlist and the printed IAM policy are made from it.
pub const READS: &[&[Read]] = &[cost_explorer::READS];
