//! What a process does.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One of the parts that a hub is made of.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Answers requests.
    Api,
    /// Takes facts to instances, and does the hub's own work.
    Engine,
    /// Puts decided effects on the bus.
    Relay,
    /// Says when timers are due.
    Scheduler,
    /// Speaks to neighbours.
    Dispatch,
}

/// The parts of one process.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Its roles.
    pub roles: BTreeSet<Role>,
    /// Adapters it runs when it dispatches; `None` = all that are set up.
    pub adapters: Option<BTreeSet<String>>,
}

impl Parts {
    /// Everything: a hub in one process.
    #[must_use]
    pub fn all() -> Self {
        use clap::ValueEnum as _;
        Self {
            roles: Role::value_variants().iter().copied().collect(),
            adapters: None,
        }
    }

    /// Nothing but the command line: adapters are known, and none is run.
    #[must_use]
    pub fn none() -> Self {
        Self {
            roles: BTreeSet::new(),
            adapters: None,
        }
    }

    /// Whether this process has a role.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether this process speaks to the neighbour of this adapter.
    #[must_use]
    pub fn runs(&self, adapter: &str) -> bool {
        self.has(Role::Dispatch)
            && self
                .adapters
                .as_ref()
                .is_none_or(|some| some.contains(adapter))
    }
}
