//! Integration tests of the engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs
)]

mod fields;
mod load;
mod random;
mod scenario;
mod sketch;
mod versions;
mod world;
