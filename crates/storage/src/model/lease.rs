//! Who may do what only one may do at a time.

use halsonav_domain::Timestamp;

use super::number;

number! {
    /// A fencing token: no two leases have the same, and a later one has a larger. From
    /// [`crate::Writer::take_lease`].
    Epoch
}

/// Somebody's right to do something alone, until it is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    /// What it is for.
    pub name: String,
    /// Who has it, or had it last.
    pub holder: String,
    /// Its token.
    pub epoch: Epoch,
    /// When it ends unless renewed, on the database's clock.
    pub until: Timestamp,
    /// Whether it was in force when read.
    pub live: bool,
}
