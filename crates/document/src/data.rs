//! The data of a letter, made safe: only values, of bounded size, without characters that change how
//! text is read.

use std::collections::HashSet;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::{Map, Value, json};

use crate::error::Error;

const DEEPEST: usize = 16;
const MOST_VALUES: usize = 50_000;
const MOST_BYTES: usize = 4 << 20;

/// Keys whose value is a moment: a string in RFC 3339 or `YYYY-MM-DD` becomes its Swedish parts.
const MOMENTS: [&str; 5] = ["date", "start", "end", "deadline", "arrive"];

/// The data as the template sees it, with `date` and `language` of the letter put in.
pub(crate) fn prepare(
    data: &Value,
    date: Date,
    language: &str,
) -> Result<Map<String, Value>, Error> {
    let Value::Object(_) = data else {
        return Err(Error::Data("it is not an object"));
    };
    let zone =
        TimeZone::get("Europe/Stockholm").map_err(|_| Error::Data("the time zone is not known"))?;
    let mut budget = Budget {
        values: MOST_VALUES,
        bytes: MOST_BYTES,
        zone,
    };
    let Value::Object(mut map) = budget.clean(data, 0)? else {
        return Err(Error::Data("it is not an object"));
    };
    map.insert("date".to_owned(), parts(date.into(), false));
    map.insert("language".to_owned(), Value::from(language));
    Ok(map)
}

struct Budget {
    values: usize,
    bytes: usize,
    zone: TimeZone,
}

impl Budget {
    fn clean(&mut self, value: &Value, depth: usize) -> Result<Value, Error> {
        self.values = self
            .values
            .checked_sub(1)
            .ok_or(Error::Data("it has too many values"))?;
        if depth > DEEPEST {
            return Err(Error::Data("it is too deep"));
        }
        Ok(match value {
            Value::String(text) => Value::from(self.text(text)?),
            Value::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|item| self.clean(item, depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(map) => {
                let mut out = Map::new();
                for (key, value) in map {
                    let moment = value.as_str().filter(|_| MOMENTS.contains(&key.as_str()));
                    let value = match moment.and_then(|text| self.moment(text)) {
                        Some(parts) => parts,
                        None => self.clean(value, depth + 1)?,
                    };
                    out.insert(self.text(key)?, value);
                }
                Value::Object(out)
            }
            plain => plain.clone(),
        })
    }

    fn text(&mut self, text: &str) -> Result<String, Error> {
        self.bytes = self
            .bytes
            .checked_sub(text.len())
            .ok_or(Error::Data("it is too large"))?;
        Ok(strip(text))
    }

    fn moment(&self, text: &str) -> Option<Value> {
        if let Ok(moment) = text.parse::<Timestamp>() {
            let local: Zoned = moment.to_zoned(self.zone.clone());
            return Some(parts(local.datetime(), true));
        }
        text.parse::<Date>()
            .ok()
            .map(|date| parts(date.into(), false))
    }
}

fn parts(local: DateTime, timed: bool) -> Value {
    let mut out = json!({
        "year": local.year(),
        "month": local.month(),
        "day": local.day(),
        "weekday": local.weekday().to_monday_one_offset(),
    });
    if timed {
        out["hour"] = local.hour().into();
        out["minute"] = local.minute().into();
    }
    out
}

/// Without control characters, direction marks, zero-width and private characters and tags. Line
/// and paragraph separators become line breaks.
pub(crate) fn strip(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' => Some('\n'),
            '\t' | '\u{a0}' | '\u{202f}' | '\u{2007}' => Some(if c == '\t' { ' ' } else { c }),
            '\u{2028}' | '\u{2029}' => Some('\n'),
            c if c.is_control() => None,
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' => None,
            '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{fe00}'..='\u{fe0f}' => None,
            '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}' => None,
            c if (u32::from(c) & 0xfffe) == 0xfffe => None,
            c => Some(c),
        })
        .collect()
}

/// The words of the data, so that a message can be kept free of them.
pub(crate) fn words(data: &Map<String, Value>) -> HashSet<String> {
    fn collect(value: &Value, out: &mut HashSet<String>) {
        match value {
            Value::String(text) => out.extend(split(text).map(str::to_lowercase)),
            Value::Number(number) => out.extend(split(&number.to_string()).map(str::to_owned)),
            Value::Array(items) => items.iter().for_each(|item| collect(item, out)),
            Value::Object(map) => map.values().for_each(|value| collect(value, out)),
            Value::Null | Value::Bool(_) => {}
        }
    }
    let mut out = HashSet::new();
    data.values().for_each(|value| collect(value, &mut out));
    out
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// A message of the typesetter without anything from the data: quoted text is kept only if the
/// template itself holds it, and words of the data are left out wherever they stand.
pub(crate) fn censor(message: &str, template: &str, data: &Map<String, Value>) -> String {
    let words = words(data);
    let mut out = String::with_capacity(message.len());
    // `"…"` within backticks is one quotation, so a run of marks counts as one.
    let message = message.replace("`\"", "`").replace("\"`", "`");
    for (index, piece) in message.split(['"', '`']).enumerate() {
        let quoted = index % 2 == 1;
        if index > 0 {
            out.push('"');
        }
        if quoted && !template.contains(piece) {
            out.push('…');
            continue;
        }
        let mut rest = piece;
        while let Some(start) = rest.find(char::is_alphanumeric) {
            let (before, tail) = rest.split_at(start);
            let end = tail
                .find(|c: char| !c.is_alphanumeric())
                .unwrap_or(tail.len());
            let (word, after) = tail.split_at(end);
            out.push_str(before);
            out.push_str(if words.contains(&word.to_lowercase()) {
                "…"
            } else {
                word
            });
            rest = after;
        }
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(data: Value) -> Map<String, Value> {
        prepare(&data, "2026-03-02".parse().unwrap(), "sv").unwrap()
    }

    #[test]
    fn moments_become_swedish_time() {
        let data =
            check(json!({ "start": "2026-04-21T07:30:00Z", "in": { "deadline": "2026-01-31" } }));
        assert_eq!(
            data["start"],
            json!({ "year": 2026, "month": 4, "day": 21, "weekday": 2, "hour": 9, "minute": 30 })
        );
        assert_eq!(
            data["in"]["deadline"],
            json!({ "year": 2026, "month": 1, "day": 31, "weekday": 6 })
        );
        assert_eq!(data["date"]["day"], 2);
        assert_eq!(data["language"], "sv");
    }

    #[test]
    fn the_night_of_winter_time_has_its_own_hours() {
        let hour = |text: &str| check(json!({ "start": text }))["start"]["hour"].clone();
        assert_eq!(
            (hour("2026-10-25T00:30:00Z"), hour("2026-10-25T01:30:00Z")),
            (json!(2), json!(2))
        );
        assert_eq!(hour("2026-03-29T01:00:00Z"), json!(3));
    }

    #[test]
    fn direction_marks_and_controls_are_stripped() {
        assert_eq!(
            strip("Å\u{202e}nna\u{0}\u{1b}[2J\u{200b}\u{feff}\u{2066}\tÖ\r\n"),
            "Ånna[2J Ö\n"
        );
        assert_eq!(
            strip("e\u{301} ﬁ 漢 😀\u{e0041}\u{ffff}\u{e000}"),
            "e\u{301} ﬁ 漢 😀"
        );
    }

    #[test]
    fn limits_hold() {
        let mut deep = json!(1);
        for _ in 0..20 {
            deep = json!([deep]);
        }
        let date = "2026-03-02".parse().unwrap();
        for bad in [
            json!([]),
            json!({ "a": deep }),
            json!({ "a": vec![0; 60_000] }),
            json!({ "a": "x".repeat(5 << 20) }),
        ] {
            assert!(matches!(prepare(&bad, date, "sv"), Err(Error::Data(_))));
        }
    }

    #[test]
    fn a_message_holds_nothing_of_the_data() {
        let data = check(json!({ "name": "Anna Öberg", "age": 47 }));
        let template = "#data.at(\"unit\")";
        assert_eq!(
            censor("dictionary does not contain key \"unit\"", template, &data),
            "dictionary does not contain key \"unit\""
        );
        assert_eq!(
            censor("cannot convert \"Anna\" to integer", template, &data),
            "cannot convert \"…\" to integer"
        );
        assert_eq!(
            censor("the text `\"An\"` is", template, &data),
            "the text \"…\" is"
        );
        assert_eq!(
            censor("no ÖBERG aged 47 here", template, &data),
            "no … aged … here"
        );
    }
}
