//! Just below, at and above each threshold.

use halsonav_profile::{Missing, Sex, score};
use serde_json::json;

use super::{answer, axis, curve, favourable, measure, observation, star};

fn check_lab(id: &str, code: &str, cases: &[(f64, u8)]) {
    for (value, expect) in cases {
        let mut inputs = favourable();
        measure(&mut inputs, code, *value);
        assert_eq!(
            axis(&curve(), &inputs, id).level,
            Some(*expect),
            "{code} {value}"
        );
    }
}

#[test]
fn blood_pressure() {
    check_lab(
        "blood-pressure",
        "systolic",
        &[
            (129.0, 0),
            (129.9, 0),
            (130.0, 1),
            (139.0, 1),
            (140.0, 2),
            (159.0, 2),
            (160.0, 3),
            (210.0, 3),
        ],
    );
    check_lab(
        "blood-pressure",
        "diastolic",
        &[
            (84.0, 0),
            (85.0, 1),
            (89.0, 1),
            (90.0, 2),
            (99.0, 2),
            (100.0, 3),
        ],
    );
}

#[test]
fn cholesterol() {
    check_lab(
        "cholesterol",
        "NPU01568",
        &[(2.9, 0), (3.0, 1), (3.9, 1), (4.0, 2), (4.8, 2), (4.9, 3)],
    );
}

#[test]
fn glucose() {
    check_lab(
        "glucose",
        "NPU02195",
        &[(6.0, 0), (6.1, 2), (6.9, 2), (7.0, 3)],
    );
}

#[test]
fn bmi_in_both_directions() {
    // At 200 cm, BMI is a quarter of the weight.
    for (weight, expect) in [
        (73.9, 1),
        (74.0, 0),
        (99.9, 0),
        (100.0, 1),
        (119.9, 1),
        (120.0, 2),
        (139.9, 2),
        (140.0, 3),
    ] {
        let mut inputs = favourable();
        measure(&mut inputs, "height", 200.0);
        measure(&mut inputs, "weight", weight);
        assert_eq!(
            axis(&curve(), &inputs, "bmi").level,
            Some(expect),
            "{weight}"
        );
    }
}

#[test]
fn waist_by_hip_differs_by_sex() {
    for (sex, waist, expect) in [
        (Sex::Woman, 79.9, 0),
        (Sex::Woman, 80.0, 1),
        (Sex::Woman, 84.9, 1),
        (Sex::Woman, 85.0, 2),
        (Sex::Man, 85.0, 0),
        (Sex::Man, 90.0, 1),
        (Sex::Man, 99.9, 1),
        (Sex::Man, 100.0, 2),
    ] {
        let mut inputs = favourable();
        inputs.sex = Some(sex);
        measure(&mut inputs, "waist", waist);
        assert_eq!(
            axis(&curve(), &inputs, "waist-hip").level,
            Some(expect),
            "{sex} {waist}"
        );
    }
}

#[test]
fn waist_by_height() {
    for (waist, expect) in [(84.9, 0), (85.0, 2), (101.9, 2), (102.0, 3)] {
        let mut inputs = favourable();
        measure(&mut inputs, "waist", waist);
        assert_eq!(
            axis(&star(), &inputs, "waist-height").level,
            Some(expect),
            "{waist}"
        );
    }
}

#[test]
fn activity_minutes_are_twice_training_and_everyday() {
    // 2 × 15 + 45 = 75; 2 × 15 + 15 = 45; 2 × 45 + 45 = 135; 2 × 75 + 0 = 150; 2 × 0 + 300 = 300; 2 × 75 + 120 = 270
    for (training, everyday, minutes, expect) in [
        ("lt30", "lt30", "45", 3),
        ("lt30", "30-59", "75", 2),
        ("30-59", "30-59", "135", 2),
        ("60-89", "0", "150", 1),
        ("60-89", "90-149", "270", 1),
        ("0", "ge300", "300", 0),
    ] {
        let mut inputs = favourable();
        answer(&mut inputs, "levnadsvanor", "fa1", json!(training));
        answer(&mut inputs, "levnadsvanor", "fa2", json!(everyday));
        let level = axis(&curve(), &inputs, "activity");
        assert_eq!(
            (level.level, level.value.as_deref()),
            (Some(expect), Some(minutes))
        );
        assert_eq!(level.unit.as_deref(), Some("minuter/vecka"));
    }
}

#[test]
fn diet_index() {
    for (veg, fruit, fish, sweets, sum, expect) in [
        ("some-week", "some-week", "1-week", "1-day", "4", 3),
        ("some-week", "some-week", "1-week", "some-week", "5", 1),
        ("1-day", "1-day", "2-week", "some-week", "8", 1),
        ("1-day", "1-day", "2-week", "le1-week", "9", 0),
    ] {
        let mut inputs = favourable();
        for (code, value) in [
            ("veg", veg),
            ("fruit", fruit),
            ("fish", fish),
            ("sweets", sweets),
        ] {
            answer(&mut inputs, "levnadsvanor", code, json!(value));
        }
        let level = axis(&curve(), &inputs, "diet");
        assert_eq!(
            (level.level, level.value.as_deref()),
            (Some(expect), Some(sum))
        );
    }
}

#[test]
fn alcohol_is_read_by_the_limits_of_its_time() {
    let level = |day: &str, sex, week: &str| {
        let mut inputs = favourable();
        inputs.at = day.parse().unwrap();
        inputs.sex = sex;
        answer(&mut inputs, "levnadsvanor", "alc_week", json!(week));
        let level = axis(&curve(), &inputs, "alcohol");
        (level.level, level.why)
    };
    let (woman, man) = (Some(Sex::Woman), Some(Sex::Man));
    assert_eq!(level("2023-09-11", man, "10-14"), (Some(1), None));
    assert_eq!(level("2023-09-12", man, "10-14"), (Some(2), None));
    assert_eq!(level("2023-09-11", woman, "10-14"), (Some(2), None));
    assert_eq!(level("2023-09-12", woman, "10-14"), (Some(2), None));
    assert_eq!(level("2023-09-11", None, "5-9"), (Some(1), None));
    assert_eq!(
        level("2023-09-11", None, "10-14"),
        (None, Some(Missing::Sex))
    );
    assert_eq!(level("2023-09-12", None, "10-14"), (Some(2), None));
}

#[test]
fn tobacco_takes_the_least_favourable() {
    for (smoke, snus, expect) in [
        ("never", "quit-gt6", 0),
        ("quit-lt6", "never", 1),
        ("never", "not-daily", 1),
        ("not-daily", "never", 2),
        ("never", "daily-1-3", 2),
        ("daily-1-9", "never", 3),
    ] {
        let mut inputs = favourable();
        answer(&mut inputs, "levnadsvanor", "smoke", json!(smoke));
        answer(&mut inputs, "levnadsvanor", "snus", json!(snus));
        assert_eq!(
            axis(&curve(), &inputs, "tobacco").level,
            Some(expect),
            "{smoke} {snus}"
        );
    }
}

#[test]
fn half_a_blood_pressure_is_missing_unless_it_is_certain_anyway() {
    let mut inputs = favourable();
    inputs.observations.retain(|one| one.code != "diastolic");
    let level = axis(&curve(), &inputs, "blood-pressure");
    assert_eq!(
        (level.level, level.why, level.missing),
        (None, Some(Missing::Absent), true)
    );
    measure(&mut inputs, "systolic", 185.0);
    assert_eq!(axis(&curve(), &inputs, "blood-pressure").level, Some(3));
}

#[test]
fn either_glucose_or_hba1c_is_enough_and_the_worst_counts() {
    let mut inputs = favourable();
    inputs
        .observations
        .push(observation("NPU27300", 48.0, "mmol/mol"));
    let both = axis(&curve(), &inputs, "glucose");
    assert_eq!(
        (both.level, both.value.as_deref()),
        (Some(3), Some("5,2 mmol/L, 48 mmol/mol"))
    );
    inputs.observations.retain(|one| one.code != "NPU02195");
    assert_eq!(axis(&curve(), &inputs, "glucose").level, Some(3));
}

#[test]
fn do_not_know_is_not_favourable() {
    let mut inputs = favourable();
    answer(&mut inputs, "halsa", "heredity_dm", json!("unknown"));
    let level = axis(&curve(), &inputs, "heredity");
    assert_eq!((level.level, level.why), (None, Some(Missing::Undecided)));
}

#[test]
fn units_are_converted_where_that_is_safe_and_else_missing() {
    let mut inputs = favourable();
    inputs
        .observations
        .retain(|one| !matches!(one.code.as_str(), "height" | "NPU01568"));
    inputs.observations.push(observation("height", 1.7, "m"));
    inputs
        .observations
        .push(observation("NPU01568", 97.0, "mg/dL"));
    assert_eq!(
        axis(&curve(), &inputs, "bmi").value.as_deref(),
        Some("22,5")
    );
    assert_eq!(
        axis(&curve(), &inputs, "cholesterol").why,
        Some(Missing::Unit)
    );
    inputs.observations.retain(|one| one.code != "height");
    inputs.observations.push(observation("height", 1.7, "cm"));
    assert_eq!(
        axis(&curve(), &inputs, "bmi").why,
        Some(Missing::Implausible)
    );
}

#[test]
fn a_limit_counts_when_both_sides_agree() {
    let level = |value, comparator: &str| {
        let mut inputs = favourable();
        let one = inputs
            .observations
            .iter_mut()
            .find(|one| one.code == "NPU01568")
            .unwrap();
        (one.value, one.comparator) = (value, Some(comparator.into()));
        let level = axis(&curve(), &inputs, "cholesterol");
        (level.level, level.why)
    };
    assert_eq!(level(0.3, "<"), (Some(0), None));
    assert_eq!(level(3.0, "<"), (Some(0), None));
    assert_eq!(level(3.1, "<"), (None, Some(Missing::Limit)));
    assert_eq!(level(10.0, ">"), (Some(3), None));
    assert_eq!(level(4.5, ">="), (None, Some(Missing::Limit)));
    assert_eq!(level(4.9, ">="), (Some(3), None));
    assert_eq!(level(4.9, "~"), (None, Some(Missing::Limit)));
}

#[test]
fn the_newest_final_value_counts() {
    let mut inputs = favourable();
    let mut add = |value, taken: &str, status: &str| {
        let mut one = observation("NPU01568", value, "mmol/L");
        (one.taken, one.status) = (Some(taken.parse().unwrap()), Some(status.into()));
        inputs.observations.push(one);
    };
    add(4.2, "2026-02-02T08:00:00Z", "final");
    add(3.2, "2026-02-01T08:00:00Z", "final");
    add(9.9, "2026-02-03T08:00:00Z", "cancelled");
    assert_eq!(
        axis(&curve(), &inputs, "cholesterol").value.as_deref(),
        Some("4,2")
    );
}

#[test]
fn two_forms_that_disagree_are_a_conflict() {
    let mut inputs = favourable();
    inputs.forms["papper"] = json!({ "life": "good" });
    assert_eq!(axis(&curve(), &inputs, "life").level, Some(0));
    inputs.forms["papper"] = json!({ "life": "bad" });
    assert_eq!(axis(&curve(), &inputs, "life").why, Some(Missing::Conflict));
}

#[test]
fn an_answer_the_instrument_does_not_know_is_missing() {
    let mut inputs = favourable();
    answer(&mut inputs, "levnadsvanor", "smoke", json!("pipe"));
    answer(&mut inputs, "levnadsvanor", "fa1", json!({ "a": [1] }));
    answer(&mut inputs, "levnadsvanor", "veg", json!(""));
    let profile = score(&curve(), &inputs);
    let why = |id: &str| {
        profile
            .levels
            .iter()
            .find(|level| level.axis == id)
            .unwrap()
            .why
    };
    assert_eq!(why("tobacco"), Some(Missing::Unknown));
    assert_eq!(why("activity"), Some(Missing::Unknown));
    assert_eq!(why("diet"), Some(Missing::Absent));
}
