//! End to end, against the real binary: a round from roster to research, with every neighbour over its
//! own protocol.
//!
//! The binary is `HALSONAV_BIN`, or `halsonav` in the target folder that this test lies in. Without
//! either there is nothing to test: that is said, and only `tests/run` makes sure that it is there.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod collector;
mod gate;
mod input;
mod judge;
mod kill;
mod lanes;
mod numbers;
mod outside;
mod people;
mod privacy;
mod regions;
mod same;
mod signals;
mod split;
mod support;
mod trial;
mod upkeep;
