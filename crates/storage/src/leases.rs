//! Leases: one holder at a time, on the database's own clock.
//!
//! The clock decides only how long somebody waits. Who may write is decided by the epoch: a lease
//! that is over cannot be renewed, only taken again under a larger one, and [`Writer::claim`]
//! refuses everyone whose epoch no live lease has.

use std::{collections::HashSet, time::Duration};

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Text},
};

use crate::{
    Epoch, Error, Lease, Reader, Result, Writer,
    convert::time,
    dialect::{self, Db, on},
    prepared::execute,
    schema::{leases, settings},
};

const EPOCH: &str = "epoch";

fn ends(now: i64, ttl: Duration) -> i64 {
    now.saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX))
}

impl Reader {
    /// All leases by name, also those that ran out and were not taken again: for operators.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn leases(&mut self) -> Result<Vec<Lease>> {
        let now = dialect::now(&mut self.db)?;
        let rows: Vec<(String, String, i64, i64)> =
            leases::table.order(leases::name).load(&mut self.db)?;
        rows.into_iter()
            .map(|(name, holder, epoch, until)| {
                Ok(Lease {
                    name,
                    holder,
                    epoch: Epoch(epoch),
                    until: time(until)?,
                    live: until > now,
                })
            })
            .collect()
    }
}

impl Writer {
    /// Takes the lease `name` for `holder` (a name no other process has) until `ttl` from now.
    /// `None` when somebody else's is live. The epoch is larger than any before; one that the holder
    /// had before is over.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn take_lease(&mut self, name: &str, holder: &str, ttl: Duration) -> Result<Option<Epoch>> {
        let now = dialect::now(&mut self.db)?;
        let held: Option<(String, i64)> = leases::table
            .find(name)
            .select((leases::holder, leases::until))
            .get_result(&mut self.db)
            .optional()?;
        if held.is_some_and(|(other, until)| other != holder && until > now) {
            return Ok(None);
        }
        let epoch = self.count_up(EPOCH, 1)?;
        // Asked again in the statement that takes it: another may just have been first.
        let taken = execute!(
            &mut self.db,
            "INSERT INTO leases (name, holder, epoch, until) VALUES (?, ?, ?, ?)
             ON CONFLICT (name) DO UPDATE
             SET holder = excluded.holder, epoch = excluded.epoch, until = excluded.until
             WHERE leases.until <= ? OR leases.holder = excluded.holder",
            name => Text,
            holder => Text,
            epoch => BigInt,
            ends(now, ttl) => BigInt,
            now => BigInt,
        )?;
        Ok((taken == 1).then_some(Epoch(epoch)))
    }

    /// Whether the epoch is that of a live lease, which then nobody takes until this transaction
    /// ends: what is claimed in it is found by whoever takes the lease after.
    pub(crate) fn holds_lease(&mut self, epoch: Epoch) -> Result<bool> {
        let now = dialect::now(&mut self.db)?;
        let mine = leases::table
            .filter(leases::epoch.eq(epoch.0))
            .filter(leases::until.gt(now))
            .select(leases::epoch);
        let held: Option<i64> = match &mut self.db {
            Db::Sqlite(db) => mine.get_result(db).optional()?,
            Db::Postgres(db) => mine.for_share().get_result(db).optional()?,
        };
        Ok(held.is_some())
    }

    /// Those epochs that a live lease has. The leases of the others are gone after this, so that none
    /// of them is renewed at the last moment while its effects are taken over.
    pub(crate) fn live_among(&mut self, epochs: HashSet<i64>) -> Result<HashSet<i64>> {
        if epochs.is_empty() {
            return Ok(epochs);
        }
        let now = dialect::now(&mut self.db)?;
        let epochs: Vec<i64> = epochs.into_iter().collect();
        let of_these = || leases::table.filter(leases::epoch.eq_any(&epochs));
        diesel::delete(of_these().filter(leases::until.le(now))).execute(&mut self.db)?;
        let live: Vec<i64> = of_these().select(leases::epoch).load(&mut self.db)?;
        Ok(live.into_iter().collect())
    }

    /// Prolongs a lease until `ttl` from now. `false` when it is over, whether or not somebody else
    /// has it: it must be taken again.
    ///
    /// # Errors
    /// `Database`.
    pub fn renew_lease(&mut self, name: &str, epoch: Epoch, ttl: Duration) -> Result<bool> {
        let now = dialect::now(&mut self.db)?;
        let renewed = diesel::update(leases::table.find(name))
            .filter(leases::epoch.eq(epoch.0))
            .filter(leases::until.gt(now))
            .set(leases::until.eq(ends(now, ttl)))
            .execute(&mut self.db)?;
        Ok(renewed == 1)
    }

    /// Ends a lease before its time. One that is somebody else's by now stays.
    ///
    /// # Errors
    /// `Database`.
    pub fn release_lease(&mut self, name: &str, epoch: Epoch) -> Result<()> {
        diesel::delete(leases::table.find(name))
            .filter(leases::epoch.eq(epoch.0))
            .execute(&mut self.db)?;
        Ok(())
    }

    /// Ends all leases: for a hub that has proof that every other life is over, such as the lock on
    /// the embedded log.
    ///
    /// # Errors
    /// `Database`.
    pub fn end_all_leases(&mut self) -> Result<()> {
        diesel::delete(leases::table).execute(&mut self.db)?;
        Ok(())
    }

    /// Adds to a number among the settings and answers the sum. One statement, so that two
    /// transactions cannot read the same number.
    pub(crate) fn count_up(&mut self, key: &str, by: u32) -> Result<i64> {
        let value: String = on!(&mut self.db, db => diesel::insert_into(settings::table)
            .values((settings::key.eq(key), settings::value.eq(by.to_string())))
            .on_conflict(settings::key)
            .do_update()
            .set(settings::value.eq(sql::<Text>(
                "CAST(CAST(settings.value AS BIGINT) + CAST(excluded.value AS BIGINT) AS TEXT)",
            )))
            .returning(settings::value)
            .get_result(db))?;
        value.parse().map_err(|_| Error::Corrupt("number"))
    }
}
