//! The API over a socket, with a store in a file and a hub that only listens.
#![allow(clippy::unwrap_used)]

mod access;
mod audit;
mod contract;
mod facts;
mod lanes;
mod limits;
mod once;
mod tokens;
mod view;
mod work;
mod world;
