//! Results from the lab: matched to a case, published, and only then acknowledged.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use halsonav_adapter::Inlet;
use halsonav_domain::{
    CaseId, Envelope, Timestamp,
    command::lab::Order,
    event::{Event, LabResult},
};
use halsonav_hl7::{Answer, Handler, Message};
use serde::Deserialize;

use crate::{
    Error,
    report::{self, Report},
};

const SOURCE: &str = "/adapters/lab";

/// Takes results.
pub(crate) struct Receiver {
    inlet: Inlet,
    answered: Mutex<Answered>,
}

/// Analyses that came in earlier messages of orders that are answered in parts.
///
/// In memory: after a restart in the middle of an order, `complete` stays false unless the lab's
/// last message holds all of it. A process that waits for `complete` has its own timer.
#[derive(Default)]
struct Answered {
    orders: HashMap<String, BTreeSet<String>>,
    age: VecDeque<String>,
}

impl Answered {
    const MOST: usize = 20_000;

    fn add(&mut self, order: &str, codes: &BTreeSet<String>) {
        if !self.orders.contains_key(order) {
            self.age.push_back(order.to_owned());
        }
        self.orders
            .entry(order.to_owned())
            .or_default()
            .extend(codes.iter().cloned());
        if self.age.len() > Self::MOST
            && let Some(oldest) = self.age.pop_front()
        {
            self.orders.remove(&oldest);
        }
    }
}

#[async_trait]
impl Handler for Receiver {
    async fn handle(&self, message: &Message) -> Answer {
        match self.take(message).await {
            Ok(()) => Answer::Accepted,
            Err(error) => {
                tracing::error!(code = error.code(), %error, "a lab message was not accepted");
                error.answer()
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.inlet.sink.now()
    }
}

impl Receiver {
    pub(crate) fn new(inlet: Inlet) -> Self {
        Self {
            inlet,
            answered: Mutex::default(),
        }
    }

    /// All of a message or nothing: its acknowledgement is one.
    async fn take(&self, message: &Message) -> Result<(), Error> {
        let reports = report::read(message)?;
        let mut events = Vec::with_capacity(reports.len());
        for report in &reports {
            events.push(self.event(message, report).await?);
        }
        self.inlet.sink.publish(events).await.map_err(Error::Hub)?;
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        for report in &reports {
            if let Some(order) = &report.order {
                answered.add(order, &report.answered);
            }
        }
        Ok(())
    }

    async fn event(&self, message: &Message, report: &Report) -> Result<Envelope, Error> {
        let (case, ordered) = self.case(report).await?;
        let order_id = report
            .order
            .clone()
            .or_else(|| report.filler.clone())
            .unwrap_or_default();
        let result = LabResult {
            complete: self.is_complete(report, ordered.as_ref()),
            observations: report.observations.clone(),
            order_id: order_id.clone(),
        };
        let id = fact_id(message, case, &result);
        let envelope = Envelope::new(
            SOURCE,
            id,
            LabResult::TYPE,
            Some(case),
            self.now(),
            result.data(),
        );
        Ok(if order_id.is_empty() {
            envelope
        } else {
            envelope.correlated(order_id)
        })
    }

    /// The case of the order, when it is the case of the person too; else the case of the person.
    async fn case(&self, report: &Report) -> Result<(CaseId, Option<Order>), Error> {
        let mut person = None;
        for id in &report.persons {
            let found = self
                .inlet
                .directory
                .case_of_person(id)
                .await
                .map_err(Error::Hub)?;
            let found = found.map(|(case, _)| case);
            if person.is_some() && found.is_some() && person != found {
                return Err(Error::WrongPerson);
            }
            person = person.or(found);
        }
        let order = match &report.order {
            Some(number) => self
                .inlet
                .directory
                .case_of_reference("order", number)
                .await
                .map_err(Error::Hub)?,
            None => None,
        };
        match (order, person) {
            (Some((case, payload)), Some(person)) if case == person => {
                Ok((case, Order::deserialize(payload).ok()))
            }
            (Some(_), _) => Err(Error::WrongPerson),
            (None, Some(case)) => Ok((case, None)),
            (None, None) => Err(Error::Stranger),
        }
    }

    fn is_complete(&self, report: &Report, ordered: Option<&Order>) -> bool {
        let (Some(ordered), Some(number)) = (ordered, &report.order) else {
            return report.pending.is_empty();
        };
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = answered.orders.get(number);
        ordered.analyses.iter().all(|code| {
            report.answered.contains(code) || earlier.is_some_and(|codes| codes.contains(code))
        })
    }
}

/// The same for a message that comes again, and another when a lab begins its MSH-10 anew.
fn fact_id(message: &Message, case: CaseId, result: &LabResult) -> String {
    let mut hasher = blake3::Hasher::new();
    for field in [3, 4, 10] {
        hasher.update(message.text("MSH", field).as_bytes());
        hasher.update(&[0]);
    }
    hasher.update(case.0.as_bytes());
    // What is complete depends on what came before, so it is no part of the fact's name.
    let named = LabResult {
        complete: false,
        ..result.clone()
    };
    hasher.update(named.data().to_string().as_bytes());
    hasher.finalize().to_hex()[..32].to_owned()
}
