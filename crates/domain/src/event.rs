//! Facts. Each type below is the `data` of an [`crate::Envelope`] whose `type` is its `TYPE`,
//! and `TYPE` is the name of the BPMN message that a process waits for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{PersonStatus, Problem, Protection, Timestamp};

/// A fact with a name.
pub trait Event: Serialize + DeserializeOwned {
    /// The CloudEvents type, and the BPMN message name.
    const TYPE: &'static str;

    /// The payload as JSON.
    fn data(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

macro_rules! event {
    ($name:ident, $kind:literal, $(#[$doc:meta])* { $($body:tt)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $($body)* }
        impl Event for $name { const TYPE: &'static str = $kind; }
    };
}

/// A measured or analysed value, in the code system's own unit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// The code, such as `NPU27300` or, for measurements at the visit, one of
    /// `height`, `weight`, `waist`, `hip`, `systolic`, `diastolic`.
    pub code: String,
    /// The value.
    pub value: f64,
    /// Unit as the source wrote it, such as `mmol/L`, `cm`, `kg`, `mm[Hg]`.
    pub unit: String,
    /// When taken.
    #[serde(default)]
    pub taken: Option<Timestamp>,
    /// `final`, `preliminary`, `corrected`.
    #[serde(default)]
    pub status: Option<String>,
    /// The source's comparator, `<` or `>`, when the value is a limit.
    #[serde(default)]
    pub comparator: Option<String>,
}

// --- commands, as facts -------------------------------------------------------------------------

event!(CommandDone, "command.done",
/// A command was carried out. The envelope's id is the command's, so it is known once.
{
    /// Number of the job in its case.
    pub job: u64,
    /// Variables.
    pub result: Value,
});
event!(CommandRefused, "command.refused",
/// The neighbour said no for a reason of the business.
{
    /// Number of the job in its case.
    pub job: u64,
    /// BPMN error code.
    pub code: String,
    /// Variables.
    pub result: Value,
});
event!(CommandFailed, "command.failed",
/// Retries are used up, or there was no use in trying, or nobody knows the outcome.
{
    /// Number of the job in its case.
    pub job: u64,
    /// The effect may exist outside; only a human may ask for it again.
    #[serde(default)]
    pub outcome_unknown: bool,
    /// What was wrong.
    pub problem: Problem,
});

// --- people at work and residents ---------------------------------------------------------------

event!(WorkItemCompleted, "work-item.completed",
/// A person finished a work item.
{
    /// Number of the job in its case.
    pub job: u64,
    /// What came of it, and variables.
    pub result: Value,
});
event!(Declined, "resident.declined",
/// The resident said no thanks.
{
    /// `inbox`, `phone`, `letter`, `visit`.
    pub by: String,
});
event!(OptedOut, "resident.opted-out",
/// The resident wants no contact of this kind, in this round or a later one.
{
    /// `inbox`, `phone`, `letter`.
    pub by: String,
});
event!(ConsentGiven, "consent.given",
/// Consent to research was given or withdrawn.
{
    /// The project.
    pub project: String,
    /// `true` given, `false` withdrawn.
    pub given: bool,
});
event!(PersonChanged, "person.changed",
/// The register says something new about the resident.
{
    /// Alive, gone or unknown.
    pub status: PersonStatus,
    /// Grade of protection.
    pub protection: Protection,
    /// The unit where the person is listed is no longer ours.
    #[serde(default)]
    pub moved: bool,
    /// What the change means for contact: `deceased`, `emigrated`, `moved`, `protected`, `none`.
    pub reason: String,
});

// --- booking ------------------------------------------------------------------------------------

event!(BookingMade, "booking.made",
/// A time was booked, by whomever.
{
    /// The booking.
    pub booking_id: String,
    /// Start.
    pub start: Timestamp,
    /// End.
    pub end: Timestamp,
});
event!(BookingChanged, "booking.changed",
/// A booking was moved.
{
    /// The booking.
    pub booking_id: String,
    /// New start.
    pub start: Timestamp,
    /// New end.
    pub end: Timestamp,
});
event!(BookingCancelled, "booking.cancelled",
/// A booking was cancelled by the resident or the unit.
{
    /// The booking.
    pub booking_id: String,
});

// --- forms and lab ------------------------------------------------------------------------------

event!(FormCompleted, "form.completed",
/// A form was answered, in 1177, on paper or with help. Correlation key: the form id.
{
    /// The form.
    pub form_id: String,
    /// Its template.
    pub template: String,
    /// Question code → value: a string, a number, or a list of strings.
    pub answers: Value,
    /// `digital`, `paper` or `assisted`.
    pub mode: String,
});
event!(LabResult, "lab.result",
/// The lab answered. Correlation key: the order id.
{
    /// Placer order number.
    pub order_id: String,
    /// Nothing more will come.
    pub complete: bool,
    /// The values.
    pub observations: Vec<Observation>,
});

// --- letters ------------------------------------------------------------------------------------

event!(LetterAccepted, "letter.accepted",
/// The vendor has taken the letter in.
{
    /// The letter.
    pub letter_id: String,
});
event!(LetterRejected, "letter.rejected",
/// The vendor will not print it.
{
    /// The letter.
    pub letter_id: String,
    /// The vendor's code.
    pub code: String,
});
event!(LetterDispatched, "letter.dispatched",
/// It is in the post.
{
    /// The letter.
    pub letter_id: String,
});
event!(LetterReturned, "letter.returned",
/// It came back.
{
    /// The letter.
    pub letter_id: String,
    /// `R01` gone away … `R10`.
    pub code: String,
});

// --- documentation ------------------------------------------------------------------------------

event!(DocumentationWritten, "documentation.written",
/// The dialogue is documented. On the topic of its own; the document itself, which holds identity,
/// is on no topic.
{
    /// The journal's id of the document.
    pub document_id: String,
    /// What it documents: `dialogue`.
    pub kind: String,
    /// The unit that is responsible.
    pub unit: crate::HsaId,
});
