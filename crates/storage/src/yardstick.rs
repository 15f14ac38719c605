//! The yardstick: plain batched writes of the rows that one step makes, and nothing else.
//!
//! One plain step = update an instance, insert two events, one outbox row, one timer; integer keys,
//! the same connection settings as the hub's own store. What a durable step of the hub costs is told
//! as a share of this, measured in the same run on the same disk.

use std::path::Path;

use diesel::{connection::SimpleConnection as _, prelude::*, sql_types::BigInt, sql_types::Binary};

use crate::{
    Error, Result,
    dialect::{self, Db},
    prepared::execute,
};
use tables::{event, instance, outbox, timer};

#[allow(missing_docs, reason = "diesel's macro writes them")]
mod tables {
    diesel::table! { instance (id) { id -> BigInt, revision -> BigInt, state -> Binary, } }
    diesel::table! { event (id) { id -> BigInt, instance -> BigInt, body -> Text, } }
    diesel::table! { outbox (id) { id -> BigInt, instance -> BigInt, body -> Text, } }
    diesel::table! { timer (id) { id -> BigInt, instance -> BigInt, due -> BigInt, } }
}

const TABLES: &str = "
    CREATE TABLE instance (id INTEGER PRIMARY KEY, revision BIGINT, state BLOB);
    CREATE TABLE event (id INTEGER PRIMARY KEY, instance BIGINT, body TEXT);
    CREATE TABLE outbox (id INTEGER PRIMARY KEY, instance BIGINT, body TEXT);
    CREATE TABLE timer (id INTEGER PRIMARY KEY, instance BIGINT, due BIGINT);
";

const BODY: &str = r#"{"template":"inbjudan","language":"sv","links":["book","rebook","cancel","form"],"start":null}"#;

/// How the rows are put. Neither is faster always, so a fair limit is the better of both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// A prepared statement for each row.
    Single,
    /// One statement for all rows of a table.
    Multi,
}

/// A database with nothing in it but the yardstick's tables.
pub struct Yardstick {
    db: Db,
    instances: i64,
    next: i64,
    state: Vec<u8>,
}

impl std::fmt::Debug for Yardstick {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Yardstick")
    }
}

impl Yardstick {
    /// Makes a database file with so many instances, each with a state of `state` bytes.
    ///
    /// # Errors
    /// `Open`, `Database`.
    pub fn open(path: &Path, instances: u32, state: usize) -> Result<Self> {
        let path = path
            .to_str()
            .ok_or_else(|| Error::Open("the path is not text".to_owned()))?;
        let mut db = dialect::connect(path, dialect::WRITER)?;
        db.batch_execute(TABLES)?;
        let state = vec![7u8; state];
        let instances = i64::from(instances.max(1));
        db.immediate_transaction(|db| {
            (0..instances).try_for_each(|id| {
                let row = (
                    instance::id.eq(id),
                    instance::revision.eq(0),
                    instance::state.eq(&state),
                );
                diesel::insert_into(instance::table)
                    .values(row)
                    .execute(db)
                    .map(drop)
            })
        })?;
        Ok(Self {
            db,
            instances,
            next: 0,
            state,
        })
    }

    /// Writes one batch, one step for each of the next `steps` instances, and commits it.
    ///
    /// # Errors
    /// `Database`.
    pub fn write(&mut self, steps: u32, style: Style) -> Result<()> {
        let ids: Vec<i64> = (self.next..self.next + i64::from(steps))
            .map(|n| n % self.instances)
            .collect();
        self.next += i64::from(steps);
        let state = &self.state;
        self.db.immediate_transaction(|db| match style {
            Style::Single => single(db, &ids, state),
            Style::Multi => multi(db, &ids, state),
        })?;
        Ok(())
    }
}

fn update(db: &mut Db, id: i64, state: &[u8]) -> QueryResult<usize> {
    execute!(
        db,
        "UPDATE instance SET revision = revision + 1, state = ? WHERE id = ?",
        state => Binary,
        id => BigInt,
    )
}

fn single(db: &mut Db, ids: &[i64], state: &[u8]) -> QueryResult<()> {
    for id in ids {
        update(db, *id, state)?;
        for _ in 0..2 {
            diesel::insert_into(event::table)
                .values((event::instance.eq(id), event::body.eq(BODY)))
                .execute(db)?;
        }
        diesel::insert_into(outbox::table)
            .values((outbox::instance.eq(id), outbox::body.eq(BODY)))
            .execute(db)?;
        diesel::insert_into(timer::table)
            .values((timer::instance.eq(id), timer::due.eq(id + 1)))
            .execute(db)?;
    }
    Ok(())
}

fn multi(db: &mut Db, ids: &[i64], state: &[u8]) -> QueryResult<()> {
    for id in ids {
        update(db, *id, state)?;
    }
    let events: Vec<_> = ids
        .iter()
        .chain(ids)
        .map(|id| (event::instance.eq(*id), event::body.eq(BODY)))
        .collect();
    diesel::insert_into(event::table)
        .values(&events)
        .execute(db)?;
    let out: Vec<_> = ids
        .iter()
        .map(|id| (outbox::instance.eq(*id), outbox::body.eq(BODY)))
        .collect();
    diesel::insert_into(outbox::table)
        .values(&out)
        .execute(db)?;
    let timers: Vec<_> = ids
        .iter()
        .map(|id| (timer::instance.eq(*id), timer::due.eq(*id + 1)))
        .collect();
    diesel::insert_into(timer::table)
        .values(&timers)
        .execute(db)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles_write_the_same_rows() {
        for style in [Style::Single, Style::Multi] {
            let dir = tempfile::tempdir().expect("a directory");
            let mut yardstick =
                Yardstick::open(&dir.path().join("plain.db"), 5, 40).expect("opens");
            yardstick.write(7, style).expect("writes");
            yardstick.write(3, style).expect("writes");
            let db = &mut yardstick.db;
            let counts: [i64; 3] = [
                event::table.count().get_result(db).expect("counts"),
                outbox::table.count().get_result(db).expect("counts"),
                timer::table.count().get_result(db).expect("counts"),
            ];
            assert_eq!(counts, [20, 10, 10], "{style:?}");
            let revisions: Vec<i64> = instance::table
                .select(instance::revision)
                .load(db)
                .expect("loads");
            assert_eq!(revisions, [2; 5], "{style:?}");
        }
    }
}
