//! What steps do to the outbox: effects to carry out, outcomes taken in, jobs no longer wanted.

use std::collections::HashMap;

use diesel::{
    prelude::*,
    sql_types::{BigInt, Bool, Text},
};

use crate::{
    Applied, CaseChange, CaseNo, Effect, EffectState, Error, NewEffect, Result, Wake, WorkState,
    Writer,
    apply::parts,
    convert::{json, maybe_ms, ms},
    dialect::lookup,
    rows::{insert, update},
    schema::effects,
};

impl Writer {
    /// Their effects are over for the process.
    pub(crate) fn consume(&mut self, wave: &[&CaseChange]) -> Result<()> {
        let consumed = parts(wave, |change| change.consumed.as_slice());
        update!(&mut self.db, consumed, |(change, job)| effects set "consumed = TRUE" where {
            case_no: change.case.0 => BigInt,
            job: job.cast_signed() => BigInt,
        })?;
        Ok(())
    }

    /// Takes back what has not left, notes what has, and closes work items.
    pub(crate) fn withdraw(&mut self, wave: &[&CaseChange], applied: &mut Applied) -> Result<()> {
        let unwanted = parts(wave, |change| change.withdraw.as_slice());
        if unwanted.is_empty() {
            return Ok(());
        }
        let jobs: Vec<(i64, i64)> = unwanted
            .iter()
            .map(|(change, job)| (change.case.0, job.cast_signed()))
            .collect();
        let states = self.states(&jobs)?;
        let (mut items, mut stay, mut go) = (Vec::new(), Vec::new(), Vec::new());
        for ((change, job), key) in unwanted.iter().zip(jobs) {
            match states.get(&key) {
                None => items.push((*change, **job)),
                Some(state) if !state.is_under_way() => stay.push(key),
                Some(state) if state.is_outside() => {
                    stay.push(key);
                    applied.in_flight.push((change.case, **job));
                }
                Some(_) => go.push((*change, **job)),
            }
        }
        update!(&mut self.db, stay, |(case, job)| effects set "consumed = TRUE" where {
            case_no: *case => BigInt,
            job: *job => BigInt,
        })?;
        update!(&mut self.db, go, |(change, job)| effects set {
            state: EffectState::Withdrawn.as_str() => Text,
            settled: ms(change.at) => BigInt,
        }, "due = NULL, consumed = TRUE" where {
            case_no: change.case.0 => BigInt,
            job: job.cast_signed() => BigInt,
        })?;
        update!(&mut self.db, items, |(change, job)| work_items set {
            state: WorkState::Withdrawn.as_str() => Text,
            closed: ms(change.at) => BigInt,
        }, "is_open = FALSE, revision = revision + 1" where {
            case_no: change.case.0 => BigInt,
            job: job.cast_signed() => BigInt,
        } and "is_open")?;
        Ok(())
    }

    /// Where the effects of these cases and jobs stand, held fast until the transaction ends.
    pub(crate) fn states(
        &mut self,
        jobs: &[(i64, i64)],
    ) -> Result<HashMap<(i64, i64), EffectState>> {
        let mut cases: Vec<i64> = jobs.iter().map(|(case, _)| *case).collect();
        cases.dedup();
        let rows: Vec<(i64, i64, String)> = lookup!(
            &mut self.db,
            &cases,
            effects::case_no,
            effects::table.select((effects::case_no, effects::job, effects::state)),
            for_update
        )?;
        rows.into_iter()
            .map(|(case, job, state)| Ok(((case, job), EffectState::read(&state)?)))
            .collect()
    }

    pub(crate) fn put_effects(&mut self, wave: &[&CaseChange]) -> Result<()> {
        let new = parts(wave, |change| change.effects.as_slice());
        if new.is_empty() {
            return Ok(());
        }
        let rows = new
            .into_iter()
            .map(|(change, effect)| Row::new(change, effect))
            .collect::<Result<Vec<_>>>()?;
        insert!(&mut self.db, rows, |row| effects {
            case_no: row.case.0 => BigInt,
            job: row.effect.job.cast_signed() => BigInt,
            adapter: row.effect.kind.adapter() => Text,
            operation: row.effect.kind.operation() => Text,
            payload: row.payload.as_str() => Text,
            headers: row.headers.as_str() => Text,
            contact: row.effect.contact => Bool,
            state: EffectState::New.as_str() => Text,
            attempts: 0_i64 => BigInt,
            due: row.due => BigInt,
            epoch: 0_i64 => BigInt,
            issued: row.issued => BigInt,
            consumed: false => Bool,
        })?;
        self.wake(Wake::Outbox);
        Ok(())
    }

    /// These are on the bus now, as [`crate::Reader::outbox`] answered them. One that has changed
    /// since stays as it is: a lane may have met it on the bus already and held it, or put it off, and
    /// its new time must not be taken for the old one. The epoch tells them apart where they are the same:
    /// a hold was let go within the millisecond, or a lane was stopped and started.
    ///
    /// # Errors
    /// `Database`.
    pub fn mark_published(&mut self, published: &[Effect]) -> Result<()> {
        let published: Vec<_> = published
            .iter()
            .filter_map(|effect| {
                let due = ms(effect.due?);
                Some((effect.no.0, effect.state.as_str(), due, effect.epoch.0))
            })
            .collect();
        // One to be asked about stays `sending`.
        update!(&mut self.db, &published, |effect| effects
            set "due = NULL, state = CASE effects.state WHEN 'sending' THEN effects.state ELSE 'published' END"
            where { effect_no: effect.0 => BigInt, due: effect.2 => BigInt, state: effect.1 => Text, epoch: effect.3 => BigInt })?;
        Ok(())
    }
}

/// A new effect as its row has it.
struct Row<'a> {
    case: CaseNo,
    effect: &'a NewEffect,
    payload: String,
    headers: String,
    issued: i64,
    due: i64,
}

impl<'a> Row<'a> {
    fn new(change: &CaseChange, effect: &'a NewEffect) -> Result<Self> {
        if effect.job >= 1 << 48 {
            return Err(Error::Invalid("a job key is below 2^48"));
        }
        let issued = ms(change.at);
        Ok(Self {
            case: change.case,
            effect,
            payload: json(&effect.payload)?,
            headers: if effect.headers.is_empty() {
                String::new()
            } else {
                json(&effect.headers)?
            },
            issued,
            due: maybe_ms(effect.not_before).unwrap_or(issued),
        })
    }
}
