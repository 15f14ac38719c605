//! Faults of a table, all of them at once.

use halsonav_profile::Instrument;

use super::CURVE;

fn check(change: (&str, &str), expect: (&str, &str)) {
    assert!(CURVE.contains(change.0), "{}", change.0);
    let text = CURVE.replacen(change.0, change.1, 1);
    let faults = Instrument::load("t.toml", &text).unwrap_err();
    assert!(
        faults.iter().any(|fault| fault.code == expect.0
            && fault.message.contains(expect.1)
            && fault.line > 0),
        "{faults:?}"
    );
}

#[test]
fn faults_are_told() {
    check(("id = \"bmi\"", "id = \"BMI\""), ("HUB-PROFILE-002", "a–z"));
    check(
        ("id = \"bmi\"", "id = \"diet\""),
        ("HUB-PROFILE-002", "two axes"),
    );
    check(
        ("colour = \"#2e8b57\"", "colour = \"green\""),
        ("HUB-PROFILE-002", "#rrggbb"),
    );
    check(
        ("derived = \"bmi\"", "derived = \"bmi\"\nform = \"bmi\""),
        ("HUB-PROFILE-002", "exactly one"),
    );
    check(
        ("derived = \"bmi\"", "derived = \"bmj\""),
        ("HUB-PROFILE-001", "bmj"),
    );
    check(
        ("need = \"any\"", "needs = \"any\""),
        ("HUB-PROFILE-001", "needs"),
    );
    check(
        ("sample = true\ngraphic", "sample = 1\ngraphic"),
        ("HUB-PROFILE-001", "bool"),
    );
    check(
        ("{ level = 3, ge = 160 }", "{ level = 4, ge = 160 }"),
        ("HUB-PROFILE-003", "not on the scale"),
    );
    check(
        ("{ level = 3, ge = 160 }", "{ level = 3, ge = 120 }"),
        ("HUB-PROFILE-003", "never reached"),
    );
    check(
        (
            ", { level = 1, ge = 85 }, { level = 0 }",
            ", { level = 1, ge = 85 }",
        ),
        ("HUB-PROFILE-003", "no level"),
    );
    check(
        ("{ level = 3, ge = 160 }", "{ level = 3, ge = nan }"),
        ("HUB-PROFILE-002", "finite"),
    );
    check(
        ("{ level = 3, ge = 160 }", "{ level = 3, is = [\"x\"] }"),
        ("HUB-PROFILE-003", "not both"),
    );
    check(
        ("valid_from = 2023-09-12", "valid_from = 2023-09-11"),
        ("HUB-PROFILE-004", "same day"),
    );
    check(
        ("valid_from = 2023-09-12", "valid_from = \"2023-09-12\""),
        ("HUB-PROFILE-001", ""),
    );
    check(
        (
            "valid_from = 2023-09-12",
            "valid_from = 2023-09-12T08:00:00Z",
        ),
        ("HUB-PROFILE-002", "2023-09-12"),
    );
    check(
        (
            "observation = \"systolic\"\nunit = \"mmHg\"",
            "observation = \"systolic\"",
        ),
        ("HUB-PROFILE-002", "unit"),
    );
    check(
        ("form = \"fa2\" }]", "form = \"fa3\" }]"),
        ("HUB-PROFILE-002", "values.fa3"),
    );
    check(
        ("\"Ditt blodtryck är bra.\"", "\"\""),
        ("HUB-PROFILE-002", "no text"),
    );
}

#[test]
fn a_sex_without_a_level_is_found() {
    let text = CURVE.replacen("{ level = 1, is = [\"10-14\"], sex = \"man\" },", "", 1);
    let faults = Instrument::load("t.toml", &text).unwrap_err();
    assert!(
        faults[0].message.contains("10-14") && faults[0].message.contains("a man"),
        "{faults:?}"
    );
}

#[test]
fn all_faults_come_at_once_in_order_of_line() {
    let text = CURVE
        .replacen("id = \"bmi\"", "id = \"BMI\"", 1)
        .replacen("derived = \"waist-hip\"", "derived = \"waist\"", 1)
        .replacen("{ level = 3, ge = 160 }", "{ level = 7, ge = 160 }", 1);
    let faults = Instrument::load("t.toml", &text).unwrap_err();
    assert!(faults.len() >= 3, "{faults:?}");
    assert!(faults.windows(2).all(|pair| pair[0].line <= pair[1].line));
}

#[test]
fn text_that_is_not_toml_is_a_fault() {
    for text in [
        "",
        "[",
        "id = ",
        "a = \"\u{0}\"",
        "axis = 1\nscale = 2",
        "[[axis]]\nid = 3",
    ] {
        let faults = Instrument::load("t.toml", text).unwrap_err();
        assert!(!faults.is_empty() && faults.iter().all(|fault| fault.file == "t.toml"));
    }
    assert!(Instrument::load("t.toml", &"#".repeat(2 << 20)).is_err());
    assert!(Instrument::load("t.toml", &format!("a = {}", "[".repeat(100_000))).is_err());
}
