//! Bytes to text, as MSH-18 says.

use std::borrow::Cow;

use crate::Error;

/// What we write, and its name in HL7 table 0211.
pub(crate) const UTF_8: &str = "UNICODE UTF-8";

/// Decodes a message. Empty MSH-18 and `ASCII`, which many senders leave there whatever they
/// write, mean UTF-8 when the bytes are that, and else Latin-1.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Error> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let name = declared(bytes).to_ascii_uppercase();
    match name.trim() {
        "" | "ASCII" => Ok(guess(bytes).into()),
        "UNICODE UTF-8" | "UTF-8" | "UTF8" | "UNICODE" => std::str::from_utf8(bytes)
            .map(Cow::Borrowed)
            .map_err(|_| Error::NotUtf8),
        "8859/1" | "ISO-8859-1" | "ISO8859-1" => Ok(latin_1(bytes).into()),
        _ => Err(Error::Charset),
    }
}

/// The first repetition of MSH-18, read as bytes.
fn declared(bytes: &[u8]) -> String {
    let header = bytes
        .split(|b| *b == b'\r' || *b == b'\n')
        .next()
        .unwrap_or_default();
    let Some(separator) = header.get(3) else {
        return String::new();
    };
    // MSH-1 is the separator itself, so the n-th piece is MSH-n and `MSH` stands for MSH-1.
    let field = header.split(|b| b == separator).nth(17).unwrap_or_default();
    let repetition = header.get(5).filter(|mark| mark.is_ascii_punctuation());
    let first = field
        .split(|b| Some(b) == repetition)
        .next()
        .unwrap_or_default();
    String::from_utf8_lossy(first).into_owned()
}

/// UTF-8 when the bytes are that, and else Latin-1, in which all bytes are something.
pub(crate) fn guess(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => latin_1(bytes),
    }
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(charset: &str, name: &[u8], expect: Result<&str, Error>) {
        let header = format!("MSH|^~\\&|A|B|C|D|||ACK|1|P|2.5.1||||||{charset}|\rZZZ|");
        let found = decode(&[header.as_bytes(), name].concat())
            .map(|text| text.rsplit('|').next().unwrap_or_default().to_owned());
        assert_eq!(found, expect.map(str::to_owned), "{charset}");
    }

    #[test]
    fn the_header_names_the_charset() {
        check("UNICODE UTF-8", "Åsa".as_bytes(), Ok("Åsa"));
        check("UNICODE UTF-8", b"\xC5sa", Err(Error::NotUtf8));
        check("8859/1", b"\xC5sa", Ok("Åsa"));
        check("8859/1", "Åsa".as_bytes(), Ok("Ã\u{85}sa"));
        check("", "Åsa".as_bytes(), Ok("Åsa"));
        check("", b"\xC5sa", Ok("Åsa"));
        check("ASCII", b"\xC5sa", Ok("Åsa"));
        check("8859/1~UNICODE UTF-8", b"\xC5sa", Ok("Åsa"));
        check("KS X 1001", b"Asa", Err(Error::Charset));
    }

    #[test]
    fn short_headers_have_no_charset() {
        for bytes in [
            &b""[..],
            b"MSH",
            b"MSH|",
            b"MSH|^~\\&|A",
            b"\xEF\xBB\xBFMSH|",
        ] {
            assert!(decode(bytes).is_ok());
        }
    }
}
