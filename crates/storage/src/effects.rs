//! The outbox: effects until they are on the bus, and what the hub looks up about them.

use std::collections::{BTreeMap, HashSet};

use diesel::{
    dsl::{count_star, exists, not, sql},
    prelude::*,
    sql_types::Bool,
};
use halsonav_domain::{CaseId, Command, CommandId, CommandKind, HsaId, SubjectId, Timestamp};

use crate::{
    CaseNo, Effect, EffectNo, EffectRef, EffectState, Epoch, Error, LaneRow, Outbox, Reader,
    Result, Wake, Writer,
    convert::{case_id, count, from_json, maybe_time, ms, subject_id, time},
    dialect::{self, first},
    lanes::{never, next_start},
    schema::{cases, effects, leases, subjects},
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = effects)]
pub(crate) struct EffectRow {
    effect_no: i64,
    pub(crate) case_no: i64,
    job: i64,
    adapter: String,
    operation: String,
    payload: String,
    headers: String,
    pub(crate) contact: bool,
    state: String,
    attempts: i64,
    pub(crate) due: Option<i64>,
    pub(crate) epoch: i64,
    problem: Option<String>,
    issued: i64,
}

impl EffectRow {
    pub(crate) fn read(self, case: CaseId, subject: SubjectId, unit: &str) -> Result<Effect> {
        let job = self.job.cast_unsigned();
        let kind: CommandKind = format!("{}.{}", self.adapter, self.operation)
            .parse()
            .map_err(|_| Error::Corrupt("command kind"))?;
        let headers: BTreeMap<String, String> = if self.headers.is_empty() {
            BTreeMap::new()
        } else {
            from_json(&self.headers)?
        };
        Ok(Effect {
            no: EffectNo(self.effect_no),
            case: CaseNo(self.case_no),
            job,
            command: Command {
                id: CommandId::derive(case, job),
                case,
                subject,
                kind,
                unit: HsaId::new(unit),
                payload: from_json(&self.payload)?,
                headers,
                issued: time(self.issued)?,
            },
            contact: self.contact,
            state: EffectState::read(&self.state)?,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            due: maybe_time(self.due)?,
            epoch: Epoch(self.epoch),
            problem: self.problem,
        })
    }
}

type Whole = (EffectRow, Vec<u8>, Vec<u8>, String);

fn effect((row, case, subject, unit): Whole) -> Result<Effect> {
    row.read(case_id(&case)?, subject_id(&subject)?, &unit)
}

macro_rules! whole {
    () => {
        effects::table
            .inner_join(cases::table.inner_join(subjects::table))
            .select((
                EffectRow::as_select(),
                cases::case_id,
                subjects::subject_id,
                cases::unit,
            ))
    };
}

impl Reader {
    /// What there is for the relay to do, at most `limit` effects to put on the bus.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn outbox(&mut self, now: Timestamp, limit: u32) -> Result<Outbox> {
        let lanes = self.lane_rows()?;
        let free = self.set_aside(&lanes, now, limit)?;
        let rows: Vec<Whole> = whole!()
            .filter(effects::due.le(ms(now)))
            .order((effects::due, effects::effect_no))
            .limit(i64::from(limit))
            .load(&mut self.db)?;
        let due = rows.into_iter().map(effect).collect::<Result<Vec<_>>>()?;
        let later: Option<Option<i64>> = first!(
            &mut self.db,
            effects::table
                .filter(effects::due.gt(ms(now)))
                .filter(effects::due.lt(never()))
                .order(effects::due)
                .select(effects::due)
        )?;
        let later = [maybe_time(later.flatten())?, next_start(&lanes, now)?];
        Ok(Outbox {
            free,
            due,
            later: later.into_iter().flatten().min(),
        })
    }

    /// Effects of a case, in order.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn effects_of(&mut self, case: &CaseId) -> Result<Vec<Effect>> {
        let rows: Vec<Whole> = whole!()
            .filter(cases::case_id.eq(case.0.as_bytes().as_slice()))
            .order(effects::effect_no)
            .load(&mut self.db)?;
        rows.into_iter().map(effect).collect()
    }

    /// One effect.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn effect(&mut self, which: &EffectRef) -> Result<Option<Effect>> {
        let Some(job) = which.command.job_of(which.case) else {
            return Ok(None);
        };
        let row: Option<Whole> = whole!()
            .filter(cases::case_id.eq(which.case.0.as_bytes().as_slice()))
            .filter(effects::job.eq(job.cast_signed()))
            .get_result(&mut self.db)
            .optional()?;
        row.map(effect).transpose()
    }

    /// Effects that an adapter had in hand when its lease ended, oldest first: what a crash left
    /// behind. Claim them anew, then reconcile. Those to be asked about later are the relay's until
    /// their time has come, and not among them.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn abandoned(&mut self, adapter: &str, limit: u32) -> Result<Vec<Effect>> {
        let now = dialect::now(&mut self.db)?;
        let live = leases::table
            .filter(leases::epoch.eq(effects::epoch))
            .filter(leases::until.gt(now));
        let rows: Vec<Whole> = whole!()
            // As a literal, or the planner cannot see that the partial index applies.
            .filter(sql::<Bool>("effects.state = 'sending'"))
            .filter(effects::adapter.eq(adapter))
            .filter(effects::due.is_null())
            .filter(not(exists(live)))
            .order(effects::effect_no)
            .limit(i64::from(limit))
            .load(&mut self.db)?;
        rows.into_iter().map(effect).collect()
    }

    /// Whose register data is to be asked for: the subjects, each once, of the first `limit` effects
    /// that are held. In the order of their cases, so that one history has one continuation.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn held_subjects(&mut self, limit: u32) -> Result<Vec<SubjectId>> {
        let rows: Vec<(Vec<u8>, Option<i64>)> = effects::table
            .inner_join(cases::table.inner_join(subjects::table))
            // As a literal, so that the partial index applies.
            .filter(sql::<Bool>("effects.state = 'held'"))
            .select((subjects::subject_id, subjects::merged_into))
            .order((effects::case_no, effects::effect_no))
            .limit(i64::from(limit))
            .load(&mut self.db)?;
        let mut whom = Vec::with_capacity(rows.len());
        let mut there = HashSet::with_capacity(rows.len());
        for (id, merged_into) in rows {
            let subject = match merged_into {
                Some(no) => self.subject_by_no(no)?,
                None => subject_id(&id)?,
            };
            if there.insert(subject) {
                whom.push(subject);
            }
        }
        Ok(whom)
    }

    /// How many effects are in an adapter's hands at this moment; not those that are to be asked about
    /// later.
    ///
    /// # Errors
    /// `Database`.
    pub fn in_hand(&mut self) -> Result<u64> {
        let sending: i64 = effects::table
            // As a literal, so that the partial index applies.
            .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(
                "effects.state = 'sending'",
            ))
            .filter(effects::due.is_null())
            .select(count_star())
            .get_result(&mut self.db)?;
        Ok(count(sending))
    }

    /// How many effects of each adapter stand where. Counts all: call it at intervals.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn lanes(&mut self) -> Result<Vec<LaneRow>> {
        let rows: Vec<(String, String, i64)> = effects::table
            .group_by((effects::adapter, effects::state))
            .select((effects::adapter, effects::state, count_star()))
            .order((effects::adapter, effects::state))
            .load(&mut self.db)?;
        rows.into_iter()
            .map(|(adapter, state, n)| {
                Ok(LaneRow {
                    adapter,
                    state: EffectState::read(&state)?,
                    effects: count(n),
                })
            })
            .collect()
    }
}

impl Writer {
    /// Register data of these subjects is fresh: effects held for them go on the bus at `now`.
    /// Answers how many.
    ///
    /// # Errors
    /// `Database`.
    pub fn release_held(&mut self, whom: &[SubjectId], now: Timestamp) -> Result<u64> {
        let numbers: Vec<i64> = self
            .subject_rows(whom)?
            .values()
            .map(|(no, _)| *no)
            .collect();
        let of_subjects = cases::table
            .filter(cases::subject_no.eq_any(&numbers))
            .select(cases::case_no);
        let released = diesel::update(effects::table)
            .filter(effects::case_no.eq_any(of_subjects))
            .filter(effects::state.eq(EffectState::Held.as_str()))
            .set((
                effects::state.eq(EffectState::New.as_str()),
                effects::due.eq(Some(ms(now))),
            ))
            .execute(&mut self.db)?;
        if released > 0 {
            self.wake(Wake::Outbox);
        }
        Ok(released as u64)
    }

    /// An operator asks for a failed or unknown effect again: on the bus at `at`, under the same
    /// command id.
    ///
    /// # Errors
    /// `Conflict` when it is neither failed nor unknown; `Database`.
    pub fn requeue(&mut self, which: EffectNo, at: Timestamp) -> Result<()> {
        let again = [EffectState::Failed.as_str(), EffectState::Unknown.as_str()];
        let changed = diesel::update(effects::table.find(which.0))
            .filter(effects::state.eq_any(again))
            .set((
                effects::state.eq(EffectState::New.as_str()),
                effects::due.eq(Some(ms(at))),
                effects::consumed.eq(false),
                effects::settled.eq(None::<i64>),
            ))
            .execute(&mut self.db)?;
        if changed == 1 {
            self.wake(Wake::Outbox);
            Ok(())
        } else {
            Err(Error::Conflict("the effect is neither failed nor unknown"))
        }
    }
}
