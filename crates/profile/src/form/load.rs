//! TOML → form definition.

use serde::Deserialize;

use super::{Alternative, AskedBy, FormDefinition, Question, QuestionKind};
use crate::document::{Document, is_name, is_text};
use crate::fault::{FORM, Fault};

/// Most questions of a form, and most alternatives of a question.
const MOST: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    template: String,
    version: String,
    title: String,
    #[serde(default)]
    sample: bool,
    intro: Option<String>,
    #[serde(default)]
    asked_by: AskedBy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuestion {
    code: String,
    section: Option<String>,
    text: String,
    help: Option<String>,
    #[serde(rename = "type")]
    kind: QuestionKind,
    #[serde(default)]
    alternatives: Vec<Alternative>,
    #[serde(default)]
    mandatory: bool,
    min: Option<f64>,
    max: Option<f64>,
    #[serde(default)]
    integer: bool,
    unit: Option<String>,
    max_length: Option<usize>,
}

pub(super) fn load(file: &str, text: &str) -> Result<FormDefinition, Vec<Fault>> {
    let mut document = Document::open(file, text)?;
    let raw: Vec<(usize, RawQuestion)> = document.list("question");
    let Some(head) = document.head::<Head>() else {
        return document.close(None);
    };
    if !is_name(&head.template) {
        document.fault(
            0,
            FORM,
            "`template` is at most 64 of a–z, 0–9, `-` and `_`".to_owned(),
        );
    }
    let texts = [Some(&head.version), Some(&head.title), head.intro.as_ref()];
    if texts
        .into_iter()
        .flatten()
        .any(|text| text.trim().is_empty() || !is_text(text, 1000))
    {
        let message = "version, title and intro have 1 to 1000 characters";
        document.fault(0, FORM, message.to_owned());
    }
    if raw.is_empty() || raw.len() > MOST {
        document.fault(0, FORM, format!("a form has 1 to {MOST} questions"));
    }
    let mut questions = Vec::<Question>::new();
    for (at, raw) in raw {
        let question = Question {
            code: raw.code,
            section: raw.section,
            text: raw.text,
            help: raw.help,
            kind: raw.kind,
            alternatives: raw.alternatives,
            mandatory: raw.mandatory,
            min: raw.min,
            max: raw.max,
            integer: raw.integer,
            unit: raw.unit,
            max_length: raw.max_length.unwrap_or(1000),
        };
        for message in faults(&question) {
            document.fault(at, FORM, format!("question `{}`: {message}", question.code));
        }
        if questions.iter().any(|other| other.code == question.code) {
            document.fault(
                at,
                FORM,
                format!("two questions have the code `{}`", question.code),
            );
        }
        questions.push(question);
    }
    document.close(Some(FormDefinition {
        template: head.template,
        version: head.version,
        title: head.title,
        sample: head.sample,
        intro: head.intro,
        asked_by: head.asked_by,
        questions,
    }))
}

fn faults(question: &Question) -> Vec<String> {
    let mut out = Vec::new();
    let mut say = |wrong: bool, message: &str| {
        if wrong {
            out.push(message.to_owned());
        }
    };
    say(
        !is_name(&question.code),
        "a code is at most 64 of a–z, 0–9, `-` and `_`",
    );
    say(
        question.text.trim().is_empty() || !is_text(&question.text, 500),
        "the text has 1 to 500 characters",
    );
    let extra = [&question.section, &question.help, &question.unit];
    say(
        extra.into_iter().flatten().any(|text| !is_text(text, 500)),
        "section, help and unit have at most 500 characters",
    );
    let chosen = matches!(
        question.kind,
        QuestionKind::Radio | QuestionKind::SelectMultiple
    );
    let alternatives = &question.alternatives;
    say(
        chosen && (alternatives.len() < 2 || alternatives.len() > MOST),
        "at least two alternatives are wanted",
    );
    say(
        !chosen && !alternatives.is_empty(),
        "only radio and select-multiple have alternatives",
    );
    say(
        alternatives.iter().any(|one| !is_name(&one.value)),
        "a value is at most 64 of a–z, 0–9, `-` and `_`",
    );
    say(
        alternatives
            .iter()
            .any(|one| one.text.trim().is_empty() || !is_text(&one.text, 200)),
        "an alternative has a text of 1 to 200 characters",
    );
    let twice = alternatives.iter().enumerate().any(|(n, one)| {
        alternatives
            .iter()
            .take(n)
            .any(|other| other.value == one.value)
    });
    say(twice, "two alternatives have the same value");
    let bounded = question.min.is_some()
        || question.max.is_some()
        || question.integer
        || question.unit.is_some();
    say(
        bounded && question.kind != QuestionKind::Number,
        "min, max, integer and unit belong to a number",
    );
    say(
        matches!((question.min, question.max), (Some(min), Some(max)) if min > max),
        "min is greater than max",
    );
    say(
        !(1..=10_000).contains(&question.max_length),
        "max_length is 1 to 10000",
    );
    out
}
