//! Cases: making and listing.

use std::collections::{HashMap, HashSet};

use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Binary, Text},
    sqlite::Sqlite,
};
use halsonav_domain::{CaseId, HsaId, RoundId, SubjectId};

use crate::{
    Case, CaseFilter, CaseNo, CaseState, Created, DefinitionRef, Error, Ledger, Milestone, NewCase,
    Reader, Result, Round, Writer,
    convert::{case_id, from_json, json, maybe_ms, maybe_time, ms, subject_id, time},
    dialect::{Db, first, lookup, on},
    prepared::{load, run},
    rows::column,
    schema::{cases, milestones, rounds, subjects},
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

/// Cases with what belongs to them, as an expression to filter further.
macro_rules! whole {
    () => {
        cases::table
            .inner_join(subjects::table)
            .inner_join(rounds::table)
    };
}
pub(crate) use whole;

impl Reader {
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
        let row: Option<(CaseRow, Vec<u8>, String)> = first!(
            &mut self.db,
            whole!()
                .filter(cases::subject_no.eq(subject_no))
                .filter(cases::state.ne(CaseState::Ended.as_str()))
                .filter(cases::duplicate_of.is_null())
                .order(cases::case_no.desc())
                .select((CaseRow::as_select(), subjects::subject_id, rounds::id))
        )?;
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
    /// `NotFound` for an unknown subject and for one who is erased; `Conflict` for a case id that is
    /// taken; `Database`.
    pub fn create_cases(&mut self, cases: &[NewCase]) -> Result<Vec<Created>> {
        let known = self.kept_subjects(cases)?;
        let mut rows = Vec::with_capacity(cases.len());
        let mut round: Option<(&RoundId, i64)> = None;
        for case in cases {
            let round_no = match round {
                Some((id, no)) if *id == case.round => no,
                _ => self.round_for(case)?,
            };
            round = Some((&case.round, round_no));
            let (subject_no, _) = known.get(&case.subject).ok_or(Error::NotFound("subject"))?;
            rows.push((case, *subject_no, round_no));
        }
        let new = self.insert_cases(&rows)?;
        let subjects: Vec<i64> = rows.iter().map(|(_, subject, _)| *subject).collect();
        type Row = (i64, i64, i64, Vec<u8>);
        let found: Vec<Row> = lookup!(
            &mut self.db,
            &subjects,
            cases::subject_no,
            cases::table.select((
                cases::subject_no,
                cases::round_no,
                cases::case_no,
                cases::case_id
            ))
        )?;
        let found: HashMap<(i64, i64), (i64, Vec<u8>)> = found
            .into_iter()
            .map(|(subject, round, no, id)| ((subject, round), (no, id)))
            .collect();
        rows.iter()
            .zip(new)
            .map(|((_, subject, round), new)| {
                let (no, id) = found
                    .get(&(*subject, *round))
                    .ok_or(Error::Conflict("the case id is taken"))?;
                Ok(if new {
                    Created::New(CaseNo(*no))
                } else {
                    Created::Exists(CaseNo(*no), case_id(id)?)
                })
            })
            .collect()
    }

    /// Whom the cases are about. None of them is erased until the transaction ends.
    fn kept_subjects(&mut self, cases: &[NewCase]) -> Result<HashMap<SubjectId, (i64, SubjectId)>> {
        let whom: Vec<SubjectId> = cases.iter().map(|case| case.subject).collect();
        // Once more for one who became another just then.
        for _ in 0..2 {
            let known = self.subject_rows(&whom)?;
            let numbers: Vec<i64> = known.values().map(|(no, _)| *no).collect();
            if self.keep(&numbers)? {
                return Ok(known);
            }
        }
        Err(Error::NotFound("identity"))
    }

    /// For each whether its row is new.
    fn insert_cases(&mut self, rows: &[(&NewCase, i64, i64)]) -> Result<Vec<bool>> {
        match &mut self.db {
            Db::Sqlite(db) => rows
                .iter()
                .map(|(case, subject, round)| {
                    let new = run!(
                        Sqlite, db,
                        "INSERT INTO cases (case_id, subject_no, round_no, unit, state, definition,
                         definition_version, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                         ON CONFLICT DO NOTHING",
                        case.id.0.as_bytes().as_slice() => Binary,
                        subject => BigInt,
                        round => BigInt,
                        case.unit.as_str() => Text,
                        CaseState::Waiting.as_str() => Text,
                        case.definition.id.as_str() => Text,
                        i64::from(case.definition.version) => BigInt,
                        ms(case.at) => BigInt,
                    )?;
                    Ok(new == 1)
                })
                .collect(),
            Db::Postgres(_) if rows.is_empty() => Ok(Vec::new()),
            Db::Postgres(db) => {
                let new: Vec<Vec<u8>> = load!(
                    Pg, db,
                    "INSERT INTO cases (state, case_id, subject_no, round_no, unit, definition,
                     definition_version, started) SELECT ?, * FROM unnest(?, ?, ?, ?, ?, ?, ?)
                     ON CONFLICT DO NOTHING RETURNING case_id" => Binary,
                    CaseState::Waiting.as_str() => Text,
                    column(rows, |(case, ..)| case.id.0.as_bytes().as_slice()) => Array<Binary>,
                    column(rows, |(_, subject, _)| *subject) => Array<BigInt>,
                    column(rows, |(_, _, round)| *round) => Array<BigInt>,
                    column(rows, |(case, ..)| case.unit.as_str()) => Array<Text>,
                    column(rows, |(case, ..)| case.definition.id.as_str()) => Array<Text>,
                    column(rows, |(case, ..)| i64::from(case.definition.version)) => Array<BigInt>,
                    column(rows, |(case, ..)| ms(case.at)) => Array<BigInt>,
                )?;
                let mut new: HashSet<Vec<u8>> = new.into_iter().collect();
                let first =
                    |(case, ..): &(&NewCase, _, _)| new.remove(case.id.0.as_bytes().as_slice());
                Ok(rows.iter().map(first).collect())
            }
        }
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
        on!(&mut self.db, db => diesel::insert_into(rounds::table)
            .values((rounds::id.eq(&round.id.0), values.clone()))
            .on_conflict(rounds::id)
            .do_update()
            .set(values)
            .execute(db))?;
        Ok(())
    }
}
