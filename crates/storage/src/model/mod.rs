//! The shapes that go in and out. Plain structs; how they lie in tables is nobody's business.

pub mod audit;
pub mod backlog;
pub mod case;
pub mod change;
pub mod effect;
pub mod gate;
pub mod incident;
pub mod lane;
pub mod lease;
pub mod memory;
pub mod news;
pub mod record;
pub mod subject;
pub mod work;

/// Implements a closed set of words that a column holds.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// The word as it is stored and shown.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub(crate) fn read(word: &str) -> crate::Result<Self> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(crate::Error::Corrupt(stringify!($name))),
                }
            }
        }
    };
}
pub(crate) use words;

/// Implements an integer that numbers rows inside the database.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);
    };
}
pub(crate) use number;
