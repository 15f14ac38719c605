//! A form's pages to answers: question → value.
//!
//! A question is known by its code; where the template has none, by its place, `p2b1q3` (page,
//! block, question). A choice has the value of the chosen alternative (its code, if alternatives
//! are coded), several choices are a list, a number is a number.

use halsonav_rivta::xml::{Element, Error};
use serde_json::{Map, Number, Value};

use crate::translate::TYPES;

/// Reads the answers of a `FormType`. Questions without an answer are left out.
pub(crate) fn answers(form: &Element) -> Result<Value, Error> {
    let mut answers = Map::new();
    // A page may stand in both places; what is in answeredPages is what was saved.
    let pages = form
        .all(TYPES, "currentPage")
        .chain(form.all(TYPES, "answeredPages"));
    for page in pages {
        let number = page.require_text(TYPES, "pageNumber")?;
        for block in page.all(TYPES, "questionBlocks") {
            let place = format!("p{number}b{}", block.require_text(TYPES, "blockNumber")?);
            for question in block.all(TYPES, "questions") {
                if let Some(value) = value(question) {
                    answers.insert(key(question, &place)?, value);
                }
            }
        }
    }
    Ok(Value::Object(answers))
}

fn key(question: &Element, place: &str) -> Result<String, Error> {
    let code = question
        .child(TYPES, "code")
        .and_then(|code| code.text_of(TYPES, "codeValue"));
    match code {
        Some(code) => Ok(code.to_owned()),
        None => Ok(format!(
            "{place}q{}",
            question.require_text(TYPES, "questionNumber")?
        )),
    }
}

fn value(question: &Element) -> Option<Value> {
    let mut given = question
        .all(TYPES, "answers")
        .filter_map(|answer| one(question, answer));
    match question
        .text_of(TYPES, "input")
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "checkbox" | "selectmultiple" => Some(given.map(Value::String).collect::<Vec<_>>())
            .filter(|list| !list.is_empty())
            .map(Value::Array),
        "number" | "range" => given
            .next()
            .map(|text| number(&text).map_or(Value::String(text), Value::Number)),
        _ => {
            let first = given.next().map(Value::String)?;
            let mut rest = given.map(Value::String).peekable();
            Some(if rest.peek().is_none() {
                first
            } else {
                Value::Array(std::iter::once(first).chain(rest).collect())
            })
        }
    }
}

/// One answer: the alternative it points at, otherwise its own text.
fn one(question: &Element, answer: &Element) -> Option<String> {
    let own = || answer.text_of(TYPES, "value").map(str::to_owned);
    let Some(number) = answer.text_of(TYPES, "answerAlternativeNumber") else {
        return own();
    };
    let mut alternatives = question.all(TYPES, "answerAlternatives");
    let chosen = alternatives
        .find(|alternative| alternative.text_of(TYPES, "answerAlternativeNumber") == Some(number));
    let chosen = chosen.and_then(|alternative| {
        let code = alternative
            .child(TYPES, "code")
            .and_then(|code| code.text_of(TYPES, "codeValue"));
        code.or_else(|| alternative.text_of(TYPES, "alternativeValue"))
    });
    // An alternative that is not listed still says something by its number.
    chosen
        .map(str::to_owned)
        .or_else(own)
        .or_else(|| Some(number.to_owned()))
}

/// `3`, `3.5` and the Swedish `3,5`.
fn number(text: &str) -> Option<Number> {
    let text = text.replace(',', ".");
    match text.parse::<i64>() {
        Ok(whole) => Some(whole.into()),
        Err(_) => text.parse::<f64>().ok().and_then(Number::from_f64),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form(questions: &str) -> Element {
        let xml = format!(
            "<form xmlns='{TYPES}'><answeredPages><questionBlocks><blockNumber>1</blockNumber>{questions}</questionBlocks>\
             <pageNumber>2</pageNumber></answeredPages></form>"
        );
        Element::parse(&xml).expect("reads")
    }

    fn check(questions: &str, expect: Value) {
        assert_eq!(answers(&form(questions)), Ok(expect), "{questions}");
    }

    const ALTERNATIVES: &str = "<answerAlternatives><alternativeValue>Aldrig</alternativeValue><answerAlternativeNumber>1</answerAlternativeNumber>\
        </answerAlternatives><answerAlternatives><alternativeValue>Dagligen</alternativeValue><answerAlternativeNumber>2</answerAlternativeNumber>\
        <code><codeValue>daily</codeValue><codeSystem>x</codeSystem></code></answerAlternatives>";
    const CODE: &str = "<code><codeValue>tobak</codeValue><codeSystem>x</codeSystem></code>";

    fn chosen(input: &str, numbers: &[u32]) -> String {
        let answers: String = numbers
            .iter()
            .map(|n| {
                format!("<answers><answerAlternativeNumber>{n}</answerAlternativeNumber></answers>")
            })
            .collect();
        format!(
            "<questions>{answers}{ALTERNATIVES}{CODE}<input>{input}</input><questionNumber>1</questionNumber></questions>"
        )
    }

    #[test]
    fn a_choice_has_the_value_of_its_alternative() {
        check(&chosen("radio", &[1]), json!({ "tobak": "Aldrig" }));
        check(&chosen("select", &[2]), json!({ "tobak": "daily" }));
        check(&chosen("radio", &[9]), json!({ "tobak": "9" }));
    }

    #[test]
    fn several_choices_are_a_list_also_when_there_is_one() {
        check(
            &chosen("checkbox", &[1, 2]),
            json!({ "tobak": ["Aldrig", "daily"] }),
        );
        check(
            &chosen("selectMultiple", &[1]),
            json!({ "tobak": ["Aldrig"] }),
        );
        check(&chosen("checkbox", &[]), json!({}));
        check(
            &chosen("MatrixRadio", &[1, 2]),
            json!({ "tobak": ["Aldrig", "daily"] }),
        );
    }

    #[test]
    fn numbers_are_numbers_and_text_is_text() {
        let written = |input: &str, value: &str| {
            format!(
                "<questions><answers><value>{value}</value></answers><input>{input}</input><questionNumber>3</questionNumber></questions>"
            )
        };
        check(&written("number", "170"), json!({ "p2b1q3": 170 }));
        check(&written("number", "70,5"), json!({ "p2b1q3": 70.5 }));
        check(&written("number", "inf"), json!({ "p2b1q3": "inf" }));
        check(&written("text", "170"), json!({ "p2b1q3": "170" }));
        check(&written("text", " "), json!({}));
    }

    #[test]
    fn a_question_without_a_place_is_an_error() {
        let nowhere =
            "<questions><answers><value>1</value></answers><input>text</input></questions>";
        assert_eq!(
            answers(&form(nowhere)),
            Err(Error::Missing("questionNumber".into()))
        );
    }
}
