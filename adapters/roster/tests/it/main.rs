//! The roster adapter against a population register over a socket.
#![allow(clippy::unwrap_used, missing_docs)]

mod lookup;
#[path = "../../../../crates/rivta/tests/it/schema.rs"]
#[allow(dead_code)]
mod schema;
mod wire;

use std::sync::Arc;

use halsonav_adapter::{Build, Delivery};
use halsonav_domain::{
    CaseId, Command, CommandId, HsaId, Identity, Name, PersonId, SubjectId, Timestamp, VirtualClock,
};
use halsonav_neighbours::register::{Person, Register, Settings};
use halsonav_rivta::ClientConfig;
use halsonav_roster::{Config, Profile, Roster};
use uuid::Uuid;

pub fn now() -> Timestamp {
    "2026-09-01T10:00:00Z".parse().unwrap()
}

/// The n-th of many valid numbers.
pub fn number(n: u32) -> PersonId {
    let first = format!(
        "1966{:02}{:02}{:03}",
        1 + n / 27_000 % 12,
        1 + n / 1_000 % 27,
        n % 1_000
    );
    PersonId::parse(&format!(
        "{first}{}",
        PersonId::check_digit(&first).unwrap()
    ))
    .unwrap()
}

pub struct House {
    pub folder: tempfile::TempDir,
    pub register: Register,
    pub roster: Arc<Roster>,
}

pub async fn house(population: impl IntoIterator<Item = u32>) -> House {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(VirtualClock::new(now()));
    let population = population
        .into_iter()
        .map(|n| Person::new(&number(n), "Tolvan", "Tolvansson"))
        .collect();
    let register = Register::start(Settings::new(
        population,
        folder.path().join("register.jsonl"),
        clock,
    ))
    .await
    .unwrap();
    let roster = roster(&register.url());
    House {
        folder,
        register,
        roster,
    }
}

pub fn roster(url: &str) -> Arc<Roster> {
    let config = Config {
        register: ClientConfig {
            timeout_ms: 5_000,
            ..ClientConfig::to(url)
        },
        logical_address: "SE165565594230-1000".to_owned(),
        profile: Profile::P3,
    };
    Arc::new(Roster::build(config).unwrap())
}

pub fn delivery(n: u32) -> Delivery {
    let case = CaseId(Uuid::from_u128(u128::from(n) + 1));
    let command = Command {
        id: CommandId::derive(case, 1),
        case,
        subject: SubjectId(Uuid::from_u128(u128::from(n))),
        kind: "roster.lookup".parse().unwrap(),
        unit: HsaId::new("SE2321000999-VC01"),
        payload: serde_json::json!({}),
        headers: Default::default(),
        issued: now(),
    };
    let name = Name {
        given: String::new(),
        middle: None,
        surname: String::new(),
        notification: None,
    };
    let identity = Some(Identity {
        person_id: number(n),
        name,
        address: None,
    });
    Delivery {
        command,
        identity,
        attachments: Vec::new(),
        attempt: 1,
        now: now(),
    }
}
