//! Everything that can happen to an instance.

use halsonav_domain::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One thing that happened. The set is closed: operators and failures come in by the same door.
///
/// `variables` is an object, or null for none; anything else is refused as
/// [`crate::Rejection::NotAnObject`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "input")]
pub enum Input {
    /// A job or a work item is done.
    Completed {
        /// Key of [`crate::Effect::Job`] or [`crate::Effect::WorkItem`].
        job: u64,
        /// The result.
        #[serde(default)]
        variables: Value,
    },
    /// The business said no: a BPMN error thrown by the job.
    Refused {
        /// Key of the job or work item.
        job: u64,
        /// BPMN error code.
        code: String,
        /// Variables the error carries.
        #[serde(default)]
        variables: Value,
    },
    /// The job failed for good: whoever performs it has done its retries. Becomes an incident.
    Failed {
        /// Key of the job or work item.
        job: u64,
        /// Why.
        problem: Problem,
        /// Nobody knows whether the effect exists outside.
        #[serde(default)]
        outcome_unknown: bool,
    },
    /// A message.
    Message {
        /// Unique per message; a second one with the same id changes nothing.
        id: String,
        /// Message name.
        name: String,
        /// Correlation key; numbers as text.
        correlation: String,
        /// Its content.
        #[serde(default)]
        variables: Value,
        /// How long it is kept for a subscription that is not open yet. `None`: dropped, visibly.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Timestamp>,
    },
    /// A signal from outside this instance. Not buffered.
    Signal {
        /// Signal name.
        name: String,
        /// Its content.
        #[serde(default)]
        variables: Value,
    },
    /// An armed timer is due.
    TimerDue {
        /// Key of [`crate::Effect::Arm`].
        timer: u64,
    },
    /// A human at the controls.
    Operator(Operator),
}

/// What an operator can do to an instance.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "operator")]
pub enum Operator {
    /// Merge `variables`, then try again what failed: the expression, or the job under a new key.
    Retry {
        /// Key of [`crate::Effect::Incident`].
        incident: u64,
        /// Corrections.
        #[serde(default)]
        variables: Value,
    },
    /// Count the element as done with `variables` as its result, and go on behind it.
    Skip {
        /// Key of the incident.
        incident: u64,
        /// Stands in for the result.
        #[serde(default)]
        variables: Value,
    },
    /// End the instance now.
    Cancel {
        /// Why; becomes the `end` of [`crate::Effect::Finished`].
        reason: String,
    },
    /// Do nothing more; record what comes in.
    Suspend,
    /// Apply what was recorded, in order, and go on.
    Resume,
    /// Correct variables.
    SetVariables {
        /// Key of the element whose variables are set; 0 is the process.
        scope: u64,
        /// Set as they are, in that scope.
        variables: Value,
    },
}
