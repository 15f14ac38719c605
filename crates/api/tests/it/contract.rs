//! The contract is generated, complete, and the one that is committed.

use std::collections::BTreeSet;

use halsonav_api::{ROUTES, contract};
use serde_json::Value;

use crate::world::World;

fn document() -> Value {
    serde_json::from_str(contract()).unwrap()
}

#[test]
fn the_committed_contract_is_the_generated_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/openapi.json");
    if std::env::var_os("UPDATE_CONTRACTS").is_some() {
        std::fs::write(path, contract()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == contract(),
        "contracts/openapi.json is stale: UPDATE_CONTRACTS=1 cargo test -p halsonav-api"
    );
}

#[test]
fn the_contract_and_the_table_name_the_same_operations() {
    let document = document();
    let mut named = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let open = operation["security"].as_array().unwrap().is_empty();
            if !open {
                named.insert((
                    method.to_uppercase(),
                    path.clone(),
                    operation["operationId"].as_str().unwrap().to_owned(),
                ));
            }
            assert!(
                operation["summary"]
                    .as_str()
                    .is_some_and(|summary| !summary.is_empty()),
                "{path}"
            );
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.keys().any(|status| status.starts_with('2')),
                "{path}"
            );
            assert!(
                responses.keys().any(|status| status.starts_with('5')),
                "{path}"
            );
            assert_eq!(open, !responses.contains_key("401"), "{path}");
        }
    }
    let table: BTreeSet<_> = ROUTES
        .iter()
        .map(|route| {
            (
                route.method.to_owned(),
                route.path.to_owned(),
                route.operation.to_owned(),
            )
        })
        .collect();
    assert_eq!(named, table);
    let ids: BTreeSet<_> = ROUTES.iter().map(|route| route.operation).collect();
    assert_eq!(ids.len(), ROUTES.len());
    assert_eq!(document["openapi"], "3.1.0");
}

/// References that lead nowhere would make the contract useless to generators.
#[test]
fn references_lead_somewhere() {
    fn walk(value: &Value, whole: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(target)) = fields.get("$ref") {
                    assert!(
                        whole.pointer(target.trim_start_matches('#')).is_some(),
                        "{target}"
                    );
                }
                fields.values().for_each(|value| walk(value, whole));
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, whole)),
            _ => {}
        }
    }
    walk(&document(), &document());
}

#[tokio::test]
async fn the_contract_is_served() {
    let world = World::new().await;
    assert_eq!(world.get("/openapi.json", "").await, (200, document()));
}
