//! Errors, escalations and signals: thrown, and caught from the inside outwards.

use halsonav_expression::Template;
use serde_json::{Map, Value};

use super::activate::named;
use super::incident::Failure;
use super::run::Run;
use crate::Effect;
use crate::graph::{NodeIx, NodeKind, Throw, Trigger};
use crate::instance::{For, Item, Phase};

/// What is looked for on the way out.
#[derive(Clone, Copy)]
enum Thrown<'t> {
    Error(&'t str),
    Escalation(&'t str),
}

impl Run<'_> {
    /// Does what an end or throw event does, where it is more than passing.
    pub(super) fn throw(&mut self, key: u64, throw: &Throw) -> Result<(), Failure> {
        match throw {
            Throw::Error(code) => {
                let code = code.text(&self.env(key, &[]))?;
                self.throw_error(key, &code)
            }
            Throw::Escalation(code) => {
                let code = code.text(&self.env(key, &[]))?;
                self.escalate(key, &code);
                Ok(())
            }
            Throw::Signal(name) => {
                let name = name.text(&self.env(key, &[]))?;
                self.signal(key, name);
                Ok(())
            }
            Throw::Compensation(activity) => {
                self.compensate(key, *activity);
                Ok(())
            }
            // The others are passed, or asked for as jobs, where the element begins.
            Throw::None | Throw::Terminate | Throw::Link(_) | Throw::Message(_) => {
                self.complete(key, Map::new());
                Ok(())
            }
        }
    }

    fn throw_error(&mut self, key: u64, code: &str) -> Result<(), Failure> {
        let Some((owner, event)) = self.catcher(key, Thrown::Error(code)) else {
            return Err(Failure::uncaught(code));
        };
        if let Some(node) = self.node(key) {
            let properties = self.properties(key, node, &[])?;
            self.reached(node, properties);
        }
        let payload = self
            .item(key)
            .map(|item| std::mem::take(&mut item.variables));
        self.fire(
            owner,
            event,
            payload.unwrap_or_default(),
            error_locals(code),
        );
        Ok(())
    }

    /// The job of `key` said no with a BPMN error.
    pub(super) fn refuse(&mut self, key: u64, code: &str, variables: Map<String, Value>) {
        match self.catcher(key, Thrown::Error(code)) {
            Some((owner, event)) => self.fire(owner, event, variables, error_locals(code)),
            None => {
                self.instance.merge(key, variables);
                self.fail(key, Phase::Active, Failure::uncaught(code));
            }
        }
    }

    /// Nobody needs to catch an escalation. The thrower goes on unless it is interrupted.
    fn escalate(&mut self, key: u64, code: &str) {
        let caught = self.catcher(key, Thrown::Escalation(code));
        let payload = self.locals(key);
        self.complete(key, Map::new());
        if let Some((owner, event)) = caught {
            self.fire(
                owner,
                event,
                payload,
                named("escalationCode", Value::String(code.to_owned())),
            );
        }
    }

    /// A signal reaches everyone who waits now: here at once, elsewhere through the hub.
    fn signal(&mut self, key: u64, name: String) {
        let payload = self.locals(key);
        let hearers = self.hearers(&name);
        self.effects.push(Effect::Signal {
            name,
            variables: Value::Object(payload.clone()),
        });
        self.complete(key, Map::new());
        for wait in hearers {
            self.trigger(wait, payload.clone());
        }
    }

    /// Open subscriptions for a signal, oldest first.
    pub(super) fn hearers(&self, name: &str) -> Vec<u64> {
        let waits = self.instance.waits.iter();
        let heard =
            waits.filter(|(_, wait)| matches!(&wait.what, For::Signal(known) if known == name));
        heard.map(|(&key, _)| key).collect()
    }

    fn locals(&self, key: u64) -> Map<String, Value> {
        self.instance
            .items
            .get(&key)
            .map(|item| item.variables.clone())
            .unwrap_or_default()
    }

    /// Who catches it: at each item from the thrower outwards, an event sub-process in it or a
    /// boundary event on it; the exact code before the catch-all. Crosses call activities.
    fn catcher(&self, thrower: u64, thrown: Thrown<'_>) -> Option<(u64, NodeIx)> {
        let mut at = thrower;
        loop {
            let item = self.instance.items.get(&at)?;
            let events = self.events_of(item);
            let exact = |&&event: &&NodeIx| self.catches(at, item, event, thrown) == Some(true);
            let any = |&&event: &&NodeIx| self.catches(at, item, event, thrown) == Some(false);
            if let Some(&event) = events
                .iter()
                .find(exact)
                .or_else(|| events.iter().find(any))
            {
                return Some((at, event));
            }
            at = item.parent;
        }
    }

    fn events_of(&self, item: &Item) -> Vec<NodeIx> {
        let definition = self.definition(item.definition);
        let mut events = Vec::new();
        if let Some(scope) = item.scope().filter(|scope| !scope.interrupted) {
            let inside = definition.scope(scope.ix).event_subprocesses.iter();
            events.extend(inside.filter_map(|&node| match definition.node(node).kind {
                NodeKind::EventSubProcess { start, .. } => Some(start),
                _ => None,
            }));
        }
        if let (Some(node), None) = (item.node, item.index) {
            events.extend(&definition.node(node).boundaries);
        }
        events
    }

    /// `Some(true)`: by its code. `Some(false)`: it catches all.
    fn catches(&self, at: u64, item: &Item, event: NodeIx, thrown: Thrown<'_>) -> Option<bool> {
        let (NodeKind::Boundary { trigger, .. } | NodeKind::Start(Some(trigger))) =
            &self.definition(item.definition).node(event).kind
        else {
            return None;
        };
        let by = |template: &Option<Template>, code: &str| match template {
            None => Some(false),
            Some(template) => (template.text(&self.env(at, &[])).ok()? == code).then_some(true),
        };
        match (trigger, thrown) {
            (Trigger::Error(known), Thrown::Error(code)) => by(known, code),
            (Trigger::Escalation(known), Thrown::Escalation(code)) => by(known, code),
            _ => None,
        }
    }
}

/// The output mapping of a catching event, and an event sub-process, can read `errorCode`.
fn error_locals(code: &str) -> Map<String, Value> {
    named("errorCode", Value::String(code.to_owned()))
}
