//! Just before a command leaves: who the person is, what the letter says, which answers belong to it.
//! Nothing of this rides on the bus.

use std::sync::Arc;

use halsonav_adapter::{Attachment, Delivery, Disclosure, Operation};
use halsonav_domain::{CaseId, Identity, Kind, Problem};
use halsonav_storage::{Access, CaseNo, Document, Extent, Reader, Ready, Record, Writer};
use serde_json::{Map, Value, json};

use super::{Core, dispatch::neighbour_id, store_problem};

/// Header of a command to a program outside: the job that its answer is about.
const JOB: &str = "halsonav-job";
/// Threads that set letters at once.
const THREADS: usize = 2;

/// Something to keep about a case.
#[derive(Clone, Debug)]
pub enum Keep {
    /// A record.
    Record(CaseNo, Record),
    /// A rendered document.
    Document(CaseNo, Document),
}

impl Keep {
    /// Writes it.
    ///
    /// # Errors
    /// Those of the store.
    pub fn write(&self, tx: &mut Writer) -> halsonav_storage::Result<()> {
        match self {
            Self::Record(case, record) => tx.put_records(&[(*case, record.clone())]),
            Self::Document(case, document) => tx.put_document(*case, document),
        }
    }
}

/// What the store knows that the command needs.
struct Background {
    identity: Option<Identity>,
    known: Known,
}

/// What is known of a case's health: answers, values, profile.
#[derive(Default)]
pub struct Known {
    /// Form → question code → answer.
    pub forms: Value,
    /// Measurements and laboratory values, the latest of each code.
    pub observations: Vec<Value>,
    /// Instrument and levels.
    pub profile: Option<Value>,
    /// The graphic, SVG.
    pub picture: Option<Arc<[u8]>>,
}

/// Makes each command ready to leave. One transaction discloses for the whole batch, with its audit.
///
/// # Errors
/// When the store fails. A command that cannot be made ready is answered beside it.
pub async fn deliveries(
    core: &Arc<Core>,
    operation: &'static Operation,
    batch: Vec<Ready>,
) -> Result<Vec<(Ready, Result<Delivery, Problem>)>, Problem> {
    let asked = batch.clone();
    let at = core.clock.now();
    let background = core
        .storage
        .write_async(move |tx| background(tx, operation, &asked, at))
        .await
        .map_err(store_problem)?;
    // Letters are set in type here: that is work for threads of its own, several letters at once.
    let mut work: Vec<(Ready, Background)> = batch.into_iter().zip(background).collect();
    let share = work.len().div_ceil(THREADS).max(1);
    let mut parts = Vec::new();
    while !work.is_empty() {
        let rest = work.split_off(share.min(work.len()));
        let part = std::mem::replace(&mut work, rest);
        let core = core.clone();
        parts.push(tokio::task::spawn_blocking(move || {
            part.into_iter()
                .map(|(ready, background)| {
                    let delivery = delivery(&core, operation, &ready, background);
                    (ready, delivery)
                })
                .collect::<Vec<_>>()
        }));
    }
    let mut prepared = Vec::new();
    for part in parts {
        prepared.extend(part.await.map_err(|_| {
            Problem::new(
                Kind::Internal,
                "HUB-DISPATCH-007",
                "preparing a command failed",
            )
        })?);
    }
    Ok(prepared)
}

fn background(
    tx: &mut Writer,
    operation: &Operation,
    batch: &[Ready],
    at: halsonav_domain::Timestamp,
) -> halsonav_storage::Result<Vec<Background>> {
    let extent = match operation.disclosure {
        Disclosure::None => None,
        Disclosure::PersonId => Some(Extent::Number),
        Disclosure::Full => Some(Extent::Full),
    };
    let identities = match extent {
        None => vec![None; batch.len()],
        Some(extent) => {
            let whom: Vec<_> = batch
                .iter()
                .map(|ready| ready.effect.command.subject)
                .collect();
            let access: Vec<_> = batch.iter().map(|ready| access(ready, at)).collect();
            tx.disclose(&whom, extent, &access)?
        }
    };
    batch
        .iter()
        .zip(identities)
        .map(|(ready, identity)| {
            let command = &ready.effect.command;
            let known = match command.kind.as_str() {
                "profile.draw" | "journal.document" | "case.readiness" => known(tx, &command.case)?,
                _ => Known::default(),
            };
            Ok(Background { identity, known })
        })
        .collect()
}

fn access(ready: &Ready, at: halsonav_domain::Timestamp) -> Access {
    let command = &ready.effect.command;
    let print = command.kind.adapter() == "print";
    Access {
        actor: format!("adapter:{}", command.kind.adapter()),
        action: if print { "print" } else { "disclose" }.to_owned(),
        purpose: command.kind.to_string(),
        unit: Some(command.unit.clone()),
        case: Some(command.case),
        at,
    }
}

/// Answers, measurements and lab values of a case; of two values with one code the later counts.
///
/// # Errors
/// Those of the store.
pub fn known(reader: &mut Reader, case: &CaseId) -> halsonav_storage::Result<Known> {
    let mut forms = Map::new();
    let mut observations: Vec<Value> = Vec::new();
    let mut profile = None;
    for record in reader.records(case, None)? {
        match record.kind.as_str() {
            "form" => {
                forms.insert(
                    record.key,
                    record.data.get("answers").cloned().unwrap_or(Value::Null),
                );
            }
            "lab" | "measurements" => {
                for observation in record
                    .data
                    .get("observations")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                {
                    observations.retain(|known| known.get("code") != observation.get("code"));
                    observations.push(observation.clone());
                }
            }
            "profile" => profile = Some(record.data),
            _ => {}
        }
    }
    let picture = reader
        .document(case, "profile", "profile")?
        .map(|document| document.bytes.into());
    Ok(Known {
        forms: Value::Object(forms),
        observations,
        profile,
        picture,
    })
}

fn delivery(
    core: &Core,
    operation: &Operation,
    ready: &Ready,
    background: Background,
) -> Result<Delivery, Problem> {
    if operation.disclosure != Disclosure::None && background.identity.is_none() {
        return Err(Problem::new(
            Kind::NotFound,
            "HUB-DISPATCH-005",
            "the vault has nothing about the resident",
        ));
    }
    let mut command = ready.effect.command.clone();
    if core.adapters.is_outside(command.kind.adapter()) {
        // Its answer is known by the command's own id, and names the job. Under which id the neighbour
        // knows what is asked for again, the program finds out by the header that says so.
        let job = ready.effect.job.to_string();
        command.headers.insert(JOB.to_owned(), job);
    } else {
        command.id = neighbour_id(ready);
    }
    let mut attachments = Vec::new();
    match command.kind.as_str() {
        "messaging.send" => attachments.push(
            core.documents
                .message(&command, background.identity.as_ref())?,
        ),
        "print.letter" => attachments.extend(core.documents.letter(
            &command,
            background.identity.as_ref(),
            core.clock.now(),
        )?),
        "profile.draw" | "case.readiness" => enrich(&mut command.payload, &background.known),
        "journal.document" => {
            enrich(&mut command.payload, &background.known);
            if let Some(profile) = &background.known.profile {
                command.payload["profile"] = profile.clone();
            }
            if let Some(bytes) = background.known.picture.clone() {
                attachments.push(Attachment {
                    role: "profile",
                    media_type: "image/svg+xml",
                    bytes,
                });
            }
        }
        _ => {}
    }
    Ok(Delivery {
        command,
        identity: background.identity,
        attachments,
        attempt: ready.attempt,
        now: core.clock.now(),
    })
}

/// Adds what the process does not carry, unless the process set it itself.
fn enrich(payload: &mut Value, known: &Known) {
    if !payload.is_object() {
        *payload = json!({});
    }
    let Some(fields) = payload.as_object_mut() else {
        return;
    };
    fields.entry("forms").or_insert_with(|| known.forms.clone());
    fields
        .entry("observations")
        .or_insert_with(|| Value::Array(known.observations.clone()));
}
