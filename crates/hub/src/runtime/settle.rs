//! The end of a dispatcher's turn: what became of each effect is said, then noted.

use halsonav_domain::{Problem, Topic};
use halsonav_storage::Settled;

use super::{
    Core,
    dispatch::Dispatcher,
    outcome::{self, Verdict},
    prepare, store_problem,
};
use crate::crash;

impl Dispatcher {
    /// Publishes what became of each effect, then notes it: a crash between the two says it again,
    /// and the fact's id makes it known.
    pub(super) async fn settle(&mut self, verdicts: Vec<Verdict>) -> Result<(), Problem> {
        self.stop_if_denied(&verdicts).await?;
        let now = self.core.clock.now();
        let mut settlements = Vec::with_capacity(verdicts.len());
        let mut facts = Vec::new();
        let mut people = Vec::new();
        let mut kept = Vec::new();
        let mut documented = Vec::new();
        let mut trouble = Trouble::default();
        for verdict in verdicts {
            match verdict {
                Verdict::Settled(settled) => {
                    let mut settled = *settled;
                    settled.settlement.epoch = self.epoch;
                    self.core
                        .metrics
                        .effect(&self.adapter, outcome::word(&settled.settlement.settled));
                    trouble.note(&settled.settlement.settled);
                    facts.extend(settled.fact);
                    documented.extend(settled.documented);
                    people.extend(settled.person);
                    kept.extend(settled.keep);
                    settlements.push(settled.settlement);
                }
                Verdict::Lost(ready) => self.unsettled.push(*ready),
            }
        }
        trouble.tell(&self.adapter);
        self.core.take_in(people).await?;
        kept_first(&self.core, kept).await?;
        crash::point("dispatch.kept", &self.adapter).await;
        self.core.publish(facts).await?;
        crash::point("dispatch.told", &self.adapter).await;
        self.core
            .publish_to(&Topic::Documentation, documented)
            .await?;
        if settlements.is_empty() {
            return Ok(());
        }
        let refused = self
            .core
            .storage
            .write_async(move |tx| tx.settle(&settlements, now))
            .await
            .map_err(store_problem)?;
        if !refused.is_empty() {
            tracing::warn!(
                adapter = self.adapter,
                refused = refused.len(),
                code = "HUB-DISPATCH-004",
                "another dispatcher has taken over"
            );
        }
        Ok(())
    }

    async fn stop_if_denied(&self, verdicts: &[Verdict]) -> Result<(), Problem> {
        let denied = verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Settled(ending) => ending.denied.as_ref(),
            Verdict::Lost(_) => None,
        });
        match denied.max_by_key(|(_, until)| *until) {
            Some((problem, until)) => self.core.lane_denied(&self.adapter, problem, *until).await,
            None => Ok(()),
        }
    }
}

/// What did not go well in one turn. A line of the log each would be too many of them.
#[derive(Default)]
struct Trouble {
    again: usize,
    given_up: usize,
    code: Option<String>,
}

impl Trouble {
    fn note(&mut self, settled: &Settled) {
        let code = match settled {
            Settled::Retry(_, code) | Settled::Ask(_, code) => {
                self.again += 1;
                code
            }
            Settled::Failed(code) | Settled::Unknown(code) => {
                self.given_up += 1;
                code
            }
            Settled::Done | Settled::Refused(_) | Settled::Handed => return,
        };
        self.code.get_or_insert_with(|| code.clone());
    }

    /// The first code stands for all: they seldom differ.
    fn tell(&self, adapter: &str) {
        if let Some(code) = &self.code {
            let (again, given_up) = (self.again, self.given_up);
            tracing::warn!(
                adapter,
                code,
                again,
                given_up,
                "commands were not carried out"
            );
        }
    }
}

/// Documents and answers must be in the store before the fact that speaks of them.
async fn kept_first(core: &Core, kept: Vec<prepare::Keep>) -> Result<(), Problem> {
    if kept.is_empty() {
        return Ok(());
    }
    core.storage
        .write_async(move |tx| {
            for keep in &kept {
                keep.write(tx)?;
            }
            Ok(())
        })
        .await
        .map_err(store_problem)
}
