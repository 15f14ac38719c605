//! A first look at FEEL text, before it is parsed: limits, and the words in it.
//!
//! FEEL names may contain spaces and operators, so how a text is parsed depends on which names are
//! known. The scan finds the words that can only be names; the parser is then told that these exist.

mod tokens;

use crate::Fault;
use tokens::{Token, tokens};

/// Longest expression, in bytes.
pub const MAX_LENGTH: usize = 4096;
/// Most words, numbers, strings and signs.
pub const MAX_TOKENS: usize = 1000;
/// Deepest nesting of brackets.
const MAX_BRACKETS: usize = 48;

/// Built-in functions whose name has several words.
const LONG_FUNCTIONS: [&str; 34] = [
    "context merge",
    "context put",
    "date and time",
    "day of week",
    "day of year",
    "distinct values",
    "ends with",
    "finished by",
    "get entries",
    "get value",
    "index of",
    "insert before",
    "list contains",
    "list replace",
    "lower case",
    "met by",
    "month of year",
    "overlaps after",
    "overlaps before",
    "round down",
    "round half down",
    "round half up",
    "round up",
    "started by",
    "starts with",
    "string join",
    "string length",
    "substring after",
    "substring before",
    "upper case",
    "week of year",
    "years and months duration",
    // In the Camunda dialect only: named here so that the fault can name them whole.
    "is defined",
    "get or else",
];

const KEYWORDS: [&str; 22] = [
    "and",
    "between",
    "context",
    "else",
    "every",
    "external",
    "false",
    "for",
    "function",
    "if",
    "in",
    "instance",
    "item",
    "null",
    "of",
    "or",
    "partial",
    "return",
    "satisfies",
    "some",
    "then",
    "true",
];

/// What the scan found.
#[derive(Debug, Default)]
pub struct Scan {
    /// Words that are names of variables, members or locals.
    pub names: Vec<String>,
    /// Names that are called, with the position of the call.
    pub calls: Vec<(String, usize)>,
}

/// Looks at a text.
///
/// # Errors
/// `feel-too-long`, `feel-too-deep`, `feel-external-function`, `feel-clock`.
pub fn scan(text: &str) -> Result<Scan, Fault> {
    if text.len() > MAX_LENGTH {
        return Err(too_long(format!(
            "the expression has {} bytes; {MAX_LENGTH} are allowed",
            text.len()
        )));
    }
    let tokens = tokens(text)?;
    if tokens.len() > MAX_TOKENS {
        return Err(too_long(format!(
            "the expression has {} parts; {MAX_TOKENS} are allowed",
            tokens.len()
        )));
    }
    check_brackets(&tokens)?;
    let found = words(&tokens);
    for (called, position) in &found.calls {
        if matches!(called.rsplit(' ').next(), Some("now" | "today")) {
            return Err(clock(called).at(*position));
        }
    }
    if let Some(position) = external(&tokens) {
        return Err(Fault::new(
            "feel-external-function",
            "the expression defines an external function",
            "Move what it does into a task; expressions cannot reach the outside",
        )
        .at(position));
    }
    Ok(found)
}

pub fn clock(called: &str) -> Fault {
    let variable = if called.ends_with("today") {
        "clock.today"
    } else {
        "clock.now"
    };
    Fault::new(
        "feel-clock",
        format!("`{called}()` reads the machine's clock"),
        format!(
            "Use the variable {variable}, such as date(clock.today) or date and time(clock.now)"
        ),
    )
}

fn too_long(message: String) -> Fault {
    Fault::new(
        "feel-too-long",
        message,
        "Split it over several variables, or make it a DMN table",
    )
}

fn check_brackets(tokens: &[Token<'_>]) -> Result<(), Fault> {
    let mut depth = 0usize;
    for token in tokens {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_BRACKETS {
            return Err(too_deep());
        }
    }
    Ok(())
}

pub fn too_deep() -> Fault {
    Fault::new(
        "feel-too-deep",
        "the expression is nested too deeply",
        "Split it over several variables, or make it a DMN table",
    )
}

/// `function ( … ) external`: where `external` is.
fn external(tokens: &[Token<'_>]) -> Option<usize> {
    let defines = tokens
        .iter()
        .any(|token| matches!(token, Token::Word("function", _)));
    tokens.windows(2).find_map(|pair| match pair {
        [Token::Sign(')'), Token::Word("external", position)] if defines => Some(*position),
        _ => None,
    })
}

fn words(tokens: &[Token<'_>]) -> Scan {
    let mut found = Scan::default();
    let mut run: Vec<(&str, usize)> = Vec::new();
    let mut before = Token::Other;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Word(word, position) => {
                if run.is_empty() {
                    before = if at == 0 {
                        Token::Other
                    } else {
                        tokens[at - 1]
                    };
                }
                run.push((word, *position));
            }
            _ => found.take(&mut run, before, *token),
        }
    }
    found.take(&mut run, before, Token::Other);
    found.names.sort();
    found.names.dedup();
    found
}

impl Scan {
    /// Sorts a run of words into names and calls, by what stands after it.
    fn take(&mut self, run: &mut Vec<(&str, usize)>, before: Token<'_>, after: Token<'_>) {
        let calls = after == Token::Sign('(') && before != Token::Sign('.');
        if calls && let Some((name, length, position)) = called(run) {
            run.truncate(run.len() - length);
            self.calls.push((name, position));
        }
        let mut previous = "";
        for (word, _) in run.drain(..) {
            let is_type = matches!(previous, "of");
            if !KEYWORDS.contains(&word) && !is_type {
                self.names.push(word.to_owned());
            }
            previous = word;
        }
    }
}

/// The name that is called at the end of a run of words, how many words it has, and where it begins.
fn called(run: &[(&str, usize)]) -> Option<(String, usize, usize)> {
    let (last, position) = run.last()?;
    for length in (2..=run.len().min(5)).rev() {
        let tail = &run[run.len() - length..];
        let name = tail
            .iter()
            .map(|(word, _)| *word)
            .collect::<Vec<_>>()
            .join(" ");
        if LONG_FUNCTIONS.contains(&name.as_str()) {
            return Some((name, length, tail[0].1));
        }
    }
    (!KEYWORDS.contains(last)).then(|| ((*last).to_owned(), 1, *position))
}

/// Names the parser must know to see functions of several words whole.
pub fn long_functions() -> &'static [&'static str] {
    &LONG_FUNCTIONS
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_and_calls_are_told_apart() {
        let check = |text: &str, names: &str, calls: &str| {
            let found = scan(text).unwrap();
            assert_eq!(found.names.join(","), names, "names of {text}");
            let called: Vec<_> = found.calls.into_iter().map(|(name, _)| name).collect();
            assert_eq!(called.join(","), calls, "calls of {text}");
        };
        check("a.b + c", "a,b,c", "");
        check("if x then string length (y) else 0", "x,y", "string length");
        check("a and day of week(d)", "a,d", "day of week");
        check("x instance of number", "x", "");
        check("count(count)", "count", "count");
        check("\"now()\" + x // today()", "x", "");
        check("ålder_2 > 3 /* now() */", "ålder_2", "");
        check("x in (1, 2)", "x", "");
        check("not(x)", "x", "not");
    }

    #[test]
    fn the_clock_is_not_read() {
        for text in [
            "now()",
            "today ( )",
            "1 + now\n()",
            "now/* */()",
            "a and today()",
            "x.y(now ())",
            "now\u{a0}()",
        ] {
            assert_eq!(scan(text).unwrap_err().rule, "feel-clock", "{text}");
        }
        for text in [
            "clock.now",
            "now",
            "\"now()\"",
            "known(x)",
            "todays(x)",
            "now + 1",
        ] {
            assert!(scan(text).is_ok(), "{text}");
        }
    }
}
