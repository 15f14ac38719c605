//! The address and the envelope's window.

use halsonav_document::{Error, sample};
use serde_json::{Value, json};

use super::render;

fn check(lines: Value, expect: Result<(), Error>) {
    let mut data = sample::of("invitation").unwrap();
    data["recipient"] = lines;
    assert_eq!(render("invitation", &data).map(|_| ()), expect);
}

#[test]
fn addresses_that_fit() {
    check(json!(["Ö", "Å 1", "571 31 Ä"]), Ok(()));
    check(
        json!([
            "Anna-Karin Margareta Elisabet von Schantz Gyllenstierna af Lundholm-Björneklo",
            "Storgatan 1",
            "571 31 NÄSSJÖ"
        ]),
        Ok(()),
    );
    check(
        json!([
            "Łukasz Őry Đặng Ștefănescu Žižek",
            "c/o Åse Þórsdóttir",
            "Fältöversten 12 B lgh 1203",
            "Byggnad Ö",
            "114 56 STOCKHOLM"
        ]),
        Ok(()),
    );
    check(
        json!([
            "A B",
            "c/o C D",
            "Einsteinstraße 12",
            "Hinterhaus 3. OG",
            "Postfach 12 34 56",
            "10115 BERLIN",
            "TYSKLAND"
        ]),
        Ok(()),
    );
    check(json!(["Иван Петров", "Γιώργος", "571 31 NÄSSJÖ"]), Ok(()));
}

#[test]
fn addresses_that_do_not() {
    check(json!([]), Err(Error::AddressLines));
    check(json!("Anna"), Err(Error::AddressLines));
    check(
        json!(["x", "x", "x", "x", "x", "x", "x", "571 31 NÄSSJÖ"]),
        Err(Error::AddressLines),
    );
    check(
        json!(["W".repeat(120), "Storgatan 1", "571 31 NÄSSJÖ"]),
        Err(Error::AddressSize),
    );
    let long = "Anna Karin Margareta Elisabet ".repeat(8);
    check(
        json!([long, long, long, "571 31 NÄSSJÖ"]),
        Err(Error::AddressSize),
    );
}

#[test]
fn the_window_comes_from_the_pack() {
    let mut data = sample::of("invitation").unwrap();
    let right = render("invitation", &data).unwrap();
    data["pack"] =
        json!({ "window": { "x": 20, "y": 45, "width": 90, "height": 35 }, "fold": true });
    let left = render("invitation", &data).unwrap();
    assert!(left != right);
    data["pack"] = json!({ "window": { "width": 20, "height": 8 } });
    assert_eq!(render("invitation", &data), Err(Error::AddressSize));
    data["pack"] = json!({ "body": 20 });
    assert_eq!(render("invitation", &data), Err(Error::SenderSize));
}

#[test]
fn a_character_without_a_glyph_is_an_error_and_never_a_blank() {
    let mut data = sample::of("invitation").unwrap();
    data["recipient"] = json!(["山田 太郎", "Storgatan 1", "571 31 NÄSSJÖ"]);
    let error = render("invitation", &data).unwrap_err();
    assert_eq!(error.code(), "HUB-DOCUMENT-005");
    assert!(error.to_string().contains("none of the fonts"), "{error}");
    assert!(
        !error.to_string().contains('山') && !error.to_string().contains("Storgatan"),
        "{error}"
    );
}
