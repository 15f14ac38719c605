//! Before anything else: who asks, and may they? Nothing of a body is read here or before.

use actix_web::{
    Error, HttpMessage, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
    web,
};

use crate::{
    access::{Caller, ROUTES},
    problem::Fault,
    state::State,
    token,
};

/// What anyone may read: whether the hub lives, and the contract.
const OPEN: &[&str] = &["/health/live", "/health/ready", "/openapi.json"];

/// Lets a request through to its handler, with its [`Caller`], or answers it.
pub(crate) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(state) = request.app_data::<web::Data<State>>().cloned() else {
        return Err(Fault::internal().into());
    };
    let method = request.method().to_string();
    // Never the path itself: what somebody wrote into it by mistake stays out of the log.
    let route = request.match_pattern().unwrap_or_default();
    let answer = match admit(&state, &request, &route) {
        Err(fault) => {
            let response = fault.error_response();
            request.into_response(response)
        }
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            let limit = state.api.settings.request_timeout;
            match tokio::time::timeout(limit, next.call(request)).await {
                Ok(answer) => answer?.map_into_boxed_body(),
                Err(_) => return Err(Fault::unavailable().because("it took too long").into()),
            }
        }
    };
    tracing::info!(method, route, status = answer.status().as_u16(), "request");
    Ok(answer)
}

fn admit(state: &State, request: &ServiceRequest, route: &str) -> Result<Option<Caller>, Fault> {
    if OPEN.contains(&request.path()) {
        return Ok(None);
    }
    let settings = &state.api.settings;
    let caller = bearer(request)
        .ok_or(token::Refused("no bearer token"))
        .and_then(|token| token::read(settings, token, state.now()))
        .map_err(|token::Refused(why)| {
            tracing::info!(code = "HUB-API-001", why, "token refused");
            Fault::unauthorized()
        })?;
    if route.is_empty() {
        return Err(Fault::not_found());
    }
    let method = request.method().as_str();
    let row = ROUTES
        .iter()
        .find(|row| row.path == route && row.method == method);
    let row = row.ok_or_else(Fault::method)?;
    if !caller.may(row.allowed) {
        tracing::info!(
            code = "HUB-API-002",
            operation = row.operation,
            "role refused"
        );
        return Err(Fault::forbidden());
    }
    Ok(Some(caller))
}

/// The token of the one `Authorization` header.
fn bearer(request: &ServiceRequest) -> Option<&str> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let (Some(value), None) = (headers.next(), headers.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start())
}
