//! The decision: one input in, the effects that follow out.

mod reach;
mod rejection;

use halsonav_domain::{CaseId, Timestamp};
use serde_json::{Map, Value};

use crate::{Effect, Input, Instance, Library};

pub(crate) use reach::Reach;
pub use rejection::Rejection;

/// Starts the newest version of `process` at its plain start event.
///
/// # Errors
/// [`Rejection::UnknownProcess`], [`Rejection::NotStartable`].
pub fn start(
    library: &Library,
    process: &str,
    id: CaseId,
    variables: Map<String, Value>,
    now: Timestamp,
) -> Result<(Instance, Vec<Effect>), Rejection> {
    let _ = (library, id, variables, now);
    Err(Rejection::NotStartable(process.to_owned()))
}

/// Starts the newest version of `process` at the start event `element`, which was triggered.
/// `payload` is what the message or signal carried; it goes through the event's output mapping.
///
/// # Errors
/// As [`start`].
pub fn start_at(
    library: &Library,
    process: &str,
    element: &str,
    id: CaseId,
    variables: Map<String, Value>,
    payload: Map<String, Value>,
    now: Timestamp,
) -> Result<(Instance, Vec<Effect>), Rejection> {
    let _ = (library, element, id, variables, payload, now);
    Err(Rejection::NotStartable(process.to_owned()))
}

/// Applies one input.
///
/// Pure and total: the same arguments give the same answer, every instance and input has one, and
/// it comes after a bounded number of moves.
///
/// # Errors
/// A [`Rejection`]; then `instance` is as it was.
pub fn step(
    library: &Library,
    instance: &mut Instance,
    input: &Input,
    now: Timestamp,
) -> Result<Vec<Effect>, Rejection> {
    let _ = (library, instance, input, now);
    Err(Rejection::Ended)
}
