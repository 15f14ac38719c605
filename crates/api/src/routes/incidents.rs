//! Where the hub needs a human.

use actix_web::{HttpResponse, get, post, web};
use halsonav_domain::{Kind, Timestamp};
use halsonav_storage::{Case, Incident, IncidentFilter, IncidentNo, NewAudit};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::operations::reason;
use crate::{
    Remedy,
    access::Caller,
    body::Told,
    once::{Accepted, Doing, accepted, once},
    page::{Page, after, limit},
    problem::Fault,
    state::State,
};

/// The hub needs a human.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IncidentView {
    /// Its number.
    no: i64,
    /// Its case; absent for a part of the hub itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<Uuid>,
    /// Its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    /// Element, adapter or part that it stands at.
    element: String,
    /// The kind of failure: `invalid`, `not-found`, `conflict`, `denied`, `unavailable`, `internal`.
    #[schema(value_type = String)]
    kind: Kind,
    /// Stable code.
    code: String,
    /// One sentence.
    message: String,
    /// When opened.
    opened: Timestamp,
    /// When resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved: Option<Timestamp>,
    /// How, and by whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<String>,
}

impl From<Incident> for IncidentView {
    fn from(incident: Incident) -> Self {
        Self {
            no: incident.no.0,
            case: incident.case.map(|case| case.0),
            unit: incident.unit.map(|unit| unit.to_string()),
            element: incident.element,
            kind: incident.kind,
            code: incident.code,
            message: incident.message,
            opened: incident.opened,
            resolved: incident.resolved,
            how: incident.how,
        }
    }
}

/// Which incidents.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct IncidentQuery {
    /// Only of this case.
    case: Option<Uuid>,
    /// Only this unit.
    unit: Option<String>,
    /// Only this code.
    code: Option<String>,
    /// Also resolved ones.
    #[serde(default)]
    resolved: bool,
    /// `next` of the page before.
    after: Option<String>,
    /// How many, 50 unless told, 500 at most.
    limit: Option<u32>,
}

/// What to do about an incident.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Variables to set before it goes on.
    #[serde(default)]
    #[schema(value_type = Object)]
    variables: Map<String, Value>,
    /// For those who read it later. No personal data.
    reason: String,
}

/// Incidents, in order of opening. Those of the hub itself are shown to those who work for the
/// whole region.
#[utoipa::path(tag = "incidents", params(IncidentQuery), responses((status = 200, description = "A page of incidents", body = Page<IncidentView>)))]
#[get("/v1/incidents")]
pub(crate) async fn list(
    state: web::Data<State>,
    caller: Caller,
    query: web::Query<IncidentQuery>,
) -> Result<web::Json<Page<IncidentView>>, Fault> {
    let query = query.into_inner();
    let filter = IncidentFilter {
        case: query.case.map(halsonav_domain::CaseId),
        units: caller.units(query.unit.as_deref()),
        code: query.code,
        resolved_too: query.resolved,
    };
    let (after, limit) = (
        after(query.after.as_deref())?.map(IncidentNo),
        limit(query.limit),
    );
    let incidents = state
        .read(move |r| r.incidents(&filter, after, limit))
        .await?;
    let entries = incidents.iter().filter(|incident| incident.case.is_some());
    state
        .note(
            entries
                .map(|incident| noted(&state, &caller, "read", "list-incidents", incident))
                .collect(),
        )
        .await?;
    let last = incidents.last().map(|incident| incident.no.0.to_string());
    Ok(web::Json(Page::new(
        incidents.into_iter().map(IncidentView::from).collect(),
        limit,
        last,
    )))
}

fn noted(
    state: &State,
    caller: &Caller,
    action: &str,
    operation: &str,
    incident: &Incident,
) -> NewAudit {
    NewAudit {
        unit: incident.unit.clone(),
        case: incident.case,
        ..state.bare(
            caller,
            action,
            operation,
            json!({ "incident": incident.no.0, "code": incident.code }),
        )
    }
}

async fn visible(
    state: &State,
    caller: &Caller,
    no: &str,
) -> Result<(Incident, Option<Case>), Fault> {
    let no = IncidentNo(no.parse().map_err(|_| Fault::not_found())?);
    let found = state
        .read(move |r| match r.incident(no)? {
            Some(incident) => {
                let case = incident
                    .case
                    .map(|case| r.case(&case))
                    .transpose()?
                    .flatten();
                Ok(Some((incident, case)))
            }
            None => Ok(None),
        })
        .await?;
    let mine = |case: &Option<Case>| {
        case.as_ref()
            .map_or_else(|| caller.serves_all(), |case| caller.serves(&case.unit))
    };
    found
        .filter(|(_, case)| mine(case))
        .ok_or_else(Fault::not_found)
}

/// One incident.
#[utoipa::path(tag = "incidents", params(("no" = i64, Path)), responses((status = 200, description = "The incident", body = IncidentView)))]
#[get("/v1/incidents/{no}")]
pub(crate) async fn one(
    state: web::Data<State>,
    caller: Caller,
    no: web::Path<String>,
) -> Result<web::Json<IncidentView>, Fault> {
    let (incident, case) = visible(&state, &caller, &no).await?;
    state
        .note(
            case.iter()
                .map(|case| state.entry(&caller, "read", "get-incident", case))
                .collect(),
        )
        .await?;
    Ok(web::Json(incident.into()))
}

async fn decide(
    state: &State,
    caller: &Caller,
    no: &str,
    told: Told<Decision>,
    remedy: Remedy,
) -> Result<HttpResponse, Fault> {
    let (incident, case) = visible(state, caller, no).await?;
    let (operation, kind) = match remedy {
        Remedy::Retry => ("retry-incident", "operator.retry"),
        Remedy::Skip => ("skip-incident", "operator.skip"),
    };
    let Told { value, ticket } = told;
    let why = reason(&value.reason)?;
    once(state, caller, &ticket, async |names| {
        if incident.resolved.is_some() {
            return Err(Fault::conflict().because("the incident is resolved"));
        }
        let mut entry = noted(state, caller, "decide", operation, &incident);
        entry.subject = case.as_ref().map(|case| case.subject);
        let audit = vec![entry];
        if let (Some(case), Some(key)) = (&case, incident.key) {
            let data = json!({ "incident": key, "variables": value.variables, "reason": why, "by": caller.actor() });
            return Ok(Doing::one(names.fact(kind, Some(case.id), data), audit));
        }
        state.api.door.remedy(&incident, remedy, &caller.actor()).await?;
        Ok(Doing { events: Vec::new(), answer: accepted(&names.event()), audit, then: None })
    })
    .await
}

/// Tries again what failed.
#[utoipa::path(tag = "incidents", params(("no" = i64, Path)), request_body = Decision, responses((status = 202, description = "Published", body = Accepted)))]
#[post("/v1/incidents/{no}/retry")]
pub(crate) async fn retry(
    state: web::Data<State>,
    caller: Caller,
    no: web::Path<String>,
    told: Told<Decision>,
) -> Result<HttpResponse, Fault> {
    decide(&state, &caller, &no, told, Remedy::Retry).await
}

/// Goes on without what failed, with the variables it would have given.
#[utoipa::path(tag = "incidents", params(("no" = i64, Path)), request_body = Decision, responses((status = 202, description = "Published", body = Accepted)))]
#[post("/v1/incidents/{no}/skip")]
pub(crate) async fn skip(
    state: web::Data<State>,
    caller: Caller,
    no: web::Path<String>,
    told: Told<Decision>,
) -> Result<HttpResponse, Fault> {
    decide(&state, &caller, &no, told, Remedy::Skip).await
}
