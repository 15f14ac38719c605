//! Both ends of RIV-TA over sockets.
#![allow(clippy::unwrap_used, missing_docs)]

mod calls;
mod mutual;
#[path = "../../../neighbours/src/pki.rs"]
#[allow(dead_code)]
mod pki;
mod raw;
#[allow(dead_code)]
mod schema;
mod schemas;

use std::sync::Arc;

use halsonav_domain::VirtualClock;
use halsonav_rivta::{Client, ClientConfig, Contract, Handler, Running, Server, ServerConfig, xml};

/// A contract that no one else has.
pub const ASK: Contract = Contract::new("urn:riv:test:asking", "Ask", 1);
pub const TELL: Contract = Contract::new("urn:riv-application:test:telling", "Tell", 2);

pub fn clock() -> Arc<VirtualClock> {
    Arc::new(VirtualClock::new("2026-09-01T10:00:00Z".parse().unwrap()))
}

pub async fn serve(contract: &Contract, handler: Handler) -> Running {
    Server::builder(ServerConfig::loopback(), clock())
        .operation(contract, handler)
        .start()
        .await
        .unwrap()
}

pub fn client(running: &Running) -> Client {
    Client::new(&ClientConfig {
        timeout_ms: 2_000,
        ..ClientConfig::to(running.url())
    })
    .unwrap()
}

pub fn ask(text: &str) -> String {
    xml::document("r:Ask", &[("r", &ASK.message_namespace())], |w| {
        w.text("r:question", text)
    })
}

pub fn told(text: &str) -> String {
    xml::document("r:AskResponse", &[("r", &ASK.message_namespace())], |w| {
        w.text("r:answer", text)
    })
}
