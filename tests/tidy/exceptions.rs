//! What breaks a rule and may, for now.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::house;

/// `exceptions.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exceptions {
    /// Path to the most lines it may have, and why.
    pub files: BTreeMap<String, Longer>,
    /// `path::function` to the most lines it may have, and why.
    pub functions: BTreeMap<String, Longer>,
    /// Codes that more than one crate gives, and why.
    pub codes: BTreeMap<String, String>,
    /// Packages in more than one incompatible version.
    pub duplicates: Vec<String>,
}

/// Longer than the rule has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Longer {
    /// At most so long.
    pub lines: usize,
    /// The reason.
    pub why: String,
}

/// The list.
pub fn list() -> &'static Exceptions {
    static LIST: LazyLock<Exceptions> = LazyLock::new(|| {
        toml::from_str(&house::text("tests/tidy/exceptions.toml")).expect("exceptions.toml")
    });
    &LIST
}

/// Measures against a limit; those over it must be in the list, those in the list over it.
pub fn hold(
    what: &str,
    limit: impl Fn(&str) -> usize,
    measured: &[(String, usize)],
    allowed: &BTreeMap<String, Longer>,
) {
    let mut faults = Vec::new();
    for (name, lines) in measured {
        let most = allowed.get(name).map_or(limit(name), |longer| longer.lines);
        if *lines > most {
            faults.push(format!("{name}: {lines} lines, at most {most}"));
        }
    }
    for (name, longer) in allowed {
        let now = measured.iter().find(|(known, _)| known == name);
        if now.is_none_or(|(_, lines)| *lines <= limit(name)) {
            faults.push(format!("{name}: no longer an exception, strike it out"));
        }
        if longer.why.len() < 10 {
            faults.push(format!("{name}: an exception needs a reason"));
        }
    }
    house::none(what, &faults);
}
