//! What became of what was claimed.

use std::collections::HashMap;

use diesel::{
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};
use halsonav_domain::Timestamp;

use crate::{
    CaseNo, EffectNo, EffectState, Error, Result, Settled, Settlement, Wake, Writer, convert::ms,
    dialect::lookup, rows::update, schema::effects,
};

/// An effect before it is settled, and after.
struct Row {
    case: i64,
    state: EffectState,
    epoch: i64,
    /// Its case no longer waits for it.
    unwanted: bool,
}

/// What a settlement writes.
struct End<'a> {
    effect: EffectNo,
    state: EffectState,
    due: Option<i64>,
    problem: Option<&'a str>,
    epoch: i64,
}

impl Writer {
    /// Ends claims. Answers those that were refused because they are not claimed under that epoch:
    /// someone else has taken over, or it was settled already.
    ///
    /// # Errors
    /// `Database`.
    pub fn settle(&mut self, settlements: &[Settlement], now: Timestamp) -> Result<Vec<EffectNo>> {
        let mut rows = self.claimed(settlements)?;
        let (mut stale, mut ends, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for settlement in settlements {
            let no = settlement.effect;
            let open = |row: &&mut Row| {
                let open = matches!(row.state, EffectState::Sending | EffectState::Blocked);
                open && row.epoch == settlement.epoch.0
            };
            let Some(row) = rows.get_mut(&no).filter(open) else {
                stale.push(no);
                continue;
            };
            let end = end(no, row, &settlement.settled);
            // So that a second word on it in this batch is refused.
            (row.state, row.epoch) = (end.state, end.epoch);
            ends.push(end);
            let of_effect = |name| (row.case, Some(no.0), name, now);
            names.extend(settlement.references.iter().map(of_effect));
        }
        self.write_ends(&ends, now)?;
        self.note(&names)?;
        self.count_fenced(stale.len())?;
        Ok(stale)
    }

    /// Held fast until the transaction ends.
    fn claimed(&mut self, settlements: &[Settlement]) -> Result<HashMap<EffectNo, Row>> {
        let numbers: Vec<i64> = settlements.iter().map(|one| one.effect.0).collect();
        let columns = (
            effects::effect_no,
            effects::case_no,
            effects::state,
            effects::epoch,
            effects::consumed,
        );
        let rows: Vec<(i64, i64, String, i64, bool)> = lookup!(
            &mut self.db,
            &numbers,
            effects::effect_no,
            effects::table.select(columns),
            for_update
        )?;
        rows.into_iter()
            .map(|(no, case, state, epoch, unwanted)| {
                let row = Row {
                    case,
                    state: EffectState::read(&state)?,
                    epoch,
                    unwanted,
                };
                Ok((EffectNo(no), row))
            })
            .collect()
    }

    /// The word of an adapter outside the hub on what was [handed](Settled::Handed) to it. `false`
    /// when the effect is not in its hands: it was settled already, or there is none.
    ///
    /// # Errors
    /// `Invalid` for `Handed`; `Database`, `Corrupt`.
    pub fn settle_outside(
        &mut self,
        case: CaseNo,
        job: u64,
        settled: &Settled,
        now: Timestamp,
    ) -> Result<bool> {
        if *settled == Settled::Handed {
            return Err(Error::Invalid("an adapter outside hands nothing on"));
        }
        let states = self.states(&[(case.0, job.cast_signed())])?;
        if states.get(&(case.0, job.cast_signed())) != Some(&EffectState::Handed) {
            return Ok(false);
        }
        let (no, epoch, unwanted): (i64, i64, bool) = effects::table
            .filter(effects::case_no.eq(case.0))
            .filter(effects::job.eq(job.cast_signed()))
            .select((effects::effect_no, effects::epoch, effects::consumed))
            .get_result(&mut self.db)?;
        let row = Row {
            case: case.0,
            state: EffectState::Handed,
            epoch,
            unwanted,
        };
        self.write_ends(&[end(EffectNo(no), &row, settled)], now)?;
        Ok(true)
    }

    fn write_ends(&mut self, ends: &[End<'_>], now: Timestamp) -> Result<()> {
        if ends.iter().any(|end| end.due.is_some()) {
            self.wake(Wake::Outbox);
        }
        update!(&mut self.db, ends, |end| effects set {
            state: end.state.as_str() => Text,
            due: end.due => Nullable<BigInt>,
            problem: end.problem => Nullable<Text>,
            epoch: end.epoch => BigInt,
            settled: (!end.state.is_under_way()).then(|| ms(now)) => Nullable<BigInt>,
        } where { effect_no: end.effect.0 => BigInt })?;
        Ok(())
    }
}

fn end<'a>(effect: EffectNo, row: &Row, settled: &'a Settled) -> End<'a> {
    let mut epoch = row.epoch;
    let (state, due, problem) = match settled {
        Settled::Done => (EffectState::Done, None, None),
        Settled::Handed => (EffectState::Handed, None, None),
        Settled::Refused(code) => (EffectState::Refused, None, Some(code)),
        Settled::Failed(code) => (EffectState::Failed, None, Some(code)),
        Settled::Unknown(code) => (EffectState::Unknown, None, Some(code)),
        // Withdrawn while it was on its way out: not tried again.
        Settled::Retry(_, code) if row.unwanted => (EffectState::Withdrawn, None, Some(code)),
        Settled::Retry(at, code) => (EffectState::New, Some(ms(*at)), Some(code)),
        Settled::Ask(at, code) => {
            // In nobody's hands until then: whoever claims it takes it over, and asks.
            epoch = 0;
            (EffectState::Sending, Some(ms(*at)), Some(code))
        }
    };
    End {
        effect,
        state,
        due,
        problem: problem.map(String::as_str),
        epoch,
    }
}
