//! The one table of topic names.

use std::fmt;

/// A topic of the bus.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Topic {
    /// Facts: everything that may move a case. Key: the case.
    Events,
    /// What one adapter is asked to do. Key: the case.
    Commands(String),
    /// What an adapter of others is to be asked, before the gate was. Read inside the hub, which
    /// lets through what may leave to [`Topic::Commands`] of the same name. Key: the case.
    Intents(String),
    /// Documentation events for journal systems that listen instead of being called. Key: the case.
    Documentation,
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Events => f.write_str("halsonav.events"),
            Self::Commands(adapter) => write!(f, "halsonav.commands.{adapter}"),
            Self::Intents(adapter) => write!(f, "halsonav.intents.{adapter}"),
            Self::Documentation => f.write_str("halsonav.documentation"),
        }
    }
}
