//! What is known of a case: forms, measurements, bookings, letters, messages, consents, profile.

use actix_web::{get, web};
use halsonav_domain::Timestamp;
use halsonav_storage::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{access::Caller, problem::Fault, state::State};

/// A fact about a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordView {
    /// `booking`, `letter`, `message`, `form`, `lab`, `measurements`, `consent`, `profile` …
    kind: String,
    /// What tells it from others of its kind.
    key: String,
    /// When it happened.
    at: Timestamp,
    /// The data, in the shape of its kind.
    #[schema(value_type = Object)]
    data: Value,
}

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct RecordQuery {
    /// Only this kind.
    kind: Option<String>,
}

impl From<Record> for RecordView {
    fn from(record: Record) -> Self {
        Self {
            kind: record.kind,
            key: record.key,
            at: record.at,
            data: record.data,
        }
    }
}

/// What is known of a case, in order of time.
#[utoipa::path(tag = "records", params(("case" = Uuid, Path), RecordQuery), responses((status = 200, description = "The records", body = Vec<RecordView>)))]
#[get("/v1/cases/{case}/records")]
pub(crate) async fn list(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
    query: web::Query<RecordQuery>,
) -> Result<web::Json<Vec<RecordView>>, Fault> {
    let case = state.read_case(&caller, "list-records", &id).await?.id;
    let kind = query.into_inner().kind;
    let records = state
        .read(move |r| r.records(&case, kind.as_deref()))
        .await?;
    Ok(web::Json(
        records.into_iter().map(RecordView::from).collect(),
    ))
}

/// The profile: levels by dimension.
#[utoipa::path(tag = "records", params(("case" = Uuid, Path)), responses((status = 200, description = "The profile", body = RecordView)))]
#[get("/v1/cases/{case}/profile")]
pub(crate) async fn profile(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<web::Json<RecordView>, Fault> {
    let case = state.read_case(&caller, "get-profile", &id).await?.id;
    let profile = state
        .read(move |r| r.records(&case, Some("profile")))
        .await?
        .pop();
    profile
        .map(|record| web::Json(record.into()))
        .ok_or_else(Fault::not_found)
}
