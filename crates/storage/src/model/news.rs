//! What the hub itself has to say.

use halsonav_domain::Envelope;

/// A fact that is not on the bus yet, or not known to be.
#[derive(Clone, PartialEq, Debug)]
pub struct News {
    /// Its number, in the order of noting.
    pub no: i64,
    /// The fact.
    pub fact: Envelope,
}
