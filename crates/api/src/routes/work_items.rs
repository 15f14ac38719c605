//! Work for people: calls, visits, paper forms, returned letters.

use std::collections::BTreeMap;

use actix_web::{get, post, web};
use halsonav_domain::Timestamp;
use halsonav_storage::{Case, NewAudit, WorkCursor, WorkFilter, WorkItem, WorkItemNo, WorkState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    access::Caller,
    body::Asked,
    page::{Page, limit},
    problem::Fault,
    state::State,
};

/// Work for a person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkItemView {
    /// Its number.
    no: i64,
    /// Its case.
    case: Uuid,
    /// The unit.
    unit: String,
    /// Element of the process file.
    element: String,
    /// What it is called.
    name: String,
    /// What kind of work: `call`, `visit`, `paper-form` …
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<String>,
    /// Who should do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee: Option<String>,
    /// Groups that may do it; none is everyone.
    groups: Vec<String>,
    /// To be done by.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    /// Higher is more urgent; 50 is usual.
    priority: i32,
    /// What one needs to know to do it.
    #[schema(value_type = Object)]
    payload: Value,
    /// Headers and properties of the process file.
    headers: BTreeMap<String, String>,
    /// `open`, `claimed`, `done`, `withdrawn`.
    state: &'static str,
    /// Who has it, or did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_by: Option<String>,
    /// Give it back when changing the item: so that two do not change it at once.
    revision: u64,
    /// When made.
    created: Timestamp,
    /// When done or withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<Timestamp>,
}

impl From<WorkItem> for WorkItemView {
    fn from(item: WorkItem) -> Self {
        Self {
            no: item.no.0,
            case: item.case.0,
            unit: item.unit.to_string(),
            element: item.element,
            name: item.name,
            form: item.form,
            assignee: item.assignee,
            groups: item.groups,
            due: item.due,
            priority: item.priority,
            payload: item.payload,
            headers: item.headers,
            state: item.state.as_str(),
            claimed_by: item.claimed_by,
            revision: item.revision,
            created: item.created,
            closed: item.closed,
        }
    }
}

/// Which work items.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkQuery {
    /// Only what this group may do.
    group: Option<String>,
    /// Only this unit.
    unit: Option<String>,
    /// Only this kind of work.
    form: Option<String>,
    /// Only of this case.
    case: Option<Uuid>,
    /// Only what is due before this time.
    due_before: Option<Timestamp>,
    /// Only what the caller has claimed.
    #[serde(default)]
    mine: bool,
    /// Also what is done or withdrawn.
    #[serde(default)]
    closed: bool,
    /// `next` of the page before.
    after: Option<String>,
    /// How many, 50 unless told, 500 at most.
    limit: Option<u32>,
}

/// Which state of the item one has seen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// `revision` as read.
    revision: u64,
}

/// A work item that is the caller's to know of.
pub(crate) async fn visible(
    state: &State,
    caller: &Caller,
    no: &str,
) -> Result<(WorkItem, Case), Fault> {
    let no = WorkItemNo(no.parse().map_err(|_| Fault::not_found())?);
    let found = state
        .read(move |r| match r.work_item(no)? {
            Some(item) => Ok(r.case(&item.case)?.map(|case| (item, case))),
            None => Ok(None),
        })
        .await?;
    let mine = |item: &WorkItem| caller.groups().is_none() || caller.does(&item.groups);
    found
        .filter(|(item, _)| caller.serves(&item.unit) && mine(item))
        .ok_or_else(Fault::not_found)
}

/// Work at the caller's units that the caller's groups may do, what is due first first.
#[utoipa::path(tag = "work", params(WorkQuery), responses((status = 200, description = "A page of work", body = Page<WorkItemView>)))]
#[get("/v1/work-items")]
pub(crate) async fn list(
    state: web::Data<State>,
    caller: Caller,
    query: web::Query<WorkQuery>,
) -> Result<web::Json<Page<WorkItemView>>, Fault> {
    let query = query.into_inner();
    let groups = match (caller.groups(), query.group) {
        (None, wanted) => wanted.map(|group| vec![group]),
        (Some(mine), None) => Some(mine),
        (Some(mine), Some(group)) => {
            Some(mine.into_iter().filter(|known| *known == group).collect())
        }
    };
    let filter = WorkFilter {
        units: caller.units(query.unit.as_deref()),
        groups,
        case: query.case.map(halsonav_domain::CaseId),
        form: query.form,
        claimed_by: query.mine.then(|| caller.sub.clone()),
        due_before: query.due_before,
        shown_at: (!query.closed).then(|| state.now()),
        closed_too: query.closed,
    };
    let after = query.after.as_deref().map(cursor).transpose()?;
    let limit = limit(query.limit);
    let items = state
        .read(move |r| r.work_items(&filter, after, limit))
        .await?;
    state
        .note(
            items
                .iter()
                .map(|item| seen(&state, &caller, "list-work-items", item))
                .collect(),
        )
        .await?;
    let last = items.last().map(|item| written(item.cursor()));
    Ok(web::Json(Page::new(
        items.into_iter().map(WorkItemView::from).collect(),
        limit,
        last,
    )))
}

fn seen(state: &State, caller: &Caller, operation: &str, item: &WorkItem) -> NewAudit {
    NewAudit {
        unit: Some(item.unit.clone()),
        case: Some(item.case),
        ..state.bare(
            caller,
            "read",
            operation,
            serde_json::json!({ "workItem": item.no.0 }),
        )
    }
}

fn written(cursor: WorkCursor) -> String {
    let due = cursor
        .due
        .map_or_else(String::new, |due| due.as_millisecond().to_string());
    format!("{due}.{}", cursor.no.0)
}

fn cursor(text: &str) -> Result<WorkCursor, Fault> {
    let (due, no) = text.split_once('.').ok_or_else(Fault::query)?;
    let due = match due {
        "" => None,
        ms => Some(
            ms.parse()
                .ok()
                .and_then(|ms| Timestamp::from_millisecond(ms).ok())
                .ok_or_else(Fault::query)?,
        ),
    };
    Ok(WorkCursor {
        due,
        no: WorkItemNo(no.parse().map_err(|_| Fault::query())?),
    })
}

/// One work item.
#[utoipa::path(tag = "work", params(("no" = i64, Path)), responses((status = 200, description = "The work item", body = WorkItemView)))]
#[get("/v1/work-items/{no}")]
pub(crate) async fn one(
    state: web::Data<State>,
    caller: Caller,
    no: web::Path<String>,
) -> Result<web::Json<WorkItemView>, Fault> {
    let (item, case) = visible(&state, &caller, &no).await?;
    state
        .note(vec![state.entry(&caller, "read", "get-work-item", &case)])
        .await?;
    Ok(web::Json(item.into()))
}

/// Takes a work item: it is the caller's to do. Again is no error.
#[utoipa::path(tag = "work", params(("no" = i64, Path)), request_body = Revision, responses((status = 200, description = "The work item, claimed", body = WorkItemView)))]
#[post("/v1/work-items/{no}/claim")]
pub(crate) async fn claim(
    state: web::Data<State>,
    caller: Caller,
    no: web::Path<String>,
    asked: Asked<Revision>,
) -> Result<web::Json<WorkItemView>, Fault> {
    let (mut item, case) = visible(&state, &caller, &no).await?;
    if !caller.does(&item.groups) {
        return Err(Fault::forbidden());
    }
    if item.state == WorkState::Claimed && item.claimed_by.as_deref() == Some(&caller.sub) {
        return Ok(web::Json(item.into()));
    }
    let (number, who, revision) = (item.no, caller.sub.clone(), asked.0.revision);
    let entry = state.entry(&caller, "alter", "claim-work-item", &case);
    item.revision = state
        .api
        .storage
        .write_async(move |tx| {
            let revision = tx.claim_work_item(number, revision, &who)?;
            tx.audit(std::slice::from_ref(&entry))?;
            Ok(revision)
        })
        .await?;
    item.state = WorkState::Claimed;
    item.claimed_by = Some(caller.sub);
    Ok(web::Json(item.into()))
}

/// Gives a claimed work item back: one's own, or another's when one leads the work.
#[utoipa::path(tag = "work", params(("no" = i64, Path)), request_body = Revision, responses((status = 200, description = "The work item, open", body = WorkItemView)))]
#[post("/v1/work-items/{no}/release")]
pub(crate) async fn release(
    state: web::Data<State>,
    caller: Caller,
    no: web::Path<String>,
    asked: Asked<Revision>,
) -> Result<web::Json<WorkItemView>, Fault> {
    let (mut item, case) = visible(&state, &caller, &no).await?;
    let others = item
        .claimed_by
        .as_deref()
        .is_some_and(|who| who != caller.sub);
    if others && caller.groups().is_some() {
        return Err(Fault::forbidden());
    }
    let (number, revision) = (item.no, asked.0.revision);
    let entry = state.entry(&caller, "alter", "release-work-item", &case);
    item.revision = state
        .api
        .storage
        .write_async(move |tx| {
            let revision = tx.release_work_item(number, revision)?;
            tx.audit(std::slice::from_ref(&entry))?;
            Ok(revision)
        })
        .await?;
    item.state = WorkState::Open;
    item.claimed_by = None;
    Ok(web::Json(item.into()))
}
