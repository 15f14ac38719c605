//! The durable hot path: what the steps of a batch of cases change.
//!
//! Every statement here is prepared once and kept, and finds its row by an integer key. In SQLite,
//! which runs in this process, that is faster than one long statement that must be parsed each time.

use diesel::{
    prelude::*,
    sql_types::{BigInt, Binary, Nullable, Text},
};
use halsonav_domain::Timestamp;

use crate::{
    Applied, Awaits, CaseChange, CaseNo, CaseState, EffectState, Error, Ledger, NewEffect,
    NewSubscription, NewTimer, Result, Wake, WorkState, Writer,
    convert::{json, maybe_ms, ms},
    dialect::insert_once,
    prepared::execute,
    schema::{cases, effects, instances, milestones, seen, subscriptions, timers, work_items},
};

impl Writer {
    /// Applies the steps of many cases, in order; a case may come more than once. After an error
    /// the closure must answer it, so that all of it is undone.
    ///
    /// # Errors
    /// `Stale` when a case has another revision than expected; `Invalid` for a job key of 2^48 or
    /// more; `Database`.
    pub fn apply(&mut self, changes: &[CaseChange]) -> Result<Applied> {
        let mut applied = Applied::default();
        for change in changes {
            self.put_instance(change)?;
            self.put_ledger(change)?;
            for job in &change.consumed {
                self.consume(change.case, *job)?;
            }
            for job in &change.withdraw {
                if self.withdraw(change.case, *job, change.at)? {
                    applied.in_flight.push((change.case, *job));
                }
            }
            for effect in &change.effects {
                self.put_effect(change, effect)?;
            }
            self.put_wakes(change)?;
            for item in &change.work_items {
                self.put_work_item(change, item)?;
            }
            for incident in &change.incidents {
                self.put_incident(change, incident)?;
            }
            for key in &change.resolve {
                self.resolve_in_case(change.case, *key, change.at)?;
            }
            for name in &change.milestones {
                let row = (
                    milestones::case_no.eq(change.case.0),
                    milestones::name.eq(name),
                    milestones::at.eq(ms(change.at)),
                );
                insert_once!(&mut self.db, milestones::table, row)?;
            }
            for record in &change.records {
                self.put_record(change.case, record)?;
            }
        }
        Ok(applied)
    }

    fn put_instance(&mut self, change: &CaseChange) -> Result<()> {
        if change.revision <= change.expected {
            return Err(Error::Invalid("a step must raise the revision"));
        }
        let (before, after) = (change.expected.cast_signed(), change.revision.cast_signed());
        let written = if change.expected == 0 {
            let row = (
                instances::case_no.eq(change.case.0),
                instances::revision.eq(after),
                instances::updated.eq(ms(change.at)),
                instances::state.eq(&change.state),
            );
            insert_once!(&mut self.db, instances::table, row)?
        } else {
            execute!(
                &mut self.db,
                "UPDATE instances SET revision = ?, updated = ?, state = ? WHERE case_no = ? AND revision = ?",
                after => BigInt,
                ms(change.at) => BigInt,
                change.state.as_slice() => Binary,
                change.case.0 => BigInt,
                before => BigInt,
            )?
        };
        if written == 1 {
            Ok(())
        } else {
            Err(Error::Stale(change.id))
        }
    }

    fn put_ledger(&mut self, change: &CaseChange) -> Result<()> {
        if let Some(ledger) = &change.ledger {
            self.set_ledger(change.case, ledger, change.at)?;
        }
        if let Some(definition) = &change.definition {
            diesel::update(cases::table.find(change.case.0))
                .set((
                    cases::definition.eq(&definition.id),
                    cases::definition_version.eq(i64::from(definition.version)),
                ))
                .execute(&mut self.db)?;
        }
        if let Some(unit) = &change.unit {
            diesel::update(cases::table.find(change.case.0))
                .set(cases::unit.eq(unit.as_str()))
                .execute(&mut self.db)?;
        }
        Ok(())
    }

    fn set_ledger(&mut self, case: CaseNo, ledger: &Ledger, at: Timestamp) -> Result<()> {
        let ended = ledger.state == CaseState::Ended;
        execute!(
            &mut self.db,
            "UPDATE cases SET state = ?, outcome = ?, waiting_for = ?, next_wake = ?, ended = ? WHERE case_no = ?",
            ledger.state.as_str() => Text,
            ledger.outcome.as_deref() => Nullable<Text>,
            ledger.waiting_for.as_deref() => Nullable<Text>,
            maybe_ms(ledger.next_wake) => Nullable<BigInt>,
            ended.then(|| ms(at)) => Nullable<BigInt>,
            case.0 => BigInt,
        )?;
        if ended {
            // Nothing outlives its case, whatever the step forgot to take back.
            diesel::delete(timers::table.filter(timers::case_no.eq(case.0)))
                .execute(&mut self.db)?;
            diesel::delete(subscriptions::table.filter(subscriptions::case_no.eq(case.0)))
                .execute(&mut self.db)?;
            execute!(&mut self.db, "UPDATE refs SET open_since = NULL WHERE case_no = ?", case.0 => BigInt)?;
        }
        Ok(())
    }

    fn consume(&mut self, case: CaseNo, job: u64) -> Result<()> {
        execute!(
            &mut self.db,
            "UPDATE effects SET consumed = TRUE WHERE case_no = ? AND job = ?",
            case.0 => BigInt,
            job.cast_signed() => BigInt,
        )?;
        Ok(())
    }

    /// Answers whether the effect is on its way out.
    fn withdraw(&mut self, case: CaseNo, job: u64, at: Timestamp) -> Result<bool> {
        let state: Option<String> = effects::table
            .filter(effects::case_no.eq(case.0))
            .filter(effects::job.eq(job.cast_signed()))
            .select(effects::state)
            .get_result(&mut self.db)
            .optional()?;
        let Some(state) = state else {
            diesel::update(work_items::table)
                .filter(work_items::case_no.eq(case.0))
                .filter(work_items::job.eq(job.cast_signed()))
                .filter(work_items::is_open.eq(true))
                .set((
                    work_items::is_open.eq(false),
                    work_items::state.eq(WorkState::Withdrawn.as_str()),
                    work_items::revision.eq(work_items::revision + 1),
                    work_items::closed.eq(Some(ms(at))),
                ))
                .execute(&mut self.db)?;
            return Ok(false);
        };
        let state = EffectState::read(&state)?;
        let stays = !state.is_under_way() || state.is_outside();
        let row = effects::table
            .filter(effects::case_no.eq(case.0))
            .filter(effects::job.eq(job.cast_signed()));
        if stays {
            diesel::update(row)
                .set(effects::consumed.eq(true))
                .execute(&mut self.db)?;
        } else {
            diesel::update(row)
                .set((
                    effects::state.eq(EffectState::Withdrawn.as_str()),
                    effects::due.eq(None::<i64>),
                    effects::settled.eq(Some(ms(at))),
                    effects::consumed.eq(true),
                ))
                .execute(&mut self.db)?;
        }
        Ok(state.is_outside())
    }

    fn put_effect(&mut self, change: &CaseChange, effect: &NewEffect) -> Result<()> {
        if effect.job >= 1 << 48 {
            return Err(Error::Invalid("a job key is below 2^48"));
        }
        let issued = ms(change.at);
        self.wake(Wake::Outbox);
        diesel::insert_into(effects::table)
            .values((
                effects::case_no.eq(change.case.0),
                effects::job.eq(effect.job.cast_signed()),
                effects::adapter.eq(effect.kind.adapter()),
                effects::operation.eq(effect.kind.operation()),
                effects::payload.eq(json(&effect.payload)?),
                effects::headers.eq(if effect.headers.is_empty() {
                    String::new()
                } else {
                    json(&effect.headers)?
                }),
                effects::contact.eq(effect.contact),
                effects::state.eq(EffectState::New.as_str()),
                effects::attempts.eq(0),
                effects::due.eq(Some(maybe_ms(effect.not_before).unwrap_or(issued))),
                effects::epoch.eq(0),
                effects::issued.eq(issued),
                effects::consumed.eq(false),
            ))
            .execute(&mut self.db)?;
        Ok(())
    }

    fn put_wakes(&mut self, change: &CaseChange) -> Result<()> {
        for timer in &change.disarm {
            diesel::delete(timers::table.find((change.case.0, timer.cast_signed())))
                .execute(&mut self.db)?;
        }
        for NewTimer {
            timer,
            due,
            element,
        } in &change.arm
        {
            let row = (
                timers::case_no.eq(change.case.0),
                timers::timer.eq(timer.cast_signed()),
                timers::due.eq(Some(ms(*due))),
                timers::element.eq(element),
            );
            self.wake(Wake::Timers);
            // Seldom there already; DO UPDATE would open a statement journal for every row.
            if insert_once!(&mut self.db, timers::table, row)? == 0 {
                execute!(
                    &mut self.db,
                    "UPDATE timers SET due = ?, element = ? WHERE case_no = ? AND timer = ?",
                    ms(*due) => BigInt,
                    element.as_str() => Text,
                    change.case.0 => BigInt,
                    timer.cast_signed() => BigInt,
                )?;
            }
        }
        for key in &change.unsubscribe {
            diesel::delete(subscriptions::table.find((change.case.0, key.cast_signed())))
                .execute(&mut self.db)?;
        }
        for NewSubscription {
            key,
            awaits,
            name,
            correlation,
        } in &change.subscribe
        {
            let signal = *awaits == Awaits::Signal;
            let own = !signal && *correlation == change.id.to_string();
            let row = (
                subscriptions::case_no.eq(change.case.0),
                subscriptions::sub.eq(key.cast_signed()),
                subscriptions::is_signal.eq(signal),
                subscriptions::name.eq(name),
                subscriptions::correlation.eq((!own).then_some(if signal {
                    ""
                } else {
                    correlation.as_str()
                })),
            );
            insert_once!(&mut self.db, subscriptions::table, row)?;
        }
        Ok(())
    }

    /// Notes messages as seen: for each (case, source, id) whether this was the first time. To be
    /// called in the transaction that applies what the message causes.
    ///
    /// # Errors
    /// `Database`.
    pub fn first_seen(
        &mut self,
        messages: &[(Option<CaseNo>, &str, &str)],
        at: Timestamp,
    ) -> Result<Vec<bool>> {
        let mut first = Vec::with_capacity(messages.len());
        for (case, source, id) in messages {
            let row = (
                seen::case_no.eq(case.map_or(0, |no| no.0)),
                seen::message.eq(fingerprint(source, id)),
                seen::at.eq(ms(at)),
            );
            first.push(insert_once!(&mut self.db, seen::table, row)? == 1);
        }
        Ok(first)
    }

    /// Forgets messages seen before `before`; answers how many. Looks at all: call it seldom.
    ///
    /// # Errors
    /// `Database`.
    pub fn forget_seen(&mut self, before: Timestamp) -> Result<u64> {
        let gone =
            diesel::delete(seen::table.filter(seen::at.lt(ms(before)))).execute(&mut self.db)?;
        Ok(gone as u64)
    }
}

/// Source and id in 16 bytes, so that rows are small whatever a neighbour calls its messages.
fn fingerprint(source: &str, id: &str) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(source.len() as u64).to_le_bytes());
    hasher.update(source.as_bytes());
    hasher.update(id.as_bytes());
    hasher.finalize().as_bytes()[..16].to_vec()
}
