//! Who may do what: roles, units, and the table of routes.

mod table;

use std::collections::BTreeSet;

use halsonav_domain::HsaId;

pub use table::{ROUTES, Route};

/// A role as tokens name it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Runs the region's programme: rounds, imports, exports.
    RegionAdmin,
    /// Leads the work at units; also the special track of protected persons.
    Coordinator,
    /// Calls, books, measures.
    Nurse,
    /// Holds the dialogue.
    Leader,
    /// Enters paper forms, helps with forms.
    Assistant,
    /// Keeps the hub running; sees no health data.
    Operator,
    /// Checks the audit log.
    Auditor,
    /// Reads metrics.
    Monitor,
    /// Another system.
    Integration,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::RegionAdmin,
        Self::Coordinator,
        Self::Nurse,
        Self::Leader,
        Self::Assistant,
        Self::Operator,
        Self::Auditor,
        Self::Monitor,
        Self::Integration,
    ];

    /// The word in tokens.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RegionAdmin => "region-admin",
            Self::Coordinator => "coordinator",
            Self::Nurse => "nurse",
            Self::Leader => "leader",
            Self::Assistant => "assistant",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
            Self::Monitor => "monitor",
            Self::Integration => "integration",
        }
    }

    pub(crate) fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// The candidate group of a process file that the role belongs to.
    fn group(self) -> Option<&'static str> {
        match self {
            Self::Coordinator => Some("coordinators"),
            Self::Nurse => Some("nurses"),
            Self::Leader => Some("leaders"),
            Self::Assistant => Some("assistants"),
            _ => None,
        }
    }
}

/// Units a caller works for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Units {
    /// The whole region.
    All,
    /// These; may be none.
    Some(BTreeSet<HsaId>),
}

/// Who asks, as the token has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Caller {
    pub(crate) sub: String,
    pub(crate) roles: BTreeSet<Role>,
    pub(crate) units: Units,
}

impl Caller {
    /// As the audit log names it.
    pub(crate) fn actor(&self) -> String {
        format!("user:{}", self.sub)
    }

    pub(crate) fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    pub(crate) fn may(&self, allowed: &[Role]) -> bool {
        allowed.iter().any(|role| self.is(*role))
    }

    pub(crate) fn serves(&self, unit: &HsaId) -> bool {
        match &self.units {
            Units::All => true,
            Units::Some(units) => units.contains(unit),
        }
    }

    pub(crate) fn serves_all(&self) -> bool {
        self.units == Units::All
    }

    /// For a filter: the units, cut down to `wanted`; `None` is all.
    pub(crate) fn units(&self, wanted: Option<&str>) -> Option<Vec<HsaId>> {
        let wanted = wanted.map(HsaId::new);
        match (&self.units, wanted) {
            (Units::All, wanted) => wanted.map(|unit| vec![unit]),
            (Units::Some(units), None) => Some(units.iter().cloned().collect()),
            (Units::Some(units), Some(unit)) => {
                Some(units.contains(&unit).then_some(unit).into_iter().collect())
            }
        }
    }

    /// The groups whose work is the caller's; `None` for those who lead the work and see all of it.
    pub(crate) fn groups(&self) -> Option<Vec<String>> {
        let leads = [Role::Coordinator, Role::RegionAdmin, Role::Operator];
        if self.may(&leads) {
            return None;
        }
        let groups = self.roles.iter().filter_map(|role| role.group());
        Some(groups.map(str::to_owned).collect())
    }

    /// Whether a work item for these groups is the caller's to do. No group is everyone's.
    pub(crate) fn does(&self, groups: &[String]) -> bool {
        self.is(Role::Coordinator)
            || groups.is_empty()
            || self
                .roles
                .iter()
                .filter_map(|role| role.group())
                .any(|mine| groups.iter().any(|group| group == mine))
    }
}
