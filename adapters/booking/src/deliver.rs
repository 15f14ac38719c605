//! Commands of the hub, carried out.

use async_trait::async_trait;
use halsonav_adapter::{Delivery, Disclosure, Operation, Outbound, Reconciled, payload};
use halsonav_domain::{
    CommandId, Done, HsaId, Kind, Outcome, Problem, Timestamp,
    command::booking::{Book, Booked, Cancel, Cancelled, LookedUp, Lookup, Rebook},
};
use halsonav_rivta::Contract;
use jiff::SignedDuration;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    Booking,
    ask::{Window, number},
    error::Error,
    translate::{self, CANCEL_BOOKING, MAKE_BOOKING, Timeslot, UPDATE_BOOKING, Verdict, Wish},
};

const fn operation(name: &'static str, disclosure: Disclosure, idempotent: bool) -> Operation {
    Operation {
        name,
        contact: false,
        disclosure,
        idempotent,
        batch: 1,
    }
}

/// The contract carries no key of ours, so a repeated booking is a second booking. A cancelled
/// booking stays cancelled, and a question can be asked again.
pub(crate) const OPERATIONS: &[Operation] = &[
    operation("book", Disclosure::Full, false),
    operation("rebook", Disclosure::PersonId, false),
    operation("cancel", Disclosure::PersonId, true),
    operation("lookup", Disclosure::PersonId, true),
];

#[async_trait]
impl Outbound for Booking {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    async fn deliver(&self, operation: &str, batch: Vec<Delivery>) -> Vec<(CommandId, Outcome)> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for delivery in &batch {
            let outcome = match operation {
                "book" => self.book(delivery).await,
                "rebook" => self.rebook(delivery).await,
                "cancel" => self.cancel(delivery).await,
                "lookup" => self.lookup(delivery).await,
                _ => Err(Error::Payload(Problem::new(
                    Kind::Invalid,
                    "HUB-BOOKING-007",
                    "booking has no such operation",
                ))),
            };
            outcomes.push((delivery.command.id, outcome.unwrap_or_else(Error::outcome)));
        }
        outcomes
    }

    async fn reconcile(&self, operation: &str, delivery: &Delivery) -> Reconciled {
        let answer = match operation {
            "book" => self.was_booked(delivery).await,
            "rebook" => self.was_moved(delivery).await,
            "cancel" => self.was_cancelled(delivery).await,
            _ => Ok(Reconciled::Absent),
        };
        answer.unwrap_or_else(|error| Reconciled::Later(error.problem()))
    }
}

impl Booking {
    async fn book(&self, delivery: &Delivery) -> Result<Outcome, Error> {
        let wish: Book = read(delivery)?;
        let identity = delivery.identity.as_ref().ok_or(Error::Identity)?;
        let (unit, person) = (&delivery.command.unit, number(&identity.person_id)?);
        if let Some(invitation) = &wish.invitation
            && self
                .details(unit, person, invitation)
                .await
                .is_ok_and(|slot| slot.start.is_some())
        {
            // TKB: a timed kallelse is rebooked, never booked.
            let rebook = Rebook {
                booking_id: invitation.clone(),
                start: wish.start,
                not_before: wish.not_before,
                time_type: wish.time_type,
            };
            return self.move_to(delivery, &rebook, wish.not_after).await;
        }
        let window = self.window(
            delivery,
            person,
            &wish.time_type,
            wish.invitation.as_deref(),
            (wish.start, wish.not_before, wish.not_after),
        )?;
        let lane = self.lane(unit);
        let _turn = lane.lock().await;
        let mut refusal = None;
        for slot in self
            .free(&window, false)
            .await?
            .iter()
            .take(usize::from(self.config.tries))
        {
            let Some(wish) = taking(&window, slot) else {
                continue;
            };
            let verdict = self
                .act(
                    &MAKE_BOOKING,
                    unit,
                    person,
                    &translate::make_booking(&wish, &identity.name),
                )
                .await?;
            if verdict.done {
                let missing =
                    || Error::Unclear(halsonav_rivta::xml::Error::Missing("bookingId".to_owned()));
                let id = verdict.booking_id.clone().ok_or_else(missing)?;
                return Ok(self.booked(id, &wish, verdict));
            }
            refusal = verdict.text;
        }
        Ok(refused(refusal))
    }

    async fn rebook(&self, delivery: &Delivery) -> Result<Outcome, Error> {
        let wish: Rebook = read(delivery)?;
        self.move_to(delivery, &wish, None).await
    }

    async fn move_to(
        &self,
        delivery: &Delivery,
        wish: &Rebook,
        not_after: Option<Timestamp>,
    ) -> Result<Outcome, Error> {
        let (unit, person) = who(delivery)?;
        let times = (wish.start, wish.not_before, not_after);
        let window = self.window(
            delivery,
            person,
            &wish.time_type,
            Some(&wish.booking_id),
            times,
        )?;
        let lane = self.lane(unit);
        let _turn = lane.lock().await;
        let mut refusal = None;
        for slot in self
            .free(&window, false)
            .await?
            .iter()
            .take(usize::from(self.config.tries))
        {
            let Some(taking) = taking(&window, slot) else {
                continue;
            };
            let verdict = self
                .act(
                    &UPDATE_BOOKING,
                    unit,
                    person,
                    &translate::update_booking(&taking),
                )
                .await?;
            if verdict.done {
                return Ok(self.booked(wish.booking_id.clone(), &taking, verdict));
            }
            refusal = verdict.text;
        }
        Ok(refused(refusal))
    }

    async fn cancel(&self, delivery: &Delivery) -> Result<Outcome, Error> {
        let wish: Cancel = read(delivery)?;
        let Some(id) = wish.booking_id else {
            return Ok(cancelled(false));
        };
        let (unit, person) = who(delivery)?;
        let lane = self.lane(unit);
        let _turn = lane.lock().await;
        let verdict = self
            .act(
                &CANCEL_BOOKING,
                unit,
                person,
                &translate::cancel_booking(unit, &id),
            )
            .await?;
        if verdict.done {
            self.echoes.expect(&id, None);
            return Ok(cancelled(true));
        }
        // ERROR means both "not allowed" and "not there"; only the first is a refusal.
        let there = self
            .schedule(unit, person)
            .await?
            .iter()
            .any(|slot| slot.booking_id.as_deref() == Some(id.as_str()));
        Ok(if there {
            refused(verdict.text)
        } else {
            cancelled(false)
        })
    }

    async fn lookup(&self, delivery: &Delivery) -> Result<Outcome, Error> {
        let wish: Lookup = read(delivery)?;
        let (unit, person) = who(delivery)?;
        let found = self.find(unit, person, &wish.booking_id).await?;
        let (start, end) = found
            .as_ref()
            .map_or((None, None), |slot| (slot.start, slot.end));
        Ok(done(&LookedUp {
            exists: found.is_some(),
            start,
            end,
        })
        .into())
    }

    /// The window of starts to look in: an exact start, or from-to within the horizon.
    fn window<'a>(
        &self,
        delivery: &'a Delivery,
        person: &'a str,
        time_type: &'a str,
        booking_id: Option<&'a str>,
        (start, not_before, not_after): (Option<Timestamp>, Option<Timestamp>, Option<Timestamp>),
    ) -> Result<Window<'a>, Error> {
        let bad = |text: &str| {
            Err(Error::Payload(Problem::new(
                Kind::Invalid,
                "HUB-BOOKING-006",
                text,
            )))
        };
        if time_type.trim().is_empty() {
            return bad("timeType is empty");
        }
        let (from, to) = match start {
            Some(start) => (start, start),
            None => {
                let from = not_before.unwrap_or(delivery.now).max(delivery.now);
                let horizon =
                    from + SignedDuration::from_hours(24 * i64::from(self.config.horizon_days));
                if not_before
                    .zip(not_after)
                    .is_some_and(|(from, to)| to < from)
                {
                    return bad("notAfter is before notBefore");
                }
                (from, not_after.map_or(horizon, |to| to.min(horizon)))
            }
        };
        // A start in the past is never asked for; an empty window is refused without a call.
        Ok(Window {
            unit: &delivery.command.unit,
            person,
            time_type,
            from: from.max(delivery.now),
            to,
            booking_id,
        })
    }

    fn booked(&self, id: String, wish: &Wish<'_>, verdict: Verdict) -> Outcome {
        self.echoes.expect(&id, Some(wish.start));
        let result = Booked {
            booking_id: id.clone(),
            start: wish.start,
            end: wish.end,
            notice: verdict.text,
        };
        done(&result).referring("booking", id).into()
    }

    /// Asks for a change. No answer, or one that cannot be read, leaves it open whether it happened.
    async fn act(
        &self,
        contract: &Contract,
        unit: &HsaId,
        person: &str,
        body: &str,
    ) -> Result<Verdict, Error> {
        let answer = self
            .client
            .call(contract, unit.as_str(), Some(&self.actor(person)), body)
            .await
            .map_err(Error::Acted)?;
        translate::verdict(contract, &answer).map_err(Error::Unclear)
    }
}

pub(crate) fn read<T: DeserializeOwned>(delivery: &Delivery) -> Result<T, Error> {
    payload(&delivery.command).map_err(Error::Payload)
}

pub(crate) fn who(delivery: &Delivery) -> Result<(&HsaId, &str), Error> {
    let identity = delivery.identity.as_ref().ok_or(Error::Identity)?;
    Ok((&delivery.command.unit, number(&identity.person_id)?))
}

fn taking<'a>(window: &Window<'a>, slot: &'a Timeslot) -> Option<Wish<'a>> {
    let (start, end) = slot.start.zip(slot.end)?;
    let Window {
        unit,
        person,
        time_type,
        booking_id,
        ..
    } = *window;
    Some(Wish {
        unit,
        person,
        time_type,
        start,
        end,
        performer: slot.performer.as_deref(),
        booking_id,
    })
}

pub(crate) fn done<T: Serialize>(result: &T) -> Done {
    Done::new(serde_json::to_value(result).unwrap_or(Value::Null))
}

pub(crate) fn cancelled(cancelled: bool) -> Outcome {
    done(&Cancelled { cancelled }).into()
}

fn refused(text: Option<String>) -> Outcome {
    let text = text.unwrap_or_else(|| "Det finns ingen ledig tid.".to_owned());
    Outcome::Refused {
        code: "booking-refused".to_owned(),
        result: json!({ "text": text }),
    }
}
