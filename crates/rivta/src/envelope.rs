//! The SOAP 1.1 envelope.

use std::collections::BTreeMap;

use crate::{
    actor::{self, Actor, ActorKind},
    fault::{FaultCode, SoapFault},
    xml::{self, Element, Limits},
};

/// Namespace of SOAP 1.1.
pub(crate) const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";
const REGISTRY: &str = "urn:riv:itintegration:registry:1";
const NEXT: &str = "http://schemas.xmlsoap.org/soap/actor/next";

/// An envelope around `body`, as a request.
pub(crate) fn request(logical_address: &str, actor: Option<&Actor>, body: &str) -> String {
    let mut out = String::with_capacity(body.len() + 640);
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    let text = xml::document("soap:Envelope", &[("soap", SOAP)], |w| {
        w.element("soap:Header", |w| {
            w.raw(&xml::document(
                "itr:LogicalAddress",
                &[("itr", REGISTRY)],
                |w| w.content(logical_address),
            ));
            if let Some(actor) = actor {
                w.raw(&xml::document(
                    "ih:Actor",
                    &[("ih", actor::NAMESPACE)],
                    |w| {
                        w.text("ih:actorId", &actor.id);
                        w.text("ih:actorType", actor.kind.as_str());
                    },
                ));
            }
        });
        w.element("soap:Body", |w| w.raw(body));
    });
    out.push_str(&text);
    out
}

/// An envelope around `body`, as an answer.
pub(crate) fn answer(body: &str) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    out.push_str(&xml::document("soap:Envelope", &[("soap", SOAP)], |w| {
        w.element("soap:Body", |w| w.raw(body))
    }));
    out
}

/// An envelope that was read.
pub(crate) struct Envelope {
    /// The logical address, if it is there and not empty.
    pub logical_address: Option<String>,
    /// The actor, if it is there and whole.
    pub actor: Option<Actor>,
    /// A header that must be understood and is not, by its local name.
    pub foreign: Option<String>,
    /// Namespace of the body's element.
    pub namespace: String,
    /// Local name of the body's element.
    pub element: String,
    /// The body's element with all namespaces that were in scope declared on it.
    pub body: String,
}

impl Envelope {
    /// Whether the body is a fault.
    pub fn is_fault(&self) -> bool {
        self.namespace == SOAP && self.element == "Fault"
    }

    /// Reads an envelope.
    ///
    /// # Errors
    /// The fault to answer with.
    pub fn read(text: &str, limits: Limits) -> Result<Self, SoapFault> {
        let malformed =
            |error: xml::Error| SoapFault::client(format!("the request is not readable: {error}"));
        let parts = xml::parts(text, limits).map_err(malformed)?;
        let root = parts
            .root
            .as_ref()
            .ok_or_else(|| SoapFault::client("the request is empty"))?;
        if root.is(SOAP_12, "Envelope") {
            return Err(SoapFault::new(
                FaultCode::VersionMismatch,
                "SOAP 1.1 is spoken here",
            ));
        }
        if !root.is(SOAP, "Envelope") {
            return Err(SoapFault::client("the document is not a SOAP envelope"));
        }
        let mut bodies = Vec::new();
        let mut headers = Vec::new();
        for entry in &parts.entries {
            let section = &parts.sections[entry.section];
            if section.is(SOAP, "Body") {
                bodies.push(entry);
            } else if section.is(SOAP, "Header") {
                headers.push(entry);
            }
        }
        let [body] = bodies.as_slice() else {
            return Err(SoapFault::client("the body must hold exactly one element"));
        };
        let mut envelope = Self {
            logical_address: None,
            actor: None,
            foreign: None,
            namespace: body.element.ns.to_string(),
            element: body.element.name.clone(),
            body: standalone(&text[body.from..body.to], &body.scope),
        };
        for header in headers {
            let block = standalone(&text[header.from..header.to], &header.scope);
            envelope.header(&Element::parse_within(&block, limits).map_err(malformed)?);
        }
        Ok(envelope)
    }

    fn header(&mut self, block: &Element) {
        if block.is(REGISTRY, "LogicalAddress") {
            self.logical_address =
                Some(block.value().to_owned()).filter(|address| !address.is_empty());
        } else if block.is(actor::NAMESPACE, "Actor") {
            let id = block.text_of(actor::NAMESPACE, "actorId");
            let kind = block
                .text_of(actor::NAMESPACE, "actorType")
                .and_then(ActorKind::parse);
            self.actor = id.zip(kind).map(|(id, kind)| Actor {
                id: id.to_owned(),
                kind,
            });
        } else if for_us(block)
            && matches!(block.attribute(SOAP, "mustUnderstand"), Some("1" | "true"))
        {
            self.foreign = Some(block.name.clone());
        }
    }
}

/// Headers without an actor attribute, or for the next node, are addressed to us.
fn for_us(block: &Element) -> bool {
    matches!(block.attribute(SOAP, "actor"), None | Some("" | NEXT))
}

/// An element cut out of its document, with the declarations it lost put on it.
fn standalone(slice: &str, scope: &[(String, String)]) -> String {
    let name_end = slice
        .find(|c: char| c.is_whitespace() || c == '>' || c == '/')
        .unwrap_or(slice.len());
    let tag_end = tag_end(slice);
    let own = &slice[name_end..tag_end];
    let mut innermost = BTreeMap::new();
    for (prefix, ns) in scope {
        innermost.insert(prefix.as_str(), ns.as_str());
    }
    let mut out = String::with_capacity(slice.len() + 256);
    out.push_str(&slice[..name_end]);
    for (prefix, ns) in innermost {
        let undeclared = prefix.is_empty() && ns.is_empty();
        if !undeclared && !declares(own, prefix) {
            out.push_str(if prefix.is_empty() {
                " xmlns"
            } else {
                " xmlns:"
            });
            out.push_str(prefix);
            out.push_str("=\"");
            out.push_str(&ns.replace('"', "&quot;"));
            out.push('"');
        }
    }
    out.push_str(&slice[name_end..]);
    out
}

/// Where the first tag ends; a `>` within quotes does not end it.
fn tag_end(slice: &str) -> usize {
    let mut quote = None;
    for (at, byte) in slice.bytes().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None, b'>') => return at,
            _ => {}
        }
    }
    slice.len()
}

/// Whether the attributes in `tag` declare `prefix`.
fn declares(tag: &str, prefix: &str) -> bool {
    let name = if prefix.is_empty() {
        "xmlns".to_owned()
    } else {
        format!("xmlns:{prefix}")
    };
    let mut rest = tag;
    while let Some(equals) = rest.find('=') {
        let attribute = rest[..equals].trim();
        if attribute.trim_start_matches('/') == name {
            return true;
        }
        let value = rest[equals + 1..].trim_start();
        let Some(quote) = value.chars().next() else {
            return false;
        };
        let Some(end) = value[1..].find(quote) else {
            return false;
        };
        rest = &value[end + 2..];
    }
    false
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
