//! What deciding on a case has to say to the store beside the change of its instance.

use halsonav_domain::{Envelope, SubjectId, Timestamp};
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
    /// What a program outside says became of the command of a job.
    Settled(u64, Settled),
}

impl Note {
    /// The first of `facts` stops the case for the reason given; the others wait behind it, in order.
    pub(super) fn park(
        facts: Vec<Envelope>,
        code: &str,
        message: &str,
    ) -> impl Iterator<Item = Self> {
        let codes = std::iter::once(code).chain(std::iter::repeat(BEHIND));
        facts.into_iter().zip(codes).map(|(fact, code)| Self::Park {
            fact,
            code: code.to_owned(),
            message: message.to_owned(),
        })
    }

    /// They wait behind a fact that stopped the case before.
    pub(super) fn behind(facts: Vec<Envelope>) -> impl Iterator<Item = Self> {
        Self::park(facts, BEHIND, "waits behind a parked message")
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
            Self::Settled(job, settled) => tx.settle_outside(case, *job, settled, now).map(drop),
        }
    }
}
