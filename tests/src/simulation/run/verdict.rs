//! What is asked of the hub while it runs and at its end: whether the ledger adds up, whether everything
//! done outside was decided inside, and what the run came to.

use std::collections::BTreeSet;

use halsonav::rehearsal::Rehearsal;
use halsonav_bus::codec;
use halsonav_domain::{
    CaseId, Envelope, Topic,
    event::{Event as _, PersonChanged},
};
use halsonav_storage::{EffectState, Totals};

use super::{Outcome, World, races::is_barred};

impl World {
    async fn totals(&mut self) -> Option<Totals> {
        let totals = self
            .with(async |hub: &mut Rehearsal| hub.storage().read(|r| r.totals(None)))
            .await;
        totals.and_then(Result::ok)
    }

    pub(super) async fn over(&mut self) -> bool {
        let totals = self.totals().await;
        totals.is_some_and(|t| t.waiting + t.incident == 0 && t.invited > 0)
    }

    /// INV-L1: every resident has a known state.
    pub(super) async fn check(&mut self, when: &str) {
        let Some(totals) = self.totals().await else {
            return;
        };
        let ended: u64 = totals.ended.iter().map(|(_, n)| n).sum();
        if totals.unaccounted > 0 || totals.invited != ended + totals.waiting + totals.incident {
            self.truth
                .breach(format!("the ledger does not add up {when}: {totals:?}"));
        }
    }

    /// INV-E4: nothing was done outside that nobody in here had decided. And nothing that was set aside
    /// while a lane was stopped lies there still.
    pub(super) async fn causes(&mut self) {
        let people: Vec<CaseId> = self.truth.people().into_keys().collect();
        let decided = self
            .with(async move |hub: &mut Rehearsal| {
                hub.storage().read(|r| {
                    let (mut ids, mut aside) = (BTreeSet::new(), Vec::new());
                    for case in &people {
                        let effects = r.effects_of(case)?;
                        ids.extend(effects.iter().map(|effect| effect.command.id.to_string()));
                        aside.extend(
                            effects
                                .iter()
                                .filter(|effect| effect.state == EffectState::Stopped)
                                .map(|effect| effect.command.kind.to_string()),
                        );
                    }
                    Ok((ids, aside))
                })
            })
            .await;
        let Some(Ok((decided, aside))) = decided else {
            return;
        };
        for kind in aside {
            self.truth
                .breach(format!("{kind} was set aside and forgotten"));
        }
        for (id, kind) in self.truth.ids() {
            if !decided.contains(&id.to_string()) {
                self.truth.breach(format!("{kind} {id} was never decided"));
            }
        }
    }

    /// Whoever the register has turned out to be out of bounds, after it had first said otherwise: the
    /// case was told, unless it was over by then.
    pub(super) async fn told(&mut self) {
        let people: Vec<CaseId> = self.truth.people().into_keys().collect();
        let barred = self
            .with(async move |hub: &mut Rehearsal| {
                hub.storage().read(|r| {
                    let mut barred = Vec::new();
                    for case in people {
                        let Some(known) = r.case(&case)? else {
                            continue;
                        };
                        let register = r.register(&known.subject)?;
                        let heard = register.filter(is_barred).and_then(|it| it.fetched);
                        if heard.is_some_and(|at| known.ended.is_none_or(|end| at < end)) {
                            barred.push(case);
                        }
                    }
                    Ok(barred)
                })
            })
            .await;
        let Some(Ok(barred)) = barred else {
            return;
        };
        let records = self.wire.all(&Topic::Events);
        let facts = records.iter().filter_map(|it| codec::read_event(it).ok());
        let facts: Vec<Envelope> = facts.collect();
        for case in barred {
            let of_case = || facts.iter().filter(|fact| fact.subject == Some(case));
            let answer = of_case().find(|fact| !fact.data["result"]["status"].is_null());
            let was_in_bounds = answer.is_some_and(|fact| {
                let result = &fact.data["result"];
                result["status"] == "active" && result["protection"] == "none"
            });
            let was_told = of_case().any(|fact| fact.kind == PersonChanged::TYPE);
            if was_in_bounds && !was_told {
                let breach = format!("{case} was not told what the register says");
                self.truth.breach(breach);
            }
        }
    }

    pub(super) async fn outcome(mut self) -> Outcome {
        let mut hash = blake3::Hasher::new();
        let records = self.wire.all(&Topic::Events);
        for record in &records {
            if let Ok(fact) = codec::read_event(record) {
                let line = format!("{} {} {} {}\n", fact.time, fact.source, fact.kind, fact.id);
                hash.update(line.as_bytes());
            }
        }
        let effects = self.truth.since(0);
        for effect in &effects {
            let line = format!("{} {} {}\n", effect.at, effect.kind, effect.case);
            hash.update(line.as_bytes());
        }
        let ledger = self
            .with(async |hub: &mut Rehearsal| {
                hub.storage()
                    .read(|r| r.cases(&halsonav_storage::CaseFilter::default(), None, 1000))
            })
            .await;
        let line = |case: &halsonav_storage::Case| {
            let outcome = case.ledger.outcome.clone().unwrap_or_default();
            format!("{} {} {outcome}", case.id, case.ledger.state.as_str())
        };
        Outcome {
            breaches: self.truth.breaches(),
            trace: hash.finalize().to_hex()[..16].to_owned(),
            ledger: ledger
                .and_then(Result::ok)
                .iter()
                .flatten()
                .map(line)
                .collect(),
            crashes: self.crashes,
            stops: self.stops,
            races: self.races.len(),
            withheld: self.withheld(),
            points: self.points.borrow().clone(),
            effects: effects.len(),
            facts: records.len(),
        }
    }
}
