//! What cases run on.

use actix_web::{HttpResponse, get, web};
use halsonav_domain::Timestamp;
use halsonav_storage::StoredDefinition;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::documents::picture_or_page;
use crate::{problem::Fault, state::State};

/// A deployed file.
#[derive(Debug, Serialize, ToSchema)]
pub struct DefinitionView {
    /// `bpmn`, `dmn`, `form`, `instrument`.
    kind: String,
    /// Its id.
    id: String,
    /// Its version, counted from 1 for each kind and id.
    version: u32,
    /// Version tag of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    /// Files of one deployment belong together.
    deployment: String,
    /// Digest of the text.
    digest: String,
    /// When.
    deployed: Timestamp,
    /// The text, when one definition is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// Which kind of definition.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct DefinitionQuery {
    /// `bpmn` (unless told), `dmn`, `form`, `instrument`.
    kind: Option<String>,
}

fn view(stored: StoredDefinition, whole: bool) -> DefinitionView {
    let definition = stored.definition;
    DefinitionView {
        kind: definition.kind,
        id: definition.id,
        version: stored.version,
        tag: definition.tag,
        deployment: definition.deployment,
        digest: definition.digest,
        deployed: stored.deployed,
        text: whole.then_some(definition.text),
    }
}

/// All deployed files, in order of deployment.
#[utoipa::path(tag = "definitions", responses((status = 200, description = "The files, without text", body = Vec<DefinitionView>)))]
#[get("/v1/definitions")]
pub(crate) async fn list(state: web::Data<State>) -> Result<web::Json<Vec<DefinitionView>>, Fault> {
    let all = state.read(|r| r.definitions()).await?;
    Ok(web::Json(
        all.into_iter().map(|stored| view(stored, false)).collect(),
    ))
}

/// One deployed file with its text.
#[utoipa::path(
    tag = "definitions",
    params(("id" = String, Path), ("version" = u32, Path), DefinitionQuery),
    responses((status = 200, description = "The file", body = DefinitionView))
)]
#[get("/v1/definitions/{id}/{version}")]
pub(crate) async fn one(
    state: web::Data<State>,
    path: web::Path<(String, String)>,
    query: web::Query<DefinitionQuery>,
) -> Result<web::Json<DefinitionView>, Fault> {
    let (id, version) = path.into_inner();
    let version: u32 = version.parse().map_err(|_| Fault::not_found())?;
    let kind = query.into_inner().kind.unwrap_or_else(|| "bpmn".to_owned());
    let stored = state
        .read(move |r| r.definition(&kind, &id, Some(version)))
        .await?;
    stored
        .map(|stored| web::Json(view(stored, true)))
        .ok_or_else(Fault::not_found)
}

/// The drawing of a process.
#[utoipa::path(
    tag = "definitions",
    params(("id" = String, Path), ("version" = u32, Path)),
    responses((status = 200, description = "The drawing", body = String, content_type = "image/svg+xml"))
)]
#[get("/v1/definitions/{id}/{version}/picture.svg")]
pub(crate) async fn picture(
    state: web::Data<State>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Fault> {
    let (id, version) = path.into_inner();
    let version: u32 = version.parse().map_err(|_| Fault::not_found())?;
    let svg = state
        .api
        .door
        .picture(&id, version)
        .await
        .ok_or_else(Fault::not_found)?;
    Ok(picture_or_page("image/svg+xml", svg.into_bytes()))
}
