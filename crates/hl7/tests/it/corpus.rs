//! Messages as systems write them.

use halsonav_hl7::{Error, Limits, Message};

fn check(bytes: &[u8], segments: usize, name: &str) {
    let message = Message::parse(bytes).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        (
            message.segments().len(),
            message.segment("PID").unwrap().component(5, 1)
        ),
        (segments, name)
    );
}

#[test]
fn line_ends_of_every_kind() {
    for end in ["\r", "\n", "\r\n", "\r\r\n"] {
        for last in ["", end, "\r\n\r\n"] {
            let text = format!("MSH|^~\\&|A|B|||||ORU^R01|1{end}PID|1||||Öst^Åsa{end}OBX|1{last}");
            check(text.as_bytes(), 3, "Öst");
        }
    }
}

#[test]
fn a_line_feed_within_a_message_of_carriage_returns_is_text() {
    let message = Message::parse(b"MSH|^~\\&|A\rNTE|1||rad 1\nOBX|1|NM|rad 2\rOBX|1").unwrap();
    assert_eq!(message.segments().len(), 3);
    assert_eq!(message.text("NTE", 3), "rad 1\nOBX");
}

#[test]
fn charsets() {
    check(
        b"\xEF\xBB\xBFMSH|^~\\&|A|B|||||ORU^R01|1\rPID|1||||\xC3\x96st",
        2,
        "Öst",
    );
    check(
        b"MSH|^~\\&|A|B|||||ORU^R01|1|P|2.5.1||||||8859/1\rPID|1||||\xD6st",
        2,
        "Öst",
    );
    check(b"MSH|^~\\&|A|B|||||ORU^R01|1\rPID|1||||\xD6st", 2, "Öst");
}

#[test]
fn other_delimiters() {
    let message =
        Message::parse(b"MSH$%*!@$A$B$$$$$ORU%R01$1\rPID$1$$1%%%x@y*2$$!S!|^%Eva").unwrap();
    assert_eq!(message.kind(), ("ORU", "R01"));
    let pid = message.segment("PID").unwrap();
    let ids: Vec<_> = pid
        .repetitions(3)
        .map(|id| id.component(1).to_owned())
        .collect();
    assert_eq!(ids, ["1", "2"]);
    assert_eq!(pid.field(3).unwrap().subcomponent(4, 2), "y");
    assert_eq!(pid.component(5, 1), "%|^");
    let again = Message::parse(&message.to_bytes()).unwrap();
    assert_eq!(again.segment("PID"), Some(pid));
}

#[test]
fn limits_are_kept() {
    let head = "MSH|^~\\&|A\r";
    let many = |part: String| Message::parse(format!("{head}OBX|{part}").as_bytes()).unwrap_err();
    assert!(matches!(
        many("|".repeat(300)),
        Error::TooMany {
            part: "fields",
            segment: 2,
            ..
        }
    ));
    assert!(matches!(
        many("~".repeat(300)),
        Error::TooMany {
            part: "repetitions",
            ..
        }
    ));
    assert!(matches!(
        many("^".repeat(300)),
        Error::TooMany {
            part: "components",
            ..
        }
    ));
    assert!(matches!(
        many("&".repeat(300)),
        Error::TooMany {
            part: "subcomponents",
            ..
        }
    ));
    assert!(matches!(many("x".repeat(300 << 10)), Error::TooLong { .. }));
    let lines = format!("{head}{}", "NTE|1\r".repeat(5000));
    assert!(matches!(
        Message::parse(lines.as_bytes()),
        Err(Error::TooMany {
            part: "segments",
            ..
        })
    ));
    let small = Limits {
        bytes: 10,
        ..Limits::default()
    };
    assert!(matches!(
        Message::parse_within(head.as_bytes(), &small),
        Err(Error::TooLong { limit: 10 })
    ));
}

#[test]
fn debug_shows_nobody() {
    let message =
        Message::parse(b"MSH|^~\\&|A|B|||||ORU^R01|1\rPID|1||191212121212||Tolvansson").unwrap();
    let text = format!(
        "{message:?} {:?} {:?}",
        message.segments(),
        message.segment("PID").unwrap().field(5)
    );
    assert!(!text.contains("1212") && !text.contains("Tolvan"), "{text}");
}
