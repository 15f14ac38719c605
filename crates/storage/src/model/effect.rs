//! Effects on their way out.

use halsonav_domain::{CaseId, Command, CommandId, Reference, SubjectId, Timestamp};

use super::{case::CaseNo, gate::Reason, lease::Epoch, number, words};

number! {
    /// An effect's number inside the database; also the order in which they were decided.
    EffectNo
}

words! {
    /// Where an effect stands.
    EffectState {
        /// Decided, not yet on the bus (or to be put there again, when due).
        New = "new",
        /// On the bus.
        Published = "published",
        /// Register data is too old; on the bus again when due, or when the register answered.
        Held = "held",
        /// Its lane is stopped; on the bus again when the lane starts.
        Stopped = "stopped",
        /// The gate said no; waits to be settled as refused. Stays no.
        Blocked = "blocked",
        /// In an adapter's hands. Found here after a crash, it must be reconciled.
        Sending = "sending",
        /// With an adapter outside the hub, whose word comes as an event.
        Handed = "handed",
        /// It exists outside, once.
        Done = "done",
        /// The neighbour, or the gate, said no.
        Refused = "refused",
        /// It does not exist outside and will not be tried again.
        Failed = "failed",
        /// Nobody knows. Only a human may ask for it again.
        Unknown = "unknown",
        /// No longer wanted; never left.
        Withdrawn = "withdrawn",
    }
}

impl EffectState {
    /// Whether it may exist outside already, or come to exist without being claimed again.
    pub(crate) fn is_outside(self) -> bool {
        matches!(self, Self::Sending | Self::Handed)
    }

    /// Whether an outcome is still to come.
    #[must_use]
    pub fn is_under_way(self) -> bool {
        matches!(
            self,
            Self::New
                | Self::Published
                | Self::Held
                | Self::Stopped
                | Self::Blocked
                | Self::Sending
                | Self::Handed
        )
    }
}

/// An effect as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct Effect {
    /// Its number in here.
    pub no: EffectNo,
    /// Its case.
    pub case: CaseNo,
    /// Number of the job in its case.
    pub job: u64,
    /// The command, whole: what goes on the bus.
    pub command: Command,
    /// It reaches the resident.
    pub contact: bool,
    /// Where it stands.
    pub state: EffectState,
    /// How often it was tried.
    pub attempts: u32,
    /// When the relay takes it; `None` when it is not the relay's turn.
    pub due: Option<Timestamp>,
    /// Under which lease it was last claimed, or held back; 0 if never.
    pub epoch: Epoch,
    /// The last problem's code.
    pub problem: Option<String>,
}

/// Which effect a message on the bus asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EffectRef {
    /// The case.
    pub case: CaseId,
    /// The command.
    pub command: CommandId,
}

/// What became of an attempt to claim an effect.
#[derive(Clone, PartialEq, Debug)]
pub enum Claim {
    /// Deliver it.
    Ready(Box<Ready>),
    /// Register data is too old or says nothing: ask the register for `subject`. The effect comes
    /// back on the bus at `until` or on [`crate::Writer::release_held`].
    Held {
        /// Which.
        effect: EffectNo,
        /// The command.
        command: CommandId,
        /// Whose data to fetch.
        subject: SubjectId,
        /// When it is tried again at latest.
        until: Timestamp,
    },
    /// The gate says no. Publish the refusal, then settle as refused.
    Blocked {
        /// Which.
        effect: EffectNo,
        /// Its case.
        case: CaseNo,
        /// The job.
        job: u64,
        /// The command.
        command: CommandId,
        /// Why.
        reason: Reason,
    },
    /// Its lane is stopped: nothing leaves. It comes back on the bus when the lane starts.
    Stopped {
        /// The command.
        command: CommandId,
    },
    /// Nothing to do: withdrawn, settled, not due yet, in the hands of another whose lease is live,
    /// or no such effect (`None`).
    Gone {
        /// The command.
        command: CommandId,
        /// Where it stands.
        state: Option<EffectState>,
    },
    /// The claimer's own lease is over: whatever it holds is somebody else's. Stop.
    Fenced {
        /// The command.
        command: CommandId,
    },
}

/// An effect that may leave.
#[derive(Clone, PartialEq, Debug)]
pub struct Ready {
    /// The effect, as claimed (state `sending`).
    pub effect: Effect,
    /// 1 for the first try.
    pub attempt: u32,
    /// An earlier try may have reached the neighbour: reconcile first unless it deduplicates.
    pub reconcile: bool,
}

/// What an adapter said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Settled {
    /// It exists outside.
    Done,
    /// No, for a reason of the business, or the gate's; the BPMN error code.
    Refused(String),
    /// It does not exist and will not be tried again; the problem's code.
    Failed(String),
    /// Not now: again at this time; the problem's code.
    Retry(Timestamp, String),
    /// Not known yet, and the neighbour could not be asked: on the bus again at this time, and then
    /// to be claimed with `reconcile`; the problem's code.
    Ask(Timestamp, String),
    /// Nobody knows, nor ever will; the problem's code.
    Unknown(String),
    /// Given to an adapter outside the hub. [`crate::Writer::settle_outside`] takes its word.
    Handed,
}

/// The end of one claim.
#[derive(Clone, PartialEq, Debug)]
pub struct Settlement {
    /// Which.
    pub effect: EffectNo,
    /// The epoch of the claim.
    pub epoch: Epoch,
    /// What became of it.
    pub settled: Settled,
    /// The neighbour's names for what was made.
    pub references: Vec<Reference>,
}

/// What there is for the relay to do.
#[derive(Clone, PartialEq, Debug)]
pub struct Outbox {
    /// What was set aside in lanes that run now: for [`crate::Writer::let_go`], before the rest.
    pub free: Vec<EffectNo>,
    /// To be put on the bus: new effects, and those whose retry or hold is due, in the order in which
    /// they became due.
    pub due: Vec<Effect>,
    /// When there is something to do without anybody saying so, after what is due now. A lane that
    /// starts by itself is something too.
    pub later: Option<Timestamp>,
}

impl Outbox {
    /// Whether there is something to do at once.
    #[must_use]
    pub fn is_due(&self) -> bool {
        !(self.free.is_empty() && self.due.is_empty())
    }
}

/// How many effects of an adapter stand where; for metrics and for the operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LaneRow {
    /// The adapter.
    pub adapter: String,
    /// The state.
    pub state: EffectState,
    /// How many.
    pub effects: u64,
}

/// A timer that is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DueTimer {
    /// The case.
    pub case: CaseId,
    /// Its number.
    pub no: CaseNo,
    /// Key of the timer.
    pub timer: u64,
    /// When it was due.
    pub due: Timestamp,
    /// The element that waits.
    pub element: String,
}
