//! What the resident said: no thanks, no more of this, yes to research.

use actix_web::{HttpResponse, post, web};
use halsonav_domain::event::{ConsentGiven, Declined, Event, OptedOut};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    access::Caller,
    body::Told,
    once::{Accepted, Doing, once},
    problem::Fault,
    state::State,
};

/// How the resident said it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// In 1177.
    Inbox,
    /// On the phone.
    Phone,
    /// By letter.
    Letter,
    /// When meeting.
    Visit,
}

impl Channel {
    fn text(self) -> String {
        let word = match self {
            Self::Inbox => "inbox",
            Self::Phone => "phone",
            Self::Letter => "letter",
            Self::Visit => "visit",
        };
        word.to_owned()
    }
}

/// No.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// How the resident said it.
    by: Channel,
}

/// Consent to research.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// The project.
    project: String,
    /// `true` given, `false` withdrawn.
    given: bool,
}

/// Publishes one fact about a case, once.
pub(crate) async fn tell<T, E: Event>(
    state: &State,
    caller: &Caller,
    operation: &'static str,
    id: &str,
    told: Told<T>,
    fact: impl FnOnce(T) -> Result<E, Fault>,
) -> Result<HttpResponse, Fault> {
    let case = state.case(caller, id).await?;
    let data = fact(told.value)?.data();
    once(state, caller, &told.ticket, async |names| {
        let audit = vec![state.entry(caller, "alter", operation, &case)];
        Ok(Doing::one(names.fact(E::TYPE, Some(case.id), data), audit))
    })
    .await
}

/// The resident says no thanks to this round.
#[utoipa::path(tag = "residents", params(("case" = Uuid, Path)), request_body = Refusal, responses((status = 202, description = "Published", body = Accepted)))]
#[post("/v1/cases/{case}/decline")]
pub(crate) async fn decline(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
    told: Told<Refusal>,
) -> Result<HttpResponse, Fault> {
    tell(&state, &caller, "decline-case", &id, told, |no| {
        Ok(Declined { by: no.by.text() })
    })
    .await
}

/// The resident wants no contact of this programme, in this round or a later one.
#[utoipa::path(tag = "residents", params(("case" = Uuid, Path)), request_body = Refusal, responses((status = 202, description = "Published", body = Accepted)))]
#[post("/v1/cases/{case}/opt-out")]
pub(crate) async fn opt_out(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
    told: Told<Refusal>,
) -> Result<HttpResponse, Fault> {
    tell(&state, &caller, "opt-out-case", &id, told, |no| {
        Ok(OptedOut { by: no.by.text() })
    })
    .await
}

/// Consent to research is given or withdrawn.
#[utoipa::path(tag = "residents", params(("case" = Uuid, Path)), request_body = Consent, responses((status = 202, description = "Published", body = Accepted)))]
#[post("/v1/cases/{case}/consents")]
pub(crate) async fn consent(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
    told: Told<Consent>,
) -> Result<HttpResponse, Fault> {
    tell(&state, &caller, "give-consent", &id, told, |consent| {
        let named = (1..=100).contains(&consent.project.len())
            && consent
                .project
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !named {
            return Err(Fault::unacceptable().because("a project has letters, digits, -, _ and ."));
        }
        Ok(ConsentGiven {
            project: consent.project,
            given: consent.given,
        })
    })
    .await
}
