//! Which flows of a process were ever taken: for tests of process files.

use std::collections::BTreeSet;

use halsonav_domain::{CaseId, Timestamp};
use serde_json::{Map, Value};

use super::{Rejection, begin, proceed};
use crate::graph::{Definition, FlowIx};
use crate::{Effect, Input, Instance, Library};

/// Runs processes as [`crate::start`] and [`crate::step`] do, and remembers the flows.
#[derive(Clone, Default, Debug)]
pub struct Coverage {
    taken: BTreeSet<(String, u32, FlowIx)>,
}

impl Coverage {
    /// Nothing taken.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`crate::start`].
    ///
    /// # Errors
    /// As [`crate::start`].
    pub fn start(
        &mut self,
        library: &Library,
        process: &str,
        id: CaseId,
        variables: Map<String, Value>,
        now: Timestamp,
    ) -> Result<(Instance, Vec<Effect>), Rejection> {
        let mut trace = |definition: &Definition, flow| self.note(definition, flow);
        begin(
            library,
            process,
            None,
            id,
            variables,
            Map::new(),
            now,
            Some(&mut trace),
        )
    }

    /// As [`crate::step`].
    ///
    /// # Errors
    /// As [`crate::step`].
    pub fn step(
        &mut self,
        library: &Library,
        instance: &mut Instance,
        input: &Input,
        now: Timestamp,
    ) -> Result<Vec<Effect>, Rejection> {
        let mut trace = |definition: &Definition, flow| self.note(definition, flow);
        proceed(library, instance, input, now, Some(&mut trace))
    }

    /// Ids of the flows of `definition` that no run has taken.
    #[must_use]
    pub fn missing<'d>(&self, definition: &'d Definition) -> Vec<&'d str> {
        let flows = definition.flows.iter().zip(0..);
        let taken = |flow| {
            self.taken
                .contains(&(definition.id.clone(), definition.version, flow))
        };
        flows
            .filter(|(_, ix)| !taken(*ix))
            .map(|(flow, _)| flow.id.as_str())
            .collect()
    }

    fn note(&mut self, definition: &Definition, flow: FlowIx) {
        self.taken
            .insert((definition.id.clone(), definition.version, flow));
    }
}
