//! What holds for every template, however it is written.

use halsonav_document::{Error, Options, Templates};
use serde_json::json;

use super::{base_files, holds, options, set};

fn faults(files: &[(&str, &str)]) -> Vec<(String, usize)> {
    let files = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    let faults = Templates::load(files, Vec::new()).err().unwrap_or_default();
    assert!(
        faults
            .iter()
            .all(|fault| fault.code == "HUB-DOCUMENT-001" && !fault.message.is_empty())
    );
    faults
        .into_iter()
        .map(|fault| (fault.file, fault.line))
        .collect()
}

#[test]
fn all_faults_come_at_once_with_file_and_line() {
    let found = faults(&[
        ("a.typ", "= Titel\n\n#let x = (1,\n"),
        (
            "b.typ",
            "#import \"missing.typ\": x\n#image(\"logo.png\")\n#let d = json(\"/data.json\")\n#import \"c.typ\": *",
        ),
        ("c.typ", "ok"),
        ("ö.typ", "ok"),
        ("../e.typ", "ok"),
        ("c.typ", "again"),
    ]);
    let expect = [
        ("../e.typ", 0),
        ("a.typ", 3),
        ("b.typ", 1),
        ("b.typ", 2),
        ("c.typ", 0),
        ("ö.typ", 0),
    ];
    assert_eq!(found, expect.map(|(file, line)| (file.to_owned(), line)));
}

#[test]
fn a_font_that_is_none_is_a_fault() {
    let faults = Templates::load(base_files(), vec![vec![0; 100]])
        .err()
        .unwrap();
    assert!(faults[0].message.contains("font 1"));
}

#[test]
fn a_template_is_found_or_not() {
    let templates = Templates::load(base_files(), Vec::new()).unwrap();
    let error = templates
        .render("invitationen", &json!({}), &options())
        .unwrap_err();
    assert_eq!(
        (error.code(), error.kind()),
        ("HUB-DOCUMENT-002", halsonav_domain::Kind::NotFound)
    );
    assert!(
        templates
            .render("../../etc/passwd", &json!({}), &options())
            .is_err()
    );
}

#[test]
fn data_is_never_markup() {
    let nasty = "#panic(\"x\") *bold* = Rubrik #import \"/data.json\" $x$ ] } \\ //";
    let pdf = set(
        "#let data = json(\"/data.json\")\n#data.name",
        &json!({ "name": nasty }),
    )
    .unwrap();
    assert_eq!(pdf.pages, 1);
}

#[test]
fn an_error_holds_no_data() {
    let data = json!({ "name": "Tolvan Tolvansson", "born": "191212121212", "list": [1, 2] });
    for text in [
        "#let data = json(\"/data.json\")\n#int(data.born + data.name)",
        "#let data = json(\"/data.json\")\n#panic(data.name)",
        "#let data = json(\"/data.json\")\n#panic(upper(data.name), data.born)",
        "#let data = json(\"/data.json\")\n#assert(false, message: data.name)",
        "#let data = json(\"/data.json\")\n#data.at(data.name)",
        "#let data = json(\"/data.json\")\n#image(data.born)",
    ] {
        let error = set(text, &data).unwrap_err();
        let said = format!("{error} {error:?}").to_lowercase();
        assert!(
            matches!(&error, Error::Template { line: 4, .. }),
            "{error:?}"
        );
        assert!(!said.contains("tolvan") && !said.contains("1212"), "{said}");
    }
}

#[test]
fn nothing_outside_can_be_read() {
    for text in [
        "#read(\"/etc/passwd\")",
        "#let p = \"/etc/passwd\"\n#read(p)",
        "#let p = \"../\" * 12 + \"etc/passwd\"\n#read(p)",
        "#let p = \"@preview/cetz:0.3.0\"\n#import p",
        "#image(bytes(\"<svg xmlns='http://www.w3.org/2000/svg' xmlns:x='http://www.w3.org/1999/xlink' width='9' height='9'><image x:href='/etc/hostname' width='9' height='9'/></svg>\"), format: \"svg\")",
    ] {
        let files = vec![("t.typ".to_owned(), text.to_owned())];
        let refused = Templates::load(files, Vec::new()).map_or(true, |templates| {
            templates.render("t", &json!({}), &options()).is_err()
        });
        assert!(refused, "{text}");
    }
}

#[test]
fn a_template_that_never_ends_is_stopped() {
    assert!(set("#while true {}", &json!({})).is_err());
    assert!(set("#let f(x) = f(x)\n#f(1)", &json!({})).is_err());
}

#[test]
fn too_many_pages_are_an_error() {
    let files = vec![(
        "t.typ".to_owned(),
        "#set document(title: \"x\")\n#for _ in range(3) { pagebreak() }".to_owned(),
    )];
    let templates = Templates::load(files, Vec::new()).unwrap();
    let options = Options {
        max_pages: 2,
        ..options()
    };
    let error = templates.render("t", &json!({}), &options).unwrap_err();
    assert_eq!(
        (error.code(), error),
        (
            "HUB-DOCUMENT-006",
            Error::Pages {
                template: "t".into(),
                pages: 4
            }
        )
    );
}

#[test]
fn a_document_without_a_title_does_not_meet_the_standard() {
    let templates = Templates::load(vec![("t.typ".into(), "hej".into())], Vec::new()).unwrap();
    assert_eq!(
        templates
            .render("t", &json!({}), &options())
            .unwrap_err()
            .code(),
        "HUB-DOCUMENT-005"
    );
}

#[test]
fn fonts_are_embedded_and_the_file_names_no_machine() {
    let pdf = set("Hej", &json!({})).unwrap();
    assert!(holds(&pdf, "/FontFile3") || holds(&pdf, "/FontFile2"));
    assert!(!holds(&pdf, "/home/") && !holds(&pdf, "/root/"));
}
