//! The durable hot path: what the steps of a batch of cases change.
//!
//! The batch is written table by table, each row found by an integer key, in statements that are
//! prepared once and kept (`rows`). Where a case comes more than once, its changes are written one
//! after the other.

use std::collections::{HashMap, HashSet};

use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Binary, Nullable, Text},
    sqlite::Sqlite,
};

use crate::{
    Applied, CaseChange, CaseNo, CaseState, Error, Result, Writer,
    convert::{maybe_ms, ms},
    dialect::Db,
    prepared::{load, run},
    rows::{column, delete, insert, update},
};

/// Changes in which each case comes at most once.
type Wave<'a> = Vec<&'a CaseChange>;

fn waves<'a>(changes: &[&'a CaseChange]) -> Vec<Wave<'a>> {
    let mut waves: Vec<Wave<'_>> = Vec::new();
    let mut met: HashMap<CaseNo, usize> = HashMap::with_capacity(changes.len());
    for change in changes.iter().copied() {
        let times = met.entry(change.case).or_default();
        match waves.get_mut(*times) {
            Some(wave) => wave.push(change),
            None => waves.push(vec![change]),
        }
        *times += 1;
    }
    // Neighbours lie on one page. And two who write the same cases do not each wait for the other.
    for wave in &mut waves {
        wave.sort_unstable_by_key(|change| change.case);
    }
    waves
}

/// Every part of every change, with its change.
pub(crate) fn parts<'a, P: 'a>(
    wave: &[&'a CaseChange],
    of: impl Fn(&'a CaseChange) -> &'a [P],
) -> Vec<(&'a CaseChange, &'a P)> {
    wave.iter()
        .flat_map(|change| of(change).iter().map(move |part| (*change, part)))
        .collect()
}

impl Writer {
    /// Applies the steps of many cases; a case may come more than once, and its steps are applied in
    /// order. After an error the closure must answer it, so that all of it is undone.
    ///
    /// # Errors
    /// `Stale` when a case has another revision than expected; `Invalid` for a job key of 2^48 or
    /// more; `Database`.
    pub fn apply<'a>(
        &mut self,
        changes: impl IntoIterator<Item = &'a CaseChange>,
    ) -> Result<Applied> {
        let changes: Vec<&CaseChange> = changes.into_iter().collect();
        if changes
            .iter()
            .any(|change| change.revision <= change.expected)
        {
            return Err(Error::Invalid("a step must raise the revision"));
        }
        let mut applied = Applied::default();
        for wave in waves(&changes) {
            // The ledger first: the row of the case is what everybody locks before the rest of it.
            self.put_ledgers(&wave)?;
            self.put_instances(&wave)?;
            self.consume(&wave)?;
            self.withdraw(&wave, &mut applied)?;
            self.put_effects(&wave)?;
            self.put_timers(&wave)?;
            self.put_subscriptions(&wave)?;
            self.put_work_items(&wave)?;
            self.put_incidents(&wave)?;
            self.put_milestones(&wave)?;
            self.put_records_of(&wave)?;
            self.put_references(&wave)?;
            self.put_down(&wave)?;
        }
        Ok(applied)
    }

    fn put_instances(&mut self, wave: &[&CaseChange]) -> Result<()> {
        let (first, next): (Wave<'_>, Wave<'_>) =
            wave.iter().partition(|change| change.expected == 0);
        let made = match &mut self.db {
            Db::Sqlite(db) => one_by_one(&first, |change| {
                run!(
                    Sqlite, db,
                    "INSERT INTO instances (case_no, revision, updated, state) VALUES (?, ?, ?, ?)
                     ON CONFLICT DO NOTHING",
                    change.case.0 => BigInt,
                    change.revision.cast_signed() => BigInt,
                    ms(change.at) => BigInt,
                    change.state.as_slice() => Binary,
                )
            })?,
            Db::Postgres(_) if first.is_empty() => Vec::new(),
            Db::Postgres(db) => load!(
                Pg, db,
                "INSERT INTO instances (case_no, revision, updated, state)
                 SELECT * FROM unnest(?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING case_no"
                    => BigInt,
                column(&first, |change| change.case.0) => Array<BigInt>,
                column(&first, |change| change.revision.cast_signed()) => Array<BigInt>,
                column(&first, |change| ms(change.at)) => Array<BigInt>,
                column(&first, |change| change.state.as_slice()) => Array<Binary>,
            )?,
        };
        all_written(&first, made)?;
        let stepped = match &mut self.db {
            Db::Sqlite(db) => one_by_one(&next, |change| {
                run!(
                    Sqlite, db,
                    "UPDATE instances SET revision = ?, updated = ?, state = ?
                     WHERE case_no = ? AND revision = ?",
                    change.revision.cast_signed() => BigInt,
                    ms(change.at) => BigInt,
                    change.state.as_slice() => Binary,
                    change.case.0 => BigInt,
                    change.expected.cast_signed() => BigInt,
                )
            })?,
            Db::Postgres(_) if next.is_empty() => Vec::new(),
            Db::Postgres(db) => load!(
                Pg, db,
                "UPDATE instances SET revision = given.after, updated = given.at, state = given.new_state
                 FROM unnest(?, ?, ?, ?, ?) AS given (case_no, expected, after, at, new_state)
                 WHERE instances.case_no = given.case_no AND instances.revision = given.expected
                 RETURNING instances.case_no"
                    => BigInt,
                column(&next, |change| change.case.0) => Array<BigInt>,
                column(&next, |change| change.expected.cast_signed()) => Array<BigInt>,
                column(&next, |change| change.revision.cast_signed()) => Array<BigInt>,
                column(&next, |change| ms(change.at)) => Array<BigInt>,
                column(&next, |change| change.state.as_slice()) => Array<Binary>,
            )?,
        };
        all_written(&next, stepped)
    }

    fn put_ledgers(&mut self, wave: &[&CaseChange]) -> Result<()> {
        let ledgers: Vec<_> = wave
            .iter()
            .filter_map(|change| Some((change, change.ledger.as_ref()?)))
            .collect();
        update!(&mut self.db, ledgers, |(change, ledger)| cases set {
            state: ledger.state.as_str() => Text,
            outcome: ledger.outcome.as_deref() => Nullable<Text>,
            waiting_for: ledger.waiting_for.as_deref() => Nullable<Text>,
            next_wake: maybe_ms(ledger.next_wake) => Nullable<BigInt>,
            ended: (ledger.state == CaseState::Ended).then(|| ms(change.at)) => Nullable<BigInt>,
        } where { case_no: change.case.0 => BigInt })?;
        let migrated: Vec<_> = wave
            .iter()
            .filter_map(|change| Some((change, change.definition.as_ref()?)))
            .collect();
        update!(&mut self.db, migrated, |(change, definition)| cases set {
            definition: definition.id.as_str() => Text,
            definition_version: i64::from(definition.version) => BigInt,
        } where { case_no: change.case.0 => BigInt })?;
        let moved: Vec<_> = wave
            .iter()
            .filter_map(|change| Some((change, change.unit.as_ref()?)))
            .collect();
        update!(&mut self.db, moved, |(change, unit)| cases set {
            unit: unit.as_str() => Text,
        } where { case_no: change.case.0 => BigInt })?;
        Ok(())
    }

    fn put_milestones(&mut self, wave: &[&CaseChange]) -> Result<()> {
        let reached = parts(wave, |change| change.milestones.as_slice());
        insert!(&mut self.db, reached, |(change, name)| milestones {
            case_no: change.case.0 => BigInt,
            name: name.as_str() => Text,
            at: ms(change.at) => BigInt,
        } "ON CONFLICT DO NOTHING")?;
        Ok(())
    }

    /// Nothing outlives its case, whatever the step forgot to take back.
    fn put_down(&mut self, wave: &[&CaseChange]) -> Result<()> {
        let over = |change: &&&CaseChange| {
            let ledger = change.ledger.as_ref();
            ledger.is_some_and(|ledger| ledger.state == CaseState::Ended)
        };
        let ended: Vec<i64> = wave
            .iter()
            .filter(over)
            .map(|change| change.case.0)
            .collect();
        delete!(&mut self.db, ended, |case| timers { case_no: *case => BigInt })?;
        delete!(&mut self.db, ended, |case| subscriptions { case_no: *case => BigInt })?;
        update!(&mut self.db, ended, |case| refs set "open_since = NULL"
            where { case_no: *case => BigInt })?;
        Ok(())
    }
}

/// The cases whose row was written; stops at the first that was not.
fn one_by_one(
    wave: &[&CaseChange],
    mut write: impl FnMut(&CaseChange) -> QueryResult<usize>,
) -> QueryResult<Vec<i64>> {
    let mut written = Vec::with_capacity(wave.len());
    for change in wave {
        if write(change)? == 0 {
            break;
        }
        written.push(change.case.0);
    }
    Ok(written)
}

fn all_written(wave: &[&CaseChange], written: Vec<i64>) -> Result<()> {
    if written.len() == wave.len() {
        return Ok(());
    }
    let written: HashSet<i64> = written.into_iter().collect();
    match wave.iter().find(|change| !written.contains(&change.case.0)) {
        Some(stale) => Err(Error::Stale(stale.id)),
        None => Ok(()),
    }
}
