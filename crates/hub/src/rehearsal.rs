//! A hub that is turned by hand, part by part, with ports that are given from outside: for simulation
//! and for crash tests. Everything between the ports is what serves.

use std::{path::PathBuf, sync::Arc};

use halsonav_adapter::Outbound;
use halsonav_bus::Bus;
use halsonav_domain::{CaseId, Clock, Envelope, HsaId, PersonId, Problem, RoundId};
use halsonav_engine::Library;
use halsonav_expression::Decisions;
use halsonav_storage::{DefinitionRef, NewCase, Storage};
use serde_json::json;

use crate::{
    cli::{Context, Output},
    clock::Time,
    config::{Config, Region},
    definitions,
    runtime::{
        Core, Documents, FOREVER, Gate, Hub, Metrics, Parts, Registry, case_opened, store_problem,
    },
    site,
    spans::Spans,
};
pub use crate::{
    crash::{Fate, watch},
    runtime::Register,
};

/// What every life of a hub has in common: read once, since reading takes longer than living.
pub struct Stage {
    config: Config,
    region: Arc<Region>,
    documents: Arc<Documents>,
    library: Arc<Library>,
    tables: Arc<Decisions>,
}

impl Stage {
    /// Reads a region that is shipped.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(region: &str) -> Result<Self, Vec<Problem>> {
        Self::within(None, region)
    }

    /// Reads a region from a folder of regions; without one, a region that is shipped.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn within(regions: Option<PathBuf>, region: &str) -> Result<Self, Vec<Problem>> {
        let context = Context {
            config: None,
            regions,
            output: Output { json: true },
        };
        let (config, region) = site::settings(&context, Some(region))?;
        let mut loaded = definitions::read(&region, &|_| true)?;
        let tables = loaded.deployment.decisions.clone();
        for definition in &mut loaded.deployment.definitions {
            definition.version = 1;
        }
        let mut library = Library::new();
        library
            .add(loaded.deployment)
            .map_err(|clash| vec![Problem::new(clash.kind(), clash.code(), clash.to_string())])?;
        Ok(Self {
            documents: Arc::new(Documents::load(&region)?),
            region: Arc::new(region),
            library: Arc::new(library),
            tables,
            config,
        })
    }
}

/// Everything a hub reaches out through.
pub struct Ports {
    /// Where its store lies; what an earlier life left there is taken up.
    pub dir: PathBuf,
    /// The bus.
    pub bus: Arc<dyn Bus>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who carries out commands, by the first word of their kind.
    pub lanes: Vec<(String, Arc<dyn Outbound>)>,
    /// The population register.
    pub register: Arc<dyn Register>,
}

/// One life of a hub.
pub struct Rehearsal {
    hub: Hub,
}

impl Rehearsal {
    /// Puts a hub together and starts it, as a process does that has just begun.
    ///
    /// # Errors
    /// The refusals of store and bus.
    pub async fn start(stage: &Stage, ports: Ports) -> Result<Self, Vec<Problem>> {
        let one = |problem: Problem| vec![problem];
        let mut config = stage.config.clone();
        config.hub.data = ports.dir;
        // Few cases as there are here, a turn is still several transactions, and may end between them.
        config.engine.batch = 3;
        let mut adapters = Registry::default();
        for (name, lane) in ports.lanes {
            adapters.add_worker(&name, lane);
        }
        site::own_lanes(&mut adapters, &stage.region, &ports.bus)?;
        let time = Time::of(ports.clock);
        let core = Core {
            region: stage.region.clone(),
            documents: stage.documents.clone(),
            storage: site::store(&config).map_err(one)?,
            bus: ports.bus,
            alone: true,
            lease_ttl: FOREVER,
            shares: 1,
            clock: time.clock,
            schedule: time.schedule,
            clock_set: time.set,
            adapters,
            register: Some(ports.register),
            gate: Gate {
                max_age: jiff::SignedDuration::from_hours(config.gate.max_age_h),
            },
            metrics: Metrics::new(),
            spans: Spans::none(),
            tables: stage.tables.clone(),
            definitions: std::sync::RwLock::new(stage.library.clone()),
            config,
        };
        let hub = Hub::start(Arc::new(core), &Parts::all())
            .await
            .map_err(one)?;
        Ok(Self { hub })
    }

    /// How many parts there are to turn.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.hub.parts()
    }

    /// Turns one part once; how much it moved.
    ///
    /// # Errors
    /// When store or bus fail.
    pub async fn turn(&mut self, part: usize) -> Result<usize, Problem> {
        self.hub.turn_part(part).await
    }

    /// Asks where it is time to ask.
    ///
    /// # Errors
    /// When store or bus fail.
    pub async fn ask(&mut self) -> Result<usize, Problem> {
        self.hub.ask().await
    }

    /// What the hub remembers.
    #[must_use]
    pub fn storage(&self) -> &Storage {
        &self.hub.core.storage
    }

    /// Says facts on the bus, as the API does.
    ///
    /// # Errors
    /// When the bus refuses.
    pub async fn say(&self, facts: Vec<Envelope>) -> Result<(), Problem> {
        self.hub.core.publish(facts).await
    }

    /// Opens a case for each person, unless there is one. The same person always gets the same case id.
    ///
    /// # Errors
    /// When store or bus refuse.
    pub async fn open(&self, people: Vec<(PersonId, CaseId)>) -> Result<(), Problem> {
        let core = &self.hub.core;
        let round = RoundId(core.region.round.id.clone());
        let unit = core.region.units[0].hsa_id.clone();
        let definition = DefinitionRef {
            id: core.region.process.clone(),
            version: 1,
        };
        let (now, of, cases) = (core.clock.now(), unit.clone(), people.clone());
        core.storage
            .write_async(move |tx| {
                let numbers: Vec<PersonId> = cases.iter().map(|(who, _)| who.clone()).collect();
                let subjects = tx.enrol(&numbers)?;
                let new = cases.iter().zip(subjects).map(|((_, id), known)| NewCase {
                    id: *id,
                    subject: known.subject,
                    round: round.clone(),
                    unit: of.clone(),
                    definition: definition.clone(),
                    at: now,
                });
                tx.create_cases(&new.collect::<Vec<_>>()).map(drop)
            })
            .await
            .map_err(store_problem)?;
        let facts = people.iter().map(|(_, case)| self.opening(*case, &unit));
        core.publish(facts.collect()).await
    }

    fn opening(&self, case: CaseId, unit: &HsaId) -> Envelope {
        let region = &self.hub.core.region;
        let data = json!({
            "caseId": case, "round": region.round.id, "year": region.round.year, "age": 50, "sex": "woman",
            "unit": unit, "unitName": region.units[0].name, "language": "sv", "invitation": null,
            "region": region.switches,
        });
        let now = self.hub.core.clock.now();
        case_opened(case, data, now)
    }
}
