//! Sends messages, one at a time on a connection, and waits for the acknowledgement of each.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, sync::Semaphore, time::timeout};
use tokio_rustls::TlsConnector;

use crate::{Ack, Error, Limits, Message, connection::Connection};

/// Where to send, and how long to wait.
#[derive(Clone)]
pub struct Endpoint {
    /// Name or address of the host.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS, and the name that the certificate must carry.
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// For the connection with its handshake.
    pub connect_timeout: Duration,
    /// From the message's last byte to the acknowledgement's.
    pub ack_timeout: Duration,
    /// Connections at once. More than one gives up the order between messages.
    pub connections: usize,
}

impl Endpoint {
    /// Plain TCP with 5 s to connect, 30 s for the acknowledgement, one connection.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            tls: None,
            connect_timeout: Duration::from_secs(5),
            ack_timeout: Duration::from_secs(30),
            connections: 1,
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() { "mllps" } else { "mllp" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// Why there is no acknowledgement.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SendError {
    /// The receiver cannot have acted: it never got a whole message.
    #[error("the message was not sent: {0}")]
    NotSent(Error),
    /// The message left, and nobody knows whether the receiver acted.
    #[error("the message was sent, and its fate is not known: {0}")]
    Unknown(Doubt),
}

/// What came instead of an acknowledgement.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Doubt {
    /// Nothing, in time.
    #[error("no acknowledgement in time")]
    Late,
    /// The end of the connection.
    #[error("the connection ended before the acknowledgement")]
    Closed,
    /// The acknowledgement of another message.
    #[error("the acknowledgement belongs to another message")]
    Foreign,
    /// Something that cannot be read as an acknowledgement.
    #[error("the answer is not an acknowledgement")]
    NotAnAck,
}

/// A sender to one receiver. Connections are kept and used again.
pub struct Client {
    endpoint: Endpoint,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Client {
    /// Connects when there is something to send.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            permits: Semaphore::new(endpoint.connections.max(1)),
            endpoint,
            idle: Mutex::default(),
        }
    }

    /// Sends a message and waits for the acknowledgement that names its MSH-10. After anything
    /// else the connection is closed, so that what comes late cannot complete another message.
    ///
    /// # Errors
    /// [`SendError::NotSent`]: send again at will. [`SendError::Unknown`]: ask first.
    pub async fn send(&self, message: &Message) -> Result<Ack, SendError> {
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(SendError::NotSent(Error::Broken(
                io::ErrorKind::NotConnected,
            )));
        };
        let mut connection = match self.reuse().await {
            Some(connection) => connection,
            None => self.connect().await.map_err(SendError::NotSent)?,
        };
        let bytes = message.to_bytes();
        let late = || Error::Broken(io::ErrorKind::TimedOut);
        timeout(self.endpoint.ack_timeout, connection.send(&bytes))
            .await
            .unwrap_or_else(|_| Err(late()))
            .map_err(SendError::NotSent)?;
        let answer = timeout(self.endpoint.ack_timeout, async {
            connection.flush().await.map_err(|_| Doubt::Closed)?;
            connection.receive().await.map_err(|error| match error {
                Error::Broken(_) => Doubt::Closed,
                _ => Doubt::NotAnAck,
            })
        })
        .await
        .unwrap_or(Err(Doubt::Late))
        .and_then(|frame| read(frame.as_deref(), message.control_id()));
        let ack = answer.map_err(SendError::Unknown)?;
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        Ok(ack)
    }

    /// Whether the receiver takes connections.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub async fn check(&self) -> Result<(), Error> {
        self.connect().await.map(drop)
    }

    async fn reuse(&self) -> Option<Connection> {
        loop {
            let mut connection = self
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop()?;
            if connection.is_quiet().await {
                return Some(connection);
            }
        }
    }

    async fn connect(&self) -> Result<Connection, Error> {
        timeout(self.endpoint.connect_timeout, self.open())
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|error| Error::Broken(error.kind()))
    }

    async fn open(&self) -> io::Result<Connection> {
        let Endpoint {
            host, port, tls, ..
        } = &self.endpoint;
        let stream = TcpStream::connect((host.as_str(), *port)).await?;
        stream.set_nodelay(true)?;
        let limit = Limits::default().bytes;
        Ok(match tls {
            None => Connection::new(Box::new(stream), limit),
            Some((config, name)) => {
                let connector = TlsConnector::from(Arc::clone(config));
                let stream = connector.connect(name.clone(), stream).await?;
                Connection::new(Box::new(stream), limit)
            }
        })
    }
}

fn read(frame: Option<&[u8]>, control_id: &str) -> Result<Ack, Doubt> {
    let message = Message::parse(frame.ok_or(Doubt::Closed)?).map_err(|_| Doubt::NotAnAck)?;
    let ack = Ack::read(message).ok_or(Doubt::NotAnAck)?;
    if ack.control_id == control_id {
        Ok(ack)
    } else {
        Err(Doubt::Foreign)
    }
}
