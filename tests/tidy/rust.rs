//! Rust source with everything that is not code blanked out, and the functions in it.

/// The source with comments, strings and characters replaced by blanks; lines stay where they are.
pub fn code(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skip(&chars, at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(
                chars[at..end]
                    .iter()
                    .map(|c| if *c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        }
    }
    code
}

/// Where what begins here ends, if it is not code; otherwise `at`.
fn skip(chars: &[char], at: usize) -> usize {
    let here = |ahead: usize| chars.get(at + ahead).copied().unwrap_or('\0');
    let word_before = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match here(0) {
        '/' if here(1) == '/' => until(chars, at, |rest| rest[0] == '\n'),
        '/' if here(1) == '*' => block(chars, at),
        '"' => quoted(chars, at + 1),
        'r' if !word_before && matches!(here(1), '"' | '#') => raw(chars, at),
        '\'' if here(1) == '\\' => (at + 3..chars.len())
            .find(|i| chars[*i] == '\'')
            .map_or(chars.len(), |i| i + 1),
        '\'' if here(2) == '\'' => at + 3,
        _ => at,
    }
}

fn until(chars: &[char], at: usize, stop: impl Fn(&[char]) -> bool) -> usize {
    (at..chars.len())
        .find(|i| stop(&chars[*i..]))
        .unwrap_or(chars.len())
}

fn block(chars: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0, at);
    while i < chars.len() {
        match &chars[i..chars.len().min(i + 2)] {
            ['/', '*'] => (depth, i) = (depth + 1, i + 2),
            ['*', '/'] => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn quoted(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn raw(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at;
    }
    let body = at + 2 + hashes;
    let closes = |rest: &[char]| {
        rest[0] == '"' && rest.len() > hashes && rest[1..=hashes].iter().all(|c| *c == '#')
    };
    (until(chars, body, closes) + 1 + hashes).min(chars.len())
}

/// A function and how many lines it has, its signature included.
#[derive(PartialEq, Debug)]
pub struct Function {
    pub name: String,
    pub lines: usize,
}

/// Every function with a body, those inside others too.
pub fn functions(source: &str) -> Vec<Function> {
    let code = code(source);
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let word_before =
            at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let name: String = code[at + 3..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if word_before || name.is_empty() {
            continue;
        }
        if let Some(end) = body_end(bytes, at) {
            let lines = 1 + code[at..end].matches('\n').count();
            found.push(Function { name, lines });
        }
    }
    found
}

/// The end of the body that follows, if there is one before the item ends.
fn body_end(bytes: &[u8], from: usize) -> Option<usize> {
    let (mut round, mut depth) = (0i32, 0i32);
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => round += 1,
            b')' | b']' => round -= 1,
            b';' if round == 0 && depth == 0 => return None,
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{code, functions};

    fn check(source: &str, expect: &[(&str, usize)]) {
        let told: Vec<(String, usize)> = functions(source)
            .into_iter()
            .map(|f| (f.name, f.lines))
            .collect();
        let expect: Vec<(String, usize)> =
            expect.iter().map(|(n, l)| ((*n).to_owned(), *l)).collect();
        assert_eq!(told, expect, "{source}");
    }

    #[test]
    fn functions_are_measured_from_signature_to_brace() {
        check("fn a() {}", &[("a", 1)]);
        check(
            "fn a(\n  x: [u8; 3],\n) {\n}\nfn b() {\n}",
            &[("a", 4), ("b", 2)],
        );
        check("trait T {\n  fn a();\n  fn b() {\n  }\n}", &[("b", 2)]);
        check("fn a() {\n  fn b() {\n  }\n}", &[("a", 4), ("b", 2)]);
    }

    #[test]
    fn what_is_not_code_does_not_count() {
        check("fn a() { \"}\"; '}'; '\\''; // }\n}", &[("a", 2)]);
        check("fn a() { r#\"}\"\n\"#; /* } /* } */ */ }", &[("a", 2)]);
        check("// fn a() {}\n", &[]);
        check("type F = fn (u8);", &[]);
        check("fn a<'x>(y: &'x str) {\n}", &[("a", 2)]);
        assert_eq!(code("a\"b\nc\"d").lines().count(), 2);
    }
}
