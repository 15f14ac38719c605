//! Leases: one holder at a time, on the database's own clock.
//!
//! The clock decides only how long somebody waits. Who may write is decided by the epoch: a lease
//! that is over cannot be renewed, only taken again under a larger one, and [`Writer::claim`]
//! refuses everyone whose epoch no live lease has.

use std::{collections::HashSet, time::Duration};

use diesel::{prelude::*, sql_types::Text};

use crate::{
    Epoch, Error, Lease, Reader, Result, Writer,
    convert::time,
    dialect,
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

    /// Epochs that a live lease has.
    pub(crate) fn live_epochs(&mut self) -> Result<HashSet<i64>> {
        let now = dialect::now(&mut self.db)?;
        let live: Vec<i64> = leases::table
            .filter(leases::until.gt(now))
            .select(leases::epoch)
            .load(&mut self.db)?;
        Ok(live.into_iter().collect())
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
        let values = (
            leases::holder.eq(holder),
            leases::epoch.eq(epoch),
            leases::until.eq(ends(now, ttl)),
        );
        diesel::insert_into(leases::table)
            .values((leases::name.eq(name), values))
            .on_conflict(leases::name)
            .do_update()
            .set(values)
            .execute(&mut self.db)?;
        Ok(Some(Epoch(epoch)))
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
        let value: String = diesel::insert_into(settings::table)
            .values((settings::key.eq(key), settings::value.eq(by.to_string())))
            .on_conflict(settings::key)
            .do_update()
            .set(settings::value.eq(diesel::dsl::sql::<Text>(
                "CAST(CAST(settings.value AS BIGINT) + CAST(excluded.value AS BIGINT) AS TEXT)",
            )))
            .returning(settings::value)
            .get_result(&mut self.db)?;
        value.parse().map_err(|_| Error::Corrupt("number"))
    }
}
