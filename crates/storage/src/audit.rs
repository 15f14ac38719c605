//! The audit log: append-only, each entry linked to all before it.
//!
//! leaf = SHA-256(0x00 ‖ entry) as in RFC 6962, so that a Merkle tree can be made over the log;
//! link = SHA-256(0x02 ‖ previous link ‖ leaf). Whoever owns the file could rebuild all links: a
//! [`Checkpoint`] kept elsewhere is what makes that show.

use diesel::{
    connection::SimpleConnection as _,
    prelude::*,
    sql_types::{BigInt, Binary, Nullable, Text},
};
use halsonav_domain::HsaId;
use sha2::{Digest, Sha256};

use crate::{
    AuditEntry, AuditFilter, Checkpoint, Error, NewAudit, Reader, Result, Writer,
    convert::{case_id, from_json, json, ms, subject_id, time},
    dialect::{Db, first},
    retention::{make_room, start},
    rows::insert,
    schema::audit,
};

/// Keeps others from appending until the transaction ends.
pub(crate) const ALONE: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('halsonav log ' || current_schema(), 0))";

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit)]
pub(crate) struct EntryRow {
    pub(crate) seq: i64,
    at: i64,
    actor: String,
    action: String,
    purpose: String,
    unit: Option<String>,
    subject: Option<Vec<u8>>,
    case_id: Option<Vec<u8>>,
    detail: String,
    pub(crate) leaf: Vec<u8>,
    pub(crate) link: Vec<u8>,
}

impl EntryRow {
    fn new(entry: &NewAudit) -> Result<Self> {
        Ok(Self {
            seq: 0,
            at: ms(entry.at),
            actor: entry.actor.clone(),
            action: entry.action.clone(),
            purpose: entry.purpose.clone(),
            unit: entry.unit.as_ref().map(|unit| unit.as_str().to_owned()),
            subject: entry.subject.map(|subject| subject.0.as_bytes().to_vec()),
            case_id: entry.case.map(|case| case.0.as_bytes().to_vec()),
            detail: json(&entry.detail)?,
            leaf: Vec::new(),
            link: Vec::new(),
        })
    }

    /// Every field with its length before it, so that no two entries have the same bytes.
    pub(crate) fn hash(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update([0x00]);
        hasher.update(self.seq.to_be_bytes());
        hasher.update(self.at.to_be_bytes());
        let mut field = |value: Option<&[u8]>| match value {
            Some(bytes) => {
                hasher.update([1]);
                hasher.update((bytes.len() as u64).to_be_bytes());
                hasher.update(bytes);
            }
            None => hasher.update([0]),
        };
        field(Some(self.actor.as_bytes()));
        field(Some(self.action.as_bytes()));
        field(Some(self.purpose.as_bytes()));
        field(self.unit.as_deref().map(str::as_bytes));
        field(self.subject.as_deref());
        field(self.case_id.as_deref());
        field(Some(self.detail.as_bytes()));
        hasher.finalize().into()
    }

    fn read(self) -> Result<AuditEntry> {
        let digest =
            |bytes: &[u8]| <[u8; 32]>::try_from(bytes).map_err(|_| Error::Corrupt("digest"));
        Ok(AuditEntry {
            seq: self.seq.cast_unsigned(),
            leaf: digest(&self.leaf)?,
            link: digest(&self.link)?,
            entry: NewAudit {
                at: time(self.at)?,
                actor: self.actor,
                action: self.action,
                purpose: self.purpose,
                unit: self.unit.as_deref().map(HsaId::new),
                subject: self.subject.as_deref().map(subject_id).transpose()?,
                case: self.case_id.as_deref().map(case_id).transpose()?,
                detail: from_json(&self.detail)?,
            },
        })
    }
}

pub(crate) fn next_link(previous: &[u8; 32], leaf: &[u8; 32]) -> [u8; 32] {
    Sha256::new()
        .chain_update([0x02])
        .chain_update(previous)
        .chain_update(leaf)
        .finalize()
        .into()
}

impl Reader {
    /// A page of the log, after entry `after`.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn audit_page(
        &mut self,
        filter: &AuditFilter,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>> {
        let mut query = audit::table.select(EntryRow::as_select()).into_boxed();
        if let Some(subject) = &filter.subject {
            query = query.filter(audit::subject.eq(subject.0.as_bytes().to_vec()));
        }
        if let Some(actor) = &filter.actor {
            query = query.filter(audit::actor.eq(actor.clone()));
        }
        if let Some(unit) = &filter.unit {
            query = query.filter(audit::unit.eq(unit.as_str().to_owned()));
        }
        if let Some(case) = &filter.case {
            query = query.filter(audit::case_id.eq(case.0.as_bytes().to_vec()));
        }
        if let Some(from) = filter.from {
            query = query.filter(audit::at.ge(ms(from)));
        }
        if let Some(until) = filter.until {
            query = query.filter(audit::at.lt(ms(until)));
        }
        let rows: Vec<EntryRow> = query
            .filter(audit::seq.gt(after.unwrap_or(0).cast_signed()))
            .order(audit::seq)
            .limit(i64::from(limit))
            .load(&mut self.db)?;
        rows.into_iter().map(EntryRow::read).collect()
    }

    /// The log as it stands, to keep elsewhere.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        let last: Option<(i64, Vec<u8>)> = first!(
            &mut self.db,
            audit::table
                .order(audit::seq.desc())
                .select((audit::seq, audit::link))
        )?;
        match last {
            None => Ok(start(&mut self.db)?.checkpoint()),
            Some((seq, link)) => {
                let link = link
                    .as_slice()
                    .try_into()
                    .map_err(|_| Error::Corrupt("digest"))?;
                Ok(Checkpoint {
                    size: seq.cast_unsigned(),
                    link,
                })
            }
        }
    }
}

impl Writer {
    /// Appends to the log in this transaction: what is audited and its entry stand or fall together.
    /// It is done when the closure has ended, because one at a time can append; the closure does not
    /// see its own entries.
    ///
    /// # Errors
    /// `Invalid` for details without a JSON form.
    pub fn audit(&mut self, entries: &[NewAudit]) -> Result<()> {
        for entry in entries {
            let entry = EntryRow::new(entry)?;
            self.entries.push(entry);
        }
        Ok(())
    }

    /// The last act of a transaction.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let mut rows = std::mem::take(&mut self.entries);
        if rows.is_empty() {
            return Ok(());
        }
        if let Db::Postgres(db) = &mut self.db {
            db.batch_execute(ALONE)?;
        }
        let mut at = self.checkpoint()?;
        let before = at.size;
        for row in &mut rows {
            at.size += 1;
            row.seq = at.size.cast_signed();
            let leaf = row.hash();
            at.link = next_link(&at.link, &leaf);
            row.leaf = leaf.to_vec();
            row.link = at.link.to_vec();
        }
        make_room(&mut self.db, before, at.size)?;
        insert!(&mut self.db, rows, |row| audit {
            seq: row.seq => BigInt,
            at: row.at => BigInt,
            actor: row.actor.as_str() => Text,
            action: row.action.as_str() => Text,
            purpose: row.purpose.as_str() => Text,
            unit: row.unit.as_deref() => Nullable<Text>,
            subject: row.subject.as_deref() => Nullable<Binary>,
            case_id: row.case_id.as_deref() => Nullable<Binary>,
            detail: row.detail.as_str() => Text,
            leaf: row.leaf.as_slice() => Binary,
            link: row.link.as_slice() => Binary,
        })?;
        Ok(())
    }
}
