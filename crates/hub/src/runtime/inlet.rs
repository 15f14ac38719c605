//! What the hub lends to the inbound side of adapters.

use std::sync::Arc;

use async_trait::async_trait;
use halsonav_adapter::{Directory, Inlet, Sink};
use halsonav_domain::{CaseId, Envelope, PersonId, Problem, SubjectId, Timestamp};
use halsonav_storage::CaseFilter;
use serde_json::Value;

use super::{Core, store_problem};

struct Port(Arc<Core>);

/// An inlet into this hub.
#[must_use]
pub fn inlet(core: &Arc<Core>) -> Inlet {
    Inlet {
        sink: Arc::new(Port(core.clone())),
        directory: Arc::new(Port(core.clone())),
    }
}

#[async_trait]
impl Sink for Port {
    async fn publish(&self, events: Vec<Envelope>) -> Result<(), Problem> {
        self.0.publish(events).await
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

#[async_trait]
impl Directory for Port {
    async fn case_of_person(
        &self,
        person: &PersonId,
    ) -> Result<Option<(CaseId, SubjectId)>, Problem> {
        let person = person.clone();
        self.0
            .storage
            .read_async(move |r| {
                let Some(subject) = r.subject_of_person(&person)? else {
                    return Ok(None);
                };
                if let Some(case) = r.open_case_of(&subject)? {
                    return Ok(Some((case.id, subject)));
                }
                // What comes after the end is kept with the case that it belongs to.
                let filter = CaseFilter {
                    subject: Some(subject),
                    ..CaseFilter::default()
                };
                let all = r.cases(&filter, None, 1000)?;
                Ok(all.last().map(|case| (case.id, subject)))
            })
            .await
            .map_err(store_problem)
    }

    async fn case_of_reference(
        &self,
        kind: &str,
        value: &str,
    ) -> Result<Option<(CaseId, Value)>, Problem> {
        let (kind, value) = (kind.to_owned(), value.to_owned());
        let noted = self
            .0
            .storage
            .read_async(move |r| r.case_of_reference(&kind, &value))
            .await
            .map_err(store_problem)?;
        Ok(noted.map(|noted| (noted.case, noted.payload)))
    }

    async fn open_references(
        &self,
        kind: &str,
        limit: usize,
    ) -> Result<Vec<(CaseId, String)>, Problem> {
        let kind = kind.to_owned();
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        self.0
            .storage
            .read_async(move |r| r.open_references(&kind, limit))
            .await
            .map_err(store_problem)
    }
}
