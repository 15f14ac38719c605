//! What tests of the whole house are made with, and the programs of `bin/` that prove what the hub
//! promises: a simulated world, real services of a test's own, a proxy that lets things go wrong, and a
//! judge who keeps what really happened. The tests are in `tidy/`, `scenarios/` and `it/` beside this
//! folder; `run` runs everything.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod faults;
pub mod judge;
pub mod processes;
pub mod proxy;
pub mod round;
pub mod services;
pub mod simulation;
pub mod site;
pub mod storm;
pub mod trial;
