//! Incidents and parked messages.

use std::collections::HashSet;

use diesel::{
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};
use halsonav_domain::{Envelope, HsaId, Timestamp};

use crate::{
    CaseChange, CaseNo, Error, HubIncident, Incident, IncidentFilter, IncidentNo, Parked, Reader,
    Result, Writer,
    apply::parts,
    convert::{case_id, from_json, from_word, json, maybe_time, ms, time, word},
    dialect::{Db, lookup},
    rows::{insert, update},
    schema::{cases, incidents, parked},
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = incidents)]
struct IncidentRow {
    incident_no: i64,
    incident: Option<i64>,
    element: String,
    job: Option<i64>,
    kind: String,
    code: String,
    message: String,
    opened: i64,
    resolved: Option<i64>,
    how: Option<String>,
}

type Whole = (IncidentRow, Option<(Vec<u8>, String)>);

fn incident((row, case): Whole) -> Result<Incident> {
    let (case, unit) = case.unzip();
    Ok(Incident {
        no: IncidentNo(row.incident_no),
        case: case.map(|id| case_id(&id)).transpose()?,
        unit: unit.map(|unit| HsaId::new(&unit)),
        key: row.incident.map(i64::cast_unsigned),
        element: row.element,
        job: row.job.map(i64::cast_unsigned),
        kind: from_word(&row.kind)?,
        code: row.code,
        message: row.message,
        opened: time(row.opened)?,
        resolved: maybe_time(row.resolved)?,
        how: row.how,
    })
}

impl Reader {
    /// A page of incidents in order of opening, after `after`.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn incidents(
        &mut self,
        filter: &IncidentFilter,
        after: Option<IncidentNo>,
        limit: u32,
    ) -> Result<Vec<Incident>> {
        let mut query = incidents::table.left_join(cases::table).into_boxed();
        if !filter.resolved_too {
            query = query.filter(incidents::open_at.is_not_null());
        }
        if let Some(case) = &filter.case {
            query = query.filter(cases::case_id.eq(case.0.as_bytes().to_vec()));
        }
        if let Some(units) = &filter.units {
            query =
                query.filter(cases::unit.eq_any(units.iter().map(|unit| unit.as_str().to_owned())));
        }
        if let Some(code) = &filter.code {
            query = query.filter(incidents::code.eq(code.clone()));
        }
        let rows: Vec<Whole> = query
            .filter(incidents::incident_no.gt(after.map_or(0, |no| no.0)))
            .order(incidents::incident_no)
            .limit(i64::from(limit))
            .select((
                IncidentRow::as_select(),
                (cases::case_id, cases::unit).nullable(),
            ))
            .load(&mut self.db)?;
        rows.into_iter().map(incident).collect()
    }

    /// One incident.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn incident(&mut self, no: IncidentNo) -> Result<Option<Incident>> {
        let row: Option<Whole> = incidents::table
            .left_join(cases::table)
            .filter(incidents::incident_no.eq(no.0))
            .select((
                IncidentRow::as_select(),
                (cases::case_id, cases::unit).nullable(),
            ))
            .get_result(&mut self.db)
            .optional()?;
        row.map(incident).transpose()
    }

    /// Those of `cases` that a parked message has stopped.
    ///
    /// # Errors
    /// `Database`.
    pub fn stopped(&mut self, cases: &[CaseNo]) -> Result<HashSet<CaseNo>> {
        let mut numbers: Vec<i64> = cases.iter().map(|no| no.0).collect();
        if let Db::Sqlite(db) = &mut self.db {
            // The usual answer is that nothing is parked at all.
            let any: Option<i64> = parked::table
                .select(parked::parked_no)
                .get_result(db)
                .optional()?;
            numbers.retain(|_| any.is_some());
        }
        let stopped: Vec<Option<i64>> = lookup!(
            &mut self.db,
            &numbers,
            parked::case_no.assume_not_null(),
            parked::table.select(parked::case_no).distinct()
        )?;
        Ok(stopped.into_iter().flatten().map(CaseNo).collect())
    }

    /// Parked messages, of a case or all, in the order they came.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn parked(&mut self, case: Option<CaseNo>, limit: u32) -> Result<Vec<Parked>> {
        type Row = (i64, Option<i64>, String, String, String, i64);
        let mut query = parked::table
            .order(parked::parked_no)
            .limit(i64::from(limit))
            .into_boxed();
        if let Some(case) = case {
            query = query.filter(parked::case_no.eq(case.0));
        }
        let rows: Vec<Row> = query.load(&mut self.db)?;
        rows.into_iter()
            .map(|(no, case, envelope, code, message, at)| {
                let (case, envelope) = (case.map(CaseNo), from_json(&envelope)?);
                Ok(Parked {
                    no,
                    case,
                    envelope,
                    code,
                    message,
                    at: time(at)?,
                })
            })
            .collect()
    }
}

impl Writer {
    /// Opens and resolves the incidents of steps.
    pub(crate) fn put_incidents(&mut self, wave: &[&CaseChange]) -> Result<()> {
        let opened = parts(wave, |change| change.incidents.as_slice())
            .into_iter()
            .map(|(change, incident)| Ok((change, incident, word(&incident.kind)?)))
            .collect::<Result<Vec<_>>>()?;
        insert!(&mut self.db, opened, |(change, incident, kind)| incidents {
            case_no: change.case.0 => BigInt,
            incident: incident.key.cast_signed() => BigInt,
            element: incident.element.as_str() => Text,
            job: incident.job.map(u64::cast_signed) => Nullable<BigInt>,
            kind: kind.as_str() => Text,
            code: incident.code.as_str() => Text,
            message: incident.message.as_str() => Text,
            opened: ms(change.at) => BigInt,
            open_at: ms(change.at) => BigInt,
        })?;
        let resolved = parts(wave, |change| change.resolve.as_slice());
        update!(&mut self.db, resolved, |(change, key)| incidents set {
            resolved: ms(change.at) => BigInt,
        }, "open_at = NULL" where {
            case_no: change.case.0 => BigInt,
            incident: key.cast_signed() => BigInt,
        } and "open_at IS NOT NULL")?;
        Ok(())
    }

    /// Opens an incident of the hub's own. One that is open for the same case, element and code is
    /// answered instead, so that a lane that stays stopped is one incident.
    ///
    /// # Errors
    /// `NotFound` for an unknown case; `Database`.
    pub fn open_incident(&mut self, incident: &HubIncident) -> Result<IncidentNo> {
        let case = match &incident.case {
            Some(case) => Some(self.case_no(case)?.ok_or(Error::NotFound("case"))?.0),
            None => None,
        };
        let open = incidents::table
            .filter(incidents::open_at.is_not_null())
            .filter(incidents::incident.is_null())
            .filter(incidents::element.eq(&incident.element))
            .filter(incidents::code.eq(&incident.code))
            .select(incidents::incident_no)
            .into_boxed();
        let of_case = match case {
            Some(case) => open.filter(incidents::case_no.eq(case)),
            None => open.filter(incidents::case_no.is_null()),
        };
        let same: Option<i64> = of_case.limit(1).get_result(&mut self.db).optional()?;
        if let Some(no) = same {
            return Ok(IncidentNo(no));
        }
        let no = diesel::insert_into(incidents::table)
            .values((
                incidents::case_no.eq(case),
                incidents::element.eq(&incident.element),
                incidents::kind.eq(word(&incident.kind)?),
                incidents::code.eq(&incident.code),
                incidents::message.eq(&incident.message),
                incidents::opened.eq(ms(incident.at)),
                incidents::open_at.eq(Some(ms(incident.at))),
            ))
            .returning(incidents::incident_no)
            .get_result(&mut self.db)?;
        Ok(IncidentNo(no))
    }

    /// Notes how an incident was resolved, also one that a step resolved in this transaction.
    /// `false` when it was resolved with a note already.
    ///
    /// # Errors
    /// `Database`.
    pub fn resolve_incident(&mut self, no: IncidentNo, how: &str, at: Timestamp) -> Result<bool> {
        let changed = diesel::update(incidents::table.find(no.0))
            .filter(incidents::how.is_null())
            .set((
                incidents::open_at.eq(None::<i64>),
                incidents::resolved.eq(Some(ms(at))),
                incidents::how.eq(Some(how)),
            ))
            .execute(&mut self.db)?;
        Ok(changed == 1)
    }

    /// Parks a message that stops its case, or that waits behind one that does.
    ///
    /// # Errors
    /// `Database`.
    pub fn park(
        &mut self,
        case: Option<CaseNo>,
        envelope: &Envelope,
        code: &str,
        message: &str,
        at: Timestamp,
    ) -> Result<()> {
        diesel::insert_into(parked::table)
            .values((
                parked::case_no.eq(case.map(|no| no.0)),
                parked::envelope.eq(json(envelope)?),
                parked::code.eq(code),
                parked::message.eq(message),
                parked::at.eq(ms(at)),
            ))
            .execute(&mut self.db)?;
        Ok(())
    }

    /// Takes all parked messages of a case out, in the order they came, to be tried again.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn unpark(&mut self, case: CaseNo) -> Result<Vec<Envelope>> {
        let rows: Vec<String> = parked::table
            .filter(parked::case_no.eq(case.0))
            .order(parked::parked_no)
            .select(parked::envelope)
            .load(&mut self.db)?;
        diesel::delete(parked::table.filter(parked::case_no.eq(case.0))).execute(&mut self.db)?;
        rows.iter().map(|envelope| from_json(envelope)).collect()
    }

    /// Drops one parked message.
    ///
    /// # Errors
    /// `NotFound`, `Database`.
    pub fn drop_parked(&mut self, no: i64) -> Result<()> {
        match diesel::delete(parked::table.find(no)).execute(&mut self.db)? {
            1 => Ok(()),
            _ => Err(Error::NotFound("parked message")),
        }
    }
}
