//! Messages to residents, from the region's templates: `texts/<name>.<language>.txt`, heading on the
//! first line, `{{placeholder}}` for what is filled in.

use std::collections::BTreeMap;

use halsonav_domain::{Kind, Problem};

/// What a text may ask for.
pub const PLACEHOLDERS: &[&str] = &["given_name", "unit_name", "unit_phone", "booking_time"];

/// Language that stands in for one that is missing.
const FALLBACK: &str = "sv";

/// The texts of a region, checked.
#[derive(Debug, Default)]
pub struct Texts(BTreeMap<(String, String), Vec<Part>>);

#[derive(Debug)]
enum Part {
    Words(String),
    Placeholder(&'static str),
}

impl Texts {
    /// Reads all texts.
    ///
    /// # Errors
    /// Every fault at once, each `HUB-TEXT-001` with file and line.
    pub fn load<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Vec<Problem>> {
        let mut texts = BTreeMap::new();
        let mut faults = Vec::new();
        for (file, text) in files {
            let Some((name, language)) = file
                .strip_suffix(".txt")
                .and_then(|stem| stem.split_once('.'))
            else {
                faults.push(fault(file, 1, "is not named <name>.<language>.txt"));
                continue;
            };
            match parse(file, text) {
                Ok(parts) => {
                    texts.insert((name.to_owned(), language.to_owned()), parts);
                }
                Err(mut found) => faults.append(&mut found),
            }
        }
        if faults.is_empty() {
            Ok(Self(texts))
        } else {
            Err(faults)
        }
    }

    /// The text in `language`, or in Swedish; heading first, then an empty line's worth of body.
    ///
    /// # Errors
    /// `HUB-TEXT-002` when there is no such text.
    pub fn render(
        &self,
        name: &str,
        language: &str,
        values: &dyn Fn(&str) -> String,
    ) -> Result<String, Problem> {
        let parts = [language, FALLBACK]
            .iter()
            .find_map(|language| self.0.get(&(name.to_owned(), (*language).to_owned())))
            .ok_or_else(|| {
                Problem::new(
                    Kind::Invalid,
                    "HUB-TEXT-002",
                    format!("the region has no text '{name}'"),
                )
            })?;
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Words(words) => text.push_str(words),
                Part::Placeholder(name) => text.push_str(&values(name)),
            }
        }
        Ok(text)
    }
}

fn parse(file: &str, text: &str) -> Result<Vec<Part>, Vec<Problem>> {
    let mut parts = Vec::new();
    let mut faults = Vec::new();
    let mut rest = text.trim_end();
    if rest.trim().is_empty() {
        return Err(vec![fault(file, 1, "is empty")]);
    }
    while let Some((words, after)) = rest.split_once("{{") {
        let line = text.len() - after.len();
        let line = text[..line].matches('\n').count() + 1;
        parts.push(Part::Words(words.to_owned()));
        let Some((name, tail)) = after.split_once("}}") else {
            faults.push(fault(file, line, "{{ without }}"));
            rest = "";
            break;
        };
        match PLACEHOLDERS.iter().find(|known| **known == name.trim()) {
            Some(known) => parts.push(Part::Placeholder(known)),
            None => faults.push(fault(
                file,
                line,
                &format!(
                    "no placeholder of this name; there are {}",
                    PLACEHOLDERS.join(", ")
                ),
            )),
        }
        rest = tail;
    }
    parts.push(Part::Words(rest.to_owned()));
    if faults.is_empty() {
        Ok(parts)
    } else {
        Err(faults)
    }
}

fn fault(file: &str, line: usize, message: &str) -> Problem {
    Problem::new(
        Kind::Invalid,
        "HUB-TEXT-001",
        format!("texts/{file}:{line}: {message}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_filled_in_and_falls_back_to_swedish() {
        let files = [
            ("hej.sv.txt", "Hej\n{{given_name}} hos {{unit_name}}"),
            ("hej.en.txt", "Hi\n{{given_name}}"),
        ];
        let texts = Texts::load(files.into_iter()).expect("good texts");
        let values = |name: &str| name.to_uppercase();
        assert_eq!(
            texts.render("hej", "en", &values).expect("is there"),
            "Hi\nGIVEN_NAME"
        );
        assert_eq!(
            texts.render("hej", "fi", &values).expect("falls back"),
            "Hej\nGIVEN_NAME hos UNIT_NAME"
        );
        assert_eq!(
            texts
                .render("hopp", "sv", &values)
                .expect_err("faulty")
                .code,
            "HUB-TEXT-002"
        );
    }

    #[test]
    fn all_faults_are_told_with_their_lines() {
        let files = [
            ("a.sv.txt", "x\n{{who}}\n{{given_name"),
            ("b.txt", "y"),
            ("c.sv.txt", " "),
        ];
        let faults = Texts::load(files.into_iter()).expect_err("faulty");
        let lines: Vec<_> = faults
            .iter()
            .map(|f| f.message.split(' ').next().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(
            lines,
            [
                "texts/a.sv.txt:2:",
                "texts/a.sv.txt:3:",
                "texts/b.txt:1:",
                "texts/c.sv.txt:1:"
            ]
        );
    }
}
