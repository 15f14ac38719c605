//! A journal system: a FHIR R4 server that keeps documents, `PUT` and `GET [base]/Bundle/{id}`.
//!
//! It is strict: a Bundle that breaks a rule of documents is refused with an OperationOutcome, a
//! document once kept is never changed, and with a token or certificates in the settings nobody
//! gets in without.

use std::{
    collections::{HashMap, HashSet},
    fmt, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::{App, HttpServer, dev::ServerHandle, web};
use halsonav_domain::{Clock, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{faults::Faults, pki::Pem, tape::Tape};

mod serve;
mod tls;

/// How the journal system is set up.
#[derive(Clone)]
pub struct Settings {
    /// Where documents are remembered.
    pub tape: PathBuf,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where it listens.
    pub listen: SocketAddr,
    /// The bearer token that a caller must show; none is wanted when absent.
    pub token: Option<String>,
    /// Mutual TLS: its own certificate, and the authority of its callers'. Plain HTTP when absent.
    pub tls: Option<Pem>,
    /// Largest request it reads, in bytes.
    pub max_body: usize,
}

impl Settings {
    /// Plain HTTP on a free port of the loopback address.
    #[must_use]
    pub fn new(tape: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self {
            tape,
            clock,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            token: None,
            tls: None,
            max_body: 8 << 20,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Settings({})", self.listen)
    }
}

/// A document as it was kept.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Its id.
    pub id: String,
    /// Number of the patient.
    pub person: String,
    /// The Bundle as text: as a tree it takes five times the room, and a round leaves many thousands.
    pub text: String,
    /// When it came.
    pub received: Timestamp,
}

impl Document {
    /// The Bundle.
    #[must_use]
    pub fn bundle(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({}, redacted)", self.id)
    }
}

/// A running journal system. It stops when dropped.
#[derive(Debug)]
pub struct Journal {
    archive: Arc<Archive>,
    addr: SocketAddr,
    secure: bool,
    handle: ServerHandle,
}

/// Everything behind the socket.
struct Archive {
    state: Mutex<State>,
    tape: Tape<Document>,
    clock: Arc<dyn Clock>,
    faults: Faults,
    token: Option<String>,
}

#[derive(Default)]
struct State {
    documents: Vec<Document>,
    /// Place by id.
    places: HashMap<String, usize>,
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Archive({} documents)", self.state().documents.len())
    }
}

impl Journal {
    /// Plays the tape back, then answers.
    ///
    /// # Errors
    /// When the tape cannot be read, a certificate not be used or the socket not bound.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let (tape, documents) = Tape::open(&settings.tape)?;
        let mut state = State::default();
        for document in documents {
            state.keep(document);
        }
        let archive = Arc::new(Archive {
            state: Mutex::new(state),
            tape,
            clock: settings.clock,
            faults: Faults::default(),
            token: settings.token,
        });
        let tls = settings.tls.as_ref().map(tls::server).transpose()?;
        let secure = tls.is_some();
        let socket = TcpListener::bind(settings.listen)?;
        let addr = socket.local_addr()?;
        let shared = web::Data::from(Arc::clone(&archive));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .app_data(web::PayloadConfig::new(settings.max_body))
                .configure(serve::routes)
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(5)
        .client_request_timeout(Duration::from_secs(5))
        .keep_alive(Duration::from_secs(75));
        let server = match tls {
            Some(tls) => server.listen_rustls_0_23(socket, tls)?,
            None => server.listen(socket)?,
        };
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self {
            archive,
            addr,
            secure,
            handle,
        })
    }

    /// The service base URL, `http://127.0.0.1:…/fhir`.
    #[must_use]
    pub fn url(&self) -> String {
        let (scheme, host) = if self.secure {
            ("https", "localhost")
        } else {
            ("http", "127.0.0.1")
        };
        format!("{scheme}://{host}:{}/fhir", self.addr.port())
    }

    /// Misbehaviour for the next requests.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.archive.faults
    }

    /// All documents in the order they came.
    #[must_use]
    pub fn documents(&self) -> Vec<Document> {
        self.archive.state().documents.clone()
    }

    /// One document.
    #[must_use]
    pub fn document(&self, id: &str) -> Option<Document> {
        self.archive.state().find(id).cloned()
    }

    /// How many documents there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.archive.state().documents.len()
    }

    /// How many people have documents.
    #[must_use]
    pub fn people(&self) -> usize {
        let state = self.archive.state();
        let people: HashSet<&str> = state
            .documents
            .iter()
            .map(|it| it.person.as_str())
            .collect();
        people.len()
    }

    /// The documents that came after the first `cursor`, and the next cursor.
    #[must_use]
    pub fn since(&self, cursor: usize) -> (Vec<Document>, usize) {
        let state = self.archive.state();
        (
            state.documents.get(cursor..).unwrap_or_default().to_vec(),
            state.documents.len(),
        )
    }

    /// Answers what is under way and ends.
    pub async fn stop(self) {
        self.handle.stop(true).await;
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // The message is sent when the future is made; there is nobody to wait for the answer.
        drop(self.handle.stop(false));
    }
}

impl Archive {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&self, id: &str) -> Option<&Document> {
        self.places
            .get(id)
            .and_then(|place| self.documents.get(*place))
    }

    fn keep(&mut self, document: Document) {
        self.places
            .insert(document.id.clone(), self.documents.len());
        self.documents.push(document);
    }
}
