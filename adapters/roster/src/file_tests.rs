//! Lists as they come, and as they should not.

use std::io::Cursor;

use halsonav_domain::HsaId;

use super::*;

fn open(text: impl AsRef<[u8]>) -> Result<RosterFile<Cursor<Vec<u8>>>, FileError> {
    RosterFile::new(Cursor::new(text.as_ref().to_vec()))
}

fn codes(text: impl AsRef<[u8]>) -> Vec<Result<String, (u64, &'static str)>> {
    let lines = open(text).expect("opens");
    lines
        .map(|line| {
            line.map(|listed| listed.unit.to_string())
                .map_err(|error| (error.line, error.code))
        })
        .collect()
}

const A: &str = "191212121212;SE2321000999-VC01";

#[test]
fn all_columns_are_read_in_any_order() {
    let text = "test;Unit_HSA_ID;person_id;unit_name;listed_since;language;interpreter;invitation;telefon\n\
                ja;se2321000999-vc01;19121212-1212;\"Vårdcentral; \"\"Björken\"\"\";2020-01-31;sv-LATT;1;INV-1;070\n";
    let mut file = open(text).expect("opens");
    assert_eq!(
        (file.format(), file.ignored()),
        (Format::Csv(b';'), ["telefon".to_owned()].as_slice())
    );
    let listed = file.next().expect("a line").expect("reads");
    assert_eq!(listed.person_id.expose(), "191212121212");
    assert_eq!(listed.unit, HsaId::new("SE2321000999-VC01"));
    assert_eq!(
        listed.unit_name.as_deref(),
        Some("Vårdcentral; \"Björken\"")
    );
    assert_eq!(
        listed.listed_since,
        jiff::civil::Date::new(2020, 1, 31).ok()
    );
    assert_eq!(listed.language.as_deref(), Some("sv-latt"));
    assert_eq!(
        (
            listed.interpreter,
            listed.invitation.as_deref(),
            listed.test
        ),
        (true, Some("INV-1"), true)
    );
    assert!(file.next().is_none());
}

#[test]
fn encodings_and_line_ends() {
    let name = |bytes: Vec<u8>| {
        open(bytes)
            .expect("opens")
            .next()
            .expect("a line")
            .expect("reads")
            .unit_name
    };
    let text = format!(
        "person_id,unit_hsa_id,unit_name\r\n\r\n{},Åsele ö\r\n",
        A.replace(';', ",")
    );
    assert_eq!(name(text.clone().into_bytes()).as_deref(), Some("Åsele ö"));
    assert_eq!(
        name(format!("\u{feff}{text}").into_bytes()).as_deref(),
        Some("Åsele ö")
    );
    let latin: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).expect("Latin-1"))
        .collect();
    assert_eq!(name(latin).as_deref(), Some("Åsele ö"));
    let wide: Vec<u8> = format!("\u{feff}{text}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(matches!(open(wide), Err(FileError::Encoding)));
    assert!(matches!(open(b"p\0e\0r\0\n"), Err(FileError::Encoding)));
}

#[test]
fn json_lines_are_read() {
    let text = "{\"person_id\": \"191212121212\", \"unit_hsa_id\": \"SE2321000999-VC01\", \"test\": true, \"other\": [1]}\n\
                {\"person_id\": 194408139089, \"unit_hsa_id\": \"SE2321000999-VC02\", \"language\": null}\n\
                {\"person_id\": [], \"unit_hsa_id\": \"x\"}\n[]\n{\n";
    let ok = |unit: &str| Ok(format!("SE2321000999-{unit}"));
    assert_eq!(
        codes(text),
        [
            ok("VC01"),
            ok("VC02"),
            Err((3, "HUB-ROSTER-015")),
            Err((4, "HUB-ROSTER-015")),
            Err((5, "HUB-ROSTER-015"))
        ]
    );
}

#[test]
fn a_bad_line_does_not_stop_the_rest() {
    let text = [
        "person_id;unit_hsa_id;language;interpreter;listed_since",
        "191212121212;SE2321000999-VC01;;;",
        "191212121213;SE2321000999-VC01;;;",
        ";SE2321000999-VC01;;;",
        "1212121212;SE2321000999-VC01;;;",
        "194408139089;VC01;;;",
        "194408139089;;;;",
        "194408139089;SE2321000999-VC01;svenska!;;",
        "194408139089;SE2321000999-VC01;;kanske;",
        "194408139089;SE2321000999-VC01;;;20200131",
        "194408139089;SE2321000999-VC01",
        "\"194408139089;SE2321000999-VC01;;;",
        "\"194408139089\"x;SE2321000999-VC01;;;",
        "19121212-1212;SE2321000999-VC02;;;",
        "194408139089;SE2321000999-VC02;;;",
    ]
    .join("\n");
    let mut expect = vec![Ok("SE2321000999-VC01".to_owned())];
    for (line, number) in [
        (3, 16),
        (4, 16),
        (5, 16),
        (6, 17),
        (7, 17),
        (8, 18),
        (9, 18),
        (10, 18),
        (11, 13),
        (12, 14),
        (13, 14),
        (14, 19),
    ] {
        let code = ["13", "14", "16", "17", "18", "19"]
            .into_iter()
            .find(|c| c.parse() == Ok(number))
            .expect("listed");
        let code: &'static str = Box::leak(format!("HUB-ROSTER-0{code}").into_boxed_str());
        expect.push(Err((line, code)));
    }
    expect.push(Ok("SE2321000999-VC02".to_owned()));
    assert_eq!(codes(text), expect);
}

#[test]
fn too_long_a_line_is_left_out_without_filling_memory() {
    let text = format!("person_id;unit_hsa_id\n{}\n{A}\n", "9".repeat(5 << 20));
    let mut file = open(text).expect("opens");
    assert_eq!(
        file.next().and_then(Result::err).map(|e| (e.line, e.code)),
        Some((2, "HUB-ROSTER-012"))
    );
    assert!(file.buffer.capacity() <= 8 * LONGEST);
    assert!(file.next().is_some_and(|line| line.is_ok()));
}

#[test]
fn errors_never_tell_the_content() {
    let text = "person_id;unit_hsa_id;language\n191212121213;SE2321000999-VC01;\n191212121212;SE2321000999-VC01;hemlig!språk\n";
    for error in open(text).expect("opens").filter_map(Result::err) {
        assert!(
            !error.to_string().contains("1212") && !error.to_string().contains("hemlig"),
            "{error}"
        );
    }
}

#[test]
fn a_file_that_is_not_a_list_is_refused_whole() {
    let check = |text: &str, code: &str| {
        assert_eq!(
            open(text).err().map(|error| error.code()),
            Some(code),
            "{text}"
        )
    };
    check("", "HUB-ROSTER-004");
    check("\n\n", "HUB-ROSTER-004");
    check("name;unit_hsa_id\n", "HUB-ROSTER-005");
    check("person_id;unit\n", "HUB-ROSTER-005");
    check("person_id;unit_hsa_id;PERSON_ID\n", "HUB-ROSTER-006");
}

#[test]
fn only_complete_files_are_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["b.csv", "a.jsonl", "c.csv.part", "d.TMP", ".e.csv"] {
        std::fs::write(
            folder.path().join(name),
            format!("person_id;unit_hsa_id\n{A}\n"),
        )
        .expect("writes");
    }
    std::fs::create_dir(folder.path().join("f.csv")).expect("makes");
    let files = complete(folder.path()).expect("reads");
    let names: Vec<_> = files
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .collect();
    assert_eq!(names, ["a.jsonl", "b.csv"]);
    assert_eq!(read(&files[1]).expect("opens").count(), 1);
    assert!(matches!(
        read(&folder.path().join("c.csv.part")),
        Err(FileError::Partial)
    ));
    assert!(matches!(
        read(&folder.path().join("none.csv")),
        Err(FileError::Io(_))
    ));
}

#[test]
fn no_input_panics() {
    let seed = format!("person_id;unit_hsa_id;test\n{A};1\n\"19\"\"12\";;\n").into_bytes();
    for at in 0..seed.len() {
        for byte in [0, b'"', b';', b'\n', b'\r', b'{', 0xff, b','] {
            let mut bytes = seed.clone();
            bytes[at] = byte;
            if let Ok(file) = open(bytes) {
                let _ = file.count();
            }
        }
    }
}
