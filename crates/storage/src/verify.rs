//! Whether the audit log is as it was written.

use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::{
    Checkpoint, Error, Reader, Result, Verified,
    audit::{EntryRow, next_link},
    dialect::{Db, first},
    retention::start,
    schema::audit,
};

const PAGE: i64 = 5_000;

/// Roots of full subtrees of the Merkle tree, largest first, each with its size.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Peaks(Vec<(u64, [u8; 32])>);

impl Peaks {
    fn push(&mut self, leaf: [u8; 32]) {
        let mut node = (1, leaf);
        while let Some((_, left)) = self.0.pop_if(|(size, _)| *size == node.0) {
            node = (node.0 * 2, parent(&left, &node.1));
        }
        self.0.push(node);
    }

    fn root(self) -> [u8; 32] {
        let root = self
            .0
            .into_iter()
            .map(|(_, node)| node)
            .rev()
            .reduce(|right, left| parent(&left, &right));
        root.unwrap_or_else(|| Sha256::digest([]).into())
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let parts = self.0.iter();
        parts
            .flat_map(|(size, node)| size.to_be_bytes().into_iter().chain(*node))
            .collect()
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let part = |part: &[u8]| {
            let (size, node) = part.split_first_chunk::<8>()?;
            Some((u64::from_be_bytes(*size), node.try_into().ok()?))
        };
        let parts: Option<Vec<_>> = bytes.chunks(40).map(part).collect();
        parts.map(Self).ok_or(Error::Corrupt("digest"))
    }

    /// With the leaves of entries after `after` up to `last`.
    pub(crate) fn extend(&mut self, db: &mut Db, mut after: i64, last: i64) -> Result<()> {
        loop {
            let leaves: Vec<(i64, Vec<u8>)> = audit::table
                .filter(audit::seq.gt(after))
                .filter(audit::seq.le(last))
                .order(audit::seq)
                .limit(PAGE)
                .select((audit::seq, audit::leaf))
                .load(db)?;
            let Some((seq, _)) = leaves.last() else {
                return Ok(());
            };
            after = *seq;
            for (_, leaf) in leaves {
                let leaf = leaf.as_slice().try_into();
                self.push(leaf.map_err(|_| Error::Corrupt("digest"))?);
            }
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

impl Reader {
    /// RFC 6962 Merkle root over all entries, also those that were dropped. Reads the whole log.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn merkle_root(&mut self) -> Result<[u8; 32]> {
        let start = start(&mut self.db)?;
        let mut peaks = start.peaks;
        peaks.extend(&mut self.db, start.size, i64::MAX)?;
        Ok(peaks.root())
    }

    /// Reads the whole log and checks every entry and link, and that the log continues `since`. What
    /// was dropped cannot be checked any more: then `since` is the checkpoint that was answered for
    /// it, or a later one.
    ///
    /// # Errors
    /// `Database`.
    pub fn verify_audit(&mut self, since: Option<&Checkpoint>) -> Result<Verified> {
        let mut at = start(&mut self.db)?.checkpoint();
        let first = at.size;
        let tampered = |seq: u64, what| Ok(Verified::Tampered { seq, what });
        if since.is_some_and(|since| since.size < first) {
            return tampered(first, "what the checkpoint is of was dropped");
        }
        if since.is_some_and(|since| since.size == first && since.link != at.link) {
            return tampered(first, "the checkpoint is not of this log");
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
        let below: Option<i64> = first!(
            &mut self.db,
            audit::table
                .filter(audit::seq.le(first.cast_signed()))
                .select(audit::seq)
        )?;
        if below.is_some() {
            return tampered(first, "there is an entry before the first");
        }
        match since.filter(|since| since.size > at.size) {
            Some(_) => tampered(at.size + 1, "the end of the log is missing"),
            None => Ok(Verified::Whole(at)),
        }
    }
}
