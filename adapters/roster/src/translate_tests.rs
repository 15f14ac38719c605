//! What a record says, and what it leaves out.

use super::*;

const NUMBER: &str = "191212121212";

fn read(inside: &str) -> Result<Found, Problem> {
    let text = format!(
        "<r:X xmlns:r='{NS}' xmlns='{CORE}'><r:requestedPersonRecord>\
         <requestedPersonalIdentity><root>1.2.752.129.2.1.3.1</root><extension>{NUMBER}</extension></requestedPersonalIdentity>\
         {inside}</r:requestedPersonRecord></r:X>"
    );
    let root = Element::parse(&text).expect("reads");
    let mut answers = response(&root, Timestamp::UNIX_EPOCH);
    answers
        .remove(&PersonId::parse(NUMBER).expect("valid"))
        .expect("an answer")
}

fn record(flags: (bool, bool), rest: &str) -> Result<Found, Problem> {
    read(&format!(
        "<personRecord><personalIdentity><extension>{NUMBER}</extension></personalIdentity>\
         <protectedPersonIndicator>{}</protectedPersonIndicator><testIndicator>false</testIndicator>{rest}\
         <protectedPopulationRecord>{}</protectedPopulationRecord></personRecord>",
        flags.0, flags.1
    ))
}

fn good(rest: &str) -> PersonRecord {
    record((false, false), rest).expect("a record").record
}

#[test]
fn no_record_is_an_unknown_person() {
    assert_eq!(
        read("").expect("a record").record.status,
        PersonStatus::Unknown
    );
}

#[test]
fn deregistration_decides_the_status() {
    let check = |inside: &str, expect| {
        assert_eq!(
            good(&format!("<deregistration>{inside}</deregistration>")).status,
            expect,
            "{inside}"
        )
    };
    check(
        "<deregistrationReasonCode>AV</deregistrationReasonCode>",
        PersonStatus::Deceased,
    );
    check(
        "<deregistrationReasonCode>av </deregistrationReasonCode>",
        PersonStatus::Deceased,
    );
    check(
        "<deregistrationReasonCode>UV</deregistrationReasonCode>",
        PersonStatus::Emigrated,
    );
    for other in ["GN", "OB", "TA", "AS"] {
        check(
            &format!("<deregistrationReasonCode>{other}</deregistrationReasonCode>"),
            PersonStatus::Deregistered,
        );
    }
    check(
        "<foundDeadAtDate><format>YYYY</format><value>2026</value></foundDeadAtDate>",
        PersonStatus::Deceased,
    );
    check(
        "<deregistrationDate><format>YYYY</format><value>2026</value></deregistrationDate>",
        PersonStatus::Deregistered,
    );
    check("", PersonStatus::Active);
    assert_eq!(good("").status, PersonStatus::Active);
}

#[test]
fn the_grades_of_protection_and_never_an_address() {
    let address = "<addressInformation><residentialAddress><postalAddress2>Ågatan 1</postalAddress2><postalCode>57131</postalCode><city>NÄSSJÖ</city></residentialAddress></addressInformation>";
    for (flags, expect) in [
        ((false, false), Protection::None),
        ((true, false), Protection::Sekretessmarkering),
        ((false, true), Protection::SkyddadFolkbokforing),
        ((true, true), Protection::FingeradePersonuppgifter),
    ] {
        let record = record(flags, address).expect("a record").record;
        assert_eq!(
            (record.protection, record.address.is_some()),
            (expect, expect == Protection::None)
        );
    }
}

#[test]
fn the_special_address_wins_unless_it_leads_nowhere() {
    let address = |special: &str| {
        good(&format!(
            "<addressInformation><residentialAddress><careOf>c/o Bo</careOf><postalAddress1>Lgh 3</postalAddress1><postalAddress2>Ågatan 1</postalAddress2><postalCode>57131</postalCode>\
             <city>NÄSSJÖ</city></residentialAddress>{special}</addressInformation>"
        ))
        .address
        .expect("an address")
    };
    let residence = address("");
    assert_eq!(
        (
            residence.lines.join(","),
            residence.postal_code.as_str(),
            residence.care_of.as_deref()
        ),
        ("Lgh 3,Ågatan 1".into(), "57131", Some("c/o Bo"))
    );
    let special = "<specialPostalAddress><postalAddress2>Box 1</postalAddress2><postalCode>33130</postalCode><city>VÄRNAMO</city></specialPostalAddress>";
    assert_eq!(address(special).city, "VÄRNAMO");
    assert_eq!(address(&special.replace("33130", "0")).city, "NÄSSJÖ");
    assert_eq!(address("<specialPostalAddress/>").city, "NÄSSJÖ");
}

#[test]
fn postal_code_0_is_no_postal_code() {
    let code = |code: &str| {
        let record = good(&format!(
            "<addressInformation><residentialAddress><postalAddress2>Ågatan 1</postalAddress2><postalCode>{code}</postalCode><city>NÄSSJÖ</city></residentialAddress></addressInformation>"
        ));
        record
            .address
            .map(|a| (a.postal_code.clone(), a.is_deliverable()))
    };
    assert_eq!(code("0"), Some((String::new(), false)));
    assert_eq!(code("00000"), Some((String::new(), false)));
    assert_eq!(code("57131"), Some(("57131".into(), true)));
}

#[test]
fn an_old_number_refers_to_its_replacement() {
    let old = |referred: &str| {
        let gone = "<deregistration><deregistrationReasonCode>GN</deregistrationReasonCode></deregistration>";
        record((false, false), &format!("{referred}{gone}"))
            .expect("a record")
            .replaced_by
    };
    let to = |number: &str| {
        format!(
            "<referredPersonalIdentities><referredPersonalIdentity><extension>{number}</extension></referredPersonalIdentity></referredPersonalIdentities>"
        )
    };
    let new = PersonId::parse("194408139089").expect("valid");
    assert_eq!(old(&to("194408139089")), Some(new));
    assert_eq!(old(""), None);
    assert_eq!(old(&to(NUMBER)), None);
    assert_eq!(old(&(to("194408139089") + &to("199006022397"))), None);
    assert_eq!(
        record((false, false), &to("194408139089"))
            .expect("a record")
            .replaced_by,
        None
    );
}

#[test]
fn a_record_that_cannot_be_read_is_a_problem_without_content() {
    let check = |inside: &str| {
        let problem =
            read(&format!("<personRecord>{inside}</personRecord>")).expect_err("a problem");
        assert_eq!(
            (problem.kind, problem.code.as_str()),
            (Kind::Invalid, "HUB-ROSTER-213")
        );
        assert!(!problem.message.contains("1212"), "{}", problem.message);
    };
    check("");
    check("<personalIdentity><extension>191212121213</extension></personalIdentity>");
    check(&format!(
        "<personalIdentity><extension>{NUMBER}</extension></personalIdentity><testIndicator>false</testIndicator>"
    ));
    check(&format!(
        "<personalIdentity><extension>{NUMBER}</extension></personalIdentity><protectedPersonIndicator>nja</protectedPersonIndicator><testIndicator>false</testIndicator>"
    ));
}
