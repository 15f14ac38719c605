//! What the index tells: bookings made, moved and cancelled by residents and units.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use halsonav_adapter::{Inlet, Listener, Sink, Stop};
use halsonav_domain::{
    CaseId, Clock, Envelope, HsaId, Kind, PersonId, Problem, Timestamp,
    event::{BookingCancelled, BookingChanged, BookingMade, Event},
};
use halsonav_rivta::{
    Operations, Request, Server, ServerConfig, SoapFault,
    engagement::{self, Engagement, PROCESS_NOTIFICATION},
    handler,
};
use tokio::sync::oneshot;

use crate::{
    Booking,
    ask::number,
    translate::{SERVICE_DOMAIN, Timeslot},
};

const SOURCE: &str = "/adapters/booking";

/// What became of the engagements received since the start.
#[derive(Debug, Default)]
pub struct Received {
    published: AtomicU64,
    ignored: AtomicU64,
    echoes: AtomicU64,
}

impl Received {
    /// Events published, engagements that concern no case of ours, and echoes of our own changes.
    #[must_use]
    pub fn counts(&self) -> (u64, u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (
            read(&self.published),
            read(&self.ignored),
            read(&self.echoes),
        )
    }
}

/// The hub's clock, as its sink tells it.
struct HubClock(Arc<dyn Sink>);

impl Clock for HubClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// The adapter's own endpoint.
pub(crate) struct Endpoint {
    pub booking: Arc<Booking>,
    pub server: ServerConfig,
}

#[async_trait]
impl Listener for Endpoint {
    async fn listen(
        &self,
        inlet: Inlet,
        bound: oneshot::Sender<SocketAddr>,
        stop: Stop,
    ) -> Result<(), Problem> {
        let clock = Arc::new(HubClock(Arc::clone(&inlet.sink)));
        let operations = Arc::clone(&self.booking).notifications(inlet)?;
        let running = Server::builder(self.server.clone(), clock)
            .operations(operations)
            .start()
            .await?;
        // Nobody may be waiting for the address; that is no reason not to serve.
        let _ = bound.send(running.addr);
        stop.cancelled().await;
        running.stop().await;
        Ok(())
    }
}

impl Booking {
    /// ProcessNotification, for an endpoint that several adapters share.
    ///
    /// # Errors
    /// `Invalid` when the operations cannot be put together.
    pub fn notifications(self: Arc<Self>, inlet: Inlet) -> Result<Operations, Problem> {
        let taker = handler(move |request: Request| {
            let (booking, inlet) = (Arc::clone(&self), inlet.clone());
            async move { booking.notified(&inlet, &request).await }
        });
        Ok(Operations::new().notification(&PROCESS_NOTIFICATION, taker)?)
    }

    async fn notified(&self, inlet: &Inlet, request: &Request) -> Result<String, SoapFault> {
        let engagements = engagement::parse(&request.body)
            .map_err(|error| SoapFault::client(error.to_string()))?;
        match self.take(inlet, &engagements).await {
            Ok(()) => Ok(engagement::taken(&PROCESS_NOTIFICATION)),
            Err(problem) => {
                tracing::warn!(
                    code = problem.code,
                    "a notification could not be taken and will come again"
                );
                Err(SoapFault::server(format!(
                    "{} not taken, send it again",
                    problem.code
                )))
            }
        }
    }

    /// Publishes what the engagements mean. Thanks are due only when this returned `Ok`.
    async fn take(&self, inlet: &Inlet, engagements: &[Engagement]) -> Result<(), Problem> {
        let (mut facts, mut trouble) = (Vec::new(), None);
        for engagement in engagements
            .iter()
            .filter(|engagement| is_booking(engagement))
        {
            match self.fact(inlet, engagement).await {
                Ok(Some(fact)) => facts.push(fact),
                Ok(None) => {}
                // Not allowed to ask, or unable to: somebody else's booking, and no use in coming again.
                Err(problem)
                    if matches!(problem.kind, Kind::Denied | Kind::Invalid | Kind::NotFound) =>
                {
                    tracing::warn!(code = problem.code, "an engagement was passed over");
                    self.received.ignored.fetch_add(1, Ordering::Relaxed);
                }
                Err(problem) => trouble = trouble.or(Some(problem)),
            }
        }
        if !facts.is_empty() {
            let count = facts.len() as u64;
            inlet.sink.publish(facts).await?;
            self.received.published.fetch_add(count, Ordering::Relaxed);
        }
        trouble.map_or(Ok(()), Err)
    }

    async fn fact(
        &self,
        inlet: &Inlet,
        engagement: &Engagement,
    ) -> Result<Option<Envelope>, Problem> {
        let unit = HsaId::new(&engagement.logical_address);
        let ours = self.config.units.is_empty() || self.config.units.contains(&unit);
        let Some(person) = PersonId::parse(&engagement.resident).ok().filter(|_| ours) else {
            return Ok(self.ignore());
        };
        let known = inlet
            .directory
            .case_of_reference("booking", &engagement.object)
            .await?
            .map(|(case, _)| case);
        let case = match known {
            Some(case) => case,
            None => match inlet.directory.case_of_person(&person).await? {
                Some((case, _)) => case,
                None => return Ok(self.ignore()),
            },
        };
        // A change of our own at this unit may be under way: once it is over, its echo is known.
        drop(self.lane(&unit).lock().await);
        let news = News {
            engagement,
            unit,
            person,
            case,
            known: known.is_some(),
            now: inlet.sink.now(),
        };
        if engagement.deleted {
            self.gone(&news).await
        } else {
            self.present(&news).await
        }
    }

    async fn present(&self, news: &News<'_>) -> Result<Option<Envelope>, Problem> {
        let id = &news.engagement.object;
        let number = number(&news.person).map_err(|error| error.problem())?;
        let found = self
            .find(&news.unit, number, id)
            .await
            .map_err(|error| error.problem())?;
        let Some((start, end)) = found
            .filter(|slot| self.is_ours(slot))
            .and_then(|slot| slot.start.zip(slot.end))
        else {
            return Ok(self.ignore());
        };
        if self.echoes.is_echo(id, Some(start)) {
            return Ok(self.heard_echo());
        }
        let (kind, data) = if news.known {
            (
                BookingChanged::TYPE,
                BookingChanged {
                    booking_id: id.clone(),
                    start,
                    end,
                }
                .data(),
            )
        } else {
            (
                BookingMade::TYPE,
                BookingMade {
                    booking_id: id.clone(),
                    start,
                    end,
                }
                .data(),
            )
        };
        Ok(Some(news.envelope(
            &start.as_second().to_string(),
            kind,
            data,
        )))
    }

    /// A deletion is news when the booking is really gone. An engagement of another category may
    /// only have given way to a booking (an open kallelse that was answered, a timed one that was
    /// moved), so then the resident must have no other time of our kind.
    async fn gone(&self, news: &News<'_>) -> Result<Option<Envelope>, Problem> {
        let id = &news.engagement.object;
        if self.echoes.is_echo(id, None) {
            return Ok(self.heard_echo());
        }
        let number = number(&news.person).map_err(|error| error.problem())?;
        let ahead = self
            .schedule(&news.unit, number)
            .await
            .map_err(|error| error.problem())?;
        let still_there = ahead
            .iter()
            .any(|slot| slot.booking_id.as_ref() == Some(id));
        let replaced = !news.known
            && news.engagement.categorization != "Booking"
            && ahead.iter().any(|slot| self.is_ours(slot));
        if still_there || replaced {
            return Ok(self.ignore());
        }
        Ok(Some(
            news.envelope(
                "cancelled",
                BookingCancelled::TYPE,
                BookingCancelled {
                    booking_id: id.clone(),
                }
                .data(),
            ),
        ))
    }

    fn is_ours(&self, slot: &Timeslot) -> bool {
        let wanted = &self.config.time_types;
        wanted.is_empty() || slot.time_type.as_ref().is_none_or(|id| wanted.contains(id))
    }

    fn ignore(&self) -> Option<Envelope> {
        self.received.ignored.fetch_add(1, Ordering::Relaxed);
        None
    }

    fn heard_echo(&self) -> Option<Envelope> {
        self.received.echoes.fetch_add(1, Ordering::Relaxed);
        None
    }
}

/// An engagement with the case it concerns.
struct News<'a> {
    engagement: &'a Engagement,
    unit: HsaId,
    person: PersonId,
    case: CaseId,
    /// The hub asked for this booking itself.
    known: bool,
    now: Timestamp,
}

impl News<'_> {
    /// The same news always has the same id: booking, what about it, and when the index was told.
    fn envelope(&self, what: &str, kind: &str, data: serde_json::Value) -> Envelope {
        let engagement = self.engagement;
        let told = engagement
            .updated
            .or(engagement.most_recent)
            .map_or(0, Timestamp::as_second);
        let id = format!("booking:{}:{what}:{told}", engagement.object);
        Envelope::new(
            SOURCE,
            id,
            kind,
            Some(self.case),
            engagement.updated.unwrap_or(self.now),
            data,
        )
    }
}

fn is_booking(engagement: &Engagement) -> bool {
    let domain = engagement
        .service_domain
        .strip_prefix("urn:")
        .unwrap_or(&engagement.service_domain);
    domain == SERVICE_DOMAIN
}
