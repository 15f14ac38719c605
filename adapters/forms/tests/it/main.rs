//! The adapter against a form engine that speaks forminteraction over a socket.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod conformance;
mod inbound;
mod outbound;
mod schema;
mod support;
