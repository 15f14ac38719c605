//! What became of an effect whose outcome nobody knows: the booking system is asked, not told.

use halsonav_adapter::{Delivery, Reconciled};
use halsonav_domain::command::booking::{Book, Booked, Cancel, Rebook};

use crate::{
    Booking,
    deliver::{cancelled, done, read, who},
    error::Error,
    translate::Timeslot,
};

impl Booking {
    /// A booking of this kind ahead is taken for ours, whatever its time: the resident has a time,
    /// and asking again would give a second one.
    pub(crate) async fn was_booked(&self, delivery: &Delivery) -> Result<Reconciled, Error> {
        let wish: Book = read(delivery)?;
        let (unit, person) = who(delivery)?;
        let ahead = self.schedule(unit, person).await?;
        let ours = |slot: &&Timeslot| {
            !slot.invitation
                && slot
                    .time_type
                    .as_deref()
                    .is_none_or(|id| id == wish.time_type)
                && slot.start.is_some_and(|start| start >= delivery.now)
        };
        let exact = ahead
            .iter()
            .filter(ours)
            .find(|slot| slot.start == wish.start);
        Ok(exact
            .or_else(|| ahead.iter().find(ours))
            .and_then(settled)
            .unwrap_or(Reconciled::Absent))
    }

    /// Moving twice leaves one booking, so when in doubt it is moved again.
    pub(crate) async fn was_moved(&self, delivery: &Delivery) -> Result<Reconciled, Error> {
        let wish: Rebook = read(delivery)?;
        let (unit, person) = who(delivery)?;
        let fits = |slot: &Timeslot| match (wish.start, wish.not_before) {
            (Some(start), _) => slot.start == Some(start),
            (None, Some(earliest)) => slot.start.is_some_and(|start| start >= earliest),
            (None, None) => false,
        };
        let found = self.find(unit, person, &wish.booking_id).await?;
        Ok(found
            .filter(fits)
            .as_ref()
            .and_then(settled)
            .unwrap_or(Reconciled::Absent))
    }

    pub(crate) async fn was_cancelled(&self, delivery: &Delivery) -> Result<Reconciled, Error> {
        let wish: Cancel = read(delivery)?;
        let Some(id) = wish.booking_id else {
            return Ok(Reconciled::Settled(cancelled(false)));
        };
        let (unit, person) = who(delivery)?;
        let there = self.find(unit, person, &id).await?.is_some();
        Ok(if there {
            Reconciled::Absent
        } else {
            Reconciled::Settled(cancelled(true))
        })
    }
}

fn settled(slot: &Timeslot) -> Option<Reconciled> {
    let ((start, end), id) = slot.start.zip(slot.end).zip(slot.booking_id.as_ref())?;
    let result = Booked {
        booking_id: id.clone(),
        start,
        end,
        notice: None,
    };
    Some(Reconciled::Settled(
        done(&result).referring("booking", id).into(),
    ))
}
