//! Out of the house: the gate, the claim and the settlement.

use diesel::{
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};
use halsonav_domain::Timestamp;

use crate::{
    CaseState, Claim, Effect, EffectNo, EffectRef, EffectState, Epoch, Gate, GateFacts, Reader,
    Ready, Reason, Register, Result, Settled, Settlement, Verdict, Writer,
    convert::{case_id, count, ms, subject_id},
    effects::EffectRow,
    prepared::execute,
    schema::{cases, effects, milestones, subjects},
    subjects::SubjectRow,
};

const EPOCH: &str = "epoch";
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
            Some(_) => self
                .register(&own)?
                .ok_or(crate::Error::NotFound("subject"))?,
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
    /// A fencing token larger than any before.
    ///
    /// # Errors
    /// `Database`.
    pub fn next_epoch(&mut self) -> Result<Epoch> {
        let next = self.number_setting(EPOCH)? + 1;
        self.set_setting(EPOCH, Some(&next.to_string()))?;
        Ok(Epoch(next))
    }

    /// Takes effects into an adapter's hands, each answered in order. The gate is asked in this
    /// transaction, on the subject, the case and the milestones as they are now.
    ///
    /// What is `sending` under an earlier epoch is taken over, to be reconciled. What is `sending`
    /// under this epoch is in this dispatcher's hands already, and answered as gone.
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
        which
            .iter()
            .map(|one| self.claim_one(one, now, epoch, gate))
            .collect()
    }

    fn claim_one(
        &mut self,
        which: &EffectRef,
        now: Timestamp,
        epoch: Epoch,
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
        if candidate.epoch > epoch.0 {
            self.count_fenced()?;
            return Ok(Claim::Fenced { command });
        }
        match effect.state {
            // In our own hands at this moment: the bus delivered twice.
            EffectState::Sending if candidate.epoch == epoch.0 => gone(EffectState::Sending),
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
                self.count_fenced()?;
                stale.push(settlement.effect);
            }
        }
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
        let mut keeps = epoch;
        let (state, due, problem) = match &settlement.settled {
            Settled::Done => (EffectState::Done, None, None),
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
        execute!(
            &mut self.db,
            "UPDATE effects SET state = ?, due = ?, problem = ?, epoch = ?, settled = ? WHERE effect_no = ?",
            state.as_str() => Text,
            due => Nullable<BigInt>,
            problem.map(String::as_str) => Nullable<Text>,
            keeps => BigInt,
            due.is_none().then(|| ms(now)) => Nullable<BigInt>,
            settlement.effect.0 => BigInt,
        )?;
        Ok(true)
    }

    fn count_fenced(&mut self) -> Result<()> {
        let next = self.number_setting(FENCED)? + 1;
        self.set_setting(FENCED, Some(&next.to_string()))
    }
}
