//! The writer.

/// Writes elements with prefixed names. Nothing empty is written: an element without text or
/// children leaves no trace, since the contracts forbid empty elements.
#[derive(Debug, Default)]
pub struct Writer {
    out: String,
}

/// A document element with its namespace declarations and content.
///
/// It is written even when `content` writes nothing: a request without fields is still a request.
///
/// ```
/// let text = halsonav_rivta::xml::document("r:Ask", &[("r", "urn:ask:1")], |w| {
///     w.text("r:question", "1 < 2?");
///     w.text("r:left-out", "");
/// });
/// assert_eq!(text, r#"<r:Ask xmlns:r="urn:ask:1"><r:question>1 &lt; 2?</r:question></r:Ask>"#);
/// ```
#[must_use]
pub fn document(
    name: &str,
    namespaces: &[(&str, &str)],
    content: impl FnOnce(&mut Writer),
) -> String {
    let mut writer = Writer::default();
    writer.out.push('<');
    writer.out.push_str(name);
    for (prefix, ns) in namespaces {
        writer.out.push_str(if prefix.is_empty() {
            " xmlns"
        } else {
            " xmlns:"
        });
        writer.out.push_str(prefix);
        writer.out.push_str("=\"");
        escape(&mut writer.out, ns);
        writer.out.push('"');
    }
    writer.out.push('>');
    content(&mut writer);
    writer.end(name);
    writer.out
}

impl Writer {
    /// An element with elements in it; nothing at all when `content` writes nothing.
    pub fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        let before = self.out.len();
        self.start(name);
        let inside = self.out.len();
        content(self);
        if self.out.len() == inside {
            self.out.truncate(before);
        } else {
            self.end(name);
        }
    }

    /// An element with text; nothing when the text is empty or blank.
    pub fn text(&mut self, name: &str, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.start(name);
        escape(&mut self.out, text);
        self.end(name);
    }

    /// An element with text, if there is one.
    pub fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// An `xs:boolean`.
    pub fn flag(&mut self, name: &str, flag: bool) {
        self.text(name, if flag { "true" } else { "false" });
    }

    /// Text directly in the element that is open.
    pub fn content(&mut self, text: &str) {
        escape(&mut self.out, text);
    }

    /// XML that is already written, with every prefix it uses in scope.
    pub fn raw(&mut self, xml: &str) {
        self.out.push_str(xml);
    }

    fn start(&mut self, name: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
    }

    fn end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }
}

/// Escapes for text and for attribute values in double quotes. Characters that XML 1.0 cannot
/// carry are left out: a name with a stray control character must not cost a letter.
pub(crate) fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(character),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Element;

    #[test]
    fn nothing_empty_is_written() {
        let text = document("r", &[], |w| {
            w.element("a", |w| w.element("b", |w| w.optional("c", None)));
            w.text("d", " ");
            w.element("e", |w| w.flag("f", false));
        });
        assert_eq!(text, "<r><e><f>false</f></e></r>");
    }

    #[test]
    fn any_text_comes_back_as_it_was() {
        for text in ["a<b>&\"'c", "]]>", "å\r\nä\tö", "&amp;", "<!-- -->", "🙂"] {
            let xml = document("r", &[("", "urn:\"x\"")], |w| w.text("t", text));
            let root = Element::parse(&xml).expect("reads");
            assert_eq!(
                root.child("urn:\"x\"", "t").map(|t| t.text.as_str()),
                Some(text)
            );
        }
        assert_eq!(
            document("r", &[], |w| w.text("t", "a\u{0}\u{1b}b")),
            "<r><t>ab</t></r>"
        );
    }
}
