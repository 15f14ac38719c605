//! What a case waits for: timers, and subscriptions to messages and signals.

use diesel::{prelude::*, sql_types::BigInt};
use halsonav_domain::{CaseId, Timestamp};

use crate::{
    CaseNo, DueTimer, Reader, Result, Writer,
    convert::{case_id, maybe_time, ms, time},
    prepared::execute,
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

    /// When the next timer that was not announced is due.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn next_due(&mut self) -> Result<Option<Timestamp>> {
        let due: Option<Option<i64>> = timers::table
            .filter(timers::due.is_not_null())
            .order(timers::due)
            .select(timers::due)
            .get_result(&mut self.db)
            .optional()?;
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
    /// That these timers are due is on the bus. They stay armed, as what their cases wait for, until
    /// a step disarms them. One that was armed anew meanwhile, for another time, is left alone.
    ///
    /// # Errors
    /// `Database`.
    pub fn announced(&mut self, timers: &[DueTimer]) -> Result<()> {
        for timer in timers {
            execute!(
                &mut self.db,
                "UPDATE timers SET due = NULL WHERE case_no = ? AND timer = ? AND due = ?",
                timer.no.0 => BigInt,
                timer.timer.cast_signed() => BigInt,
                ms(timer.due) => BigInt,
            )?;
        }
        Ok(())
    }
}
