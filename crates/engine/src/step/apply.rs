//! What each input does.

use super::Rejection;
use super::run::Run;
use super::variables::members;
use crate::instance::{Letter, Phase, ROOT};
use crate::{Effect, Input, Operator};

/// Inputs recorded while nothing moves.
pub(super) const MAX_QUEUE: usize = 256;

impl Run<'_> {
    /// Applies a checked input and everything that follows from it.
    pub(super) fn apply(&mut self, input: &Input) -> Result<(), Rejection> {
        self.check(input)?;
        let operator = matches!(input, Input::Operator(_));
        if self.is_held() && !operator {
            self.check_queue(input)?;
            self.instance.revision += 1;
            self.instance.queue.push_back(input.clone());
            return Ok(());
        }
        self.instance.revision += 1;
        self.expire();
        self.perform_input(input);
        self.run();
        self.drain();
        self.watch();
        Ok(())
    }

    /// Applies what was recorded, as long as the instance moves.
    fn drain(&mut self) {
        while !self.is_held() && !self.instance.ended {
            let Some(input) = self.instance.queue.pop_front() else {
                return;
            };
            match self.check(&input) {
                Ok(()) => {
                    self.perform_input(&input);
                    self.run();
                }
                Err(rejection) => {
                    let ((id, name), why) = (name(&input), rejection.to_string());
                    self.effects.push(Effect::Dropped { id, name, why });
                }
            }
        }
    }

    fn perform_input(&mut self, input: &Input) {
        match input {
            Input::Completed { job, variables } => self.completed(*job, members(variables)),
            Input::Refused {
                job,
                code,
                variables,
            } => self.refused(*job, code, members(variables)),
            Input::Failed {
                job,
                problem,
                outcome_unknown,
            } => self.failed(*job, problem, *outcome_unknown),
            Input::Message {
                id,
                name,
                correlation,
                variables,
                expires,
            } => {
                let letter = Letter::new(id, name, correlation, members(variables), *expires);
                self.deliver(letter, expires.is_some());
            }
            Input::Signal { name, variables } => {
                for wait in self.hearers(name) {
                    self.trigger(wait, members(variables));
                }
            }
            Input::TimerDue { timer } => self.trigger(*timer, serde_json::Map::new()),
            Input::Operator(operator) => self.operate(operator),
        }
    }

    fn operate(&mut self, operator: &Operator) {
        match operator {
            Operator::Retry {
                incident,
                variables,
            } => self.retry(*incident, members(variables)),
            Operator::Skip {
                incident,
                variables,
            } => {
                let item = self
                    .instance
                    .incidents
                    .get(incident)
                    .map_or(0, |incident| incident.item);
                self.resolve_item(item);
                self.skip(item, members(variables));
            }
            Operator::Cancel { reason } => self.end(Some("cancelled".to_owned()), reason.clone()),
            Operator::Suspend => self.instance.suspended = true,
            Operator::Resume => self.instance.suspended = false,
            Operator::SetVariables { scope, variables } => {
                let scope = if *scope == 0 { ROOT } else { *scope };
                if let Some(item) = self.item(scope) {
                    item.variables.extend(members(variables));
                }
            }
        }
    }

    /// Tries again from where it stopped.
    fn retry(&mut self, incident: u64, variables: serde_json::Map<String, serde_json::Value>) {
        let Some(known) = self.instance.incidents.get(&incident) else {
            return;
        };
        let (key, unknown) = (known.item, known.unknown);
        self.resolve(incident);
        self.instance.merge(key, variables);
        if self
            .instance
            .stalled
            .take_if(|stalled| *stalled == incident)
            .is_some()
        {
            return self.resume_stalled();
        }
        let Some(item) = self.item(key) else { return };
        match std::mem::take(&mut item.phase) {
            Phase::Enter => self.activate(key),
            Phase::Active => {
                let job = item.job.take();
                self.ask_again(key, job.filter(|_| unknown));
            }
            Phase::Output => {
                let result = std::mem::take(&mut item.result);
                self.complete(key, result);
            }
            Phase::Flow => self.depart(key),
        }
    }

    /// Goes on with the agenda that was left. A process whose own subscriptions could not be opened
    /// when it began opens them first.
    fn resume_stalled(&mut self) {
        let Some(root) = self.item(ROOT) else { return };
        if std::mem::take(&mut root.phase) == Phase::Enter {
            self.begin_root();
        }
    }

    pub(super) fn begin_root(&mut self) {
        match self.prepare_scope(ROOT, self.definition(0), 0) {
            Ok(waits) => self.open_all(ROOT, waits),
            Err(failure) => {
                if let Some(root) = self.item(ROOT) {
                    root.phase = Phase::Enter;
                }
                self.stall(failure);
            }
        }
    }
}

/// Id and name of an input, for telling that it was dropped.
pub(super) fn name(input: &Input) -> (String, String) {
    let kind = match input {
        Input::Message { id, name, .. } => return (id.clone(), name.clone()),
        Input::Signal { name, .. } => name,
        Input::Completed { .. } => "completed",
        Input::Refused { .. } => "refused",
        Input::Failed { .. } => "failed",
        Input::TimerDue { .. } => "timer-due",
        Input::Operator(_) => "operator",
    };
    (String::new(), kind.to_owned())
}
