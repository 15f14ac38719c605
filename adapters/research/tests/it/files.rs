//! What stands in the files.

use std::{fs, process::Command};

use halsonav_domain::Kind;
use halsonav_research::{Column, Error, Kind as Cells, Source, export};
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};
use serde_json::{Value, json};

use crate::{contribution, now, project, read, round, row};

#[test]
fn the_files_agree_and_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let rows = (1..=3).map(|n| row(n, contribution(json!("good"))));
    let exported = export(rows, dir.path(), &project(), &round(), now()).unwrap();
    assert_eq!(
        (
            exported.rows,
            exported.without_consent,
            exported.in_small_groups
        ),
        (3, 0, 3)
    );
    let names = exported.files.iter();
    let names: Vec<_> = names
        .map(|path| path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "hjarta-2026.parquet",
            "hjarta-2026.csv",
            "hjarta-2026-kodbok.csv",
            "hjarta-2026-kodbok.md"
        ]
    );
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        4,
        "nothing else is left"
    );
    let csv = read(&fs::read(&exported.files[1]).unwrap());
    let file = fs::File::open(&exported.files[0]).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let rows: Vec<_> = reader
        .get_row_iter(None)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!((rows.len(), csv.len()), (3, 3));
    for (parquet, csv) in rows.iter().zip(&csv) {
        assert_eq!(parquet.len(), csv.len());
        for (name, field) in parquet.get_column_iter() {
            let text = match field {
                Field::Null => String::new(),
                Field::Long(number) => number.to_string(),
                Field::Double(number) => number.to_string(),
                Field::Str(text) => text.clone(),
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!(text, csv[name], "{name}");
        }
    }
}

#[test]
fn every_source_has_its_column() {
    let dir = tempfile::tempdir().unwrap();
    let rows = vec![row(1, contribution(json!("good")))];
    let exported = export(rows, dir.path(), &project(), &round(), now()).unwrap();
    let csv = read(&fs::read(&exported.files[1]).unwrap());
    let first = &csv[0];
    for (name, value) in [
        ("round", "2026"),
        ("month", "2026-09"),
        ("age", "50"),
        ("sex", "woman"),
        ("halsa_sleep", "good"),
        ("halsa_days", "3"),
        ("halsa_hours", "6.5"),
        ("halsa_tobacco", "never|quit"),
        ("weight_kg", "82.5"),
        ("NPU01568_mmol_L", "0.5"),
        ("NPU01568_mmol_L_limit", "<"),
        ("NPU27300_mmol_mol", ""),
        ("level_bmi", "2"),
        ("level_alcohol", ""),
    ] {
        assert_eq!(first[name], value, "{name}");
    }
}

#[test]
fn nothing_leads_back_to_the_resident() {
    let dir = tempfile::tempdir().unwrap();
    let subject = row(0xABCD_EF01_2345_6789, contribution(json!("good"))).subject;
    let rows = vec![row(0xABCD_EF01_2345_6789, contribution(json!("good")))];
    let exported = export(rows, dir.path(), &project(), &round(), now()).unwrap();
    for path in &exported.files {
        let bytes = fs::read(path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(&subject.to_string()), "{path:?}");
        assert!(
            !text.contains("2026-08-31") && !text.contains("2026-09-01"),
            "{path:?}"
        );
    }
    // Free text, and everything that could hold a number of a person, stays unless it is asked for.
    for text in ["Jag sover illa", "191212121212", "=1+1", &"a".repeat(41)] {
        let exported = export(
            vec![row(1, contribution(json!(text)))],
            dir.path(),
            &project(),
            &round(),
            now(),
        )
        .unwrap();
        assert_eq!(exported.left_out, ["halsa_sleep"], "{text}");
        assert!(
            !fs::read_to_string(&exported.files[1])
                .unwrap()
                .contains(text)
        );
    }
}

#[test]
fn only_those_who_consented_and_once_each() {
    let dir = tempfile::tempdir().unwrap();
    let mut refused = contribution(json!("good"));
    refused["consent"] = json!(false);
    let mut later = row(1, contribution(json!("bad")));
    later.held = Some("2026-10-05T10:00:00Z".parse().unwrap());
    let rows = || {
        vec![
            row(1, contribution(json!("good"))),
            later.clone(),
            row(2, refused.clone()),
            row(3, contribution(json!("fair"))),
        ]
    };
    let exported = export(rows(), dir.path(), &project(), &round(), now()).unwrap();
    assert_eq!(
        (exported.rows, exported.without_consent, exported.superseded),
        (2, 1, 1)
    );
    let bytes: Vec<_> = exported
        .files
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    let mut sleep: Vec<_> = read(&bytes[1])
        .into_iter()
        .map(|row| row["halsa_sleep"].clone())
        .collect();
    sleep.sort();
    assert_eq!(sleep, ["bad", "fair"]);
    // Same input, same bytes, in whatever order it comes.
    let again = tempfile::tempdir().unwrap();
    let turned = rows().into_iter().rev();
    let exported = export(turned, again.path(), &project(), &round(), now()).unwrap();
    for (path, before) in exported.files.iter().zip(bytes) {
        assert_eq!(fs::read(path).unwrap(), before, "{path:?}");
    }
}

fn asked(name: &str, source: Source, kind: Cells) -> Column {
    Column {
        name: name.to_owned(),
        meaning: "Frågan, \"ordagrant\" | så".to_owned(),
        source,
        kind,
        codes: [("good".to_owned(), "Bra".to_owned())].into(),
    }
}

fn sleep() -> Source {
    Source::Answer {
        form: "halsa".to_owned(),
        question: "sleep".to_owned(),
    }
}

#[test]
fn a_project_gets_what_it_asks_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut project = project();
    project.columns = vec![asked("somn", sleep(), Cells::Text)];
    let rows = vec![row(1, contribution(json!("=HYPERLINK(\"x\")")))];
    let exported = export(rows, dir.path(), &project, &round(), now()).unwrap();
    let csv = read(&fs::read(&exported.files[1]).unwrap());
    assert_eq!(csv[0].len(), 6);
    assert_eq!(csv[0]["somn"], "'=HYPERLINK(\"x\")");
    let book = read(&fs::read(&exported.files[2]).unwrap());
    let somn = book.iter().find(|line| line["column"] == "somn").unwrap();
    assert_eq!(
        (somn["codes"].as_str(), somn["filled"].as_str()),
        ("good = Bra", "1")
    );
    let text = fs::read_to_string(&exported.files[3]).unwrap();
    assert!(
        text.contains("2026-01234-01") && text.contains("\\| så"),
        "{text}"
    );
}

#[test]
fn what_does_not_fit_stops_the_export() {
    let dir = tempfile::tempdir().unwrap();
    let check = |change: &dyn Fn(&mut halsonav_research::Project, &mut Value), code: &str| {
        let (mut project, mut payload) = (project(), contribution(json!("good")));
        change(&mut project, &mut payload);
        let error =
            export(vec![row(1, payload)], dir.path(), &project, &round(), now()).unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (Kind::Invalid, code),
            "{error}"
        );
    };
    check(&|project, _| project.id = "../x".into(), "HUB-RESEARCH-001");
    check(
        &|project, _| project.ethics_approval = " ".into(),
        "HUB-RESEARCH-002",
    );
    for name in ["", "1a", "å", "age", "a b"] {
        check(
            &|project, _| project.columns = vec![asked(name, sleep(), Cells::Text)],
            "HUB-RESEARCH-004",
        );
    }
    check(
        &|project, _| project.columns = vec![asked("a", sleep(), Cells::Number)],
        "HUB-RESEARCH-005",
    );
    let weight = Source::Value {
        code: "weight".to_owned(),
        unit: "g".to_owned(),
    };
    check(
        &|project, _| project.columns = vec![asked("a", weight.clone(), Cells::Number)],
        "HUB-RESEARCH-005",
    );
    check(
        &|_, payload| payload["sex"] = json!("x"),
        "HUB-RESEARCH-005",
    );
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        0,
        "nothing is written"
    );
    let blocked = dir.path().join("file");
    fs::write(&blocked, "").unwrap();
    let error = export(Vec::new(), &blocked, &project(), &round(), now()).unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error}");
}

#[test]
fn an_empty_round_is_a_table_without_rows() {
    let dir = tempfile::tempdir().unwrap();
    let exported = export(Vec::new(), dir.path(), &project(), &round(), now()).unwrap();
    let file = fs::File::open(&exported.files[0]).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    assert_eq!(
        fs::read_to_string(&exported.files[1])
            .unwrap()
            .lines()
            .count(),
        1
    );
}

#[test]
fn another_reader_agrees() {
    let known = Command::new("python3")
        .args(["-c", "import pyarrow"])
        .output();
    if !known.is_ok_and(|output| output.status.success()) {
        eprintln!("reading with another library: not run (no Python with pyarrow)");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let rows = (1..=250).map(|n| row(n, contribution(json!("good"))));
    let exported = export(rows, dir.path(), &project(), &round(), now()).unwrap();
    let script = "import sys, pyarrow.parquet as p\nt = p.read_table(sys.argv[1])\n\
        print(t.num_rows, t.column('age').type, t.column('weight_kg').type, t.column('sex').type, \
        t.column('NPU27300_mmol_mol').null_count, set(t.column('halsa_sleep').to_pylist()), \
        t.schema.metadata[b'ethics_approval'].decode())";
    let output = Command::new("python3")
        .args(["-c", script])
        .arg(&exported.files[0])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "250 int64 double string 250 {'good'} 2026-01234-01",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
