//! The pictures hold for every profile.

use halsonav_profile::{Inputs, Level, Profile, Sex, score, svg};
use proptest::prelude::*;
use serde_json::Value;

use super::{curve, favourable, observation, star};

fn text_of(svg: &str) -> String {
    let document = roxmltree::Document::parse(svg).expect("well-formed");
    document
        .descendants()
        .filter_map(|node| node.text())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn the_picture_says_every_level_in_words() {
    for instrument in [curve(), star()] {
        let profile = score(&instrument, &favourable());
        let picture = svg::draw(&profile);
        assert_eq!(picture, svg::draw(&profile), "equal input, equal bytes");
        let document = roxmltree::Document::parse(&picture).unwrap();
        let root = document.root_element();
        assert_eq!(root.attribute("role"), Some("img"));
        for name in ["title", "desc"] {
            assert!(
                root.children()
                    .any(|node| node.has_tag_name(("http://www.w3.org/2000/svg", name)))
            );
        }
        let text = text_of(&picture);
        for level in &profile.levels {
            assert!(
                text.contains(&format!("{}: Gynnsamt", level.label)),
                "{}",
                level.label
            );
        }
        assert!(text.contains("EXEMPEL") && text.contains("version 1"));
    }
}

#[test]
fn only_a_sample_is_marked() {
    let mut profile = score(&star(), &favourable());
    profile.sample = false;
    assert!(!svg::draw(&profile).contains("EXEMPEL"));
}

#[test]
fn missing_axes_have_no_mark() {
    let mut inputs = favourable();
    let marks = |inputs: &Inputs| {
        svg::draw(&score(&star(), inputs))
            .matches("<polygon")
            .count()
    };
    let all = marks(&inputs);
    inputs.observations.clear();
    // bmi, waist-height, blood pressure, cholesterol and glucose lose their points; the marks of
    // level 0 are circles.
    assert_eq!(marks(&inputs), all - 5);
    assert!(svg::describe(&score(&star(), &inputs)).contains("BMI: Uppgift saknas."));
}

#[test]
fn debug_of_a_profile_shows_no_health_data() {
    let profile = score(&star(), &favourable());
    assert_eq!(
        format!("{profile:?}"),
        "Profile(exempel-stjarnprofil 1, redacted)"
    );
    assert!(!format!("{:?}", favourable()).contains("never"));
}

#[test]
fn a_profile_survives_json() {
    let profile = score(&curve(), &favourable());
    let json = serde_json::to_string(&profile).unwrap();
    assert!(serde_json::from_str::<Profile>(&json).unwrap() == profile);
}

fn any_answer() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z0-9-]{0,8}".prop_map(Value::from),
        proptest::sample::select(vec!["never", "0", "ge120", "unknown", "daily-1-9", "lt1"])
            .prop_map(Value::from),
        proptest::collection::vec(any::<i64>().prop_map(Value::from), 0..3).prop_map(Value::from),
    ]
}

fn any_inputs() -> impl Strategy<Value = Inputs> {
    let codes = vec![
        "fa1",
        "fa2",
        "veg",
        "fruit",
        "fish",
        "sweets",
        "alc_week",
        "alc_binge",
        "smoke",
        "snus",
        "life",
        "sleep",
        "stress",
        "heredity_cvd",
        "heredity_dm",
    ];
    let measures = vec![
        "height",
        "weight",
        "waist",
        "hip",
        "systolic",
        "diastolic",
        "NPU01568",
        "NPU02195",
    ];
    let answers =
        proptest::collection::hash_map(proptest::sample::select(codes), any_answer(), 0..15);
    let one = (
        proptest::sample::select(measures),
        any::<f64>(),
        "[a-zA-Z/\\[\\]]{0,6}|cm|kg|mmHg|mmol/L",
        proptest::option::of("[<>=~]{1,2}"),
    );
    let observations = proptest::collection::vec(one, 0..10);
    (
        answers,
        observations,
        proptest::option::of(any::<bool>()),
        proptest::option::of(any::<u8>()),
    )
        .prop_map(|(answers, observations, sex, age)| Inputs {
            forms: serde_json::json!({ "f": answers }),
            observations: observations
                .into_iter()
                .map(|(code, value, unit, comparator)| {
                    let mut one = observation(code, value, &unit);
                    one.comparator = comparator;
                    one
                })
                .collect(),
            sex: sex.map(|woman| if woman { Sex::Woman } else { Sex::Man }),
            age,
            at: "2026-01-01".parse().unwrap(),
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn scoring_never_panics_and_is_whole(inputs in any_inputs()) {
        for instrument in [curve(), star()] {
            let profile = score(&instrument, &inputs);
            prop_assert_eq!(profile.levels.len(), instrument.axes.len());
            for level in &profile.levels {
                prop_assert_eq!(level.missing, level.level.is_none());
                prop_assert_eq!(level.missing, level.why.is_some());
                prop_assert!(level.level.is_none_or(|step| step <= level.of));
            }
            text_of(&svg::draw(&profile));
        }
    }

    #[test]
    fn any_profile_is_well_formed(labels in proptest::collection::vec((any::<String>(), any::<Option<u8>>(), any::<bool>(), any::<Option<String>>()), 0..20), title in any::<String>(), colour in any::<String>(), steps in 0_usize..12) {
        let mut profile = score(&curve(), &favourable());
        profile.label = title;
        let step = profile.scale[0].clone();
        profile.scale = vec![halsonav_profile::Step { colour, ..step }; steps];
        let one: Level = profile.levels[0].clone();
        profile.levels = labels.into_iter().map(|(label, level, missing, value)| Level { label, level, missing, value, ..one.clone() }).collect();
        text_of(&svg::halsokurva(&profile));
        text_of(&svg::stjarnprofil(&profile));
    }
}
