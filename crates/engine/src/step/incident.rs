//! What went wrong, and the incidents it becomes. The token stays where it is.

use halsonav_domain::Kind;
use halsonav_expression::EvalError;

use super::run::Run;
use crate::Effect;
use crate::instance::{Incident, Phase, ROOT};

/// Why an element cannot go on.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    pub(super) code: String,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(kind: Kind, code: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    pub(super) fn no_flow() -> Self {
        let message = "No condition is true and there is no default flow.";
        Self::new(Kind::Invalid, "HUB-ENGINE-001", message)
    }

    pub(super) fn no_key(message: &str) -> Self {
        let message =
            format!("The correlation key of message '{message}' is neither text nor a number.");
        Self::new(Kind::Invalid, "HUB-ENGINE-002", message)
    }

    pub(super) fn timer(rule: &str) -> Self {
        let message = format!("The timer's expression gave no valid time ({rule}).");
        Self::new(Kind::Invalid, "HUB-ENGINE-003", message)
    }

    pub(super) fn uncaught(code: &str) -> Self {
        let message = format!("Nothing in the process catches the error '{code}'.");
        Self::new(Kind::Invalid, "HUB-ENGINE-004", message)
    }

    pub(super) fn endless() -> Self {
        let message = format!(
            "The process moved {} times without waiting: a loop.",
            super::run::BUDGET
        );
        Self::new(Kind::Invalid, "HUB-ENGINE-005", message)
    }

    pub(super) fn crowded() -> Self {
        let message = "Too many elements are active in the instance.";
        Self::new(Kind::Invalid, "HUB-ENGINE-006", message)
    }

    pub(super) fn no_process(process: &str) -> Self {
        let message =
            format!("The called process '{process}' is not loaded or has no plain start.");
        Self::new(Kind::NotFound, "HUB-ENGINE-007", message)
    }

    pub(super) fn too_deep() -> Self {
        Self::new(
            Kind::Invalid,
            "HUB-ENGINE-008",
            "Processes call each other too deep.",
        )
    }

    pub(super) fn no_collection() -> Self {
        let message =
            "The collection to repeat over is not a list (or, for a cardinality, a number).";
        Self::new(Kind::Invalid, "HUB-ENGINE-009", message)
    }

    pub(super) fn large_collection(limit: usize) -> Self {
        let message = format!("The collection to repeat over has more than {limit} elements.");
        Self::new(Kind::Invalid, "HUB-ENGINE-010", message)
    }

    pub(super) fn field(field: &str) -> Self {
        let message = format!("The expression for '{field}' gave a value of the wrong type.");
        Self::new(Kind::Invalid, "HUB-ENGINE-011", message)
    }

    pub(super) fn stuck() -> Self {
        let message = "Tokens wait at a join that no other token can reach.";
        Self::new(Kind::Invalid, "HUB-ENGINE-013", message)
    }

    pub(super) fn many_records() -> Self {
        let message = "Too many completed activities wait to be compensated in one scope.";
        Self::new(Kind::Invalid, "HUB-ENGINE-012", message)
    }
}

impl From<EvalError> for Failure {
    fn from(error: EvalError) -> Self {
        Self::new(error.kind(), error.code(), error.to_string())
    }
}

impl Run<'_> {
    /// Parks the item in `phase` with an incident.
    pub(super) fn fail(&mut self, item: u64, phase: Phase, failure: Failure) {
        if let Some(item) = self.item(item) {
            item.phase = phase;
        }
        self.incident(item, failure, None, false);
    }

    /// Stops the whole instance until an operator retries or cancels.
    pub(super) fn stall(&mut self, failure: Failure) {
        let key = self.incident(ROOT, failure, None, false);
        self.instance.stalled = Some(key);
    }

    /// Tells if nothing can ever move the instance again, so that no case is silently lost.
    pub(super) fn watch(&mut self) {
        let instance = &*self.instance;
        let idle = !instance.ended && instance.waits.is_empty() && instance.incidents.is_empty();
        if idle && instance.items.values().all(|item| item.job.is_none()) {
            self.incident(ROOT, Failure::stuck(), None, false);
        }
    }

    pub(super) fn incident(
        &mut self,
        item: u64,
        failure: Failure,
        job: Option<u64>,
        unknown: bool,
    ) -> u64 {
        let key = self.key();
        let Failure {
            kind,
            code,
            message,
        } = failure;
        self.instance.incidents.insert(
            key,
            Incident {
                item,
                code: code.clone(),
                kind,
                unknown,
            },
        );
        let element = self.element(item);
        self.effects.push(Effect::Incident {
            key,
            element,
            job,
            kind,
            code,
            message,
        });
        key
    }

    pub(super) fn resolve(&mut self, incident: u64) {
        if self.instance.incidents.remove(&incident).is_some() {
            self.effects.push(Effect::Resolve { incident });
        }
    }

    /// Closes whatever incident the item has.
    pub(super) fn resolve_item(&mut self, item: u64) {
        let known = self.instance.incidents.iter();
        let open: Vec<u64> = known
            .filter(|(_, incident)| incident.item == item)
            .map(|(&key, _)| key)
            .collect();
        for key in open {
            self.resolve(key);
        }
    }
}
