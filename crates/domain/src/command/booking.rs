//! `booking`: times at the unit, by crm:scheduling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// `booking.book`: take a time. Refused with `booking-refused` when the booking system says no.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Book {
    /// An exact start; otherwise the first free time in the window.
    #[serde(default)]
    pub start: Option<Timestamp>,
    /// Earliest start.
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    /// Latest start.
    #[serde(default)]
    pub not_after: Option<Timestamp>,
    /// The booking system's time type, such as `HALSOSAMTAL`.
    pub time_type: String,
    /// Booking id of an open kallelse, which is then used up.
    #[serde(default)]
    pub invitation: Option<String>,
}

/// Result of `booking.book` and `booking.rebook`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Booked {
    /// The booking.
    pub booking_id: String,
    /// Start.
    pub start: Timestamp,
    /// End.
    pub end: Timestamp,
    /// Text the booking system wants the resident to read ("kom fastande").
    #[serde(default)]
    pub notice: Option<String>,
}

/// `booking.rebook`: move a booking.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rebook {
    /// The booking to move.
    pub booking_id: String,
    /// An exact start; otherwise the first free time in the window.
    #[serde(default)]
    pub start: Option<Timestamp>,
    /// Earliest start.
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    /// The booking system's time type.
    pub time_type: String,
}

/// `booking.cancel`: give the time back. Does no harm when nothing is booked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cancel {
    /// The booking; nothing to cancel when absent.
    #[serde(default)]
    pub booking_id: Option<String>,
}

/// Result of `booking.cancel`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cancelled {
    /// A time was given back.
    pub cancelled: bool,
}

/// `booking.lookup`: what the booking system has now.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lookup {
    /// The booking.
    pub booking_id: String,
}

/// Result of `booking.lookup`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LookedUp {
    /// It is there.
    pub exists: bool,
    /// Start, when timed.
    #[serde(default)]
    pub start: Option<Timestamp>,
    /// End, when timed.
    #[serde(default)]
    pub end: Option<Timestamp>,
}
