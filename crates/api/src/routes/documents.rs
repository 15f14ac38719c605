//! Rendered documents of a case.

use actix_web::{HttpResponse, get, http::header, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{access::Caller, problem::Fault, state::State};

/// A document that can be fetched.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentName {
    /// `profile`, `letter`, `summary`.
    kind: String,
    /// What tells it from others of its kind.
    key: String,
}

/// The profile as a picture.
#[utoipa::path(tag = "records", params(("case" = Uuid, Path)), responses((status = 200, description = "The picture", body = String, content_type = "image/svg+xml")))]
#[get("/v1/cases/{case}/profile.svg")]
pub(crate) async fn picture(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Fault> {
    fetch(
        &state,
        &caller,
        "get-profile-picture",
        &id,
        ("profile", "profile"),
    )
    .await
}

/// Documents of a case.
#[utoipa::path(tag = "records", params(("case" = Uuid, Path)), responses((status = 200, description = "Their names", body = Vec<DocumentName>)))]
#[get("/v1/cases/{case}/documents")]
pub(crate) async fn list(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<web::Json<Vec<DocumentName>>, Fault> {
    let case = state.read_case(&caller, "list-documents", &id).await?.id;
    let names = state.read(move |r| r.documents(&case)).await?;
    Ok(web::Json(
        names
            .into_iter()
            .map(|(kind, key)| DocumentName { kind, key })
            .collect(),
    ))
}

/// A document: PDF or SVG.
#[utoipa::path(
    tag = "records",
    params(("case" = Uuid, Path), ("kind" = String, Path), ("key" = String, Path)),
    responses((status = 200, description = "The document", content((String = "application/pdf"), (String = "image/svg+xml"))))
)]
#[get("/v1/cases/{case}/documents/{kind}/{key}")]
pub(crate) async fn one(
    state: web::Data<State>,
    caller: Caller,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, Fault> {
    let (id, kind, key) = path.into_inner();
    fetch(&state, &caller, "get-document", &id, (&kind, &key)).await
}

async fn fetch(
    state: &State,
    caller: &Caller,
    operation: &str,
    id: &str,
    (kind, key): (&str, &str),
) -> Result<HttpResponse, Fault> {
    let case = state.read_case(caller, operation, id).await?.id;
    let (kind, key) = (kind.to_owned(), key.to_owned());
    let document = state
        .read(move |r| r.document(&case, &kind, &key))
        .await?
        .ok_or_else(Fault::not_found)?;
    Ok(picture_or_page(&document.media_type, document.bytes))
}

/// A file that a browser shows and never runs.
pub(crate) fn picture_or_page(media_type: &str, bytes: Vec<u8>) -> HttpResponse {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
    HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .body(bytes)
}
