//! FEEL text in pieces.

use super::MAX_TOKENS;
use crate::Fault;

/// Most words and signs in a row that could all be one name: `a + b - c` could be. The parser tries
/// each name at each length, which takes the cube of this.
const MAX_ROW: usize = 200;

/// A piece of a text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Token<'a> {
    /// A word, and its position in characters.
    Word(&'a str, usize),
    /// A bracket or operator.
    Sign(char),
    /// A number or a string.
    Other,
}

/// Cuts a text into pieces, leaving out white space and comments.
pub fn tokens(text: &str) -> Result<Vec<Token<'_>>, Fault> {
    let mut found = Vec::new();
    let mut row = 0usize;
    let mut rest = text;
    let position = |rest: &str| text[..text.len() - rest.len()].chars().count();
    while let Some(first) = rest.chars().next() {
        let length = if first == '"' {
            found.push(Token::Other);
            string_length(rest).ok_or_else(|| unclosed("a string").at(position(rest)))?
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(comment) = rest.strip_prefix("/*") {
            4 + comment
                .find("*/")
                .ok_or_else(|| unclosed("a comment").at(position(rest)))?
        } else if is_name_start(first) {
            let end = rest.find(|c: char| !is_name_part(c)).unwrap_or(rest.len());
            found.push(Token::Word(&rest[..end], position(rest)));
            end
        } else if first.is_ascii_digit() {
            found.push(Token::Other);
            rest.find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len())
        } else {
            if !is_space(first) {
                found.push(Token::Sign(first));
            }
            first.len_utf8()
        };
        row = if breaks_row(first) || (row == 0 && !is_name_start(first)) {
            0
        } else {
            row + parts(&rest[..length])
        };
        if row > MAX_ROW {
            let message = format!("more than {MAX_ROW} names and signs in a row");
            return Err(
                Fault::new("feel-too-long", message, "Put parts of it in brackets")
                    .at(position(rest)),
            );
        }
        rest = &rest[length..];
        // Counting positions is linear; a text with too many tokens is not worth counting.
        if found.len() > MAX_TOKENS {
            break;
        }
    }
    Ok(found)
}

/// Whether a character can be in no name.
fn breaks_row(c: char) -> bool {
    !(is_name_part(c) || is_space(c) || is_name_sign(c))
}

/// Signs that names may contain.
fn is_name_sign(c: char) -> bool {
    matches!(c, '.' | '/' | '-' | '\'' | '+' | '*')
}

/// Parts of a name in a piece of text: words and signs.
fn parts(text: &str) -> usize {
    let words = text
        .split(|c| !is_name_part(c))
        .filter(|word| !word.is_empty())
        .count();
    words + text.chars().filter(|c| is_name_sign(*c)).count()
}

fn unclosed(what: &str) -> Fault {
    Fault::new("feel-parse", format!("{what} is not closed"), "Close it")
}

/// Length in bytes of the string literal at the start of `text`, quotes included.
fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// As the FEEL grammar has it, rule 28: letters of any script, `_` and `?`.
fn is_name_start(c: char) -> bool {
    c == '_'
        || c == '?'
        || c.is_alphabetic()
        || matches!(c, '\u{200C}'..='\u{200D}' | '\u{10000}'..='\u{EFFFF}')
}

fn is_name_part(c: char) -> bool {
    is_name_start(c)
        || c.is_numeric()
        || matches!(c, '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{180E}' | '\u{200B}' | '\u{FEFF}')
}
