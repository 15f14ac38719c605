//! The answering end.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{App, HttpServer, dev::ServerHandle, web};
use halsonav_domain::{Clock, HsaId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Contract, Error, Handler, Operations, ServerTls, tls};

mod exchange;

use exchange::Exchange;

/// Where and to whom to answer.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Mutual TLS. Without it only the loopback address is listened on.
    #[serde(default)]
    pub tls: Option<ServerTls>,
    /// HSA-ids that may call, compared without regard to case. With TLS and an empty list, nobody may.
    #[serde(default)]
    pub allowed_senders: Vec<HsaId>,
    /// Largest request that is read, in bytes.
    #[serde(default = "default_max_body")]
    pub max_body: usize,
}

fn default_max_body() -> usize {
    4 << 20
}

impl ServerConfig {
    /// Plain HTTP on a free port of the loopback address: for neighbours and tests.
    #[must_use]
    pub fn loopback() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: None,
            allowed_senders: Vec::new(),
            max_body: default_max_body(),
        }
    }

    fn check(&self) -> Result<(), Error> {
        if self.tls.is_none() && !self.listen.ip().is_loopback() {
            return Err(Error::Setting(
                "without TLS only the loopback address is listened on".to_owned(),
            ));
        }
        if self.tls.is_none() && !self.allowed_senders.is_empty() {
            return Err(Error::Setting(
                "allowed_senders needs TLS: nobody can tell who sends without it".to_owned(),
            ));
        }
        Ok(())
    }
}

/// An endpoint to be.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// An endpoint without operations that tells the time of `clock`.
    #[must_use]
    pub fn builder(config: ServerConfig, clock: Arc<dyn Clock>) -> ServerBuilder {
        ServerBuilder {
            config,
            clock,
            operations: Ok(Operations::new()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Collects what an endpoint can do.
pub struct ServerBuilder {
    config: ServerConfig,
    clock: Arc<dyn Clock>,
    operations: Result<Operations, Error>,
    version: String,
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ServerBuilder({}, {:?})",
            self.config.listen, self.operations
        )
    }
}

impl ServerBuilder {
    /// Adds one operation.
    #[must_use]
    pub fn operation(mut self, contract: &Contract, handler: Handler) -> Self {
        self.operations = self
            .operations
            .and_then(|operations| operations.operation(contract, handler));
        self
    }

    /// Adds what an adapter brings.
    #[must_use]
    pub fn operations(mut self, more: Operations) -> Self {
        self.operations = self
            .operations
            .and_then(|operations| operations.merge(more));
        self
    }

    /// What PingForConfiguration answers as version.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// Binds and begins to answer, on one thread of its own. Handlers run on the runtime that
    /// calls this, and to their end even when the caller hangs up.
    ///
    /// # Errors
    /// Settings that cannot work, certificates that cannot be read, an address that is taken.
    pub async fn start(self) -> Result<Running, Error> {
        self.config.check()?;
        let bind = |error: std::io::Error| Error::Bind {
            address: self.config.listen.to_string(),
            reason: error.kind().to_string(),
        };
        let tls = self.config.tls.as_ref().map(tls::server).transpose()?;
        let socket = std::net::TcpListener::bind(self.config.listen).map_err(bind)?;
        let addr = socket.local_addr().map_err(bind)?;
        let exchange = Exchange {
            operations: self.operations?,
            allowed: tls
                .is_some()
                .then(|| self.config.allowed_senders.iter().cloned().collect()),
            max_body: self.config.max_body,
            version: self.version,
            clock: self.clock,
            runtime: tokio::runtime::Handle::current(),
        };
        let exchange = web::Data::new(exchange);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(exchange.clone())
                .default_service(web::to(exchange::answer))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(5)
        .client_request_timeout(Duration::from_secs(5))
        .keep_alive(Duration::from_secs(75))
        .on_connect(exchange::note_sender);
        let server = match tls {
            Some(tls) => server.listen_rustls_0_23(socket, tls),
            None => server.listen(socket),
        };
        let server = server.map_err(bind)?.run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Running {
            addr,
            secure: self.config.tls.is_some(),
            handle,
        })
    }
}

/// An endpoint that answers. It stops when this is dropped.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    secure: bool,
    handle: ServerHandle,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Running({})", self.addr)
    }
}

impl Running {
    /// The address as a client writes it.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}/", self.addr)
    }

    /// Takes no new requests, answers those that are under way, and ends.
    pub async fn stop(self) {
        self.handle.stop(true).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}
