//! What deciding on a case has to say to the store beside the change of its instance.

use halsonav_domain::{CaseId, Envelope, Kind, Problem, Reference, SubjectId, Timestamp};
use halsonav_storage::{CaseNo, HubIncident, Settled, Writer};

/// A fact that waits behind one that stopped its case.
const BEHIND: &str = "HUB-PARKED-BEHIND";

/// One thing to write. Deciding makes them; the transaction writes them.
#[derive(Debug)]
pub(super) enum Note {
    /// A fact that stops its case, or waits behind one that does.
    Park {
        fact: Envelope,
        code: String,
        message: String,
    },
    /// An operator is needed.
    Incident(HubIncident),
    /// The resident wants no contact.
    OptedOut(SubjectId),
    /// A neighbour's name for something of the case, and since when.
    Reference(Reference, Timestamp),
    /// What a program outside says became of the command of a job.
    Settled(u64, Settled),
    /// A neighbour's name that pollers need not ask about any more: kind and value.
    Over(&'static str, String),
}

impl Note {
    /// The first of `facts` stops the case for the reason given; the others wait behind it, in order.
    pub(super) fn park(
        facts: Vec<Envelope>,
        problem: &Problem,
    ) -> impl Iterator<Item = Self> + use<> {
        let (code, message) = (problem.code.clone(), problem.message.clone());
        let mut codes = std::iter::once(code).chain(std::iter::repeat(BEHIND.to_owned()));
        facts.into_iter().map(move |fact| Self::Park {
            fact,
            code: codes.next().unwrap_or_default(),
            message: message.clone(),
        })
    }

    /// They wait behind a fact that stopped the case before.
    pub(super) fn behind(facts: Vec<Envelope>) -> impl Iterator<Item = Self> {
        let problem = Problem::new(Kind::Internal, BEHIND, "waits behind a parked message");
        Self::park(facts, &problem)
    }

    /// An incident that says why facts about the case were parked.
    pub(super) fn parked_because(case: CaseId, problem: &Problem, at: Timestamp) -> HubIncident {
        HubIncident {
            case: Some(case),
            element: "intake".to_owned(),
            kind: problem.kind,
            code: problem.code.clone(),
            message: problem.message.clone(),
            at,
        }
    }

    /// Writes it, for this case.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn write(
        &self,
        tx: &mut Writer,
        case: CaseNo,
        now: Timestamp,
    ) -> halsonav_storage::Result<()> {
        match self {
            Self::Park {
                fact,
                code,
                message,
            } => tx.park(Some(case), fact, code, message, now),
            Self::Incident(incident) => tx.open_incident(incident).map(drop),
            Self::OptedOut(subject) => tx.opt_out(subject, "all", true),
            Self::Reference(reference, since) => tx.note_reference(case, reference, *since),
            Self::Settled(job, settled) => tx.settle_outside(case, *job, settled, now).map(drop),
            Self::Over(kind, value) => tx.settle_reference(kind, value),
        }
    }
}
