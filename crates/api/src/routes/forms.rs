//! Answers on paper or with help. Digital answers come by themselves.

use actix_web::{HttpResponse, post, web};
use halsonav_domain::event::{Event, FormCompleted};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::work_result::{finish, open_item};
use crate::{
    access::Caller,
    body::Told,
    once::{Accepted, Doing, once},
    problem::Fault,
    state::State,
};

/// Answers to a form.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answers {
    /// Question code → value: a string, a number, or a list of strings.
    #[schema(value_type = Object)]
    answers: Value,
    /// How they were given.
    mode: Mode,
    /// The form in 1177 that these answers stand in for, when it is known.
    #[serde(default)]
    form_id: Option<String>,
}

/// How answers were given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// On paper.
    Paper,
    /// With help.
    Assisted,
}

/// Answers to a form that the region has, or everything that is wrong with them.
pub(crate) fn validate(state: &State, form: &str, answers: &Value) -> Result<(), Fault> {
    state
        .api
        .door
        .validate_answers(form, answers)
        .map_err(|faults| Fault::unacceptable().with(faults))
}

/// Answers given on paper or with help. Where someone is to enter or help with this very form, that
/// work item is done with it; otherwise the form counts as answered as it would in 1177.
#[utoipa::path(
    tag = "records",
    params(("case" = Uuid, Path), ("template" = String, Path)),
    request_body = Answers,
    responses((status = 202, description = "Published", body = Accepted))
)]
#[post("/v1/cases/{case}/forms/{template}/answers")]
pub(crate) async fn answer(
    state: web::Data<State>,
    caller: Caller,
    path: web::Path<(String, String)>,
    told: Told<Answers>,
) -> Result<HttpResponse, Fault> {
    let (id, template) = path.into_inner();
    let case = state.case(&caller, &id).await?;
    if !state.api.settings.forms.contains(&template) {
        return Err(Fault::not_found());
    }
    let Told { value, ticket } = told;
    validate(&state, &template, &value.answers)?;
    once(&state, &caller, &ticket, async |names| {
        let mode = if value.mode == Mode::Paper { "paper" } else { "assisted" };
        let wanted = template.clone();
        let item = open_item(&state, &case, move |item| {
            let entering = matches!(item.form.as_deref(), Some("paper-form" | "assisted-form"));
            entering && item.payload.get("form").and_then(Value::as_str) == Some(&wanted)
        });
        if let Some(item) = item.await? {
            let result = json!({ "outcome": "entered", "form": template, "mode": mode, "answers": value.answers });
            return finish(&state, &caller, "answer-form", &case, item, None, result).await;
        }
        let form_id = value.form_id.unwrap_or_default();
        let data = FormCompleted { form_id: form_id.clone(), template, answers: value.answers, mode: mode.to_owned() };
        let mut event = names.fact(FormCompleted::TYPE, Some(case.id), data.data());
        if !form_id.is_empty() {
            event = event.correlated(form_id);
        }
        Ok(Doing::one(event, vec![state.entry(&caller, "alter", "answer-form", &case)]))
    })
    .await
}
