//! Prints how long expressions take: `cargo run --release -p halsonav-expression --example measure`.

use std::hint::black_box;
use std::time::Instant;

use halsonav_expression::{Decisions, Expression};
use serde_json::{Map, Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let small: Map<String, Value> = serde_json::from_value(json!({"x": 4}))?;
    let large: Map<String, Value> = (0..200)
        .map(|i| (format!("v{i}"), json!({"a": i, "b": "text"})))
        .collect();
    let source = "if x > 3 then \"a\" else \"b\"";
    time("parse and prepare", 2_000, || {
        Expression::parse(source).is_ok()
    });
    let expression = Expression::parse(source)?;
    time("evaluate, 1 variable", 500_000, || {
        expression.evaluate(&small).is_ok()
    });
    let condition = Expression::parse("x > 3")?;
    time("condition, 1 variable", 1_000_000, || {
        condition.condition(&small).is_ok()
    });
    let path = Expression::parse("v17.a > 3 and v18.b = \"text\"")?;
    time("condition, 2 paths of 200 variables", 500_000, || {
        path.condition(&large).is_ok()
    });
    let date = Expression::parse("date(today) + duration(\"P14D\")")?;
    let today = json!({"today": "2026-03-28"});
    time("date and duration", 200_000, || {
        date.evaluate(&today).is_ok()
    });
    let table = include_str!("../tests/data/reminder.dmn");
    time("load a decision", 200, || {
        Decisions::load(&[("reminder.dmn", table)]).is_ok()
    });
    let decisions =
        Decisions::load(&[("reminder.dmn", table)]).map_err(|faults| format!("{faults:?}"))?;
    let variables = json!({"channel": "letter", "sent": 1, "age": 50});
    time("decide, 6 rules of 3 inputs", 100_000, || {
        decisions.evaluate("reminder", &variables).is_ok()
    });
    Ok(())
}

fn time(what: &str, rounds: u32, work: impl Fn() -> bool) {
    let begun = Instant::now();
    for _ in 0..rounds {
        assert!(black_box(work()), "{what} failed");
    }
    println!(
        "{what:40} {:>10.3} µs",
        begun.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
    );
}
