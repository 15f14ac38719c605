//! What can go wrong with a bus.

use std::{io, sync::Arc};

use halsonav_domain::{Kind, Problem};

/// A failure of the bus. Never holds a record's content.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The disk refuses.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was tried, as a verb with its object.
        doing: &'static str,
        /// The system's answer.
        source: Arc<io::Error>,
    },
    /// Another process has the directory open.
    #[error("the log is in use by another process")]
    Locked,
    /// A record that was acknowledged cannot be read back.
    #[error("{topic}, partition {partition}, is damaged at offset {offset}")]
    Corrupt {
        /// Name of the topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// The first record that is not there or not whole.
        offset: u64,
    },
    /// A record is larger than the bus carries.
    #[error("a record of {size} bytes is larger than {limit}")]
    TooLarge {
        /// Bytes of the record with its headers.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The name of a topic or a group is not one.
    #[error("names of topics and groups have 1 to 120 of a-z, 0-9, '.', '-', '_'")]
    Name,
    /// A record is not what its topic holds.
    #[error("the record is not {expected}: {reason}")]
    Decode {
        /// What it should have been.
        expected: &'static str,
        /// Place of the fault in the text.
        reason: String,
    },
    /// The group has a consumer of that topic already.
    #[error("group {group} is already reading {topic}")]
    Taken {
        /// The group.
        group: String,
        /// Name of the topic.
        topic: String,
    },
    /// A flush failed, so nobody knows what is on the disk until the log is opened anew.
    #[error("{topic}, partition {partition}, takes nothing more until a restart")]
    Stopped {
        /// Name of the topic.
        topic: String,
        /// The partition.
        partition: u32,
    },
    /// A setting cannot be used.
    #[error("{key}: {reason}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// What is wrong with it; no secret.
        reason: String,
    },
    /// The Kafka client does not work as we rely on.
    #[error("the Kafka client has {property} = {found}, not {wanted}")]
    Property {
        /// Its property.
        property: &'static str,
        /// What was set.
        wanted: String,
        /// What it has.
        found: String,
    },
    /// Kafka does not answer, or not in time.
    #[error("cannot {doing}: {reason}")]
    Unreachable {
        /// What was tried, as a verb with its object.
        doing: &'static str,
        /// The client's word.
        reason: String,
    },
    /// Kafka does not know us, or gives us no right.
    #[error("not allowed to {doing}: {reason}")]
    Denied {
        /// What was tried, as a verb with its object.
        doing: &'static str,
        /// The client's word.
        reason: String,
    },
    /// A topic is not there, or is not as we rely on.
    #[error("topic {topic}: {fault}")]
    Topic {
        /// Its name on the cluster.
        topic: String,
        /// What is wrong with it.
        fault: String,
    },
    /// Records were deleted before the group had read them.
    #[error("{topic}, partition {partition}: {group} wants {wanted}, kept is from {oldest}")]
    Gone {
        /// The group's name on the cluster.
        group: String,
        /// The topic's name on the cluster.
        topic: String,
        /// The partition.
        partition: u32,
        /// The offset that the group would read next.
        wanted: i64,
        /// The oldest offset that is kept.
        oldest: i64,
    },
    /// Kafka refuses, and would again.
    #[error("Kafka refuses to {doing}: {reason}")]
    Refused {
        /// What was tried, as a verb with its object.
        doing: &'static str,
        /// The client's word.
        reason: String,
    },
}

impl Error {
    /// What should happen next.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            // A topic that is missing is made by an operator, and what waits for it goes on then.
            Self::Io { .. }
            | Self::Stopped { .. }
            | Self::Unreachable { .. }
            | Self::Topic { .. } => Kind::Unavailable,
            Self::Locked | Self::Taken { .. } => Kind::Conflict,
            Self::Corrupt { .. }
            | Self::Property { .. }
            | Self::Gone { .. }
            | Self::Refused { .. } => Kind::Internal,
            Self::TooLarge { .. } | Self::Name | Self::Decode { .. } | Self::Setting { .. } => {
                Kind::Invalid
            }
            Self::Denied { .. } => Kind::Denied,
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "HUB-BUS-001",
            Self::Locked => "HUB-BUS-002",
            Self::Corrupt { .. } => "HUB-BUS-003",
            Self::TooLarge { .. } => "HUB-BUS-004",
            Self::Name => "HUB-BUS-005",
            Self::Decode { .. } => "HUB-BUS-006",
            Self::Taken { .. } => "HUB-BUS-007",
            Self::Stopped { .. } => "HUB-BUS-008",
            Self::Setting { .. } => "HUB-BUS-009",
            Self::Property { .. } => "HUB-BUS-010",
            Self::Unreachable { .. } => "HUB-BUS-011",
            Self::Denied { .. } => "HUB-BUS-012",
            Self::Topic { .. } => "HUB-BUS-013",
            Self::Gone { .. } => "HUB-BUS-014",
            Self::Refused { .. } => "HUB-BUS-015",
        }
    }

    /// For `map_err`: the failure of doing something with a file.
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            doing,
            source: Arc::new(source),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        let message = text
            .split_once(": ")
            .map_or(text.as_str(), |(_, rest)| rest);
        Self::new(error.kind(), error.code(), message)
    }
}
