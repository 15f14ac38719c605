//! What an adapter is written against.
//!
//! An adapter speaks to one kind of neighbour in that neighbour's own protocol. It translates
//! [`Command`]s into the neighbour's words and the neighbour's words into events, and it says
//! honestly what became of an effect ([`Outcome`]). Everything else (retries, back-off, the gate,
//! dedup, metrics, the audit of disclosures) is the hub's.
//!
//! The contract in prose, with what the hub promises in return, is `docs/adapter-spec.md`;
//! [`conformance`] is the same contract as tests.

use std::sync::Arc;

use async_trait::async_trait;
use halsonav_domain::{
    CaseId, Command, CommandId, Envelope, Identity, Outcome, PersonId, Problem, SubjectId,
    Timestamp,
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use tokio_util::sync::CancellationToken as Stop;

pub mod conformance;
mod payload;

pub use payload::payload;

/// One kind of neighbour, made from its configuration.
#[async_trait]
pub trait Adapter: Send + Sync + 'static {
    /// Crate folder, configuration key, first word of its command kinds, metric label.
    fn name(&self) -> &'static str;

    /// What the hub does in the neighbour's direction, if anything.
    fn outbound(self: Arc<Self>) -> Option<Arc<dyn Outbound>> {
        None
    }

    /// Sockets on which the neighbour calls us.
    fn listeners(self: Arc<Self>) -> Vec<Arc<dyn Listener>> {
        Vec::new()
    }

    /// Places where the neighbour leaves things for us to fetch.
    fn pollers(self: Arc<Self>) -> Vec<Arc<dyn Poller>> {
        Vec::new()
    }

    /// Whether the neighbour can be reached; for readiness and `halsonav check --online`.
    async fn check(&self) -> Result<(), Problem>;
}

/// How an adapter is made. `build` is pure: no network, no files but certificates and keys.
pub trait Build: Adapter + Sized {
    /// Its part of the configuration, `deny_unknown_fields`, each field documented.
    type Config: DeserializeOwned + JsonSchema;

    /// What it can do: known also where another process runs it.
    const OPERATIONS: &'static [Operation];

    /// # Errors
    /// `Invalid` for settings that can never work.
    fn build(config: Self::Config) -> Result<Self, Problem>;
}

/// How much of a person a command needs. The hub discloses no more, and audits what it does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Disclosure {
    /// Nothing.
    None,
    /// The personal identity number.
    PersonId,
    /// Number, name and address.
    Full,
}

/// The hub asks, the adapter does.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// The operations it knows, such as `["send", "status"]`, each with what it needs.
    fn operations(&self) -> &'static [Operation];

    /// Carries out a batch of one operation. Answers each delivery once, in any order; what is not
    /// answered counts as [`Outcome::Unknown`].
    ///
    /// The same command id may come again after a crash: where the neighbour can deduplicate, the
    /// id is its key; where it cannot, the hub calls [`Outbound::reconcile`] first.
    async fn deliver(&self, operation: &str, batch: Vec<Delivery>) -> Vec<(CommandId, Outcome)>;

    /// Asks the neighbour what became of an effect whose outcome is not known. Must not cause it.
    async fn reconcile(&self, operation: &str, delivery: &Delivery) -> Reconciled;
}

/// One thing an adapter can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operation {
    /// Second word of the command kind.
    pub name: &'static str,
    /// Whether it reaches the resident, so that the gate must say yes first.
    pub contact: bool,
    /// What it needs to know of the person.
    pub disclosure: Disclosure,
    /// The neighbour knows a repeated command id and acts once.
    pub idempotent: bool,
    /// Largest batch for `deliver`; 1 means one at a time, several at once.
    pub batch: usize,
}

/// A command with what it needs to leave the house.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The command.
    pub command: Command,
    /// The person, as far as the operation's [`Disclosure`] goes. Full: all fields. PersonId: the
    /// name is empty and there is no address.
    pub identity: Option<Identity>,
    /// Rendered documents: the letter as PDF, the message as text, the profile as SVG.
    pub attachments: Vec<Attachment>,
    /// 1 for the first try.
    pub attempt: u32,
    /// The hub's clock.
    pub now: Timestamp,
}

/// A rendered document.
#[derive(Clone)]
pub struct Attachment {
    /// What it is to the command: `letter`, `message`, `profile`, `enclosure`.
    pub role: &'static str,
    /// `application/pdf`, `image/svg+xml`, `text/plain; charset=utf-8`.
    pub media_type: &'static str,
    /// The bytes.
    pub bytes: Arc<[u8]>,
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Attachment({}, {}, {} bytes)",
            self.role,
            self.media_type,
            self.bytes.len()
        )
    }
}

/// What the neighbour says about an effect whose outcome was unknown.
#[derive(Clone, Debug)]
pub enum Reconciled {
    /// It is there; this is its outcome.
    Settled(Outcome),
    /// It is certainly not there: safe to deliver again.
    Absent,
    /// The neighbour cannot tell. A human decides.
    Unknowable,
    /// The neighbour could not be asked now.
    Later(Problem),
}

/// Where facts go in. Durable when it returns: only then may the neighbour be thanked.
#[async_trait]
pub trait Sink: Send + Sync {
    /// # Errors
    /// `Unavailable` when the fact could not be made durable; the neighbour must be told to come again.
    async fn publish(&self, events: Vec<Envelope>) -> Result<(), Problem>;

    /// The hub's clock.
    fn now(&self) -> Timestamp;
}

/// Finds the case behind a neighbour's words.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The open case of a person, by any number the person has had; the latest one when none is open.
    async fn case_of_person(
        &self,
        person: &PersonId,
    ) -> Result<Option<(CaseId, SubjectId)>, Problem>;

    /// The case that a [`halsonav_domain::Reference`] was noted for, and the payload of the command that noted it.
    async fn case_of_reference(
        &self,
        kind: &str,
        value: &str,
    ) -> Result<Option<(CaseId, Value)>, Problem>;

    /// References of `kind` noted for open cases and not yet settled, oldest first: what a poller asks about.
    async fn open_references(
        &self,
        kind: &str,
        limit: usize,
    ) -> Result<Vec<(CaseId, String)>, Problem>;
}

/// What the hub lends to the inbound side of an adapter.
#[derive(Clone)]
pub struct Inlet {
    /// Where facts go.
    pub sink: Arc<dyn Sink>,
    /// Who they are about.
    pub directory: Arc<dyn Directory>,
}

/// A socket on which a neighbour calls.
#[async_trait]
pub trait Listener: Send + Sync {
    /// Binds, then serves until `stop`. Tells the bound address through `bound` (for port 0).
    ///
    /// # Errors
    /// `Unavailable` when it cannot bind, `Internal` when serving ends by itself.
    async fn listen(
        &self,
        inlet: Inlet,
        bound: tokio::sync::oneshot::Sender<std::net::SocketAddr>,
        stop: Stop,
    ) -> Result<(), Problem>;
}

/// A place to fetch from.
#[async_trait]
pub trait Poller: Send + Sync {
    /// Metric label and key of its schedule.
    fn name(&self) -> &'static str;

    /// How often.
    fn every(&self) -> std::time::Duration;

    /// Fetches what is there now and publishes it; marks it as fetched at the neighbour only after
    /// `publish` returned. Answers how many facts it found.
    ///
    /// # Errors
    /// `Unavailable` when the neighbour is away; the hub comes again.
    async fn poll(&self, inlet: &Inlet) -> Result<usize, Problem>;
}
