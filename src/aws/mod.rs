//! Everything that talks to AWS: the connector, who we are, what is read and what is changed.
//!
//! The only module that names an AWS crate. It turns answers into rows and coverage; it prices and judges nothing.

pub mod act;
pub mod client;
pub mod collect;
pub mod connector;
pub mod discover;
pub mod doctor;
pub mod estimate;
pub mod iam;
pub mod look;
pub mod member;
pub mod price_list;
pub mod rank;
pub mod scan;
pub mod session;
pub mod store;

#[cfg(test)]
mod stand_in;
