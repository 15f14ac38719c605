//! What the API shows of a case, documents, and neighbours' names.

use std::collections::{HashMap, hash_map::Entry};

use diesel::{
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};
use halsonav_domain::{CaseId, Reference, RoundId, Timestamp};

use crate::{
    CaseChange, CaseNo, CaseRecord, Document, Noted, Reader, Record, Result, Writer,
    apply::parts,
    convert::{case_id, from_json, json, ms, time},
    dialect::on,
    rows::{insert, update},
    schema::{cases, documents, effects, records, refs},
};

fn record((kind, key, at, data): (String, String, i64, String)) -> Result<Record> {
    Ok(Record {
        kind,
        key,
        at: time(at)?,
        data: from_json(&data)?,
    })
}

impl Reader {
    /// Records of a case, of one kind or all, in order of time.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn records(&mut self, case: &CaseId, kind: Option<&str>) -> Result<Vec<Record>> {
        let mut query = records::table
            .inner_join(cases::table)
            .filter(cases::case_id.eq(case.0.as_bytes().to_vec()))
            .into_boxed();
        if let Some(kind) = kind {
            query = query.filter(records::kind.eq(kind.to_owned()));
        }
        let rows: Vec<(String, String, i64, String)> = query
            .order((records::at, records::record_no))
            .select((records::kind, records::key, records::at, records::data))
            .load(&mut self.db)?;
        rows.into_iter().map(record).collect()
    }

    /// A page of records of a kind over all cases, in order of first writing: for statistics and
    /// research.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn records_of_kind(
        &mut self,
        kind: &str,
        round: Option<&RoundId>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<CaseRecord>> {
        type Row = (i64, Vec<u8>, (String, String, i64, String));
        let mut query = records::table
            .inner_join(cases::table)
            .filter(records::kind.eq(kind.to_owned()))
            .into_boxed();
        if let Some(round) = round {
            query = query.filter(cases::round_no.eq(self.round_no(round)?.unwrap_or(0)));
        }
        let rows: Vec<Row> = query
            .filter(records::record_no.gt(after.unwrap_or(0)))
            .order(records::record_no)
            .limit(i64::from(limit))
            .select((
                records::record_no,
                cases::case_id,
                (records::kind, records::key, records::at, records::data),
            ))
            .load(&mut self.db)?;
        rows.into_iter()
            .map(|(no, id, row)| {
                Ok(CaseRecord {
                    no,
                    case: case_id(&id)?,
                    record: record(row)?,
                })
            })
            .collect()
    }

    /// A document of a case.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn document(&mut self, case: &CaseId, kind: &str, key: &str) -> Result<Option<Document>> {
        let Some(no) = self.case_no(case)? else {
            return Ok(None);
        };
        let row: Option<(String, i64, Vec<u8>)> = documents::table
            .filter(documents::case_no.eq(no.0))
            .filter(documents::kind.eq(kind))
            .filter(documents::key.eq(key))
            .select((documents::media_type, documents::at, documents::bytes))
            .get_result(&mut self.db)
            .optional()?;
        row.map(|(media_type, at, bytes)| {
            Ok(Document {
                kind: kind.to_owned(),
                key: key.to_owned(),
                media_type,
                at: time(at)?,
                bytes,
            })
        })
        .transpose()
    }

    /// Kind and key of the documents of a case.
    ///
    /// # Errors
    /// `Database`.
    pub fn documents(&mut self, case: &CaseId) -> Result<Vec<(String, String)>> {
        let Some(no) = self.case_no(case)? else {
            return Ok(Vec::new());
        };
        Ok(documents::table
            .filter(documents::case_no.eq(no.0))
            .order(documents::document_no)
            .select((documents::kind, documents::key))
            .load(&mut self.db)?)
    }

    /// The case that a reference was noted for, ended or not.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn case_of_reference(&mut self, kind: &str, value: &str) -> Result<Option<Noted>> {
        let row: Option<(i64, Vec<u8>, Option<String>)> = refs::table
            .inner_join(cases::table)
            .left_join(effects::table.on(effects::effect_no.nullable().eq(refs::effect_no)))
            .filter(refs::kind.eq(kind))
            .filter(refs::value.eq(value))
            .select((refs::case_no, cases::case_id, effects::payload.nullable()))
            .get_result(&mut self.db)
            .optional()?;
        row.map(|(no, id, payload)| {
            let payload = payload
                .as_deref()
                .map_or(Ok(serde_json::Value::Null), from_json)?;
            Ok(Noted {
                case: case_id(&id)?,
                case_no: CaseNo(no),
                payload,
            })
        })
        .transpose()
    }

    /// Unsettled references of `kind` of open cases, oldest first.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn open_references(&mut self, kind: &str, limit: u32) -> Result<Vec<(CaseId, String)>> {
        let rows: Vec<(Vec<u8>, String)> = refs::table
            .inner_join(cases::table)
            .filter(refs::kind.eq(kind))
            .filter(refs::open_since.is_not_null())
            .order((refs::open_since, refs::ref_no))
            .limit(i64::from(limit))
            .select((cases::case_id, refs::value))
            .load(&mut self.db)?;
        rows.into_iter()
            .map(|(id, value)| Ok((case_id(&id)?, value)))
            .collect()
    }
}

impl Writer {
    pub(crate) fn put_records_of(&mut self, wave: &[&CaseChange]) -> Result<()> {
        let records = parts(wave, |change| change.records.as_slice());
        let records: Vec<_> = records
            .iter()
            .map(|(change, record)| (change.case, *record))
            .collect();
        self.put_last_records(&records)
    }

    /// One statement may write a row only once, so of records with the same key the last is kept.
    fn put_last_records(&mut self, records: &[(CaseNo, &Record)]) -> Result<()> {
        let mut places = HashMap::with_capacity(records.len());
        let mut last: Vec<(i64, &Record, String)> = Vec::with_capacity(records.len());
        for (case, record) in records {
            let row = (case.0, *record, json(&record.data)?);
            match places.entry((case.0, &record.kind, &record.key)) {
                Entry::Occupied(place) => last[*place.get()] = row,
                Entry::Vacant(place) => {
                    place.insert(last.len());
                    last.push(row);
                }
            }
        }
        insert!(&mut self.db, last, |(case, record, data)| records {
            case_no: *case => BigInt,
            kind: record.kind.as_str() => Text,
            key: record.key.as_str() => Text,
            at: ms(record.at) => BigInt,
            data: data.as_str() => Text,
        } "ON CONFLICT (case_no, kind, key) DO UPDATE SET at = excluded.at, data = excluded.data")?;
        Ok(())
    }

    /// Keeps records outside of a step; one of the same case, kind and key is replaced.
    ///
    /// # Errors
    /// `Database`.
    pub fn put_records(&mut self, records: &[(CaseNo, Record)]) -> Result<()> {
        let records: Vec<_> = records
            .iter()
            .map(|(case, record)| (*case, record))
            .collect();
        self.put_last_records(&records)
    }

    /// Keeps a rendered document, replacing one of the same kind and key.
    ///
    /// # Errors
    /// `Database`.
    pub fn put_document(&mut self, case: CaseNo, document: &Document) -> Result<()> {
        let values = (
            documents::media_type.eq(&document.media_type),
            documents::at.eq(ms(document.at)),
            documents::bytes.eq(&document.bytes),
        );
        let row = (
            documents::case_no.eq(case.0),
            documents::kind.eq(&document.kind),
            documents::key.eq(&document.key),
            values,
        );
        on!(&mut self.db, db => diesel::insert_into(documents::table)
            .values(row)
            .on_conflict((documents::case_no, documents::kind, documents::key))
            .do_update()
            .set(values)
            .execute(db))?;
        Ok(())
    }

    pub(crate) fn put_references(&mut self, wave: &[&CaseChange]) -> Result<()> {
        let noted = parts(wave, |change| change.references.as_slice());
        let names: Vec<_> = noted
            .iter()
            .map(|(change, reference)| (change.case.0, None, *reference, change.at))
            .collect();
        self.note(&names)?;
        let over = parts(wave, |change| change.references_over.as_slice());
        update!(&mut self.db, over, |(_, reference)| refs set "open_since = NULL" where {
            kind: reference.kind.as_str() => Text,
            value: reference.value.as_str() => Text,
        })?;
        Ok(())
    }

    /// Notes names; the first to note one keeps it.
    pub(crate) fn note(
        &mut self,
        names: &[(i64, Option<i64>, &Reference, Timestamp)],
    ) -> Result<()> {
        insert!(&mut self.db, names, |(case, effect, reference, at)| refs {
            kind: reference.kind.as_str() => Text,
            value: reference.value.as_str() => Text,
            case_no: *case => BigInt,
            effect_no: *effect => Nullable<BigInt>,
            open_since: ms(*at) => BigInt,
        } "ON CONFLICT DO NOTHING")?;
        Ok(())
    }
}
