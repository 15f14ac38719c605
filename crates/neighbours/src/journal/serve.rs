//! The RESTful interface (R4 §3.1): read, update as create, capabilities.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
    web,
};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{Archive, Document};
use crate::faults::Fault;

const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/fhir/metadata", web::get().to(metadata))
        .route("/fhir/Bundle/{id}", web::put().to(put))
        .route("/fhir/Bundle/{id}", web::get().to(get))
        .default_service(web::to(async || {
            problem(
                StatusCode::NOT_FOUND,
                "not-supported",
                "no such interaction".to_owned(),
            )
        }));
}

async fn metadata(archive: web::Data<Archive>) -> HttpResponse {
    fhir(StatusCode::OK).json(json!({
        "resourceType": "CapabilityStatement", "status": "active", "kind": "instance",
        "date": archive.clock.now(), "fhirVersion": "4.0.1", "format": ["json"],
        "rest": [{ "mode": "server", "resource": [{
            "type": "Bundle", "interaction": [{ "code": "read" }, { "code": "update" }],
            "updateCreate": true,
        }] }],
    }))
}

async fn put(
    archive: web::Data<Archive>,
    id: web::Path<String>,
    request: HttpRequest,
    body: Bytes,
) -> HttpResponse {
    if let Some(refusal) = stranger(&archive, &request) {
        return refusal;
    }
    let fault = archive.faults.take();
    match fault {
        Some(Fault::DropRequest) => return silence(),
        Some(Fault::Technical) => {
            return problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "transient",
                "not now".to_owned(),
            );
        }
        Some(Fault::Logical) => {
            // As real servers do, it repeats what it was told: the caller must not pass it on.
            let text = format!("refused for {}", person(&body_of(&body)));
            return problem(StatusCode::UNPROCESSABLE_ENTITY, "business-rule", text);
        }
        Some(Fault::Garbage) => return noise(),
        Some(Fault::LoseAnswer | Fault::WrongAnswer) | None => {}
    }
    let answer = keep(&archive, &id, &request, &body);
    match fault {
        Some(Fault::LoseAnswer) => silence(),
        Some(Fault::WrongAnswer) => created(StatusCode::CREATED, "someone-else"),
        _ => answer,
    }
}

async fn get(
    archive: web::Data<Archive>,
    id: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    if let Some(refusal) = stranger(&archive, &request) {
        return refusal;
    }
    match archive.faults.take() {
        Some(Fault::LoseAnswer | Fault::DropRequest) => return silence(),
        Some(Fault::Technical) => {
            return problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "transient",
                "not now".to_owned(),
            );
        }
        Some(Fault::Logical) => {
            return problem(StatusCode::FORBIDDEN, "forbidden", "not for you".to_owned());
        }
        Some(Fault::Garbage) => return noise(),
        Some(Fault::WrongAnswer) => {
            return fhir(StatusCode::OK).json(
                json!({ "resourceType": "Bundle", "id": "someone-else", "type": "document" }),
            );
        }
        None => {}
    }
    match archive.state().find(&id) {
        Some(document) => fhir(StatusCode::OK).body(document.text.clone()),
        None => problem(
            StatusCode::NOT_FOUND,
            "not-found",
            "no such document".to_owned(),
        ),
    }
}

/// Reads, checks and keeps a document.
fn keep(archive: &Archive, id: &str, request: &HttpRequest, body: &[u8]) -> HttpResponse {
    let invalid = |text: String| problem(StatusCode::BAD_REQUEST, "invalid", text);
    let media = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !media.starts_with("application/fhir+json") {
        return problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not-supported",
            "application/fhir+json".to_owned(),
        );
    }
    let Ok(bundle) = serde_json::from_slice::<Value>(body) else {
        return invalid("not JSON".to_owned());
    };
    if bundle["id"] != id {
        return invalid("the id in the address is not the resource's".to_owned());
    }
    if let Err(faults) = halsonav_fhir::rules::check(&bundle) {
        let faults: Vec<_> = faults
            .iter()
            .map(|fault| format!("{}: {}", fault.at, fault.rule))
            .collect();
        return problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invariant",
            faults.join("; "),
        );
    }
    let mut state = archive.state();
    if let Some(known) = state.find(id) {
        let absent = request.headers().contains_key(header::IF_NONE_MATCH);
        return match (absent, known.bundle() == bundle) {
            (true, _) => problem(
                StatusCode::PRECONDITION_FAILED,
                "conflict",
                "it is here already".to_owned(),
            ),
            (false, true) => created(StatusCode::OK, id),
            (false, false) => problem(
                StatusCode::CONFLICT,
                "conflict",
                "a document is never changed".to_owned(),
            ),
        };
    }
    let document = Document {
        id: id.to_owned(),
        person: person(&bundle),
        text: bundle.to_string(),
        received: archive.clock.now(),
    };
    if let Err(error) = archive.tape.append(&document) {
        tracing::warn!(%error, "the journal cannot remember");
        return problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "exception",
            "cannot remember".to_owned(),
        );
    }
    state.keep(document);
    created(StatusCode::CREATED, id)
}

fn body_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

/// Number of the first Patient.
fn person(bundle: &Value) -> String {
    let entries = bundle["entry"].as_array();
    entries
        .into_iter()
        .flatten()
        .map(|entry| &entry["resource"])
        .find(|resource| resource["resourceType"] == "Patient")
        .and_then(|patient| patient["identifier"][0]["value"].as_str())
        .unwrap_or_default()
        .to_owned()
}

fn stranger(archive: &Archive, request: &HttpRequest) -> Option<HttpResponse> {
    let wanted = format!("Bearer {}", archive.token.as_ref()?);
    let shown = request.headers().get(header::AUTHORIZATION);
    (shown.is_none_or(|shown| shown.as_bytes() != wanted.as_bytes()))
        .then(|| problem(StatusCode::UNAUTHORIZED, "login", "who are you?".to_owned()))
}

fn fhir(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.content_type(FHIR_JSON);
    response
}

fn created(status: StatusCode, id: &str) -> HttpResponse {
    fhir(status)
        .insert_header((header::LOCATION, format!("/fhir/Bundle/{id}/_history/1")))
        .insert_header((header::ETAG, "W/\"1\""))
        .finish()
}

fn problem(status: StatusCode, code: &str, text: String) -> HttpResponse {
    let mut response = fhir(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((header::RETRY_AFTER, "7"));
    }
    response.json(json!({
        "resourceType": "OperationOutcome",
        "issue": [{ "severity": "error", "code": code, "diagnostics": text }],
    }))
}

fn noise() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html")
        .body("<html><body>502 Bad Gateway</body></html>")
}

/// The connection breaks in the middle of the answer.
fn silence() -> HttpResponse {
    let cut = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    let parts = [Ok(Bytes::from_static(b"{")), Err(cut)];
    HttpResponse::Ok()
        .content_type(FHIR_JSON)
        .streaming(futures::stream::iter(parts))
}
