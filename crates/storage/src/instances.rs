//! Instances, loaded to be stepped.

use std::{collections::HashMap, hash::Hash};

use diesel::prelude::*;
use halsonav_domain::CaseId;

use crate::{
    CaseNo, Reader, Result, StoredInstance, Writer,
    cases::{CaseRow, whole},
    convert::case_id,
    dialect::{Db, lookup},
    schema::{cases, instances, rounds, subjects},
};

type Instance = (CaseRow, Vec<u8>, String, Option<(i64, Vec<u8>)>);

fn instance((row, subject, round, instance): Instance) -> Result<StoredInstance> {
    let (revision, state) = instance.unwrap_or_default();
    Ok(StoredInstance {
        case: row.read(&subject, round)?,
        revision: revision.cast_unsigned(),
        state,
    })
}

macro_rules! with_instance {
    () => {
        whole!().left_join(instances::table).select((
            CaseRow::as_select(),
            subjects::subject_id,
            rounds::id,
            (instances::revision, instances::state).nullable(),
        ))
    };
}

/// Takes cases for this transaction alone, where others could want them at the same time. In order
/// of their numbers, so that two who want the same ones do not each wait for the other. Every
/// statement after it sees what was committed before.
macro_rules! lock {
    ($reader:expr, $column:expr, $keys:expr) => {
        if let (true, Db::Postgres(db)) = ($reader.locks, &mut $reader.db) {
            cases::table
                .filter($column.eq_any($keys))
                .order(cases::case_no)
                .select(cases::case_no)
                .for_no_key_update()
                .execute(db)?;
        }
    };
}

/// Where each key stands in the list.
fn places<K: Copy + Eq + Hash>(keys: &[K]) -> HashMap<K, usize> {
    keys.iter().enumerate().map(|(n, key)| (*key, n)).collect()
}

impl Reader {
    /// Cases with their instances, each once and in the order asked for; those that do not exist are
    /// left out. Asked by a [`crate::Writer`] they are its own until the transaction ends: whoever
    /// else wants to step them waits.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn load_instances(&mut self, cases: &[CaseId]) -> Result<Vec<StoredInstance>> {
        let places = places(cases);
        let ids: Vec<&[u8]> = places.keys().map(|id| id.0.as_bytes().as_slice()).collect();
        lock!(self, cases::case_id, &ids);
        let rows: Vec<Instance> = lookup!(&mut self.db, &ids, cases::case_id, with_instance!())?;
        let mut loaded = rows.into_iter().map(instance).collect::<Result<Vec<_>>>()?;
        loaded.sort_unstable_by_key(|one| places.get(&one.case.id).copied());
        Ok(loaded)
    }

    /// The numbers of cases, and at which revision their instances are: 0 before the first step. Those
    /// that do not exist are left out.
    ///
    /// # Errors
    /// `Database`.
    pub fn revisions(&mut self, cases: &[CaseId]) -> Result<HashMap<CaseId, (CaseNo, u64)>> {
        let ids: Vec<&[u8]> = cases.iter().map(|id| id.0.as_bytes().as_slice()).collect();
        let rows: Vec<(Vec<u8>, i64, Option<i64>)> = lookup!(
            &mut self.db,
            &ids,
            cases::case_id,
            cases::table.left_join(instances::table).select((
                cases::case_id,
                cases::case_no,
                instances::revision.nullable()
            ))
        )?;
        rows.into_iter()
            .map(|(id, no, revision)| {
                let revision = revision.unwrap_or_default().cast_unsigned();
                Ok((case_id(&id)?, (CaseNo(no), revision)))
            })
            .collect()
    }

    /// As [`Reader::load_instances`], by number.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn load_instances_by_no(&mut self, cases: &[CaseNo]) -> Result<Vec<StoredInstance>> {
        let places = places(cases);
        let numbers: Vec<i64> = places.keys().map(|no| no.0).collect();
        lock!(self, cases::case_no, &numbers);
        let rows: Vec<Instance> =
            lookup!(&mut self.db, &numbers, cases::case_no, with_instance!())?;
        let mut loaded = rows.into_iter().map(instance).collect::<Result<Vec<_>>>()?;
        loaded.sort_unstable_by_key(|one| places.get(&one.case.no).copied());
        Ok(loaded)
    }
}

impl Writer {
    /// Takes cases for this transaction alone, as [`Reader::load_instances`] does, and reads nothing.
    ///
    /// # Errors
    /// `Database`.
    pub fn hold(&mut self, cases: &[CaseId]) -> Result<()> {
        let ids: Vec<&[u8]> = cases.iter().map(|id| id.0.as_bytes().as_slice()).collect();
        lock!(self, cases::case_id, &ids);
        Ok(())
    }
}
