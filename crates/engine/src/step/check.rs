//! Does the input fit? Asked before anything is changed.

use super::Rejection;
use super::run::Run;
use super::variables::object;
use crate::graph::NodeKind;
use crate::instance::{For, Phase};
use crate::{Input, Operator};

impl Run<'_> {
    pub(super) fn check(&self, input: &Input) -> Result<(), Rejection> {
        match input {
            Input::Completed { job, variables } | Input::Refused { job, variables, .. } => {
                object(variables)?;
                self.item_of(*job)
                    .map(|_| ())
                    .ok_or(Rejection::UnknownJob(*job))
            }
            Input::Failed { job, .. } => {
                let item = self.item_of(*job).ok_or(Rejection::UnknownJob(*job))?;
                let failed = self
                    .instance
                    .incidents
                    .values()
                    .any(|incident| incident.item == item);
                if failed {
                    Err(Rejection::UnknownJob(*job))
                } else {
                    Ok(())
                }
            }
            Input::Message { id, variables, .. } => {
                object(variables)?;
                if self.instance.has_seen(id) {
                    Err(Rejection::DuplicateMessage)
                } else {
                    Ok(())
                }
            }
            Input::Signal { name, variables } => {
                object(variables)?;
                let heard = self.is_held() || !self.hearers(name).is_empty();
                if heard {
                    Ok(())
                } else {
                    Err(Rejection::UnknownSignal)
                }
            }
            Input::TimerDue { timer } => self.check_timer(*timer),
            Input::Operator(operator) => self.check_operator(operator),
        }
    }

    /// Nothing moves: suspended, or stopped by an incident of the whole instance.
    pub(super) fn is_held(&self) -> bool {
        self.instance.suspended || self.instance.stalled.is_some()
    }

    fn check_timer(&self, timer: u64) -> Result<(), Rejection> {
        match self.instance.waits.get(&timer).map(|wait| &wait.what) {
            Some(For::Timer { due, .. }) if *due > self.now => {
                Err(Rejection::NotDue { timer, due: *due })
            }
            Some(For::Timer { .. }) => Ok(()),
            _ => Err(Rejection::UnknownTimer(timer)),
        }
    }

    fn check_operator(&self, operator: &Operator) -> Result<(), Rejection> {
        match operator {
            Operator::Retry {
                incident,
                variables,
            } => {
                object(variables)?;
                self.check_incident(*incident).map(|_| ())
            }
            Operator::Skip {
                incident,
                variables,
            } => {
                object(variables)?;
                let item = self.check_incident(*incident)?;
                if self.is_skippable(*incident, item) {
                    Ok(())
                } else {
                    Err(Rejection::NotSkippable(*incident))
                }
            }
            Operator::SetVariables { scope, variables } => {
                object(variables)?;
                let known = *scope == 0 || self.instance.items.contains_key(scope);
                if known {
                    Ok(())
                } else {
                    Err(Rejection::UnknownScope(*scope))
                }
            }
            Operator::Suspend if self.instance.suspended => Err(Rejection::Suspended),
            Operator::Resume if !self.instance.suspended => Err(Rejection::NotSuspended),
            Operator::Suspend | Operator::Resume | Operator::Cancel { .. } => Ok(()),
        }
    }

    /// The item of an open incident.
    fn check_incident(&self, incident: u64) -> Result<u64, Rejection> {
        if self.instance.suspended {
            return Err(Rejection::Suspended);
        }
        let known = self.instance.incidents.get(&incident);
        let item = known.ok_or(Rejection::UnknownIncident(incident))?.item;
        match self.instance.stalled {
            // The instance as a whole first.
            Some(stalled) if stalled != incident => Err(Rejection::Suspended),
            _ => Ok(item),
        }
    }

    fn is_skippable(&self, incident: u64, item: u64) -> bool {
        if self.instance.stalled == Some(incident) {
            return false;
        }
        let Some((item, node)) = self.instance.items.get(&item).zip(self.node(item)) else {
            return false;
        };
        match node.kind {
            NodeKind::EventBased => false,
            NodeKind::Exclusive | NodeKind::Inclusive => {
                item.phase != Phase::Flow || node.default.is_some()
            }
            _ => true,
        }
    }

    /// An input that was recorded already would be recorded twice.
    pub(super) fn check_queue(&self, input: &Input) -> Result<(), Rejection> {
        for known in &self.instance.queue {
            match (known, input) {
                (Input::Message { id, .. }, Input::Message { id: other, .. }) if id == other => {
                    return Err(Rejection::DuplicateMessage);
                }
                (Input::TimerDue { timer }, Input::TimerDue { timer: other }) if timer == other => {
                    return Err(Rejection::UnknownTimer(*timer));
                }
                _ => {
                    if let (Some(job), Some(other)) = (job_of(known), job_of(input))
                        && job == other
                    {
                        return Err(Rejection::UnknownJob(job));
                    }
                }
            }
        }
        if self.instance.queue.len() >= super::apply::MAX_QUEUE {
            return Err(Rejection::QueueFull);
        }
        Ok(())
    }
}

/// The job that the input answers for good.
fn job_of(input: &Input) -> Option<u64> {
    match input {
        Input::Completed { job, .. } | Input::Refused { job, .. } => Some(*job),
        _ => None,
    }
}
