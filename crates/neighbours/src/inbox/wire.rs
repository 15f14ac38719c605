//! The words of AddMessageToPatientPortalInbox 1 and IsActiveUser 1, by their schemas.

use halsonav_domain::PersonId;
use halsonav_rivta::{
    Answer, Contract, Request, SoapFault,
    xml::{self, Element},
};

use super::{Entry, Link, Message, Office, status};
use crate::faults::Fault;

const DOMAIN: &str = "urn:riv:infrastructure:eservicesupply:patientportal";
/// Delivers a message.
pub const ADD_MESSAGE: Contract = Contract::new(DOMAIN, "AddMessageToPatientPortalInbox", 1);
/// Asks for an account.
pub const IS_ACTIVE_USER: Contract = Contract::new(DOMAIN, "IsActiveUser", 1);

/// Carries a request out, and answers in a way.
type Operation = fn(&Office, &Request, Way) -> Answer;

/// What is answered once the request is understood.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The truth.
    Straight,
    /// A logical refusal, and nothing is done.
    Refuse,
    /// It is done, and the answer is another request's.
    Astray,
}

/// What the inbox can do.
pub(super) const OPERATIONS: &[(&Contract, Operation)] = &[
    (&ADD_MESSAGE, add_message),
    (&IS_ACTIVE_USER, is_active_user),
    (&status::CONTRACT, status::answer),
];

/// Answers as the next fault in line wants it.
pub(super) fn misbehave(office: &Office, request: &Request, operation: Operation) -> Answer {
    match office.faults.take() {
        None => operation(office, request, Way::Straight),
        Some(Fault::LoseAnswer) => {
            operation(office, request, Way::Straight).and(Err(SoapFault::silence()))
        }
        Some(Fault::DropRequest) => Err(SoapFault::silence()),
        Some(Fault::Technical) => Err(SoapFault::server("Inkorg: tekniskt fel")),
        Some(Fault::Garbage) => Err(SoapFault::noise()),
        Some(Fault::Logical) => operation(office, request, Way::Refuse),
        Some(Fault::WrongAnswer) => operation(office, request, Way::Astray),
    }
}

pub(super) fn bad(error: xml::Error) -> SoapFault {
    SoapFault::client(format!("Inkorg: {error}"))
}

fn subject(root: &Element, ns: &str) -> Result<PersonId, SoapFault> {
    PersonId::parse(root.require_text(ns, "subjectOfCareId").map_err(bad)?)
        .map_err(|_| SoapFault::client("Inkorg: felaktig personidentitet"))
}

fn is_active_user(office: &Office, request: &Request, way: Way) -> Answer {
    let ns = IS_ACTIVE_USER.message_namespace();
    let person = subject(&request.element()?, &ns)?;
    let account = office
        .state()
        .accounts
        .get(person.expose())
        .cloned()
        .unwrap_or_default();
    if way == Way::Refuse {
        return Err(SoapFault::client("Inkorg: kan inte svara"));
    }
    let name = if way == Way::Astray {
        "r:SomeoneElseResponse"
    } else {
        "r:IsActiveUserResponse"
    };
    Ok(xml::document(name, &[("r", &ns)], |w| {
        w.flag("r:status", account.active);
        for method in account.notified_by.iter().filter(|_| account.active) {
            w.text("r:activeNotificationMethods", method);
        }
    }))
}

fn add_message(office: &Office, request: &Request, way: Way) -> Answer {
    let root = request.element()?;
    let message = read(office, &root)?;
    let mut state = office.state();
    let account = state
        .accounts
        .get(&message.person)
        .cloned()
        .unwrap_or_default();
    if way == Way::Refuse {
        return Ok(told(
            None,
            &[],
            "ERROR",
            Some("Meddelandet kan inte tas emot"),
        ));
    }
    if !account.active {
        return Ok(told(
            Some(&message.thread),
            &[],
            "ERROR",
            Some("Target person is not active user"),
        ));
    }
    let (thread, notify) = (message.thread.clone(), message.notify);
    let entry = Entry::Received(Box::new(message));
    office
        .tape
        .append(&entry)
        .map_err(|_| SoapFault::server("Inkorg: kan inte spara"))?;
    state.apply(entry);
    let methods: &[&str] = if notify { &account.notified_by } else { &[] };
    if way == Way::Astray {
        return Ok(told(Some("another-thread"), methods, "OK", None));
    }
    match methods {
        [] if notify => Ok(told(
            Some(&thread),
            methods,
            "INFO",
            Some("Mottagaren har inte valt någon avisering"),
        )),
        _ => Ok(told(Some(&thread), methods, "OK", None)),
    }
}

fn read(office: &Office, root: &Element) -> Result<Message, SoapFault> {
    let (ns, core) = (
        ADD_MESSAGE.message_namespace(),
        ADD_MESSAGE.types_namespace(),
    );
    let person = subject(root, &ns)?;
    let message = root.require(&ns, "message").map_err(bad)?;
    let unit = message.require(&core, "organisationUnit").map_err(bad)?;
    let notify = root.flag(&ns, "notify").map_err(bad)?.unwrap_or(false);
    let source_system = root.text_of(&ns, "sourceSystem").map(str::to_owned);
    if notify && source_system.is_none() {
        return Err(SoapFault::client(
            "Inkorg: sourceSystem krävs vid avisering",
        ));
    }
    let thread = match message.text_of(&core, "messageThreadId") {
        Some(thread) => thread.to_owned(),
        None => format!("inbox-{}", office.state().messages.len() + 1),
    };
    Ok(Message {
        thread,
        person: person.expose().to_owned(),
        unit: unit.require_text(&core, "unitId").map_err(bad)?.to_owned(),
        unit_name: unit
            .require_text(&core, "unitName")
            .map_err(bad)?
            .to_owned(),
        description: message
            .text_of(&core, "messageDescription")
            .map(str::to_owned),
        text: message
            .require_text(&core, "messageText")
            .map_err(bad)?
            .to_owned(),
        link: message
            .child(&core, "ssoLink")
            .map(|link| read_link(link, &core))
            .transpose()?,
        notify,
        source_system,
        received: office.clock.now(),
    })
}

fn read_link(link: &Element, core: &str) -> Result<Link, SoapFault> {
    let kind = link.require_text(core, "type").map_err(bad)?;
    if !["CurrentTarget", "Embedded", "Widget", "NewTarget"].contains(&kind) {
        return Err(SoapFault::client("Inkorg: okänd länktyp"));
    }
    Ok(Link {
        system: link.require_text(core, "systemId").map_err(bad)?.to_owned(),
        text: link.require_text(core, "text").map_err(bad)?.to_owned(),
        query: link.text_of(core, "queryString").map(str::to_owned),
        kind: kind.to_owned(),
    })
}

fn told(thread: Option<&str>, methods: &[&str], code: &str, text: Option<&str>) -> String {
    xml::document(
        "r:AddMessageToPatientPortalInboxResponse",
        &[("r", &ADD_MESSAGE.message_namespace())],
        |w| {
            w.optional("r:messageThreadId", thread);
            for method in methods {
                w.text("r:notificationSent", method);
            }
            w.text("r:resultCode", code);
            w.optional("r:resultText", text);
        },
    )
}
