//! Are these answers to this form?

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{FormDefinition, Question, QuestionKind};
use crate::document::is_name;

/// One thing wrong with a set of answers. Never holds an answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AnswerFault {
    /// Stable code, `HUB-FORM-…`.
    pub code: &'static str,
    /// The question.
    pub question: String,
    /// What is wanted.
    pub message: String,
}

impl fmt::Display for AnswerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.code, self.question, self.message)
    }
}

impl std::error::Error for AnswerFault {}

const SHAPE: &str = "HUB-FORM-010";
const UNKNOWN: &str = "HUB-FORM-011";
const MISSING: &str = "HUB-FORM-012";
const ANSWER: &str = "HUB-FORM-013";
/// More unknown codes than these are not listed.
const LISTED: usize = 100;

impl FormDefinition {
    /// Checks answers, given as question code → answer; `null` is no answer.
    ///
    /// # Errors
    /// Everything that is wrong: `HUB-FORM-010` no object, `011` no such question, `012` a mandatory
    /// answer is missing, `013` not an answer to the question.
    pub fn validate(&self, answers: &Value) -> Result<(), Vec<AnswerFault>> {
        let Some(answers) = answers.as_object() else {
            let message = "answers are an object of question code and answer".to_owned();
            return Err(vec![AnswerFault {
                code: SHAPE,
                question: String::new(),
                message,
            }]);
        };
        let mut faults = self.strangers(answers);
        for question in &self.questions {
            let answer = answers
                .get(&question.code)
                .filter(|answer| !answer.is_null());
            let fault = match answer {
                None if question.mandatory => Some((MISSING, "an answer is wanted".to_owned())),
                None => None,
                Some(answer) => question
                    .check(answer)
                    .err()
                    .map(|message| (ANSWER, message)),
            };
            if let Some((code, message)) = fault {
                faults.push(AnswerFault {
                    code,
                    question: question.code.clone(),
                    message,
                });
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    fn strangers(&self, answers: &Map<String, Value>) -> Vec<AnswerFault> {
        let unknown = answers
            .keys()
            .filter(|code| self.question(code).is_none())
            .take(LISTED);
        unknown
            .map(|code| AnswerFault {
                code: UNKNOWN,
                // What is no code may be anything, so it is not repeated.
                question: if is_name(code) {
                    code.clone()
                } else {
                    "?".to_owned()
                },
                message: "the form has no such question".to_owned(),
            })
            .collect()
    }
}

impl Question {
    fn check(&self, answer: &Value) -> Result<(), String> {
        match self.kind {
            QuestionKind::Radio => match answer.as_str() {
                Some(value) if self.has(value) => Ok(()),
                _ => Err("one of the alternatives is wanted, as a string".to_owned()),
            },
            QuestionKind::SelectMultiple => self.check_many(answer),
            QuestionKind::Number => self.check_number(answer),
            QuestionKind::Text => self.check_text(answer),
        }
    }

    fn has(&self, value: &str) -> bool {
        self.alternatives
            .iter()
            .any(|alternative| alternative.value == value)
    }

    fn check_many(&self, answer: &Value) -> Result<(), String> {
        let wanted =
            "alternatives, each at most once, are wanted as an array of strings".to_owned();
        let Some(items) = answer.as_array() else {
            return Err(wanted);
        };
        if items.len() > self.alternatives.len() {
            return Err(wanted);
        }
        if items.is_empty() && self.mandatory {
            return Err("at least one alternative is wanted".to_owned());
        }
        let right = items.iter().enumerate().all(|(n, item)| {
            item.as_str().is_some_and(|value| self.has(value))
                && !items.iter().take(n).any(|other| other == item)
        });
        if right { Ok(()) } else { Err(wanted) }
    }

    fn check_number(&self, answer: &Value) -> Result<(), String> {
        let Some(number) = answer.as_f64() else {
            return Err("a number is wanted".to_owned());
        };
        if self.integer && number.fract() != 0.0 {
            return Err("a whole number is wanted".to_owned());
        }
        match (self.min, self.max) {
            (Some(min), _) if number < min => Err(format!("at least {min} is wanted")),
            (_, Some(max)) if number > max => Err(format!("at most {max} is wanted")),
            _ => Ok(()),
        }
    }

    fn check_text(&self, answer: &Value) -> Result<(), String> {
        let Some(text) = answer.as_str() else {
            return Err("a text is wanted".to_owned());
        };
        if text.chars().count() > self.max_length {
            return Err(format!("at most {} characters are wanted", self.max_length));
        }
        if text.trim().is_empty() && self.mandatory {
            return Err("an answer is wanted".to_owned());
        }
        if text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        {
            return Err("control characters are not allowed".to_owned());
        }
        Ok(())
    }
}
