//! Stopping the commands of one adapter, and starting them again.
//!
//! Only the claim knows of it: what is asked for in a lane that is stopped is set aside in the
//! transaction that would have claimed it. The relay brings it back when the lane runs again.

use std::collections::HashSet;

use diesel::{
    connection::SimpleConnection as _,
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool},
};
use halsonav_domain::{Kind, Timestamp};

use crate::{
    EffectNo, Epoch, LaneStop, Reader, Result, Wake, Writer,
    convert::{maybe_ms, maybe_time, ms, word},
    dialect::{Db, on},
    rows::update,
    schema::{effects, incidents, lanes},
};

/// Claims share this, so that whoever stops a lane is answered after the last claim from before.
const SHARED: &str = "SELECT pg_advisory_xact_lock_shared(hashtextextended('halsonav lanes ' || current_schema(), 0))";
const ALONE: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('halsonav lanes ' || current_schema(), 0))";

/// A lane that was ever stopped: adapter, since when and until when it is, by whom and why.
pub(crate) type Row = (String, Option<i64>, Option<i64>, String, String);

/// When an effect is due that is to be asked about once its lane starts: never by itself.
pub(crate) fn never() -> i64 {
    Timestamp::MAX.as_second() * 1000
}

/// Not stopped, or the time of it is over.
fn runs((_, stopped, until, ..): &Row, now: Timestamp) -> bool {
    stopped.is_none() || until.is_some_and(|until| until <= ms(now))
}

/// When the first of those that are stopped starts by itself.
pub(crate) fn next_start(lanes: &[Row], now: Timestamp) -> Result<Option<Timestamp>> {
    let stopped = lanes.iter().filter(|row| !runs(row, now));
    maybe_time(stopped.filter_map(|(_, _, until, ..)| *until).min())
}

impl Reader {
    pub(crate) fn lane_rows(&mut self) -> Result<Vec<Row>> {
        Ok(lanes::table.order(lanes::adapter).load(&mut self.db)?)
    }

    /// The lanes that are stopped.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn lane_stops(&mut self, now: Timestamp) -> Result<Vec<LaneStop>> {
        let mut stops = Vec::new();
        for (adapter, stopped, until, by, why) in self.lane_rows()? {
            let until = maybe_time(until)?;
            if let Some(at) = maybe_time(stopped)?
                && until.is_none_or(|until| until > now)
            {
                stops.push(LaneStop {
                    adapter,
                    at,
                    until,
                    by,
                    why,
                });
            }
        }
        Ok(stops)
    }

    /// What was set aside in lanes that run now, at most `limit` of each and in the order decided.
    pub(crate) fn set_aside(
        &mut self,
        lanes: &[Row],
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<EffectNo>> {
        let mut free: Vec<i64> = Vec::new();
        for (adapter, ..) in lanes.iter().filter(|row| runs(row, now)) {
            let of_lane = || {
                effects::table
                    .filter(effects::adapter.eq(adapter))
                    .order(effects::effect_no)
                    .limit(i64::from(limit))
                    .select(effects::effect_no)
            };
            // As literals, so that the partial indices apply.
            let wait = of_lane().filter(sql::<Bool>("effects.state = 'stopped'"));
            free.extend(wait.load::<i64>(&mut self.db)?);
            let doubtful = of_lane()
                .filter(sql::<Bool>("effects.state = 'sending'"))
                .filter(effects::due.eq(never()));
            free.extend(doubtful.load::<i64>(&mut self.db)?);
        }
        Ok(free.into_iter().map(EffectNo).collect())
    }
}

impl Writer {
    /// Stops a lane. From when this has answered nothing of it is claimed; what has been claimed is
    /// finished by whoever has it in hand. `false` when the lane is stopped already, for as long or
    /// longer, and that one stays.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn stop_lane(&mut self, stop: &LaneStop) -> Result<bool> {
        self.lanes_alone()?;
        let stops = self.lane_stops(stop.at)?;
        let longer = |other: &LaneStop| match (other.until, stop.until) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(theirs), Some(mine)) => theirs >= mine,
        };
        if stops
            .iter()
            .any(|other| other.adapter == stop.adapter && longer(other))
        {
            return Ok(false);
        }
        let row = (
            lanes::stopped.eq(Some(ms(stop.at))),
            lanes::until.eq(maybe_ms(stop.until)),
            lanes::actor.eq(&stop.by),
            lanes::why.eq(&stop.why),
        );
        on!(&mut self.db, db => diesel::insert_into(lanes::table)
            .values((lanes::adapter.eq(&stop.adapter), row))
            .on_conflict(lanes::adapter)
            .do_update()
            .set(row)
            .execute(db))?;
        // The relay has a new time to wait for.
        self.wake(Wake::Outbox);
        Ok(true)
    }

    /// Starts a lane: the relay puts on the bus what was set aside. Its incident of the kind `denied`
    /// is resolved. `false` when the lane was not stopped.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn start_lane(&mut self, adapter: &str, by: &str, at: Timestamp) -> Result<bool> {
        self.lanes_alone()?;
        let stops = self.lane_stops(at)?;
        let started = diesel::update(lanes::table.find(adapter))
            .set((lanes::stopped.eq(None::<i64>), lanes::until.eq(None::<i64>)))
            .execute(&mut self.db)?;
        if started > 0 {
            self.wake(Wake::Outbox);
        }
        diesel::update(incidents::table)
            .filter(incidents::open_at.is_not_null())
            .filter(incidents::case_no.is_null())
            .filter(incidents::element.eq(adapter))
            .filter(incidents::kind.eq(word(&Kind::Denied)?))
            .set((
                incidents::open_at.eq(None::<i64>),
                incidents::resolved.eq(Some(ms(at))),
                incidents::how.eq(Some(format!("the lane was started by {by}"))),
            ))
            .execute(&mut self.db)?;
        Ok(stops.iter().any(|stop| stop.adapter == adapter))
    }

    /// What was set aside is the relay's again, due in the order in which it was decided.
    ///
    /// # Errors
    /// `Database`.
    pub fn let_go(&mut self, free: &[EffectNo]) -> Result<()> {
        if free.is_empty() {
            return Ok(());
        }
        // One to be asked about stays `sending`.
        update!(&mut self.db, free, |no| effects
            set "due = effects.issued, state = CASE effects.state WHEN 'stopped' THEN 'new' ELSE effects.state END"
            where { effect_no: no.0 => BigInt }
            and "(effects.state = 'stopped' OR (effects.state = 'sending' AND effects.due IS NOT NULL))")?;
        self.wake(Wake::Outbox);
        Ok(())
    }

    /// The adapters whose lanes are stopped, as it stays until this transaction ends.
    pub(crate) fn stopped_lanes(&mut self, now: Timestamp) -> Result<HashSet<String>> {
        if let Db::Postgres(db) = &mut self.db {
            db.batch_execute(SHARED)?;
        }
        let stops = self.lane_stops(now)?;
        Ok(stops.into_iter().map(|stop| stop.adapter).collect())
    }

    /// Sets aside what was asked for, under `epoch`, in a lane that is stopped: what has not left, and what
    /// may have.
    pub(crate) fn put_aside(
        &mut self,
        epoch: Epoch,
        stopped: &[EffectNo],
        doubtful: &[EffectNo],
    ) -> Result<()> {
        update!(&mut self.db, stopped, |no| effects set {
            epoch: epoch.0 => BigInt,
        }, "state = 'stopped', due = NULL" where { effect_no: no.0 => BigInt })?;
        // In nobody's hands until then: whoever claims it takes it over, and asks.
        update!(&mut self.db, doubtful, |no| effects set {
            due: never() => BigInt,
        }, "epoch = 0" where { effect_no: no.0 => BigInt })?;
        if !(stopped.is_empty() && doubtful.is_empty()) {
            // A lane that is stopped for a time is the relay's to start.
            self.wake(Wake::Outbox);
        }
        Ok(())
    }

    fn lanes_alone(&mut self) -> Result<()> {
        if let Db::Postgres(db) = &mut self.db {
            db.batch_execute(ALONE)?;
        }
        Ok(())
    }
}
