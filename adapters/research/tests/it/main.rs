//! Contributions and exports.
#![allow(clippy::unwrap_used, missing_docs)]

mod contribute;
mod files;

use std::collections::BTreeMap;

use halsonav_domain::{RoundId, SubjectId, Timestamp, command::research::Contribute};
use halsonav_research::{Project, PseudonymKey, Row};
use serde_json::{Value, json};
use uuid::Uuid;

pub fn now() -> Timestamp {
    "2026-12-01T10:00:00Z".parse().unwrap()
}

pub fn round() -> RoundId {
    RoundId("2026".to_owned())
}

pub fn project() -> Project {
    Project::new("hjarta", "2026-01234-01", PseudonymKey::new([7; 32]))
}

pub fn contribution(answer: Value) -> Value {
    json!({
        "consent": true, "age": 50, "sex": "woman",
        "forms": { "halsa": { "sleep": answer, "days": 3, "hours": 6.5, "tobacco": ["never", "quit"] } },
        "observations": [
            { "code": "weight", "value": 82.5, "unit": "kg" },
            { "code": "NPU01568", "value": 0.5, "unit": "mmol/L", "comparator": "<" },
            { "code": "NPU27300", "value": 38.0, "unit": "mmol/mol", "status": "preliminary" },
        ],
        "profile": { "instrument": "x 1", "levels": [{ "axis": "bmi", "level": 2 }, { "axis": "alcohol", "level": null }] },
    })
}

pub fn row(n: u128, contribution: Value) -> Row {
    Row {
        subject: SubjectId(Uuid::from_u128(n)),
        // Half past midnight on the first of September in Sweden.
        held: Some("2026-08-31T22:30:00Z".parse().unwrap()),
        contribution: serde_json::from_value::<Contribute>(contribution).unwrap(),
    }
}

/// The CSV of an export, as one map for each row.
pub fn read(csv: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv);
    reader.deserialize().map(Result::unwrap).collect()
}
