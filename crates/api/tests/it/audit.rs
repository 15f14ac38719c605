//! Every look at a person's data is in the log before it is answered.

use halsonav_storage::{AuditEntry, AuditFilter};
use serde_json::{Value, json};

use crate::world::*;

fn log(world: &World) -> Vec<AuditEntry> {
    world
        .storage
        .read(|r| r.audit_page(&AuditFilter::default(), None, 1000))
        .unwrap()
}

#[tokio::test]
async fn looks_and_changes_leave_entries() {
    let world = World::new().await;
    let (_, case, work) = world.case(1, UNIT);
    let nurse = world.nurse();
    for (path, purpose) in [
        (format!("/v1/cases/{case}"), "get-case"),
        ("/v1/cases".to_owned(), "list-cases"),
        (format!("/v1/cases/{case}/identity"), "get-identity"),
        (format!("/v1/cases/{case}/records"), "list-records"),
        (
            format!("/v1/cases/{case}/profile.svg"),
            "get-profile-picture",
        ),
        (format!("/v1/work-items/{}", work.0), "get-work-item"),
        ("/v1/work-items".to_owned(), "list-work-items"),
    ] {
        let before = log(&world).len();
        assert_eq!(world.get(&path, &nurse).await.0, 200, "{path}");
        let entries = log(&world);
        assert_eq!(entries.len(), before + 1, "{path}");
        let entry = &entries.last().unwrap().entry;
        assert_eq!(
            (
                entry.actor.as_str(),
                entry.action.as_str(),
                entry.purpose.as_str()
            ),
            ("user:nurse-1", "read", purpose)
        );
        assert_eq!(
            (entry.case, entry.unit.as_ref().map(|unit| unit.as_str())),
            (Some(case), Some(UNIT))
        );
        assert!(entry.subject.is_some(), "{path}");
    }
    let before = log(&world).len();
    world
        .post(
            &format!("/v1/cases/{case}/decline"),
            &nurse,
            "k",
            json!({ "by": "phone" }),
        )
        .await;
    world
        .post(
            &format!("/v1/cases/{case}/decline"),
            &nurse,
            "k",
            json!({ "by": "phone" }),
        )
        .await;
    assert_eq!(log(&world).len(), before + 1);
    let foreign = world.issuer.token("x", &["nurse"], &[OTHER]);
    world.get(&format!("/v1/cases/{case}"), &foreign).await;
    assert_eq!(log(&world).len(), before + 1);
    let search = world
        .post(
            "/v1/cases:search",
            &nurse,
            "",
            json!({ "personId": person(5).expose() }),
        )
        .await;
    assert_eq!(search, (200, json!([])));
    assert_eq!(log(&world).len(), before + 2);
}

#[tokio::test]
async fn those_who_check_see_the_log_and_a_patient_an_extract() {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    world.case(2, UNIT);
    for _ in 0..3 {
        world
            .get(&format!("/v1/cases/{case}"), &world.nurse())
            .await;
    }
    let auditor = world.issuer.token("auditor", &["auditor"], &["*"]);
    let (_, page) = world
        .get("/v1/audit?actor=user:nurse-1&limit=2", &auditor)
        .await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    assert!(page["next"].is_string());
    let extract = async |n: u64| {
        world
            .post(
                "/v1/audit:extract",
                &auditor,
                "",
                json!({ "personId": person(n).expose() }),
            )
            .await
            .1
    };
    let about: Vec<Value> = extract(1).await.as_array().unwrap().clone();
    assert_eq!(
        about
            .iter()
            .filter(|entry| entry["purpose"] == "get-case")
            .count(),
        3
    );
    assert!(
        extract(2)
            .await
            .as_array()
            .unwrap()
            .iter()
            .all(|entry| entry["purpose"] != "get-case")
    );
    // The extract is a disclosure itself.
    assert!(
        extract(1)
            .await
            .as_array()
            .unwrap()
            .iter()
            .any(|entry| entry["purpose"] == "extract-audit")
    );
}

#[tokio::test]
async fn the_log_is_verified_against_a_kept_state() {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    let auditor = world.issuer.token("auditor", &["auditor"], &["*"]);
    world
        .get(&format!("/v1/cases/{case}"), &world.nurse())
        .await;
    let (_, kept) = world
        .post("/v1/audit:verify", &auditor, "", json!({}))
        .await;
    assert_eq!(kept["whole"], true);
    let since = json!({ "size": kept["size"], "link": kept["link"] });
    assert_eq!(
        world.post("/v1/audit:verify", &auditor, "", since).await.1["whole"],
        true
    );
    let forged = json!({ "size": kept["size"], "link": "00".repeat(32) });
    assert_eq!(
        world.post("/v1/audit:verify", &auditor, "", forged).await.1["whole"],
        false
    );
    assert_eq!(
        world
            .post("/v1/audit:verify", &auditor, "", json!({ "size": 1 }))
            .await
            .0,
        422
    );
    assert_eq!(
        world
            .post(
                "/v1/audit:verify",
                &auditor,
                "",
                json!({ "size": 1, "link": "å".repeat(32) })
            )
            .await
            .0,
        422
    );
}
