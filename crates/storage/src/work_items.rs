//! Work for people.

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool, Nullable, Text},
};
use halsonav_domain::{HsaId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    CaseChange, CaseNo, Error, NewWorkItem, Reader, Result, WorkCursor, WorkFilter, WorkItem,
    WorkItemNo, WorkState, Writer,
    apply::parts,
    convert::{case_id, from_json, json, maybe_ms, maybe_time, ms, time},
    dialect::Db,
    rows::insert,
    schema::{cases, work_items},
};

/// Due time of what has none: last of all.
const NEVER: i64 = i64::MAX;

/// What nobody searches by.
#[derive(Serialize, Deserialize)]
struct Body {
    element: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assignee: Option<String>,
    #[serde(default)]
    payload: Value,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = work_items)]
struct ItemRow {
    item_no: i64,
    case_no: i64,
    job: i64,
    form: Option<String>,
    candidates: String,
    due: i64,
    follow_up: Option<i64>,
    priority: i64,
    body: String,
    state: String,
    claimed_by: Option<String>,
    result: Option<String>,
    revision: i64,
    created: i64,
    closed: Option<i64>,
}

fn item((row, case, unit): (ItemRow, Vec<u8>, String)) -> Result<WorkItem> {
    let body: Body = from_json(&row.body)?;
    Ok(WorkItem {
        no: WorkItemNo(row.item_no),
        case: case_id(&case)?,
        case_no: CaseNo(row.case_no),
        job: row.job.cast_unsigned(),
        unit: HsaId::new(&unit),
        element: body.element,
        name: body.name,
        form: row.form,
        assignee: body.assignee,
        groups: row
            .candidates
            .split('|')
            .filter(|group| !group.is_empty())
            .map(str::to_owned)
            .collect(),
        due: maybe_time((row.due != NEVER).then_some(row.due))?,
        follow_up: maybe_time(row.follow_up)?,
        priority: i32::try_from(row.priority).map_err(|_| Error::Corrupt("priority"))?,
        payload: body.payload,
        headers: body.headers,
        state: WorkState::read(&row.state)?,
        claimed_by: row.claimed_by,
        result: row.result.as_deref().map(from_json).transpose()?,
        revision: row.revision.cast_unsigned(),
        created: time(row.created)?,
        closed: maybe_time(row.closed)?,
    })
}

fn body(item: &NewWorkItem) -> Result<String> {
    json(&Body {
        element: item.element.clone(),
        name: item.name.clone(),
        assignee: item.assignee.clone(),
        payload: item.payload.clone(),
        headers: item.headers.clone(),
    })
}

/// `|a|b|`; a bar inside a name cannot be told from the border and becomes a space.
fn candidates(groups: &[String]) -> String {
    groups
        .iter()
        .map(|group| format!("|{}", group.replace('|', " ")))
        .collect::<String>()
        + if groups.is_empty() { "" } else { "|" }
}

impl Reader {
    /// A page of work items, those due first first, those without a due time last.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn work_items(
        &mut self,
        filter: &WorkFilter,
        after: Option<WorkCursor>,
        limit: u32,
    ) -> Result<Vec<WorkItem>> {
        let mut query = work_items::table.inner_join(cases::table).into_boxed();
        if !filter.closed_too {
            query = query.filter(work_items::is_open.eq(true));
        }
        if let Some(units) = &filter.units {
            query =
                query.filter(cases::unit.eq_any(units.iter().map(|unit| unit.as_str().to_owned())));
        }
        if let Some(groups) = &filter.groups {
            let mut any: Box<dyn BoxableExpression<_, _, SqlType = Bool>> =
                Box::new(work_items::candidates.eq(""));
            for group in groups {
                // Exact, where LIKE would take the group's name as a pattern.
                let group = candidates(std::slice::from_ref(group));
                let without = replace(work_items::candidates, group, "");
                any = Box::new(any.or(without.ne(work_items::candidates)));
            }
            query = query.filter(any);
        }
        if let Some(case) = &filter.case {
            query = query.filter(cases::case_id.eq(case.0.as_bytes().to_vec()));
        }
        if let Some(form) = &filter.form {
            query = query.filter(work_items::form.eq(form.clone()));
        }
        if let Some(who) = &filter.claimed_by {
            query = query.filter(work_items::claimed_by.eq(who.clone()));
        }
        if let Some(before) = filter.due_before {
            query = query.filter(work_items::due.lt(ms(before)));
        }
        if let Some(at) = filter.shown_at {
            query = query.filter(
                work_items::follow_up
                    .is_null()
                    .or(work_items::follow_up.le(ms(at))),
            );
        }
        if let Some(after) = after {
            let due = maybe_ms(after.due).unwrap_or(NEVER);
            let later = work_items::due.gt(due).or(work_items::due
                .eq(due)
                .and(work_items::item_no.gt(after.no.0)));
            query = query.filter(later);
        }
        let rows: Vec<(ItemRow, Vec<u8>, String)> = query
            .order((work_items::due, work_items::item_no))
            .limit(i64::from(limit))
            .select((ItemRow::as_select(), cases::case_id, cases::unit))
            .load(&mut self.db)?;
        rows.into_iter().map(item).collect()
    }

    /// Open work items made after number `after`, in order of making: what is new. On PostgreSQL
    /// those of the last moment are left for the next time, until it is sure that none with a smaller
    /// number is still to be committed.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn new_work_items(
        &mut self,
        after: Option<WorkItemNo>,
        limit: u32,
    ) -> Result<Vec<WorkItem>> {
        let mut query = work_items::table.inner_join(cases::table).into_boxed();
        if matches!(self.db, Db::Postgres(_)) {
            query = query.filter(sql::<Bool>(
                "age(work_items.xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)",
            ));
        }
        let rows: Vec<(ItemRow, Vec<u8>, String)> = query
            .filter(work_items::is_open.eq(true))
            .filter(work_items::item_no.gt(after.map_or(0, |no| no.0)))
            .order(work_items::item_no)
            .limit(i64::from(limit))
            .select((ItemRow::as_select(), cases::case_id, cases::unit))
            .load(&mut self.db)?;
        rows.into_iter().map(item).collect()
    }

    /// One work item.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub fn work_item(&mut self, no: WorkItemNo) -> Result<Option<WorkItem>> {
        let row: Option<(ItemRow, Vec<u8>, String)> = work_items::table
            .inner_join(cases::table)
            .filter(work_items::item_no.eq(no.0))
            .select((ItemRow::as_select(), cases::case_id, cases::unit))
            .get_result(&mut self.db)
            .optional()?;
        row.map(item).transpose()
    }
}

diesel::define_sql_function! {
    /// A text with every occurrence of a part replaced.
    fn replace(text: Text, part: Text, by: Text) -> Text;
}

impl Writer {
    pub(crate) fn put_work_items(&mut self, wave: &[&CaseChange]) -> Result<()> {
        let new = parts(wave, |change| change.work_items.as_slice())
            .into_iter()
            .map(|(change, item)| Ok((change, item, candidates(&item.groups), body(item)?)))
            .collect::<Result<Vec<_>>>()?;
        insert!(&mut self.db, new, |(change, item, candidates, body)| work_items {
            case_no: change.case.0 => BigInt,
            job: item.job.cast_signed() => BigInt,
            form: item.form.as_deref() => Nullable<Text>,
            candidates: candidates.as_str() => Text,
            due: maybe_ms(item.due).unwrap_or(NEVER) => BigInt,
            follow_up: maybe_ms(item.follow_up) => Nullable<BigInt>,
            priority: i64::from(item.priority) => BigInt,
            body: body.as_str() => Text,
            is_open: true => Bool,
            state: WorkState::Open.as_str() => Text,
            revision: 1_i64 => BigInt,
            created: ms(change.at) => BigInt,
        })?;
        Ok(())
    }

    /// Somebody takes an open work item; `revision` as read. Answers the new revision.
    ///
    /// # Errors
    /// `Conflict` when it is not open or has changed since; `Database`.
    pub fn claim_work_item(&mut self, no: WorkItemNo, revision: u64, who: &str) -> Result<u64> {
        let changed = diesel::update(work_items::table.find(no.0))
            .filter(work_items::revision.eq(revision.cast_signed()))
            .filter(work_items::state.eq(WorkState::Open.as_str()))
            .set((
                work_items::state.eq(WorkState::Claimed.as_str()),
                work_items::claimed_by.eq(Some(who)),
                work_items::revision.eq(revision.cast_signed().saturating_add(1)),
            ))
            .execute(&mut self.db)?;
        changed_one(changed).map(|()| revision.saturating_add(1))
    }

    /// Gives a claimed work item back. Answers the new revision.
    ///
    /// # Errors
    /// `Conflict` when it is not claimed or has changed since; `Database`.
    pub fn release_work_item(&mut self, no: WorkItemNo, revision: u64) -> Result<u64> {
        let changed = diesel::update(work_items::table.find(no.0))
            .filter(work_items::revision.eq(revision.cast_signed()))
            .filter(work_items::state.eq(WorkState::Claimed.as_str()))
            .set((
                work_items::state.eq(WorkState::Open.as_str()),
                work_items::claimed_by.eq(None::<String>),
                work_items::revision.eq(revision.cast_signed().saturating_add(1)),
            ))
            .execute(&mut self.db)?;
        changed_one(changed).map(|()| revision.saturating_add(1))
    }

    /// Somebody has done it, claimed or not.
    ///
    /// # Errors
    /// `Conflict` when it is closed, has changed since, or somebody else has claimed it; `Database`.
    pub fn complete_work_item(
        &mut self,
        no: WorkItemNo,
        revision: u64,
        who: &str,
        result: &Value,
        at: Timestamp,
    ) -> Result<()> {
        let changed = diesel::update(work_items::table.find(no.0))
            .filter(work_items::revision.eq(revision.cast_signed()))
            .filter(work_items::is_open.eq(true))
            .filter(
                work_items::claimed_by
                    .is_null()
                    .or(work_items::claimed_by.eq(who)),
            )
            .set((
                work_items::is_open.eq(false),
                work_items::state.eq(WorkState::Done.as_str()),
                work_items::claimed_by.eq(Some(who)),
                work_items::result.eq(Some(json(result)?)),
                work_items::revision.eq(revision.cast_signed().saturating_add(1)),
                work_items::closed.eq(Some(ms(at))),
            ))
            .execute(&mut self.db)?;
        changed_one(changed)
    }
}

fn changed_one(changed: usize) -> Result<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::Conflict(
            "the work item has changed since it was read",
        ))
    }
}
