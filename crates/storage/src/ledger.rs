//! The ledger added up, and what statistics are made of.

use std::collections::BTreeMap;

use diesel::{
    dsl::{count_star, exists, not},
    prelude::*,
};
use halsonav_domain::{CaseId, HsaId, RoundId};

use crate::{
    CaseState, EffectState, FunnelRow, Reader, Result, Totals, UnitRow,
    convert::{case_id, count},
    schema::{cases, effects, milestones, parked, subscriptions, timers, work_items},
};

/// Waiting cases that nothing could ever move.
macro_rules! adrift {
    () => {
        cases::table
            .filter(cases::state.eq(CaseState::Waiting.as_str()))
            .filter(not(exists(
                timers::table.filter(timers::case_no.eq(cases::case_no)),
            )))
            .filter(not(exists(
                subscriptions::table.filter(subscriptions::case_no.eq(cases::case_no)),
            )))
            .filter(not(exists(
                effects::table
                    .filter(effects::case_no.eq(cases::case_no))
                    .filter(effects::consumed.eq(false))
                    .filter(effects::state.ne(EffectState::Withdrawn.as_str())),
            )))
            .filter(not(exists(
                work_items::table
                    .filter(work_items::case_no.eq(cases::case_no))
                    .filter(work_items::is_open.eq(true)),
            )))
            .filter(not(exists(
                parked::table.filter(parked::case_no.eq(cases::case_no.nullable())),
            )))
            .into_boxed()
    };
}

impl Reader {
    /// The ledger added up, for a round or for all.
    ///
    /// # Errors
    /// `Database`.
    pub fn totals(&mut self, round: Option<&RoundId>) -> Result<Totals> {
        let mut totals = Totals::default();
        let mut ended = BTreeMap::<String, u64>::new();
        for row in self.standing(round)? {
            totals.invited += row.cases;
            match row.state {
                CaseState::Waiting => totals.waiting += row.cases,
                CaseState::Incident => totals.incident += row.cases,
                CaseState::Ended => {
                    *ended.entry(row.outcome.unwrap_or_default()).or_default() += row.cases
                }
            }
        }
        totals.ended = ended.into_iter().collect();
        let mut adrift = adrift!();
        if let Some(round) = round {
            adrift = adrift.filter(cases::round_no.eq(self.round_no(round)?.unwrap_or(0)));
        }
        totals.unaccounted = count(adrift.count().get_result(&mut self.db)?);
        Ok(totals)
    }

    /// Waiting cases that nothing could ever move, at most `limit`.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn unaccounted(&mut self, round: Option<&RoundId>, limit: u32) -> Result<Vec<CaseId>> {
        let mut adrift = adrift!();
        if let Some(round) = round {
            adrift = adrift.filter(cases::round_no.eq(self.round_no(round)?.unwrap_or(0)));
        }
        let rows: Vec<Vec<u8>> = adrift
            .order(cases::case_no)
            .limit(i64::from(limit))
            .select(cases::case_id)
            .load(&mut self.db)?;
        rows.iter().map(|id| case_id(id)).collect()
    }

    /// How many cases have reached each milestone, by unit.
    ///
    /// # Errors
    /// `Database`.
    pub fn funnel(&mut self, round: Option<&RoundId>) -> Result<Vec<FunnelRow>> {
        let mut query = milestones::table
            .inner_join(cases::table)
            .group_by((cases::unit, milestones::name))
            .select((cases::unit, milestones::name, count_star()))
            .order((cases::unit, milestones::name))
            .into_boxed();
        if let Some(round) = round {
            query = query.filter(cases::round_no.eq(self.round_no(round)?.unwrap_or(0)));
        }
        let rows: Vec<(String, String, i64)> = query.load(&mut self.db)?;
        let row = |(unit, milestone, cases): (String, String, i64)| FunnelRow {
            unit: HsaId::new(&unit),
            milestone,
            cases: count(cases),
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// How many cases stand where, by unit, state and outcome.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn standing(&mut self, round: Option<&RoundId>) -> Result<Vec<UnitRow>> {
        let mut query = cases::table
            .group_by((cases::unit, cases::state, cases::outcome))
            .select((cases::unit, cases::state, cases::outcome, count_star()))
            .order((cases::unit, cases::state, cases::outcome))
            .into_boxed();
        if let Some(round) = round {
            query = query.filter(cases::round_no.eq(self.round_no(round)?.unwrap_or(0)));
        }
        let rows: Vec<(String, String, Option<String>, i64)> = query.load(&mut self.db)?;
        rows.into_iter()
            .map(|(unit, state, outcome, cases)| {
                Ok(UnitRow {
                    unit: HsaId::new(&unit),
                    state: CaseState::read(&state)?,
                    outcome,
                    cases: count(cases),
                })
            })
            .collect()
    }
}
