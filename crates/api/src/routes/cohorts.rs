//! Roster files: who is to be invited.

use actix_web::{HttpResponse, get, post, web};
use halsonav_domain::RoundId;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    Cohort, Format, Upload,
    access::Caller,
    body::ToldFile,
    once::{Accepted, Doing, accepted, once},
    problem::Fault,
    state::State,
};

/// Where a roster goes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ImportQuery {
    /// The round: letters, digits, `-` and `_`.
    round: String,
}

/// Roster files taken in, the latest first.
#[utoipa::path(tag = "cohorts", responses((status = 200, description = "The files", body = Vec<Cohort>)))]
#[get("/v1/cohorts")]
pub(crate) async fn list(
    state: web::Data<State>,
    caller: Caller,
) -> Result<web::Json<Vec<Cohort>>, Fault> {
    region_wide(&caller)?;
    Ok(web::Json(state.api.door.cohorts().await?))
}

/// Takes a roster file in. It is read afterwards; `GET /v1/cohorts` tells how that went.
#[utoipa::path(
    tag = "cohorts",
    params(ImportQuery),
    request_body(content((String = "text/csv"), (String = "application/x-ndjson")), description = "One person a row, as the roster adapter describes it"),
    responses((status = 202, description = "Kept, and to be read", body = Accepted))
)]
#[post("/v1/cohorts")]
pub(crate) async fn import(
    state: web::Data<State>,
    caller: Caller,
    query: web::Query<ImportQuery>,
    told: ToldFile,
) -> Result<HttpResponse, Fault> {
    region_wide(&caller)?;
    let round = round(&query.round)?;
    let format = match told.media_type.as_str() {
        "text/csv" => Format::Csv,
        "application/x-ndjson" => Format::JsonLines,
        _ => return Err(Fault::media_type().because("text/csv and application/x-ndjson are")),
    };
    if told.file.is_empty() {
        return Err(Fault::body().because("the file is empty"));
    }
    once(&state, &caller, &told.ticket, async |names| {
        let (id, by) = (names.uuid(), caller.actor());
        let upload = Upload {
            id,
            round,
            format,
            file: told.file,
            by,
            at: state.now(),
        };
        state.api.door.import(upload).await?;
        let detail = serde_json::json!({ "cohort": id });
        let audit = vec![state.bare(&caller, "copy", "import-cohort", detail)];
        Ok(Doing {
            events: Vec::new(),
            answer: accepted(&id.to_string()),
            audit,
            then: None,
        })
    })
    .await
}

/// What concerns the whole region is for those who work for all of it.
pub(crate) fn region_wide(caller: &Caller) -> Result<(), Fault> {
    if caller.serves_all() {
        Ok(())
    } else {
        Err(Fault::forbidden())
    }
}

/// The id of a round that may be new.
pub(crate) fn round(text: &str) -> Result<RoundId, Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
        Ok(RoundId(text.to_owned()))
    } else {
        Err(Fault::query().because("a round has letters, digits, - and _"))
    }
}
