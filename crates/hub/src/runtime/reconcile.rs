//! Effects whose outcome was lost: the neighbour is asked, and nothing is sent blindly.

use halsonav_adapter::Reconciled;
use halsonav_domain::Problem;

use super::{dispatch::Dispatcher, outcome, prepare};

/// How many turns a lost outcome is asked about before a human is.
const ASK: u32 = 8;

impl Dispatcher {
    /// Asks about everything that this turn left without an outcome. What the neighbour cannot be
    /// asked about now is asked about later; what it cannot tell becomes an incident.
    pub(super) async fn ask_again(&mut self) -> Result<(), Problem> {
        let mut verdicts = Vec::new();
        for ready in std::mem::take(&mut self.unsettled) {
            let prepared = match self.operation(ready.effect.command.kind.operation()) {
                Some(operation) => prepare::deliveries(&self.core, operation, vec![ready.clone()])
                    .await?
                    .pop()
                    .and_then(|(_, delivery)| Some((operation, delivery.ok()?))),
                None => None,
            };
            let Some((operation, delivery)) = prepared else {
                // It cannot even be said again: only a human can find out.
                verdicts.push(outcome::unknowable(&self.core, ready));
                continue;
            };
            match self.outbound.reconcile(operation.name, &delivery).await {
                Reconciled::Settled(settled) => {
                    verdicts.push(outcome::judge(&self.core, ready, settled));
                }
                Reconciled::Absent => verdicts.push(outcome::absent(&self.core, &ready)),
                Reconciled::Later(problem) if ready.attempt < ASK => {
                    verdicts.push(outcome::asked_later(&self.core, &ready, &problem));
                }
                Reconciled::Later(_) | Reconciled::Unknowable => {
                    verdicts.push(outcome::unknowable(&self.core, ready));
                }
            }
        }
        self.settle(verdicts).await
    }
}
