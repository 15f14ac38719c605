//! The messaging adapter against an inbox over a socket.
#![allow(clippy::unwrap_used, missing_docs)]

mod basis;
#[path = "../../../../crates/rivta/tests/it/schema.rs"]
#[allow(dead_code)]
mod schema;
mod send;
mod wire;

use std::{collections::BTreeMap, sync::Arc};

use halsonav_adapter::{Attachment, Build, Delivery};
use halsonav_domain::{
    CaseId, Command, CommandId, HsaId, Identity, Name, PersonId, SubjectId, Timestamp, VirtualClock,
};
use halsonav_messaging::{Basis, Config, Link, LinkKind, Messaging};
use halsonav_neighbours::inbox::{Account, Inbox, Settings};
use halsonav_rivta::ClientConfig;
use serde_json::{Value, json};
use uuid::Uuid;

pub fn now() -> Timestamp {
    "2026-09-01T10:00:00Z".parse().unwrap()
}

pub fn tolvan() -> PersonId {
    PersonId::parse("191212121212").unwrap()
}

pub struct House {
    pub folder: tempfile::TempDir,
    pub inbox: Inbox,
    pub messaging: Arc<Messaging>,
}

pub async fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let inbox = open(&folder).await;
    let messaging = Arc::new(Messaging::build(config(&inbox.url())).unwrap());
    House {
        folder,
        inbox,
        messaging,
    }
}

pub async fn open(folder: &tempfile::TempDir) -> Inbox {
    let clock = Arc::new(VirtualClock::new(now()));
    let accounts = vec![(tolvan(), Account::active())];
    Inbox::start(Settings::new(
        accounts,
        folder.path().join("inbox.jsonl"),
        clock,
    ))
    .await
    .unwrap()
}

pub fn config(url: &str) -> Config {
    let link = |text: &str, kind| Link {
        system: "BOKA".into(),
        text: text.into(),
        query: Some("m={message}&c={case}".into()),
        kind,
    };
    Config {
        service: ClientConfig {
            timeout_ms: 5_000,
            calls_per_second: Some(10_000.0),
            ..ClientConfig::to(url)
        },
        logical_address: "SE165565594230-1000".into(),
        source_system: HsaId::new("SE2321000999-HUB"),
        basis: Basis::ScreeningCall,
        approval_reference: None,
        notify: true,
        units: BTreeMap::from([(
            HsaId::new("SE2321000999-VC01"),
            "Vårdcentralen Björken".to_owned(),
        )]),
        links: BTreeMap::from([
            ("book".into(), link("Boka", LinkKind::CurrentTarget)),
            ("form".into(), link("Svara", LinkKind::NewTarget)),
        ]),
        thread_status: true,
        max_characters: 20_000,
    }
}

pub fn delivery(n: u128, operation: &str, payload: Value) -> Delivery {
    let case = CaseId(Uuid::from_u128(n << 64 | 0x1234));
    let command = Command {
        id: CommandId::derive(case, 1),
        case,
        subject: SubjectId(Uuid::from_u128(n)),
        kind: format!("messaging.{operation}").parse().unwrap(),
        unit: HsaId::new("SE2321000999-VC01"),
        payload,
        headers: BTreeMap::new(),
        issued: now(),
    };
    let name = Name {
        given: String::new(),
        middle: None,
        surname: String::new(),
        notification: None,
    };
    let text =
        "Välkommen på hälsosamtal\n\nDu erbjuds ett samtal om din hälsa <gratis> & frivilligt.\n";
    Delivery {
        command,
        identity: Some(Identity {
            person_id: tolvan(),
            name,
            address: None,
        }),
        attachments: vec![Attachment {
            role: "message",
            media_type: "text/plain; charset=utf-8",
            bytes: Arc::from(text.as_bytes()),
        }],
        attempt: 1,
        now: now(),
    }
}

pub fn send(n: u128) -> Delivery {
    delivery(
        n,
        "send",
        json!({ "template": "invitation", "links": ["decline", "book"] }),
    )
}
