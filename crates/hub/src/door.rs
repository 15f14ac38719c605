//! What the API asks of the hub.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use halsonav_api::{Cohort, Door, ExportOrder, Format, Part, Remedy, Slot, Upload};
use halsonav_domain::{Envelope, HsaId, Kind, Problem, Timestamp};
use halsonav_engine::render::{self, Diagram, Marks};
use halsonav_profile::FormDefinition;
use halsonav_storage::Incident;
use serde_json::{Value, json};

use crate::{
    cohort,
    runtime::{Core, store_problem},
};

/// Setting that holds the imports of the last time, newest last.
const COHORTS: &str = "cohorts";
/// How many imports are remembered.
const REMEMBERED: usize = 100;

/// The hub, as the API sees it.
pub struct HubDoor {
    core: Arc<Core>,
    forms: BTreeMap<String, FormDefinition>,
}

impl HubDoor {
    /// A door into this hub.
    #[must_use]
    pub fn new(core: Arc<Core>, forms: Vec<FormDefinition>) -> Self {
        let forms = forms
            .into_iter()
            .map(|form| (form.template.clone(), form))
            .collect();
        Self { core, forms }
    }

    /// What the region's forms are called.
    pub fn forms(&self) -> impl Iterator<Item = &str> {
        self.forms.keys().map(String::as_str)
    }
}

#[async_trait]
impl Door for HubDoor {
    async fn publish(&self, events: Vec<Envelope>) -> Result<(), Problem> {
        self.core.publish(events).await
    }

    async fn slots(&self, _: &HsaId, _: Timestamp, _: Timestamp) -> Result<Vec<Slot>, Problem> {
        // crm:scheduling 1.1 answers only for a named person, whom this question does not name.
        Err(Problem::new(
            Kind::NotFound,
            "HUB-DOOR-001",
            "the booking system tells free times only for a person",
        ))
    }

    async fn import(&self, upload: Upload) -> Result<(), Problem> {
        let ending = match upload.format {
            Format::Csv => "csv",
            Format::JsonLines => "jsonl",
        };
        let folder = self.core.config.hub.data.join("uploads");
        let path = folder.join(format!("{}.{ending}", upload.id));
        let file = upload.file.clone();
        let kept = path.clone();
        let unusable = |error: std::io::Error| {
            Problem::new(
                Kind::Unavailable,
                "HUB-DOOR-002",
                format!("the upload cannot be kept: {}", error.kind()),
            )
        };
        tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&kept, &file))
        })
        .await
        .map_err(|_| Problem::new(Kind::Internal, "HUB-DOOR-003", "keeping the upload failed"))?
        .map_err(unusable)?;
        let mut entry = Cohort {
            id: upload.id,
            round: upload.round.to_string(),
            received: upload.at,
            state: "received".to_owned(),
            rows: 0,
            opened: 0,
            rejected: 0,
            faults: Vec::new(),
        };
        remember(&self.core, &entry).await?;
        let core = self.core.clone();
        tokio::spawn(async move {
            match cohort::import(&core, &path, &cohort::random_ids, false).await {
                Ok(imported) => {
                    entry.state = "done".to_owned();
                    entry.rows = imported.lines;
                    entry.opened = imported.opened;
                    entry.rejected = imported.faults.len() as u64;
                    entry.faults = imported
                        .faults
                        .iter()
                        .take(100)
                        .map(|f| format!("line {}: {}: {}", f.line, f.code, f.message))
                        .collect();
                }
                Err(problem) => {
                    entry.state = "failed".to_owned();
                    entry.faults = vec![problem.to_string()];
                }
            }
            // The list holds personal numbers: it goes once it is in the vault.
            let _ = std::fs::remove_file(&path);
            if let Err(problem) = remember(&core, &entry).await {
                tracing::error!(%problem, "an import could not be noted");
            }
        });
        Ok(())
    }

    async fn cohorts(&self) -> Result<Vec<Cohort>, Problem> {
        known(&self.core).await
    }

    async fn export(&self, order: ExportOrder) -> Result<(), Problem> {
        crate::research::export(
            &self.core,
            &self.core.config.hub.data.join("research"),
            order.at,
        )
        .await
        .map(drop)
    }

    async fn remedy(&self, incident: &Incident, remedy: Remedy, by: &str) -> Result<(), Problem> {
        let (Some(case), "intake") = (incident.case, incident.element.as_str()) else {
            return Err(Problem::new(
                Kind::Conflict,
                "HUB-DOOR-004",
                "this incident ends when its cause is gone",
            ));
        };
        let (no, now, how) = (
            incident.no,
            self.core.clock.now(),
            format!("{remedy:?} by {by}"),
        );
        let again = self
            .core
            .storage
            .write_async(move |tx| {
                let Some(case) = tx.case(&case)? else {
                    return Ok(Vec::new());
                };
                let mut parked = tx.unpark(case.no)?;
                if remedy == Remedy::Skip && !parked.is_empty() {
                    parked.remove(0);
                }
                tx.resolve_incident(no, &how, now)?;
                Ok(parked)
            })
            .await
            .map_err(store_problem)?;
        // They were seen once; under a new id they are looked at again, in their order.
        let facts = again.into_iter().map(|mut fact| {
            fact.id = format!("{}~{}", fact.id, now.as_millisecond());
            fact
        });
        self.core.publish(facts.collect()).await
    }

    fn lanes(&self) -> Vec<String> {
        self.core.adapters.names().map(str::to_owned).collect()
    }

    async fn ready(&self) -> Vec<Part> {
        let store = self
            .core
            .storage
            .read_async(|r| r.setting("ready"))
            .await
            .map(drop)
            .map_err(|error| error.to_string());
        let health = self.core.bus.health().await;
        let bus = health.now.map_err(|error| error.to_string());
        [("store", store), ("bus", bus)]
            .into_iter()
            .map(|(name, answer)| Part {
                name: name.to_owned(),
                ok: answer.is_ok(),
                detail: answer.err().unwrap_or_default(),
            })
            .collect()
    }

    async fn picture(&self, id: &str, version: u32) -> Option<String> {
        let library = self.core.library();
        let definition = library.get(id, version)?;
        let name = id.to_owned();
        let stored = self
            .core
            .storage
            .read_async(move |r| r.definition("bpmn", &name, Some(version)))
            .await
            .ok()
            .flatten();
        let diagram = stored.and_then(|stored| Diagram::read(&stored.definition.text));
        Some(render::svg(definition, diagram.as_ref(), &Marks::default()))
    }

    fn validate_answers(&self, form: &str, answers: &Value) -> Result<(), Vec<String>> {
        let Some(form) = self.forms.get(form) else {
            return Err(vec!["the region has no such form".to_owned()]);
        };
        form.validate(answers)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    async fn metrics(&self) -> String {
        let now = self.core.clock.now();
        let state = self
            .core
            .storage
            .read_async(move |r| Ok((r.backlog(now)?, r.lane_stops(now)?)));
        let state = state.await;
        let metrics = &self.core.metrics;
        metrics.store(state.is_ok());
        match state {
            Ok((backlog, stops)) => {
                metrics.backlog(&backlog, self.core.adapters.names(), now);
                for name in self.core.adapters.names() {
                    metrics.lane(name, stops.iter().any(|stop| stop.adapter == name));
                }
            }
            // As it was last known.
            Err(error) => tracing::warn!(code = error.code(), "the backlog is not known: {error}"),
        }
        metrics.text()
    }
}

async fn known(core: &Core) -> Result<Vec<Cohort>, Problem> {
    let text = core
        .storage
        .read_async(|r| r.setting(COHORTS))
        .await
        .map_err(store_problem)?
        .unwrap_or_default();
    let list: Vec<Value> = serde_json::from_str(&text).unwrap_or_default();
    Ok(list.iter().filter_map(read).collect())
}

fn read(value: &Value) -> Option<Cohort> {
    let number = |field: &str| value.get(field).and_then(Value::as_u64).unwrap_or(0);
    let text = |field: &str| {
        value
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Some(Cohort {
        id: text("id").parse().ok()?,
        round: text("round"),
        received: text("received").parse().ok()?,
        state: text("state"),
        rows: number("rows"),
        opened: number("opened"),
        rejected: number("rejected"),
        faults: value
            .get("faults")?
            .as_array()?
            .iter()
            .filter_map(|f| f.as_str().map(str::to_owned))
            .collect(),
    })
}

async fn remember(core: &Core, entry: &Cohort) -> Result<(), Problem> {
    let entry = json!(entry);
    core.storage
        .write_async(move |tx| {
            let text = tx.setting(COHORTS)?.unwrap_or_default();
            let mut list: Vec<Value> = serde_json::from_str(&text).unwrap_or_default();
            list.retain(|known| known["id"] != entry["id"]);
            list.push(entry.clone());
            if list.len() > REMEMBERED {
                list.remove(0);
            }
            tx.set_setting(COHORTS, Some(&Value::Array(list).to_string()))
        })
        .await
        .map_err(store_problem)
}
