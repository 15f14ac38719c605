//! Messages that were seen before.

use std::collections::HashSet;

use diesel::{
    pg::Pg,
    sql_types::{Array, BigInt, Binary},
    sqlite::Sqlite,
};
use halsonav_domain::Timestamp;

use crate::{
    CaseNo, Result, Writer,
    convert::ms,
    dialect::Db,
    prepared::{load, run},
};

impl Writer {
    /// Notes messages as seen: for each (case, source, id) whether this was the first time. To be
    /// called in the transaction that applies what the message causes.
    ///
    /// # Errors
    /// `Database`.
    pub fn first_seen(
        &mut self,
        messages: &[(Option<CaseNo>, &str, &str)],
        at: Timestamp,
    ) -> Result<Vec<bool>> {
        let at = ms(at);
        let keys: Vec<(i64, [u8; 16])> = messages
            .iter()
            .map(|(case, source, id)| (case.map_or(0, |no| no.0), fingerprint(source, id)))
            .collect();
        match &mut self.db {
            Db::Sqlite(db) => keys
                .iter()
                .map(|(case, message)| {
                    let new = run!(
                        Sqlite, db,
                        "INSERT INTO seen (case_no, message, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                        case => BigInt,
                        message.as_slice() => Binary,
                        at => BigInt,
                    )?;
                    Ok(new == 1)
                })
                .collect(),
            Db::Postgres(_) if keys.is_empty() => Ok(Vec::new()),
            Db::Postgres(db) => {
                let new: Vec<(i64, Vec<u8>)> = load!(
                    Pg, db,
                    "INSERT INTO seen (case_no, message, at)
                     SELECT case_no, message, ? FROM unnest(?, ?) AS given (case_no, message)
                     ORDER BY case_no, message ON CONFLICT DO NOTHING RETURNING case_no, message"
                        => (BigInt, Binary),
                    at => BigInt,
                    keys.iter().map(|(case, _)| *case).collect::<Vec<_>>() => Array<BigInt>,
                    keys.iter().map(|(_, message)| message.as_slice()).collect::<Vec<_>>()
                        => Array<Binary>,
                )?;
                let mut new: HashSet<(i64, Vec<u8>)> = new.into_iter().collect();
                let first = |(case, message): &(i64, [u8; 16])| new.remove(&(*case, message.to_vec()));
                Ok(keys.iter().map(first).collect())
            }
        }
    }

    /// Forgets messages seen before `before`, at most `limit` of them; answers how many. To be called
    /// until it answers less than `limit`, so that nobody waits long.
    ///
    /// # Errors
    /// `Database`.
    pub fn forget_seen(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        let (before, limit) = (ms(before), i64::from(limit));
        let gone = match &mut self.db {
            Db::Sqlite(db) => run!(
                Sqlite, db,
                "DELETE FROM seen WHERE (case_no, message) IN
                 (SELECT case_no, message FROM seen WHERE at < ? LIMIT ?)",
                before => BigInt,
                limit => BigInt,
            )?,
            // By place: the blocks that the index names are read, and no other.
            Db::Postgres(db) => run!(
                Pg, db,
                "DELETE FROM seen WHERE ctid = ANY (ARRAY(SELECT ctid FROM seen WHERE at < ? LIMIT ?))",
                before => BigInt,
                limit => BigInt,
            )?,
        };
        Ok(gone as u64)
    }
}

/// Source and id in 16 bytes, so that rows are small whatever a neighbour calls its messages.
fn fingerprint(source: &str, id: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(source.len() as u64).to_le_bytes());
    hasher.update(source.as_bytes());
    hasher.update(id.as_bytes());
    let mut short = [0; 16];
    hasher.finalize_xof().fill(&mut short);
    short
}
