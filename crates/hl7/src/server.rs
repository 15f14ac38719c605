//! Receives messages and acknowledges each after its handler has returned.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use halsonav_domain::Timestamp;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::{Answer, Error, Fault, Limits, Message, ack, connection::Connection, replay::Replay};

/// Takes messages in.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Answers when the verdict is final: an accepted message must be durable. The same message
    /// may come again.
    async fn handle(&self, message: &Message) -> Answer;

    /// The clock.
    fn now(&self) -> Timestamp;
}

/// A sender by MSH-3 and MSH-4, as they are compared: the first component of each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender {
    /// MSH-3.
    pub application: String,
    /// MSH-4.
    pub facility: String,
}

/// Who may send, and how much.
#[derive(Clone)]
pub struct Settings {
    /// Those who may send; anyone when empty.
    pub allowed: Vec<Sender>,
    /// Size of a message.
    pub limits: Limits,
    /// How long a connection may be silent, and how long a handshake or an answer may take.
    pub idle: Duration,
    /// Connections at once; more are closed at once.
    pub connections: usize,
    /// TLS.
    pub tls: Option<Arc<ServerConfig>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allowed: Vec::new(),
            limits: Limits::default(),
            idle: Duration::from_secs(600),
            connections: 32,
            tls: None,
        }
    }
}

/// A receiver.
pub struct Server {
    settings: Settings,
    handler: Arc<dyn Handler>,
    replay: Mutex<Replay>,
    serial: AtomicU64,
}

impl Server {
    /// Ready to [`Server::serve`].
    #[must_use]
    pub fn new(settings: Settings, handler: Arc<dyn Handler>) -> Arc<Self> {
        Arc::new(Self {
            settings,
            handler,
            replay: Mutex::default(),
            serial: AtomicU64::new(0),
        })
    }

    /// Serves until `stop` is ready; then messages that are being handled are still answered.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) if connections.len() < self.settings.connections => {
                        connections.spawn(Arc::clone(&self).connection(stream, stopped.clone()));
                    }
                    Ok(_) => tracing::warn!(limit = self.settings.connections, "connection refused: too many"),
                    Err(error) => {
                        // Out of descriptors, as a rule: let others close before trying again.
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
        drop(listener);
        // Nobody listens when there are no connections left.
        let _ = stopping.send(true);
        while connections.join_next().await.is_some() {}
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, mut stopped: watch::Receiver<bool>) {
        // Without it small answers may be held back, but they come.
        let _ = stream.set_nodelay(true);
        let limit = self.settings.limits.bytes;
        let mut connection = match &self.settings.tls {
            None => Connection::new(Box::new(stream), limit),
            Some(config) => {
                let accept = TlsAcceptor::from(Arc::clone(config)).accept(stream);
                match timeout(self.settings.idle, accept).await {
                    Ok(Ok(stream)) => Connection::new(Box::new(stream), limit),
                    _ => return tracing::info!("TLS handshake failed"),
                }
            }
        };
        loop {
            let received = tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => return,
                received = timeout(self.settings.idle, connection.receive()) => received,
            };
            match received {
                Ok(Ok(Some(frame))) => {
                    for answer in self.respond(&frame).await {
                        let bytes = answer.to_bytes();
                        let sent = async {
                            connection.send(&bytes).await?;
                            connection.flush().await
                        };
                        if !matches!(timeout(self.settings.idle, sent).await, Ok(Ok(()))) {
                            return;
                        }
                    }
                }
                Ok(Ok(None)) | Err(_) => return,
                Ok(Err(error)) => return tracing::info!(code = error.code(), "connection closed"),
            }
        }
    }

    /// The answers to one frame.
    async fn respond(&self, frame: &[u8]) -> Vec<Message> {
        let now = self.handler.now();
        let header = Message::parse_header(frame).unwrap_or_else(unreadable);
        let answer = match self.check(&header, frame, now) {
            Ok(message) => {
                let answer = self.handler.handle(&message).await;
                if answer == Answer::Accepted {
                    self.replay().remember(&message, now);
                }
                answer
            }
            Err(answer) => answer,
        };
        let serial = || {
            let number = self.serial.fetch_add(1, Ordering::Relaxed);
            format!("A{:x}.{number:x}", now.as_second())
        };
        ack::acknowledge(&header, &answer, serial, now)
    }

    /// What can be said of a message without its handler.
    fn check(&self, header: &Message, frame: &[u8], now: Timestamp) -> Result<Message, Answer> {
        let refuse = |fault| Err(Answer::Rejected(fault));
        let (application, facility) = (header.text("MSH", 3), header.text("MSH", 4));
        let allowed =
            |sender: &Sender| sender.application == application && sender.facility == facility;
        if !self.settings.allowed.is_empty() && !self.settings.allowed.iter().any(allowed) {
            tracing::warn!("a message from a sender that is not allowed");
            return refuse(Fault::new("207", "this sender is not allowed").at("MSH", 1, 3));
        }
        let message =
            Message::parse_within(frame, &self.settings.limits).map_err(|error: Error| {
                tracing::warn!(code = error.code(), "a message that cannot be read");
                Answer::Rejected(Fault::from(&error))
            })?;
        if message.control_id().is_empty() {
            return refuse(Fault::new("101", "MSH-10 is missing").at("MSH", 1, 10));
        }
        let version = message.text("MSH", 12);
        if !version.is_empty() && !version.starts_with("2.") {
            return refuse(Fault::new("203", "the version is not 2.x").at("MSH", 1, 12));
        }
        if self.replay().contradicts(&message, now) {
            tracing::error!(
                code = "HUB-HL7-012",
                "MSH-10 used again for another message"
            );
            let text = "HUB-HL7-012: MSH-10 was used for another message";
            return Err(Answer::Retry(Fault::new("205", text).at("MSH", 1, 10)));
        }
        Ok(message)
    }

    fn replay(&self) -> std::sync::MutexGuard<'_, Replay> {
        self.replay.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stands for a header that cannot be read, so that there is something to answer.
fn unreadable() -> Message {
    Message::new(crate::Segment::new("MSH"))
}
