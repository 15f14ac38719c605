//! The adapter against a booking system that speaks crm:scheduling over a socket.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod conformance;
mod inbound;
mod outbound;
mod schema;
mod support;
