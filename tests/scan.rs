//! A scan as a user sees it: what it reads, what it says it could not read, and what it never does.

mod bill;
mod breaker;
pub mod compute;
mod ending;
mod estimate;
mod faults;
pub mod glue;
mod lake;
mod members;
mod regions;
mod rich;
mod trouble;
mod who;
