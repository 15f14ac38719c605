//! Deterministic simulation: the hub as it serves, with a simulated world at its ports. One seed is one
//! run, and the same seed is the same run.
//!
//! What is real: engine, processor, relay, scheduler, dispatchers, gate, registrar, the region's
//! process and the store (SQLite on disk). What is simulated: the bus ([`wire`]), neighbours and
//! register ([`neighbours`]), people ([`people`]), time, and the deaths of the hub at its crash points.

pub mod chance;
pub mod neighbours;
pub mod people;
pub mod run;
pub mod truth;
pub mod wire;
