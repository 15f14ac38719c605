//! What we write and what we read.

use super::*;

fn a_request(keep_until: Option<Date>) -> FormRequest {
    FormRequest {
        interest: "c0ffee".into(),
        expires: Date::new(2026, 9, 30).expect("a day"),
        keep_until,
        unit: HsaId::new("SE2321000156-TEST1"),
        template: "HALSOENKAT40".into(),
        version: Some(1),
    }
}

fn written(form: &FormRequest) -> Element {
    let system = HsaId::new("SE2321000156-HUB");
    let body = create_form_request(std::iter::once((form, "191212121212")), None, Some(&system));
    let root = Element::parse(&body).expect("reads");
    root.require(&CREATE_FORM_REQUEST.message_namespace(), "formRequests")
        .expect("a request")
        .clone()
}

#[test]
fn a_request_has_the_order_of_the_schema() {
    let request = written(&a_request(Date::new(2026, 12, 31).ok()));
    let names: Vec<_> = request
        .children
        .iter()
        .map(|child| child.name.as_str())
        .collect();
    let expect = [
        "clinicalProcessInterestId",
        "expireDate",
        "healthcare_facility_CareUnit",
        "healthcare_systemID",
        "keepUntil",
        "subjectOfCare",
        "templateId",
        "templateVersion",
    ];
    assert_eq!(names, expect);
    assert_eq!(request.text_of(TYPES, "keepUntil"), Some("20261231"));
}

#[test]
fn until_further_notice_is_an_empty_element() {
    let request = written(&a_request(None));
    assert!(request.child(TYPES, "keepUntil").is_some());
    assert_eq!(request.text_of(TYPES, "keepUntil"), None);
}

#[test]
fn verdicts_are_read() {
    let ns = CREATE_FORM_REQUEST.message_namespace();
    let read = |inner: &str| {
        verdict(
            &CREATE_FORM_REQUEST,
            &format!(
                "<r:CreateFormRequestResponse xmlns:r='{ns}' xmlns:c='{TYPES}'>{inner}</r:CreateFormRequestResponse>"
            ),
        )
    };
    let placed = "<r:formRequestResponses><c:formId>F1</c:formId></r:formRequestResponses>";
    let ok = read(&format!("{placed}<r:resultCode>OK</r:resultCode>")).expect("reads");
    assert_eq!(
        ok,
        Verdict {
            done: true,
            comment: None,
            placed: vec![Placed {
                interest: None,
                form_id: "F1".into()
            }]
        }
    );
    let no = read("<r:comment>Nej</r:comment><r:resultCode>ERROR</r:resultCode>").expect("reads");
    assert_eq!((no.done, no.comment.as_deref()), (false, Some("Nej")));
    assert_eq!(
        read("<r:ResultCode>OK</r:ResultCode>"),
        Err(Error::Missing("resultCode".into()))
    );
    assert_eq!(
        verdict(&CANCEL_FORM, "<a/>"),
        Err(Error::Missing("CancelFormResponse".into()))
    );
}

#[test]
fn both_spellings_of_complete_are_known() {
    let read = |status: &str| {
        let xml =
            format!("<f xmlns='{TYPES}'><formId>1</formId><formStatus>{status}</formStatus></f>");
        listing(&Element::parse(&xml).expect("reads")).map(|listed| listed.status)
    };
    assert_eq!(read("COMPLETED"), Ok(Status::Completed));
    assert_eq!(read("COMPLETE"), Ok(Status::Completed));
    assert_eq!(read("PENDING_COMPLETION"), Ok(Status::Pending));
    assert!(read("DONE").is_err());
}
