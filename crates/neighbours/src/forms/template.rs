//! Form templates, made from a simple definition.

use serde::{Deserialize, Serialize};

/// A template with its questions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// `templateId`.
    pub id: String,
    /// `templateVersion`; the highest of one id is the newest published.
    pub version: u32,
    /// `formName`.
    pub name: String,
    /// In order.
    pub questions: Vec<Question>,
}

/// One question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// Page, from 1.
    pub page: u32,
    /// Block on the page, from 1.
    pub block: u32,
    /// `code.codeValue`, if the template has codes.
    pub code: Option<String>,
    /// The question.
    pub text: String,
    /// How it is answered.
    pub input: Input,
    /// Must be answered.
    pub mandatory: bool,
}

/// How a question is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// One of the alternatives.
    Radio(Vec<String>),
    /// Any of the alternatives.
    Checkbox(Vec<String>),
    /// A number, with its unit.
    Number {
        /// `inputUnit`.
        unit: Option<String>,
        /// `answerMin`.
        min: Option<i32>,
        /// `answerMax`.
        max: Option<i32>,
    },
    /// Free text.
    Text,
}

impl Question {
    /// A mandatory question with a code, on page 1, block 1.
    #[must_use]
    pub fn new(code: &str, text: &str, input: Input) -> Self {
        Self {
            page: 1,
            block: 1,
            code: Some(code.to_owned()),
            text: text.to_owned(),
            input,
            mandatory: true,
        }
    }

    /// The same question on another page.
    #[must_use]
    pub fn on_page(mut self, page: u32) -> Self {
        self.page = page.max(1);
        self
    }

    /// The same question, free to leave out.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.mandatory = false;
        self
    }

    /// The same question without a code.
    #[must_use]
    pub fn without_code(mut self) -> Self {
        self.code = None;
        self
    }

    pub(super) fn alternatives(&self) -> &[String] {
        match &self.input {
            Input::Radio(alternatives) | Input::Checkbox(alternatives) => alternatives,
            Input::Number { .. } | Input::Text => &[],
        }
    }

    pub(super) fn input_name(&self) -> &'static str {
        match self.input {
            Input::Radio(_) => "radio",
            Input::Checkbox(_) => "checkbox",
            Input::Number { .. } => "number",
            Input::Text => "text",
        }
    }
}

/// One answer as the engine stores it: an alternative by number, or a value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// `answerAlternativeNumber`, from 1.
    Alternative(usize),
    /// `value`.
    Value(String),
}

/// Why an answer is not accepted; names the question, never the answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AnswerError {
    /// No such form, or it is answered, cancelled or expired.
    #[error("the form is not open")]
    NotOpen,
    /// The template has no such question.
    #[error("the template has no question '{0}'")]
    NoSuchQuestion(String),
    /// A mandatory question without an answer.
    #[error("question '{0}' must be answered")]
    Missing(String),
    /// Not among the alternatives, not a number, out of range, or more than one.
    #[error("the answer to question '{0}' does not fit")]
    DoesNotFit(String),
    /// The tape could not be written.
    #[error("the tape could not be written")]
    Tape,
}

impl Template {
    /// The key under which a question is answered: its code, else `p<page>b<block>q<number>`.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.numbered()
            .map(|(number, question)| {
                let place = || format!("p{}b{}q{number}", question.page, question.block);
                question.code.clone().unwrap_or_else(place)
            })
            .collect()
    }

    /// Questions with their number within the block, from 1.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (u32, &Question)> {
        let mut last = (0, 0, 0);
        self.questions.iter().map(move |question| {
            let number = if (last.0, last.1) == (question.page, question.block) {
                last.2 + 1
            } else {
                1
            };
            last = (question.page, question.block, number);
            (number, question)
        })
    }

    /// Checks answers by key and brings them in the template's order: one list of answers per question.
    pub(super) fn accept(
        &self,
        answers: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Vec<Vec<Answer>>, AnswerError> {
        let keys = self.keys();
        if let Some(unknown) = answers.keys().find(|key| !keys.contains(key)) {
            return Err(AnswerError::NoSuchQuestion(unknown.clone()));
        }
        self.questions
            .iter()
            .zip(&keys)
            .map(|(question, key)| match answers.get(key) {
                Some(value) if !value.is_null() => {
                    accept_one(question, value).ok_or_else(|| AnswerError::DoesNotFit(key.clone()))
                }
                _ if question.mandatory => Err(AnswerError::Missing(key.clone())),
                _ => Ok(Vec::new()),
            })
            .collect()
    }
}

fn accept_one(question: &Question, value: &serde_json::Value) -> Option<Vec<Answer>> {
    let alternative = |value: &serde_json::Value| {
        let text = plain(value)?;
        question
            .alternatives()
            .iter()
            .position(|known| *known == text)
            .map(|n| Answer::Alternative(n + 1))
    };
    match (&question.input, value) {
        (Input::Radio(_), value) => Some(vec![alternative(value)?]),
        (Input::Checkbox(_), serde_json::Value::Array(values)) => {
            values.iter().map(alternative).collect()
        }
        (Input::Checkbox(_), value) => Some(vec![alternative(value)?]),
        (Input::Number { min, max, .. }, value) => {
            let text = plain(value)?;
            let number: f64 = text.parse().ok()?;
            let fits = min.is_none_or(|min| number >= f64::from(min))
                && max.is_none_or(|max| number <= f64::from(max));
            fits.then(|| vec![Answer::Value(text)])
        }
        (Input::Text, value) => Some(vec![Answer::Value(plain(value)?)]),
    }
}

fn plain(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) if !text.is_empty() => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template() -> Template {
        let radio = Input::Radio(vec!["0".into(), "1".into()]);
        let questions = vec![
            Question::new("tobak", "Röker du?", radio),
            Question::new(
                "frukt",
                "Vad äter du?",
                Input::Checkbox(vec!["frukt".into(), "fisk".into()]),
            )
            .optional(),
            Question::new(
                "",
                "Längd",
                Input::Number {
                    unit: None,
                    min: Some(50),
                    max: Some(250),
                },
            )
            .without_code()
            .on_page(2),
        ];
        Template {
            id: "T".into(),
            version: 1,
            name: "T".into(),
            questions,
        }
    }

    #[test]
    fn answers_are_checked_against_the_template() {
        let check = |answers: serde_json::Value, expect: Result<usize, AnswerError>| {
            let map = answers.as_object().cloned().unwrap_or_default();
            assert_eq!(
                template()
                    .accept(&map)
                    .map(|answers| answers.iter().map(Vec::len).sum()),
                expect,
                "{answers}"
            );
        };
        check(json!({"tobak": 1, "p2b1q1": 170}), Ok(2));
        check(
            json!({"tobak": "1", "frukt": ["frukt", "fisk"], "p2b1q1": "170.5"}),
            Ok(4),
        );
        check(
            json!({"p2b1q1": 170}),
            Err(AnswerError::Missing("tobak".into())),
        );
        check(
            json!({"tobak": 2, "p2b1q1": 170}),
            Err(AnswerError::DoesNotFit("tobak".into())),
        );
        check(
            json!({"tobak": 1, "p2b1q1": 20}),
            Err(AnswerError::DoesNotFit("p2b1q1".into())),
        );
        check(
            json!({"tobak": 1, "p2b1q1": 170, "x": 1}),
            Err(AnswerError::NoSuchQuestion("x".into())),
        );
    }
}
