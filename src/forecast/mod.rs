//! From series to what they say: the week, what moved it, where the month lands.
//!
//! Pure: the clock is an argument. Knows no policy.

pub mod landing;
pub mod movers;
pub mod spend;

pub use spend::{Spend, SpendError};
