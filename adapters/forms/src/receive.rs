//! Answered forms: told by a notification, or found by asking.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use halsonav_adapter::{Inlet, Listener, Poller, Sink, Stop};
use halsonav_domain::{
    CaseId, Clock, Envelope, Kind, PersonId, Problem, Timestamp,
    event::{Event, FormCompleted},
};
use halsonav_rivta::{
    Operations, Request, Server, ServerConfig, SoapFault,
    engagement::{self, Engagement, PROCESS_NOTIFICATION},
    handler,
    xml::Element,
};
use tokio::sync::oneshot;

use crate::{
    Forms,
    answers::answers,
    deliver::{FORM, FORM_REQUEST},
    error::Error,
    translate::{self, Query, SERVICE_DOMAIN, Status},
};

const SOURCE: &str = "/adapters/forms";

/// What became of the notifications received since the start.
#[derive(Debug, Default)]
pub struct Received {
    published: AtomicU64,
    ignored: AtomicU64,
}

impl Received {
    /// Events published, and notifications that concern no case of ours or no answer.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (
            self.published.load(Ordering::Relaxed),
            self.ignored.load(Ordering::Relaxed),
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
    pub forms: Arc<Forms>,
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
        let operations = Arc::clone(&self.forms).notifications(inlet)?;
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

/// Asks for answered forms now and then.
pub(crate) struct Round {
    pub forms: Arc<Forms>,
}

#[async_trait]
impl Poller for Round {
    fn name(&self) -> &'static str {
        "forms"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.forms.config.poll.every_minutes))
    }

    async fn poll(&self, inlet: &Inlet) -> Result<usize, Problem> {
        self.forms.look_for_answers(inlet).await
    }
}

/// A form that may have been answered.
struct Candidate<'a> {
    form_id: &'a str,
    person: Option<&'a str>,
    case: CaseId,
    /// The template's name in the region, when the hub asked for the form.
    template: Option<String>,
}

impl Forms {
    /// ProcessNotification, for an endpoint that several adapters share.
    ///
    /// # Errors
    /// `Invalid` when the operations cannot be put together.
    pub fn notifications(self: Arc<Self>, inlet: Inlet) -> Result<Operations, Problem> {
        let taker = handler(move |request: Request| {
            let (forms, inlet) = (Arc::clone(&self), inlet.clone());
            async move { forms.notified(&inlet, &request).await }
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

    /// Publishes the answers that the notifications tell of. Thanks are due only when this returned `Ok`.
    async fn take(&self, inlet: &Inlet, engagements: &[Engagement]) -> Result<(), Problem> {
        let (mut facts, mut trouble) = (Vec::new(), None);
        for engagement in engagements.iter().filter(|engagement| is_form(engagement)) {
            match self.told(inlet, engagement).await {
                Ok(Some(fact)) => facts.push(fact),
                Ok(None) => {
                    self.received.ignored.fetch_add(1, Ordering::Relaxed);
                }
                Err(problem) => trouble = trouble.or(Some(problem)),
            }
        }
        self.publish(inlet, facts).await?;
        trouble.map_or(Ok(()), Err)
    }

    async fn told(
        &self,
        inlet: &Inlet,
        engagement: &Engagement,
    ) -> Result<Option<Envelope>, Problem> {
        // The contract's text and its operator spell it differently.
        let answered = matches!(
            engagement.categorization.as_str(),
            "FormComplete" | "FormCompleted"
        ) && !engagement.deleted;
        if !answered {
            return Ok(None);
        }
        let form_id = engagement.object.as_str();
        let known = inlet.directory.case_of_reference(FORM, form_id).await?;
        let (case, template) = match known {
            Some((case, payload)) => (
                case,
                payload
                    .get("template")
                    .and_then(|name| name.as_str())
                    .map(str::to_owned),
            ),
            // The answer may be quicker than our note of the form; then the resident leads to the case.
            None => match PersonId::parse(&engagement.resident) {
                Ok(person) => match inlet.directory.case_of_person(&person).await? {
                    Some((case, _)) => (case, None),
                    None => return Ok(None),
                },
                Err(_) => return Ok(None),
            },
        };
        let candidate = Candidate {
            form_id,
            person: Some(&engagement.resident),
            case,
            template,
        };
        match self.completed(inlet, &candidate).await? {
            Found::Answered(fact) => Ok(Some(*fact)),
            Found::NotOurs => Ok(None),
            Found::Open => Err(Problem::new(
                Kind::Unavailable,
                "HUB-FORMS-008",
                "a form said to be answered is not complete yet",
            )),
        }
    }

    /// Fetches a form and makes the fact of it.
    async fn completed(&self, inlet: &Inlet, candidate: &Candidate<'_>) -> Result<Found, Problem> {
        let misunderstood = |error| Error::Misunderstood(error).problem();
        let form = self
            .fetch(candidate.form_id, candidate.person)
            .await
            .map_err(|error| error.problem())?;
        let Some(form) = form else {
            return Ok(Found::NotOurs);
        };
        let Some(template) = candidate.template.clone().or_else(|| self.name(&form)) else {
            return Ok(Found::NotOurs);
        };
        if translate::listing(&form).map_err(misunderstood)?.status != Status::Completed {
            return Ok(Found::Open);
        }
        let form_id = candidate.form_id.to_owned();
        let answers = answers(&form).map_err(misunderstood)?;
        let time = translate::saved(&form).unwrap_or_else(|| inlet.sink.now());
        let data = FormCompleted {
            form_id: form_id.clone(),
            template,
            answers,
            mode: "digital".to_owned(),
        }
        .data();
        // A notification, its repetition and the poller all say the same fact.
        let id = format!("form:{form_id}:completed");
        let fact = Envelope::new(
            SOURCE,
            id,
            FormCompleted::TYPE,
            Some(candidate.case),
            time,
            data,
        )
        .correlated(form_id);
        Ok(Found::Answered(Box::new(fact)))
    }

    /// The region's name of the form's template.
    fn name(&self, form: &Element) -> Option<String> {
        translate::template_of(form)
            .and_then(|id| self.config.name_of(id))
            .map(str::to_owned)
    }

    /// One round: open forms of open cases, asked about in batches by our ids of the requests.
    async fn look_for_answers(&self, inlet: &Inlet) -> Result<usize, Problem> {
        let poll = &self.config.poll;
        let open: HashMap<String, CaseId> = inlet
            .directory
            .open_references(FORM, poll.limit)
            .await?
            .into_iter()
            .map(|(case, form)| (form, case))
            .collect();
        let cases: HashSet<CaseId> = open.values().copied().collect();
        // A case may have requests that are answered already; only those of cases with an open form count.
        let requests = inlet
            .directory
            .open_references(FORM_REQUEST, poll.limit.saturating_mul(4))
            .await?;
        let interests: Vec<_> = requests
            .iter()
            .filter(|(case, _)| cases.contains(case))
            .map(|(_, id)| id.as_str())
            .collect();
        let mut found = 0;
        for batch in interests.chunks(poll.batch.max(1)) {
            let query = Query {
                interests: batch.to_vec(),
                person: None,
            };
            let listed = self.list(&query).await.map_err(|error| error.problem())?;
            let mut facts = Vec::new();
            for form in listed
                .iter()
                .filter(|form| form.status == Status::Completed)
            {
                let Some(case) = open.get(&form.form_id) else {
                    continue;
                };
                let noted = inlet
                    .directory
                    .case_of_reference(FORM, &form.form_id)
                    .await?;
                let template = noted.and_then(|(_, payload)| {
                    payload
                        .get("template")
                        .and_then(|name| name.as_str())
                        .map(str::to_owned)
                });
                let candidate = Candidate {
                    form_id: &form.form_id,
                    person: form.person.as_deref(),
                    case: *case,
                    template,
                };
                if let Found::Answered(fact) = self.completed(inlet, &candidate).await? {
                    facts.push(*fact);
                }
            }
            found += facts.len();
            self.publish(inlet, facts).await?;
        }
        Ok(found)
    }

    async fn publish(&self, inlet: &Inlet, facts: Vec<Envelope>) -> Result<(), Problem> {
        if facts.is_empty() {
            return Ok(());
        }
        let count = facts.len() as u64;
        inlet.sink.publish(facts).await?;
        self.received.published.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }
}

/// What GetForm showed.
enum Found {
    Answered(Box<Envelope>),
    Open,
    NotOurs,
}

fn is_form(engagement: &Engagement) -> bool {
    let domain = engagement
        .service_domain
        .strip_prefix("urn:")
        .unwrap_or(&engagement.service_domain);
    domain == SERVICE_DOMAIN
}
