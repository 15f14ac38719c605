//! Cases: one resident in one round, under a random id.

use actix_web::{get, web};
use halsonav_domain::{RoundId, Timestamp};
use halsonav_storage::{
    Case, CaseFilter, CaseNo, CaseState, Milestone, Reader, WorkFilter, WorkItem,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    access::Caller,
    page::{Page, after, limit},
    problem::Fault,
    state::State,
};

/// Where a case stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseView {
    /// Its random id.
    pub(crate) id: Uuid,
    /// The round.
    round: String,
    /// The unit that is responsible.
    unit: String,
    /// What its process runs on.
    definition: DefinitionName,
    /// `waiting`, `ended`, `incident`.
    state: &'static str,
    /// How it ended, in the process file's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    /// The element that it waits at.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<String>,
    /// Until when, at latest: then it moves by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_wake: Option<Timestamp>,
    /// The same person has another case in the round; this one contacts nobody.
    duplicate: bool,
    /// When made.
    started: Timestamp,
    /// When ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Timestamp>,
}

/// A version of a definition.
#[derive(Debug, Serialize, ToSchema)]
pub struct DefinitionName {
    /// Its id.
    id: String,
    /// Its version.
    version: u32,
}

/// A case with what it has reached and what it waits for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseDetail {
    /// Where it stands.
    #[serde(flatten)]
    case: CaseView,
    /// What it has reached, in order of time.
    milestones: Vec<MilestoneView>,
    /// Work that someone must do for it.
    open_work: Vec<OpenWork>,
}

/// Something a case has reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct MilestoneView {
    /// Its name.
    name: String,
    /// When reached first.
    at: Timestamp,
}

/// Work to be done.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenWork {
    /// Number of the work item.
    no: i64,
    /// What kind of work.
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<String>,
    /// To be done by.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
}

impl From<&Case> for CaseView {
    fn from(case: &Case) -> Self {
        Self {
            id: case.id.0,
            round: case.round.0.clone(),
            unit: case.unit.to_string(),
            definition: DefinitionName {
                id: case.definition.id.clone(),
                version: case.definition.version,
            },
            state: case.ledger.state.as_str(),
            outcome: case.ledger.outcome.clone(),
            waiting_for: case.ledger.waiting_for.clone(),
            next_wake: case.ledger.next_wake,
            duplicate: case.duplicate_of.is_some(),
            started: case.started,
            ended: case.ended,
        }
    }
}

/// Which cases.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CaseQuery {
    /// Only this round.
    round: Option<String>,
    /// Only this unit.
    unit: Option<String>,
    /// Only this state: `waiting`, `ended`, `incident`.
    state: Option<String>,
    /// Only this outcome.
    outcome: Option<String>,
    /// Only those that wait at this element.
    waiting_for: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// How many, 50 unless told, 500 at most.
    limit: Option<u32>,
}

/// Cases of the caller's units, in order of making.
#[utoipa::path(tag = "cases", params(CaseQuery), responses((status = 200, description = "A page of cases", body = Page<CaseView>)))]
#[get("/v1/cases")]
pub(crate) async fn list(
    state: web::Data<State>,
    caller: Caller,
    query: web::Query<CaseQuery>,
) -> Result<web::Json<Page<CaseView>>, Fault> {
    let query = query.into_inner();
    let filter = CaseFilter {
        round: query.round.map(RoundId),
        units: caller.units(query.unit.as_deref()),
        state: query.state.as_deref().map(word).transpose()?,
        outcome: query.outcome,
        subject: None,
        waiting_for: query.waiting_for,
    };
    let (after, limit) = (
        after(query.after.as_deref())?.map(CaseNo),
        limit(query.limit),
    );
    let cases = state.read(move |r| r.cases(&filter, after, limit)).await?;
    state
        .note(
            cases
                .iter()
                .map(|case| state.entry(&caller, "read", "list-cases", case))
                .collect(),
        )
        .await?;
    let last = cases.last().map(|case| case.no.0.to_string());
    Ok(web::Json(Page::new(
        cases.iter().map(CaseView::from).collect(),
        limit,
        last,
    )))
}

fn word(text: &str) -> Result<CaseState, Fault> {
    let all = [CaseState::Waiting, CaseState::Ended, CaseState::Incident];
    all.into_iter()
        .find(|state| state.as_str() == text)
        .ok_or_else(Fault::query)
}

/// One case: where it stands, what it has reached, what it waits for.
#[utoipa::path(tag = "cases", params(("case" = Uuid, Path)), responses((status = 200, description = "The case", body = CaseDetail)))]
#[get("/v1/cases/{case}")]
pub(crate) async fn one(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<web::Json<CaseDetail>, Fault> {
    let case = state.read_case(&caller, "get-case", &id).await?;
    let view = CaseView::from(&case);
    let (milestones, work) = state.read(move |r| around(r, &case)).await?;
    let milestones = milestones.into_iter().map(|m| MilestoneView {
        name: m.name,
        at: m.at,
    });
    let open_work = work.into_iter().map(|item| OpenWork {
        no: item.no.0,
        form: item.form,
        due: item.due,
    });
    Ok(web::Json(CaseDetail {
        case: view,
        milestones: milestones.collect(),
        open_work: open_work.collect(),
    }))
}

fn around(
    r: &mut Reader,
    case: &Case,
) -> halsonav_storage::Result<(Vec<Milestone>, Vec<WorkItem>)> {
    let filter = WorkFilter {
        case: Some(case.id),
        ..WorkFilter::default()
    };
    Ok((r.milestones(&case.id)?, r.work_items(&filter, None, 100)?))
}
