//! Every process version there is, found by id, version, tag or start event.

use std::collections::HashMap;
use std::sync::Arc;

use halsonav_domain::Kind;
use halsonav_expression::Decisions;

use crate::graph::{Binding, Definition, NodeIx, NodeKind, Trigger};
use crate::step::Reach;

/// The processes and decisions of one region's folder, which belong together.
#[derive(Debug)]
pub struct Deployment {
    /// Processes, each with its version set.
    pub definitions: Vec<Definition>,
    /// Decisions that their business rule tasks call.
    pub decisions: Arc<Decisions>,
}

/// Definitions by id and version. Definitions are never changed once in it.
#[derive(Clone, Debug, Default)]
pub struct Library {
    processes: HashMap<String, Vec<Edition>>,
    deployments: u64,
}

/// One version of one process, with what is worked out once about it.
#[derive(Clone, Debug)]
pub(crate) struct Edition {
    pub(crate) definition: Arc<Definition>,
    pub(crate) decisions: Arc<Decisions>,
    pub(crate) reach: Reach,
    pub(crate) deployment: u64,
}

/// Two different files claim the same process version.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("process '{process}' version {version} is already loaded from another file")]
pub struct Clash {
    /// The process id.
    pub process: String,
    /// The version.
    pub version: u32,
}

impl Clash {
    /// What should happen next.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::Conflict
    }

    /// Stable code for the operator.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "HUB-ENGINE-020"
    }
}

/// A start event with a trigger, of the newest version of a process.
#[derive(Clone, Copy, Debug)]
pub struct StartEvent<'a> {
    /// The process.
    pub definition: &'a Arc<Definition>,
    /// Its start event.
    pub node: NodeIx,
    /// What starts it: a message, a timer or a signal.
    pub trigger: &'a Trigger,
}

impl StartEvent<'_> {
    /// The start event's id, for [`crate::start_at`].
    #[must_use]
    pub fn element(&self) -> &str {
        &self.definition.node(self.node).id
    }
}

impl Library {
    /// An empty library.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a deployment. The same version of the same file again changes nothing.
    ///
    /// # Errors
    /// [`Clash`] if a version is there already with another digest; then nothing is added.
    pub fn add(&mut self, deployment: Deployment) -> Result<(), Clash> {
        for new in &deployment.definitions {
            if self
                .get(&new.id, new.version)
                .is_some_and(|old| old.digest != new.digest)
            {
                return Err(Clash {
                    process: new.id.clone(),
                    version: new.version,
                });
            }
        }
        self.deployments += 1;
        for definition in deployment.definitions {
            let editions = self.processes.entry(definition.id.clone()).or_default();
            if let Err(at) = editions
                .binary_search_by_key(&definition.version, |edition| edition.definition.version)
            {
                let edition = Edition {
                    reach: Reach::of(&definition),
                    definition: Arc::new(definition),
                    decisions: Arc::clone(&deployment.decisions),
                    deployment: self.deployments,
                };
                editions.insert(at, edition);
            }
        }
        Ok(())
    }

    /// One version of a process.
    #[must_use]
    pub fn get(&self, process: &str, version: u32) -> Option<&Arc<Definition>> {
        self.edition(process, version)
            .map(|edition| &edition.definition)
    }

    /// The newest version of a process.
    #[must_use]
    pub fn latest(&self, process: &str) -> Option<&Arc<Definition>> {
        self.processes
            .get(process)?
            .last()
            .map(|edition| &edition.definition)
    }

    /// Every definition, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.processes
            .values()
            .flatten()
            .map(|edition| &edition.definition)
    }

    /// The message, timer and signal starts of the newest version of every process.
    pub fn starts(&self) -> impl Iterator<Item = StartEvent<'_>> {
        self.processes
            .values()
            .filter_map(|editions| editions.last())
            .flat_map(|edition| {
                let definition = &edition.definition;
                let events = definition
                    .scopes
                    .first()
                    .map(|scope| scope.event_starts.as_slice());
                events.unwrap_or_default().iter().filter_map(move |&node| {
                    match &definition.node(node).kind {
                        NodeKind::Start(Some(trigger)) => Some(StartEvent {
                            definition,
                            node,
                            trigger,
                        }),
                        _ => None,
                    }
                })
            })
    }

    pub(crate) fn edition(&self, process: &str, version: u32) -> Option<&Edition> {
        let editions = self.processes.get(process)?;
        let at = editions
            .binary_search_by_key(&version, |edition| edition.definition.version)
            .ok()?;
        editions.get(at)
    }

    /// The edition that a call by `caller` means now.
    pub(crate) fn bound(
        &self,
        process: &str,
        binding: &Binding,
        caller: &Edition,
    ) -> Option<&Edition> {
        let editions = self.processes.get(process)?;
        match binding {
            Binding::Latest => editions.last(),
            Binding::Deployment => editions
                .iter()
                .rev()
                .find(|edition| edition.deployment == caller.deployment),
            Binding::VersionTag(tag) => editions
                .iter()
                .rev()
                .find(|edition| edition.definition.version_tag.as_deref() == Some(tag)),
        }
    }

    pub(crate) fn newest(&self, process: &str) -> Option<&Edition> {
        self.processes.get(process)?.last()
    }
}
