//! A hub in a directory of its own: the real store, the real bus, the real processor, and nobody else.

use std::{
    path::Path,
    sync::{Arc, RwLock},
    time::Duration,
};

use halsonav_domain::{CaseId, Envelope, HsaId, Kind, PersonId, Problem, RoundId, VirtualClock};
use halsonav_engine::Input;
use halsonav_storage::{DefinitionRef, NewCase};
use jiff::SignedDuration;

use super::{
    Plan,
    machine::Stopwatch,
    people,
    shape::{Run, Shape, fact, unfit},
};
use crate::{
    clock::Time,
    config::Config,
    runtime::{
        Core, Documents, FOREVER, Gate, Metrics, Processor, Registry, case_opened, store_problem,
    },
    site,
    spans::Spans,
};

/// Cases made, and facts published, at once.
const CHUNK: usize = 1000;
/// Longest wait for a record that must come.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Facts that lie on the bus at once: what is held in memory does not grow with the cases.
const WAVE: usize = 50_000;

/// The hub that is measured.
pub struct Hub {
    /// Its shared parts.
    pub core: Arc<Core>,
    /// The cases in it.
    pub cases: Vec<CaseId>,
    processor: Processor,
    facts: usize,
}

/// The parts of a hub whose store is under `dir`, or where `config` says, and whose cases run `shape`.
/// It has no adapters: whoever measures is the neighbour.
///
/// # Errors
/// When store, bus or region will not do.
pub fn core(
    plan: &Plan,
    config: &Config,
    dir: &Path,
    shape: &Shape,
    time: Time,
) -> Result<Arc<Core>, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let mut config = config.clone();
    config.hub.data = dir.to_owned();
    config.hub.vault_key = dir.join("vault.key").display().to_string();
    site::migrate(&config).map_err(one)?;
    let (bus, alone) = site::bus(&config).map_err(one)?;
    Ok(Arc::new(Core {
        documents: Arc::new(Documents::load(&plan.region)?),
        region: Arc::new(plan.region.clone()),
        storage: site::store(&config).map_err(one)?,
        bus,
        alone,
        lease_ttl: FOREVER,
        shares: site::shares(&config),
        clock: time.clock,
        schedule: time.schedule,
        clock_set: time.set,
        adapters: Registry::default(),
        register: None,
        gate: Gate {
            max_age: SignedDuration::from_hours(config.gate.max_age_h),
        },
        metrics: Metrics::new(),
        spans: Spans::none(),
        tables: shape.decisions.clone(),
        definitions: RwLock::new(shape.library.clone()),
        config,
    }))
}

impl Hub {
    /// Makes store and log under `dir`; cases will run `shape`.
    ///
    /// # Errors
    /// When store, log or region will not do.
    pub fn open(
        plan: &Plan,
        config: &Config,
        dir: &Path,
        shape: &Shape,
    ) -> Result<Self, Vec<Problem>> {
        let time = Time::of(Arc::new(VirtualClock::new(plan.now)));
        Self::of(core(plan, config, dir, shape, time)?).map_err(|problem| vec![problem])
    }

    /// A hub of these parts, to be turned by hand.
    ///
    /// # Errors
    /// When the bus refuses.
    pub fn of(core: Arc<Core>) -> Result<Self, Problem> {
        let processor = Processor::new(core.clone())?;
        Ok(Self {
            core,
            cases: Vec::new(),
            processor,
            facts: 0,
        })
    }

    /// How much has happened to cases.
    #[must_use]
    pub fn facts(&self) -> usize {
        self.facts
    }

    /// Goes on where another life of the hub ended, which let so much happen.
    pub fn go_on(&mut self, after: usize) {
        self.facts = after;
    }

    /// Opens `count` more cases and lets each take its first step.
    ///
    /// # Errors
    /// When store or bus fail.
    pub async fn enrol(&mut self, count: usize, shape: &Shape) -> Result<(), Problem> {
        let first = self.cases.len();
        let now = self.core.clock.now();
        let unit = self
            .core
            .region
            .units
            .first()
            .map_or_else(|| HsaId::new("SE0"), |unit| unit.hsa_id.clone());
        for from in (first..first + count).step_by(CHUNK) {
            let range = from..(from + CHUNK).min(first + count);
            let people = range
                .clone()
                .map(people::person_id)
                .collect::<Result<Vec<PersonId>, _>>()?;
            let ids: Vec<CaseId> = range.map(|n| people::case_id(n, now)).collect();
            self.cases.extend(&ids);
            let round = RoundId(self.core.region.round.id.clone());
            let definition = DefinitionRef {
                id: shape.process.clone(),
                version: 1,
            };
            let unit = unit.clone();
            self.core
                .storage
                .write_async(move |tx| {
                    let subjects = tx.enrol(&people)?;
                    let new = ids.iter().zip(subjects).map(|(id, enrolled)| NewCase {
                        id: *id,
                        subject: enrolled.subject,
                        round: round.clone(),
                        unit: unit.clone(),
                        definition: definition.clone(),
                        at: now,
                    });
                    tx.create_cases(&new.collect::<Vec<_>>()).map(drop)
                })
                .await
                .map_err(store_problem)?;
        }
        let opened = self.cases[first..].to_vec();
        for cases in opened.chunks(WAVE) {
            let facts = cases
                .iter()
                .map(|case| case_opened(*case, shape.variables(*case).into(), now));
            self.turn(facts.map(Some).collect()).await?;
        }
        Ok(())
    }

    /// Opens `count` more cases and brings them to where they wait for the resident. Answers one such,
    /// in memory: all of them stand as it does.
    ///
    /// # Errors
    /// When store or bus fail, or the process does not come to such a wait.
    pub async fn invite<'a>(&mut self, count: usize, shape: &'a Shape) -> Result<Run<'a>, Problem> {
        let now = self.core.clock.now();
        let mut model = shape.start(people::case_id(0, now), now)?;
        let inputs = model.reach_first_wait()?;
        let all = self.cases.len() + count;
        while self.cases.len() < all {
            let first = self.cases.len();
            self.enrol(WAVE.min(all - first), shape).await?;
            let wave = self.cases[first..].to_vec();
            for input in &inputs {
                self.happen_to(&wave, input).await?;
            }
        }
        Ok(model)
    }

    /// Lets `input` happen to every case; tells how long the processor took.
    ///
    /// # Errors
    /// When store or bus fail, or an input did not become a step.
    pub async fn happen(&mut self, input: &Input) -> Result<Duration, Problem> {
        let cases = std::mem::take(&mut self.cases);
        let spent = self.happen_to(&cases, input).await;
        self.cases = cases;
        spent
    }

    /// The same, to some cases alone.
    ///
    /// # Errors
    /// As [`Hub::happen`].
    pub async fn happen_to(
        &mut self,
        cases: &[CaseId],
        input: &Input,
    ) -> Result<Duration, Problem> {
        let (now, round) = (self.core.clock.now(), self.facts);
        self.facts += 1;
        let facts = cases
            .iter()
            .map(|case| fact(input, *case, round, now))
            .collect();
        self.turn(facts).await
    }

    /// Lets the tasks of a hub that serves take over.
    pub async fn leave(self) -> Vec<CaseId> {
        self.processor.leave().await;
        self.cases
    }

    /// Looks once whether there is something to do, as a hub does that has just started.
    ///
    /// # Errors
    /// When store or bus fail.
    pub async fn look(&mut self) -> Result<(), Problem> {
        let now = self.core.clock.now();
        self.core
            .storage
            .read_async(move |r| r.due_timers(now, 1))
            .await
            .map_err(store_problem)?;
        self.processor.turn(Some(Duration::ZERO)).await.map(drop)
    }

    /// Puts facts on the bus and takes them in; tells how long the processor took.
    ///
    /// # Errors
    /// When store or bus fail, or a fact did not become a step.
    pub async fn turn(&mut self, facts: Vec<Option<Envelope>>) -> Result<Duration, Problem> {
        let facts: Vec<Envelope> = facts.into_iter().flatten().collect();
        let wanted = facts.len();
        for chunk in facts.chunks(CHUNK) {
            self.core.publish(chunk.to_vec()).await?;
        }
        drop(facts);
        let watch = Stopwatch::start();
        let (mut taken, mut steps) = (0, 0);
        while taken < wanted {
            // From Kafka a record comes some time after it was published.
            let turn = self.processor.turn(Some(PATIENCE)).await?;
            if turn.inputs == 0 {
                break;
            }
            taken += turn.inputs;
            steps += turn.steps;
        }
        let spent = watch.elapsed();
        if steps == wanted {
            Ok(spent)
        } else {
            Err(unfit(&format!("{steps} of {wanted} facts became steps")))
        }
    }
}

/// A directory that is removed again, in `--dir` or where the machine keeps such.
///
/// # Errors
/// `HUB-BENCH-002`.
pub fn directory(plan: &Plan) -> Result<tempfile::TempDir, Problem> {
    let parent = plan.dir.clone().unwrap_or_else(std::env::temp_dir);
    tempfile::Builder::new()
        .prefix("halsonav-bench-")
        .tempdir_in(&parent)
        .map_err(|error| {
            let message = format!("no directory can be made in {}: {error}", parent.display());
            Problem::new(Kind::Invalid, "HUB-BENCH-002", message)
        })
}
