//! Where identity lives: what the register answered, sealed; disclosure, erasure, rotation of keys.

use diesel::{
    prelude::*,
    sql_types::{BigInt, Binary, Bool, Nullable, Text},
};
use halsonav_domain::{Address, Identity, Name, PersonId, PersonRecord, Protection, SubjectId};
use zeroize::Zeroizing;

use crate::{
    Access, Error, Extent, Merge, NewAudit, PersonChange, Result, Writer,
    convert::{ms, subject_id, word},
    crypt,
    prepared::execute,
    schema::{person_index, subjects, vault},
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
struct Opened {
    person: PersonId,
    name: Option<Name>,
    address: Option<Address>,
}

impl Writer {
    /// Takes in what the register answered: flags, identity, and numbers. Where the number asked
    /// for and the number in force led to two subjects, they become one.
    ///
    /// # Errors
    /// `Database`, `Vault`, `Corrupt`.
    pub fn put_person(&mut self, record: &PersonRecord) -> Result<PersonChange> {
        let requested = self.subject_no_of_person(&record.requested)?;
        let current = self.subject_no_of_person(&record.current)?;
        let known = requested.or(current);
        let before = known.map(|no| self.register_by_no(no)).transpose()?;
        let merged: Option<Merge> = match (requested, current) {
            (Some(one), Some(other)) if one != other => Some(self.merge(one, other)?),
            _ => None,
        };
        let no = match (requested, current) {
            (Some(one), Some(other)) => one.min(other),
            (Some(no), None) | (None, Some(no)) => no,
            (None, None) => self.new_subject(&record.current)?,
        };
        let now_known = self.register_by_no(no)?;
        let subject = now_known.subject;
        let outdated = now_known
            .fetched
            .is_some_and(|fetched| fetched > record.fetched);
        self.index_person(&record.requested, no)?;
        self.index_person(&record.current, no)?;
        let mut number_changed = false;
        if !outdated {
            number_changed = self
                .open_row(no, subject)?
                .is_some_and(|opened| opened.person != record.current);
            self.set_register(no, record)?;
            self.seal_record(no, subject, record)?;
        }
        let after = self.register_by_no(no)?;
        Ok(PersonChange {
            subject,
            new: known.is_none(),
            before,
            after,
            number_changed,
            merged,
            outdated,
        })
    }

    fn set_register(&mut self, no: i64, record: &PersonRecord) -> Result<()> {
        let has_address = deliverable(record).is_some();
        execute!(
            &mut self.db,
            "UPDATE subjects SET status = ?, protection = ?, test_person = ?, paper_opt_out = ?, has_address = ?,
             county = ?, fetched = ? WHERE subject_no = ?",
            word(&record.status)? => Text,
            word(&record.protection)? => Text,
            record.test_person => Bool,
            record.paper_opt_out => Bool,
            has_address => Bool,
            record.county.as_deref() => Nullable<Text>,
            ms(record.fetched) => BigInt,
            no => BigInt,
        )?;
        Ok(())
    }

    fn seal_record(&mut self, no: i64, subject: SubjectId, record: &PersonRecord) -> Result<()> {
        // A register that answers "unknown" tells no name; what was known stays for the audit of what was sent.
        let name = match &record.name {
            Some(name) => Some(name.clone()),
            None => self.open_row(no, subject)?.and_then(|opened| opened.name),
        };
        let address = deliverable(record).cloned();
        self.seal_row(
            no,
            subject,
            &Opened {
                person: record.current.clone(),
                name,
                address,
            },
        )
    }

    pub(crate) fn seal_number(
        &mut self,
        no: i64,
        subject: SubjectId,
        person: &PersonId,
    ) -> Result<()> {
        self.seal_row(
            no,
            subject,
            &Opened {
                person: person.clone(),
                name: None,
                address: None,
            },
        )
    }

    fn seal_row(&mut self, no: i64, subject: SubjectId, opened: &Opened) -> Result<()> {
        let keys = self.keys.clone();
        let seal = |column: &str, plain: &[u8]| crypt::seal(&keys, column, subject, plain);
        let name = opened
            .name
            .as_ref()
            .map(|name| seal("name", &encode_name(name)?))
            .transpose()?;
        let address = opened
            .address
            .as_ref()
            .map(|address| seal("address", &encode_address(address)?))
            .transpose()?;
        let person = seal("person_id", opened.person.expose().as_bytes())?;
        execute!(
            &mut self.db,
            "INSERT INTO vault (subject_no, key_version, person_id, name, address) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (subject_no) DO UPDATE SET key_version = excluded.key_version,
             person_id = excluded.person_id, name = excluded.name, address = excluded.address",
            no => BigInt,
            i64::from(keys.sealing().0) => BigInt,
            person => Binary,
            name => Nullable<Binary>,
            address => Nullable<Binary>,
        )?;
        Ok(())
    }

    fn open_row(&mut self, no: i64, subject: SubjectId) -> Result<Option<Opened>> {
        let row: Option<SealedRow> = vault::table
            .find(no)
            .select(SealedRow::as_select())
            .get_result(&mut self.db)
            .optional()?;
        let Some(row) = row else { return Ok(None) };
        let version = u32::try_from(row.key_version).map_err(|_| Error::Corrupt("key version"))?;
        let open =
            |column, sealed: &[u8]| crypt::open(&self.keys, column, subject, version, sealed);
        let person = open("person_id", &row.person_id)?;
        let person = std::str::from_utf8(&person)
            .ok()
            .and_then(|text| PersonId::parse(text).ok());
        let corrupt = |_| Error::Corrupt("sealed field");
        let name = row
            .name
            .as_deref()
            .map(|sealed| open("name", sealed))
            .transpose()?;
        let name = name
            .map(|plain| serde_json::from_slice::<NameForm>(&plain).map_err(corrupt))
            .transpose()?;
        let address = row
            .address
            .as_deref()
            .map(|sealed| open("address", sealed))
            .transpose()?;
        let address = address
            .map(|plain| serde_json::from_slice::<AddressForm>(&plain).map_err(corrupt))
            .transpose()?;
        Ok(Some(Opened {
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
        }))
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
        let mut identities = Vec::with_capacity(whom.len());
        let mut entries = Vec::with_capacity(whom.len());
        for (subject, access) in whom.iter().zip(why) {
            let in_force = self.subject_row(subject)?;
            let opened = match in_force {
                Some((no, id)) => self.open_row(no, id)?,
                None => None,
            };
            entries.push(access.entry(
                in_force.map_or(*subject, |(_, id)| id),
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
    /// `NotFound`, `Database`.
    pub fn erase(&mut self, subject: &SubjectId, why: &Access) -> Result<()> {
        let (no, id) = self
            .subject_row(subject)?
            .ok_or(Error::NotFound("subject"))?;
        diesel::delete(vault::table.find(no)).execute(&mut self.db)?;
        diesel::delete(person_index::table.filter(person_index::subject_no.eq(no)))
            .execute(&mut self.db)?;
        let mut entry = why.entry(id, Extent::Full, true);
        "erase".clone_into(&mut entry.action);
        self.audit(&[entry])
    }

    /// Seals and indexes up to `limit` people again under the newest keys; answers how many. 0 =
    /// all are, and the old seal key can go. Numbers a person had before and has no more stay under
    /// the old index key, since only their keyed hash is known.
    ///
    /// # Errors
    /// `Vault` when an old key is missing; `Database`.
    pub fn rewrap(&mut self, limit: u32) -> Result<u64> {
        let newest = i64::from(self.keys.sealing().0);
        let rows: Vec<(i64, Vec<u8>)> = vault::table
            .inner_join(subjects::table.on(subjects::subject_no.eq(vault::subject_no)))
            .filter(vault::key_version.lt(newest))
            .order(vault::subject_no)
            .limit(i64::from(limit))
            .select((vault::subject_no, subjects::subject_id))
            .load(&mut self.db)?;
        for (no, id) in &rows {
            let subject = subject_id(id)?;
            if let Some(opened) = self.open_row(*no, subject)? {
                self.seal_row(*no, subject, &opened)?;
                self.index_person(&opened.person, *no)?;
            }
        }
        Ok(rows.len() as u64)
    }
}

/// An address of a protected person is not kept, whatever the register said.
fn deliverable(record: &PersonRecord) -> Option<&Address> {
    record
        .address
        .as_ref()
        .filter(|address| record.protection == Protection::None && address.is_deliverable())
}

impl Opened {
    fn identity(self, extent: Extent) -> Identity {
        let nameless = || Name {
            given: String::new(),
            middle: None,
            surname: String::new(),
            notification: None,
        };
        match extent {
            Extent::Number => Identity {
                person_id: self.person,
                name: nameless(),
                address: None,
            },
            Extent::Full => Identity {
                person_id: self.person,
                name: self.name.unwrap_or_else(nameless),
                address: self.address,
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
