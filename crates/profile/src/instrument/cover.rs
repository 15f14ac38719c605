//! Do the instrument and the forms fit each other?

use super::check::bare;
use super::{Instrument, Part, Reads, Test};
use crate::fault::{COVER, Fault};
use crate::form::{FormDefinition, Question, QuestionKind};

/// Questions that an instrument reads and no form asks, and answers that it has no level or number for.
#[must_use]
pub fn uncovered(instrument: &Instrument, forms: &[FormDefinition]) -> Vec<Fault> {
    let mut out = Vec::new();
    for axis in &instrument.axes {
        for part in axis.tables.iter().flat_map(|table| &table.parts) {
            for (code, numbers) in codes(part) {
                let mut say = |message: String| {
                    let message = format!("axis `{}` reads `{code}`, {message}", axis.id);
                    out.push(Fault {
                        file: instrument.id.clone(),
                        line: 0,
                        code: COVER,
                        message,
                    });
                };
                let Some(question) = find(forms, code) else {
                    say("which no form asks".to_owned());
                    continue;
                };
                if matches!(question.kind, QuestionKind::Number | QuestionKind::Text) {
                    continue;
                }
                for alternative in &question.alternatives {
                    let known = if numbers {
                        instrument
                            .values
                            .get(bare(code))
                            .is_some_and(|map| map.contains_key(&alternative.value))
                    } else {
                        part.knows(&alternative.value)
                    };
                    if !known {
                        say(format!(
                            "but has nothing for the answer `{}`",
                            alternative.value
                        ));
                    }
                }
            }
        }
    }
    out.sort();
    out.dedup();
    out
}

fn codes(part: &Part) -> Vec<(&str, bool)> {
    let by_number = part
        .rules
        .iter()
        .any(|rule| matches!(rule.test, Test::Limits { .. }));
    match &part.reads {
        Reads::Form(code) => vec![(code, by_number)],
        Reads::Sum(terms) => terms
            .iter()
            .map(|term| (term.form.as_str(), true))
            .collect(),
        Reads::Observation(_) | Reads::Derived(_) => Vec::new(),
    }
}

fn find<'f>(forms: &'f [FormDefinition], code: &str) -> Option<&'f Question> {
    let (template, code) = code
        .rsplit_once('.')
        .map_or((None, code), |(form, code)| (Some(form), code));
    forms
        .iter()
        .filter(|form| template.is_none_or(|name| name == form.template))
        .find_map(|form| form.questions.iter().find(|question| question.code == code))
}

impl Part {
    /// Whether an answer has a level or is known to have none.
    fn knows(&self, answer: &str) -> bool {
        let listed = |rule: &super::Rule| match &rule.test {
            Test::Is(answers) => answers.iter().any(|one| one == answer),
            Test::Otherwise => true,
            Test::Limits { .. } => false,
        };
        self.undecided.iter().any(|one| one == answer) || self.rules.iter().any(listed)
    }
}
