//! The one HTTP connector under all SDK clients.
//!
//! It refuses what the allowlist does not name, reserves the price, waits for the permit, and meters every attempt.
//! It never changes a request and never retries: that is the SDK's work.

pub mod stop;
pub mod tag;

pub use stop::Stop;
pub use tag::{Call, Role, Tag};
