//! Subjects: the register's flags, and which person is whom.

use diesel::{
    prelude::*,
    sql_types::{BigInt, Binary},
};
use halsonav_domain::{CaseId, PersonId, SubjectId, Timestamp};

use crate::{
    CaseState, Enrolled, Error, Merge, Reader, Register, Result, Writer,
    convert::{case_id, from_word, maybe_time, ms, subject_id},
    crypt,
    prepared::execute,
    schema::{cases, person_index, subjects, vault},
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = subjects)]
pub(crate) struct SubjectRow {
    pub(crate) subject_id: Vec<u8>,
    status: Option<String>,
    protection: String,
    test_person: bool,
    paper_opt_out: bool,
    has_address: bool,
    county: Option<String>,
    language: Option<String>,
    opt_outs: String,
    fetched: Option<i64>,
    pub(crate) merged_into: Option<i64>,
}

impl SubjectRow {
    pub(crate) fn read(self) -> Result<Register> {
        Ok(Register {
            subject: subject_id(&self.subject_id)?,
            status: self.status.as_deref().map(from_word).transpose()?,
            protection: from_word(&self.protection)?,
            test_person: self.test_person,
            paper_opt_out: self.paper_opt_out,
            has_address: self.has_address,
            county: self.county,
            language: self.language,
            opt_outs: self
                .opt_outs
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            fetched: maybe_time(self.fetched)?,
        })
    }
}

impl Reader {
    /// Number and id in force of a subject, through merges.
    pub(crate) fn subject_row(&mut self, subject: &SubjectId) -> Result<Option<(i64, SubjectId)>> {
        let row: Option<(i64, Option<i64>)> = subjects::table
            .filter(subjects::subject_id.eq(subject.0.as_bytes().as_slice()))
            .select((subjects::subject_no, subjects::merged_into))
            .get_result(&mut self.db)
            .optional()?;
        match row {
            None => Ok(None),
            Some((no, None)) => Ok(Some((no, *subject))),
            // Merging points at the one that remains, never at one that is gone itself.
            Some((_, Some(into))) => Ok(Some((into, self.subject_by_no(into)?))),
        }
    }

    pub(crate) fn subject_by_no(&mut self, no: i64) -> Result<SubjectId> {
        let id: Vec<u8> = subjects::table
            .find(no)
            .select(subjects::subject_id)
            .get_result(&mut self.db)?;
        subject_id(&id)
    }

    pub(crate) fn register_by_no(&mut self, no: i64) -> Result<Register> {
        let row: SubjectRow = subjects::table
            .find(no)
            .select(SubjectRow::as_select())
            .get_result(&mut self.db)?;
        row.read()
    }

    /// What the register says of a subject. Follows merges.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn register(&mut self, subject: &SubjectId) -> Result<Option<Register>> {
        match self.subject_row(subject)? {
            Some((no, _)) => Ok(Some(self.register_by_no(no)?)),
            None => Ok(None),
        }
    }

    /// The subject behind any number the person has had.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn subject_of_person(&mut self, person: &PersonId) -> Result<Option<SubjectId>> {
        match self.subject_no_of_person(person)? {
            Some(no) => Ok(Some(self.subject_by_no(no)?)),
            None => Ok(None),
        }
    }

    pub(crate) fn subject_no_of_person(&mut self, person: &PersonId) -> Result<Option<i64>> {
        let keys = self.keys.clone();
        for (_, key) in keys.index_keys() {
            let found = person_index::table
                .find(crypt::index(key, person).as_slice())
                .select(person_index::subject_no)
                .get_result(&mut self.db)
                .optional()?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Subjects with an open case whose register data is from before `before` or was never
    /// fetched, oldest first. Looks at all open cases: for the nightly refresh.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn stale_subjects(&mut self, before: Timestamp, limit: u32) -> Result<Vec<SubjectId>> {
        let open = cases::table
            .filter(cases::subject_no.eq(subjects::subject_no))
            .filter(cases::state.ne(CaseState::Ended.as_str()));
        let rows: Vec<Vec<u8>> = subjects::table
            .filter(
                subjects::fetched
                    .is_null()
                    .or(subjects::fetched.lt(ms(before))),
            )
            .filter(subjects::merged_into.is_null())
            .filter(diesel::dsl::exists(open))
            .order((subjects::fetched, subjects::subject_no))
            .limit(i64::from(limit))
            .select(subjects::subject_id)
            .load(&mut self.db)?;
        rows.iter().map(|id| subject_id(id)).collect()
    }
}

impl Writer {
    /// Finds or makes the subject of each number. The number goes into the vault at once, so that
    /// the register can be asked.
    ///
    /// # Errors
    /// `Database`, `Vault`.
    pub fn enrol(&mut self, people: &[PersonId]) -> Result<Vec<Enrolled>> {
        let mut enrolled = Vec::with_capacity(people.len());
        for person in people {
            let found = self.subject_no_of_person(person)?;
            let no = match found {
                Some(no) => no,
                None => self.new_subject(person)?,
            };
            enrolled.push(Enrolled {
                subject: self.subject_by_no(no)?,
                new: found.is_none(),
            });
        }
        Ok(enrolled)
    }

    pub(crate) fn new_subject(&mut self, person: &PersonId) -> Result<i64> {
        let id = SubjectId(uuid::Builder::from_random_bytes(crypt::random()?).into_uuid());
        let no: i64 = diesel::insert_into(subjects::table)
            .values((
                subjects::subject_id.eq(id.0.as_bytes().as_slice()),
                subjects::protection.eq("none"),
                subjects::test_person.eq(false),
                subjects::paper_opt_out.eq(false),
                subjects::has_address.eq(false),
                subjects::opt_outs.eq(""),
            ))
            .returning(subjects::subject_no)
            .get_result(&mut self.db)?;
        self.index_person(person, no)?;
        self.seal_number(no, id, person)?;
        Ok(no)
    }

    /// Remembers under the newest key that the number leads to the subject.
    pub(crate) fn index_person(&mut self, person: &PersonId, subject_no: i64) -> Result<()> {
        let (version, person_key) = {
            let (version, key) = self.keys.indexing();
            (version, crypt::index(key, person))
        };
        execute!(
            &mut self.db,
            "INSERT INTO person_index (person_key, key_version, subject_no) VALUES (?, ?, ?)
             ON CONFLICT (person_key) DO UPDATE SET subject_no = excluded.subject_no",
            person_key.as_slice() => Binary,
            i64::from(version) => BigInt,
            subject_no => BigInt,
        )?;
        Ok(())
    }

    /// Two subjects are one person. The older remains; cases, numbers and opt-outs go to it. Where
    /// both have a case in a round, the one that came first is kept and the other is marked.
    pub(crate) fn merge(&mut self, one: i64, other: i64) -> Result<Merge> {
        let (into, from) = (one.min(other), one.max(other));
        let mut duplicates: Vec<(CaseId, CaseId)> = Vec::new();
        let cases_of = |no: i64| {
            cases::table
                .filter(cases::subject_no.eq(no))
                .order(cases::case_no)
        };
        type Row = (i64, i64, Vec<u8>);
        let columns = (cases::case_no, cases::round_no, cases::case_id);
        let kept: Vec<Row> = cases_of(into).select(columns).load(&mut self.db)?;
        let moving: Vec<Row> = cases_of(from).select(columns).load(&mut self.db)?;
        for (case, round, id) in moving {
            match kept.iter().find(|(_, other, _)| *other == round) {
                Some((first, _, first_id)) => {
                    diesel::update(cases::table.find(case))
                        .set(cases::duplicate_of.eq(Some(*first)))
                        .execute(&mut self.db)?;
                    duplicates.push((case_id(first_id)?, case_id(&id)?));
                }
                None => {
                    diesel::update(cases::table.find(case))
                        .set(cases::subject_no.eq(into))
                        .execute(&mut self.db)?;
                }
            }
        }
        let (keeps, goes) = (self.register_by_no(into)?, self.register_by_no(from)?);
        for channel in &goes.opt_outs {
            self.opt_out(&keeps.subject, channel, true)?;
        }
        diesel::update(person_index::table.filter(person_index::subject_no.eq(from)))
            .set(person_index::subject_no.eq(into))
            .execute(&mut self.db)?;
        diesel::delete(vault::table.find(from)).execute(&mut self.db)?;
        diesel::update(subjects::table)
            .filter(
                subjects::subject_no
                    .eq(from)
                    .or(subjects::merged_into.eq(from)),
            )
            .set(subjects::merged_into.eq(Some(into)))
            .execute(&mut self.db)?;
        Ok(Merge {
            from: goes.subject,
            into: keeps.subject,
            duplicates,
        })
    }

    /// The resident does not want contact by `channel` (`inbox`, `phone`, `letter`, `all`), or does
    /// again. Holds for later rounds too.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a channel that is not one word; `Database`.
    pub fn opt_out(&mut self, subject: &SubjectId, channel: &str, unwanted: bool) -> Result<()> {
        if channel.is_empty() || channel.chars().any(char::is_whitespace) {
            return Err(Error::Invalid("a channel is one word"));
        }
        let (no, _) = self
            .subject_row(subject)?
            .ok_or(Error::NotFound("subject"))?;
        let mut words = self.register_by_no(no)?.opt_outs;
        words.retain(|word| word != channel);
        words.extend(unwanted.then(|| channel.to_owned()));
        diesel::update(subjects::table.find(no))
            .set(subjects::opt_outs.eq(words.join(" ")))
            .execute(&mut self.db)?;
        Ok(())
    }

    /// Language of contact.
    ///
    /// # Errors
    /// `NotFound`, `Database`.
    pub fn set_language(&mut self, subject: &SubjectId, language: Option<&str>) -> Result<()> {
        let (no, _) = self
            .subject_row(subject)?
            .ok_or(Error::NotFound("subject"))?;
        diesel::update(subjects::table.find(no))
            .set(subjects::language.eq(language))
            .execute(&mut self.db)?;
        Ok(())
    }
}
