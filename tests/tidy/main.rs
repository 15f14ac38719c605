//! The structural rules of the house, as tests. They read files and `cargo metadata` and need nothing else.
//!
//! What breaks a rule today stands in `exceptions.toml` with a reason. The list only shrinks: an entry
//! that is no longer needed fails too.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod adapters;
mod codes;
mod crates;
mod dependencies;
mod docker;
mod edges;
mod exceptions;
mod house;
mod licence;
mod links;
mod rust;
mod sizes;
mod top;
mod words;
