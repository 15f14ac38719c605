//! The store, through its public door.
#![allow(clippy::unwrap_used)]

mod audit;
mod claim;
mod concurrency;
mod crash;
mod fold;
mod ledger;
mod people;
mod steps;
mod work;
mod world;
