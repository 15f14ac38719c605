//! An effect that came about after its case had turned away: it is taken back.

use std::collections::BTreeMap;

use halsonav_domain::{
    Envelope,
    event::{CommandDone, Event},
};
use halsonav_storage::NewEffect;
use serde_json::{Value, json};

/// Jobs of the hub's own are numbered far above those of the engine.
const OWN: u64 = 1 << 40;

/// What takes back an effect that no process knows of any more. The engine withdraws what has not
/// left; what was in a neighbour's hands at that moment answers too late, and would otherwise stand
/// there for nobody: a time, a form, an order, a letter.
#[must_use]
pub fn undo(late: &Envelope) -> Option<NewEffect> {
    if late.kind != CommandDone::TYPE {
        return None;
    }
    let job = late.data.get("job").and_then(Value::as_u64)?;
    let adapter = late.source.strip_prefix("/adapters/")?;
    let (kind, field) = match adapter {
        "booking" => ("booking.cancel", "bookingId"),
        "forms" => ("forms.cancel", "formId"),
        "lab" => ("lab.cancel", "orderId"),
        "print" => ("print.recall", "letterId"),
        _ => return None,
    };
    let made = late.data.get("result")?.get(field)?.as_str()?;
    Some(NewEffect {
        job: job.checked_add(OWN)?,
        kind: kind.parse().ok()?,
        payload: json!({ field: made }),
        headers: BTreeMap::new(),
        contact: false,
        not_before: None,
    })
}

#[cfg(test)]
mod tests {
    use halsonav_domain::Timestamp;

    use super::*;

    fn check(source: &str, result: Value, expect: Option<(&str, Value)>) {
        let data = CommandDone { job: 7, result }.data();
        let late = Envelope::new(
            source,
            "1",
            CommandDone::TYPE,
            None,
            Timestamp::UNIX_EPOCH,
            data,
        );
        let undone = undo(&late);
        let undone = undone
            .as_ref()
            .map(|effect| (effect.kind.as_str(), effect.payload.clone()));
        assert_eq!(undone, expect);
    }

    #[test]
    fn what_was_made_too_late_is_taken_back_and_nothing_else() {
        check(
            "/adapters/lab",
            json!({ "orderId": "O1" }),
            Some(("lab.cancel", json!({ "orderId": "O1" }))),
        );
        check(
            "/adapters/booking",
            json!({ "bookingId": "B1" }),
            Some(("booking.cancel", json!({ "bookingId": "B1" }))),
        );
        check("/adapters/lab", json!({ "cancelled": true }), None);
        check("/adapters/messaging", json!({ "messageId": "M1" }), None);
    }
}
