//! How long the audit log is kept: its oldest entries are dropped in whole stretches, and what the
//! rest is verified from is kept.

use diesel::{connection::SimpleConnection as _, dsl::max, prelude::*, sql_types::BigInt};
use halsonav_domain::Timestamp;

use crate::{
    Checkpoint, Error, Place, Result, Storage,
    audit::ALONE,
    convert::ms,
    dialect::{self, Db},
    postgres,
    schema::{audit, audit_start},
    sqlite,
    verify::Peaks,
};

/// Where the log starts.
pub(crate) struct Start {
    /// The last entry that was dropped.
    pub(crate) size: i64,
    link: [u8; 32],
    pub(crate) peaks: Peaks,
    /// Entries in a stretch.
    room: i64,
}

impl Start {
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            size: self.size.cast_unsigned(),
            link: self.link,
        }
    }
}

pub(crate) fn start(db: &mut Db) -> Result<Start> {
    let (size, link, peaks, room): (i64, Vec<u8>, Vec<u8>, i64) = audit_start::table.first(db)?;
    Ok(Start {
        size,
        link: digest(&link)?,
        peaks: Peaks::read(&peaks)?,
        room,
    })
}

fn digest(bytes: &[u8]) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| Error::Corrupt("digest"))
}

diesel::define_sql_function! {
    /// Makes the stretch that an entry belongs to.
    fn audit_room(entry: BigInt);
}

/// In PostgreSQL, makes the stretches that entries after `from` and up to `to` are the first of.
pub(crate) fn make_room(db: &mut Db, from: u64, to: u64) -> Result<()> {
    let room = start(db)?.room.cast_unsigned().max(1);
    if let Db::Postgres(db) = db {
        for stretch in from.div_ceil(room)..to.div_ceil(room) {
            let first = stretch * room + 1;
            diesel::select(audit_room(first.cast_signed())).execute(db)?;
        }
    }
    Ok(())
}

impl Storage {
    /// Drops entries of the audit log from before `before`, as far as whole stretches of them are.
    /// Answers where the log starts now: keep that outside, beside the checkpoints, because nothing
    /// before it can be verified any more. On PostgreSQL under the login that migrates.
    ///
    /// # Errors
    /// `Open`, `Database`, `Corrupt`.
    pub fn retire_audit(place: &Place, before: Timestamp) -> Result<Checkpoint> {
        let mut db = match place {
            Place::Sqlite(path) => Db::Sqlite(sqlite::writer(path)?),
            Place::Postgres(server) => {
                let mut db = postgres::owner(server)?;
                db.batch_execute("SET ROLE halsonav_migrator")?;
                Db::Postgres(db)
            }
        };
        dialect::begin_write(&mut db)?;
        // What fails here is undone when the connection is closed.
        let start = retire(&mut db, ms(before))?;
        dialect::commit(&mut db, "")?;
        Ok(start.checkpoint())
    }
}

fn retire(db: &mut Db, before: i64) -> Result<Start> {
    if let Db::Postgres(db) = db {
        db.batch_execute(ALONE)?;
    }
    let mut start = start(db)?;
    loop {
        let last = start.size.saturating_add(start.room);
        let stretch = audit::table.filter(audit::seq.gt(start.size).and(audit::seq.le(last)));
        let newest: Option<i64> = stretch.select(max(audit::at)).get_result(db)?;
        let link: Option<Vec<u8>> = audit::table
            .find(last)
            .select(audit::link)
            .get_result(db)
            .optional()?;
        let Some(link) = link.filter(|_| newest.is_some_and(|newest| newest < before)) else {
            break;
        };
        start.peaks.extend(db, start.size, last)?;
        drop_stretch(db, start.size / start.room, last)?;
        (start.size, start.link) = (last, digest(&link)?);
    }
    diesel::update(audit_start::table)
        .set((
            audit_start::size.eq(start.size),
            audit_start::link.eq(start.link.as_slice()),
            audit_start::peaks.eq(start.peaks.to_bytes()),
        ))
        .execute(db)?;
    Ok(start)
}

/// Entries up to `last`, the whole of this stretch.
fn drop_stretch(db: &mut Db, stretch: i64, last: i64) -> Result<()> {
    match db {
        Db::Postgres(db) => db.batch_execute(&format!("DROP TABLE audit_{stretch}"))?,
        Db::Sqlite(db) => {
            db.batch_execute("DROP TRIGGER audit_no_delete")?;
            diesel::delete(audit::table.filter(audit::seq.le(last))).execute(db)?;
            db.batch_execute(
                "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
                 BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
            )?;
        }
    }
    Ok(())
}
