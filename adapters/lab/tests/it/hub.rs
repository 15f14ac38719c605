//! A hub made of maps.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use halsonav_adapter::{Adapter, Directory, Inlet, Sink, Stop};
use halsonav_domain::{CaseId, Envelope, Kind, PersonId, Problem, SubjectId, Timestamp};
use halsonav_lab::Lab;
use serde_json::Value;
use tokio::{sync::oneshot, task::JoinHandle};

#[derive(Default)]
pub struct Hub {
    pub events: Mutex<Vec<Envelope>>,
    pub persons: Mutex<HashMap<PersonId, CaseId>>,
    pub orders: Mutex<HashMap<String, (CaseId, Value)>>,
    pub away: AtomicBool,
}

impl Hub {
    pub fn new(persons: &[(&str, CaseId)]) -> Arc<Self> {
        let persons = persons
            .iter()
            .map(|(id, case)| (PersonId::parse(id).unwrap(), *case))
            .collect();
        Arc::new(Self {
            persons: Mutex::new(persons),
            ..Self::default()
        })
    }

    pub fn events(&self) -> Vec<Envelope> {
        self.events.lock().unwrap().clone()
    }

    pub fn note(&self, number: &str, case: CaseId, payload: Value) {
        self.orders
            .lock()
            .unwrap()
            .insert(number.to_owned(), (case, payload));
    }

    fn check(&self) -> Result<(), Problem> {
        if self.away.load(Ordering::SeqCst) {
            return Err(Problem::new(Kind::Unavailable, "HUB-TEST-001", "away"));
        }
        Ok(())
    }
}

#[async_trait]
impl Sink for Hub {
    async fn publish(&self, events: Vec<Envelope>) -> Result<(), Problem> {
        self.check()?;
        self.events.lock().unwrap().extend(events);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        super::now()
    }
}

#[async_trait]
impl Directory for Hub {
    async fn case_of_person(
        &self,
        person: &PersonId,
    ) -> Result<Option<(CaseId, SubjectId)>, Problem> {
        let case = self.persons.lock().unwrap().get(person).copied();
        Ok(case.map(|case| (case, SubjectId(case.0))))
    }

    async fn case_of_reference(
        &self,
        kind: &str,
        value: &str,
    ) -> Result<Option<(CaseId, Value)>, Problem> {
        assert_eq!(kind, "order");
        Ok(self.orders.lock().unwrap().get(value).cloned())
    }

    async fn open_references(&self, _: &str, _: usize) -> Result<Vec<(CaseId, String)>, Problem> {
        Ok(Vec::new())
    }
}

/// A running listener of the adapter.
pub struct Listening {
    pub addr: SocketAddr,
    pub stop: Stop,
    pub done: JoinHandle<Result<(), Problem>>,
}

pub async fn listen(adapter: &Arc<Lab>, hub: &Arc<Hub>) -> Listening {
    let inlet = Inlet {
        sink: hub.clone(),
        directory: hub.clone(),
    };
    let listener = Arc::clone(adapter).listeners().remove(0);
    let (bound, addr) = oneshot::channel();
    let stop = Stop::new();
    let stopped = stop.clone();
    let done = tokio::spawn(async move { listener.listen(inlet, bound, stopped).await });
    Listening {
        addr: addr.await.unwrap(),
        stop,
        done,
    }
}
