//! Everything an instance can ask for or tell.

use std::collections::BTreeMap;

use halsonav_domain::{Kind, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What follows from one input. Apply them in order, in the transaction that stores the instance.
///
/// Keys are unique within the instance, never used twice, and a pure function of the inputs so
/// far: a replay gives the same keys. What opens and closes within one step is left out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "effect")]
pub enum Effect {
    /// Something to do in the outside world.
    Job {
        /// Answer to this with [`crate::Input::Completed`], `Refused` or `Failed`.
        key: u64,
        /// The element's id.
        element: String,
        /// Job type.
        kind: String,
        /// Tries before an incident.
        retries: u32,
        /// The input mappings' results, or every visible variable if there are none.
        payload: Value,
        /// Task headers.
        headers: BTreeMap<String, String>,
        /// Set when an operator tries again what had an unknown outcome: the key of the attempt
        /// whose idempotency key must be used again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repeats: Option<u64>,
    },
    /// Something a person must do.
    WorkItem {
        /// Answer to this as to a job.
        key: u64,
        /// The element's id.
        element: String,
        /// The element's name.
        name: String,
        /// Which kind of form.
        form: Option<String>,
        /// Whose it is.
        assignee: Option<String>,
        /// Who may take it.
        candidate_groups: Vec<String>,
        /// When it must be done.
        due: Option<Timestamp>,
        /// When it should be looked at.
        follow_up: Option<Timestamp>,
        /// 0..=100, 50 unless the file says otherwise.
        priority: i64,
        /// As for a job.
        payload: Value,
        /// Task headers.
        headers: BTreeMap<String, String>,
        /// `zeebe:properties`, evaluated.
        properties: BTreeMap<String, Value>,
    },
    /// A job or work item is no longer wanted; an answer to it will be rejected.
    Withdraw {
        /// Its key.
        key: u64,
    },
    /// Send [`crate::Input::TimerDue`] at `due`, or at once if that has passed.
    Arm {
        /// The timer.
        timer: u64,
        /// Not before this.
        due: Timestamp,
        /// The element's id.
        element: String,
    },
    /// A timer is no longer wanted. Not told for a timer that fired.
    Disarm {
        /// The timer.
        timer: u64,
    },
    /// Messages of this name and key are for this instance from now on.
    Subscribe {
        /// The subscription.
        key: u64,
        /// Message name.
        message: String,
        /// Correlation key.
        correlation: String,
        /// The element's id.
        element: String,
    },
    /// A message subscription is closed.
    Unsubscribe {
        /// The subscription.
        key: u64,
    },
    /// Signals of this name are for this instance from now on.
    SubscribeSignal {
        /// The subscription.
        key: u64,
        /// Signal name.
        signal: String,
        /// The element's id.
        element: String,
    },
    /// A signal subscription is closed.
    UnsubscribeSignal {
        /// The subscription.
        key: u64,
    },
    /// Broadcast to every *other* instance and to signal starts. This instance has had it.
    Signal {
        /// Signal name.
        name: String,
        /// Its content.
        variables: Value,
    },
    /// A human is needed. The token stays where it is.
    Incident {
        /// Answer with [`crate::Operator::Retry`] or `Skip`.
        key: u64,
        /// The element's id; the process id if it concerns the whole instance.
        element: String,
        /// The job that failed, if a job did.
        job: Option<u64>,
        /// What kind of failure.
        kind: Kind,
        /// `HUB-ENGINE-…`, or the code of the job's own problem.
        code: String,
        /// One sentence for an operator; no variable values.
        message: String,
    },
    /// An incident is over.
    Resolve {
        /// Its key.
        incident: u64,
    },
    /// A node was passed: for milestones and statistics.
    Reached {
        /// The element's id.
        element: String,
        /// Its name.
        name: String,
        /// `zeebe:properties`, evaluated.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        properties: BTreeMap<String, Value>,
    },
    /// A message or recorded input came to nothing.
    Dropped {
        /// Message id; empty for a recorded input that is not a message.
        id: String,
        /// Message name, or the kind of input.
        name: String,
        /// `no-subscription`, `expired`, `buffer-full`, `ended`, or the rejection.
        why: String,
    },
    /// The instance is over. Always the last effect there is.
    Finished {
        /// Property `outcome` of the end event, if it has one; `cancelled` if an operator ended it.
        outcome: Option<String>,
        /// The end event's id; the operator's reason if one ended it.
        end: String,
        /// The process's variables.
        variables: Map<String, Value>,
    },
}
