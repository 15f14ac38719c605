//! The questionnaire: questions, alternatives, and what a right answer is.

mod answers;
mod load;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;

pub use answers::AnswerFault;

/// A form as the region defines it; one file in `forms/`.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FormDefinition {
    /// The form's name, as in `forms.request`.
    pub template: String,
    /// Its version.
    pub version: String,
    /// Its heading.
    pub title: String,
    /// Not the real questions.
    pub sample: bool,
    /// What the resident reads first.
    pub intro: Option<String>,
    /// Who answers.
    pub asked_by: AskedBy,
    /// In the order they are asked.
    pub questions: Vec<Question>,
}

/// Who answers a form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AskedBy {
    /// The resident, in 1177 or on paper.
    #[default]
    Resident,
    /// The leader of the dialogue, at the visit.
    Staff,
}

/// One question.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// The code that instruments read.
    pub code: String,
    /// A heading before it.
    pub section: Option<String>,
    /// The question, in Swedish.
    pub text: String,
    /// A line of help.
    pub help: Option<String>,
    /// How it is answered.
    #[serde(rename = "type")]
    pub kind: QuestionKind,
    /// To choose from, for [`QuestionKind::Radio`] and [`QuestionKind::SelectMultiple`].
    pub alternatives: Vec<Alternative>,
    /// The form cannot be sent without it.
    pub mandatory: bool,
    /// Least number.
    pub min: Option<f64>,
    /// Greatest number.
    pub max: Option<f64>,
    /// Whole numbers only.
    pub integer: bool,
    /// Unit of a number.
    pub unit: Option<String>,
    /// Most characters of a text.
    pub max_length: usize,
}

/// How a question is answered, and what its answer is in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionKind {
    /// One alternative: a string.
    Radio,
    /// Any number of alternatives: an array of strings.
    SelectMultiple,
    /// A number.
    Number,
    /// Free text: a string.
    Text,
}

/// One alternative.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    /// What is stored.
    pub value: String,
    /// What the resident reads.
    pub text: String,
}

impl FormDefinition {
    /// Reads a form from TOML.
    ///
    /// # Errors
    /// Every fault of the file, with its line.
    pub fn load(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        load::load(file, text)
    }

    /// The question with a code.
    #[must_use]
    pub fn question(&self, code: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.code == code)
    }
}
