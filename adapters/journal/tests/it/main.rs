//! The journal adapter against a journal system over a socket.
#![allow(clippy::unwrap_used, missing_docs)]

mod document;
mod judge;
mod wire;

use std::{collections::BTreeMap, sync::Arc};

use halsonav_adapter::{Attachment, Build, Delivery, Outbound};
use halsonav_domain::{
    CaseId, Command, CommandId, HsaId, Identity, Name, Outcome, PersonId, SubjectId, Timestamp,
    VirtualClock,
};
use halsonav_journal::{Config, Journal};
use halsonav_neighbours::journal::{self, Settings};
use serde_json::{Value, json};
use uuid::Uuid;

pub const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"><title>Profil</title></svg>";

pub fn now() -> Timestamp {
    "2026-09-01T10:00:00Z".parse().unwrap()
}

pub fn settings(folder: &tempfile::TempDir) -> Settings {
    Settings::new(
        folder.path().join("journal.jsonl"),
        Arc::new(VirtualClock::new(now())),
    )
}

pub struct House {
    pub folder: tempfile::TempDir,
    pub system: journal::Journal,
    pub adapter: Arc<Journal>,
}

pub async fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let system = journal::Journal::start(settings(&folder)).await.unwrap();
    let adapter = Arc::new(Journal::build(config(&system)).unwrap());
    House {
        folder,
        system,
        adapter,
    }
}

pub fn config(system: &journal::Journal) -> Config {
    let mut config = Config::to(system.url());
    config.timeout_ms = 5_000;
    config.units = BTreeMap::from([(
        HsaId::new("SE2321000999-VC01"),
        "Vårdcentralen Björken".to_owned(),
    )]);
    config
}

/// Everything a visit can bring, with text that tries to be markup.
pub fn full() -> Value {
    json!({
        "held": "2026-08-31T22:30:00Z",
        "leader": "SE2321000999-L001",
        "observations": [
            { "code": "height", "value": 178, "unit": "cm" },
            { "code": "weight", "value": 82.5, "unit": "kg" },
            { "code": "waist", "value": 94.0, "unit": "cm" },
            { "code": "hip", "value": 101.0, "unit": "cm" },
            { "code": "systolic", "value": 142.0, "unit": "mm[Hg]" },
            { "code": "diastolic", "value": 88.0, "unit": "mmHg" },
            { "code": "NPU27300", "value": 38.0, "unit": "mmol/mol", "status": "final", "taken": "2026-08-20T06:00:00Z" },
            { "code": "NPU01568", "value": 0.5, "unit": "mmol/L", "status": "corrected", "comparator": "<" },
            { "code": "SWE05074", "value": 4.2, "unit": "streck" },
            { "code": "handgrip", "value": 40.0, "unit": "kg" },
        ],
        "forms": {
            "levnadsvanor": { "fa1": "30-59", "tobacco": ["never", "quit"], "sweets": 2, "hours": 7.5, "note": "<b>&\u{1}", "empty": "" },
            "halsa": { "general_health": "good", "none": null },
            "tom": {},
        },
        "profile": { "instrument": "exempel-halsokurva 1", "levels": [
            { "axis": "bmi", "label": "BMI", "level": 1, "of": 3, "name": "Nästan gynnsamt", "value": "26,0", "unit": "kg/m²",
              "readings": [], "text": "Lite över", "source": "exempel", "missing": false },
            { "axis": "alcohol", "label": "Alkohol", "level": null, "of": 3, "name": null, "value": null, "unit": null,
              "readings": [], "text": "", "source": "exempel", "missing": true, "why": "no-answer" },
        ] },
        "measures": ["DV132", "QV001"],
        "summary": "Samtal om <rörelse> & mat.\n\nNy tid om ett år.",
    })
}

pub fn delivery(n: u128, payload: Value) -> Delivery {
    let case = CaseId(Uuid::from_u128(n << 64 | 0x1234));
    let command = Command {
        id: CommandId::derive(case, 1),
        case,
        subject: SubjectId(Uuid::from_u128(n)),
        kind: "journal.document".parse().unwrap(),
        unit: HsaId::new("SE2321000999-VC01"),
        payload,
        headers: BTreeMap::new(),
        issued: now(),
    };
    let name = Name {
        given: "Tolvan".into(),
        middle: None,
        surname: "Tolvansson & Co <b>".into(),
        notification: None,
    };
    Delivery {
        command,
        identity: Some(Identity {
            person_id: PersonId::parse("191212121212").unwrap(),
            name,
            address: None,
        }),
        attachments: vec![Attachment {
            role: "profile",
            media_type: "image/svg+xml",
            bytes: Arc::from(SVG.as_bytes()),
        }],
        attempt: 1,
        now: now(),
    }
}

pub async fn one(adapter: &Journal, delivery: Delivery) -> Outcome {
    adapter
        .deliver("document", vec![delivery])
        .await
        .remove(0)
        .1
}
