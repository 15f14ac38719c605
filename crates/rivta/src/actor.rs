//! The `Actor` header: on whose behalf a booking contract is used.

use std::fmt;

/// Namespace of the header.
pub(crate) const NAMESPACE: &str = "urn:riv:interoperability:headers:1";

/// Who acts.
#[derive(Clone, PartialEq, Eq)]
pub struct Actor {
    /// Personal identity number of a resident, HSA-id of an agent.
    pub id: String,
    /// Which of the two.
    pub kind: ActorKind,
}

/// The kinds of actor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActorKind {
    /// The resident (`subject_of_care`).
    SubjectOfCare,
    /// Someone at work, or a system (`subject_of_care_agent`).
    SubjectOfCareAgent,
}

impl Actor {
    /// The resident with this personal identity number.
    #[must_use]
    pub fn subject(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            kind: ActorKind::SubjectOfCare,
        }
    }

    /// The agent with this HSA-id.
    #[must_use]
    pub fn agent(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            kind: ActorKind::SubjectOfCareAgent,
        }
    }
}

impl ActorKind {
    /// The word of the header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SubjectOfCare => "subject_of_care",
            Self::SubjectOfCareAgent => "subject_of_care_agent",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::SubjectOfCare, Self::SubjectOfCareAgent]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Actor({:?}, redacted)", self.kind)
    }
}
