//! Our words and forminteraction 2.0's, both ways. Pure: no network, no clock.

use halsonav_domain::{HsaId, Timestamp};
use halsonav_rivta::{
    Contract,
    xml::{Element, Error, Writer, date, document, parse_timestamp},
};
use jiff::civil::Date;

const DOMAIN: &str = "urn:riv:infrastructure:eservicesupply:forminteraction";
pub(crate) const TYPES: &str = "urn:riv:infrastructure:eservicesupply:forminteraction:2";

/// `serviceDomain` of notifications that concern forms.
pub(crate) const SERVICE_DOMAIN: &str = "riv:infrastructure:eservicesupply:forminteraction";

pub(crate) const CREATE_FORM_REQUEST: Contract = Contract::new(DOMAIN, "CreateFormRequest", 2);
pub(crate) const GET_FORM: Contract = Contract::new(DOMAIN, "GetForm", 2);
pub(crate) const GET_FORMS: Contract = Contract::new(DOMAIN, "GetForms", 2);
pub(crate) const CANCEL_FORM: Contract = Contract::new(DOMAIN, "CancelForm", 2);

/// One `formRequests`.
#[derive(Clone, Debug)]
pub(crate) struct FormRequest {
    /// `clinicalProcessInterestId`: our command id.
    pub interest: String,
    pub expires: Date,
    pub keep_until: Option<Date>,
    pub unit: HsaId,
    pub template: String,
    pub version: Option<u32>,
}

/// One `formRequestResponses`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Placed {
    pub interest: Option<String>,
    pub form_id: String,
}

/// What the engine said of a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Verdict {
    /// `OK` or `INFO`: it is done.
    pub done: bool,
    pub comment: Option<String>,
    pub placed: Vec<Placed>,
}

/// Where a form stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    Ongoing,
    Pending,
    Completed,
}

/// A form without its answers, as GetForms lists it. `Debug` leaves the person out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub form_id: String,
    pub status: Status,
    pub interest: Option<String>,
    pub person: Option<String>,
}

impl std::fmt::Debug for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Listed({}, {:?})", self.form_id, self.status)
    }
}

/// What GetForms is asked.
#[derive(Default)]
pub(crate) struct Query<'a> {
    pub interests: Vec<&'a str>,
    pub person: Option<&'a str>,
}

fn request(contract: &Contract, content: impl FnOnce(&mut Writer)) -> String {
    let ns = contract.message_namespace();
    document(
        &format!("r:{}", contract.request_element()),
        &[("r", &ns), ("c", TYPES)],
        content,
    )
}

/// The system and care giver that ask are the same for all requests.
pub(crate) fn create_form_request<'a>(
    requests: impl Iterator<Item = (&'a FormRequest, &'a str)>,
    care_giver: Option<&HsaId>,
    system: Option<&HsaId>,
) -> String {
    request(&CREATE_FORM_REQUEST, |w| {
        for (form, person) in requests {
            w.element("r:formRequests", |w| {
                w.text("c:clinicalProcessInterestId", &form.interest);
                w.text("c:expireDate", &date(form.expires));
                w.optional("c:healthcare_CareGiver", care_giver.map(HsaId::as_str));
                w.text("c:healthcare_facility_CareUnit", form.unit.as_str());
                w.optional("c:healthcare_systemID", system.map(HsaId::as_str));
                match form.keep_until {
                    Some(day) => w.text("c:keepUntil", &date(day)),
                    // Mandatory, and empty for "until further notice" (TKB).
                    None => w.raw("<c:keepUntil></c:keepUntil>"),
                }
                w.text("c:subjectOfCare", person);
                w.text("c:templateId", &form.template);
                w.optional(
                    "c:templateVersion",
                    form.version.map(|version| version.to_string()).as_deref(),
                );
            });
        }
    })
}

pub(crate) fn get_form(form_id: &str, person: Option<&str>) -> String {
    request(&GET_FORM, |w| {
        w.text("r:formId", form_id);
        w.optional("r:subjectOfCare", person);
    })
}

pub(crate) fn get_forms(query: &Query<'_>) -> String {
    request(&GET_FORMS, |w| {
        for interest in &query.interests {
            w.text("r:clinicalProcessInterestIds", interest);
        }
        w.optional("r:subjectOfCare", query.person);
    })
}

pub(crate) fn cancel_form(form_id: &str, person: &str) -> String {
    request(&CANCEL_FORM, |w| {
        w.text("r:formId", form_id);
        w.text("r:subjectOfCare", person);
    })
}

/// Reads a response with `resultCode`.
pub(crate) fn verdict(contract: &Contract, answer: &str) -> Result<Verdict, Error> {
    let (root, ns) = response(contract, answer)?;
    let done = match root.require_text(&ns, "resultCode")? {
        "OK" | "INFO" => true,
        "ERROR" => false,
        _ => {
            return Err(Error::Value {
                name: "resultCode".to_owned(),
                expected: "OK, INFO or ERROR",
            });
        }
    };
    let placed = root.all(&ns, "formRequestResponses").map(|placed| {
        let interest = placed
            .text_of(TYPES, "clinicalProcessInterestId")
            .map(str::to_owned);
        Ok(Placed {
            interest,
            form_id: placed.require_text(TYPES, "formId")?.to_owned(),
        })
    });
    Ok(Verdict {
        done,
        comment: root.text_of(&ns, "comment").map(str::to_owned),
        placed: placed.collect::<Result<_, Error>>()?,
    })
}

/// Reads the forms of a GetForms response.
pub(crate) fn listed(answer: &str) -> Result<Vec<Listed>, Error> {
    let (root, ns) = response(&GET_FORMS, answer)?;
    root.all(&ns, "forms").map(listing).collect()
}

/// The form element of a GetForm response, if there is one.
pub(crate) fn form(answer: &str) -> Result<Option<Element>, Error> {
    let (root, ns) = response(&GET_FORM, answer)?;
    Ok(root.child(&ns, "form").cloned())
}

/// What FormType and FormsType have in common.
pub(crate) fn listing(form: &Element) -> Result<Listed, Error> {
    let status = match form.require_text(TYPES, "formStatus")? {
        "ONGOING" => Status::Ongoing,
        "PENDING_COMPLETION" => Status::Pending,
        // The XSD has the first spelling, the contract's text both.
        "COMPLETED" | "COMPLETE" => Status::Completed,
        _ => {
            return Err(Error::Value {
                name: "formStatus".to_owned(),
                expected: "a status of the contract",
            });
        }
    };
    let text = |name| form.text_of(TYPES, name).map(str::to_owned);
    Ok(Listed {
        form_id: form.require_text(TYPES, "formId")?.to_owned(),
        status,
        interest: text("clinicalProcessInterestId"),
        person: text("subjectOfCare"),
    })
}

/// `templateId` of a form.
pub(crate) fn template_of(form: &Element) -> Option<&str> {
    form.child(TYPES, "formTemplate")
        .and_then(|template| template.text_of(TYPES, "templateId"))
}

/// When the form was last saved; engines write it as TS.
pub(crate) fn saved(form: &Element) -> Option<Timestamp> {
    form.text_of(TYPES, "lastSavedDate")
        .and_then(parse_timestamp)
}

/// The response element, which must be the one that was asked for.
fn response(contract: &Contract, answer: &str) -> Result<(Element, String), Error> {
    let root = Element::parse(answer)?;
    let (ns, name) = (contract.message_namespace(), contract.response_element());
    if root.is(&ns, &name) {
        Ok((root, ns))
    } else {
        Err(Error::Missing(name))
    }
}

#[cfg(test)]
#[path = "translate_tests.rs"]
mod tests;
