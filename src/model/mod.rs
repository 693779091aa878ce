//! The nouns: money, cells, untrusted text, coverage, findings, pools, actions, events.
//!
//! Data and arithmetic only. Imports nothing else of this crate, does no I/O, reads no clock.

pub mod action;
pub mod coverage;
pub mod event;
pub mod finding;
pub mod metric;
pub mod money;
pub mod origin;
pub mod pool;
pub mod row;
pub mod service;
pub mod storage_type;
pub mod text;

pub use action::Action;
pub use coverage::{Coverage, CoverageState};
pub use event::Event;
pub use finding::{Basis, Confidence, Finding, FindingId, Level, Status, Unlock, Verdict};
pub use metric::Metric;
pub use money::{Cost, Estimate, Money, Range};
pub use origin::Origin;
pub use pool::{Axis, BillLine, DollarSource, Pool, PoolPath};
pub use row::{Cell, Row};
pub use text::Untrusted;
