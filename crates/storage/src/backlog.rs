//! What waits at this moment, for whoever watches over the hub.

use std::collections::BTreeMap;

use diesel::{
    dsl::{count_star, min, sql},
    prelude::*,
    sql_types::Bool,
};
use halsonav_domain::Timestamp;

use crate::{
    Backlog, Reader, Result,
    convert::{count, maybe_time, ms},
    lanes::never,
    schema::{effects, incidents, timers},
};

impl Reader {
    /// What waits. Each question is answered by an index that holds only what waits, so that it can be
    /// asked every few seconds however much has been done.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn backlog(&mut self, now: Timestamp) -> Result<Backlog> {
        let command: Option<i64> = effects::table
            .filter(effects::due.le(ms(now)))
            .select(min(effects::due))
            .get_result(&mut self.db)?;
        let timer: Option<i64> = timers::table
            .filter(timers::due.le(ms(now)))
            .select(min(timers::due))
            .get_result(&mut self.db)?;
        // As literals, so that the partial indices apply.
        let in_hand = sql::<Bool>("effects.state = 'sending' AND effects.due IS NULL");
        let mut stopped = self.by_adapter(sql("effects.state = 'stopped'"))?;
        // Of these nobody knows whether they have left: they are asked about once their lane starts.
        let doubtful = self.by_adapter(sql(&format!(
            "effects.state = 'sending' AND effects.due = {}",
            never()
        )))?;
        for (adapter, effects) in doubtful {
            *stopped.entry(adapter).or_default() += effects;
        }
        let held: i64 = effects::table
            .filter(sql::<Bool>("effects.state = 'held'"))
            .select(count_star())
            .get_result(&mut self.db)?;
        let open: i64 = incidents::table
            .filter(incidents::open_at.is_not_null())
            .select(count_star())
            .get_result(&mut self.db)?;
        Ok(Backlog {
            command: maybe_time(command)?,
            timer: maybe_time(timer)?,
            in_hand: self.by_adapter(in_hand)?,
            stopped,
            held: count(held),
            incidents: count(open),
        })
    }

    fn by_adapter(
        &mut self,
        which: diesel::expression::SqlLiteral<Bool>,
    ) -> Result<BTreeMap<String, u64>> {
        let rows: Vec<(String, i64)> = effects::table
            .filter(which)
            .group_by(effects::adapter)
            .select((effects::adapter, count_star()))
            .load(&mut self.db)?;
        let counted = rows.into_iter().map(|(adapter, n)| (adapter, count(n)));
        Ok(counted.collect())
    }
}
