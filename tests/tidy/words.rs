//! Words that must not stand in code.

use crate::{
    house::{files, none, text},
    rust::code,
};

/// Put together here, so that this file does not hold them itself.
fn forbidden() -> Vec<(String, &'static str)> {
    vec![
        (format!("{}!(", "todo"), "finish it, or leave it out"),
        (
            format!("{}!(", "unimplemented"),
            "finish it, or leave it out",
        ),
        (format!("#[{}", "ignore"), "a test runs or is not there"),
        (format!("thread::{}(", "sleep"), "wait for what is awaited"),
        (format!("time::{}(", "sleep"), "wait for what is awaited"),
    ]
}

/// Where a pause is the thing itself: the moment of a kill, the back-off of a loop, a slow accept, a
/// lease that must run out, a look at processes that cannot tell.
const MAY_WAIT: &[&str] = &[
    "tests/it/",
    "tests/src/",
    "crates/bus/src/kafka/producer.rs",
    "crates/bus/tests/it/",
    "crates/hub/src/demo/",
    "crates/hub/src/runtime/chore.rs",
    "crates/hub/src/runtime/mod.rs",
    "crates/hub/src/runtime/serve.rs",
    "crates/storage/src/crew.rs",
    "crates/storage/tests/it/",
    "crates/hl7/src/server.rs",
];

#[test]
fn unfinished_work_is_not_kept() {
    let mut faults = Vec::new();
    for path in files(".rs") {
        let code = code(&text(&path));
        for (word, advice) in forbidden() {
            let waits =
                word.ends_with("sleep(") && MAY_WAIT.iter().any(|may| path.starts_with(may));
            if code.contains(&word) && !waits {
                faults.push(format!("{path}: {word} {advice}"));
            }
        }
    }
    none("words that must not stand in code", &faults);
}
