//! What a transaction has to tell once it is committed.

use std::sync::Arc;

use halsonav_domain::CaseId;
use serde_json::Value;

use crate::spans::Begun;

/// Counts, and what others are to hear.
#[derive(Default, Debug)]
pub(super) struct Report {
    /// Steps that changed an instance.
    pub(super) steps: usize,
    /// Signals for every other instance: from whom, name and variables.
    pub(super) signals: Vec<(CaseId, String, Value)>,
    /// Messages and inputs that came to nothing.
    pub(super) dropped: usize,
    /// Facts that the engine would not have, or that are about no case that is here.
    pub(super) rejected: usize,
    /// Incidents that were opened: case, element and code.
    pub(super) incidents: Vec<(CaseId, String, String)>,
    /// Jobs that no adapter knows: case, job and kind.
    pub(super) unknown: Vec<(CaseId, u64, String)>,
    /// Of the steps.
    pub(super) spans: Vec<Arc<Begun>>,
}

impl Report {
    /// Both.
    pub(super) fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.dropped += other.dropped;
        self.rejected += other.rejected;
        self.signals.extend_from_slice(&other.signals);
        self.incidents.extend_from_slice(&other.incidents);
        self.unknown.extend_from_slice(&other.unknown);
        self.spans.extend_from_slice(&other.spans);
    }

    /// Tells operators, and the collector.
    pub(super) fn tell(&self) {
        self.spans.iter().for_each(|span| span.stored());
        for (case, element, code) in &self.incidents {
            tracing::warn!(%case, element, code, "a case needs an operator");
        }
        for (case, job, kind) in &self.unknown {
            let code = "HUB-INTAKE-007";
            tracing::error!(%case, job, kind, code, "no adapter knows this kind of job");
        }
    }
}
