//! What the API asks of the hub. Everything that changes a case goes through here as a fact.

use async_trait::async_trait;
use bytes::Bytes;
use halsonav_domain::{Envelope, HsaId, Kind, Problem, RoundId, Timestamp};
use halsonav_storage::Incident;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// The hub, as the API sees it.
#[async_trait]
pub trait Door: Send + Sync + 'static {
    /// Puts facts on the bus. They are durable when this answers `Ok`: only then is a client told
    /// 202. The same fact always carries the same id, so a repeat does no harm.
    ///
    /// # Errors
    /// `Unavailable` when the bus does not take them; nothing is then promised to the client.
    async fn publish(&self, events: Vec<Envelope>) -> Result<(), Problem>;

    /// Free times of a unit that begin at or after `from` and before `to`.
    ///
    /// # Errors
    /// `NotFound` for a unit without a booking system, `Unavailable` when it does not answer.
    async fn slots(
        &self,
        unit: &HsaId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Slot>, Problem>;

    /// Takes a roster file in. Durable when this answers `Ok`; read afterwards. The same `id` again
    /// is the same file.
    ///
    /// # Errors
    /// `Invalid` when the file is no roster at all, `Unavailable` when it cannot be kept.
    async fn import(&self, upload: Upload) -> Result<(), Problem>;

    /// Roster files taken in, the latest first.
    ///
    /// # Errors
    /// `Unavailable` or `Internal` when they cannot be listed.
    async fn cohorts(&self) -> Result<Vec<Cohort>, Problem>;

    /// Orders an export to the region's research store. The same `id` again is the same order.
    ///
    /// # Errors
    /// `Conflict` when the region has no research export.
    async fn export(&self, order: ExportOrder) -> Result<(), Problem>;

    /// Settles an incident that the engine knows nothing of: a parked message, a lane that stopped.
    /// Those the engine opened go to it as `operator.*` facts instead.
    ///
    /// # Errors
    /// `Conflict` when there is nothing that could be done again or left out, which is what this
    /// answers unless the hub says otherwise.
    async fn remedy(&self, incident: &Incident, remedy: Remedy, by: &str) -> Result<(), Problem> {
        let _ = (incident, remedy, by);
        Err(Problem::new(
            Kind::Conflict,
            "HUB-API-020",
            "this incident ends when its cause is gone",
        ))
    }

    /// Names of the lanes: the adapters whose commands go out, wherever they run.
    fn lanes(&self) -> Vec<String>;

    /// The parts of the hub and whether they can do their work.
    async fn ready(&self) -> Vec<Part>;

    /// The drawing of a definition as SVG, if there is one.
    async fn picture(&self, id: &str, version: u32) -> Option<String>;

    /// Whether these are answers to that form.
    ///
    /// # Errors
    /// Everything that is wrong, in sentences that hold no answer.
    fn validate_answers(&self, form: &str, answers: &Value) -> Result<(), Vec<String>>;

    /// All metrics in Prometheus' text format.
    async fn metrics(&self) -> String;
}

/// A free time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Slot {
    /// Start.
    pub start: Timestamp,
    /// End.
    pub end: Timestamp,
    /// The booking system's time type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_type: Option<String>,
}

/// A roster file on its way in. It holds personal identity numbers: `Debug` shows its size alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// Derived from the idempotency key.
    pub id: Uuid,
    /// The round to invite to.
    pub round: RoundId,
    /// How it is written.
    pub format: Format,
    /// The file.
    pub file: Bytes,
    /// Who sent it: `user:<id>`.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("id", &self.id)
            .field("round", &self.round)
            .field("format", &self.format)
            .field("bytes", &self.file.len())
            .finish_non_exhaustive()
    }
}

/// How a roster file is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `text/csv`.
    Csv,
    /// `application/x-ndjson`: one JSON object on each line.
    JsonLines,
}

/// A roster file that was taken in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cohort {
    /// Its id, from the answer to the upload.
    pub id: Uuid,
    /// The round.
    pub round: String,
    /// When it came.
    pub received: Timestamp,
    /// `received`, `reading`, `done`, `failed`.
    pub state: String,
    /// Rows read.
    pub rows: u64,
    /// Cases made.
    pub opened: u64,
    /// Rows that were not taken.
    pub rejected: u64,
    /// What was wrong, by line number. Holds no personal data.
    pub faults: Vec<String>,
}

/// An order to export to the region's research store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExportOrder {
    /// Derived from the idempotency key.
    pub id: Uuid,
    /// The round.
    pub round: RoundId,
    /// The research project.
    pub project: String,
    /// Who ordered it: `user:<id>`.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What to do about an incident.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remedy {
    /// Try again.
    Retry,
    /// Go on without.
    Skip,
}

/// A part of the hub, and whether it can do its work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its name: `storage`, `bus`, an adapter.
    pub name: String,
    /// It can.
    pub ok: bool,
    /// For the log. Not shown to those who ask without a token.
    pub detail: String,
}
