//! SPDX expressions, as far as crates use them.

/// Licences that may be among what we are built of.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OpenSSL",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "PostgreSQL",
    "Zlib",
];

/// Exceptions that only give more rights.
const EXCEPTIONS: &[&str] = &["LLVM-exception"];

/// Whether a choice exists under which every part of it is allowed.
pub fn is_allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let answer = either(&mut words);
    answer == Some(true) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words) -> Option<bool> {
    let mut answer = both(words)?;
    while words.next_if_eq(&"OR").is_some() {
        answer |= both(words)?;
    }
    Some(answer)
}

fn both(words: &mut Words) -> Option<bool> {
    let mut answer = one(words)?;
    while words.next_if_eq(&"AND").is_some() {
        answer &= one(words)?;
    }
    Some(answer)
}

fn one(words: &mut Words) -> Option<bool> {
    let word = words.next()?;
    if word == "(" {
        let answer = either(words)?;
        return (words.next()? == ")").then_some(answer);
    }
    let mut answer = ALLOWED.contains(&word);
    if words.next_if_eq(&"WITH").is_some() {
        answer &= EXCEPTIONS.contains(&words.next()?);
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    fn check(expression: &str, expect: bool) {
        assert_eq!(is_allowed(expression), expect, "{expression}");
    }

    #[test]
    fn expressions() {
        check("MIT", true);
        check("MIT/Apache-2.0", true);
        check("GPL-3.0-only", false);
        check("GPL-3.0-only OR MIT", true);
        check("AGPL-3.0 AND MIT", false);
        check("(MIT OR GPL-2.0) AND Unicode-3.0", true);
        check("MIT AND (GPL-2.0 OR AGPL-3.0)", false);
        check("Apache-2.0 WITH LLVM-exception", true);
        check("GPL-2.0 WITH Classpath-exception-2.0", false);
        check("", false);
        check("MIT OR", false);
        check("MIT MIT", false);
    }
}
