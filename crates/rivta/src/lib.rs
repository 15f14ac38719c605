//! RIV-TA Basic Profile 2.1: envelope, headers, faults, mutual TLS, client and server.
//!
//! A [`Contract`] says what an interaction is called. A [`Client`] calls it and tells honestly
//! what became of the call ([`CallError`]): certainly not done, refused with a fault, or unknown.
//! A [`Server`] answers it: [`Operations`] are found by the name of the body element, never by
//! soapAction, and nothing of a request is read before its sender is known and allowed.
//! [`xml`] reads and writes what is inside.
//!
//! Both ends use mutual TLS; without it they work on the loopback address only.

mod actor;
mod call_error;
mod client;
mod contract;
pub mod engagement;
mod envelope;
mod error;
mod fault;
mod operations;
mod pace;
mod ping;
mod server;
mod tls;
pub mod xml;

pub use actor::{Actor, ActorKind};
pub use call_error::{CallError, Obstacle};
pub use client::{Client, ClientConfig};
pub use contract::Contract;
pub use error::Error;
pub use fault::{FaultCode, SoapFault, VpCode};
pub use operations::{Answer, Handler, Operations, Request, handler};
pub use ping::{PING, Pong};
pub use server::{Running, Server, ServerBuilder, ServerConfig};
pub use tls::{ServerTls, sender};
