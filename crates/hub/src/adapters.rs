//! THE list of adapters. A new one is a crate under `adapters/` and a line here.

use std::sync::Arc;

use async_trait::async_trait;
use halsonav_adapter::{Adapter, Build};
use halsonav_domain::{Kind, PersonId, PersonRecord, Problem, Timestamp};

use crate::{
    config::{Config, Region},
    runtime::{Parts, Register, Registry},
};

/// Their names.
pub const NAMES: &[&str] = &[
    "roster",
    "messaging",
    "booking",
    "forms",
    "lab",
    "print",
    "journal",
    "research",
];

/// First words of what the hub does itself.
pub const OWN: &[&str] = &["case", "profile"];

/// Names of all lanes of a site: adapters that are set up, programs outside, the hub's own work.
#[must_use]
pub fn lanes(config: &Config, region: &Region) -> Vec<String> {
    let mut names: Vec<String> = config.adapters.keys().cloned().collect();
    names.extend(region.adapters.keys().cloned());
    names.extend(region.outside.keys().cloned());
    names.extend(OWN.iter().map(|&name| name.to_owned()));
    names.sort_unstable();
    names.dedup();
    names
}

/// The adapters of a site, made from their settings.
pub struct Built {
    /// By name.
    pub registry: Registry,
    /// The population register, if the roster adapter is set up.
    pub register: Option<Arc<dyn Register>>,
}

/// Makes every adapter of this process that has settings, and notes what the others can do: `[adapters.<name>]` of the site, with the region's laid over.
///
/// # Errors
/// What is wrong with any of them, all at once.
pub fn build(config: &Config, region: &Region, parts: &Parts) -> Result<Built, Vec<Problem>> {
    let mut settings = config.adapters.clone();
    for (name, table) in &region.adapters {
        match (settings.get_mut(name), table) {
            (Some(toml::Value::Table(known)), toml::Value::Table(new)) => known.extend(new.clone()),
            _ => {
                settings.insert(name.clone(), table.clone());
            }
        }
    }
    let mut maker = Maker {
        parts,
        settings,
        registry: Registry::default(),
        problems: Vec::new(),
    };
    let roster = maker.make::<halsonav_roster::Roster>("roster");
    maker.make::<halsonav_messaging::Messaging>("messaging");
    maker.make::<halsonav_booking::Booking>("booking");
    maker.make::<halsonav_forms::Forms>("forms");
    maker.make::<halsonav_lab::Lab>("lab");
    maker.make::<halsonav_print::Print>("print");
    maker.make::<halsonav_journal::Journal>("journal");
    maker.make::<halsonav_research::Research>("research");
    for name in maker.settings.keys() {
        maker.problems.push(Problem::new(
            Kind::Invalid,
            "HUB-CONFIG-005",
            format!("adapters.{name}: there is no such adapter"),
        ));
    }
    if !maker.problems.is_empty() {
        return Err(maker.problems);
    }
    let register = roster.map(|roster| Arc::new(Population(roster)) as Arc<dyn Register>);
    Ok(Built {
        registry: maker.registry,
        register,
    })
}

struct Maker<'a> {
    parts: &'a Parts,
    settings: toml::Table,
    registry: Registry,
    problems: Vec<Problem>,
}

impl Maker<'_> {
    fn make<A: Build + Adapter>(&mut self, name: &str) -> Option<Arc<A>> {
        let settings = self.settings.remove(name)?;
        self.registry.know(name, A::OPERATIONS);
        if !self.parts.runs(name) {
            return None;
        }
        let built = settings
            .try_into::<A::Config>()
            .map_err(|error| {
                Problem::new(
                    Kind::Invalid,
                    "HUB-CONFIG-006",
                    format!("adapters.{name}: {}", error.message()),
                )
            })
            .and_then(A::build);
        match built {
            Ok(adapter) => {
                let adapter = Arc::new(adapter);
                self.registry.add(adapter.clone());
                Some(adapter)
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }
}

struct Population(Arc<halsonav_roster::Roster>);

#[async_trait]
impl Register for Population {
    async fn lookup(
        &self,
        people: &[PersonId],
        now: Timestamp,
    ) -> Vec<Result<PersonRecord, Problem>> {
        self.0.lookup(people, now).await
    }
}
