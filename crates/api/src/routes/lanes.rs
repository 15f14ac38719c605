//! Lanes: the commands of one adapter on their way out, and stopping them.

use actix_web::{HttpResponse, get, post, web};
use halsonav_domain::Timestamp;
use halsonav_storage::{LaneStop, Writer};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    cohorts::region_wide,
    operations::{Reason, reason},
};
use crate::{
    access::Caller,
    body::Told,
    once::{Accepted, Doing, accepted, once},
    problem::Fault,
    state::State,
};

/// A lane.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LaneView {
    /// Its adapter.
    adapter: String,
    /// Since when it is stopped; absent while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<Timestamp>,
    /// When it starts by itself, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    /// Who stopped it.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// The lanes, and which of them are stopped.
#[utoipa::path(tag = "lanes", responses((status = 200, description = "The lanes", body = Vec<LaneView>)))]
#[get("/v1/lanes")]
pub(crate) async fn list(
    state: web::Data<State>,
    caller: Caller,
) -> Result<web::Json<Vec<LaneView>>, Fault> {
    region_wide(&caller)?;
    let now = state.now();
    let mut stops = state.read(move |r| r.lane_stops(now)).await?;
    let lanes = state.api.door.lanes().into_iter().map(|adapter| {
        let halt = stops.iter().position(|halt| halt.adapter == adapter);
        let halt = halt.map(|at| stops.swap_remove(at));
        LaneView {
            adapter,
            stopped: halt.as_ref().map(|halt| halt.at),
            until: halt.as_ref().and_then(|halt| halt.until),
            by: halt.as_ref().map(|halt| halt.by.clone()),
            why: halt.map(|halt| halt.why),
        }
    });
    Ok(web::Json(lanes.collect()))
}

async fn turn(
    state: &State,
    caller: &Caller,
    adapter: &str,
    told: Told<Reason>,
    (operation, stops): (&str, bool),
) -> Result<HttpResponse, Fault> {
    region_wide(caller)?;
    if !state.api.door.lanes().iter().any(|lane| lane == adapter) {
        return Err(Fault::not_found());
    }
    let halt = LaneStop {
        adapter: adapter.to_owned(),
        at: state.now(),
        until: None,
        by: caller.actor(),
        why: reason(&told.value.reason)?.to_owned(),
    };
    once(state, caller, &told.ticket, async |names| {
        let detail = json!({ "adapter": halt.adapter, "reason": halt.why });
        let audit = vec![state.bare(caller, "decide", operation, detail)];
        let then = move |tx: &mut Writer| match stops {
            true => tx.stop_lane(&halt).map(drop),
            false => tx.start_lane(&halt.adapter, &halt.by, halt.at).map(drop),
        };
        Ok(Doing {
            events: Vec::new(),
            answer: accepted(&names.event()),
            audit,
            then: Some(Box::new(then)),
        })
    })
    .await
}

/// Stops a lane. When this is answered nothing new of it leaves; what has been handed to the adapter
/// is finished. Its commands wait.
#[utoipa::path(tag = "lanes", params(("adapter" = String, Path)), request_body = Reason, responses((status = 202, description = "It is stopped", body = Accepted)))]
#[post("/v1/lanes/{adapter}/stop")]
pub(crate) async fn stop(
    state: web::Data<State>,
    caller: Caller,
    adapter: web::Path<String>,
    told: Told<Reason>,
) -> Result<HttpResponse, Fault> {
    turn(&state, &caller, &adapter, told, ("stop-lane", true)).await
}

/// Starts a lane. What waited leaves in the order in which it was decided.
#[utoipa::path(tag = "lanes", params(("adapter" = String, Path)), request_body = Reason, responses((status = 202, description = "It runs", body = Accepted)))]
#[post("/v1/lanes/{adapter}/start")]
pub(crate) async fn start(
    state: web::Data<State>,
    caller: Caller,
    adapter: web::Path<String>,
    told: Told<Reason>,
) -> Result<HttpResponse, Fault> {
    turn(&state, &caller, &adapter, told, ("start-lane", false)).await
}
