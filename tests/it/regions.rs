//! The round in each region, and that regions differ as their folders say.

use crate::support::{Round, binary, names, region};

const REGIONS: &[&str] = &["demo", "utan-lab", "endast-brev", "stjarnprofil"];

/// What `--json` promises.
const NUMBERS: &[&str] = &[
    "invited",
    "waiting",
    "incidents",
    "unaccounted",
    "letters",
    "messages",
    "forms",
    "lab_results",
    "dialogues",
    "documents",
    "effects_twice",
    "events",
];

fn whole(name: &str, round: &Round) {
    for number in NUMBERS {
        round.number(number);
    }
    assert!(
        round.told["wall_s"].as_f64().is_some_and(|s| s > 0.0),
        "{name}: wall_s"
    );
    assert!(round.number("invited") > 40, "{name}: {}", round.told);
    for none in ["unaccounted", "effects_twice", "incidents"] {
        assert_eq!(round.number(none), 0, "{name}: {none} in {}", round.told);
    }
    let ended: u64 = round.ended().values().sum();
    let sum = ended + round.number("waiting") + round.number("incidents");
    assert_eq!(round.number("invited"), sum, "{name}: {}", round.told);
    assert_eq!(
        round.ledger().len() as u64,
        round.number("invited"),
        "{name}: ledger.csv"
    );
}

#[test]
fn every_resident_is_accounted_for() {
    if binary().is_none() {
        return;
    }
    for name in REGIONS {
        whole(name, &region(name));
    }
}

#[test]
fn the_round_ends_in_dialogues_and_documents() {
    if binary().is_none() {
        return;
    }
    for name in REGIONS {
        let round = region(name);
        let ended = round.ended();
        let done = ended.get("completed").copied().unwrap_or_default();
        assert!(done > 10, "{name}: {ended:?}");
        assert_eq!(round.number("dialogues"), done, "{name}: a dialogue each");
        assert_eq!(round.number("documents"), done, "{name}: a document each");
        assert!(ended.contains_key("declined"), "{name}: {ended:?}");
        assert!(ended.contains_key("deceased"), "{name}: {ended:?}");
    }
}

#[test]
fn what_is_promised_lies_in_the_folder() {
    if binary().is_none() {
        return;
    }
    let round = region("demo");
    for file in ["statistics.csv", "ledger.csv", "events.jsonl", "hub.log"] {
        assert!(!round.file(file).is_empty(), "{file} is empty");
    }
    let ending = |folder: &str, ending: &str| {
        let names = names(&round, folder);
        assert!(!names.is_empty(), "{folder} is empty");
        assert!(
            names.iter().any(|name| name.ends_with(ending)),
            "no {ending} in {folder}: {names:?}"
        );
    };
    ending("letters", ".pdf");
    ending("profiles", ".svg");
    ending("journal", ".json");
    ending("research", ".parquet");
    assert_eq!(
        round.lines("events.jsonl").len() as u64,
        round.number("events")
    );
}

#[test]
fn letters_are_pdf_and_profiles_svg() {
    if binary().is_none() {
        return;
    }
    let round = region("demo");
    for (folder, ending, start) in [
        ("letters", ".pdf", &b"%PDF-"[..]),
        ("profiles", ".svg", b"<svg"),
    ] {
        let files = crate::support::files(&round.out.join(folder));
        for file in files
            .iter()
            .filter(|file| file.to_string_lossy().ends_with(ending))
        {
            let bytes = std::fs::read(file).unwrap();
            assert!(
                bytes.starts_with(start),
                "{} does not begin so",
                file.display()
            );
        }
    }
}

#[test]
fn a_region_without_samples_orders_none() {
    if binary().is_none() {
        return;
    }
    assert!(region("demo").number("lab_results") > 0);
    let round = region("utan-lab");
    assert_eq!(round.number("lab_results"), 0);
    let events = round.file("events.jsonl");
    assert!(!events.contains("\"lab."), "an event of the lab");
}

#[test]
fn a_region_with_letters_sends_no_invitation_to_the_inbox() {
    if binary().is_none() {
        return;
    }
    let (both, letters) = (region("demo"), region("endast-brev"));
    assert!(
        letters.number("letters") > both.number("letters"),
        "letters: {} and {}",
        letters.told,
        both.told
    );
    assert!(
        letters.number("messages") < both.number("messages"),
        "messages: {} and {}",
        letters.told,
        both.told
    );
    let invitations = |round: &Round| {
        let received = round.lines("neighbours/inbox.jsonl");
        let told = received
            .iter()
            .filter_map(|line| line["Received"]["description"].as_str());
        told.filter(|what| what.starts_with("Välkommen")).count()
    };
    assert!(invitations(&both) > 0, "the demo invites in the inbox");
    assert_eq!(invitations(&letters), 0);
    let forms = letters.file("neighbours/forms.jsonl");
    assert_eq!(
        forms.matches("\"Created\"").count(),
        0,
        "forms are on paper there"
    );
}

#[test]
fn a_region_chooses_its_graphic() {
    if binary().is_none() {
        return;
    }
    let picture = |name| {
        let round = region(name);
        let first = names(&round, "profiles")
            .first()
            .cloned()
            .expect("a profile");
        round.file(&format!("profiles/{first}"))
    };
    let (curve, star) = (picture("demo"), picture("stjarnprofil"));
    assert!(star.contains("tjärnprofil"), "{star:.300}");
    assert!(curve.contains("älsokurva"), "{curve:.300}");
    assert!(!curve.contains("tjärnprofil") && !star.contains("älsokurva"));
}

/// The neighbours do as they should, so nothing that they say is refused.
#[test]
fn a_round_without_faults_logs_no_error() {
    if binary().is_none() {
        return;
    }
    for name in REGIONS {
        let log = region(name).file("hub.log");
        let errors: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("\"level\":\"ERROR\""))
            .collect();
        assert!(errors.is_empty(), "{name}: {}", errors.join("\n"));
    }
}
