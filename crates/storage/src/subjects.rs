//! Subjects: the register's flags, and whom a number leads to.

use std::collections::HashMap;

use diesel::prelude::*;
use halsonav_domain::{PersonId, SubjectId, Timestamp};

use crate::{
    CaseState, Error, Reader, Register, Result, Writer,
    convert::{from_word, maybe_time, ms, subject_id},
    crypt,
    dialect::lookup,
    schema::{cases, person_index, subjects},
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
        Ok(self.subject_rows(&[*subject])?.remove(subject))
    }

    /// [`Reader::subject_row`] of many; those that are unknown are left out.
    pub(crate) fn subject_rows(
        &mut self,
        whom: &[SubjectId],
    ) -> Result<HashMap<SubjectId, (i64, SubjectId)>> {
        let ids: Vec<&[u8]> = whom.iter().map(|id| id.0.as_bytes().as_slice()).collect();
        let columns = (
            subjects::subject_id,
            subjects::subject_no,
            subjects::merged_into,
        );
        let rows: Vec<(Vec<u8>, i64, Option<i64>)> = lookup!(
            &mut self.db,
            &ids,
            subjects::subject_id,
            subjects::table.select(columns)
        )?;
        let mut found = HashMap::with_capacity(rows.len());
        for (id, no, merged_into) in rows {
            let id = subject_id(&id)?;
            let in_force = match merged_into {
                None => (no, id),
                // Merging points at the one that remains, never at one that is gone itself.
                Some(into) => (into, self.subject_by_no(into)?),
            };
            found.insert(id, in_force);
        }
        Ok(found)
    }

    pub(crate) fn subject_by_no(&mut self, no: i64) -> Result<SubjectId> {
        let id: Vec<u8> = subjects::table
            .find(no)
            .select(subjects::subject_id)
            .get_result(&mut self.db)?;
        subject_id(&id)
    }

    pub(crate) fn register_by_no(&mut self, no: i64) -> Result<Register> {
        let mut found = self.registers(&[no])?;
        found.remove(&no).ok_or(Error::NotFound("subject"))
    }

    pub(crate) fn registers(&mut self, numbers: &[i64]) -> Result<HashMap<i64, Register>> {
        let rows: Vec<(i64, SubjectRow)> = lookup!(
            &mut self.db,
            numbers,
            subjects::subject_no,
            subjects::table.select((subjects::subject_no, SubjectRow::as_select()))
        )?;
        rows.into_iter()
            .map(|(no, row)| Ok((no, row.read()?)))
            .collect()
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
        match self.subject_nos(&[person])?[0] {
            Some(no) => Ok(Some(self.subject_by_no(no)?)),
            None => Ok(None),
        }
    }

    /// For each number the subject it leads to.
    pub(crate) fn subject_nos(&mut self, people: &[&PersonId]) -> Result<Vec<Option<i64>>> {
        let keys = self.keys.clone();
        let mut found: Vec<Option<i64>> = vec![None; people.len()];
        for (_, key) in keys.index_keys() {
            let unknown = people.iter().zip(&mut found).filter(|(_, no)| no.is_none());
            let unknown: Vec<_> = unknown
                .map(|(person, no)| (crypt::index(key, person), no))
                .collect();
            let hashes: Vec<&[u8]> = unknown.iter().map(|(hash, _)| hash.as_slice()).collect();
            let rows: Vec<(Vec<u8>, i64)> = lookup!(
                &mut self.db,
                &hashes,
                person_index::person_key,
                person_index::table.select((person_index::person_key, person_index::subject_no))
            )?;
            let rows: HashMap<Vec<u8>, i64> = rows.into_iter().collect();
            for (hash, no) in unknown {
                *no = rows.get(hash.as_slice()).copied();
            }
        }
        Ok(found)
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
