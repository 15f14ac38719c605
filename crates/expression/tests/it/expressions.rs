//! What people write, and what it gives.

use halsonav_expression::{EvalError, Expression, Template};
use serde_json::{Value, json};

fn scope() -> Value {
    json!({
        "x": 3, "y": 4.5, "big": 9_007_199_254_740_993_i64, "t": true, "f": false, "n": null,
        "name": "Åsa", "text": "a,b;c", "empty": "", "list": [1, 2, 3], "none": [],
        "words": ["b", "a", "c"],
        "case": {"round": "r1", "reminders": 2, "address": {"city": "Umeå"}},
        "answers": [{"id": "q1", "score": 3, "tags": ["a"]}, {"id": "q2", "score": 7, "tags": ["b", "c"]}],
        "clock": {"now": "2026-03-28T12:00:00+01:00", "today": "2026-03-28"},
        "ålder_2": 41, "count2": 1, "month": 5, "string": "s", "status": "booked",
    })
}

fn check(source: &str, expect: &Value) {
    let expression = Expression::parse(source).unwrap_or_else(|fault| panic!("{source}: {fault}"));
    let value = expression
        .evaluate(&scope())
        .unwrap_or_else(|error| panic!("{source}: {error}"));
    assert_eq!(&value, expect, "{source}");
}

#[test]
fn arithmetic_and_comparison() {
    for (source, expect) in [
        ("1 + 2 * 3", json!(7)),
        ("(1 + 2) * 3", json!(9)),
        ("2 ** 10", json!(1024)),
        ("7 / 2", json!(3.5)),
        ("0.1 + 0.2 = 0.3", json!(true)),
        ("0.1 + 0.2", json!(0.3)),
        ("x - 1", json!(2)),
        ("x-1", json!(2)),
        ("-x", json!(-3)),
        ("x + y", json!(7.5)),
        ("big", json!(9_007_199_254_740_993_i64)),
        ("big + 1", json!(9_007_199_254_740_994_i64)),
        ("x > 2 and y < 5", json!(true)),
        ("x = 3", json!(true)),
        ("x != 3", json!(false)),
        ("x between 1 and 5", json!(true)),
        ("x in [1..5]", json!(true)),
        ("x in ]3..5]", json!(false)),
        ("x in (1, 2, 3)", json!(true)),
        ("x in list", json!(true)),
        ("status in (\"booked\", \"rebooked\")", json!(true)),
        ("status in (\"declined\")", json!(false)),
        ("t or f", json!(true)),
        ("t and f", json!(false)),
        ("not(f)", json!(true)),
        ("not(x > 5)", json!(true)),
        ("decimal(10/3, 2)", json!(3.33)),
        ("floor(3.7)", json!(3)),
        ("ceiling(3.2)", json!(4)),
        ("abs(-3)", json!(3)),
        ("modulo(7, 3)", json!(1)),
        ("10 / 2", json!(5)),
        ("1e3", json!(1000)),
        ("100000000000000000000", json!(1e20)),
        ("ålder_2 >= 40", json!(true)),
        ("count2 - 1", json!(0)),
    ] {
        check(source, &expect);
    }
}

#[test]
fn null_is_not_false() {
    for (source, expect) in [
        ("n = null", json!(true)),
        ("missing = null", json!(true)),
        ("missing != null", json!(false)),
        ("x != null", json!(true)),
        ("missing", json!(null)),
        ("missing > 3", json!(null)),
        ("case.missing", json!(null)),
        ("case.missing.deeper", json!(null)),
        ("if missing = null then 1 else missing", json!(1)),
        ("if missing > 3 then 1 else 2", json!(2)),
        ("null", json!(null)),
        ("missing and f", json!(false)),
        ("missing and t", json!(null)),
        ("missing or t", json!(true)),
        ("x = \"3\"", json!(null)),
        ("1 / 0", json!(null)),
        ("name + 1", json!(null)),
    ] {
        check(source, &expect);
    }
}

#[test]
fn text() {
    for (source, expect) in [
        ("\"Hej \" + name", json!("Hej Åsa")),
        ("string length(name)", json!(3)),
        ("string length(string)", json!(1)),
        ("upper case(name)", json!("ÅSA")),
        ("lower case(name)", json!("åsa")),
        ("contains(name, \"s\")", json!(true)),
        ("starts with(name, \"Å\")", json!(true)),
        ("ends with(name, \"a\")", json!(true)),
        ("substring(name, 2)", json!("sa")),
        ("substring(name, 1, 1)", json!("Å")),
        ("substring before(text, \",\")", json!("a")),
        ("substring after(text, \";\")", json!("c")),
        ("split(text, \",\")", json!(["a", "b;c"])),
        ("replace(text, \"[,;]\", \"-\")", json!("a-b-c")),
        ("matches(text, \"^a.*c$\")", json!(true)),
        ("string(x)", json!("3")),
        ("string(1.50)", json!("1.50")),
        ("number(\"12.5\", null, null)", json!(12.5)),
        ("number(\"1 000,5\", \" \", \",\")", json!(1000.5)),
        ("string join(words, \", \")", json!("b, a, c")),
        ("\"say \\\"hi\\\"\"", json!("say \"hi\"")),
        ("\"now()\"", json!("now()")),
        ("empty = \"\"", json!(true)),
        (
            "substring(string: name, start position: 2, length: 1)",
            json!("s"),
        ),
    ] {
        check(source, &expect);
    }
}

#[test]
fn lists_contexts_and_loops() {
    for (source, expect) in [
        ("count(list)", json!(3)),
        ("count(list) > 0", json!(true)),
        ("count(none) = 0", json!(true)),
        ("sum(list)", json!(6)),
        ("min(list) + max(list)", json!(4)),
        ("mean(list)", json!(2)),
        ("list contains(list, x)", json!(true)),
        ("append(list, 4)", json!([1, 2, 3, 4])),
        ("concatenate(list, [9])", json!([1, 2, 3, 9])),
        ("distinct values([1, 1, 2])", json!([1, 2])),
        ("flatten([[1], [2, [3]]])", json!([1, 2, 3])),
        ("reverse(list)", json!([3, 2, 1])),
        ("index of(words, \"a\")", json!([2])),
        ("sort(words, function(a, b) a < b)", json!(["a", "b", "c"])),
        ("list[1]", json!(1)),
        ("list[-1]", json!(3)),
        ("list[item > 1]", json!([2, 3])),
        (
            "answers[score > 5]",
            json!([{"id": "q2", "score": 7, "tags": ["b", "c"]}]),
        ),
        ("answers[score > 5].id", json!(["q2"])),
        ("answers[id = \"q1\"][1].score", json!(3)),
        ("answers.score", json!([3, 7])),
        ("sum(answers.score)", json!(10)),
        ("for i in list return i * 2", json!([2, 4, 6])),
        ("for i in 1..3 return i", json!([1, 2, 3])),
        ("for i in 3..1 return i", json!([3, 2, 1])),
        ("for a in answers return a.id", json!(["q1", "q2"])),
        (
            "flatten(for a in answers return for t in a.tags return t)",
            json!(["a", "b", "c"]),
        ),
        ("some i in list satisfies i > 2", json!(true)),
        ("for l in [[1, 2], [3]], i in l return i", json!([1, 2, 3])),
        ("some i in list, j in list satisfies i + j = 6", json!(true)),
        ("every i in list satisfies i > 2", json!(false)),
        ("every a in answers satisfies a.score > 1", json!(true)),
        ("{a: 1, b: a + 1}", json!({"a": 1, "b": 2})),
        ("{a: {b: [1, \"två\"]}}.a.b", json!([1, "två"])),
        ("{\"first name\": name}", json!({"first name": "Åsa"})),
        ("get value(case, \"round\")", json!("r1")),
        ("context put({a: 1}, \"b\", 2)", json!({"a": 1, "b": 2})),
        ("case.round", json!("r1")),
        ("case.reminders - 1", json!(1)),
        ("case.address.city", json!("Umeå")),
        (
            "case",
            json!({"round": "r1", "reminders": 2, "address": {"city": "Umeå"}}),
        ),
        (
            "[case.round, case]",
            json!(["r1", {"round": "r1", "reminders": 2, "address": {"city": "Umeå"}}]),
        ),
        ("if x > 2 then \"many\" else \"few\"", json!("many")),
        ("if x > 5 then 1 else if x > 2 then 2 else 3", json!(2)),
        ("x instance of number", json!(true)),
        ("name instance of string", json!(true)),
        ("all([true, f])", json!(false)),
        ("any([t, false])", json!(true)),
        ("[]", json!([])),
        ("{}", json!({})),
    ] {
        check(source, &expect);
    }
}

#[test]
fn dates() {
    for (source, expect) in [
        ("date(clock.today)", json!("2026-03-28")),
        (
            "date(clock.today) + duration(\"P14D\")",
            json!("2026-04-11"),
        ),
        (
            "date(\"2026-03-29\") + duration(\"P1M\")",
            json!("2026-04-29"),
        ),
        ("@\"2026-03-29\" + @\"P1M\"", json!("2026-04-29")),
        ("date(clock.today) - date(\"2026-03-01\")", json!("P27D")),
        ("date(clock.today).year", json!(2026)),
        ("date(clock.today).year - 1", json!(2025)),
        ("date(clock.today).month = month", json!(false)),
        ("date(clock.today) > date(\"2026-01-01\")", json!(true)),
        (
            "date(clock.today) in [date(\"2026-01-01\")..date(\"2026-12-31\")]",
            json!(true),
        ),
        ("day of week(date(clock.today))", json!("Saturday")),
        (
            "date and time(clock.now) + duration(\"PT24H\")",
            json!("2026-03-29T12:00:00+01:00"),
        ),
        ("duration(\"P1D\") + duration(\"PT12H\")", json!("P1DT12H")),
        ("duration(\"P14D\").days", json!(14)),
        (
            "years and months duration(date(\"1976-05-01\"), date(clock.today)).years",
            json!(49),
        ),
        ("time(\"08:30:00\")", json!("08:30:00")),
        ("string(date(clock.today))", json!("2026-03-28")),
        (
            "date and time(\"2026-07-01T08:00:00@Europe/Stockholm\")",
            json!("2026-07-01T08:00:00+02:00"),
        ),
        ("date(2026, 3, 28)", json!("2026-03-28")),
        // XML Schema, on which FEEL leans, has no weeks.
        ("duration(\"P2W\")", json!(null)),
        ("date(clock.today) + duration(\"P2W\")", json!(null)),
    ] {
        check(source, &expect);
    }
}

#[test]
fn variables_are_those_read() {
    let check = |source: &str, expect: &[&str]| {
        assert_eq!(
            Expression::parse(source).unwrap().variables(),
            expect,
            "{source}"
        );
    };
    check("1 + 1", &[]);
    check("x > 2 and case.round = x", &["case", "x"]);
    check("for i in list return i + y", &["list", "y"]);
    check("{a: x, b: a}", &["x"]);
    check("sort(words, function(a, b) a < b)", &["words"]);
    check("substring(string: name, start position: 2)", &["name"]);
    check("some a in answers satisfies a.score > x", &["answers", "x"]);
    check("count(list[item > x])", &["list", "x"]);
    check("x instance of number", &["x"]);
}

#[test]
fn a_condition_is_true_or_false_or_an_error() {
    let condition = |source: &str| Expression::parse(source).unwrap().condition(&scope());
    assert_eq!(condition("x > 2"), Ok(true));
    assert_eq!(condition("x > 5"), Ok(false));
    assert_eq!(
        condition("missing > 5").unwrap_err().code(),
        "HUB-EXPRESSION-002"
    );
    assert_eq!(condition("n").unwrap_err().code(), "HUB-EXPRESSION-002");
    assert!(matches!(
        condition("name"),
        Err(EvalError::NotBoolean {
            found: "string",
            ..
        })
    ));
    assert!(matches!(condition("count"), Err(EvalError::Null { .. })));
    let error = condition("name").unwrap_err().to_string();
    assert!(!error.contains("Åsa"), "{error}");
}

#[test]
fn what_is_no_data_is_an_error() {
    for source in ["[1..3]", "> 3"] {
        if let Ok(expression) = Expression::parse(source) {
            let error = expression.evaluate(&scope()).unwrap_err();
            assert_eq!(error.code(), "HUB-EXPRESSION-004", "{source}");
        }
    }
}

#[test]
fn templates() {
    let text = |template: &str| Template::parse(template).unwrap().text(&scope());
    assert_eq!(text("messaging.send").as_deref(), Ok("messaging.send"));
    assert_eq!(text("=name").as_deref(), Ok("Åsa"));
    assert_eq!(text(" = \"P\" + string(x) + \"D\"").as_deref(), Ok("P3D"));
    assert_eq!(text("=x").as_deref(), Ok("3"));
    assert_eq!(text("=missing").unwrap_err().code(), "HUB-EXPRESSION-003");
    assert_eq!(text("=list").unwrap_err().code(), "HUB-EXPRESSION-003");
    assert_eq!(Template::parse("=1 +").unwrap_err().rule, "feel-parse");
    assert_eq!(Template::parse("3").unwrap().literal(), Some("3"));
    assert_eq!(Template::parse("=3").unwrap().expressions().count(), 1);
    assert_eq!(Template::parse("").unwrap().value(&scope()), Ok(json!("")));
}
