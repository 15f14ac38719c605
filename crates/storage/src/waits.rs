//! What a case waits for: timers, and subscriptions to messages and signals.

use std::collections::HashMap;

use diesel::{
    prelude::*,
    sql_types::{BigInt, Bool, Nullable, Text},
};
use halsonav_domain::{CaseId, Timestamp};

use crate::{
    Awaits, CaseChange, CaseNo, DueTimer, NewSubscription, NewTimer, Reader, Result, Wake, Writer,
    apply::parts,
    convert::{case_id, maybe_time, ms, time},
    dialect::first,
    rows::{delete, insert, update},
    schema::{cases, subscriptions, timers},
};

impl Reader {
    /// Timers due at `now` that were not announced yet, earliest first.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn due_timers(&mut self, now: Timestamp, limit: u32) -> Result<Vec<DueTimer>> {
        let rows: Vec<(i64, i64, i64, String, Vec<u8>)> = timers::table
            .inner_join(cases::table)
            .filter(timers::due.le(ms(now)))
            .order((timers::due, timers::case_no, timers::timer))
            .limit(i64::from(limit))
            .select((
                timers::case_no,
                timers::timer,
                timers::due.assume_not_null(),
                timers::element,
                cases::case_id,
            ))
            .load(&mut self.db)?;
        rows.into_iter()
            .map(|(no, timer, due, element, id)| {
                Ok(DueTimer {
                    case: case_id(&id)?,
                    no: CaseNo(no),
                    timer: timer.cast_unsigned(),
                    due: time(due)?,
                    element,
                })
            })
            .collect()
    }

    /// When the next timer that was not announced is due, of those due after `after`.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn next_due(&mut self, after: Timestamp) -> Result<Option<Timestamp>> {
        let due: Option<Option<i64>> = first!(
            &mut self.db,
            timers::table
                .filter(timers::due.gt(ms(after)))
                .order(timers::due)
                .select(timers::due)
        )?;
        maybe_time(due.flatten())
    }

    /// Cases waiting for message `name` under `correlation`, at most 1 000. Those that wait under
    /// their own id are not among them: a message to them names the case.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn awaiting_message(&mut self, name: &str, correlation: &str) -> Result<Vec<CaseId>> {
        let rows: Vec<Vec<u8>> = subscriptions::table
            .inner_join(cases::table)
            .filter(subscriptions::correlation.eq(correlation))
            .filter(subscriptions::name.eq(name))
            .filter(subscriptions::is_signal.eq(false))
            .order(subscriptions::case_no)
            .limit(1_000)
            .select(cases::case_id)
            .load(&mut self.db)?;
        rows.iter().map(|id| case_id(id)).collect()
    }

    /// A page of cases waiting for a signal, after `after`.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn awaiting_signal(
        &mut self,
        name: &str,
        after: Option<CaseNo>,
        limit: u32,
    ) -> Result<Vec<(CaseNo, CaseId)>> {
        let rows: Vec<(i64, Vec<u8>)> = subscriptions::table
            .inner_join(cases::table)
            // Signals have the correlation '' so that the index over correlations finds them.
            .filter(subscriptions::correlation.eq(""))
            .filter(subscriptions::name.eq(name))
            .filter(subscriptions::is_signal.eq(true))
            .filter(subscriptions::case_no.gt(after.map_or(0, |no| no.0)))
            .order(subscriptions::case_no)
            .limit(i64::from(limit))
            .select((subscriptions::case_no, cases::case_id))
            .distinct()
            .load(&mut self.db)?;
        rows.into_iter()
            .map(|(no, id)| Ok((CaseNo(no), case_id(&id)?)))
            .collect()
    }
}

impl Writer {
    pub(crate) fn put_timers(&mut self, wave: &[&CaseChange]) -> Result<()> {
        let gone = parts(wave, |change| change.disarm.as_slice());
        delete!(&mut self.db, gone, |(change, timer)| timers {
            case_no: change.case.0 => BigInt,
            timer: timer.cast_signed() => BigInt,
        })?;
        let armed = parts(wave, |change| change.arm.as_slice());
        if armed.is_empty() {
            return Ok(());
        }
        self.wake(Wake::Timers);
        let new = insert!(&mut self.db, armed, |(change, timer)| timers {
            case_no: change.case.0 => BigInt,
            timer: timer.timer.cast_signed() => BigInt,
            due: ms(timer.due) => BigInt,
            element: timer.element.as_str() => Text,
        } "ON CONFLICT DO NOTHING")?;
        if new == armed.len() {
            return Ok(());
        }
        // Seldom: some are armed already. The last word on each counts.
        let last: HashMap<(CaseNo, u64), &NewTimer> = armed
            .into_iter()
            .map(|(change, timer)| ((change.case, timer.timer), timer))
            .collect();
        let last: Vec<_> = last.into_iter().collect();
        update!(&mut self.db, last, |((case, key), timer)| timers set {
            due: ms(timer.due) => BigInt,
            element: timer.element.as_str() => Text,
        } where {
            case_no: case.0 => BigInt,
            timer: key.cast_signed() => BigInt,
        })?;
        Ok(())
    }

    pub(crate) fn put_subscriptions(&mut self, wave: &[&CaseChange]) -> Result<()> {
        let gone = parts(wave, |change| change.unsubscribe.as_slice());
        delete!(&mut self.db, gone, |(change, key)| subscriptions {
            case_no: change.case.0 => BigInt,
            sub: key.cast_signed() => BigInt,
        })?;
        let new = parts(wave, |change| change.subscribe.as_slice());
        insert!(&mut self.db, new, |(change, new)| subscriptions {
            case_no: change.case.0 => BigInt,
            sub: new.key.cast_signed() => BigInt,
            is_signal: new.awaits == Awaits::Signal => Bool,
            name: new.name.as_str() => Text,
            correlation: stored(change, new) => Nullable<Text>,
        } "ON CONFLICT DO NOTHING")?;
        Ok(())
    }

    /// That these timers are due is on the bus. They stay armed, as what their cases wait for, until
    /// a step disarms them. One that was armed anew meanwhile, for another time, is left alone.
    ///
    /// # Errors
    /// `Database`.
    pub fn announced(&mut self, timers: &[DueTimer]) -> Result<()> {
        update!(&mut self.db, timers, |timer| timers set "due = NULL" where {
            case_no: timer.no.0 => BigInt,
            timer: timer.timer.cast_signed() => BigInt,
            due: ms(timer.due) => BigInt,
        })?;
        Ok(())
    }
}

/// Null when it is the case itself; empty for signals, so that the index over correlations finds them.
fn stored<'a>(change: &CaseChange, new: &'a NewSubscription) -> Option<&'a str> {
    match new.awaits {
        Awaits::Signal => Some(""),
        Awaits::Message if new.correlation == change.id.to_string() => None,
        Awaits::Message => Some(&new.correlation),
    }
}
