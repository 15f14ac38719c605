//! A work item is done, and this came of it.
//!
//! Order: the item is claimed, so that of two who finish at once one does; the fact is published
//! under an id of the item; the item is marked done. A crash between leaves a claimed item whose
//! completion may be repeated: the fact has the same id, and the processor knows it.

use actix_web::{HttpResponse, post, web};
use halsonav_domain::{
    Envelope, Timestamp,
    event::{Event, WorkItemCompleted},
};
use halsonav_storage::{Case, WorkFilter, WorkItem, WorkState};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{forms, measurements, work_items::visible};
use crate::{
    access::{Caller, Role},
    body::Told,
    once::{Accepted, Doing, SOURCE, accepted, once, unless_closed},
    problem::Fault,
    state::State,
};

/// What came of a work item.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// `revision` as read.
    #[serde(default)]
    revision: Option<u64>,
    /// Variables for the process, such as `outcome`; and, where the work calls for them, `start`,
    /// `form` with `answers` and `mode`, `observations`, `consent`.
    #[schema(value_type = Object)]
    result: Map<String, Value>,
}

/// Answers, values and the rest of a result are data, not variables: they are not kept twice.
const KEPT_APART: &[&str] = &["answers", "observations"];

/// A work item is done. Answers and values in the result are checked first.
#[utoipa::path(tag = "work", params(("no" = i64, Path)), request_body = Completion, responses((status = 202, description = "Published", body = Accepted)))]
#[post("/v1/work-items/{no}/complete")]
pub(crate) async fn complete(
    state: web::Data<State>,
    caller: Caller,
    no: web::Path<String>,
    told: Told<Completion>,
) -> Result<HttpResponse, Fault> {
    let (item, case) = visible(&state, &caller, &no).await?;
    if !caller.does(&item.groups) {
        return Err(Fault::forbidden());
    }
    let Told { value, ticket } = told;
    once(&state, &caller, &ticket, async |_| {
        let result = Value::Object(value.result);
        finish(
            &state,
            &caller,
            "complete-work-item",
            &case,
            item,
            value.revision,
            result,
        )
        .await
    })
    .await
}

/// The open work item of a case that `fits`.
pub(crate) async fn open_item(
    state: &State,
    case: &Case,
    fits: impl Fn(&WorkItem) -> bool + Send + 'static,
) -> Result<Option<WorkItem>, Fault> {
    let filter = WorkFilter {
        case: Some(case.id),
        ..WorkFilter::default()
    };
    state
        .read(move |r| {
            Ok(r.work_items(&filter, None, 100)?
                .into_iter()
                .find(|item| fits(item)))
        })
        .await
}

/// Checks the result, claims the item if nobody has, and says what is to be done.
pub(crate) async fn finish(
    state: &State,
    caller: &Caller,
    operation: &str,
    case: &Case,
    mut item: WorkItem,
    revision: Option<u64>,
    result: Value,
) -> Result<Doing, Fault> {
    if !caller.does(&item.groups) && !caller.is(Role::Integration) {
        return Err(Fault::forbidden());
    }
    let mine = item.state == WorkState::Claimed && item.claimed_by.as_deref() == Some(&caller.sub);
    if item.state != WorkState::Open && !mine {
        return Err(Fault::conflict());
    }
    // One that this caller's earlier, broken-off try has claimed has moved on by one.
    let fresh = |seen: u64| seen == item.revision || (mine && seen + 1 == item.revision);
    if revision.is_some_and(|seen| !fresh(seen)) {
        return Err(Fault::conflict());
    }
    let result = checked(state, &item, result, state.now())?;
    if !mine {
        let (no, revision, who) = (item.no, item.revision, caller.sub.clone());
        item.revision = state
            .api
            .storage
            .write_async(move |tx| tx.claim_work_item(no, revision, &who))
            .await?;
    }
    let at = state.now();
    let id = format!("work-item-{}", item.no.0);
    let data = WorkItemCompleted {
        job: item.job,
        result: result.clone(),
    }
    .data();
    let event = Envelope::new(
        SOURCE,
        id.clone(),
        WorkItemCompleted::TYPE,
        Some(item.case),
        at,
        data,
    );
    let (who, kept) = (caller.sub.clone(), without_data(result));
    Ok(Doing {
        events: vec![event],
        answer: accepted(&id),
        audit: vec![state.entry(caller, "alter", operation, case)],
        // The process may have closed the item before this is reached.
        then: Some(Box::new(move |tx| {
            unless_closed(tx.complete_work_item(item.no, item.revision, &who, &kept, at))
        })),
    })
}

fn without_data(mut result: Value) -> Value {
    if let Some(fields) = result.as_object_mut() {
        fields.retain(|name, _| !KEPT_APART.contains(&name.as_str()));
    }
    result
}

/// The result with what the item says itself filled in: which form, answered how.
fn checked(
    state: &State,
    item: &WorkItem,
    mut result: Value,
    now: Timestamp,
) -> Result<Value, Fault> {
    let of = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    if let Some(outcome) = result.get("outcome") {
        let word = outcome
            .as_str()
            .filter(|word| (1..=64).contains(&word.len()));
        word.ok_or_else(|| Fault::unacceptable().because("outcome is a word"))?;
    }
    typed::<bool>(&result, "consent", "true or false")?;
    typed::<Timestamp>(&result, "start", "a time such as 2026-01-31T09:00:00Z")?;
    if let Some(answers) = result.get("answers").cloned() {
        let (name, form) = ["form", "additionalForm"]
            .into_iter()
            .find_map(|name| {
                of(&result, name)
                    .or_else(|| of(&item.payload, name))
                    .map(|form| (name, form))
            })
            .ok_or_else(|| {
                Fault::unacceptable().because("form says which form the answers are to")
            })?;
        forms::validate(state, &form, &answers)?;
        let paper = item.form.as_deref() == Some("paper-form");
        result[name] = json!(form);
        if result.get("mode").is_none() {
            result["mode"] = json!(if paper { "paper" } else { "assisted" });
        }
    }
    typed::<forms::Mode>(&result, "mode", "paper or assisted")?;
    if result.get("observations").is_some() {
        let list = typed::<Vec<measurements::Measured>>(
            &result,
            "observations",
            "a list of code, value and unit",
        )?;
        if let Some(list) = list.filter(|list| !list.is_empty()) {
            result["observations"] = json!(measurements::check(&list, now)?);
        }
    }
    Ok(result)
}

fn typed<T: DeserializeOwned>(result: &Value, name: &str, what: &str) -> Result<Option<T>, Fault> {
    match result.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => T::deserialize(value)
            .map(Some)
            .map_err(|_| Fault::unacceptable().because(format!("{name} is {what}"))),
    }
}
