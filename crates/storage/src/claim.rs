//! Out of the house: the gate and the claim.

use std::collections::{HashMap, HashSet};

use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Binary, Text},
};
use halsonav_domain::{CaseId, Timestamp};

use crate::{
    CaseState, Claim, Effect, EffectNo, EffectRef, EffectState, Epoch, Error, Gate, GateFacts,
    Reader, Ready, Reason, Register, Result, Verdict, Wake, Writer,
    convert::{case_id, count, ms, subject_id},
    dialect::{Db, lookup},
    effects::EffectRow,
    prepared::load,
    rows::{column, update},
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

type Row = (
    EffectRow,
    SubjectRow,
    (Vec<u8>, String, String, Option<i64>),
);

macro_rules! whole {
    () => {
        effects::table
            .inner_join(cases::table.inner_join(subjects::table))
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
    };
}

/// What is to be written of a batch of claims.
#[derive(Default)]
struct Turn {
    taken: Vec<(EffectNo, u32)>,
    blocked: Vec<(EffectNo, Reason)>,
    held: Vec<(EffectNo, Timestamp)>,
    /// Whose lane is stopped: what has not left, and what may have.
    stopped: Vec<EffectNo>,
    doubtful: Vec<EffectNo>,
}

/// Under which rules a claim is made.
struct Rules<'a> {
    now: Timestamp,
    epoch: Epoch,
    live: &'a HashSet<i64>,
    stopped: &'a HashSet<String>,
    gate: &'a dyn Gate,
}

impl Reader {
    /// How often claiming or settling was refused because of a stale epoch.
    ///
    /// # Errors
    /// `Database`.
    pub fn fenced(&mut self) -> Result<u64> {
        Ok(count(self.number_setting(FENCED)?))
    }
}

impl Writer {
    /// Takes effects into an adapter's hands, each answered in order. The gate is asked in this
    /// transaction, on the subject, the case and the milestones as they are now.
    ///
    /// What is `sending` under an epoch that no live lease has is taken over, to be reconciled. What
    /// is `sending` under a live one, this claimer's or another's, is in its hands and answered as
    /// gone. A claimer whose own lease is over gets nothing: all is answered as fenced. In a lane that
    /// is [stopped](Writer::stop_lane) nothing is claimed, nor is the gate asked.
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
        if !self.holds_lease(epoch)? {
            self.count_fenced(which.len())?;
            let fenced = |one: &EffectRef| Claim::Fenced {
                command: one.command,
            };
            return Ok(which.iter().map(fenced).collect());
        }
        let stopped = self.stopped_lanes(now)?;
        let mut candidates = self.candidates(which)?;
        let sending = candidates
            .values()
            .filter(|one| one.effect.state == EffectState::Sending);
        let hands: HashSet<i64> = sending.map(|one| one.epoch).collect();
        let live = self.live_among(hands)?;
        let rules = Rules {
            now,
            epoch,
            live: &live,
            stopped: &stopped,
            gate,
        };
        let mut turn = Turn::default();
        let claims = which
            .iter()
            .map(|one| match candidates.get_mut(&key(one)) {
                Some(candidate) => candidate.claim(&rules, &mut turn),
                None => Ok(Claim::Gone {
                    command: one.command,
                    state: None,
                }),
            })
            .collect::<Result<_>>()?;
        self.write_turn(&turn, epoch)?;
        Ok(claims)
    }

    /// What is asked for, held fast until the transaction ends: first the cases, so that no step of
    /// theirs is half-way, then the effects.
    fn candidates(&mut self, which: &[EffectRef]) -> Result<HashMap<(CaseId, u64), Candidate>> {
        let keys: HashSet<(CaseId, u64)> = which.iter().map(key).collect();
        let keys: Vec<(&[u8], i64)> = keys
            .iter()
            .map(|(case, job)| (case.0.as_bytes().as_slice(), job.cast_signed()))
            .collect();
        let rows: Vec<Row> = match &mut self.db {
            Db::Sqlite(db) => keys.iter().try_fold(Vec::new(), |mut rows, (case, job)| {
                let one = whole!()
                    .filter(cases::case_id.eq(case))
                    .filter(effects::job.eq(job));
                rows.extend(one.load::<Row>(db)?);
                Ok::<_, diesel::result::Error>(rows)
            })?,
            Db::Postgres(db) => {
                let ids = column(&keys, |(case, _)| *case);
                cases::table
                    .filter(cases::case_id.eq_any(&ids))
                    .order(cases::case_no)
                    .select(cases::case_no)
                    .for_share()
                    .execute(db)?;
                let numbers: Vec<i64> = load!(
                    Pg, db,
                    "SELECT effects.effect_no FROM unnest(?, ?) AS given (case_id, job)
                     JOIN cases ON cases.case_id = given.case_id
                     JOIN effects ON effects.case_no = cases.case_no AND effects.job = given.job
                     ORDER BY effects.effect_no FOR UPDATE OF effects" => BigInt,
                    ids => Array<Binary>,
                    column(&keys, |(_, job)| *job) => Array<BigInt>,
                )?;
                whole!()
                    .filter(effects::effect_no.eq_any(numbers))
                    .load(db)?
            }
        };
        let mut reached = self.milestones_of(&rows)?;
        rows.into_iter()
            .map(|row| {
                let candidate = self.candidate(row, &mut reached)?;
                let effect = &candidate.effect;
                Ok(((effect.command.case, effect.job), candidate))
            })
            .collect()
    }

    /// By case, for those that reach the resident.
    fn milestones_of(&mut self, rows: &[Row]) -> Result<HashMap<i64, Vec<String>>> {
        let contacts: HashSet<i64> = rows
            .iter()
            .filter(|(effect, ..)| effect.contact)
            .map(|(effect, ..)| effect.case_no)
            .collect();
        let contacts: Vec<i64> = contacts.into_iter().collect();
        let found: Vec<(i64, String)> = lookup!(
            &mut self.db,
            &contacts,
            milestones::case_no,
            milestones::table.select((milestones::case_no, milestones::name))
        )?;
        let mut reached: HashMap<i64, Vec<String>> = HashMap::with_capacity(contacts.len());
        for (case, name) in found {
            reached.entry(case).or_default().push(name);
        }
        Ok(reached)
    }

    fn candidate(
        &mut self,
        row: Row,
        reached: &mut HashMap<i64, Vec<String>>,
    ) -> Result<Candidate> {
        let (effect, subject, (case, unit, state, duplicate)) = row;
        let own = subject_id(&subject.subject_id)?;
        // A duplicate's case stays with the subject that is no more; the register is the other's.
        let register = match subject.merged_into {
            Some(_) => self.register(&own)?.ok_or(Error::NotFound("subject"))?,
            None => subject.read()?,
        };
        let milestones = match effect.contact {
            true => reached.get(&effect.case_no).cloned().unwrap_or_default(),
            false => Vec::new(),
        };
        Ok(Candidate {
            epoch: effect.epoch,
            effect: effect.read(case_id(&case)?, own, &unit)?,
            register,
            state: CaseState::read(&state)?,
            milestones,
            duplicate: duplicate.is_some(),
        })
    }

    fn write_turn(&mut self, turn: &Turn, epoch: Epoch) -> Result<()> {
        let Turn {
            taken,
            blocked,
            held,
            stopped,
            doubtful,
        } = turn;
        update!(&mut self.db, taken, |(no, attempts)| effects set {
            attempts: i64::from(*attempts) => BigInt,
            epoch: epoch.0 => BigInt,
        }, "state = 'sending', due = NULL" where { effect_no: no.0 => BigInt })?;
        update!(&mut self.db, blocked, |(no, reason)| effects set {
            problem: reason.as_str() => Text,
            epoch: epoch.0 => BigInt,
        }, "state = 'blocked', due = NULL" where { effect_no: no.0 => BigInt })?;
        update!(&mut self.db, held, |(no, until)| effects set {
            due: ms(*until) => BigInt, epoch: epoch.0 => BigInt,
        }, "state = 'held'" where { effect_no: no.0 => BigInt })?;
        self.put_aside(epoch, stopped, doubtful)?;
        if !held.is_empty() {
            // The relay, too: it has a new time to wait for.
            self.wake(Wake::Held);
            self.wake(Wake::Outbox);
        }
        Ok(())
    }

    pub(crate) fn count_fenced(&mut self, refused: usize) -> Result<()> {
        if let Ok(refused @ 1..) = u32::try_from(refused) {
            self.count_up(FENCED, refused)?;
        }
        Ok(())
    }
}

/// A command that is not of the case has no job in it, and job 2^64 - 1 nobody has.
fn key(which: &EffectRef) -> (CaseId, u64) {
    let job = which.command.job_of(which.case);
    (which.case, job.unwrap_or(u64::MAX))
}

impl Candidate {
    /// Answers one claim and becomes what it will be after, so that one made twice is seen.
    fn claim(&mut self, rules: &Rules<'_>, turn: &mut Turn) -> Result<Claim> {
        let due = self.effect.due;
        match self.effect.state {
            // In somebody's hands at this moment, perhaps our own: the bus delivered twice.
            EffectState::Sending if rules.live.contains(&self.epoch) => Ok(self.gone()),
            EffectState::Sending if self.epoch == rules.epoch.0 => Ok(self.gone()),
            EffectState::Sending if self.is_stopped(rules) => Ok(self.wait(turn)),
            // Out of the house once already: the gate cannot call it back, the adapter must ask.
            EffectState::Sending => Ok(self.take(rules.epoch, true, turn)),
            EffectState::Blocked => {
                let reason = self.effect.problem.as_deref();
                let reason = reason.map_or(Ok(Reason::Unknown), Reason::read)?;
                Ok(self.block(reason, turn))
            }
            // Back on the bus later, by the relay: this delivery is a repetition.
            EffectState::New | EffectState::Held if due.is_some_and(|due| due > rules.now) => {
                Ok(self.gone())
            }
            EffectState::New
            | EffectState::Held
            | EffectState::Published
            | EffectState::Stopped
                if self.is_stopped(rules) =>
            {
                Ok(self.wait(turn))
            }
            EffectState::New
            | EffectState::Held
            | EffectState::Published
            | EffectState::Stopped => Ok(self.pass_gate(rules, turn)),
            _ => Ok(self.gone()),
        }
    }

    fn gone(&self) -> Claim {
        Claim::Gone {
            command: self.effect.command.id,
            state: Some(self.effect.state),
        }
    }

    fn is_stopped(&self, rules: &Rules<'_>) -> bool {
        rules.stopped.contains(self.effect.command.kind.adapter())
    }

    /// Set aside until the lane starts.
    fn wait(&mut self, turn: &mut Turn) -> Claim {
        let effect = &mut self.effect;
        if effect.state == EffectState::Sending {
            turn.doubtful.push(effect.no);
        } else {
            effect.state = EffectState::Stopped;
            turn.stopped.push(effect.no);
        }
        Claim::Stopped {
            command: effect.command.id,
        }
    }

    fn pass_gate(&mut self, rules: &Rules<'_>, turn: &mut Turn) -> Claim {
        let facts = GateFacts {
            kind: &self.effect.command.kind,
            contact: self.effect.contact,
            payload: &self.effect.command.payload,
            headers: &self.effect.command.headers,
            register: &self.register,
            state: self.state,
            milestones: &self.milestones,
            duplicate: self.duplicate,
            now: rules.now,
        };
        match rules.gate.decide(&facts) {
            Verdict::Pass => self.take(rules.epoch, false, turn),
            Verdict::Block(reason) => self.block(reason, turn),
            Verdict::Hold(until) => self.hold(until, turn),
        }
    }

    fn take(&mut self, epoch: Epoch, reconcile: bool, turn: &mut Turn) -> Claim {
        let effect = &mut self.effect;
        self.epoch = epoch.0;
        effect.state = EffectState::Sending;
        effect.due = None;
        effect.attempts = effect.attempts.saturating_add(1);
        turn.taken.push((effect.no, effect.attempts));
        Claim::Ready(Box::new(Ready {
            attempt: effect.attempts,
            effect: effect.clone(),
            reconcile,
        }))
    }

    fn block(&mut self, reason: Reason, turn: &mut Turn) -> Claim {
        let effect = &mut self.effect;
        effect.state = EffectState::Blocked;
        effect.problem = Some(reason.as_str().to_owned());
        turn.blocked.push((effect.no, reason));
        Claim::Blocked {
            effect: effect.no,
            case: effect.case,
            job: effect.job,
            command: effect.command.id,
            reason,
        }
    }

    fn hold(&mut self, until: Timestamp, turn: &mut Turn) -> Claim {
        let effect = &mut self.effect;
        effect.state = EffectState::Held;
        effect.due = Some(until);
        turn.held.push((effect.no, until));
        Claim::Held {
            effect: effect.no,
            command: effect.command.id,
            subject: self.register.subject,
            until,
        }
    }
}
