//! Why an instance waits, and what can move it.

use halsonav_domain::Timestamp;
use serde::Serialize;

use super::{For, Instance, Item};
use crate::Library;
use crate::graph::{Node, NodeKind};

/// One thing that an instance waits for.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Waiting {
    /// Key of the job, timer, subscription or incident.
    pub key: u64,
    /// The process it is in, called processes included.
    pub process: String,
    /// The element's id; the process id if it is the process.
    pub element: String,
    /// The element's name.
    pub name: String,
    /// What for.
    #[serde(flatten)]
    pub what: WaitingFor,
}

/// What an instance waits for.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "waiting")]
pub enum WaitingFor {
    /// A job in the outside world.
    Job,
    /// A person at work.
    WorkItem,
    /// A moment.
    Timer {
        /// Not before this.
        due: Timestamp,
    },
    /// A message.
    Message {
        /// Its name.
        message: String,
        /// Its correlation key.
        correlation: String,
    },
    /// A signal.
    Signal {
        /// Its name.
        signal: String,
    },
    /// An operator.
    Incident {
        /// Why.
        code: String,
    },
}

impl Instance {
    /// Everything it waits for, oldest first. Elements are named from `library`; what is not in it
    /// is left out.
    #[must_use]
    pub fn waiting(&self, library: &Library) -> Vec<Waiting> {
        let jobs = self
            .items
            .values()
            .filter_map(|item| Some((item.job?, item, None)));
        let waits = self.waits.iter();
        let waits = waits.filter_map(|(&key, wait)| {
            let what = match &wait.what {
                For::Timer { due, .. } => WaitingFor::Timer { due: *due },
                For::Signal(signal) => WaitingFor::Signal {
                    signal: signal.clone(),
                },
                For::Message { name, correlation } => WaitingFor::Message {
                    message: name.clone(),
                    correlation: correlation.clone(),
                },
            };
            Some((
                key,
                self.items.get(&wait.owner)?,
                Some((Some(wait.node), what)),
            ))
        });
        let incidents = self.incidents.iter().filter_map(|(&key, incident)| {
            let item = self.items.get(&incident.item)?;
            let what = WaitingFor::Incident {
                code: incident.code.clone(),
            };
            Some((key, item, Some((item.node, what))))
        });
        let all = jobs.chain(waits).chain(incidents);
        let mut all: Vec<Waiting> = all
            .filter_map(|(key, item, event)| {
                let (at, what) = event.map_or((item.node, None), |(node, what)| (node, Some(what)));
                self.describe(library, key, item, at, what)
            })
            .collect();
        all.sort_by_key(|waiting| waiting.key);
        all
    }

    fn describe(
        &self,
        library: &Library,
        key: u64,
        item: &Item,
        at: Option<u32>,
        what: Option<WaitingFor>,
    ) -> Option<Waiting> {
        let pin = self.pins.get(item.definition as usize)?;
        let definition = library.get(&pin.0, pin.1)?;
        let node: Option<&Node> = at.and_then(|ix| definition.nodes.get(ix as usize));
        let what = what.unwrap_or(match node.map(|node| &node.kind) {
            Some(NodeKind::User(_)) => WaitingFor::WorkItem,
            _ => WaitingFor::Job,
        });
        Some(Waiting {
            key,
            process: pin.0.clone(),
            element: node.map_or(&definition.id, |node| &node.id).clone(),
            name: node.map_or(&definition.name, |node| &node.name).clone(),
            what,
        })
    }
}
