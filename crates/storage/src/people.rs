//! People: taken in, told of by the register, found to be one.
//!
//! Whoever makes a subject or joins two does so alone, so that no two processes make one each for the
//! same number.

use std::collections::{HashMap, HashSet};

use diesel::{
    connection::SimpleConnection as _,
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Binary, Bool, Nullable, Text},
    sqlite::Sqlite,
};
use halsonav_domain::{PersonId, PersonRecord, SubjectId};

use crate::{
    Enrolled, Error, Merge, PersonChange, Register, Result, Writer,
    convert::{ms, subject_id, word},
    crypt,
    dialect::{Db, lookup},
    prepared::load,
    rows::{column, insert, update},
    schema::subjects,
    vault::{Opened, deliverable},
};

/// Keeps others from making or joining subjects until the transaction ends.
const ALONE: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('halsonav people ' || current_schema(), 0))";

/// One answer of the register, and whom it is about.
struct Told<'a> {
    record: &'a PersonRecord,
    /// The subjects that the number asked for and the number in force lead to.
    requested: Option<i64>,
    current: Option<i64>,
}

impl Writer {
    /// In PostgreSQL, until the transaction ends, nobody else changes who is in the vault.
    pub(crate) fn alone_with_people(&mut self) -> Result<()> {
        if let Db::Postgres(db) = &mut self.db {
            db.batch_execute(ALONE)?;
        }
        Ok(())
    }

    /// Finds or makes the subject of each number. The number goes into the vault at once, so that
    /// the register can be asked.
    ///
    /// # Errors
    /// `Database`, `Vault`.
    pub fn enrol(&mut self, people: &[PersonId]) -> Result<Vec<Enrolled>> {
        let people: Vec<&PersonId> = people.iter().collect();
        let mut found = self.subject_nos(&people)?;
        if found.contains(&None) {
            self.alone_with_people()?;
            found = self.subject_nos(&people)?;
        }
        let mut strangers = HashSet::new();
        let unknown = people.iter().zip(&found).filter(|(_, no)| no.is_none());
        let new: Vec<&PersonId> = unknown
            .map(|(person, _)| *person)
            .filter(|person| strangers.insert(*person))
            .collect();
        let made = self.new_subjects(&new)?;
        let mut made: HashMap<&PersonId, (SubjectId, bool)> = new
            .into_iter()
            .zip(made)
            .map(|(person, (_, id))| (person, (id, true)))
            .collect();
        let known: Vec<i64> = found.iter().flatten().copied().collect();
        let ids = self.subject_ids(&known)?;
        people
            .iter()
            .zip(found)
            .map(|(person, no)| {
                let (subject, new) = match (no, made.get_mut(person)) {
                    (Some(no), _) => (ids.get(&no).copied(), false),
                    // New the first time only.
                    (None, Some((id, first))) => (Some(*id), std::mem::take(first)),
                    (None, None) => (None, false),
                };
                let subject = subject.ok_or(Error::NotFound("subject"))?;
                Ok(Enrolled { subject, new })
            })
            .collect()
    }

    fn subject_ids(&mut self, numbers: &[i64]) -> Result<HashMap<i64, SubjectId>> {
        let ids: Vec<(i64, Vec<u8>)> = lookup!(
            &mut self.db,
            numbers,
            subjects::subject_no,
            subjects::table.select((subjects::subject_no, subjects::subject_id))
        )?;
        ids.into_iter()
            .map(|(no, id)| Ok((no, subject_id(&id)?)))
            .collect()
    }

    /// Makes a subject for each of these numbers, which have none.
    fn new_subjects(&mut self, people: &[&PersonId]) -> Result<Vec<(i64, SubjectId)>> {
        let ids = people
            .iter()
            .map(|_| Ok(uuid::Builder::from_random_bytes(crypt::random()?).into_uuid()))
            .collect::<Result<Vec<uuid::Uuid>>>()?;
        let rows: Vec<(Vec<u8>, i64)> = match &mut self.db {
            Db::Sqlite(db) => {
                let mut made = Vec::with_capacity(ids.len());
                for id in &ids {
                    made.append(&mut load!(
                        Sqlite, db,
                        "INSERT INTO subjects (subject_id, protection, test_person, paper_opt_out,
                         has_address, opt_outs) VALUES (?, 'none', FALSE, FALSE, FALSE, '')
                         RETURNING subject_id, subject_no" => (Binary, BigInt),
                        id.as_bytes().as_slice() => Binary,
                    )?);
                }
                made
            }
            Db::Postgres(_) if ids.is_empty() => Vec::new(),
            Db::Postgres(db) => load!(
                Pg, db,
                "INSERT INTO subjects (subject_id, protection, test_person, paper_opt_out,
                 has_address, opt_outs)
                 SELECT id, 'none', FALSE, FALSE, FALSE, '' FROM unnest(?) AS given (id)
                 RETURNING subject_id, subject_no" => (Binary, BigInt),
                column(&ids, |id| id.as_bytes().as_slice()) => Array<Binary>,
            )?,
        };
        let numbers: HashMap<Vec<u8>, i64> = rows.into_iter().collect();
        let made: Vec<(i64, SubjectId)> = ids
            .into_iter()
            .filter_map(|id| Some((*numbers.get(id.as_bytes().as_slice())?, SubjectId(id))))
            .collect();
        let leads: Vec<_> = people
            .iter()
            .copied()
            .zip(made.iter().map(|(no, _)| *no))
            .collect();
        self.index_people(&leads)?;
        let sealed: Vec<_> = people
            .iter()
            .zip(&made)
            .map(|(person, (no, id))| (*no, *id, Opened::number(person)))
            .collect();
        self.seal_rows(&sealed)?;
        Ok(made)
    }

    /// Remembers under the newest key which subject each number leads to.
    pub(crate) fn index_people(&mut self, leads: &[(&PersonId, i64)]) -> Result<()> {
        let keys = self.keys.clone();
        let (version, key) = keys.indexing();
        let hashes: HashMap<[u8; 32], i64> = leads
            .iter()
            .map(|(person, no)| (crypt::index(key, person), *no))
            .collect();
        let hashes: Vec<([u8; 32], i64)> = hashes.into_iter().collect();
        insert!(&mut self.db, hashes, |(hash, no)| person_index {
            person_key: hash.as_slice() => Binary,
            key_version: i64::from(version) => BigInt,
            subject_no: *no => BigInt,
        } "ON CONFLICT (person_key) DO UPDATE SET subject_no = excluded.subject_no")?;
        Ok(())
    }

    /// [`Writer::put_people`] of one.
    ///
    /// # Errors
    /// `Database`, `Vault`, `Corrupt`.
    pub fn put_person(&mut self, record: &PersonRecord) -> Result<PersonChange> {
        let mut changes = self.put_people(std::slice::from_ref(record))?;
        changes.pop().ok_or(Error::NotFound("subject"))
    }

    /// [`Writer::put_people`], without those whom nobody here knows: they were erased while the register
    /// was asked about them.
    ///
    /// # Errors
    /// As there.
    pub fn put_answers(&mut self, records: &[PersonRecord]) -> Result<Vec<PersonChange>> {
        self.alone_with_people()?;
        let mut told = self.whom(records)?;
        told.retain(|one| one.known().is_some());
        self.take_in_turn(told)
    }

    /// Takes in what the register answered: flags, identity, and numbers. Where the number asked
    /// for and the number in force led to two subjects, they become one.
    ///
    /// # Errors
    /// `Database`, `Vault`, `Corrupt`.
    pub fn put_people(&mut self, records: &[PersonRecord]) -> Result<Vec<PersonChange>> {
        self.alone_with_people()?;
        let told = self.whom(records)?;
        self.take_in_turn(told)
    }

    /// All at once, but for those that share a number or a subject with one before: after it.
    fn take_in_turn(&mut self, told: Vec<Told<'_>>) -> Result<Vec<PersonChange>> {
        let records: Vec<&PersonRecord> = told.iter().map(|one| one.record).collect();
        let together = apart(&told);
        let batch: Vec<Told<'_>> = told
            .into_iter()
            .zip(&together)
            .filter_map(|(told, apart)| apart.then_some(told))
            .collect();
        let mut first = self.take_in(batch)?.into_iter();
        let mut changes = Vec::with_capacity(records.len());
        for (record, together) in records.into_iter().zip(together) {
            if together {
                changes.extend(first.next());
            } else {
                let told = self.whom(std::slice::from_ref(record))?;
                changes.append(&mut self.take_in(told)?);
            }
        }
        Ok(changes)
    }

    fn whom<'a>(&mut self, records: &'a [PersonRecord]) -> Result<Vec<Told<'a>>> {
        let requested: Vec<&PersonId> = records.iter().map(|record| &record.requested).collect();
        let current: Vec<&PersonId> = records.iter().map(|record| &record.current).collect();
        let requested = self.subject_nos(&requested)?;
        let current = self.subject_nos(&current)?;
        let told = records.iter().zip(requested).zip(current);
        Ok(told
            .map(|((record, requested), current)| Told {
                record,
                requested,
                current,
            })
            .collect())
    }

    /// Answers that have nothing to do with each other.
    fn take_in(&mut self, told: Vec<Told<'_>>) -> Result<Vec<PersonChange>> {
        let known: Vec<i64> = told.iter().filter_map(Told::known).collect();
        let mut before = self.registers(&known)?;
        let mut merged: HashMap<i64, Merge> = HashMap::new();
        for one in &told {
            if let (Some(requested), Some(current)) = (one.requested, one.current)
                && requested != current
            {
                let merge = self.merge(requested, current)?;
                merged.insert(requested.min(current), merge);
            }
        }
        let strangers: Vec<&PersonId> = told
            .iter()
            .filter(|one| one.known().is_none())
            .map(|one| &one.record.current)
            .collect();
        let mut made = self.new_subjects(&strangers)?.into_iter();
        let numbers: Vec<i64> = told
            .iter()
            .filter_map(|one| one.remains().or_else(|| made.next().map(|(no, _)| no)))
            .collect();
        let leads: Vec<(&PersonId, i64)> = told
            .iter()
            .zip(&numbers)
            .flat_map(|(one, no)| [(&one.record.requested, *no), (&one.record.current, *no)])
            .collect();
        self.index_people(&leads)?;
        let now = self.registers(&numbers)?;
        let taken = self.put_registers(&told, &numbers, &now)?;
        told.iter()
            .zip(numbers)
            .zip(taken)
            .map(|((one, no), (after, number_changed, outdated))| {
                let known = one.known();
                Ok(PersonChange {
                    subject: after.subject,
                    new: known.is_none(),
                    before: known.and_then(|no| before.remove(&no)),
                    after,
                    number_changed,
                    merged: merged.remove(&no),
                    outdated,
                })
            })
            .collect()
    }

    /// Flags and sealed identity, where they are newer than what is known. For each the register
    /// after, whether the number has changed, and whether the answer came too late.
    fn put_registers(
        &mut self,
        told: &[Told<'_>],
        numbers: &[i64],
        now: &HashMap<i64, Register>,
    ) -> Result<Vec<(Register, bool, bool)>> {
        let mut opened = self.open_rows(
            &numbers
                .iter()
                .filter_map(|no| Some((*no, now.get(no)?.subject)))
                .collect::<Vec<_>>(),
        )?;
        let (mut flags, mut sealed) = (Vec::new(), Vec::new());
        let mut taken = Vec::with_capacity(told.len());
        for (one, no) in told.iter().zip(numbers) {
            let record = one.record;
            let register = now.get(no).ok_or(Error::NotFound("subject"))?.clone();
            if register
                .fetched
                .is_some_and(|fetched| fetched > record.fetched)
            {
                taken.push((register, false, true));
                continue;
            }
            let known = opened.remove(no);
            let changed = known
                .as_ref()
                .is_some_and(|known| known.person != record.current);
            flags.push((
                *no,
                record,
                word(&record.status)?,
                word(&record.protection)?,
            ));
            sealed.push((*no, register.subject, Opened::new(record, known)));
            taken.push((register.told(record), changed, false));
        }
        update!(&mut self.db, flags, |(no, record, status, protection)| subjects set {
            status: status.as_str() => Text,
            protection: protection.as_str() => Text,
            test_person: record.test_person => Bool,
            paper_opt_out: record.paper_opt_out => Bool,
            has_address: deliverable(record).is_some() => Bool,
            county: record.county.as_deref() => Nullable<Text>,
            fetched: ms(record.fetched) => BigInt,
        } where { subject_no: *no => BigInt })?;
        self.seal_rows(&sealed)?;
        Ok(taken)
    }
}

/// For each whether it has nothing to do with one before it.
fn apart(told: &[Told<'_>]) -> Vec<bool> {
    let (mut numbers, mut subjects) = (HashSet::new(), HashSet::new());
    told.iter()
        .map(|one| {
            let own = HashSet::from([&one.record.requested, &one.record.current]);
            let whom: HashSet<i64> = [one.requested, one.current].into_iter().flatten().collect();
            let apart = numbers.is_disjoint(&own) && subjects.is_disjoint(&whom);
            numbers.extend(own);
            subjects.extend(whom);
            apart
        })
        .collect()
}

impl Told<'_> {
    /// Whom the answer was about before it came.
    fn known(&self) -> Option<i64> {
        self.requested.or(self.current)
    }

    /// Who of two remains.
    fn remains(&self) -> Option<i64> {
        match (self.requested, self.current) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }
}

impl Register {
    /// As it is after this answer.
    fn told(self, record: &PersonRecord) -> Self {
        Self {
            status: Some(record.status),
            protection: record.protection,
            test_person: record.test_person,
            paper_opt_out: record.paper_opt_out,
            has_address: deliverable(record).is_some(),
            county: record.county.clone(),
            fetched: Some(record.fetched),
            ..self
        }
    }
}
