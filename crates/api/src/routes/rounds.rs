//! Units, rounds, their ledger and funnel.

use actix_web::{get, web};
use halsonav_domain::{RoundId, Timestamp};
use halsonav_storage::{CaseState, Round};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Unit, access::Caller, problem::Fault, state::State};

/// A round: one campaign of a cohort.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoundView {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// When opened.
    opened: Timestamp,
    /// When closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<Timestamp>,
}

/// Where the cases of the caller's units stand: invited = ended + waiting + incident.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerView {
    /// All cases.
    invited: u64,
    /// Something will move them.
    waiting: u64,
    /// In need of an operator.
    incident: u64,
    /// Ended, by outcome.
    ended: Vec<OutcomeCount>,
    /// Waiting with nothing that could ever move them: a fault when not 0. Shown to those who see
    /// the whole region.
    #[serde(skip_serializing_if = "Option::is_none")]
    unaccounted: Option<u64>,
    /// The sum is right and nothing is unaccounted.
    adds_up: bool,
}

/// How many ended in one way.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutcomeCount {
    /// The way, in the process file's words.
    outcome: String,
    /// Cases.
    cases: u64,
}

/// How many cases of a unit have reached a milestone.
#[derive(Debug, Serialize, ToSchema)]
pub struct FunnelStep {
    /// The unit.
    unit: String,
    /// The milestone.
    milestone: String,
    /// Cases that have reached it.
    cases: u64,
}

impl From<Round> for RoundView {
    fn from(round: Round) -> Self {
        Self {
            id: round.id.0,
            name: round.name,
            opened: round.opened,
            closed: round.closed,
        }
    }
}

/// A round that exists.
pub(crate) async fn existing(state: &State, id: &str) -> Result<Round, Fault> {
    let id = RoundId(id.to_owned());
    state
        .read(move |r| r.round(&id))
        .await?
        .ok_or_else(Fault::not_found)
}

/// Care units.
#[utoipa::path(tag = "rounds", responses((status = 200, description = "All units", body = Vec<Unit>)))]
#[get("/v1/units")]
pub(crate) async fn units(state: web::Data<State>) -> web::Json<Vec<Unit>> {
    web::Json(state.api.settings.units.clone())
}

/// Rounds, in order of opening.
#[utoipa::path(tag = "rounds", responses((status = 200, description = "All rounds", body = Vec<RoundView>)))]
#[get("/v1/rounds")]
pub(crate) async fn list(state: web::Data<State>) -> Result<web::Json<Vec<RoundView>>, Fault> {
    let rounds = state.read(|r| r.rounds()).await?;
    Ok(web::Json(rounds.into_iter().map(RoundView::from).collect()))
}

/// One round.
#[utoipa::path(tag = "rounds", params(("round" = String, Path)), responses((status = 200, description = "The round", body = RoundView)))]
#[get("/v1/rounds/{round}")]
pub(crate) async fn one(
    state: web::Data<State>,
    round: web::Path<String>,
) -> Result<web::Json<RoundView>, Fault> {
    Ok(web::Json(existing(&state, &round).await?.into()))
}

/// Where every case of the caller's units stands, added up.
#[utoipa::path(tag = "rounds", params(("round" = String, Path)), responses((status = 200, description = "The ledger", body = LedgerView)))]
#[get("/v1/rounds/{round}/ledger")]
pub(crate) async fn ledger(
    state: web::Data<State>,
    caller: Caller,
    round: web::Path<String>,
) -> Result<web::Json<LedgerView>, Fault> {
    let round = existing(&state, &round).await?.id;
    let whole = caller.serves_all();
    let (rows, unaccounted) = state
        .read(move |r| {
            let rows = r.standing(Some(&round))?;
            let unaccounted = if whole {
                Some(r.totals(Some(&round))?.unaccounted)
            } else {
                None
            };
            Ok((rows, unaccounted))
        })
        .await?;
    let mut view = LedgerView {
        unaccounted,
        ..LedgerView::default()
    };
    let mut ended = std::collections::BTreeMap::<String, u64>::new();
    for row in rows.into_iter().filter(|row| caller.serves(&row.unit)) {
        view.invited += row.cases;
        match row.state {
            CaseState::Waiting => view.waiting += row.cases,
            CaseState::Incident => view.incident += row.cases,
            CaseState::Ended => {
                *ended.entry(row.outcome.unwrap_or_default()).or_default() += row.cases
            }
        }
    }
    let over: u64 = ended.values().sum();
    view.ended = ended
        .into_iter()
        .map(|(outcome, cases)| OutcomeCount { outcome, cases })
        .collect();
    view.adds_up =
        view.invited == view.waiting + view.incident + over && unaccounted.unwrap_or(0) == 0;
    Ok(web::Json(view))
}

/// How far the cases of the caller's units have come.
#[utoipa::path(tag = "rounds", params(("round" = String, Path)), responses((status = 200, description = "The funnel", body = Vec<FunnelStep>)))]
#[get("/v1/rounds/{round}/funnel")]
pub(crate) async fn funnel(
    state: web::Data<State>,
    caller: Caller,
    round: web::Path<String>,
) -> Result<web::Json<Vec<FunnelStep>>, Fault> {
    let round = existing(&state, &round).await?.id;
    let rows = state.read(move |r| r.funnel(Some(&round))).await?;
    let mine = rows.into_iter().filter(|row| caller.serves(&row.unit));
    let steps = mine.map(|row| FunnelStep {
        unit: row.unit.to_string(),
        milestone: row.milestone,
        cases: row.cases,
    });
    Ok(web::Json(steps.collect()))
}
