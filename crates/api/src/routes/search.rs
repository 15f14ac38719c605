//! From a person to the case. The number comes in the body: addresses end up in logs.

use actix_web::{post, web};
use halsonav_domain::PersonId;
use halsonav_storage::{Case, CaseFilter, Reader};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::cases::CaseView;
use crate::{access::Caller, body::Asked, problem::Fault, state::State};

/// A person by number.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersonQuery {
    /// Personnummer, samordningsnummer or reserve number in 12 positions.
    #[schema(example = "191212121212")]
    person_id: String,
}

impl PersonQuery {
    pub(crate) fn person(&self) -> Result<PersonId, Fault> {
        PersonId::parse(&self.person_id)
            .map_err(|error| Fault::unacceptable().because(error.to_string()))
    }
}

/// A person's cases, in all rounds.
const MOST: u32 = 100;

/// The cases of a person at the caller's units. Noted in the audit log also when there is none.
#[utoipa::path(tag = "cases", request_body = PersonQuery, responses((status = 200, description = "The person's cases", body = Vec<CaseView>)))]
#[post("/v1/cases:search")]
pub(crate) async fn search(
    state: web::Data<State>,
    caller: Caller,
    asked: Asked<PersonQuery>,
) -> Result<web::Json<Vec<CaseView>>, Fault> {
    let person = asked.0.person()?;
    let mut cases = state.read(move |r| of_person(r, &person)).await?;
    cases.retain(|case| caller.serves(&case.unit));
    let mut entries: Vec<_> = cases
        .iter()
        .map(|case| state.entry(&caller, "read", "search-cases", case))
        .collect();
    if entries.is_empty() {
        entries.push(state.bare(&caller, "read", "search-cases", json!({ "found": 0 })));
    }
    state.note(entries).await?;
    Ok(web::Json(cases.iter().map(CaseView::from).collect()))
}

fn of_person(r: &mut Reader, person: &PersonId) -> halsonav_storage::Result<Vec<Case>> {
    match r.subject_of_person(person)? {
        None => Ok(Vec::new()),
        Some(subject) => r.cases(
            &CaseFilter {
                subject: Some(subject),
                ..CaseFilter::default()
            },
            None,
            MOST,
        ),
    }
}
