//! Misbehaviour on request.

use std::{collections::VecDeque, sync::Mutex};

/// One way to misbehave, used up by the next request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Does what was asked, then drops the connection without an answer.
    LoseAnswer,
    /// Does nothing and drops the connection.
    DropRequest,
    /// Does nothing and answers with the protocol's technical error (SOAP fault, HTTP 500, `AE`).
    Technical,
    /// Does nothing and answers with the protocol's logical refusal (`ERROR`, `AR`, rejected job).
    Logical,
    /// Does nothing and answers something that is not the protocol.
    Garbage,
    /// Does what was asked, but the answer belongs to another request (wrong ACK, wrong id).
    WrongAnswer,
}

/// Faults waiting to happen, first in first out.
#[derive(Debug, Default)]
pub struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    /// The next request meets `fault`.
    pub fn push(&self, fault: Fault) {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push_back(fault);
    }

    /// Takes the fault for this request, if one is due.
    pub fn take(&self) -> Option<Fault> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .pop_front()
    }
}
