//! The files that come with the hub.

use halsonav_profile::{AskedBy, Graphic, Instruments, QuestionKind, score, uncovered};

use super::{CURVE, STAR, curve, favourable, forms, star};

#[test]
fn both_samples_load_and_say_that_they_are_samples() {
    assert_eq!(
        (curve().graphic, star().graphic),
        (Graphic::Halsokurva, Graphic::Stjarnprofil)
    );
    for instrument in [curve(), star()] {
        assert!(instrument.sample);
        assert_eq!(instrument.axes.len(), 12);
        assert!(
            instrument
                .axes
                .iter()
                .all(|axis| axis.tables.iter().all(|table| !table.source.is_empty()))
        );
    }
}

#[test]
fn the_forms_ask_every_question_that_the_instruments_read_and_no_answer_is_left_out() {
    assert_eq!(uncovered(&curve(), &forms()), []);
    assert_eq!(uncovered(&star(), &forms()), []);
}

#[test]
fn an_answer_without_a_level_is_found() {
    let mut forms = forms();
    forms[0].questions[0].alternatives[0].value = "none".into();
    let faults = uncovered(&curve(), &forms);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].message.contains("`fa1`") && faults[0].message.contains("`none`"));
    assert!(!uncovered(&curve(), &[]).is_empty());
}

#[test]
fn the_forms_hold_the_agreed_codes() {
    let forms = forms();
    let codes: Vec<&str> = forms
        .iter()
        .flat_map(|form| form.questions.iter().map(|question| question.code.as_str()))
        .collect();
    for code in [
        "fa1",
        "fa2",
        "sitting",
        "veg",
        "fruit",
        "fish",
        "sweets",
        "alc_week",
        "alc_binge",
        "smoke",
        "snus",
        "sleep",
        "stress",
        "general_health",
        "heredity_cvd",
        "heredity_dm",
        "work",
        "education",
    ] {
        assert!(codes.contains(&code), "{code}");
    }
    assert_eq!(forms[2].asked_by, AskedBy::Staff);
    for kind in [
        QuestionKind::Radio,
        QuestionKind::SelectMultiple,
        QuestionKind::Number,
        QuestionKind::Text,
    ] {
        assert!(
            forms
                .iter()
                .any(|form| form.questions.iter().any(|question| question.kind == kind))
        );
    }
}

#[test]
fn a_region_keeps_several_versions_apart_by_date() {
    let old = CURVE.replacen(
        "version = \"1\"",
        "version = \"0\"\nvalid_to = 2024-12-31",
        1,
    );
    let new = CURVE.replacen(
        "version = \"1\"",
        "version = \"1\"\nvalid_from = 2025-01-01",
        1,
    );
    let both = Instruments::load([("a", old.as_str()), ("b", new.as_str()), ("c", STAR)]).unwrap();
    let version = |day: &str| {
        both.get("exempel-halsokurva", day.parse().unwrap())
            .unwrap()
            .version
            .clone()
    };
    assert_eq!(
        (version("2024-12-31"), version("2025-01-01")),
        ("0".into(), "1".into())
    );
    assert_eq!(both.iter().count(), 3);
    let faults = Instruments::load([("a", CURVE), ("b", new.as_str())]).unwrap_err();
    assert_eq!(faults[0].code, "HUB-PROFILE-004");
}

#[test]
fn everything_favourable_is_level_0_everywhere() {
    for instrument in [curve(), star()] {
        for level in score(&instrument, &favourable()).levels {
            assert_eq!((level.level, level.why), (Some(0), None), "{}", level.axis);
            assert_eq!(level.of, 3);
            assert_eq!(level.name.as_deref(), Some("Gynnsamt"));
            assert!(!level.text.is_empty());
        }
    }
}

#[test]
fn nothing_known_is_missing_everywhere() {
    let nothing = halsonav_profile::Inputs {
        forms: serde_json::Value::Null,
        observations: Vec::new(),
        sex: None,
        age: None,
        at: "2026-03-02".parse().unwrap(),
    };
    for level in score(&curve(), &nothing).levels {
        assert!(level.missing && level.level.is_none(), "{}", level.axis);
        assert_eq!(level.text, "Uppgift saknas.");
    }
}
