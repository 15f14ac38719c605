//! The templates that come with the hub.

use halsonav_document::{Error, Options, Standard, sample};
use halsonav_profile::{FormDefinition, Inputs, Instrument, score, svg};
use serde_json::{Value, json};

use super::{BASE, holds, options, render};

#[test]
fn every_template_can_be_set_with_the_sample() {
    assert_eq!(BASE.check(&options()), []);
    for (template, languages) in [
        ("invitation", &["sv", "sv-latt", "en"][..]),
        ("reminder", &["sv", "sv-latt", "en"]),
        ("booking", &["sv"]),
        ("paper-form", &["sv"]),
        ("profile", &["sv"]),
    ] {
        for language in languages {
            assert!(BASE.has(template, language), "{template} {language}");
        }
    }
}

#[test]
fn a_file_says_what_it_is_and_keeps_the_given_date() {
    let pdf = render("invitation", &sample::of("invitation").unwrap()).unwrap();
    assert_eq!(pdf.pages, 1, "an invitation fits on a page");
    assert!(pdf.bytes.starts_with(b"%PDF-1.7"));
    assert!(
        holds(&pdf, "<pdfaid:part>2</pdfaid:part>")
            && holds(&pdf, "<pdfaid:conformance>A</pdfaid:conformance>")
    );
    assert!(holds(&pdf, "<pdfuaid:part>1</pdfuaid:part>"));
    assert!(holds(&pdf, "2026-03-02T00:00:00"));
    assert!(holds(&pdf, "/Lang (sv-SE)") || holds(&pdf, "/Lang(sv-SE)"));
    assert_eq!(format!("{pdf:?}"), "Pdf(1 pages, redacted)");
}

#[test]
fn level_b_for_a_printer_that_asks_for_it() {
    let options = Options {
        standard: Standard::PdfA2bPdfUa1,
        ..options()
    };
    let pdf = BASE
        .render("reminder", &sample::of("reminder").unwrap(), &options)
        .unwrap();
    assert!(holds(&pdf, "<pdfaid:conformance>B</pdfaid:conformance>"));
}

#[test]
fn equal_input_gives_equal_bytes_also_from_several_threads() {
    let data = sample::of("invitation").unwrap();
    let first = render("invitation", &data).unwrap();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| render("invitation", &data).unwrap()))
            .collect();
        for thread in threads {
            assert!(thread.join().unwrap() == first);
        }
    });
    let mut other = data;
    other["reference"] = "ANNAN".into();
    assert!(render("invitation", &other).unwrap() != first);
}

#[test]
fn a_language_falls_back() {
    let data = sample::of("invitation").unwrap();
    let bytes = |language: &str| {
        let options = Options {
            language: language.into(),
            ..options()
        };
        BASE.render("invitation", &data, &options).unwrap()
    };
    assert!(holds(&bytes("en"), "(en-GB)"));
    assert!(holds(&bytes("en-US"), "(en-GB)"));
    assert!(holds(&bytes("so"), "(sv-SE)"), "no Somali letter: Swedish");
    assert!(bytes("sv-latt") != bytes("sv"));
}

#[test]
fn the_letters_hold_together_without_the_optional_data() {
    let mut bare = sample::of("invitation").unwrap();
    let map = bare.as_object_mut().unwrap();
    for key in [
        "reference",
        "age",
        "free",
        "phone",
        "online",
        "slip",
        "start",
        "minutes",
        "deadline",
        "sampling",
        "forms",
    ] {
        map.remove(key);
    }
    for (template, language) in [
        ("invitation", "sv"),
        ("invitation", "sv-latt"),
        ("invitation", "en"),
        ("reminder", "sv"),
        ("reminder", "sv-latt"),
        ("reminder", "en"),
    ] {
        let options = Options {
            language: language.into(),
            ..options()
        };
        BASE.render(template, &bare, &options).unwrap();
    }
    assert_eq!(
        render("booking", &bare),
        Err(Error::Missing("start".into()))
    );
    map_remove(&mut bare, "unit", "phone");
    assert_eq!(
        render("invitation", &bare),
        Err(Error::Missing("unit.phone".into()))
    );
}

fn map_remove(data: &mut Value, outer: &str, inner: &str) {
    data[outer].as_object_mut().unwrap().remove(inner);
}

#[test]
fn every_base_form_becomes_a_paper_form() {
    for text in [
        include_str!("../../../../config/base/forms/levnadsvanor.toml"),
        include_str!("../../../../config/base/forms/halsa.toml"),
        include_str!("../../../../config/base/forms/tillaggsfragor.toml"),
    ] {
        let form = FormDefinition::load("form.toml", text).unwrap();
        let mut data = sample::of("paper-form").unwrap();
        data["form"] = serde_json::to_value(&form).unwrap();
        let pdf = render("paper-form", &data).unwrap();
        assert!(
            (1..=4).contains(&pdf.pages),
            "{} has {} pages",
            form.template,
            pdf.pages
        );
    }
}

#[test]
fn every_base_instrument_becomes_a_sheet() {
    let inputs: Inputs = serde_json::from_value(json!({
        "at": "2026-03-02", "sex": "woman",
        "forms": { "levnadsvanor": { "fa1": "30-59", "fa2": "ge300", "smoke": "never", "snus": "never" } },
        "observations": [{ "code": "systolic", "value": 142, "unit": "mmHg" }, { "code": "diastolic", "value": 88, "unit": "mmHg" }]
    }))
    .unwrap();
    for text in [
        include_str!("../../../../config/base/instruments/exempel-halsokurva.toml"),
        include_str!("../../../../config/base/instruments/exempel-stjarnprofil.toml"),
    ] {
        let profile = score(&Instrument::load("i.toml", text).unwrap(), &inputs);
        let mut data = sample::of("profile").unwrap();
        data["svg"] = svg::draw(&profile).into();
        data["profile"] = serde_json::to_value(&profile).unwrap();
        let pdf = render("profile", &data).unwrap();
        assert_eq!(pdf.pages, 2);
    }
}
