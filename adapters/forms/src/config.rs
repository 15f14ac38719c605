//! Settings of the adapter.

use std::collections::BTreeMap;

use halsonav_domain::{HsaId, Kind, Problem};
use halsonav_rivta::{ClientConfig, ServerConfig};
use schemars::JsonSchema;
use serde::Deserialize;

/// `[adapters.forms]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the form engine, or the service platform before it, is called.
    pub client: ClientConfig,
    /// HSA-id of the form engine: LogicalAddress of all its contracts.
    pub engine: HsaId,
    /// HSA-id of the hub (`healthcare_systemID`): who is told when a form is answered.
    #[serde(default)]
    pub system: Option<HsaId>,
    /// HSA-id of the care giver (`healthcare_CareGiver`).
    #[serde(default)]
    pub care_giver: Option<HsaId>,
    /// The region's names of forms, and what the engine calls them. A name that is not here is
    /// taken for a template id of the engine.
    #[serde(default)]
    pub templates: BTreeMap<String, Template>,
    /// Where the hub is told of answered forms (ProcessNotification); absent, it is not told.
    #[serde(default)]
    pub notifications: Option<ServerConfig>,
    /// Asking for answered forms now and then, since notifications are optional for the engine.
    #[serde(default)]
    pub poll: Poll,
}

/// A template of the form engine.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// `templateId`.
    pub id: String,
    /// `templateVersion`; the newest published when absent.
    #[serde(default)]
    pub version: Option<u32>,
}

/// How forms are asked for.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Poll {
    /// Minutes between rounds; 0 switches it off.
    pub every_minutes: u32,
    /// Open forms asked about in one round, oldest first.
    pub limit: usize,
    /// Forms in one GetForms.
    pub batch: usize,
}

impl Default for Poll {
    fn default() -> Self {
        Self {
            every_minutes: 60,
            limit: 10_000,
            batch: 100,
        }
    }
}

impl Config {
    /// # Errors
    /// `Invalid`, code `HUB-FORMS-005`, naming the setting.
    pub(crate) fn verify(&self) -> Result<(), Problem> {
        let bad = |text: String| Err(Problem::new(Kind::Invalid, "HUB-FORMS-005", text));
        if self.engine.as_str().is_empty() {
            return bad("engine must be an HSA-id".to_owned());
        }
        if let Some((name, _)) = self
            .templates
            .iter()
            .find(|(_, template)| template.id.trim().is_empty())
        {
            return bad(format!("templates.{name}.id is empty"));
        }
        if !(1..=1000).contains(&self.poll.batch) || self.poll.limit == 0 {
            return bad(
                "poll.batch must be between 1 and 1000, and poll.limit at least 1".to_owned(),
            );
        }
        Ok(())
    }

    /// The engine's id and version of a template, by the region's name or the id itself.
    pub(crate) fn template<'a>(&'a self, name: &'a str) -> (&'a str, Option<u32>) {
        self.templates
            .get(name)
            .map_or((name, None), |template| (&template.id, template.version))
    }

    /// The region's name of a template, if it has one.
    pub(crate) fn name_of(&self, id: &str) -> Option<&str> {
        self.templates
            .iter()
            .find(|(_, template)| template.id == id)
            .map(|(name, _)| name.as_str())
    }
}
