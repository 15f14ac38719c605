//! Every route, every role, one's own unit and another's.

use std::collections::BTreeMap;

use halsonav_api::{ROUTES, Role, Route};
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::*;

/// A body that the operation accepts.
fn body(operation: &str) -> Option<Value> {
    let reason = json!({ "reason": "because" });
    Some(match operation {
        "search-cases" | "extract-audit" => json!({ "personId": person(1).expose() }),
        "decline-case" | "opt-out-case" => json!({ "by": "phone" }),
        "give-consent" => json!({ "project": "p", "given": true }),
        "add-measurements" => {
            json!({ "observations": [{ "code": "height", "value": 180.0, "unit": "cm" }] })
        }
        "answer-form" => json!({ "answers": { "smoke": "no" }, "mode": "paper" }),
        "book-case" => json!({ "bookingId": "B1", "start": at(1000), "end": at(2000) }),
        "suspend-case" | "resume-case" | "cancel-case" | "retry-incident" | "skip-incident"
        | "stop-lane" | "start-lane" => reason,
        "set-variables" => json!({ "variables": {}, "reason": "because" }),
        "send-message" => json!({ "name": "sample.delivered", "correlationKey": "k" }),
        "claim-work-item" | "release-work-item" => json!({ "revision": 1 }),
        "complete-work-item" => json!({ "result": { "outcome": "booked" } }),
        "export-research" => json!({ "round": "2026", "project": "p" }),
        "verify-audit" => json!({}),
        _ => return None,
    })
}

fn path(route: &Route, case: &str, number: i64) -> String {
    let path = route
        .path
        .replace("{case}", case)
        .replace("{no}", &number.to_string())
        .replace("{round}", "2026")
        .replace("{adapter}", "print");
    let path = path
        .replace("{template}", "halsa")
        .replace("{id}", "halsosamtal")
        .replace("{version}", "1");
    let path = path
        .replace("{kind}", "profile")
        .replace("{key}", "profile");
    match route.operation {
        "list-slots" => format!("{path}?from={}&to={}", at(0), at(100)),
        "import-cohort" => format!("{path}?round=2026"),
        _ => path,
    }
}

/// Operations on the whole region: not for those who work at some units.
const REGION: &[&str] = &[
    "list-lanes",
    "stop-lane",
    "start-lane",
    "list-cohorts",
    "import-cohort",
    "send-message",
    "export-research",
    "verify-audit",
    "extract-audit",
];

async fn ask(
    world: &World,
    route: &Route,
    role: Role,
    units: &[&str],
    case: &str,
    number: i64,
) -> u16 {
    let token = world.issuer.token("someone", &[role.as_str()], units);
    let path = path(route, case, number);
    if route.operation == "import-cohort" {
        let request = world
            .client
            .post(format!("http://{}{path}", world.address))
            .bearer_auth(token);
        let request = request
            .header("Idempotency-Key", format!("{role:?}{units:?}"))
            .header("Content-Type", "text/csv");
        return request
            .body("personId\n")
            .send()
            .await
            .unwrap()
            .status()
            .as_u16();
    }
    let key = format!("{}{role:?}{units:?}{case}", route.operation);
    let method: Method = route.method.parse().unwrap();
    world
        .send(method, &path, &token, Some(&key), body(route.operation))
        .await
        .status()
        .as_u16()
}

#[tokio::test]
async fn the_matrix_holds() {
    let world = World::new().await;
    let (_, case, work) = world.case(1, UNIT);
    let case = case.to_string();
    let incident = world
        .storage
        .read(|r| r.incidents(&Default::default(), None, 1))
        .unwrap()[0]
        .no
        .0;
    let mut cells = 0;
    let mut seen = BTreeMap::<u16, u32>::new();
    for route in ROUTES {
        let number = if route.path.contains("incidents") {
            incident
        } else {
            work.0
        };
        for role in Role::ALL {
            let allowed = route.allowed.contains(&role);
            for units in [&[UNIT][..], &[OTHER], &["*"], &[]] {
                let status = ask(&world, route, role, units, &case, number).await;
                *seen.entry(status).or_default() += 1;
                cells += 1;
                let region = REGION.contains(&route.operation) && units != ["*"];
                let mine = units == [UNIT] || units == ["*"];
                let about_one = route.path.contains("{case}") || route.path.contains("{no}");
                let told = format!(
                    "{} {} as {role:?} of {units:?}: {status}",
                    route.method, route.path
                );
                if !allowed || region {
                    assert_eq!(status, 403, "{told}");
                } else if about_one && !mine {
                    assert_eq!(status, 404, "{told}");
                } else {
                    // Others have done the one work item before: 409. An auditor of no unit names one: 400.
                    assert!(
                        matches!(status, 200 | 202 | 409)
                            || (route.operation == "list-audit" && matches!(status, 400)),
                        "{told}"
                    );
                }
            }
        }
    }
    assert_eq!(cells, ROUTES.len() * 36);
    assert!(seen[&202] > 50 && seen[&200] > 200, "{seen:?}");
}

#[tokio::test]
async fn lists_show_the_callers_units_alone() {
    let world = World::new().await;
    world.case(1, UNIT);
    world.case(2, OTHER);
    let all = world.issuer.token("c", &["coordinator"], &["*"]);
    for (path, own) in [
        ("/v1/cases", 2),
        ("/v1/work-items", 2),
        ("/v1/incidents", 2),
    ] {
        assert_eq!(
            world.get(path, &all).await.1["items"]
                .as_array()
                .unwrap()
                .len(),
            own,
            "{path}"
        );
        for units in [&[UNIT][..], &[OTHER]] {
            let token = world.issuer.token("c", &["coordinator"], units);
            let (_, body) = world.get(path, &token).await;
            let items = body["items"].as_array().unwrap();
            assert_eq!(items.len(), 1, "{path}");
            assert_eq!(items[0]["unit"], units[0]);
            let (_, none) = world.get(&format!("{path}?unit=SE1-1"), &token).await;
            assert_eq!(none["items"], json!([]));
        }
        let nobody = world.issuer.token("c", &["coordinator"], &[]);
        assert_eq!(world.get(path, &nobody).await.1["items"], json!([]));
    }
    let (_, ledger) = world.get("/v1/rounds/2026/ledger", &world.nurse()).await;
    assert_eq!(ledger["invited"], 1);
    assert_eq!(
        world.get("/v1/rounds/2026/ledger", &all).await.1["invited"],
        2
    );
}

#[tokio::test]
async fn work_is_for_its_groups() {
    let world = World::new().await;
    let (no, id, _) = world.case(1, UNIT);
    let for_nurses = halsonav_storage::NewWorkItem {
        groups: vec!["nurses".into()],
        ..item("visit", json!({}))
    };
    let work = world.work(no, id, 1, for_nurses).0;
    for (role, expect) in [
        ("nurse", 200),
        ("coordinator", 200),
        ("leader", 404),
        ("assistant", 404),
    ] {
        let token = world.issuer.token("x", &[role], &[UNIT]);
        assert_eq!(
            world.get(&format!("/v1/work-items/{work}"), &token).await.0,
            expect,
            "{role}"
        );
        let (_, list) = world.get("/v1/work-items", &token).await;
        assert_eq!(
            list["items"].as_array().unwrap().len(),
            if expect == 200 { 2 } else { 1 },
            "{role}"
        );
    }
}

#[tokio::test]
async fn what_has_no_route_has_no_answer() {
    let world = World::new().await;
    let token = world.issuer.token("x", &["operator"], &["*"]);
    assert_eq!(world.get("/v1/nothing", &token).await.0, 404);
    assert_eq!(
        world
            .send(Method::DELETE, "/v1/rounds", &token, None, None)
            .await
            .status(),
        405
    );
    assert_eq!(world.get("/v1/nothing", "").await.0, 401);
    assert_eq!(world.get("/v1/cases/not-an-id", &token).await.0, 404);
    assert_eq!(
        world.get("/v1/cases?persnr=191212121212", &token).await.0,
        400
    );
    let (status, body) = world
        .get("/v1/work-items/191212121212", &world.nurse())
        .await;
    assert_eq!(status, 404);
    assert!(!body.to_string().contains("1912"), "{body}");
}
