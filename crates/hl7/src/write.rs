//! A message as bytes: standard delimiters, CR after each segment, UTF-8.

use crate::{Field, Message, Segment, delimiters::STANDARD, escape::escape};

impl Message {
    /// Writes the message. No text in it can end a field, a segment or a frame.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = String::new();
        for segment in &self.segments {
            write_segment(&mut out, segment);
        }
        out.into_bytes()
    }
}

fn write_segment(out: &mut String, segment: &Segment) {
    out.push_str(segment.name());
    let fields = if segment.name() == "MSH" {
        out.push_str("|^~\\&");
        segment.fields.get(2..).unwrap_or_default()
    } else {
        segment.fields.as_slice()
    };
    let filled = fields
        .iter()
        .rposition(|field| !field.is_empty())
        .map_or(0, |last| last + 1);
    for field in &fields[..filled] {
        out.push(STANDARD.field);
        write_field(out, field);
    }
    out.push('\r');
}

fn write_field(out: &mut String, field: &Field) {
    joined(out, '~', &field.0, |out, repetition| {
        joined(out, '^', repetition, |out, component| {
            joined(out, '&', component, |out, text| escape(out, text));
        });
    });
}

/// Writes parts with a mark between them; marks at the end say nothing and are left out.
fn joined<T>(out: &mut String, mark: char, parts: &[T], write: impl Fn(&mut String, &T)) {
    let start = out.len();
    let mut end = start;
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push(mark);
        }
        let before = out.len();
        write(out, part);
        if out.len() > before {
            end = out.len();
        }
    }
    out.truncate(end);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header() -> Segment {
        Segment::new("MSH")
            .with(9, Field::components(&["ACK"]))
            .with(10, "1")
            .with(18, "UNICODE UTF-8")
    }

    #[test]
    fn a_name_cannot_become_a_segment() {
        let mut message = Message::new(header());
        let name = Field::components(&["Ek\rOBX|1|NM|NPU27300", "Eva\u{1c}\r\u{b}MSH|"]);
        message.push(Segment::new("PID").with(5, name.clone()));
        let again = Message::parse(&message.to_bytes()).expect("reads");
        assert_eq!(again.segments().len(), 2);
        assert_eq!(again.segments()[1].field(5), Some(&name));
    }

    #[test]
    fn empty_ends_are_left_out() {
        let mut message = Message::new(header());
        let field = Field::components(&["", "b", ""])
            .with(5, &["", "c", ""])
            .and(Field::components(&["", ""]));
        message.push(Segment::new("PID").with(2, field).with(9, ""));
        let text = String::from_utf8(message.to_bytes()).expect("text");
        assert_eq!(
            text,
            "MSH|^~\\&|||||||ACK|1||||||||UNICODE UTF-8\rPID||^b^^^&c\r"
        );
    }

    proptest! {
        #[test]
        fn any_text_in_any_place_comes_back(
            text in any::<String>(),
            other in "[\\x00-\\x7f]{0,12}",
            field in 1_usize..40, component in 1_usize..12, subcomponent in 1_usize..6,
        ) {
            let mut parts = vec![""; subcomponent];
            parts[subcomponent - 1] = &text;
            let value = Field::default().with(component, &parts);
            let mut message = Message::new(header());
            message.push(Segment::new("OBX").with(field, value).with(field + 1, other.as_str()));
            message.push(Segment::new("NTE").with(3, other.as_str()));
            let again = Message::parse(&message.to_bytes()).expect("reads");
            prop_assert_eq!(again.segments().len(), 3);
            let found = again.segments()[1].field(field).map_or("", |f| f.subcomponent(component, subcomponent));
            prop_assert_eq!(found, text);
            prop_assert_eq!(again.segments()[1].text(field + 1), other.as_str());
            prop_assert_eq!(again.text("NTE", 3), other.as_str());
            prop_assert_eq!(Message::parse(&again.to_bytes()).expect("reads"), again);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Message::parse(&bytes);
            let _ = Message::parse_header(&bytes);
            let _ = Message::parse(&[b"MSH|^~\\&|", &bytes[..]].concat());
        }
    }
}
