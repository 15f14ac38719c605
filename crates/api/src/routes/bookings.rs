//! Times at the unit.

use actix_web::{HttpResponse, get, post, web};
use halsonav_domain::{
    Timestamp,
    event::{BookingMade, Event},
};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::work_result::{finish, open_item};
use crate::{
    Slot,
    access::Caller,
    body::Told,
    once::{Accepted, Doing, once},
    problem::Fault,
    state::State,
};

/// A time for the resident.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Booking {
    /// The booking, when it is made in the booking system already. Without it the hub books.
    #[serde(default)]
    booking_id: Option<String>,
    /// Start.
    start: Timestamp,
    /// End; needed with `bookingId`.
    #[serde(default)]
    end: Option<Timestamp>,
}

/// From when to when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Earliest start.
    from: Timestamp,
    /// Before this; at most 92 days after `from`.
    to: Timestamp,
}

const LONGEST: SignedDuration = SignedDuration::from_hours(92 * 24);

/// Free times of the case's unit.
#[utoipa::path(tag = "bookings", params(("case" = Uuid, Path), Window), responses((status = 200, description = "Free times", body = Vec<Slot>)))]
#[get("/v1/cases/{case}/slots")]
pub(crate) async fn slots(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
    window: web::Query<Window>,
) -> Result<web::Json<Vec<Slot>>, Fault> {
    if window.to <= window.from || window.to.duration_since(window.from) > LONGEST {
        return Err(Fault::query().because("to is after from, by at most 92 days"));
    }
    let case = state.read_case(&caller, "list-slots", &id).await?;
    Ok(web::Json(
        state
            .api
            .door
            .slots(&case.unit, window.from, window.to)
            .await?,
    ))
}

/// A time is booked for the resident.
///
/// With `bookingId` the booking exists in the booking system, and the process is told of it as if the
/// resident had made it. Without, the hub is to make it: that is the answer to an open call (or to
/// contact on the special track), which is done with it. When nobody is to call, there is nothing in
/// the process to book for: book in the booking system and tell the `bookingId`.
#[utoipa::path(tag = "bookings", params(("case" = Uuid, Path)), request_body = Booking, responses((status = 202, description = "Published", body = Accepted)))]
#[post("/v1/cases/{case}/bookings")]
pub(crate) async fn book(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
    told: Told<Booking>,
) -> Result<HttpResponse, Fault> {
    let case = state.case(&caller, &id).await?;
    let Told { value, ticket } = told;
    once(&state, &caller, &ticket, async |names| {
        if let Some(booking_id) = value.booking_id {
            let data = made(booking_id, value.start, value.end)?;
            let event = names.fact(BookingMade::TYPE, Some(case.id), data.data());
            return Ok(Doing::one(
                event,
                vec![state.entry(&caller, "alter", "book-case", &case)],
            ));
        }
        if value.start <= state.now() {
            return Err(Fault::unacceptable().because("start is in the past"));
        }
        let item = open_item(&state, &case, |item| {
            matches!(item.form.as_deref(), Some("call" | "manual-contact"))
        })
        .await?;
        let item = item.ok_or_else(|| {
            Fault::conflict()
                .because("nobody is to call; book in the booking system and tell the bookingId")
        })?;
        let result = json!({ "outcome": "booked", "start": value.start });
        finish(&state, &caller, "book-case", &case, item, None, result).await
    })
    .await
}

fn made(
    booking_id: String,
    start: Timestamp,
    end: Option<Timestamp>,
) -> Result<BookingMade, Fault> {
    let end = end
        .filter(|end| *end > start)
        .ok_or_else(|| Fault::unacceptable().because("end is needed, after start"))?;
    if !(1..=200).contains(&booking_id.len()) {
        return Err(Fault::unacceptable().because("bookingId has 1 to 200 characters"));
    }
    Ok(BookingMade {
        booking_id,
        start,
        end,
    })
}
