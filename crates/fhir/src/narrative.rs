//! The text that a person reads: XHTML in a `div`.

use serde::Serialize;

const OPEN: &str = r#"<div xmlns="http://www.w3.org/1999/xhtml">"#;

/// A narrative (R4 §2.6.4).
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Narrative {
    /// `generated` when all of it stands in the data too, `additional` when it says more.
    pub status: &'static str,
    /// The XHTML.
    pub div: String,
}

impl std::fmt::Debug for Narrative {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Narrative(redacted)")
    }
}

impl Narrative {
    /// Paragraphs; `None` when there is nothing to say.
    #[must_use]
    pub fn paragraphs<'a>(
        status: &'static str,
        lines: impl IntoIterator<Item = &'a str>,
    ) -> Option<Self> {
        let body: String = lines
            .into_iter()
            .filter_map(clean)
            .map(|line| format!("<p>{}</p>", escape(&line)))
            .collect();
        wrap(status, &body)
    }

    /// A table with a row of headings; `None` without rows.
    #[must_use]
    pub fn table(
        status: &'static str,
        headings: &[&str],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> Option<Self> {
        let cells = |tag: &str, cells: &mut dyn Iterator<Item = &str>| -> String {
            cells.fold(String::new(), |line, cell| {
                let cell = clean(cell).unwrap_or_default();
                line + &format!("<{tag}>{}</{tag}>", escape(&cell))
            })
        };
        let body = rows.into_iter().fold(String::new(), |body, row| {
            let row = cells("td", &mut row.iter().map(String::as_str));
            body + &format!("<tr>{row}</tr>")
        });
        if body.is_empty() {
            return None;
        }
        let head = cells("th", &mut headings.iter().copied());
        wrap(
            status,
            &format!("<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"),
        )
    }
}

fn wrap(status: &'static str, body: &str) -> Option<Narrative> {
    (!body.is_empty()).then(|| Narrative {
        status,
        div: format!("{OPEN}{body}</div>"),
    })
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// The text as an R4 `string` may hold it: without control characters, without white space around
/// it; `None` when nothing is left, since R4 knows no empty string.
#[must_use]
pub fn clean(text: &str) -> Option<String> {
    let allowed = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    let text: String = text
        .chars()
        .filter(|c| allowed(*c) && !matches!(c, '\u{FFFE}' | '\u{FFFF}'))
        .collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let made =
            Narrative::paragraphs("generated", ["<script>a</script> & \"b\"\u{1}", " \u{7} "])
                .expect("says something");
        assert_eq!(
            made.div,
            format!("{OPEN}<p>&lt;script&gt;a&lt;/script&gt; &amp; &quot;b&quot;</p></div>")
        );
        assert!(Narrative::paragraphs("generated", ["", "\u{0}"]).is_none());
        assert!(Narrative::table("generated", &["a"], []).is_none());
    }

    #[test]
    fn strings_are_never_empty_nor_padded() {
        assert_eq!(clean("  å\u{0}ä\nö "), Some("åä\nö".to_owned()));
        assert_eq!(clean(" \t\n"), None);
    }
}
