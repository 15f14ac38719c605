//! Where identity lives: what the register answered, sealed; disclosure, erasure, rotation of keys.

use std::collections::{HashMap, HashSet};

use diesel::{
    connection::SimpleConnection as _,
    dsl::exists,
    prelude::*,
    sql_types::{BigInt, Binary, Nullable},
};
use halsonav_domain::{Address, Identity, Name, PersonId, PersonRecord, Protection, SubjectId};
use zeroize::Zeroizing;

use crate::{
    Access, Error, Extent, NewAudit, Result, VaultKeys, Writer,
    convert::subject_id,
    crypt,
    dialect::{Db, lookup},
    rows::insert,
    schema::{cases, person_index, subjects, vault},
};

/// Values in a fixed order: `[given, middle, surname, notification]`.
type NameForm = (String, Option<String>, String, Option<String>);
/// `[care of, lines, postal code, city, country]`.
type AddressForm = (Option<String>, Vec<String>, String, String, Option<String>);

fn encode<T: serde::Serialize>(form: &T) -> Result<Zeroizing<Vec<u8>>> {
    serde_json::to_vec(form)
        .map(Zeroizing::new)
        .map_err(|_| Error::Invalid("a field has no sealed form"))
}

fn encode_name(name: &Name) -> Result<Zeroizing<Vec<u8>>> {
    encode(&(&name.given, &name.middle, &name.surname, &name.notification))
}

fn encode_address(address: &Address) -> Result<Zeroizing<Vec<u8>>> {
    encode(&(
        &address.care_of,
        &address.lines,
        &address.postal_code,
        &address.city,
        &address.country,
    ))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = vault)]
struct SealedRow {
    key_version: i64,
    person_id: Vec<u8>,
    name: Option<Vec<u8>>,
    address: Option<Vec<u8>>,
}

/// A row, opened.
pub(crate) struct Opened {
    pub(crate) person: PersonId,
    name: Option<Name>,
    address: Option<Address>,
}

/// What of it is sealed.
struct Sealed {
    no: i64,
    person: Vec<u8>,
    name: Option<Vec<u8>>,
    address: Option<Vec<u8>>,
}

impl SealedRow {
    fn open(&self, keys: &VaultKeys, subject: SubjectId) -> Result<Opened> {
        let version = u32::try_from(self.key_version).map_err(|_| Error::Corrupt("key version"))?;
        let open = |column, sealed: &[u8]| crypt::open(keys, column, subject, version, sealed);
        let person = open("person_id", &self.person_id)?;
        let person = std::str::from_utf8(&person)
            .ok()
            .and_then(|text| PersonId::parse(text).ok());
        let corrupt = |_| Error::Corrupt("sealed field");
        let name = self.name.as_deref();
        let name = name.map(|sealed| open("name", sealed)).transpose()?;
        let name = name
            .map(|plain| serde_json::from_slice::<NameForm>(&plain).map_err(corrupt))
            .transpose()?;
        let address = self.address.as_deref();
        let address = address.map(|sealed| open("address", sealed)).transpose()?;
        let address = address
            .map(|plain| serde_json::from_slice::<AddressForm>(&plain).map_err(corrupt))
            .transpose()?;
        Ok(Opened {
            person: person.ok_or(Error::Corrupt("sealed number"))?,
            name: name.map(|(given, middle, surname, notification)| Name {
                given,
                middle,
                surname,
                notification,
            }),
            address: address.map(|(care_of, lines, postal_code, city, country)| Address {
                care_of,
                lines,
                postal_code,
                city,
                country,
            }),
        })
    }
}

impl Opened {
    /// A number, and nothing else known.
    pub(crate) fn number(person: &PersonId) -> Self {
        Self {
            person: person.clone(),
            name: None,
            address: None,
        }
    }

    /// What the register answered. One that answers "unknown" tells no name; what was known stays,
    /// for the audit of what was sent.
    pub(crate) fn new(record: &PersonRecord, known: Option<Self>) -> Self {
        Self {
            person: record.current.clone(),
            name: record
                .name
                .clone()
                .or_else(|| known.and_then(|known| known.name)),
            address: deliverable(record).cloned(),
        }
    }

    fn seal(&self, keys: &VaultKeys, no: i64, subject: SubjectId) -> Result<Sealed> {
        let seal = |column: &str, plain: &[u8]| crypt::seal(keys, column, subject, plain);
        let name = self.name.as_ref();
        let address = self.address.as_ref();
        Ok(Sealed {
            no,
            person: seal("person_id", self.person.expose().as_bytes())?,
            name: name
                .map(|name| seal("name", &encode_name(name)?))
                .transpose()?,
            address: address
                .map(|address| seal("address", &encode_address(address)?))
                .transpose()?,
        })
    }
}

impl Writer {
    /// Seals rows, each once.
    pub(crate) fn seal_rows(&mut self, rows: &[(i64, SubjectId, Opened)]) -> Result<()> {
        let version = i64::from(self.keys.sealing().0);
        let sealed = rows
            .iter()
            .map(|(no, subject, opened)| opened.seal(&self.keys, *no, *subject))
            .collect::<Result<Vec<_>>>()?;
        insert!(&mut self.db, sealed, |row| vault {
            subject_no: row.no => BigInt,
            key_version: version => BigInt,
            person_id: row.person.as_slice() => Binary,
            name: row.name.as_deref() => Nullable<Binary>,
            address: row.address.as_deref() => Nullable<Binary>,
        } "ON CONFLICT (subject_no) DO UPDATE SET key_version = excluded.key_version,
           person_id = excluded.person_id, name = excluded.name, address = excluded.address")?;
        Ok(())
    }

    /// What the vault has of these subjects, by number.
    pub(crate) fn open_rows(
        &mut self,
        subjects: &[(i64, SubjectId)],
    ) -> Result<HashMap<i64, Opened>> {
        let numbers: Vec<i64> = subjects.iter().map(|(no, _)| *no).collect();
        let rows: Vec<(i64, SealedRow)> = lookup!(
            &mut self.db,
            &numbers,
            vault::subject_no,
            vault::table.select((vault::subject_no, SealedRow::as_select()))
        )?;
        let rows: HashMap<i64, SealedRow> = rows.into_iter().collect();
        let found = subjects
            .iter()
            .filter_map(|(no, subject)| Some((no, subject, rows.get(no)?)));
        found
            .map(|(no, subject, row)| Ok((*no, row.open(&self.keys, *subject)?)))
            .collect()
    }

    /// Identity of many subjects, as far as `extent` goes: `whom[i]` for `why[i]`, each with an
    /// audit entry in this transaction. `None` when the vault has nothing (also that is noted).
    ///
    /// # Errors
    /// `Invalid` when the lists differ in length; `Vault` when a field does not open; `Database`.
    pub fn disclose(
        &mut self,
        whom: &[SubjectId],
        extent: Extent,
        why: &[Access],
    ) -> Result<Vec<Option<Identity>>> {
        if whom.len() != why.len() {
            return Err(Error::Invalid("each disclosure needs its reason"));
        }
        let in_force = self.subject_rows(whom)?;
        let rows: HashSet<(i64, SubjectId)> = in_force.values().copied().collect();
        let opened = self.open_rows(&rows.into_iter().collect::<Vec<_>>())?;
        let mut identities = Vec::with_capacity(whom.len());
        let mut entries = Vec::with_capacity(whom.len());
        for (subject, access) in whom.iter().zip(why) {
            let found = in_force.get(subject);
            let opened = found.and_then(|(no, _)| opened.get(no));
            entries.push(access.entry(
                found.map_or(*subject, |(_, id)| *id),
                extent,
                opened.is_some(),
            ));
            identities.push(opened.map(|opened| opened.identity(extent)));
        }
        self.audit(&entries)?;
        Ok(identities)
    }

    /// Destroys identity and numbers of a subject; flags, cases and the log stay.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when a case is open, which could no more be contacted; `Database`.
    pub fn erase(&mut self, subject: &SubjectId, why: &Access) -> Result<()> {
        self.alone_with_people()?;
        let (no, id) = self
            .subject_row(subject)?
            .ok_or(Error::NotFound("subject"))?;
        if let Db::Sqlite(db) = &mut self.db {
            // Else the sealed row would stay in the file until its page is used again.
            db.batch_execute("PRAGMA secure_delete = ON")?;
        }
        diesel::delete(vault::table.find(no)).execute(&mut self.db)?;
        diesel::delete(person_index::table.filter(person_index::subject_no.eq(no)))
            .execute(&mut self.db)?;
        // Only now: whoever was opening a case kept the identity until it was there.
        let theirs = subjects::subject_no.eq(no).or(subjects::merged_into.eq(no));
        let open = cases::table
            .inner_join(subjects::table)
            .filter(theirs.and(cases::ended.is_null()));
        if diesel::select(exists(open)).get_result(&mut self.db)? {
            return Err(Error::Conflict("a case of the resident is open"));
        }
        let mut entry = why.entry(id, Extent::Full, true);
        "erase".clone_into(&mut entry.action);
        self.audit(&[entry])
    }

    /// Sees to it that nobody erases these until the transaction ends; whether all of them are here.
    ///
    /// # Errors
    /// `Database`.
    pub(crate) fn keep(&mut self, subjects: &[i64]) -> Result<bool> {
        let mut wanted = subjects.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let here = vault::table.select(vault::subject_no);
        let kept: Vec<i64> = lookup!(
            &mut self.db,
            &wanted,
            vault::subject_no,
            here,
            for_key_share
        )?;
        Ok(kept.len() == wanted.len())
    }

    /// Seals and indexes up to `limit` people again under the newest keys; answers how many. 0 =
    /// all are, and the old seal key can go. Numbers a person had before and has no more stay under
    /// the old index key, since only their keyed hash is known.
    ///
    /// # Errors
    /// `Vault` when an old key is missing; `Database`.
    pub fn rewrap(&mut self, limit: u32) -> Result<u64> {
        self.alone_with_people()?;
        let newest = i64::from(self.keys.sealing().0);
        let rows: Vec<(i64, Vec<u8>)> = vault::table
            .inner_join(subjects::table.on(subjects::subject_no.eq(vault::subject_no)))
            .filter(vault::key_version.lt(newest))
            .order(vault::subject_no)
            .limit(i64::from(limit))
            .select((vault::subject_no, subjects::subject_id))
            .load(&mut self.db)?;
        let whom = rows
            .into_iter()
            .map(|(no, id)| Ok((no, subject_id(&id)?)))
            .collect::<Result<Vec<_>>>()?;
        let mut opened = self.open_rows(&whom)?;
        let sealed: Vec<(i64, SubjectId, Opened)> = whom
            .iter()
            .filter_map(|(no, id)| Some((*no, *id, opened.remove(no)?)))
            .collect();
        self.seal_rows(&sealed)?;
        let leads: Vec<_> = sealed
            .iter()
            .map(|(no, _, opened)| (&opened.person, *no))
            .collect();
        self.index_people(&leads)?;
        Ok(whom.len() as u64)
    }
}

/// An address of a protected person is not kept, whatever the register said.
pub(crate) fn deliverable(record: &PersonRecord) -> Option<&Address> {
    record
        .address
        .as_ref()
        .filter(|address| record.protection == Protection::None && address.is_deliverable())
}

impl Opened {
    fn identity(&self, extent: Extent) -> Identity {
        let nameless = || Name {
            given: String::new(),
            middle: None,
            surname: String::new(),
            notification: None,
        };
        match extent {
            Extent::Number => Identity {
                person_id: self.person.clone(),
                name: nameless(),
                address: None,
            },
            Extent::Full => Identity {
                person_id: self.person.clone(),
                name: self.name.clone().unwrap_or_else(nameless),
                address: self.address.clone(),
            },
        }
    }
}

impl Access {
    fn entry(&self, subject: SubjectId, extent: Extent, found: bool) -> NewAudit {
        let extent = match extent {
            Extent::Number => "number",
            Extent::Full => "full",
        };
        NewAudit {
            at: self.at,
            actor: self.actor.clone(),
            action: self.action.clone(),
            purpose: self.purpose.clone(),
            unit: self.unit.clone(),
            subject: Some(subject),
            case: self.case,
            detail: serde_json::json!({ "extent": extent, "found": found }),
        }
    }
}
