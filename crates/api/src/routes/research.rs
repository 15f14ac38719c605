//! Data for research, of those who consented.

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{cohorts::region_wide, rounds::existing};
use crate::{
    ExportOrder,
    access::Caller,
    body::Told,
    once::{Accepted, Doing, accepted, once},
    problem::Fault,
    state::State,
};

/// An export.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// The round.
    round: String,
    /// The research project.
    project: String,
}

/// Orders an export to the region's research store.
#[utoipa::path(tag = "research", request_body = Export, responses((status = 202, description = "Ordered", body = Accepted)))]
#[post("/v1/research/exports")]
pub(crate) async fn export(
    state: web::Data<State>,
    caller: Caller,
    told: Told<Export>,
) -> Result<HttpResponse, Fault> {
    region_wide(&caller)?;
    let Told { value, ticket } = told;
    let round = existing(&state, &value.round).await?.id;
    once(&state, &caller, &ticket, async |names| {
        let (id, by) = (names.uuid(), caller.actor());
        let detail =
            serde_json::json!({ "export": id, "round": round.0, "project": value.project });
        state
            .api
            .door
            .export(ExportOrder {
                id,
                round,
                project: value.project,
                by,
                at: state.now(),
            })
            .await?;
        let audit = vec![state.bare(&caller, "copy", "export-research", detail)];
        Ok(Doing {
            events: Vec::new(),
            answer: accepted(&id.to_string()),
            audit,
            then: None,
        })
    })
    .await
}
