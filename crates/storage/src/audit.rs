//! The audit log: append-only, each entry linked to all before it.
//!
//! leaf = SHA-256(0x00 ‖ entry) as in RFC 6962, so that a Merkle tree can be made over the log;
//! link = SHA-256(0x02 ‖ previous link ‖ leaf). Whoever owns the file could rebuild all links: a
//! [`Checkpoint`] kept elsewhere is what makes that show.

use diesel::prelude::*;
use halsonav_domain::HsaId;
use sha2::{Digest, Sha256};

use crate::{
    AuditEntry, AuditFilter, Checkpoint, Error, NewAudit, Reader, Result, Verified, Writer,
    convert::{case_id, from_json, json, ms, subject_id, time},
    schema::audit,
};

const START: [u8; 32] = [0; 32];
const PAGE: i64 = 5_000;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit)]
struct EntryRow {
    seq: i64,
    at: i64,
    actor: String,
    action: String,
    purpose: String,
    unit: Option<String>,
    subject: Option<Vec<u8>>,
    case_id: Option<Vec<u8>>,
    detail: String,
    leaf: Vec<u8>,
    link: Vec<u8>,
}

impl EntryRow {
    /// Every field with its length before it, so that no two entries have the same bytes.
    fn hash(&self) -> [u8; 32] {
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

fn next_link(previous: &[u8; 32], leaf: &[u8; 32]) -> [u8; 32] {
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
        let last: Option<(i64, Vec<u8>)> = audit::table
            .order(audit::seq.desc())
            .select((audit::seq, audit::link))
            .get_result(&mut self.db)
            .optional()?;
        match last {
            None => Ok(Checkpoint {
                size: 0,
                link: START,
            }),
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

    /// RFC 6962 Merkle root over all entries. Reads the whole log.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn merkle_root(&mut self) -> Result<[u8; 32]> {
        // Roots of full subtrees, largest first, each with its size.
        let mut peaks: Vec<(u64, [u8; 32])> = Vec::new();
        let mut after = 0;
        loop {
            let leaves: Vec<(i64, Vec<u8>)> = audit::table
                .filter(audit::seq.gt(after))
                .order(audit::seq)
                .limit(PAGE)
                .select((audit::seq, audit::leaf))
                .load(&mut self.db)?;
            let Some((last, _)) = leaves.last() else {
                break;
            };
            after = *last;
            for (_, leaf) in leaves {
                let mut node = (
                    1,
                    leaf.as_slice()
                        .try_into()
                        .map_err(|_| Error::Corrupt("digest"))?,
                );
                while let Some((_, left)) = peaks.pop_if(|(size, _)| *size == node.0) {
                    node = (node.0 * 2, parent(&left, &node.1));
                }
                peaks.push(node);
            }
        }
        let root = peaks
            .into_iter()
            .map(|(_, node)| node)
            .rev()
            .reduce(|right, left| parent(&left, &right));
        Ok(root.unwrap_or_else(|| Sha256::digest([]).into()))
    }

    /// Reads the whole log and checks every entry and link, and that the log continues `since`.
    ///
    /// # Errors
    /// `Database`.
    pub fn verify_audit(&mut self, since: Option<&Checkpoint>) -> Result<Verified> {
        let mut at = Checkpoint {
            size: 0,
            link: START,
        };
        let tampered = |seq: u64, what| Ok(Verified::Tampered { seq, what });
        if since.is_some_and(|since| since.size == 0 && since.link != START) {
            return tampered(0, "the checkpoint is not of this log");
        }
        loop {
            let rows: Vec<EntryRow> = audit::table
                .filter(audit::seq.gt(at.size.cast_signed()))
                .order(audit::seq)
                .limit(PAGE)
                .select(EntryRow::as_select())
                .load(&mut self.db)?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let seq = at.size + 1;
                if row.seq.cast_unsigned() != seq {
                    return tampered(seq, "the entry is missing");
                }
                let leaf = row.hash();
                let link = next_link(&at.link, &leaf);
                if row.leaf != leaf {
                    return tampered(seq, "the entry is not as written");
                }
                if row.link != link {
                    return tampered(seq, "the entry does not follow the one before it");
                }
                at = Checkpoint { size: seq, link };
                if since.is_some_and(|since| since.size == seq && since.link != link) {
                    return tampered(seq, "the log is not the one of the checkpoint");
                }
            }
        }
        // Rows before the first cannot be seen by walking up from it.
        let below: Option<i64> = audit::table
            .filter(audit::seq.le(0))
            .select(audit::seq)
            .get_result(&mut self.db)
            .optional()?;
        if below.is_some() {
            return tampered(0, "there is an entry before the first");
        }
        match since.filter(|since| since.size > at.size) {
            Some(_) => tampered(at.size + 1, "the end of the log is missing"),
            None => Ok(Verified::Whole(at)),
        }
    }
}

/// Inner node of RFC 6962.
fn parent(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new()
        .chain_update([0x01])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

impl Writer {
    /// Appends to the log, in this transaction: what is audited and its entry stand or fall together.
    ///
    /// # Errors
    /// `Database`.
    pub fn audit(&mut self, entries: &[NewAudit]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut at = self.checkpoint()?;
        for entry in entries {
            at.size += 1;
            let mut row = EntryRow {
                seq: at.size.cast_signed(),
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
            };
            let leaf = row.hash();
            at.link = next_link(&at.link, &leaf);
            row.leaf = leaf.to_vec();
            row.link = at.link.to_vec();
            diesel::insert_into(audit::table)
                .values(&row)
                .execute(&mut self.db)?;
        }
        Ok(())
    }
}
