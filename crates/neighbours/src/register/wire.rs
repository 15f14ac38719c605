//! The contract's words. Profiles as in chapter 8 of its TKB.

use std::{collections::HashMap, sync::atomic::Ordering};

use halsonav_domain::{PersonId, Protection};
use halsonav_rivta::{
    Answer, Request, SoapFault,
    xml::{self, PartialDate, Writer},
};

use super::{GET_PERSONS, Hall, Person, Residence};
use crate::faults::Fault;

const MOST: usize = 500;

/// What was asked for, once it is found to be in order.
struct Question {
    ids: Vec<PersonId>,
    /// 1 to 5.
    profile: u8,
    ignore_referred: bool,
}

/// Answers a request, or misbehaves.
pub(super) fn answer(hall: &Hall, request: &Request) -> Answer {
    hall.calls.fetch_add(1, Ordering::SeqCst);
    let fault = hall.faults.take();
    match fault {
        Some(Fault::DropRequest) => return Err(SoapFault::silence()),
        Some(Fault::Technical) => return Err(SoapFault::server("PU: tekniskt fel")),
        Some(Fault::Logical) => return Err(SoapFault::client("PU: felaktig begäran")),
        Some(Fault::Garbage) => return Err(SoapFault::noise()),
        _ => {}
    }
    if !request
        .logical_address
        .eq_ignore_ascii_case(&hall.logical_address)
    {
        return Err(SoapFault::client("PU: okänd logisk adress"));
    }
    let mut question = read(request)?;
    hall.asked.fetch_add(question.ids.len(), Ordering::SeqCst);
    match fault {
        Some(Fault::LoseAnswer) => return Err(SoapFault::silence()),
        Some(Fault::WrongAnswer) => {
            question.ids = vec![
                PersonId::parse("191212121212")
                    .map_err(|error| SoapFault::server(error.to_string()))?,
            ]
        }
        _ => {}
    }
    Ok(write(&hall.people(), &question))
}

fn read(request: &Request) -> Result<Question, SoapFault> {
    let (ns, core) = (
        GET_PERSONS.message_namespace(),
        GET_PERSONS.types_namespace(),
    );
    let bad = |error: xml::Error| SoapFault::client(format!("PU: {error}"));
    let root = request.element()?;
    let mut ids = Vec::new();
    for id in root.all(&ns, "personId") {
        let number = PersonId::parse(id.require_text(&core, "extension").map_err(bad)?);
        let number = number.map_err(|_| SoapFault::client("PU: felaktig personidentitet"))?;
        if id.require_text(&core, "root").map_err(bad)? != number.kind().oid() {
            return Err(SoapFault::client("PU: rot och identitet hör inte ihop"));
        }
        ids.push(number);
    }
    if ids.is_empty() || ids.len() > MOST {
        return Err(SoapFault::client("PU: 1 till 500 identiteter"));
    }
    let profile = match root.require_text(&ns, "profile").map_err(bad)? {
        "P1" => 1,
        "P2" => 2,
        "P3" => 3,
        "P4" => 4,
        "P5" => 5,
        _ => return Err(SoapFault::client("PU: okänd profil")),
    };
    let ignore_referred = root.flag(&ns, "ignoreReferredIdentity").map_err(bad)?;
    let ignore_referred =
        ignore_referred.ok_or_else(|| SoapFault::client("PU: ignoreReferredIdentity saknas"))?;
    Ok(Question {
        ids,
        profile,
        ignore_referred,
    })
}

fn write(people: &HashMap<String, Person>, question: &Question) -> String {
    let (ns, core) = (
        GET_PERSONS.message_namespace(),
        GET_PERSONS.types_namespace(),
    );
    xml::document(
        "r:GetPersonsForProfileResponse",
        &[("r", &ns), ("c", &core)],
        |w| {
            for id in &question.ids {
                let mut person = people.get(id.expose());
                // A number may refer to one that refers on.
                for _ in 0..8 {
                    let next = person
                        .filter(|_| !question.ignore_referred)
                        .and_then(|p| p.now.as_ref());
                    match next.and_then(|now| people.get(now)) {
                        Some(found) => person = Some(found),
                        None => break,
                    }
                }
                w.element("r:requestedPersonRecord", |w| {
                    identity(w, "c:requestedPersonalIdentity", id.expose());
                    if let Some(person) = person {
                        w.element("c:personRecord", |w| record(w, person, question.profile));
                    }
                });
            }
        },
    )
}

fn identity(w: &mut Writer, name: &str, number: &str) {
    let root = PersonId::parse(number).map_or("1.2.752.129.2.1.3.1", |id| id.kind().oid());
    w.element(name, |w| {
        w.text("c:root", root);
        w.text("c:extension", number);
    });
}

fn record(w: &mut Writer, person: &Person, profile: u8) {
    let (marked, hidden) = match person.protection {
        Protection::None => (false, false),
        Protection::Sekretessmarkering => (true, false),
        Protection::SkyddadFolkbokforing => (false, true),
        Protection::FingeradePersonuppgifter => (true, true),
    };
    // A protected person's record holds profile 1, whatever profile is asked for.
    let profile = if marked || hidden { 1 } else { profile };
    identity(w, "c:personalIdentity", &person.number);
    w.flag("c:protectedPersonIndicator", marked);
    w.flag("c:testIndicator", person.test);
    w.flag("c:primaryIdentity", person.now.is_none());
    w.element("c:name", |w| {
        w.text("c:givenName", &person.given);
        w.optional("c:middleName", person.middle.as_deref());
        w.text("c:surname", &person.surname);
        w.optional("c:notificationName", person.notification_name.as_deref());
    });
    for referred in person.formerly.iter().chain(&person.now) {
        w.element("c:referredPersonalIdentities", |w| {
            identity(w, "c:referredPersonalIdentity", referred)
        });
    }
    w.element("c:populationRegistrationLocality", |w| {
        w.text("c:countyCode", &person.county.0);
        if profile >= 2 {
            w.text("c:municipalityCode", &person.county.1);
        }
    });
    if profile >= 2 {
        w.element("c:addressInformation", |w| {
            residence(w, "c:residentialAddress", person.residence.as_ref());
            residence(w, "c:specialPostalAddress", person.special.as_ref());
        });
    }
    if let Some(gone) = &person.gone {
        let (format, value) = PartialDate::Day(gone.on).hyphenated();
        w.element("c:deregistration", |w| {
            w.text("c:deregistrationReasonCode", &gone.reason);
            w.element("c:deregistrationDate", |w| {
                w.text("c:format", format);
                w.text("c:value", &value);
            });
        });
    }
    if profile >= 3 {
        w.flag("c:optoutPaperNotification", person.paper_opt_out);
    }
    if hidden {
        w.flag("c:protectedPopulationRecord", true);
    }
}

fn residence(w: &mut Writer, name: &str, residence: Option<&Residence>) {
    let Some(residence) = residence else { return };
    w.element(name, |w| {
        w.optional("c:careOf", residence.care_of.as_deref());
        w.text("c:postalAddress2", &residence.street);
        w.text("c:postalCode", &residence.postal_code.to_string());
        w.text("c:city", &residence.city);
    });
}
