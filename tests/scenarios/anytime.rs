//! What may come at any time, tried on a copy of the case after every line of every run.

use serde_json::{Value, json};

use crate::world::{CASE, World};

/// Something that stops a case wherever it stands.
#[derive(Clone, Copy, Debug)]
pub enum Interruption {
    /// The resident says no.
    Declines,
    /// The resident wants no more contact.
    OptsOut,
    /// The register says that the person is dead.
    Dies,
    /// The register says that the person left the country.
    Emigrates,
    /// The register protects the person.
    IsProtected,
}

impl Interruption {
    pub const ALL: [Self; 5] = [
        Self::Declines,
        Self::OptsOut,
        Self::Dies,
        Self::Emigrates,
        Self::IsProtected,
    ];

    /// Message, content, and the case's end.
    fn message(self) -> (&'static str, Value, &'static str) {
        match self {
            Self::Declines => ("resident.declined", json!({ "by": "inbox" }), "declined"),
            Self::OptsOut => ("resident.opted-out", json!({ "by": "phone" }), "opted-out"),
            Self::Dies => (
                "person.changed",
                json!({ "reason": "deceased" }),
                "deceased",
            ),
            Self::Emigrates => (
                "person.changed",
                json!({ "reason": "emigrated" }),
                "emigrated",
            ),
            Self::IsProtected => (
                "person.changed",
                json!({ "reason": "protected" }),
                "handled-manually",
            ),
        }
    }
}

/// Commands that reach a person or are made for one who goes on.
const CONTACT: &[&str] = &[
    "messaging.send",
    "print.letter",
    "booking.book",
    "forms.request",
    "lab.order",
    "journal.document",
    "research.contribute",
];

/// Tries each interruption that the case listens to. How many there were.
pub fn interrupt(world: &World) -> Result<usize, String> {
    let mut tried = 0;
    for interruption in Interruption::ALL {
        let (name, data, end) = interruption.message();
        if world.ended.is_some() || !world.listens(name) {
            continue;
        }
        one(world.copy(), name, data, end).map_err(|why| format!("{interruption:?}: {why}"))?;
        tried += 1;
    }
    Ok(tried)
}

fn one(mut world: World, name: &str, data: Value, end: &str) -> Result<(), String> {
    let (booking, order) = (world.variable("bookingId"), world.variable("orderId"));
    for kind in [
        "booking.cancel",
        "print.recall",
        "forms.cancel",
        "lab.cancel",
    ] {
        world.script(
            kind,
            crate::world::Answer::Done(json!({ "cancelled": true, "recalled": true })),
        );
    }
    let mut told = world.message(name, CASE, data)?;
    if end == "handled-manually" {
        let work: Vec<String> = world.work().map(str::to_owned).collect();
        if work != ["ChangedManual"] {
            return Err(format!("open for people: {work:?}"));
        }
        told.extend(world.complete("ChangedManual", json!({ "outcome": "booked" }))?);
    }
    // Whatever still comes, nothing goes out any more.
    told.extend(world.wait("P400D")?);
    if let Some(command) = told
        .iter()
        .find(|line| CONTACT.iter().any(|kind| line.starts_with(kind)))
    {
        return Err(format!("still does '{command}'"));
    }
    if world.ended.as_deref() != Some(end) {
        return Err(format!("ends as {:?}: {told:?}", world.ended));
    }
    for (id, kind) in [(booking, "booking.cancel"), (order, "lab.cancel")] {
        if let Some(id) = id.as_str()
            && !told.contains(&format!("{kind} {id}"))
        {
            return Err(format!("{kind} {id} is not asked for: {told:?}"));
        }
    }
    Ok(())
}
