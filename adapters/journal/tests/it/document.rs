//! What stands in a document.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use halsonav_domain::{Kind, Outcome, PersonId};
use halsonav_fhir::rules;
use serde_json::{Value, json};

use crate::{House, SVG, delivery, full, house, one};

fn all<'a>(bundle: &'a Value, kind: &str) -> Vec<&'a Value> {
    let entries = bundle["entry"].as_array().unwrap();
    let resources = entries.iter().map(|entry| &entry["resource"]);
    resources
        .filter(|resource| resource["resourceType"] == kind)
        .collect()
}

async fn kept(house: &House, payload: Value) -> Value {
    let outcome = one(&house.adapter, delivery(1, payload)).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    house.system.documents().remove(0).bundle()
}

fn coded<'a>(observations: &[&'a Value], code: &str) -> &'a Value {
    observations
        .iter()
        .find(|observation| {
            let codings = observation["code"]["coding"].as_array();
            codings.is_some_and(|codings| codings.iter().any(|coding| coding["code"] == code))
        })
        .unwrap_or_else(|| panic!("no observation {code}"))
}

#[tokio::test]
async fn a_dialogue_becomes_a_document() {
    let house = house().await;
    let bundle = kept(&house, full()).await;
    assert_eq!(rules::check(&bundle), Ok(()));
    let id = delivery(1, full()).command.id.to_string();
    assert_eq!(bundle["id"], id);
    assert_eq!(bundle["identifier"]["value"], format!("urn:uuid:{id}"));
    let composition = &bundle["entry"][0]["resource"];
    let titles = composition["section"].as_array().unwrap().iter();
    let titles: Vec<_> = titles
        .map(|section| section["title"].as_str().unwrap())
        .collect();
    assert_eq!(
        titles,
        [
            "Samtalet",
            "Mätvärden",
            "Laboratorievärden",
            "Profil",
            "Svar på frågor",
            "Åtgärder"
        ]
    );
    // Half past midnight in Sweden: the day is the Swedish one.
    let meeting = composition["section"][0]["text"]["div"].as_str().unwrap();
    assert!(meeting.contains("hölls 2026-09-01"), "{meeting}");
    assert!(meeting.contains("<p>Samtal om &lt;rörelse&gt; &amp; mat.</p>"));
    let patient = all(&bundle, "Patient")[0];
    assert_eq!(
        patient["identifier"],
        json!([{ "system": "http://electronichealth.se/identifier/personnummer", "value": "191212121212" }])
    );
    assert_eq!(patient["name"][0]["text"], "Tolvan Tolvansson & Co <b>");
    assert_eq!(
        all(&bundle, "Organization")[0]["name"],
        "Vårdcentralen Björken"
    );
    assert_eq!(
        all(&bundle, "Practitioner")[0]["identifier"][0]["value"],
        "SE2321000999-L001"
    );
}

#[tokio::test]
async fn values_are_coded() {
    let house = house().await;
    let bundle = kept(&house, full()).await;
    let observations = all(&bundle, "Observation");
    assert_eq!(observations.len(), 9);
    let pressure = coded(&observations, "85354-9");
    let halves = pressure["component"].as_array().unwrap().iter();
    let halves: Vec<_> = halves
        .map(|half| {
            (
                half["code"]["coding"][0]["code"].clone(),
                half["valueQuantity"].clone(),
            )
        })
        .collect();
    let amount = |value: f64, unit: &str| json!({ "value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": "mm[Hg]" });
    assert_eq!(
        halves,
        [
            (json!("8480-6"), amount(142.0, "mm[Hg]")),
            (json!("8462-4"), amount(88.0, "mmHg")),
        ]
    );
    // Measured at the visit, which is when nothing else is said.
    assert_eq!(
        coded(&observations, "8302-2")["effectiveDateTime"],
        "2026-08-31T22:30:00Z"
    );
    let ldl = coded(&observations, "NPU01568");
    assert_eq!(
        (&ldl["status"], &ldl["valueQuantity"]["comparator"]),
        (&json!("corrected"), &json!("<"))
    );
    assert!(ldl.get("effectiveDateTime").is_none());
    let local = coded(&observations, "SWE05074");
    assert_eq!(local["status"], "unknown");
    assert_eq!(
        local["valueQuantity"],
        json!({ "value": 4.2, "unit": "streck" })
    );
    let other = observations
        .iter()
        .find(|observation| observation["code"] == json!({ "text": "handgrip" }))
        .unwrap();
    assert!(other.get("category").is_none());
}

#[tokio::test]
async fn half_a_blood_pressure_says_that_it_is_half() {
    let house = house().await;
    let payload = json!({ "held": "2026-09-01T08:00:00Z", "observations": [
        { "code": "systolic", "value": 142.0, "unit": "mm[Hg]", "taken": "2026-09-01T08:05:00Z" },
        { "code": "diastolic", "value": 90.0, "unit": "mm[Hg]", "taken": "2026-08-01T08:05:00Z" },
    ] });
    let bundle = kept(&house, payload).await;
    let observations = all(&bundle, "Observation");
    assert_eq!(observations.len(), 2, "not taken together");
    for (observation, missing) in observations.iter().zip([1, 0]) {
        let absent = &observation["component"][missing];
        assert_eq!(absent["dataAbsentReason"]["coding"][0]["code"], "unknown");
        assert!(absent.get("valueQuantity").is_none());
    }
}

#[tokio::test]
async fn answers_picture_and_plan() {
    let house = house().await;
    let bundle = kept(&house, full()).await;
    let forms = all(&bundle, "QuestionnaireResponse");
    assert_eq!(forms.len(), 2, "a form without answers is left out");
    let items = forms[1]["item"].as_array().unwrap();
    let of = |link: &str| {
        let item = items.iter().find(|item| item["linkId"] == link);
        item.map(|item| item["answer"].clone())
    };
    assert_eq!(
        of("tobacco"),
        Some(json!([{ "valueString": "never" }, { "valueString": "quit" }]))
    );
    assert_eq!(of("sweets"), Some(json!([{ "valueInteger": 2 }])));
    assert_eq!(of("hours"), Some(json!([{ "valueDecimal": 7.5 }])));
    assert_eq!(of("note"), Some(json!([{ "valueString": "<b>&" }])));
    assert_eq!(of("empty"), None);
    let picture = all(&bundle, "Binary")[0];
    let bytes = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
    assert_eq!(bytes, SVG.as_bytes());
    let reference = all(&bundle, "DocumentReference")[0];
    let url = &reference["content"][0]["attachment"]["url"];
    let entries = bundle["entry"].as_array().unwrap();
    let target = entries
        .iter()
        .find(|entry| entry["fullUrl"] == *url)
        .unwrap();
    assert_eq!(target["resource"]["resourceType"], "Binary");
    let plan = all(&bundle, "CarePlan")[0];
    assert_eq!(
        plan["activity"][0]["detail"],
        json!({ "status": "unknown", "code": {
            "text": "Rådgivande samtal om fysisk aktivitet",
            "coding": [{ "system": "urn:oid:1.2.752.116.1.3.2.1.4", "code": "DV132" }],
        } })
    );
}

#[tokio::test]
async fn little_is_enough() {
    let house = house().await;
    let mut little = delivery(1, json!({ "held": "2026-09-01T08:00:00Z" }));
    little.attachments.clear();
    let identity = little.identity.as_mut().unwrap();
    identity.person_id = PersonId::parse("197010632391").unwrap();
    let outcome = one(&house.adapter, little).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    let bundle = house.system.documents().remove(0).bundle();
    assert_eq!(rules::check(&bundle), Ok(()));
    // Without a leader the unit stands as author.
    let author = &bundle["entry"][0]["resource"]["author"][0]["reference"];
    let entries = bundle["entry"].as_array().unwrap();
    let author = entries
        .iter()
        .find(|entry| entry["fullUrl"] == *author)
        .unwrap();
    assert_eq!(author["resource"]["resourceType"], "Organization");
    assert_eq!(
        all(&bundle, "Patient")[0]["identifier"][0]["system"],
        "http://electronichealth.se/identifier/samordningsnummer"
    );
}

#[tokio::test]
async fn what_cannot_be_written_truly_is_not_written() {
    let house = house().await;
    let held = "2026-09-01T08:00:00Z";
    for (payload, code) in [
        (
            json!({ "held": held, "observations": [{ "code": "weight", "value": 1.0, "unit": "kg", "comparator": "~" }] }),
            "HUB-JOURNAL-014",
        ),
        (
            json!({ "held": held, "forms": { "a": { "q": { "b": 1 } } } }),
            "HUB-JOURNAL-015",
        ),
        (json!({ "held": held, "forms": ["a"] }), "HUB-JOURNAL-015"),
        (
            json!({ "held": held, "measures": ["rök mindre"] }),
            "HUB-JOURNAL-016",
        ),
        (
            json!({ "held": held, "profile": { "levels": [{ "axis": "bmi" }] } }),
            "HUB-JOURNAL-017",
        ),
        (json!({ "held": held, "unheard": 1 }), "HUB-ADAPTER-001"),
        (json!({}), "HUB-ADAPTER-001"),
    ] {
        let outcome = one(&house.adapter, delivery(1, payload)).await;
        assert!(
            matches!(&outcome, Outcome::Failed(p) if p.kind == Kind::Invalid && p.code == code),
            "{code}: {outcome:?}"
        );
    }
    assert_eq!(house.system.count(), 0);
}
