//! Cases and their instances: making, loading, listing.

use diesel::prelude::*;
use halsonav_domain::{CaseId, HsaId, RoundId, SubjectId};

use crate::{
    Case, CaseFilter, CaseNo, CaseState, Created, DefinitionRef, Error, Ledger, Milestone, NewCase,
    Reader, Result, Round, StoredInstance, Writer,
    convert::{case_id, from_json, json, maybe_ms, maybe_time, ms, subject_id, time},
    dialect::insert_once,
    schema::{cases, instances, milestones, rounds, subjects},
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = cases)]
pub(crate) struct CaseRow {
    case_no: i64,
    case_id: Vec<u8>,
    unit: String,
    state: String,
    outcome: Option<String>,
    waiting_for: Option<String>,
    next_wake: Option<i64>,
    definition: String,
    definition_version: i64,
    duplicate_of: Option<i64>,
    started: i64,
    ended: Option<i64>,
}

impl CaseRow {
    pub(crate) fn read(self, subject: &[u8], round: String) -> Result<Case> {
        Ok(Case {
            no: CaseNo(self.case_no),
            id: case_id(&self.case_id)?,
            subject: subject_id(subject)?,
            round: RoundId(round),
            unit: HsaId::new(&self.unit),
            definition: DefinitionRef {
                id: self.definition,
                version: u32::try_from(self.definition_version)
                    .map_err(|_| Error::Corrupt("version"))?,
            },
            ledger: Ledger {
                state: CaseState::read(&self.state)?,
                outcome: self.outcome,
                waiting_for: self.waiting_for,
                next_wake: maybe_time(self.next_wake)?,
            },
            duplicate_of: self.duplicate_of.map(CaseNo),
            started: time(self.started)?,
            ended: maybe_time(self.ended)?,
        })
    }
}

type Instance = (CaseRow, Vec<u8>, String, Option<(i64, Vec<u8>)>);

fn instance((row, subject, round, instance): Instance) -> Result<StoredInstance> {
    let (revision, state) = instance.unwrap_or_default();
    Ok(StoredInstance {
        case: row.read(&subject, round)?,
        revision: revision.cast_unsigned(),
        state,
    })
}

/// Cases with what belongs to them, as an expression to filter further.
macro_rules! whole {
    () => {
        cases::table
            .inner_join(subjects::table)
            .inner_join(rounds::table)
    };
}

impl Reader {
    /// Cases with their instances, in the order asked for; those that do not exist are left out.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn load_instances(&mut self, cases: &[CaseId]) -> Result<Vec<StoredInstance>> {
        let mut found = Vec::with_capacity(cases.len());
        for case in cases {
            let row: Option<Instance> = whole!()
                .left_join(instances::table)
                .filter(cases::case_id.eq(case.0.as_bytes().as_slice()))
                .select((
                    CaseRow::as_select(),
                    subjects::subject_id,
                    rounds::id,
                    (instances::revision, instances::state).nullable(),
                ))
                .get_result(&mut self.db)
                .optional()?;
            found.extend(row.map(instance).transpose()?);
        }
        Ok(found)
    }

    /// As [`Reader::load_instances`], by number.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn load_instances_by_no(&mut self, cases: &[CaseNo]) -> Result<Vec<StoredInstance>> {
        let mut found = Vec::with_capacity(cases.len());
        for case in cases {
            let row: Option<Instance> = whole!()
                .left_join(instances::table)
                .filter(cases::case_no.eq(case.0))
                .select((
                    CaseRow::as_select(),
                    subjects::subject_id,
                    rounds::id,
                    (instances::revision, instances::state).nullable(),
                ))
                .get_result(&mut self.db)
                .optional()?;
            found.extend(row.map(instance).transpose()?);
        }
        Ok(found)
    }

    /// One case.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn case(&mut self, case: &CaseId) -> Result<Option<Case>> {
        let row: Option<(CaseRow, Vec<u8>, String)> = whole!()
            .filter(cases::case_id.eq(case.0.as_bytes().as_slice()))
            .select((CaseRow::as_select(), subjects::subject_id, rounds::id))
            .get_result(&mut self.db)
            .optional()?;
        row.map(|(row, subject, round)| row.read(&subject, round))
            .transpose()
    }

    /// The number of a case.
    ///
    /// # Errors
    /// `Database`.
    pub fn case_no(&mut self, case: &CaseId) -> Result<Option<CaseNo>> {
        let no = cases::table
            .filter(cases::case_id.eq(case.0.as_bytes().as_slice()))
            .select(cases::case_no)
            .get_result(&mut self.db)
            .optional()?;
        Ok(no.map(CaseNo))
    }

    /// A page of cases in order of making: those after `after`.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn cases(
        &mut self,
        filter: &CaseFilter,
        after: Option<CaseNo>,
        limit: u32,
    ) -> Result<Vec<Case>> {
        let mut query = whole!().into_boxed();
        if let Some(round) = &filter.round {
            query = query.filter(rounds::id.eq(round.0.clone()));
        }
        if let Some(units) = &filter.units {
            query =
                query.filter(cases::unit.eq_any(units.iter().map(|unit| unit.as_str().to_owned())));
        }
        if let Some(state) = filter.state {
            query = query.filter(cases::state.eq(state.as_str()));
        }
        if let Some(outcome) = &filter.outcome {
            query = query.filter(cases::outcome.eq(outcome.clone()));
        }
        if let Some(subject) = &filter.subject {
            query = query.filter(subjects::subject_id.eq(subject.0.as_bytes().to_vec()));
        }
        if let Some(element) = &filter.waiting_for {
            query = query.filter(cases::waiting_for.eq(element.clone()));
        }
        let rows: Vec<(CaseRow, Vec<u8>, String)> = query
            .filter(cases::case_no.gt(after.map_or(0, |no| no.0)))
            .order(cases::case_no)
            .limit(i64::from(limit))
            .select((CaseRow::as_select(), subjects::subject_id, rounds::id))
            .load(&mut self.db)?;
        rows.into_iter()
            .map(|(row, subject, round)| row.read(&subject, round))
            .collect()
    }

    /// The open case of a subject: of any round, the latest first, never a duplicate.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn open_case_of(&mut self, subject: &SubjectId) -> Result<Option<Case>> {
        let Some((subject_no, _)) = self.subject_row(subject)? else {
            return Ok(None);
        };
        let row: Option<(CaseRow, Vec<u8>, String)> = whole!()
            .filter(cases::subject_no.eq(subject_no))
            .filter(cases::state.ne(CaseState::Ended.as_str()))
            .filter(cases::duplicate_of.is_null())
            .order(cases::case_no.desc())
            .select((CaseRow::as_select(), subjects::subject_id, rounds::id))
            .get_result(&mut self.db)
            .optional()?;
        row.map(|(row, subject, round)| row.read(&subject, round))
            .transpose()
    }

    /// Milestones of a case in order of time.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn milestones(&mut self, case: &CaseId) -> Result<Vec<Milestone>> {
        let rows: Vec<(String, i64)> = milestones::table
            .inner_join(cases::table)
            .filter(cases::case_id.eq(case.0.as_bytes().as_slice()))
            .order((milestones::at, milestones::name))
            .select((milestones::name, milestones::at))
            .load(&mut self.db)?;
        rows.into_iter()
            .map(|(name, at)| {
                Ok(Milestone {
                    name,
                    at: time(at)?,
                })
            })
            .collect()
    }

    /// A round.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn round(&mut self, round: &RoundId) -> Result<Option<Round>> {
        let row: Option<RoundRow> = rounds::table
            .filter(rounds::id.eq(&round.0))
            .get_result(&mut self.db)
            .optional()?;
        row.map(read_round).transpose()
    }

    /// All rounds in order of making.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn rounds(&mut self) -> Result<Vec<Round>> {
        let rows: Vec<RoundRow> = rounds::table.order(rounds::round_no).load(&mut self.db)?;
        rows.into_iter().map(read_round).collect()
    }

    pub(crate) fn round_no(&mut self, round: &RoundId) -> Result<Option<i64>> {
        Ok(rounds::table
            .filter(rounds::id.eq(&round.0))
            .select(rounds::round_no)
            .get_result(&mut self.db)
            .optional()?)
    }
}

type RoundRow = (i64, String, String, i64, Option<i64>, String);

fn read_round((_, id, name, opened, closed, data): RoundRow) -> Result<Round> {
    Ok(Round {
        id: RoundId(id),
        name,
        opened: time(opened)?,
        closed: maybe_time(closed)?,
        data: from_json(&data)?,
    })
}

impl Writer {
    /// Makes cases; one that the subject has in the round already is answered instead. A round
    /// that does not exist yet is made.
    ///
    /// # Errors
    /// `NotFound` for an unknown subject; `Conflict` for a case id that is taken; `Database`.
    pub fn create_cases(&mut self, cases: &[NewCase]) -> Result<Vec<Created>> {
        let mut round: Option<(&RoundId, i64)> = None;
        let mut created = Vec::with_capacity(cases.len());
        for case in cases {
            let round_no = match round {
                Some((id, no)) if *id == case.round => no,
                _ => self.round_for(case)?,
            };
            round = Some((&case.round, round_no));
            let (subject_no, _) = self
                .subject_row(&case.subject)?
                .ok_or(Error::NotFound("subject"))?;
            created.push(self.create_case(case, subject_no, round_no)?);
        }
        Ok(created)
    }

    fn round_for(&mut self, case: &NewCase) -> Result<i64> {
        if let Some(no) = self.round_no(&case.round)? {
            return Ok(no);
        }
        let (id, data) = (case.round.clone(), serde_json::Value::Null);
        self.put_round(&Round {
            name: id.0.clone(),
            id,
            opened: case.at,
            closed: None,
            data,
        })?;
        self.round_no(&case.round)?.ok_or(Error::NotFound("round"))
    }

    fn create_case(&mut self, case: &NewCase, subject_no: i64, round_no: i64) -> Result<Created> {
        let row = (
            cases::case_id.eq(case.id.0.as_bytes().as_slice()),
            cases::subject_no.eq(subject_no),
            cases::round_no.eq(round_no),
            cases::unit.eq(case.unit.as_str()),
            cases::state.eq(CaseState::Waiting.as_str()),
            cases::definition.eq(&case.definition.id),
            cases::definition_version.eq(i64::from(case.definition.version)),
            cases::started.eq(ms(case.at)),
        );
        let made = insert_once!(&mut self.db, cases::table, row)?;
        let (no, id): (i64, Vec<u8>) = cases::table
            .filter(cases::subject_no.eq(subject_no))
            .filter(cases::round_no.eq(round_no))
            .select((cases::case_no, cases::case_id))
            .get_result(&mut self.db)
            .optional()?
            .ok_or(Error::Conflict("the case id is taken"))?;
        Ok(if made == 1 {
            Created::New(CaseNo(no))
        } else {
            Created::Exists(CaseNo(no), case_id(&id)?)
        })
    }

    /// Makes or changes a round.
    ///
    /// # Errors
    /// `Database`.
    pub fn put_round(&mut self, round: &Round) -> Result<()> {
        let values = (
            rounds::name.eq(&round.name),
            rounds::opened.eq(ms(round.opened)),
            rounds::closed.eq(maybe_ms(round.closed)),
            rounds::data.eq(json(&round.data)?),
        );
        diesel::insert_into(rounds::table)
            .values((rounds::id.eq(&round.id.0), values.clone()))
            .on_conflict(rounds::id)
            .do_update()
            .set(values)
            .execute(&mut self.db)?;
        Ok(())
    }
}
