//! Bad input gets a clear answer with a code, and never a panic.

use std::fs;

use serde_json::Value;

use crate::support::{Said, binary, folder, halsonav};

fn text(name: &str, content: &str) -> (String, std::path::PathBuf) {
    let folder = folder(&format!("input-{name}"));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    (path.to_str().unwrap().to_owned(), folder)
}

/// It failed, and says why with a code.
fn refused(said: &Said, code: &str) -> Value {
    assert!(!said.status.success(), "accepted: {}", said.out);
    let value = said.json();
    let told = value.to_string();
    assert!(told.contains(code), "no {code}: {told}");
    value
}

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="t">
"#;

#[test]
fn an_unknown_element_is_named_with_rule_and_line() {
    if binary().is_none() {
        return;
    }
    let process = format!(
        "{HEAD}<bpmn:process id=\"p\" isExecutable=\"true\">\n<bpmn:startEvent id=\"s\"/>\n<bpmn:adHocSubProcess id=\"odd\"/>\n\
         <bpmn:endEvent id=\"e\"/>\n<bpmn:sequenceFlow id=\"f\" sourceRef=\"s\" targetRef=\"e\"/>\n</bpmn:process>\n</bpmn:definitions>\n"
    );
    let (file, _) = text("odd.bpmn", &process);
    let said = halsonav(&["process", "check", &file, "--json"]);
    assert_eq!(said.status.code(), Some(1));
    let value = said.json();
    assert_eq!(value["accepted"], false);
    let faults = value["faults"].as_array().expect("faults");
    let fault = faults
        .iter()
        .find(|fault| fault["element"] == "odd")
        .unwrap_or_else(|| panic!("{value}"));
    assert!(
        fault["rule"].as_str().is_some_and(|rule| !rule.is_empty()),
        "{fault}"
    );
    assert_eq!(fault["line"], 5, "{fault}");
    // For people: file, line, rule and element in one line.
    let said = halsonav(&["process", "check", &file]);
    assert_eq!(said.status.code(), Some(1));
    assert!(
        said.out.contains("odd") && said.out.contains("refused"),
        "{}",
        said.out
    );
}

#[test]
fn files_that_are_no_process_are_refused() {
    if binary().is_none() {
        return;
    }
    let deep = format!("{}{}", "<a>".repeat(5000), "</a>".repeat(5000));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><x>&b;</x>";
    for (name, content) in [
        ("empty", ""),
        ("text", "not XML"),
        ("other", "<html/>"),
        ("deep", &deep),
        ("bomb", bomb),
    ] {
        let (file, _) = text(&format!("{name}.bpmn"), content);
        let said = halsonav(&["process", "check", &file, "--json"]);
        assert_eq!(said.status.code(), Some(1), "{name}: {}", said.out);
        said.json();
    }
    let said = halsonav(&["process", "check", "no-such-file.bpmn", "--json"]);
    refused(&said, "HUB-");
}

#[test]
fn our_own_process_is_accepted() {
    if binary().is_none() {
        return;
    }
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../config/regions/demo/process.bpmn"
    );
    let said = halsonav(&["process", "check", file, "--json"]);
    assert!(said.status.success(), "{}", said.out);
    assert_eq!(said.json()["accepted"], true);
    let said = halsonav(&["process", "render", file, "--json"]);
    assert!(
        said.json()["picture"]
            .as_str()
            .is_some_and(|svg| svg.contains("<svg")),
        "{:.200}",
        said.out
    );
}

#[test]
fn an_unknown_region_is_an_error() {
    if binary().is_none() {
        return;
    }
    let out = folder("input-region");
    let said = halsonav(&[
        "demo",
        "--json",
        "--region",
        "ingenstans",
        "--out",
        out.to_str().unwrap(),
    ]);
    refused(&said, "HUB-");
    assert!(!out.join("data").exists(), "it left something behind");
}

#[test]
fn broken_lines_of_a_population_are_named_and_not_told() {
    if binary().is_none() {
        return;
    }
    let good = r#"{"person_id":"197604039813","given_name":"Ett","surname":"Exempel","sex":"man","street":"Provgatan 1","postal_code":"57131","city":"Nässjö","unit":"SE2321000999-VC01"}"#;
    let cases = [
        ("json", format!("{good}\n{{\"person_id\":")),
        ("digit", format!("{good}\n{}", good.replace("9813", "9814"))),
        ("twice", format!("{good}\n{good}")),
        (
            "field",
            format!("{good}\n{}", good.replace("\"city\"", "\"ort\"")),
        ),
    ];
    for (name, content) in cases {
        let (file, folder) = text(&format!("{name}.jsonl"), &content);
        let out = folder.join("out");
        let said = halsonav(&[
            "demo",
            "--json",
            "--population",
            &file,
            "--out",
            out.to_str().unwrap(),
        ]);
        let value = refused(&said, "HUB-DEMO-005").to_string();
        assert!(value.contains("line 2"), "{name}: {value}");
        assert!(
            !value.contains("19760403") && !value.contains("Exempel"),
            "{name} tells who: {value}"
        );
    }
}

#[test]
fn broken_lines_of_a_roster_do_not_stop_the_rest() {
    if binary().is_none() {
        return;
    }
    let roster = "person_id;unit_hsa_id;language\n197604039813;SE2321000999-VC01;sv\n197604039814;SE2321000999-VC01;sv\n\
                  not a line\n;;\n196604039815;;sv\n";
    let (file, folder) = text("roster.csv", roster);
    let config = folder.join("site.toml");
    fs::write(
        &config,
        format!("[hub]\ndata = {:?}\n", folder.join("data")),
    )
    .unwrap();
    let said = halsonav(&[
        "--config",
        config.to_str().unwrap(),
        "cohort",
        "import",
        &file,
        "--json",
    ]);
    let value = said.json();
    assert!(
        !said.status.success(),
        "broken lines and all is well: {value}"
    );
    let told = value.to_string();
    assert!(told.contains("HUB-"), "{told}");
    for number in ["197604039813", "197604039814", "196604039815"] {
        assert!(
            !told.contains(number) && !said.err.contains(number),
            "it tells who"
        );
    }
}

/// Whatever is asked: one JSON object on standard output, also when it goes wrong.
#[test]
fn json_is_one_object_everywhere() {
    if binary().is_none() {
        return;
    }
    let folder = folder("input-json");
    fs::create_dir_all(&folder).unwrap();
    let config = folder.join("site.toml");
    fs::write(
        &config,
        format!("[hub]\ndata = {:?}\n", folder.join("data")),
    )
    .unwrap();
    let config = config.to_str().unwrap();
    let calls: &[&[&str]] = &[
        &["check"],
        &["migrate"],
        &["cohort", "show"],
        &["case", "list"],
        &["case", "show", "00000000-0000-8000-8000-000000000001"],
        &["worklist"],
        &["incident", "list"],
        &["incident", "retry", "1"],
        &["incident", "skip", "1"],
        &["cohort", "import", "no-such-file.csv"],
        &["process", "render", "no-such-file.bpmn"],
    ];
    for call in calls {
        let said = halsonav(&[&["--json", "--config", config], *call].concat());
        let value = said.json();
        if !said.status.success() {
            let told = value.to_string();
            assert!(
                told.contains("HUB-"),
                "{call:?} fails without a code: {told}"
            );
        }
    }
}

#[test]
fn settings_that_are_wrong_are_told_at_once() {
    if binary().is_none() {
        return;
    }
    let (config, _) = text("site.toml", "[hub]\nregoin = \"demo\"\n");
    refused(
        &halsonav(&["--json", "--config", &config, "check"]),
        "HUB-CONFIG",
    );
    let (config, _) = text("broken.toml", "[hub\n");
    refused(
        &halsonav(&["--json", "--config", &config, "check"]),
        "HUB-CONFIG",
    );
    refused(
        &halsonav(&["--json", "--config", "no-such-file.toml", "check"]),
        "HUB-CONFIG",
    );
}

#[test]
fn a_folder_that_is_no_runs_is_left_alone() {
    if binary().is_none() {
        return;
    }
    let (file, folder) = text("mine.txt", "mine");
    let said = halsonav(&[
        "demo",
        "--json",
        "--fresh",
        "--out",
        folder.to_str().unwrap(),
    ]);
    refused(&said, "HUB-DEMO-002");
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
}

/// What is said by each section of the settings, and not what happens to be looked at first.
#[test]
fn check_tells_what_every_section_has_wrong() {
    if binary().is_none() {
        return;
    }
    let site = r#"
        [run]
        adapters = ["nobody"]
        [bus]
        kind = "kafka"
        [kafka]
        brokers = ""
        [storage]
        url = "mysql://somewhere"
        [auth]
        jwks = "no-such-file.json"
        [monitor]
        listen = "localhost:http"
        [log]
        level = "halsonav=loud"
        [traces]
        collector = "localhost:4318"
    "#;
    let (config, _) = text("wrong-everywhere.toml", site);
    let said = halsonav(&["--json", "--config", &config, "check"]);
    let value = refused(&said, "HUB-CONFIG-010").to_string();
    let told = [
        "HUB-BUS-009",
        "storage: url",
        "auth.jwks",
        "monitor.listen",
        "HUB-LOG-001",
        "traces.collector",
    ];
    for part in told {
        assert!(value.contains(part), "nothing about {part}: {value}");
    }
}
