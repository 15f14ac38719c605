//! What every part of the running hub shares.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use halsonav_bus::{Bus, codec};
use halsonav_domain::{
    Clock, Envelope, Kind, PersonId, PersonRecord, PersonStatus, Problem, Protection, SubjectId,
    Timestamp, Topic,
    event::{Event, PersonChanged},
};
use halsonav_engine::Library;
use halsonav_expression::Decisions;
use halsonav_storage::{Access, Extent, HubIncident, LaneStop, PersonChange, Storage, Writer};
use jiff::SignedDuration;
use serde_json::json;
use tokio::sync::watch;

use super::{Documents, Lease, Registry, bus_problem, gate, metrics::Metrics, store_problem};
use crate::{
    config::{Config, Region},
    crash,
    spans::Spans,
};

/// People asked about in one call to the register (GetPersonsForProfile 5).
pub const REGISTER_BATCH: usize = 500;

/// Consumer group of engines.
pub const ENGINE: &str = "engine";
/// Consumer group of lanes.
pub const DISPATCH: &str = "dispatch";

/// Answers who people are today.
#[async_trait]
pub trait Register: Send + Sync {
    /// One answer for each number, in order.
    async fn lookup(
        &self,
        people: &[PersonId],
        now: Timestamp,
    ) -> Vec<Result<PersonRecord, Problem>>;
}

/// The shared parts. Cheap to reach, never locked for long.
pub struct Core {
    /// The site's settings.
    pub config: Config,
    /// The region served.
    pub region: Arc<Region>,
    /// The store.
    pub storage: Storage,
    /// The bus.
    pub bus: Arc<dyn Bus>,
    /// No other process works on this store: the lock on the embedded log says so.
    pub alone: bool,
    /// How long a lease lasts without being renewed.
    pub lease_ttl: Duration,
    /// Shares into which a batch of facts is divided, by case; each is taken for itself.
    pub shares: usize,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The clock for what is begun because its time has come.
    pub schedule: Arc<dyn Clock>,
    /// Changes when that clock was set.
    pub clock_set: watch::Receiver<()>,
    /// The adapters.
    pub adapters: Registry,
    /// The population register, behind the roster adapter.
    pub register: Option<Arc<dyn Register>>,
    /// Letters and messages.
    pub documents: Arc<Documents>,
    /// The gate.
    pub gate: gate::Rules,
    /// Counters.
    pub metrics: Metrics,
    /// For the collector of traces.
    pub spans: Spans,
    /// Decision tables of the region.
    pub tables: Arc<Decisions>,
    /// Definitions; swapped as a whole when new ones are deployed.
    pub definitions: RwLock<Arc<Library>>,
}

impl Core {
    /// The definitions in force.
    #[must_use]
    pub fn library(&self) -> Arc<Library> {
        self.definitions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Puts other definitions in force.
    pub fn replace(&self, library: Library) {
        let mut current = self
            .definitions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(library);
    }

    /// Records on the bus that engine and lanes have not done with.
    ///
    /// # Errors
    /// When the bus cannot be asked.
    pub async fn under_way(&self) -> Result<u64, Problem> {
        let lanes: Vec<Topic> = self
            .adapters
            .names()
            .map(|name| self.adapters.topic(name))
            .collect();
        let facts = self.bus.lag(ENGINE, &[Topic::Events]);
        let commands = self.bus.lag(DISPATCH, &lanes);
        let (facts, commands) = futures::try_join!(facts, commands).map_err(bus_problem)?;
        Ok(facts + commands)
    }

    /// A lease under `name` for `holder`, not yet taken.
    #[must_use]
    pub fn lease(&self, name: String, holder: &str) -> Arc<Lease> {
        Lease::new(self.storage.clone(), name, holder, self.lease_ttl)
    }

    /// The decision tables in force.
    #[must_use]
    pub fn decisions(&self) -> Arc<Decisions> {
        self.tables.clone()
    }

    /// How long a message waits for the process to ask for it.
    #[must_use]
    pub fn message_ttl(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * self.config.engine.message_ttl_days)
    }

    /// When to try again after the `attempt`-th passing failure: doubled each time, with a cap.
    #[must_use]
    pub fn after(&self, attempt: u32) -> Timestamp {
        let retry = &self.config.retry;
        let wait = u64::from(retry.first_s) << attempt.saturating_sub(1).min(20);
        let wait = i64::try_from(wait.min(u64::from(retry.longest_s))).unwrap_or(i64::MAX);
        let now = self.clock.now();
        now.checked_add(SignedDuration::from_secs(wait))
            .unwrap_or(now)
    }

    /// Puts facts on the bus; durable when it returns.
    ///
    /// # Errors
    /// `Unavailable` when the bus cannot take them.
    pub async fn publish(&self, facts: Vec<Envelope>) -> Result<(), Problem> {
        self.publish_to(&Topic::Events, facts).await
    }

    /// Puts facts on another topic.
    ///
    /// # Errors
    /// `Unavailable` when the bus cannot take them.
    pub async fn publish_to(&self, topic: &Topic, facts: Vec<Envelope>) -> Result<(), Problem> {
        if facts.is_empty() {
            return Ok(());
        }
        let records = facts
            .iter()
            .map(codec::event)
            .collect::<Result<Vec<_>, _>>()
            .map_err(bus_problem)?;
        self.bus.publish(topic, records).await.map_err(bus_problem)
    }

    /// Asks the register about these people, each named once, and lets what was held for them go.
    ///
    /// # Errors
    /// When the store fails. When the register is away nothing changes: what is held stays held.
    pub async fn refresh(&self, subjects: Vec<SubjectId>) -> Result<(), Problem> {
        let Some(register) = &self.register else {
            return Ok(());
        };
        for chunk in subjects.chunks(REGISTER_BATCH) {
            let (whom, at) = (chunk.to_vec(), self.clock.now());
            let identities = self
                .storage
                .write_async(move |tx| {
                    let access: Vec<_> = whom.iter().map(|_| freshness(at)).collect();
                    tx.disclose(&whom, Extent::Number, &access)
                })
                .await
                .map_err(store_problem)?;
            let numbers: Vec<PersonId> = identities
                .into_iter()
                .flatten()
                .map(|identity| identity.person_id)
                .collect();
            let answers = register.lookup(&numbers, at).await;
            let mut known = Vec::with_capacity(answers.len());
            for answer in answers {
                match answer {
                    Ok(record) => known.push(record),
                    Err(problem) => {
                        tracing::warn!(%problem, "the register did not answer about a person")
                    }
                }
            }
            self.take_in(known).await?;
        }
        Ok(())
    }

    /// Takes in what the register answered, tells the cases concerned, and releases what was held.
    ///
    /// # Errors
    /// When store or bus fail.
    pub async fn take_in(&self, people: Vec<PersonRecord>) -> Result<(), Problem> {
        if people.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let any = self
            .storage
            .write_async(move |tx| {
                let mut facts = Vec::new();
                let changes = tx.put_answers(&people)?;
                for change in &changes {
                    facts.extend(told(tx, change, now)?);
                }
                let answered: Vec<SubjectId> = changes.iter().map(|c| c.subject).collect();
                tx.release_held(&answered, now)?;
                tx.put_news(&facts)?;
                Ok(!facts.is_empty())
            })
            .await
            .map_err(store_problem)?;
        if any {
            crash::point("person.stored", "").await;
            self.tell_news().await;
        }
        Ok(())
    }

    /// Credentials or permissions of an adapter are wrong: its lane is stopped until it is worth
    /// another try, and an operator must know, once.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lane_denied(
        &self,
        adapter: &str,
        problem: &Problem,
        until: Timestamp,
    ) -> Result<(), Problem> {
        let stop = LaneStop {
            adapter: adapter.to_owned(),
            at: self.clock.now(),
            until: Some(until),
            by: "hub".to_owned(),
            why: problem.to_string(),
        };
        let incident = HubIncident {
            case: None,
            element: adapter.to_owned(),
            kind: Kind::Denied,
            code: problem.code.clone(),
            message: problem.message.clone(),
            at: self.clock.now(),
        };
        self.storage
            .write_async(move |tx| {
                tx.stop_lane(&stop)?;
                tx.open_incident(&incident).map(drop)
            })
            .await
            .map_err(store_problem)
    }
}

fn freshness(at: Timestamp) -> Access {
    Access {
        actor: "hub".to_owned(),
        action: "read".to_owned(),
        purpose: "register-freshness".to_owned(),
        unit: None,
        case: None,
        at,
    }
}

/// What a change of a person means to the cases of that person.
fn told(
    tx: &mut Writer,
    change: &PersonChange,
    now: Timestamp,
) -> halsonav_storage::Result<Vec<Envelope>> {
    let mut facts = Vec::new();
    for (_, other) in change.merged.iter().flat_map(|merge| &merge.duplicates) {
        let id = format!("duplicate-{other}");
        facts.push(Envelope::new(
            "/hub",
            id,
            "operator.cancel",
            Some(*other),
            now,
            json!({ "reason": "duplicate" }),
        ));
    }
    let Some(reason) = reason(change) else {
        return Ok(facts);
    };
    if let Some(case) = tx.open_case_of(&change.subject)? {
        let data = PersonChanged {
            status: change.after.status.unwrap_or(PersonStatus::Unknown),
            protection: change.after.protection,
            moved: false,
            reason: reason.to_owned(),
        };
        let id = format!("person-{}-{}-{reason}", case.id, now.as_millisecond());
        facts.push(Envelope::new(
            "/hub",
            id,
            PersonChanged::TYPE,
            Some(case.id),
            now,
            data.data(),
        ));
    }
    Ok(facts)
}

/// Why a known person can no longer be contacted by the ordinary way, if the register says so now
/// and did not before. What the first answer says, the process itself asks for.
fn reason(change: &PersonChange) -> Option<&'static str> {
    let before = change
        .before
        .as_ref()
        .filter(|before| before.fetched.is_some() && !change.outdated)?;
    let after = &change.after;
    if before.status != after.status {
        match after.status {
            Some(PersonStatus::Deceased) => return Some("deceased"),
            Some(PersonStatus::Emigrated) => return Some("emigrated"),
            Some(PersonStatus::Deregistered) => return Some("deregistered"),
            _ => {}
        }
    }
    (before.protection == Protection::None && after.protection != Protection::None)
        .then_some("protected")
}
