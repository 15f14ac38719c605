//! What the reader takes and what it refuses.

use super::*;

fn check(text: &str, expect: Result<&str, Error>) {
    assert_eq!(
        Element::parse(text).map(|e| e.value().to_owned()),
        expect.map(str::to_owned),
        "{text}"
    );
}

#[test]
fn text_is_joined_from_all_its_forms() {
    check(
        "<a>x &amp; <![CDATA[<y>]]>&#229;&#xE4;</a>",
        Ok("x & <y>åä"),
    );
    check("<?xml version='1.0'?><!-- c --><a> åäö </a>", Ok("åäö"));
    check("<a/>", Ok(""));
}

#[test]
fn nothing_is_expanded_or_fetched() {
    check(
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        Err(Error::Forbidden),
    );
    check(
        "<!DOCTYPE a SYSTEM 'http://localhost/a.dtd'><a/>",
        Err(Error::Forbidden),
    );
    check("<a>&x;</a>", Err(Error::Forbidden));
    check("<a b='&x;'/>", Err(Error::Forbidden));
}

#[test]
fn what_is_not_one_document_is_refused() {
    for bad in [
        "",
        "   ",
        "text",
        "<a>",
        "<a></b>",
        "</a>",
        "<a/><b/>",
        "<a/>text",
        "<a b='1' b='2'/>",
        "<p:a/>",
        "<a",
        "<a p:b='1'/>",
    ] {
        assert!(
            matches!(Element::parse(bad), Err(Error::Malformed(_))),
            "{bad}: {:?}",
            Element::parse(bad)
        );
    }
}

#[test]
fn limits_hold() {
    let limits = Limits {
        bytes: 200,
        depth: 3,
        elements: 5,
        attributes: 2,
    };
    let check = |text: &str, expect| {
        assert_eq!(Element::parse_within(text, limits).err(), expect, "{text}")
    };
    check("<a><b><c/></b></a>", None);
    check("<a><b><c><d/></c></b></a>", Some(Error::Limit("depth")));
    check(
        "<a><b/><b/><b/><b/><b/></a>",
        Some(Error::Limit("elements")),
    );
    check("<a x='1' y='2' z='3'/>", Some(Error::Limit("attributes")));
    check(
        &format!("<a>{}</a>", "x".repeat(200)),
        Some(Error::Limit("bytes")),
    );
    let deep = "<a>".repeat(100_000);
    assert_eq!(Element::parse(&deep), Err(Error::Limit("depth")));
}

#[test]
fn names_are_compared_by_namespace() {
    let root = Element::parse(
        "<p:a xmlns:p='urn:1' xmlns='urn:2'><b>1</b><p:b>2</p:b><b xmlns='urn:3'>3</b></p:a>",
    )
    .expect("reads");
    assert!(root.is("urn:1", "a"));
    assert_eq!(root.text_of("urn:2", "b"), Some("1"));
    assert_eq!(root.text_of("urn:1", "b"), Some("2"));
    assert_eq!(root.text_of("urn:3", "b"), Some("3"));
    assert_eq!(root.text_of("urn:4", "b"), None);
    assert_eq!(
        root.require_text("urn:4", "b"),
        Err(Error::Missing("b".into()))
    );
}

#[test]
fn booleans_have_four_spellings() {
    let root = Element::parse("<r xmlns=''><a>true</a><b>0</b><c>ja</c><d/></r>").expect("reads");
    assert_eq!(root.flag("", "a"), Ok(Some(true)));
    assert_eq!(root.flag("", "b"), Ok(Some(false)));
    assert!(root.flag("", "c").is_err());
    assert_eq!(root.flag("", "d"), Ok(None));
}

#[test]
fn bytes_are_utf_8_or_utf_16() {
    assert_eq!(decode("\u{feff}<å/>".as_bytes()).as_deref(), Ok("<å/>"));
    let wide: Vec<u8> = "\u{feff}<å/>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(decode(&wide).as_deref(), Ok("<å/>"));
    assert_eq!(decode(&wide[..wide.len() - 1]), Err(Error::Encoding));
    assert_eq!(decode(b"<\xe5/>"), Err(Error::Encoding));
}

#[test]
fn no_input_panics() {
    let seed = "<?xml version='1.0'?><p:a xmlns:p='urn:1' b='&lt;'><![CDATA[x]]><!-- y --><c>&#229;</c><?pi z?></p:a>";
    for cut in (0..seed.len()).filter(|at| seed.is_char_boundary(*at)) {
        let _ = Element::parse(&seed[..cut]);
        let _ = Element::parse(&seed[cut..]);
        for insert in ["<", ">", "&", "'", "]]>", "\0", "xmlns:p=''", "<!", "é"] {
            let _ = Element::parse(&format!("{}{insert}{}", &seed[..cut], &seed[cut..]));
        }
    }
}
