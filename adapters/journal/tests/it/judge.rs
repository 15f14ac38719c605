//! The rules against documents gone wrong, and documents before an independent judge.

use std::{fs, process::Command};

use halsonav_domain::Outcome;
use halsonav_fhir::rules;
use serde_json::{Value, json};

use crate::{delivery, full, house, one};

async fn documents() -> Vec<Value> {
    let house = house().await;
    for (n, payload) in [(1, full()), (2, json!({ "held": "2026-09-01T08:00:00Z" }))] {
        let outcome = one(&house.adapter, delivery(n, payload)).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }
    let kept = house.system.documents();
    kept.into_iter().map(|document| document.bundle()).collect()
}

/// Spoils a good document and demands that the rule is named.
fn check(good: &Value, rule: &str, spoil: &dyn Fn(&mut Value)) {
    let mut bad = good.clone();
    spoil(&mut bad);
    let faults = rules::check(&bad).expect_err(rule);
    assert!(
        faults.iter().any(|fault| fault.rule.contains(rule)),
        "{rule}: {faults:?}"
    );
}

#[tokio::test]
async fn every_rule_of_documents_can_be_broken() {
    let good = documents().await.remove(0);
    let check = |rule: &str, spoil: &dyn Fn(&mut Value)| check(&good, rule, spoil);
    check("type document", &|b| b["type"] = json!("transaction"));
    check("system and value", &|b| {
        b["identifier"] = json!({ "value": "x" })
    });
    check("instant", &|b| b["timestamp"] = json!("2026-09-01"));
    check("1 to 2000 entries", &|b| b["entry"] = json!([]));
    check("first entry", &|b| {
        b["entry"].as_array_mut().unwrap().swap(0, 1)
    });
    check("unique", &|b| {
        b["entry"][1]["fullUrl"] = b["entry"][2]["fullUrl"].clone()
    });
    check("urn:uuid", &|b| {
        b["entry"][1]["fullUrl"] = json!("Patient/1")
    });
    check("not in a document", &|b| {
        b["entry"][1]["request"] = json!({ "method": "PUT" })
    });
    check("resolves", &|b| {
        b["entry"][0]["resource"]["author"][0]["reference"] = json!("Practitioner/1")
    });
    check("refers to", &|b| {
        b["entry"][0]["resource"]["subject"] = json!({ "reference": "Patient/1" })
    });
    check("reached", &|b| {
        b["entry"][0]["resource"]["section"]
            .as_array_mut()
            .unwrap()
            .pop();
    });
    check("cmp-1", &|b| {
        b["entry"][0]["resource"]["section"][0] = json!({ "title": "Tom" })
    });
    check("required", &|b| {
        b["entry"][0]["resource"]
            .as_object_mut()
            .unwrap()
            .remove("title");
    });
    check("value set", &|b| {
        b["entry"][0]["resource"]["status"] = json!("done")
    });
}

#[tokio::test]
async fn every_rule_of_json_and_narrative_can_be_broken() {
    let good = documents().await.remove(0);
    let check = |rule: &str, spoil: &dyn Fn(&mut Value)| check(&good, rule, spoil);
    check("empty array", &|b| {
        b["entry"][1]["resource"]["name"] = json!([])
    });
    check("empty object", &|b| b["meta"] = json!({}));
    check("empty string", &|b| b["language"] = json!(" "));
    check("no null", &|b| b["language"] = json!(null));
    check("control", &|b| b["language"] = json!("s\u{1}v"));
    check("1 to 64", &|b| b["id"] = json!("å"));
    let div = |b: &mut Value, text: &str| {
        b["entry"][0]["resource"]["section"][0]["text"]["div"] = json!(text);
    };
    let xhtml =
        |inside: &str| format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inside}</div>");
    check("well-formed", &|b| div(b, "<div"));
    check("a div of XHTML", &|b| div(b, "<div>a</div>"));
    check("show text", &|b| div(b, &xhtml("<script>a</script>")));
    check("show text", &|b| div(b, &xhtml("<p onclick=\"a\">b</p>")));
    check("to read", &|b| div(b, &xhtml("<p> </p>")));
    for nonsense in [
        json!(null),
        json!([]),
        json!({ "entry": 1 }),
        json!({ "entry": [1, null] }),
    ] {
        assert!(rules::check(&nonsense).is_err(), "{nonsense}");
    }
}

/// `fhir.resources` (R4B, whose resources in our documents are those of R4).
#[tokio::test]
async fn an_independent_judge_finds_them_valid() {
    let known = Command::new("python3")
        .args(["-c", "import fhir.resources.R4B"])
        .output();
    if !known.is_ok_and(|output| output.status.success()) {
        eprintln!("judgement by fhir.resources: not run (no Python with fhir.resources)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "import sys\nfrom fhir.resources.R4B.bundle import Bundle\n\
        for path in sys.argv[1:]:\n    b = Bundle.model_validate_json(open(path, 'rb').read())\n    \
        print(b.type, len(b.entry), type(b.entry[0].resource).__name__)";
    let mut command = Command::new("python3");
    command.args(["-c", script]);
    for (n, document) in documents().await.iter().enumerate() {
        let path = folder.path().join(format!("{n}.json"));
        fs::write(&path, document.to_string()).unwrap();
        command.arg(path);
    }
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(told.lines().count(), 2);
    assert!(
        told.lines()
            .all(|line| line.starts_with("document ") && line.ends_with("Composition")),
        "{told}"
    );
}
