//! The adapter against a lab that speaks MLLP, and a hub made of two maps.
#![allow(clippy::unwrap_used)]

mod hub;
mod inbound;
mod outbound;

use std::sync::Arc;

use halsonav_adapter::{Build, Delivery};
use halsonav_domain::{
    CaseId, Command, CommandId, HsaId, Identity, Name, PersonId, SubjectId, Timestamp, VirtualClock,
};
use halsonav_lab::{Config, Lab};
use halsonav_neighbours::lab;
use serde_json::{Value, json};

const TOLVAN: &str = "191212121212";
const OTHER: &str = "197604637871";

fn now() -> Timestamp {
    "2026-11-23T06:25:00Z".parse().unwrap()
}

fn case(n: u128) -> CaseId {
    CaseId(uuid::Uuid::from_u128(
        0x0190_0000_0000_4000_8000_0000_0000_0000 + n,
    ))
}

async fn lis(dir: &std::path::Path) -> lab::Lab {
    let clock = Arc::new(VirtualClock::new(now()));
    lab::Lab::start(lab::Settings::new(dir.join("lab.jsonl"), clock))
        .await
        .unwrap()
}

fn adapter(port: u16, more: &str) -> Arc<Lab> {
    let text = format!(
        "host = '127.0.0.1'\nport = {port}\nlisten = '127.0.0.1:0'\nack_timeout_s = 20\n{more}"
    );
    let config: Config = toml::from_str(&text).unwrap();
    Arc::new(Lab::build(config).unwrap())
}

fn delivery(job: u64, kind: &str, payload: Value) -> Delivery {
    let command = Command {
        id: CommandId::derive(case(1), job),
        case: case(1),
        subject: SubjectId(uuid::Uuid::from_u128(2)),
        kind: kind.parse().unwrap(),
        unit: HsaId::new("SE2321000016-1HZ5"),
        payload,
        headers: Default::default(),
        issued: now(),
    };
    let name = Name {
        given: "Tolvan Åsa".into(),
        middle: None,
        surname: "Öst|berg\rOBX|1".into(),
        notification: None,
    };
    let identity = Identity {
        person_id: PersonId::parse(TOLVAN).unwrap(),
        name,
        address: None,
    };
    Delivery {
        command,
        identity: Some(identity),
        attachments: Vec::new(),
        attempt: 1,
        now: now(),
    }
}

fn order(job: u64) -> Delivery {
    let payload = json!({
        "analyses": ["NPU27300", "NPU01566"],
        "planned": "2026-12-01T07:30:00Z",
        "comment": "Riktat hälsosamtal ~ 40 år",
    });
    delivery(job, "lab.order", payload)
}
