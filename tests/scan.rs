//! A scan as a user sees it: what it reads, what it says it could not read, and what it never does.

mod bill;
mod compute;
mod ending;
mod glue;
mod lake;
mod members;
mod regions;
mod trouble;
mod who;
