//! Answered forms as QuestionnaireResponses.

use halsonav_domain::{Kind, Problem};
use halsonav_fhir::{Answer, Item, QuestionnaireResponse, Reference, clean};
use serde_json::Value;

/// One form: the resource, and its answers in rows (form, question, answer).
pub(crate) struct Form {
    pub resource: QuestionnaireResponse,
    pub rows: Vec<Vec<String>>,
}

/// Template → (question code → value). Forms without answers are left out.
pub(crate) fn forms(
    forms: &Value,
    subject: &Reference,
    canonical: Option<&str>,
) -> Result<Vec<Form>, Problem> {
    let templates = match forms {
        Value::Null => return Ok(Vec::new()),
        Value::Object(templates) => templates,
        _ => return Err(invalid("forms is not an object")),
    };
    let mut found = Vec::with_capacity(templates.len());
    for (template, answers) in templates {
        let answers = match answers {
            Value::Null => continue,
            Value::Object(answers) => answers,
            _ => return Err(invalid("the answers of a form are not an object")),
        };
        let mut item = Vec::with_capacity(answers.len());
        let mut rows = Vec::with_capacity(answers.len());
        for (question, value) in answers {
            let answer = answers_of(value)?;
            let (Some(link_id), false) = (clean(question), answer.is_empty()) else {
                continue;
            };
            let shown: Vec<_> = answer.iter().map(show).collect();
            rows.push(vec![template.clone(), link_id.clone(), shown.join(", ")]);
            item.push(Item { link_id, answer });
        }
        if item.is_empty() {
            continue;
        }
        let resource = QuestionnaireResponse {
            questionnaire: canonical.map(|before| format!("{before}{template}")),
            status: "completed",
            subject: subject.clone(),
            source: Some(subject.clone()),
            item,
        };
        found.push(Form { resource, rows });
    }
    Ok(found)
}

/// A string, a number, a yes or no, or a list of them.
fn answers_of(value: &Value) -> Result<Vec<Answer>, Problem> {
    let single = |value: &Value| match value {
        Value::Null => Ok(None),
        Value::Bool(yes) => Ok(Some(Answer::Boolean(*yes))),
        Value::Number(number) => match number.as_i64().map(i32::try_from) {
            Some(Ok(integer)) => Ok(Some(Answer::Integer(integer))),
            _ => Ok(number.as_f64().map(Answer::Decimal)),
        },
        Value::String(text) => Ok(clean(text).map(Answer::Text)),
        Value::Array(_) | Value::Object(_) => Err(invalid(
            "an answer is neither text, number, yes or no, nor a list of them",
        )),
    };
    match value {
        Value::Array(values) => values
            .iter()
            .filter_map(|value| single(value).transpose())
            .collect(),
        value => Ok(single(value)?.into_iter().collect()),
    }
}

fn show(answer: &Answer) -> String {
    match answer {
        Answer::Boolean(true) => "ja".to_owned(),
        Answer::Boolean(false) => "nej".to_owned(),
        Answer::Integer(number) => number.to_string(),
        Answer::Decimal(number) => number.to_string().replace('.', ","),
        Answer::Text(text) => text.clone(),
    }
}

fn invalid(message: &str) -> Problem {
    Problem::new(Kind::Invalid, "HUB-JOURNAL-015", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(value: Value, expect: Option<Vec<Answer>>) {
        assert_eq!(answers_of(&value).ok(), expect, "{value}");
    }

    #[test]
    fn answers_keep_their_type() {
        check(json!("a"), Some(vec![Answer::Text("a".into())]));
        check(json!(" "), Some(vec![]));
        check(json!(3), Some(vec![Answer::Integer(3)]));
        check(json!(3.5), Some(vec![Answer::Decimal(3.5)]));
        check(json!(5_000_000_000_u64), Some(vec![Answer::Decimal(5e9)]));
        check(json!(null), Some(vec![]));
        check(
            json!(["a", null, "b"]),
            Some(vec![Answer::Text("a".into()), Answer::Text("b".into())]),
        );
        check(json!([["a"]]), None);
        check(json!({ "a": 1 }), None);
    }
}
