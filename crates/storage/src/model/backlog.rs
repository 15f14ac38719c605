//! What waits at this moment.

use std::collections::BTreeMap;

use halsonav_domain::Timestamp;

/// What waits in the store at one moment, of all processes.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Backlog {
    /// Since when the command that has waited longest is due to be put on the bus; `None` if none is. One
    /// whose lane has just started is due since it was decided.
    pub command: Option<Timestamp>,
    /// Since when the timer that has waited longest is due; `None` if none is.
    pub timer: Option<Timestamp>,
    /// How many commands each adapter of the hub has in hand; those without any are left out.
    pub in_hand: BTreeMap<String, u64>,
    /// How many wait because the lane of the adapter is stopped; those without any are left out.
    pub stopped: BTreeMap<String, u64>,
    /// How many wait for fresh data of the register.
    pub held: u64,
    /// Incidents that are open.
    pub incidents: u64,
}
