//! The store, through its public door.
#![allow(clippy::unwrap_used)]

mod audit;
mod backlog;
mod claim;
mod concurrency;
mod crash;
mod fold;
mod gate;
mod hold;
mod lanes;
mod leases;
mod ledger;
mod news;
mod people;
mod postgres;
mod proxy;
mod retention;
mod roles;
mod steps;
mod vault_keys;
mod wakeups;
mod work;
mod world;
