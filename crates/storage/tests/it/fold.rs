//! Whatever is applied, the tables are what folding the changes gives.

use std::collections::{BTreeMap, BTreeSet};

use halsonav_domain::CaseId;
use halsonav_storage::{CaseChange, CaseNo, EffectState, Error, Ledger, NewTimer};
use proptest::prelude::*;

use crate::world::{Base, World, at, everywhere, first, send};

const CASES: usize = 3;

/// One change, in small numbers that meet each other often.
#[derive(Clone, Debug)]
struct Move {
    case: usize,
    /// Made from an old revision: must change nothing.
    stale: bool,
    arm: Vec<(u64, i64)>,
    disarm: Vec<u64>,
    issue: bool,
    withdraw: Option<usize>,
    milestone: Option<u8>,
    ends: bool,
    /// Then the timers that are due are announced.
    announce: bool,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = (
        0..CASES,
        prop::bool::weighted(0.15),
        prop::collection::vec((0..4u64, 0..50i64), 0..3),
        prop::collection::vec(0..4u64, 0..2),
        any::<bool>(),
        prop::option::weighted(0.3, 0..4usize),
        prop::option::weighted(0.3, 0..3u8),
        prop::bool::weighted(0.05),
        prop::bool::weighted(0.2),
    );
    let one = one.prop_map(
        |(case, stale, arm, disarm, issue, withdraw, milestone, ends, announce)| Move {
            case,
            stale,
            arm,
            disarm,
            issue,
            withdraw,
            milestone,
            ends,
            announce,
        },
    );
    prop::collection::vec(one, 1..40)
}

#[derive(Default)]
struct Model {
    revision: u64,
    timers: BTreeMap<u64, i64>,
    effects: BTreeMap<u64, bool>,
    milestones: BTreeSet<String>,
    ended: bool,
}

impl Model {
    /// The change that `step` is, and what is true after it.
    fn step(&mut self, step: &Move, no: CaseNo, id: CaseId) -> CaseChange {
        let mut change = CaseChange::new(
            no,
            id,
            self.revision,
            self.revision + 1,
            vec![self.revision as u8],
            at(1),
        );
        self.revision += 1;
        change.disarm.clone_from(&step.disarm);
        for timer in &step.disarm {
            self.timers.remove(timer);
        }
        for (timer, due) in &step.arm {
            change.arm.push(NewTimer {
                timer: *timer,
                due: at(*due),
                element: "e".into(),
            });
            if !step.ends {
                self.timers.insert(*timer, *due);
            }
        }
        let known: Vec<u64> = self.effects.keys().copied().collect();
        if let Some(job) = step.withdraw.and_then(|n| known.get(n)) {
            change.withdraw.push(*job);
            self.effects.insert(*job, false);
        }
        if step.issue {
            change.effects.push(send(self.revision));
            self.effects.insert(self.revision, true);
        }
        if let Some(n) = step.milestone {
            change.milestones.push(format!("m{n}"));
            self.milestones.insert(format!("m{n}"));
        }
        if step.ends {
            change.arm.clear();
            change.ledger = Some(Ledger::ended("over"));
            self.timers.clear();
            self.ended = true;
        }
        change
    }

    fn agrees(&self, world: &World, id: CaseId) {
        world
            .storage
            .read(|tx| {
                let loaded = tx.load_instances(&[id])?.remove(0);
                assert_eq!(loaded.revision, self.revision);
                assert_eq!(loaded.case.ended.is_some(), self.ended);
                let timers: BTreeMap<u64, i64> = tx
                    .due_timers(at(1_000), 1_000)?
                    .into_iter()
                    .filter(|timer| timer.case == id)
                    .map(|timer| (timer.timer, timer.due.as_second() - at(0).as_second()))
                    .collect();
                assert_eq!(timers, self.timers);
                let effects: BTreeMap<u64, bool> = tx
                    .effects_of(&id)?
                    .into_iter()
                    .map(|effect| (effect.job, effect.state != EffectState::Withdrawn))
                    .collect();
                assert_eq!(effects, self.effects);
                let milestones: BTreeSet<String> =
                    tx.milestones(&id)?.into_iter().map(|m| m.name).collect();
                assert_eq!(milestones, self.milestones);
                Ok(())
            })
            .unwrap();
    }
}

/// Applies the moves in batches and compares the tables after each.
fn check(base: &Base, moves: &[Move], batch: usize) {
    let world = base.world();
    let cases: Vec<(CaseNo, CaseId)> = (0..CASES as u64)
        .map(|n| world.case(n))
        .map(|(no, id, _)| (no, id))
        .collect();
    let mut models: Vec<Model> = (0..CASES).map(|_| Model::default()).collect();
    for (model, (no, id)) in models.iter_mut().zip(&cases) {
        world.apply(first(*no, *id)).unwrap();
        model.revision = 1;
    }
    for part in moves.chunks(batch) {
        if let Some(stale) = part.iter().find(|step| step.stale) {
            refuse(&world, &cases, &models, stale.case);
        } else {
            let changes: Vec<CaseChange> = part
                .iter()
                .map(|step| {
                    let (no, id) = cases[step.case];
                    models[step.case].step(step, no, id)
                })
                .collect();
            world.storage.write(move |tx| tx.apply(&changes)).unwrap();
        }
        if part.iter().any(|step| step.announce) {
            world
                .storage
                .write(|tx| {
                    let due = tx.due_timers(at(25), 1_000)?;
                    tx.announced(&due)
                })
                .unwrap();
            for model in &mut models {
                model.timers.retain(|_, due| *due > 25);
            }
        }
        for (model, (_, id)) in models.iter().zip(&cases) {
            model.agrees(&world, *id);
        }
    }
}

/// A batch with one stale change in it must leave no trace at all.
fn refuse(world: &World, cases: &[(CaseNo, CaseId)], models: &[Model], stale: usize) {
    let mut changes: Vec<CaseChange> = Vec::new();
    for (n, (no, id)) in cases.iter().enumerate().filter(|(n, _)| *n != stale) {
        let revision = models[n].revision;
        let mut change = CaseChange::new(*no, *id, revision, revision + 1, Vec::new(), at(1));
        change.arm.push(NewTimer {
            timer: 77,
            due: at(1),
            element: "e".into(),
        });
        changes.push(change);
    }
    let (no, id) = cases[stale];
    let wrong = models[stale].revision + 5;
    changes.push(CaseChange::new(no, id, wrong, wrong + 1, Vec::new(), at(1)));
    let answer = world.storage.write(move |tx| tx.apply(&changes));
    assert!(matches!(answer, Err(Error::Stale(case)) if case == id));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn tables_are_the_fold_of_the_changes(moves in moves(), batch in 1..9usize) {
        everywhere(|base| check(base, &moves, batch));
    }
}
