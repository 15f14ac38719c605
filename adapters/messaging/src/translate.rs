//! Between the words of AddMessageToPatientPortalInbox 1 and IsActiveUser 1 and ours. Schema
//! `infrastructure_eservicesupply_patientportal_1.0`.

use halsonav_domain::PersonId;
use halsonav_rivta::{
    Contract,
    xml::{self, Element},
};

const DOMAIN: &str = "urn:riv:infrastructure:eservicesupply:patientportal";
pub(crate) const ADD_MESSAGE: Contract = Contract::new(DOMAIN, "AddMessageToPatientPortalInbox", 1);
pub(crate) const IS_ACTIVE_USER: Contract = Contract::new(DOMAIN, "IsActiveUser", 1);
const ADD_NS: &str =
    "urn:riv:infrastructure:eservicesupply:patientportal:AddMessageToPatientPortalInboxResponder:1";
const ACTIVE_NS: &str =
    "urn:riv:infrastructure:eservicesupply:patientportal:IsActiveUserResponder:1";
const CORE: &str = "urn:riv:infrastructure:eservicesupply:patientportal:1";

/// A message as it leaves.
pub(crate) struct Message<'a> {
    pub person: &'a PersonId,
    pub thread: &'a str,
    pub unit: &'a str,
    pub unit_name: &'a str,
    pub heading: &'a str,
    pub text: &'a str,
    pub link: Option<Link<'a>>,
    pub notify: bool,
    pub source_system: &'a str,
}

/// A link as it leaves.
pub(crate) struct Link<'a> {
    pub system: &'a str,
    pub text: &'a str,
    pub query: Option<String>,
    pub kind: &'static str,
}

/// The inbox's answer to a message.
#[derive(PartialEq, Eq)]
pub(crate) struct Receipt {
    pub code: ResultCode,
    pub thread: Option<String>,
    pub notified_by: Vec<String>,
    pub text: Option<String>,
}

/// `ResultCodeEnum`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ResultCode {
    Ok,
    Info,
    Error,
}

impl ResultCode {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "OK" => Some(Self::Ok),
            "INFO" => Some(Self::Info),
            "ERROR" => Some(Self::Error),
            _ => None,
        }
    }
}

/// The request element of AddMessageToPatientPortalInbox.
pub(crate) fn add_message(message: &Message<'_>) -> String {
    xml::document(
        "r:AddMessageToPatientPortalInbox",
        &[("r", ADD_NS), ("c", CORE)],
        |w| {
            w.text("r:subjectOfCareId", message.person.expose());
            w.element("r:message", |w| {
                w.element("c:organisationUnit", |w| {
                    w.text("c:unitId", message.unit);
                    w.text("c:unitName", message.unit_name);
                });
                w.text("c:messageThreadId", message.thread);
                w.text("c:messageDescription", message.heading);
                w.text("c:messageText", message.text);
                if let Some(link) = &message.link {
                    w.element("c:ssoLink", |w| {
                        w.text("c:systemId", link.system);
                        w.text("c:text", link.text);
                        w.optional("c:queryString", link.query.as_deref());
                        w.text("c:type", link.kind);
                    });
                }
            });
            w.flag("r:notify", message.notify);
            w.text("r:sourceSystem", message.source_system);
        },
    )
}

/// The response element of AddMessageToPatientPortalInbox.
pub(crate) fn receipt(root: &Element) -> Result<Receipt, xml::Error> {
    let code = ResultCode::parse(root.require_text(ADD_NS, "resultCode")?);
    Ok(Receipt {
        code: code.ok_or(xml::Error::Value {
            name: "resultCode".to_owned(),
            expected: "OK, INFO or ERROR",
        })?,
        thread: root.text_of(ADD_NS, "messageThreadId").map(str::to_owned),
        notified_by: root
            .all(ADD_NS, "notificationSent")
            .map(|e| e.value().to_owned())
            .filter(|m| !m.is_empty())
            .collect(),
        text: root.text_of(ADD_NS, "resultText").map(str::to_owned),
    })
}

/// The request element of IsActiveUser.
pub(crate) fn is_active_user(person: &PersonId) -> String {
    xml::document("r:IsActiveUser", &[("r", ACTIVE_NS)], |w| {
        w.text("r:subjectOfCareId", person.expose())
    })
}

/// The response element of IsActiveUser: active, and how the resident is told.
pub(crate) fn activity(root: &Element) -> Result<(bool, Vec<String>), xml::Error> {
    let active = root
        .flag(ACTIVE_NS, "status")?
        .ok_or_else(|| xml::Error::Missing("status".to_owned()))?;
    let methods = root
        .all(ACTIVE_NS, "activeNotificationMethods")
        .map(|e| e.value().to_owned());
    Ok((
        active,
        methods.filter(|method| !method.is_empty()).collect(),
    ))
}

/// First line and the rest; a text of one line is its own heading.
pub(crate) fn heading(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    match rest.trim() {
        "" => (first.trim(), first.trim()),
        rest => (first.trim(), rest),
    }
}

/// The inbox's text without anything that could be a personal identity number: it becomes a
/// variable of the case, where no identity may stand.
pub(crate) fn without_numbers(text: &str) -> String {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits < 6 {
        text.to_owned()
    } else {
        text.chars()
            .map(|c| if c.is_ascii_digit() { 'x' } else { c })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_heading() {
        assert_eq!(
            heading("Inbjudan\n\nDu erbjuds …\nVälkommen\n"),
            ("Inbjudan", "Du erbjuds …\nVälkommen")
        );
        assert_eq!(heading("\r\nInbjudan\r\n"), ("Inbjudan", "Inbjudan"));
        assert_eq!(heading("  "), ("", ""));
    }

    #[test]
    fn long_numbers_do_not_become_variables() {
        assert_eq!(
            without_numbers("19121212-1212 saknas"),
            "xxxxxxxx-xxxx saknas"
        );
        assert_eq!(
            without_numbers("Försök igen om 10 minuter"),
            "Försök igen om 10 minuter"
        );
    }
}
