//! Every outside system as a fake that speaks the real protocol over a socket.
//!
//! They stand in tests and in `halsonav demo`. Each keeps what it was told on a [`tape`], so that it
//! survives a `kill -9` of the process it lives in, and each can be told to misbehave ([`faults`]).
//! None of them knows the hub: they see what comes over the wire.

pub mod faults;
pub mod forms;
pub mod inbox;
pub mod index;
pub mod journal;
pub mod lab;
pub mod pki;
pub mod register;
pub mod scheduling;
pub mod tape;
pub mod vendor;
pub mod wiretap;
