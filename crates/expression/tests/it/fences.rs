//! What is refused, and that nothing brings the process down.

use std::time::{Duration, Instant};

use halsonav_expression::{EvalError, Expression};
use serde_json::{Value, json};

fn check(source: &str, rule: &str) {
    match Expression::parse(source) {
        Ok(_) => panic!("accepted: {}", &source[..source.len().min(80)]),
        Err(fault) => {
            assert_eq!(
                fault.rule,
                rule,
                "{}: {fault}",
                &source[..source.len().min(80)]
            );
            assert!(!fault.advice.is_empty());
        }
    }
}

#[test]
fn the_outside_cannot_be_reached() {
    const JAVA: &str =
        r#"external {java: {class: "java.lang.Math", method signature: "cos(double)"}}"#;
    let fences = ["feel-external-function", "feel-function", "feel-parse"];
    for source in [
        format!("function(x) {JAVA}"),
        format!("{{f: function(x) {JAVA}, r: f(1)}}.r"),
        format!("(function(x) {JAVA})(1)"),
        format!("sort([2, 1], function(a, b) {JAVA})"),
        format!("function(x)/* */{JAVA}"),
        format!("function(x: number)\n{JAVA}"),
        format!("for f in [function(x) {JAVA}] return f(1)"),
        format!("if true then function(x) {JAVA} else 1"),
        r#"function(x) external {pmml: {document: "http://127.0.0.1/", model: "m"}}"#.to_owned(),
    ] {
        let fault = Expression::parse(&source).expect_err(&source);
        assert!(fences.contains(&fault.rule), "{source}: {fault}");
    }
    check(&format!("function(x) {JAVA}"), "feel-external-function");
    // The word alone is not the deed.
    assert!(Expression::parse("\"function(x) external {}\" != y and externally").is_ok());
}

#[test]
fn the_clock_is_not_read() {
    for source in [
        "now()",
        "today()",
        "date(today ())",
        "x > now\n()",
        "{a: now/**/()}.a",
        "sort([1], function(a, b) now() = a)",
    ] {
        check(source, "feel-clock");
    }
    let fault = Expression::parse("1 + today()").unwrap_err();
    assert!(fault.advice.contains("clock.today"), "{fault}");
    assert_eq!(fault.position, Some(4));
    for source in [
        "clock.now",
        "\"now()\"",
        "now = null",
        "unknown_now",
        "{now: 1}.now",
    ] {
        assert!(Expression::parse(source).is_ok(), "{source}");
    }
}

#[test]
fn functions_are_built_in() {
    for source in [
        "is defined(x)",
        "get or else(x, 1)",
        "foo(1)",
        "x.y(1)",
        "{f: function(a) a, r: f(1)}",
        "(function(f) f(f))(function(f) f(f))",
        "function(a) a",
        "{count: function(l) count(l), r: count(1)}.r",
        "for count in [1] return count(2)",
        "sort([1, 2], function(a, b) f(a))",
        "uuid()",
    ] {
        check(source, "feel-function");
    }
    check("count(list) + count", "feel-name");
    check("matches(x, pattern)", "feel-pattern");
    check("split(x, x)", "feel-pattern");
    assert!(
        Expression::parse("get or else(x, 1)")
            .unwrap_err()
            .advice
            .contains("if x = null")
    );
}

#[test]
fn loops_are_bounded() {
    for source in [
        "for i in 1..1001 return i",
        "for i in 1..n return i",
        "for i in 1..count(list) return i",
        "for i in [1..100000] return i",
        "some i in [1..100000] satisfies i = 0",
        "every i in [1..n] satisfies i > 0",
        "{r: [1..99999999], s: for i in r return i}",
        "for i in date(\"0001-01-01\")..date(\"9999-01-01\") return i",
        "for i in range(\"[1..99999999]\") return i",
        "for i in 1..10 return concatenate(partial, partial)",
    ] {
        check(source, "feel-range");
    }
    for source in [
        "for i in 1..1000, j in 1..1000 return 1",
        "for i in 1..300 return for j in 1..300 return for k in 1..300 return 1",
        "for i in list, j in list, k in list, l in list, m in list, n in list, o in list return 1",
    ] {
        check(source, "feel-growth");
    }
    check("for a in answers, t in a.tags return t", "feel-loop");
    check("some a in x, b in a satisfies b = 1", "feel-loop");
    assert!(Expression::parse("for i in 1..1000 return i").is_ok());
    assert!(Expression::parse("for i in -5..5 return i").is_ok());
    assert!(Expression::parse("x in [1..1000000]").is_ok());
    assert!(Expression::parse("list[item in [1..1000000]]").is_ok());
}

#[test]
fn growth_is_bounded() {
    use std::fmt::Write as _;
    for (start, step) in [("\"aaaaaaaa\"", "+"), ("[1, 2, 3]", ",")] {
        let mut source = format!("{{v0: {start}");
        for i in 1..60 {
            let before = i - 1;
            if step == "+" {
                write!(source, ", v{i}: v{before} + v{before}").unwrap();
            } else {
                write!(source, ", v{i}: concatenate(v{before}, v{before})").unwrap();
            }
        }
        source.push('}');
        check(&source, "feel-growth");
    }
    let nested = (0..12).fold("x".to_owned(), |inner, i| {
        format!("for v{i} in [1, 2, 3, 4, 5, 6, 7, 8] return {inner}")
    });
    check(&nested, "feel-growth");
}

#[test]
fn size_and_depth_are_bounded() {
    check(&"1+".repeat(2047), "feel-too-long");
    check(&format!("{}1", "1+".repeat(2500)), "feel-too-long");
    check(&format!("{}1", "1+".repeat(400)), "feel-too-deep");
    check(
        &format!("{}1{}", "[".repeat(100), "]".repeat(100)),
        "feel-too-deep",
    );
    check(&"[".repeat(4000), "feel-too-long");
    check(&format!("{}x", "-".repeat(900)), "feel-too-deep");
    check(&format!("{}x", "x.".repeat(400)), "feel-too-long");
    check(&format!("{}1", "a-".repeat(250)), "feel-too-long");
    check(&format!("x{}", "[1]".repeat(300)), "feel-too-deep");
    check("", "feel-parse");
    check("  // nothing", "feel-parse");
    check("\"open", "feel-parse");
    check("1 /* open", "feel-parse");
}

#[test]
fn the_deepest_that_is_allowed_runs_on_a_small_stack() {
    let deep = [
        format!("{}1", "1+".repeat(150)),
        format!("{}x", "x and ".repeat(90)),
        format!("{}1{}", "[".repeat(47), "]".repeat(47)),
        format!("{}0", "if (x) then 1 else ".repeat(100)),
        format!("{}list{}", "count(".repeat(40), ")".repeat(40)),
        format!("{}{{a: 1}}{}", "{a: ".repeat(40), "}".repeat(40)),
    ];
    for source in deep {
        let expression = Expression::parse(&source).unwrap_or_else(|fault| panic!("{fault}"));
        let thread = std::thread::Builder::new().stack_size(512 * 1024);
        let run = thread
            .spawn(move || {
                expression
                    .evaluate(&json!({"x": false, "list": [1]}))
                    .is_ok()
            })
            .unwrap();
        assert!(run.join().unwrap(), "{}", &source[..40]);
    }
}

#[test]
fn known_panics_are_faults() {
    for source in [
        r#""\ud83d\u0041""#,
        r#""\ud83d\ude00\ud83d""#,
        r#""\ud800""#,
        "for  in(1) return 1",
        "for in x return 1",
        r#""\uZZZZ""#,
        "for",
    ] {
        // Whatever it is, it comes back.
        if let Err(fault) = Expression::parse(source) {
            assert_eq!(fault.rule, "feel-parse", "{source}");
        }
    }
}

#[test]
fn large_variables_are_refused_when_the_work_would_be_too_much() {
    let list = |n: u32| json!({"list": (0..n).collect::<Vec<_>>()});
    let squares = Expression::parse("for a in list, b in list return a * b").unwrap();
    assert_eq!(
        squares
            .evaluate(&list(10))
            .unwrap()
            .as_array()
            .map(Vec::len),
        Some(100)
    );
    assert!(matches!(
        squares.evaluate(&list(2000)),
        Err(EvalError::TooLarge { .. })
    ));
    let copies = Expression::parse("for a in list return list").unwrap();
    assert!(matches!(
        copies.evaluate(&list(5000)),
        Err(EvalError::TooLarge { .. })
    ));
    let people: Vec<Value> = (0..1000)
        .map(|i| json!({"id": i, "name": "A name of some length", "age": i % 90}))
        .collect();
    let people = json!({"people": people});
    for (source, most) in [
        ("for p in people return {id: p.id, age: p.age}", 2000),
        ("count(people[age > 40])", 500),
        ("some p in people satisfies p.age = 89", 500),
    ] {
        let begun = Instant::now();
        assert!(
            Expression::parse(source).unwrap().evaluate(&people).is_ok(),
            "{source}"
        );
        assert!(
            begun.elapsed() < Duration::from_millis(most * 5),
            "{source}: {:?}",
            begun.elapsed()
        );
    }
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    assert!(matches!(
        Expression::parse("x")
            .unwrap()
            .evaluate(&json!({"x": deep})),
        Err(EvalError::TooLarge { .. })
    ));
}

#[test]
fn reading_is_quick_even_for_the_longest() {
    for source in [
        format!("{}a", "a + ".repeat(99)),
        format!("({}a)", "(a * 1) + ".repeat(70)),
        format!("a // {}\n- a", "a ".repeat(190)),
        format!("{}a /* {} */", "a - ".repeat(90), "a ".repeat(1800)),
        format!("[{}]", vec!["abc"; 480].join(", ")),
        format!(
            "[{}]",
            (0..480)
                .map(|i| format!("v{i}"))
                .collect::<Vec<_>>()
                .join(",")
        ),
        "a ".repeat(990),
        "a-".repeat(490),
    ] {
        let begun = Instant::now();
        let _ = Expression::parse(&source);
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?} for {}",
            begun.elapsed(),
            &source[..20]
        );
    }
}
