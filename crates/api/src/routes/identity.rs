//! Who a case is about: for those who are to call or meet the resident.

use actix_web::{get, web};
use halsonav_domain::{Identity, Protection};
use halsonav_storage::{Access, Case, Extent, Writer};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    access::{Caller, Role},
    problem::Fault,
    state::State,
};

/// The resident. Not to be kept anywhere else.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentityView {
    /// The number in force, 12 positions.
    person_id: String,
    /// The name as on an envelope.
    name: String,
    /// Given names.
    given: String,
    /// Surname.
    surname: String,
    /// Where post goes, line by line.
    address: Vec<String>,
    /// Protected personal data: handle with care.
    protected: bool,
}

enum Found {
    Shown(Box<Identity>, bool),
    Nothing,
    Withheld,
}

/// The resident's name, number and address. A protected person is shown to coordinators alone.
#[utoipa::path(tag = "cases", params(("case" = Uuid, Path)), responses((status = 200, description = "The resident", body = IdentityView)))]
#[get("/v1/cases/{case}/identity")]
pub(crate) async fn who(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<web::Json<IdentityView>, Fault> {
    let case = state.case(&caller, &id).await?;
    let trusted = caller.is(Role::Coordinator);
    let access = Access {
        actor: caller.actor(),
        action: "read".to_owned(),
        purpose: "get-identity".to_owned(),
        unit: Some(case.unit.clone()),
        case: Some(case.id),
        at: state.now(),
    };
    match state
        .api
        .storage
        .write_async(move |tx| disclose(tx, &case, &access, trusted))
        .await?
    {
        Found::Shown(identity, protected) => Ok(web::Json(view(&identity, protected))),
        Found::Nothing => Err(Fault::not_found()),
        Found::Withheld => Err(Fault::forbidden()),
    }
}

/// The check and the reading see the same state; the entry is of the same transaction.
fn disclose(
    tx: &mut Writer,
    case: &Case,
    access: &Access,
    trusted: bool,
) -> halsonav_storage::Result<Found> {
    let register = tx.register(&case.subject)?;
    let protected = register.is_none_or(|register| register.protection != Protection::None);
    if protected && !trusted {
        return Ok(Found::Withheld);
    }
    let identity = tx
        .disclose(&[case.subject], Extent::Full, std::slice::from_ref(access))?
        .pop()
        .flatten();
    Ok(identity.map_or(Found::Nothing, |identity| {
        Found::Shown(Box::new(identity), protected)
    }))
}

fn view(identity: &Identity, protected: bool) -> IdentityView {
    let address = identity.address.as_ref().map_or_else(Vec::new, |address| {
        let care_of = address.care_of.iter().map(|name| format!("c/o {name}"));
        let town = format!("{} {}", address.postal_code, address.city);
        care_of
            .chain(address.lines.iter().cloned())
            .chain([town])
            .chain(address.country.iter().cloned())
            .collect()
    });
    IdentityView {
        person_id: identity.person_id.expose().to_owned(),
        name: identity.name.full(),
        given: identity.name.given.clone(),
        surname: identity.name.surname.clone(),
        address,
        protected,
    }
}
