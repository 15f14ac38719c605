//! What the API shows of a case, documents, and neighbours' names.

use diesel::{
    prelude::*,
    sql_types::{BigInt, Text},
};
use halsonav_domain::{CaseId, Reference, RoundId, Timestamp};

use crate::{
    CaseNo, CaseRecord, Document, EffectNo, Noted, Reader, Record, Result, Writer,
    convert::{case_id, from_json, json, ms, time},
    dialect::insert_once,
    prepared::execute,
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
    pub(crate) fn put_record(&mut self, case: CaseNo, record: &Record) -> Result<()> {
        execute!(
            &mut self.db,
            "INSERT INTO records (case_no, kind, key, at, data) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (case_no, kind, key) DO UPDATE SET at = excluded.at, data = excluded.data",
            case.0 => BigInt,
            record.kind.as_str() => Text,
            record.key.as_str() => Text,
            ms(record.at) => BigInt,
            json(&record.data)? => Text,
        )?;
        Ok(())
    }

    /// Keeps records outside of a step; one of the same case, kind and key is replaced.
    ///
    /// # Errors
    /// `Database`.
    pub fn put_records(&mut self, records: &[(CaseNo, Record)]) -> Result<()> {
        records
            .iter()
            .try_for_each(|(case, record)| self.put_record(*case, record))
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
        diesel::insert_into(documents::table)
            .values((
                documents::case_no.eq(case.0),
                documents::kind.eq(&document.kind),
                documents::key.eq(&document.key),
                values,
            ))
            .on_conflict((documents::case_no, documents::kind, documents::key))
            .do_update()
            .set(values)
            .execute(&mut self.db)?;
        Ok(())
    }

    /// Notes a neighbour's name for a case outside of a settlement. The first to note it keeps it.
    ///
    /// # Errors
    /// `Database`.
    pub fn note_reference(
        &mut self,
        case: CaseNo,
        reference: &Reference,
        at: Timestamp,
    ) -> Result<()> {
        self.note(case.0, None, reference, at)
    }

    pub(crate) fn note_effect_reference(
        &mut self,
        effect: EffectNo,
        reference: &Reference,
        at: Timestamp,
    ) -> Result<()> {
        let case: i64 = effects::table
            .find(effect.0)
            .select(effects::case_no)
            .get_result(&mut self.db)?;
        self.note(case, Some(effect.0), reference, at)
    }

    fn note(
        &mut self,
        case: i64,
        effect: Option<i64>,
        reference: &Reference,
        at: Timestamp,
    ) -> Result<()> {
        let row = (
            refs::kind.eq(&reference.kind),
            refs::value.eq(&reference.value),
            refs::case_no.eq(case),
            refs::effect_no.eq(effect),
            refs::open_since.eq(Some(ms(at))),
        );
        insert_once!(&mut self.db, refs::table, row)?;
        Ok(())
    }

    /// Pollers need not ask about this one any more.
    ///
    /// # Errors
    /// `Database`.
    pub fn settle_reference(&mut self, kind: &str, value: &str) -> Result<()> {
        diesel::update(refs::table)
            .filter(refs::kind.eq(kind))
            .filter(refs::value.eq(value))
            .set(refs::open_since.eq(None::<i64>))
            .execute(&mut self.db)?;
        Ok(())
    }
}
