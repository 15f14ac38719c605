//! The crate as the hub and a region see it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod base;
mod forms;
mod pictures;
mod tables;
mod thresholds;

use halsonav_profile::{FormDefinition, Inputs, Instrument, Level, Observation, Sex, score};
use serde_json::{Value, json};

const CURVE: &str = include_str!("../../../../config/base/instruments/exempel-halsokurva.toml");
const STAR: &str = include_str!("../../../../config/base/instruments/exempel-stjarnprofil.toml");
const HABITS: &str = include_str!("../../../../config/base/forms/levnadsvanor.toml");
const HEALTH: &str = include_str!("../../../../config/base/forms/halsa.toml");
const EXTRA: &str = include_str!("../../../../config/base/forms/tillaggsfragor.toml");

fn curve() -> Instrument {
    Instrument::load("exempel-halsokurva.toml", CURVE).unwrap()
}

fn star() -> Instrument {
    Instrument::load("exempel-stjarnprofil.toml", STAR).unwrap()
}

fn forms() -> Vec<FormDefinition> {
    [
        ("levnadsvanor.toml", HABITS),
        ("halsa.toml", HEALTH),
        ("tillaggsfragor.toml", EXTRA),
    ]
    .map(|(file, text)| FormDefinition::load(file, text).unwrap())
    .to_vec()
}

fn observation(code: &str, value: f64, unit: &str) -> Observation {
    Observation {
        code: code.into(),
        value,
        unit: unit.into(),
        taken: None,
        status: None,
        comparator: None,
    }
}

/// Everything answered and measured, all of it favourable.
fn favourable() -> Inputs {
    Inputs {
        forms: json!({
            "levnadsvanor": {
                "fa1": "ge120", "fa2": "150-299", "veg": "ge2-day", "fruit": "ge2-day", "fish": "2-week",
                "sweets": "some-week", "alc_week": "lt1", "alc_binge": "never", "smoke": "never", "snus": "never"
            },
            "halsa": {
                "life": "good", "stress": "never", "sleep": "good", "heredity_cvd": "no", "heredity_dm": "no"
            }
        }),
        observations: vec![
            observation("height", 170.0, "cm"),
            observation("weight", 65.0, "kg"),
            observation("waist", 75.0, "cm"),
            observation("hip", 100.0, "cm"),
            observation("systolic", 120.0, "mm[Hg]"),
            observation("diastolic", 75.0, "mmHg"),
            observation("NPU01568", 2.5, "mmol/L"),
            observation("NPU02195", 5.2, "mmol/L"),
        ],
        sex: Some(Sex::Woman),
        age: Some(50),
        at: "2026-03-02".parse().unwrap(),
    }
}

fn answer(inputs: &mut Inputs, form: &str, code: &str, value: Value) {
    inputs.forms[form][code] = value;
}

fn measure(inputs: &mut Inputs, code: &str, value: f64) {
    let one = inputs
        .observations
        .iter_mut()
        .find(|one| one.code == code)
        .unwrap();
    one.value = value;
}

fn axis(instrument: &Instrument, inputs: &Inputs, id: &str) -> Level {
    score(instrument, inputs)
        .levels
        .into_iter()
        .find(|level| level.axis == id)
        .unwrap()
}
