//! Out of the house: the gate, the claim and the settlement.

use std::collections::HashSet;

use diesel::{
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};
use halsonav_domain::Timestamp;

use crate::{
    CaseNo, CaseState, Claim, Effect, EffectNo, EffectRef, EffectState, Epoch, Error, Gate,
    GateFacts, Reader, Ready, Reason, Register, Result, Settled, Settlement, Verdict, Wake, Writer,
    convert::{case_id, count, ms, subject_id},
    effects::EffectRow,
    prepared::execute,
    schema::{cases, effects, milestones, subjects},
    subjects::SubjectRow,
};

const FENCED: &str = "fenced";

/// What the gate must know, as read.
struct Candidate {
    effect: Effect,
    epoch: i64,
    register: Register,
    state: CaseState,
    milestones: Vec<String>,
    duplicate: bool,
}

impl Reader {
    /// How often claiming or settling was refused because of a stale epoch.
    ///
    /// # Errors
    /// `Database`.
    pub fn fenced(&mut self) -> Result<u64> {
        Ok(count(self.number_setting(FENCED)?))
    }

    fn candidate(&mut self, which: &EffectRef) -> Result<Option<Candidate>> {
        type Row = (
            EffectRow,
            SubjectRow,
            (Vec<u8>, String, String, Option<i64>),
        );
        let Some(job) = which.command.job_of(which.case) else {
            return Ok(None);
        };
        let row: Option<Row> = effects::table
            .inner_join(cases::table.inner_join(subjects::table))
            .filter(cases::case_id.eq(which.case.0.as_bytes().as_slice()))
            .filter(effects::job.eq(job.cast_signed()))
            .select((
                EffectRow::as_select(),
                SubjectRow::as_select(),
                (
                    cases::case_id,
                    cases::unit,
                    cases::state,
                    cases::duplicate_of,
                ),
            ))
            .get_result(&mut self.db)
            .optional()?;
        let Some((effect, subject, (case, unit, state, duplicate))) = row else {
            return Ok(None);
        };
        let own = subject_id(&subject.subject_id)?;
        // A duplicate's case stays with the subject that is no more; the register is the other's.
        let register = match subject.merged_into {
            Some(_) => self.register(&own)?.ok_or(Error::NotFound("subject"))?,
            None => subject.read()?,
        };
        let (epoch, contact) = (effect.epoch, effect.contact);
        let effect = effect.read(case_id(&case)?, own, &unit)?;
        let milestones = if contact {
            milestones::table
                .filter(milestones::case_no.eq(effect.case.0))
                .select(milestones::name)
                .load(&mut self.db)?
        } else {
            Vec::new()
        };
        let state = CaseState::read(&state)?;
        Ok(Some(Candidate {
            effect,
            epoch,
            register,
            state,
            milestones,
            duplicate: duplicate.is_some(),
        }))
    }
}

impl Writer {
    /// Takes effects into an adapter's hands, each answered in order. The gate is asked in this
    /// transaction, on the subject, the case and the milestones as they are now.
    ///
    /// What is `sending` under an epoch that no live lease has is taken over, to be reconciled. What
    /// is `sending` under a live one, this claimer's or another's, is in its hands and answered as
    /// gone. A claimer whose own lease is over gets nothing: all is answered as fenced.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn claim(
        &mut self,
        which: &[EffectRef],
        now: Timestamp,
        epoch: Epoch,
        gate: &dyn Gate,
    ) -> Result<Vec<Claim>> {
        let live = self.live_epochs()?;
        if !live.contains(&epoch.0) {
            self.count_fenced(which.len())?;
            let fenced = |one: &EffectRef| Claim::Fenced {
                command: one.command,
            };
            return Ok(which.iter().map(fenced).collect());
        }
        which
            .iter()
            .map(|one| self.claim_one(one, now, epoch, &live, gate))
            .collect()
    }

    fn claim_one(
        &mut self,
        which: &EffectRef,
        now: Timestamp,
        epoch: Epoch,
        live: &HashSet<i64>,
        gate: &dyn Gate,
    ) -> Result<Claim> {
        let command = which.command;
        let Some(candidate) = self.candidate(which)? else {
            return Ok(Claim::Gone {
                command,
                state: None,
            });
        };
        let gone = |state| {
            Ok(Claim::Gone {
                command,
                state: Some(state),
            })
        };
        let effect = &candidate.effect;
        match effect.state {
            // In somebody's hands at this moment, perhaps our own: the bus delivered twice.
            EffectState::Sending if live.contains(&candidate.epoch) => gone(EffectState::Sending),
            // Out of the house once already: the gate cannot call it back, the adapter must ask.
            EffectState::Sending => self.take(candidate.effect, epoch, true),
            EffectState::Blocked => {
                let reason = effect
                    .problem
                    .as_deref()
                    .map_or(Ok(Reason::Unknown), Reason::read)?;
                self.block(effect, epoch, reason)
            }
            // Back on the bus later, by the relay: this delivery is a repetition.
            EffectState::New | EffectState::Held if effect.due.is_some_and(|due| due > now) => {
                gone(effect.state)
            }
            EffectState::New | EffectState::Held | EffectState::Published => {
                self.pass_gate(candidate, now, epoch, gate)
            }
            state => gone(state),
        }
    }

    fn pass_gate(
        &mut self,
        candidate: Candidate,
        now: Timestamp,
        epoch: Epoch,
        gate: &dyn Gate,
    ) -> Result<Claim> {
        let effect = &candidate.effect;
        let facts = GateFacts {
            kind: &effect.command.kind,
            contact: effect.contact,
            payload: &effect.command.payload,
            headers: &effect.command.headers,
            register: &candidate.register,
            state: candidate.state,
            milestones: &candidate.milestones,
            duplicate: candidate.duplicate,
            now,
        };
        match gate.decide(&facts) {
            Verdict::Pass => self.take(candidate.effect, epoch, false),
            Verdict::Block(reason) => self.block(effect, epoch, reason),
            Verdict::Hold(until) => {
                execute!(
                    &mut self.db,
                    "UPDATE effects SET state = 'held', due = ? WHERE effect_no = ?",
                    ms(until) => BigInt,
                    effect.no.0 => BigInt,
                )?;
                // The relay, too: it has a new time to wait for.
                self.wake(Wake::Held);
                self.wake(Wake::Outbox);
                Ok(Claim::Held {
                    effect: effect.no,
                    command: effect.command.id,
                    subject: candidate.register.subject,
                    until,
                })
            }
        }
    }

    fn take(&mut self, mut effect: Effect, epoch: Epoch, reconcile: bool) -> Result<Claim> {
        effect.state = EffectState::Sending;
        effect.due = None;
        effect.attempts = effect.attempts.saturating_add(1);
        execute!(
            &mut self.db,
            "UPDATE effects SET state = 'sending', due = NULL, attempts = ?, epoch = ? WHERE effect_no = ?",
            i64::from(effect.attempts) => BigInt,
            epoch.0 => BigInt,
            effect.no.0 => BigInt,
        )?;
        let attempt = effect.attempts;
        Ok(Claim::Ready(Box::new(Ready {
            effect,
            attempt,
            reconcile,
        })))
    }

    fn block(&mut self, effect: &Effect, epoch: Epoch, reason: Reason) -> Result<Claim> {
        execute!(
            &mut self.db,
            "UPDATE effects SET state = 'blocked', due = NULL, problem = ?, epoch = ? WHERE effect_no = ?",
            reason.as_str() => Text,
            epoch.0 => BigInt,
            effect.no.0 => BigInt,
        )?;
        Ok(Claim::Blocked {
            effect: effect.no,
            case: effect.case,
            job: effect.job,
            command: effect.command.id,
            reason,
        })
    }

    /// Ends claims. Answers those that were refused because they are not claimed under that epoch:
    /// someone else has taken over, or it was settled already.
    ///
    /// # Errors
    /// `Database`.
    pub fn settle(&mut self, settlements: &[Settlement], now: Timestamp) -> Result<Vec<EffectNo>> {
        let mut stale = Vec::new();
        for settlement in settlements {
            if self.settle_one(settlement, now)? {
                for reference in &settlement.references {
                    self.note_effect_reference(settlement.effect, reference, now)?;
                }
            } else {
                stale.push(settlement.effect);
            }
        }
        self.count_fenced(stale.len())?;
        Ok(stale)
    }

    fn settle_one(&mut self, settlement: &Settlement, now: Timestamp) -> Result<bool> {
        let row: Option<(String, i64, bool)> = effects::table
            .find(settlement.effect.0)
            .select((effects::state, effects::epoch, effects::consumed))
            .get_result(&mut self.db)
            .optional()?;
        let Some((state, epoch, unwanted)) = row else {
            return Ok(false);
        };
        let open = matches!(
            EffectState::read(&state)?,
            EffectState::Sending | EffectState::Blocked
        );
        if !open || epoch != settlement.epoch.0 {
            return Ok(false);
        }
        self.end(settlement.effect, epoch, &settlement.settled, unwanted, now)?;
        Ok(true)
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
        let row: Option<(i64, i64, bool)> = effects::table
            .filter(effects::case_no.eq(case.0))
            .filter(effects::job.eq(job.cast_signed()))
            .filter(effects::state.eq(EffectState::Handed.as_str()))
            .select((effects::effect_no, effects::epoch, effects::consumed))
            .get_result(&mut self.db)
            .optional()?;
        let Some((no, epoch, unwanted)) = row else {
            return Ok(false);
        };
        self.end(EffectNo(no), epoch, settled, unwanted, now)?;
        Ok(true)
    }

    /// Writes what became of an effect; `unwanted` when its case no longer waits for it.
    fn end(
        &mut self,
        effect: EffectNo,
        epoch: i64,
        settled: &Settled,
        unwanted: bool,
        now: Timestamp,
    ) -> Result<()> {
        let mut keeps = epoch;
        let (state, due, problem) = match settled {
            Settled::Done => (EffectState::Done, None, None),
            Settled::Handed => (EffectState::Handed, None, None),
            Settled::Refused(code) => (EffectState::Refused, None, Some(code)),
            Settled::Failed(code) => (EffectState::Failed, None, Some(code)),
            Settled::Unknown(code) => (EffectState::Unknown, None, Some(code)),
            // Withdrawn while it was on its way out: not tried again.
            Settled::Retry(_, code) if unwanted => (EffectState::Withdrawn, None, Some(code)),
            Settled::Retry(at, code) => (EffectState::New, Some(ms(*at)), Some(code)),
            Settled::Ask(at, code) => {
                // In nobody's hands until then: whoever claims it takes it over, and asks.
                keeps = 0;
                (EffectState::Sending, Some(ms(*at)), Some(code))
            }
        };
        if due.is_some() {
            self.wake(Wake::Outbox);
        }
        let over = !state.is_under_way();
        execute!(
            &mut self.db,
            "UPDATE effects SET state = ?, due = ?, problem = ?, epoch = ?, settled = ? WHERE effect_no = ?",
            state.as_str() => Text,
            due => Nullable<BigInt>,
            problem.map(String::as_str) => Nullable<Text>,
            keeps => BigInt,
            over.then(|| ms(now)) => Nullable<BigInt>,
            effect.0 => BigInt,
        )?;
        Ok(())
    }

    fn count_fenced(&mut self, refused: usize) -> Result<()> {
        if let Ok(refused @ 1..) = u32::try_from(refused) {
            self.count_up(FENCED, refused)?;
        }
        Ok(())
    }
}
