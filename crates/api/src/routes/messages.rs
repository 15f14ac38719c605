//! A message to whichever process waits for it.

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::cohorts::region_wide;
use crate::{
    access::Caller,
    body::Told,
    once::{Accepted, Doing, once},
    problem::Fault,
    state::State,
};

/// A message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Message {
    /// Name of the BPMN message, such as `sample.delivered`.
    name: String,
    /// Correlation key, as the process file computes it. Never a personal identity number.
    correlation_key: String,
    /// Variables.
    #[serde(default)]
    #[schema(value_type = Object)]
    variables: Map<String, Value>,
}

/// Facts that are the hub's own to tell, or that have a route of their own with its own checks.
const OURS: &[&str] = &[
    "operator.",
    "command.",
    "work-item.",
    "case.",
    "person.",
    "resident.",
    "consent.",
    "form.",
    "measurements.",
    "signal",
];

/// A message, by name and correlation key, to the processes that wait for it. What nobody waits for
/// is dropped.
#[utoipa::path(tag = "messages", request_body = Message, responses((status = 202, description = "Published", body = Accepted)))]
#[post("/v1/messages")]
pub(crate) async fn message(
    state: web::Data<State>,
    caller: Caller,
    told: Told<Message>,
) -> Result<HttpResponse, Fault> {
    region_wide(&caller)?;
    let Told { value, ticket } = told;
    let named = (1..=100).contains(&value.name.len())
        && value
            .name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    if !named || OURS.iter().any(|ours| value.name.starts_with(ours)) {
        return Err(Fault::unacceptable()
            .because("the name is not one that a message from outside may have"));
    }
    if !(1..=200).contains(&value.correlation_key.len()) {
        return Err(Fault::unacceptable().because("correlationKey has 1 to 200 characters"));
    }
    once(&state, &caller, &ticket, async |names| {
        let event = names
            .fact(&value.name, None, Value::Object(value.variables))
            .correlated(value.correlation_key);
        let audit = vec![state.bare(
            &caller,
            "alter",
            "send-message",
            serde_json::json!({ "name": value.name }),
        )];
        Ok(Doing::one(event, audit))
    })
    .await
}
