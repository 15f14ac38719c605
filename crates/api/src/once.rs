//! A request under an idempotency key is done once, however often it comes
//! (draft-ietf-httpapi-idempotency-key-header-07).
//!
//! The facts of a request carry an id derived from caller and key, so a repeat after a crash is the
//! same fact to the processor. Order: publish, then one transaction that marks, audits and keeps
//! the answer. Failures are not kept: the same key may be tried again.

use std::{collections::HashSet, future::Future, sync::Mutex};

use actix_web::{HttpResponse, http::StatusCode};
use halsonav_domain::{CaseId, Envelope, Timestamp};
use halsonav_storage::{Error, Idempotent, NewAudit, Writer};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    access::Caller,
    body::{Ticket, hex},
    problem::Fault,
    state::State,
};

/// Who says what the API publishes.
pub(crate) const SOURCE: &str = "/api";

/// It is durable and will be done.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// The id of what was taken in; the same for the same key.
    pub id: String,
}

/// What a request does.
pub(crate) struct Doing {
    pub(crate) events: Vec<Envelope>,
    pub(crate) answer: Value,
    pub(crate) audit: Vec<NewAudit>,
    pub(crate) then: Option<Then>,
}

type Then = Box<dyn FnMut(&mut Writer) -> halsonav_storage::Result<()> + Send>;

impl Doing {
    /// Publishes one fact.
    pub(crate) fn one(event: Envelope, audit: Vec<NewAudit>) -> Self {
        let answer = accepted(&event.id);
        Self {
            events: vec![event],
            answer,
            audit,
            then: None,
        }
    }
}

pub(crate) fn accepted(id: &str) -> Value {
    serde_json::json!({ "id": id })
}

/// Names what one request makes.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    hash: [u8; 32],
    now: Timestamp,
}

impl Names {
    /// The id of the request's fact.
    pub(crate) fn event(&self) -> String {
        hex(&self.hash[..16])
    }

    /// The same as a UUID of version 8.
    pub(crate) fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.hash[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// The request's fact.
    pub(crate) fn fact(&self, kind: &str, case: Option<CaseId>, data: Value) -> Envelope {
        Envelope::new(SOURCE, self.event(), kind, case, self.now, data)
    }
}

/// Does `work` once for the ticket, or answers as the first time.
pub(crate) async fn once<F, W>(
    state: &State,
    caller: &Caller,
    ticket: &Ticket,
    work: F,
) -> Result<HttpResponse, Fault>
where
    F: FnOnce(Names) -> W,
    W: Future<Output = Result<Doing, Fault>>,
{
    let scope = caller.actor();
    let _busy = Busy::enter(&state.busy, (scope.clone(), ticket.key.clone()))?;
    if let Some(answer) = seen(state, &scope, ticket).await? {
        return Ok(answer);
    }
    let now = state.now();
    let mut hash = Sha256::new();
    hash.update(scope.as_bytes());
    hash.update([0]);
    hash.update(ticket.key.as_bytes());
    let mut doing = work(Names {
        hash: hash.finalize().into(),
        now,
    })
    .await?;
    for event in &mut doing.events {
        event.traceparent.clone_from(&ticket.trace);
    }
    if !doing.events.is_empty() {
        state.api.door.publish(doing.events).await?;
    }
    let body = doing.answer.to_string();
    let (kept, audit, mut then, ticket) = (body.clone(), doing.audit, doing.then, ticket.clone());
    let write = move |tx: &mut Writer| {
        if let Some(then) = &mut then {
            then(tx)?;
        }
        tx.audit(&audit)?;
        tx.answer_once(&scope, &ticket.key, &ticket.digest, 202, &kept, now)
    };
    state.api.storage.write_async(write).await?;
    Ok(answer(202, body))
}

async fn seen(state: &State, scope: &str, ticket: &Ticket) -> Result<Option<HttpResponse>, Fault> {
    let (scope, ticket) = (scope.to_owned(), ticket.clone());
    match state
        .read(move |r| r.idempotent(&scope, &ticket.key, &ticket.digest))
        .await?
    {
        Idempotent::First => Ok(None),
        Idempotent::Mismatch => Err(Fault::key_reused()),
        Idempotent::Again { status, body } => Ok(Some(answer(status, body))),
    }
}

fn answer(status: u16, body: String) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::ACCEPTED);
    HttpResponse::build(status)
        .content_type("application/json")
        .body(body)
}

/// Someone else was first to end it: what this request wanted is so already.
pub(crate) fn unless_closed(result: halsonav_storage::Result<()>) -> halsonav_storage::Result<()> {
    match result {
        Err(Error::Conflict(_)) => Ok(()),
        other => other,
    }
}

type Keys = Mutex<HashSet<(String, String)>>;

/// One request of a key at a time.
struct Busy<'a> {
    keys: &'a Keys,
    mine: (String, String),
}

impl<'a> Busy<'a> {
    fn enter(keys: &'a Keys, mine: (String, String)) -> Result<Self, Fault> {
        let mut set = keys
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if set.insert(mine.clone()) {
            Ok(Self { keys, mine })
        } else {
            Err(Fault::in_progress())
        }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut set = self
            .keys
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        set.remove(&self.mine);
    }
}
