//! What is and what is not an envelope.

use super::*;

fn read(text: &str) -> Result<Envelope, SoapFault> {
    Envelope::read(text, Limits::default())
}

fn envelope(header: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='{SOAP}' xmlns:c='urn:c'><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
}

#[test]
fn a_request_comes_back_as_it_was() {
    let actor = Actor::subject("191212121212");
    let body = xml::document("r:Ask", &[("r", "urn:r")], |w| w.text("r:x", "a < b"));
    let text = request("SE1-A & B", Some(&actor), &body);
    let read = read(&text).expect("reads");
    assert_eq!(read.logical_address.as_deref(), Some("SE1-A & B"));
    assert_eq!(read.actor, Some(actor));
    assert_eq!(
        (read.namespace.as_str(), read.element.as_str()),
        ("urn:r", "Ask")
    );
    let root = Element::parse(&read.body).expect("reads");
    assert_eq!(root.text_of("urn:r", "x"), Some("a < b"));
}

#[test]
fn the_body_keeps_the_namespaces_of_the_envelope() {
    let check = |body: &str| {
        let read = read(&envelope("", body)).expect("reads");
        let root = Element::parse(&read.body).expect(&read.body);
        assert_eq!(root.text_of("urn:c", "x"), Some("1"), "{}", read.body);
    };
    check("<r:A xmlns:r='urn:r'><c:x>1</c:x></r:A>");
    check("<r:A xmlns:r='urn:r' xmlns:c='urn:c'><c:x>1</c:x></r:A>");
    check("<A title='xmlns:c=\"urn:z\" > '><c:x>1</c:x></A>");
    check("<A\n  xmlns = \"urn:c\"\n><x>1</x></A>");
    check("<c:A><c:x xmlns:c='urn:c'>1</c:x></c:A>");
    assert!(
        read(&envelope("", "<A/>"))
            .expect("reads")
            .body
            .starts_with("<A xmlns")
    );
}

#[test]
fn headers_that_must_be_understood_are_noticed() {
    let check = |header: &str, expect: Option<&str>| {
        assert_eq!(
            read(&envelope(header, "<A/>"))
                .expect("reads")
                .foreign
                .as_deref(),
            expect,
            "{header}"
        );
    };
    check("<c:Security s:mustUnderstand='1'/>", Some("Security"));
    check("<c:Security s:mustUnderstand='0'/>", None);
    check("<c:Security/>", None);
    check(
        "<c:Security s:mustUnderstand='1' s:actor='urn:someone-else'/>",
        None,
    );
    check(
        &format!("<c:Security s:mustUnderstand='1' s:actor='{NEXT}'/>"),
        Some("Security"),
    );
    check(
        "<i:LogicalAddress xmlns:i='urn:riv:itintegration:registry:1' s:mustUnderstand='1'>A</i:LogicalAddress>",
        None,
    );
}

#[test]
fn what_is_not_an_envelope_is_a_fault() {
    let check = |text: &str, code: FaultCode| {
        assert_eq!(
            read(text).err().map(|fault| fault.code),
            Some(code),
            "{text}"
        );
    };
    check("", FaultCode::Client);
    check("<html/>", FaultCode::Client);
    check(&envelope("", ""), FaultCode::Client);
    check(&envelope("", "<a/><b/>"), FaultCode::Client);
    check(
        &format!("<!DOCTYPE x>{}", envelope("", "<a/>")),
        FaultCode::Client,
    );
    check(
        &envelope("", "<a/>").replace(SOAP, SOAP_12),
        FaultCode::VersionMismatch,
    );
}

#[test]
fn an_empty_or_broken_header_is_no_header() {
    let read = read(&envelope("<i:LogicalAddress xmlns:i='urn:riv:itintegration:registry:1'> </i:LogicalAddress><h:Actor xmlns:h='urn:riv:interoperability:headers:1'><h:actorId>1</h:actorId><h:actorType>king</h:actorType></h:Actor>", "<A/>")).expect("reads");
    assert_eq!(read.logical_address, None);
    assert_eq!(read.actor, None);
}
