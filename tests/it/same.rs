//! Chance is an argument.

use crate::support::{Round, binary, ledgers_differ, region};

#[test]
fn the_same_seed_gives_the_same_ledger() {
    if binary().is_none() {
        return;
    }
    let first = region("demo");
    let again = Round::run("same-again", &["--residents", "60", "--seed", "3"]);
    if let Some(difference) = ledgers_differ(&first, &again) {
        panic!("{difference}");
    }
    for what in [
        "invited",
        "ended",
        "letters",
        "messages",
        "forms",
        "lab_results",
        "dialogues",
        "documents",
    ] {
        assert_eq!(first.told[what], again.told[what], "{what}");
    }
}

#[test]
fn another_seed_gives_another_ledger() {
    if binary().is_none() {
        return;
    }
    let other = Round::run("same-other", &["--residents", "60", "--seed", "4"]);
    assert_ne!(region("demo").file("ledger.csv"), other.file("ledger.csv"));
}
