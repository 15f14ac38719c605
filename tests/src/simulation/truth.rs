//! What is true outside the hub: who lives, who is protected, and what neighbours have done. The
//! judge of a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use halsonav_domain::{
    Address, CaseId, Clock, CommandId, Name, PersonId, PersonRecord, PersonStatus, Protection,
    Timestamp,
};
use jiff::SignedDuration;

use super::chance::Chance;

/// How old register data may be when somebody is contacted: config's `gate.max_age_h`.
const FRESH: SignedDuration = SignedDuration::from_hours(24);

/// One effect that exists outside.
#[derive(Clone, Debug)]
pub struct Effect {
    /// When it came about.
    pub at: Timestamp,
    /// `adapter.operation`.
    pub kind: String,
    /// Whose.
    pub case: CaseId,
    /// Times it was done.
    pub times: usize,
    /// What the neighbour answered.
    pub result: serde_json::Value,
}

/// A person.
#[derive(Clone, Debug)]
pub struct Person {
    /// The number.
    pub number: PersonId,
    /// As the register has it.
    pub status: PersonStatus,
    /// As the register has it.
    pub protection: Protection,
    /// Since when the person must not be written to by the ordinary way.
    pub out_of_bounds: Option<Timestamp>,
}

/// Everything outside.
pub struct Truth {
    /// Chance of this world.
    pub chance: Arc<Chance>,
    /// Nothing bad happens.
    pub calm: Arc<AtomicBool>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    seed: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    people: BTreeMap<CaseId, Person>,
    effects: BTreeMap<CommandId, Effect>,
    order: Vec<CommandId>,
    said_no: BTreeSet<CaseId>,
    known: BTreeSet<CaseId>,
    stopped: BTreeSet<&'static str>,
    breaches: Vec<String>,
}

impl Truth {
    /// Nobody and nothing.
    #[must_use]
    pub fn new(
        seed: u64,
        chance: Arc<Chance>,
        calm: Arc<AtomicBool>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            chance,
            calm,
            clock,
            seed,
            state: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something bad happens now.
    #[must_use]
    pub fn goes_wrong(&self, per_mille: usize) -> bool {
        !self.calm.load(Ordering::SeqCst) && self.chance.happens(per_mille)
    }

    /// A number below `n` for a question: the same each time it is asked, in whatever order things
    /// happen. So a run in which the hub died can be laid beside one in which it did not.
    #[must_use]
    pub fn dice(&self, question: &str, n: usize) -> usize {
        let mut hash = blake3::Hasher::new();
        hash.update(&self.seed.to_le_bytes())
            .update(question.as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.finalize().as_bytes()[..8]);
        usize::try_from(u64::from_le_bytes(bytes) % n.max(1) as u64).unwrap_or(0)
    }

    /// Adds a person, known by the case.
    pub fn born(&self, case: CaseId, number: PersonId) {
        let person = Person {
            number,
            status: PersonStatus::Active,
            protection: Protection::None,
            out_of_bounds: None,
        };
        self.lock().people.insert(case, person);
    }

    /// The person dies, emigrates, or gets protected identity.
    pub fn fate(&self, case: CaseId, status: PersonStatus, protection: Protection) {
        let now = self.clock.now();
        if let Some(person) = self.lock().people.get_mut(&case) {
            person.status = status;
            person.protection = protection;
            person.out_of_bounds.get_or_insert(now);
        }
    }

    /// The hub has taken in that the person wants nothing: from now on nothing may come.
    pub fn said_no(&self, case: CaseId) {
        self.lock().said_no.insert(case);
    }

    /// The hub has it in its store that the person must not be written to: from now on nothing may come.
    pub fn known(&self, case: CaseId) {
        self.lock().known.insert(case);
    }

    /// A lane is stopped from now on, or runs.
    pub fn stopped(&self, lane: &'static str, is: bool) {
        let mut state = self.lock();
        if is {
            state.stopped.insert(lane);
        } else {
            state.stopped.remove(lane);
        }
    }

    /// Whether somebody has stopped it.
    #[must_use]
    pub fn is_stopped(&self, lane: &str) -> bool {
        self.lock().stopped.contains(lane)
    }

    /// Everybody, by case.
    #[must_use]
    pub fn people(&self) -> BTreeMap<CaseId, Person> {
        self.lock().people.clone()
    }

    /// The register's answer about a number.
    #[must_use]
    pub fn record(&self, number: &PersonId, now: Timestamp) -> Option<PersonRecord> {
        let state = self.lock();
        let person = state.people.values().find(|p| p.number == *number)?;
        Some(PersonRecord {
            requested: number.clone(),
            current: number.clone(),
            name: Some(Name {
                given: "Maj".into(),
                middle: None,
                surname: "Ek".into(),
                notification: None,
            }),
            address: Some(Address {
                care_of: None,
                lines: vec!["Storgatan 1".into()],
                postal_code: "57131".into(),
                city: "Nässjö".into(),
                country: None,
            }),
            status: person.status,
            protection: person.protection,
            test_person: false,
            paper_opt_out: false,
            county: Some("06".into()),
            fetched: now,
        })
    }

    /// A neighbour does it. One that knows its commands does it once.
    pub fn done(
        &self,
        id: CommandId,
        kind: &str,
        case: CaseId,
        contact: bool,
        dedup: bool,
        result: impl FnOnce() -> serde_json::Value,
    ) {
        let at = self.clock.now();
        let mut state = self.lock();
        let lane = kind.split('.').next().unwrap_or_default();
        if state.stopped.contains(lane) {
            let breach = format!("{kind} of {case} left at {at}, though its lane is stopped");
            state.breaches.push(breach);
        }
        if let Some(known) = state.effects.get_mut(&id) {
            if !dedup {
                known.times += 1;
                let breach = format!("{kind} of {case} was done {} times", known.times);
                state.breaches.push(breach);
            }
            return;
        }
        if contact {
            let late = state.people.get(&case).and_then(|p| p.out_of_bounds);
            if late.is_some_and(|since| at.duration_since(since) > FRESH) {
                let breach = format!("{kind} reached {case} at {at}, out of bounds since {late:?}");
                state.breaches.push(breach);
            }
            if state.known.contains(&case) {
                let breach =
                    format!("{kind} reached {case} at {at}, whom the hub knew to be out of bounds");
                state.breaches.push(breach);
            }
            if state.said_no.contains(&case) {
                let breach = format!("{kind} reached {case} at {at}, who had said no");
                state.breaches.push(breach);
            }
        }
        let effect = Effect {
            at,
            kind: kind.to_owned(),
            case,
            times: 1,
            result: result(),
        };
        state.effects.insert(id, effect);
        state.order.push(id);
    }

    /// What became of a command.
    #[must_use]
    pub fn effect(&self, id: &CommandId) -> Option<Effect> {
        self.lock().effects.get(id).cloned()
    }

    /// Effects from the `from`-th on, in the order they came about.
    #[must_use]
    pub fn since(&self, from: usize) -> Vec<Effect> {
        let state = self.lock();
        let some = state.order.iter().skip(from);
        some.filter_map(|id| state.effects.get(id).cloned())
            .collect()
    }

    /// Every command that was carried out, with its kind.
    #[must_use]
    pub fn ids(&self) -> Vec<(CommandId, String)> {
        let state = self.lock();
        let all = state.effects.iter();
        all.map(|(id, effect)| (*id, effect.kind.clone())).collect()
    }

    /// What must never happen, and did.
    #[must_use]
    pub fn breaches(&self) -> Vec<String> {
        self.lock().breaches.clone()
    }

    /// Notes something that must never happen.
    pub fn breach(&self, what: String) {
        self.lock().breaches.push(what);
    }
}
