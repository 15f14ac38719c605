//! What an operator does to a case. Each is a fact `operator.*` that the processor turns into an
//! input of the engine.

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::{
    access::Caller,
    body::Told,
    once::{Accepted, Doing, once},
    problem::Fault,
    state::State,
};

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// For those who read it later. No personal data.
    pub(crate) reason: String,
}

/// Other values.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetVariables {
    /// Name → value.
    #[schema(value_type = Object)]
    variables: Map<String, Value>,
    /// Key of the scope; 0 is the whole case.
    #[serde(default)]
    scope: u64,
    /// For those who read it later. No personal data.
    reason: String,
}

/// A reason that says something.
pub(crate) fn reason(text: &str) -> Result<&str, Fault> {
    let text = text.trim();
    if (1..=500).contains(&text.chars().count()) {
        Ok(text)
    } else {
        Err(Fault::unacceptable().because("reason has 1 to 500 characters"))
    }
}

async fn operate(
    state: &State,
    caller: &Caller,
    id: &str,
    told: Told<Value>,
    (operation, kind): (&str, &str),
) -> Result<HttpResponse, Fault> {
    let case = state.case(caller, id).await?;
    once(state, caller, &told.ticket, async |names| {
        let mut data = told.value;
        data["by"] = json!(caller.actor());
        let audit = vec![state.entry(caller, "decide", operation, &case)];
        Ok(Doing::one(names.fact(kind, Some(case.id), data), audit))
    })
    .await
}

async fn with_reason(
    state: &State,
    caller: &Caller,
    id: &str,
    told: Told<Reason>,
    what: (&str, &str),
) -> Result<HttpResponse, Fault> {
    let value = json!({ "reason": reason(&told.value.reason)? });
    operate(
        state,
        caller,
        id,
        Told {
            value,
            ticket: told.ticket,
        },
        what,
    )
    .await
}

/// Holds a case: nothing moves it until it is resumed.
#[utoipa::path(tag = "operations", params(("case" = Uuid, Path)), request_body = Reason, responses((status = 202, description = "Published", body = Accepted)))]
#[post("/v1/cases/{case}/suspend")]
pub(crate) async fn suspend(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
    told: Told<Reason>,
) -> Result<HttpResponse, Fault> {
    with_reason(
        &state,
        &caller,
        &id,
        told,
        ("suspend-case", "operator.suspend"),
    )
    .await
}

/// Lets a held case go on.
#[utoipa::path(tag = "operations", params(("case" = Uuid, Path)), request_body = Reason, responses((status = 202, description = "Published", body = Accepted)))]
#[post("/v1/cases/{case}/resume")]
pub(crate) async fn resume(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
    told: Told<Reason>,
) -> Result<HttpResponse, Fault> {
    with_reason(
        &state,
        &caller,
        &id,
        told,
        ("resume-case", "operator.resume"),
    )
    .await
}

/// Ends a case.
#[utoipa::path(tag = "operations", params(("case" = Uuid, Path)), request_body = Reason, responses((status = 202, description = "Published", body = Accepted)))]
#[post("/v1/cases/{case}/cancel")]
pub(crate) async fn cancel(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
    told: Told<Reason>,
) -> Result<HttpResponse, Fault> {
    with_reason(
        &state,
        &caller,
        &id,
        told,
        ("cancel-case", "operator.cancel"),
    )
    .await
}

/// Gives variables of a case other values, before an incident is tried again.
#[utoipa::path(tag = "operations", params(("case" = Uuid, Path)), request_body = SetVariables, responses((status = 202, description = "Published", body = Accepted)))]
#[post("/v1/cases/{case}/variables")]
pub(crate) async fn variables(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
    told: Told<SetVariables>,
) -> Result<HttpResponse, Fault> {
    let SetVariables {
        variables,
        scope,
        reason: why,
    } = told.value;
    let value = json!({ "variables": variables, "scope": scope, "reason": reason(&why)? });
    let told = Told {
        value,
        ticket: told.ticket,
    };
    operate(
        &state,
        &caller,
        &id,
        told,
        ("set-variables", "operator.set-variables"),
    )
    .await
}
