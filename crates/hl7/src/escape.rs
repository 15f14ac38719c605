//! Escape sequences: what keeps a value from being read as structure.

use std::borrow::Cow;

use crate::delimiters::{Delimiters, STANDARD};

/// Writes `text` so that it stays within its place. Control characters become `\X..\`.
pub(crate) fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match mark(c) {
            Some(name) => {
                out.push('\\');
                out.push(name);
                out.push('\\');
            }
            None if c.is_ascii_control() => {
                use std::fmt::Write;
                // Writing to a String cannot fail.
                let _ = write!(out, "\\X{:02X}\\", u32::from(c));
            }
            None => out.push(c),
        }
    }
}

fn mark(c: char) -> Option<char> {
    marks(&STANDARD)
        .into_iter()
        .find(|(mark, _)| *mark == Some(c))
        .map(|(_, name)| name)
}

fn marks(d: &Delimiters) -> [(Option<char>, char); 5] {
    [
        (Some(d.field), 'F'),
        (Some(d.component), 'S'),
        (d.subcomponent, 'T'),
        (d.repetition, 'R'),
        (d.escape, 'E'),
    ]
}

/// Reads a value. A sequence that is not known stays as it stands: it may be the sender's own.
pub(crate) fn unescape(text: &str, delimiters: &Delimiters) -> String {
    let Some(escape) = delimiters.escape.filter(|escape| text.contains(*escape)) else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(escape) {
        out.push_str(before);
        let Some((sequence, later)) = after.split_once(escape) else {
            out.push(escape);
            out.push_str(after);
            return out;
        };
        match meaning(sequence, delimiters) {
            Some(text) => {
                out.push_str(&text);
                rest = later;
            }
            None => {
                // Perhaps a lone mark in the text: what closes it may open the next.
                out.push(escape);
                out.push_str(sequence);
                rest = &after[sequence.len()..];
                if sequence.is_empty() {
                    out.push(escape);
                    rest = later;
                }
            }
        }
    }
    out.push_str(rest);
    out
}

fn meaning(sequence: &str, delimiters: &Delimiters) -> Option<Cow<'static, str>> {
    let mut chars = sequence.chars();
    match (chars.next()?, chars.as_str()) {
        ('H' | 'N', "") => Some("".into()),
        ('.', "br") => Some("\n".into()),
        ('X', hex) if !hex.is_empty() => bytes(hex).map(Into::into),
        (name, "") => {
            let (mark, _) = marks(delimiters)
                .into_iter()
                .find(|(_, known)| *known == name)?;
            mark.map(|mark| mark.to_string().into())
        }
        _ => None,
    }
}

/// Bytes in hex: UTF-8, or else Latin-1.
fn bytes(hex: &str) -> Option<String> {
    if !hex.len().is_multiple_of(2) || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let bytes: Vec<u8> = (0..hex.len())
        .step_by(2)
        .filter_map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok())
        .collect();
    Some(crate::charset::guess(&bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(unescape(text, &STANDARD), expect, "{text}");
    }

    #[test]
    fn sequences_are_read() {
        check(r"a\F\b\S\c\T\d\R\e\E\f", r"a|b^c&d~e\f");
        check(r"rad 1\.br\rad 2", "rad 1\nrad 2");
        check(r"\H\viktigt\N\ nu", "viktigt nu");
        check(r"\XC3A5\\XE5\", "åå");
        check(r"\X0D\", "\r");
    }

    #[test]
    fn what_is_not_a_sequence_stays() {
        for text in [
            r"\",
            r"\\",
            r"C:\mapp",
            r"a\b\c",
            r"\X0\",
            r"\XGG\",
            r"\Zown\",
            r"\.sp3\",
            r"\F",
            "\\X\u{e5}\\",
        ] {
            check(text, text);
        }
        check(r"5 \ 3 \T\ 2", r"5 \ 3 & 2");
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let mut out = String::new();
            escape(&mut out, &text);
            prop_assert!(!out.contains(['|', '^', '~', '&', '\r', '\n', '\x0b', '\x1c']));
            prop_assert_eq!(unescape(&out, &STANDARD), text);
        }

        #[test]
        fn any_text_is_read_without_panic(text in any::<String>()) {
            let _ = unescape(&text, &STANDARD);
            let _ = unescape(&text.replace('a', "\\"), &STANDARD);
        }
    }
}
