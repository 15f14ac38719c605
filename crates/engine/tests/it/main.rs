//! Integration tests of the engine.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod load;
mod scenario;
mod sketch;
mod world;
