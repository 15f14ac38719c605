//! Whether the hub lives and can work, its metrics, and this contract.

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Door, openapi};

/// Whether the hub can do its work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// Every part can.
    ready: bool,
    /// The parts.
    parts: Vec<PartView>,
}

/// A part of the hub.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartView {
    /// Its name.
    name: String,
    /// It can do its work.
    ok: bool,
}

/// The process lives.
#[utoipa::path(tag = "health", responses((status = 204, description = "It lives")))]
#[get("/health/live")]
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// The hub can do its work. Details are in the log.
#[utoipa::path(tag = "health", responses((status = 200, description = "It can", body = Readiness), (status = 503, description = "It cannot", body = Readiness)))]
#[get("/health/ready")]
pub(crate) async fn ready(door: web::Data<dyn Door>) -> HttpResponse {
    let parts = door.ready().await;
    for part in parts.iter().filter(|part| !part.ok) {
        tracing::warn!(part = part.name, detail = part.detail, "not ready");
    }
    let ready = parts.iter().all(|part| part.ok);
    let parts = parts
        .into_iter()
        .map(|part| PartView {
            name: part.name,
            ok: part.ok,
        })
        .collect();
    let mut response = if ready {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    response.json(Readiness { ready, parts })
}

/// Metrics in Prometheus' text format.
#[utoipa::path(tag = "health", responses((status = 200, description = "The metrics", body = String, content_type = "text/plain")))]
#[get("/metrics")]
pub(crate) async fn metrics(door: web::Data<dyn Door>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(door.metrics().await)
}

/// This contract.
#[utoipa::path(tag = "health", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
#[get("/openapi.json")]
pub(crate) async fn contract() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(openapi::text())
}
