//! Commands of the hub, carried out.

use async_trait::async_trait;
use halsonav_adapter::{Delivery, Disclosure, Operation, Outbound, Reconciled, payload};
use halsonav_domain::{
    CommandId, Done, Kind, Outcome, Problem,
    command::forms::{Cancel, Cancelled, Request, Requested},
};
use halsonav_rivta::Contract;
use jiff::civil::Date;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    Forms,
    error::Error,
    translate::{
        self, CANCEL_FORM, CREATE_FORM_REQUEST, FormRequest, GET_FORM, GET_FORMS, Listed, Query,
        Status, Verdict,
    },
};

/// Reference kind: the engine's form id.
pub(crate) const FORM: &str = "form";
/// Reference kind: our id of the request, by which GetForms can be asked.
pub(crate) const FORM_REQUEST: &str = "form-request";

/// The contract promises nothing about a repeated `clinicalProcessInterestId`, so a request is
/// not idempotent. A cancelled form stays cancelled.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "request",
        contact: true,
        disclosure: Disclosure::PersonId,
        idempotent: false,
        batch: 100,
    },
    Operation {
        name: "cancel",
        contact: false,
        disclosure: Disclosure::PersonId,
        idempotent: true,
        batch: 1,
    },
];

/// A request that can be sent.
struct Ready<'a> {
    id: CommandId,
    form: FormRequest,
    person: &'a str,
}

#[async_trait]
impl Outbound for Forms {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    async fn deliver(&self, operation: &str, batch: Vec<Delivery>) -> Vec<(CommandId, Outcome)> {
        if operation == "request" {
            return self.request(&batch).await;
        }
        let mut outcomes = Vec::with_capacity(batch.len());
        for delivery in &batch {
            let outcome = match operation {
                "cancel" => self.cancel(delivery).await,
                _ => Err(Error::Payload(Problem::new(
                    Kind::Invalid,
                    "HUB-FORMS-007",
                    "forms has no such operation",
                ))),
            };
            outcomes.push((
                delivery.command.id,
                outcome.unwrap_or_else(|error| error.outcome()),
            ));
        }
        outcomes
    }

    async fn reconcile(&self, operation: &str, delivery: &Delivery) -> Reconciled {
        let answer = match operation {
            "request" => self.was_requested(delivery).await,
            "cancel" => self.was_cancelled(delivery).await,
            _ => Ok(Reconciled::Absent),
        };
        answer.unwrap_or_else(|error| Reconciled::Later(error.problem()))
    }
}

impl Forms {
    async fn request(&self, batch: &[Delivery]) -> Vec<(CommandId, Outcome)> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut ready = Vec::with_capacity(batch.len());
        for delivery in batch {
            match self.prepare(delivery) {
                Ok(request) => ready.push(request),
                Err(error) => outcomes.push((delivery.command.id, error.outcome())),
            }
        }
        // The engine takes a batch whole or not at all. A refused batch is halved until the
        // request that it does not want stands alone.
        let mut parts: Vec<&[Ready<'_>]> = vec![&ready];
        while let Some(part) = parts.pop() {
            match self.place(part).await {
                _ if part.is_empty() => {}
                Ok(verdict) if verdict.done => outcomes.extend(
                    part.iter()
                        .map(|one| (one.id, placed(one, part.len(), &verdict))),
                ),
                Ok(verdict) if part.len() == 1 => outcomes.extend(
                    part.iter()
                        .map(|one| (one.id, refused(verdict.comment.clone()))),
                ),
                Ok(_) => {
                    let (left, right) = part.split_at(part.len() / 2);
                    parts.extend([right, left]);
                }
                Err(error) => outcomes.extend(part.iter().map(|one| (one.id, error.outcome()))),
            }
        }
        outcomes
    }

    fn prepare<'a>(&self, delivery: &'a Delivery) -> Result<Ready<'a>, Error> {
        let wish: Request = read(delivery)?;
        let person = who(delivery)?;
        let bad = |text: &str| Error::Payload(Problem::new(Kind::Invalid, "HUB-FORMS-006", text));
        let day = |text: &str| {
            text.parse::<Date>()
                .map_err(|_| bad("expires and keepUntil are days, YYYY-MM-DD"))
        };
        let expires = day(&wish.expires)?;
        let keep_until = wish.keep_until.as_deref().map(day).transpose()?;
        if keep_until.is_some_and(|keep| keep < expires) {
            return Err(bad("keepUntil is before expires"));
        }
        let (template, configured) = self.config.template(&wish.template);
        if template.trim().is_empty() {
            return Err(bad("template is empty"));
        }
        let wished = wish.version.as_deref().map(str::parse).transpose();
        let version = wished
            .map_err(|_| bad("version is a whole number"))?
            .or(configured);
        let id = delivery.command.id;
        let (template, unit) = (template.to_owned(), delivery.command.unit.clone());
        Ok(Ready {
            id,
            form: FormRequest {
                interest: id.to_string(),
                expires,
                keep_until,
                unit,
                template,
                version,
            },
            person,
        })
    }

    async fn place(&self, part: &[Ready<'_>]) -> Result<Verdict, Error> {
        if part.is_empty() {
            return Ok(Verdict {
                done: true,
                comment: None,
                placed: Vec::new(),
            });
        }
        let requests = part.iter().map(|one| (&one.form, one.person));
        let body = translate::create_form_request(
            requests,
            self.config.care_giver.as_ref(),
            self.config.system.as_ref(),
        );
        self.act(&CREATE_FORM_REQUEST, &body).await
    }

    async fn cancel(&self, delivery: &Delivery) -> Result<Outcome, Error> {
        let wish: Cancel = read(delivery)?;
        let Some(form_id) = wish.form_id else {
            return Ok(cancelled(false));
        };
        let verdict = self
            .act(
                &CANCEL_FORM,
                &translate::cancel_form(&form_id, who(delivery)?),
            )
            .await?;
        // ERROR: it is answered, or not there. Either way there is nothing to take back.
        Ok(cancelled(verdict.done))
    }

    async fn was_requested(&self, delivery: &Delivery) -> Result<Reconciled, Error> {
        let interest = delivery.command.id.to_string();
        let query = Query {
            interests: vec![&interest],
            person: Some(who(delivery)?),
        };
        let found = self
            .list(&query)
            .await?
            .into_iter()
            .find(|form| form.interest.as_deref() == Some(interest.as_str()));
        Ok(found.map_or(Reconciled::Absent, |form| {
            Reconciled::Settled(requested(form.form_id, &interest))
        }))
    }

    async fn was_cancelled(&self, delivery: &Delivery) -> Result<Reconciled, Error> {
        let wish: Cancel = read(delivery)?;
        let Some(form_id) = wish.form_id else {
            return Ok(Reconciled::Settled(cancelled(false)));
        };
        let form = self.fetch(&form_id, Some(who(delivery)?)).await?;
        let status = form
            .as_ref()
            .map(translate::listing)
            .transpose()
            .map_err(Error::Misunderstood)?
            .map(|form| form.status);
        Ok(match status {
            None => Reconciled::Settled(cancelled(true)),
            Some(Status::Completed) => Reconciled::Settled(cancelled(false)),
            Some(Status::Ongoing | Status::Pending) => Reconciled::Absent,
        })
    }

    pub(crate) async fn list(&self, query: &Query<'_>) -> Result<Vec<Listed>, Error> {
        let answer = self.ask(&GET_FORMS, &translate::get_forms(query)).await?;
        translate::listed(&answer).map_err(Error::Misunderstood)
    }

    /// The form element, or nothing when the engine has no such form of this person.
    pub(crate) async fn fetch(
        &self,
        form_id: &str,
        person: Option<&str>,
    ) -> Result<Option<halsonav_rivta::xml::Element>, Error> {
        let answer = self
            .ask(&GET_FORM, &translate::get_form(form_id, person))
            .await?;
        translate::form(&answer).map_err(Error::Misunderstood)
    }

    async fn ask(&self, contract: &Contract, body: &str) -> Result<String, Error> {
        self.client
            .call(contract, self.config.engine.as_str(), None, body)
            .await
            .map_err(Error::Asked)
    }

    /// Asks for a change. No answer, or one that cannot be read, leaves it open whether it happened.
    async fn act(&self, contract: &Contract, body: &str) -> Result<Verdict, Error> {
        let answer = self
            .client
            .call(contract, self.config.engine.as_str(), None, body)
            .await
            .map_err(Error::Acted)?;
        translate::verdict(contract, &answer).map_err(Error::Unclear)
    }
}

/// What became of one request of a batch that was taken. The engine need not repeat our id; when
/// only one was asked for there is no doubt which it is.
fn placed(one: &Ready<'_>, asked: usize, verdict: &Verdict) -> Outcome {
    let by_id = verdict
        .placed
        .iter()
        .find(|placed| placed.interest.as_ref() == Some(&one.form.interest));
    let only = match verdict.placed.as_slice() {
        [single] if asked == 1 && single.interest.is_none() => Some(single),
        _ => None,
    };
    match by_id.or(only) {
        Some(placed) => requested(placed.form_id.clone(), &one.form.interest),
        None => Error::Unanswered.outcome(),
    }
}

fn requested(form_id: String, interest: &str) -> Outcome {
    done(&Requested {
        form_id: form_id.clone(),
    })
    .referring(FORM, form_id)
    .referring(FORM_REQUEST, interest)
    .into()
}

fn cancelled(cancelled: bool) -> Outcome {
    done(&Cancelled { cancelled }).into()
}

fn refused(text: Option<String>) -> Outcome {
    let text = text.unwrap_or_else(|| "Formuläret kunde inte skapas.".to_owned());
    Outcome::Refused {
        code: "form-refused".to_owned(),
        result: json!({ "text": text }),
    }
}

fn read<T: DeserializeOwned>(delivery: &Delivery) -> Result<T, Error> {
    payload(&delivery.command).map_err(Error::Payload)
}

fn who(delivery: &Delivery) -> Result<&str, Error> {
    delivery
        .identity
        .as_ref()
        .map(|identity| identity.person_id.expose())
        .ok_or(Error::Identity)
}

fn done<T: Serialize>(result: &T) -> Done {
    Done::new(serde_json::to_value(result).unwrap_or(Value::Null))
}
