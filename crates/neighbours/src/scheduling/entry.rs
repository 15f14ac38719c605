//! What stands in the book and on the tape.

use halsonav_domain::{HsaId, Timestamp};
use serde::{Deserialize, Serialize};

/// A booking, or a kallelse: timed, or open when it has no start.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// The booking system's id.
    pub id: String,
    /// The unit.
    pub unit: HsaId,
    /// Personal identity number.
    pub person: String,
    /// What kind of time.
    pub time_type: String,
    /// Start, end and leader; nothing for an open kallelse.
    pub slot: Option<Slot>,
    /// A kallelse (`isInvitation`).
    pub invitation: bool,
}

/// A time with a leader.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Slot {
    /// Start.
    pub start: Timestamp,
    /// End.
    pub end: Timestamp,
    /// Number of the leader at the unit, from 0.
    pub leader: u16,
}

impl std::fmt::Debug for Booking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Booking({}, {:?}, invitation: {})",
            self.id, self.slot, self.invitation
        )
    }
}

/// Why the booking system says no. The text is what a resident would read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// Somebody else has it.
    #[error("Tiden har blivit upptagen av annan patient.")]
    Taken,
    /// It is in the past.
    #[error("Tiden har redan passerat.")]
    Passed,
    /// The schedule has no such time, unit or time type.
    #[error("Tiden finns inte.")]
    NoSuchTime,
    /// The person is booked elsewhere at that time.
    #[error("Du har redan en annan bokning vid den tiden.")]
    Occupied,
    /// No such booking of this person, or it is cancelled.
    #[error("Bokningen finns inte.")]
    NoSuchBooking,
    /// The kallelse was used before.
    #[error("Kallelsen är redan använd.")]
    InvitationUsed,
    /// A timed kallelse is rebooked, not booked (TKB).
    #[error("Kallelsen har redan en tid. Boka om den i stället.")]
    InvitationTimed,
    /// Nothing is free in the window.
    #[error("Det finns inga lediga tider.")]
    NothingFree,
}

/// One change of the book, as it stands on the tape.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Entry {
    /// A kallelse was issued.
    Invited { booking: Booking, at: Timestamp },
    /// A time was booked; `used` is the open kallelse it used up.
    Booked {
        booking: Booking,
        used: Option<Box<Booking>>,
        at: Timestamp,
    },
    /// A booking was moved; `was_invitation` when it was a timed kallelse before.
    Moved {
        booking: Booking,
        was_invitation: bool,
        at: Timestamp,
    },
    /// A booking was cancelled or a kallelse withdrawn.
    Cancelled { booking: Booking, at: Timestamp },
    /// The index has taken all engagements up to this number.
    Notified { upto: u64 },
}

/// What a consumer asks for.
pub(super) struct Wish<'a> {
    pub unit: &'a HsaId,
    pub person: &'a str,
    pub time_type: Option<&'a str>,
    pub start: Timestamp,
    pub end: Option<Timestamp>,
    pub performer: Option<&'a HsaId>,
    /// An open kallelse to use up, or the booking to move.
    pub booking: Option<&'a str>,
}
