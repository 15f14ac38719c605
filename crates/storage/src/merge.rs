//! Two subjects that turn out to be one person.

use diesel::prelude::*;
use halsonav_domain::CaseId;

use crate::{
    Merge, Result, Writer,
    convert::case_id,
    schema::{cases, person_index, subjects, vault},
};

impl Writer {
    /// Two subjects are one person. The older remains; cases, numbers and opt-outs go to it. Where
    /// both have a case in a round, the one that came first is kept and the other is marked.
    pub(crate) fn merge(&mut self, one: i64, other: i64) -> Result<Merge> {
        let (into, from) = (one.min(other), one.max(other));
        // Before the cases, in the order of those who open them.
        diesel::delete(vault::table.find(from)).execute(&mut self.db)?;
        let mut duplicates: Vec<(CaseId, CaseId)> = Vec::new();
        let cases_of = |no: i64| {
            cases::table
                .filter(cases::subject_no.eq(no))
                .order(cases::case_no)
        };
        type Row = (i64, i64, Vec<u8>);
        let columns = (cases::case_no, cases::round_no, cases::case_id);
        let kept: Vec<Row> = cases_of(into).select(columns).load(&mut self.db)?;
        let moving: Vec<Row> = cases_of(from).select(columns).load(&mut self.db)?;
        for (case, round, id) in moving {
            match kept.iter().find(|(_, other, _)| *other == round) {
                Some((first, _, first_id)) => {
                    diesel::update(cases::table.find(case))
                        .set(cases::duplicate_of.eq(Some(*first)))
                        .execute(&mut self.db)?;
                    duplicates.push((case_id(first_id)?, case_id(&id)?));
                }
                None => {
                    diesel::update(cases::table.find(case))
                        .set(cases::subject_no.eq(into))
                        .execute(&mut self.db)?;
                }
            }
        }
        let (keeps, goes) = (self.register_by_no(into)?, self.register_by_no(from)?);
        for channel in &goes.opt_outs {
            self.opt_out(&keeps.subject, channel, true)?;
        }
        diesel::update(person_index::table.filter(person_index::subject_no.eq(from)))
            .set(person_index::subject_no.eq(into))
            .execute(&mut self.db)?;
        diesel::update(subjects::table)
            .filter(
                subjects::subject_no
                    .eq(from)
                    .or(subjects::merged_into.eq(from)),
            )
            .set(subjects::merged_into.eq(Some(into)))
            .execute(&mut self.db)?;
        Ok(Merge {
            from: goes.subject,
            into: keeps.subject,
            duplicates,
        })
    }
}
