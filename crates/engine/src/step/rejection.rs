//! Answers to inputs that do not fit.

use halsonav_domain::{Kind, Timestamp};

/// The input does not apply. The instance is unchanged.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The instance is over.
    #[error("the instance has ended")]
    Ended,
    /// No job or work item with this key waits: done already, or its activity was interrupted.
    #[error("no job {0} is waiting")]
    UnknownJob(u64),
    /// No such timer is armed: fired already, or disarmed.
    #[error("no timer {0} is armed")]
    UnknownTimer(u64),
    /// A timer fires at or after its due time, never before.
    #[error("timer {timer} is not due before {due}")]
    NotDue {
        /// The timer.
        timer: u64,
        /// When it may come again.
        due: Timestamp,
    },
    /// No such incident is open.
    #[error("no incident {0} is open")]
    UnknownIncident(u64),
    /// No such scope.
    #[error("no element {0} is active")]
    UnknownScope(u64),
    /// A message with this id is buffered or was taken.
    #[error("the message was received before")]
    DuplicateMessage,
    /// Nobody waits for this signal; signals are not kept.
    #[error("no subscription for this signal")]
    UnknownSignal,
    /// Not while the instance is suspended.
    #[error("the instance is suspended")]
    Suspended,
    /// Resume of an instance that is not suspended.
    #[error("the instance is not suspended")]
    NotSuspended,
    /// What is recorded while suspended is bounded; offer the input again after resume.
    #[error("too many inputs are recorded while the instance is suspended")]
    QueueFull,
    /// The incident's element has no way on that skipping could take.
    #[error("the element of incident {0} cannot be skipped")]
    NotSkippable(u64),
    /// Variables that are neither an object nor null.
    #[error("variables must be an object")]
    NotAnObject,
    /// No such process or version in the library.
    #[error("process '{process}' version {version:?} is not loaded")]
    UnknownProcess {
        /// Process id.
        process: String,
        /// Version, if one was pinned.
        version: Option<u32>,
    },
    /// The stored instance refers to what its definitions do not have.
    #[error("the stored instance does not fit its definitions")]
    Unfit,
    /// The process has no start event that fits.
    #[error("process '{0}' cannot be started so")]
    NotStartable(String),
}

impl Rejection {
    /// What should happen to the input.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Ended
            | Self::UnknownJob(_)
            | Self::UnknownTimer(_)
            | Self::DuplicateMessage
            | Self::UnknownSignal
            | Self::Suspended
            | Self::NotSuspended => Kind::Conflict,
            Self::UnknownIncident(_) | Self::UnknownScope(_) | Self::UnknownProcess { .. } => {
                Kind::NotFound
            }
            Self::NotDue { .. } | Self::QueueFull => Kind::Unavailable,
            Self::Unfit => Kind::Internal,
            Self::NotSkippable(_) | Self::NotAnObject | Self::NotStartable(_) => Kind::Invalid,
        }
    }

    /// Stable code for the operator.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ended => "HUB-ENGINE-030",
            Self::UnknownJob(_) => "HUB-ENGINE-031",
            Self::UnknownTimer(_) => "HUB-ENGINE-032",
            Self::NotDue { .. } => "HUB-ENGINE-033",
            Self::UnknownIncident(_) => "HUB-ENGINE-034",
            Self::UnknownScope(_) => "HUB-ENGINE-035",
            Self::DuplicateMessage => "HUB-ENGINE-036",
            Self::UnknownSignal => "HUB-ENGINE-037",
            Self::Suspended => "HUB-ENGINE-038",
            Self::NotSuspended => "HUB-ENGINE-039",
            Self::QueueFull => "HUB-ENGINE-040",
            Self::NotSkippable(_) => "HUB-ENGINE-041",
            Self::NotAnObject => "HUB-ENGINE-042",
            Self::UnknownProcess { .. } => "HUB-ENGINE-043",
            Self::NotStartable(_) => "HUB-ENGINE-044",
            Self::Unfit => "HUB-ENGINE-045",
        }
    }
}
