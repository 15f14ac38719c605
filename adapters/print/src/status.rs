//! The vendor's status files, and what their words mean as events.

use halsonav_domain::{
    CaseId, CommandId, Envelope, Timestamp,
    event::{Event, LetterAccepted, LetterDispatched, LetterRejected, LetterReturned},
};
use serde::Deserialize;

use crate::error::Error;

/// The most lines we take from one file.
const LINES: usize = 100_000;
/// The longest code of a vendor that we pass on.
const CODE: usize = 40;

/// What the vendor says of a letter.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line {
    pub letter_id: CommandId,
    pub status: Status,
    /// Why: `R01`…`R10` for a return, the vendor's own for a rejection.
    #[serde(default)]
    pub code: Option<String>,
    pub time: Timestamp,
}

/// How far a letter has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Status {
    Accepted,
    Rejected,
    Printed,
    Enclosed,
    Dispatched,
    Delivered,
    Returned,
    Failed,
    Cancelled,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    job_id: Option<String>,
    letters: Vec<Line>,
}

/// The lines of a status file, JSON or CSV by its name.
pub(crate) fn parse(name: &str, bytes: &[u8]) -> Result<Vec<Line>, Error> {
    let wrong = || Error::NotAsAgreed("a status file cannot be read");
    let lines = if name.ends_with(".csv") {
        csv_lines(bytes).ok_or_else(wrong)?
    } else {
        let file: File = serde_json::from_slice(bytes).map_err(|_| wrong())?;
        if file.letters.is_empty() && file.job_id.is_some() {
            return Err(Error::NotAsAgreed(
                "a job is refused, but not which letters",
            ));
        }
        file.letters
    };
    if lines.is_empty() || lines.len() > LINES {
        return Err(wrong());
    }
    Ok(lines)
}

fn csv_lines(bytes: &[u8]) -> Option<Vec<Line>> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let head = bytes.split(|byte| *byte == b'\n').next()?;
    let delimiter = if head.contains(&b';') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(bytes);
    reader
        .deserialize()
        .take(LINES + 1)
        .collect::<Result<_, _>>()
        .ok()
}

impl Line {
    /// Whether it makes sense only after the letter was handed to the post.
    pub fn needs_dispatch(&self) -> bool {
        matches!(self.status, Status::Returned | Status::Delivered)
    }

    /// The code, if it is one: letters, digits, `-`, `_` and `.`, so that no text about a person
    /// can come along.
    fn code(&self) -> String {
        let code = self.code.as_deref().unwrap_or_default().trim();
        let is_code = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let digits = code.chars().filter(char::is_ascii_digit).count();
        if code.is_empty() || code.len() > CODE || digits > 5 || !code.chars().all(is_code) {
            return "unknown".to_owned();
        }
        code.to_owned()
    }

    /// The fact it means for the letter's case; the steps in between mean none.
    pub fn fact(&self, case: CaseId) -> Option<Envelope> {
        let letter_id = self.letter_id.to_string();
        let (kind, data) = match self.status {
            Status::Accepted => {
                let fact = LetterAccepted { letter_id };
                (LetterAccepted::TYPE, fact.data())
            }
            Status::Dispatched => {
                let fact = LetterDispatched { letter_id };
                (LetterDispatched::TYPE, fact.data())
            }
            Status::Returned => {
                let fact = LetterReturned {
                    letter_id,
                    code: self.code(),
                };
                (LetterReturned::TYPE, fact.data())
            }
            // We recalled it ourselves; whoever did has been answered.
            Status::Cancelled if self.code.as_deref() == Some("RECALLED") => return None,
            // Whatever the vendor calls it, this letter will not be posted.
            Status::Rejected | Status::Failed | Status::Cancelled => {
                let code = match (self.status, self.code()) {
                    (Status::Failed, code) if code == "unknown" => "FAILED".to_owned(),
                    (Status::Cancelled, code) if code == "unknown" => "CANCELLED".to_owned(),
                    (_, code) => code,
                };
                let fact = LetterRejected { letter_id, code };
                (LetterRejected::TYPE, fact.data())
            }
            Status::Printed | Status::Enclosed | Status::Delivered => return None,
        };
        // The same fact has the same id, however often the vendor tells it.
        let id = format!("{}:{kind}", self.letter_id);
        Some(Envelope::new(
            "/adapters/print",
            id,
            kind,
            Some(case),
            self.time,
            data,
        ))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const ID: &str = "00000000-0000-0000-0000-000000000001";

    fn line(status: &str, code: &str) -> Line {
        let json = format!(
            r#"{{"letters":[{{"letterId":"{ID}","status":"{status}","code":"{code}","time":"2026-09-01T10:00:00Z"}}]}}"#
        );
        parse("a.json", json.as_bytes()).expect("reads").remove(0)
    }

    fn check(status: &str, code: &str, expect: Option<(&str, Option<&str>)>) {
        let fact = line(status, code).fact(CaseId(Uuid::from_u128(7)));
        let found = fact
            .as_ref()
            .map(|fact| (fact.kind.as_str(), fact.data["code"].as_str()));
        assert_eq!(found, expect, "{status} {code}");
    }

    #[test]
    fn words_become_facts() {
        check("ACCEPTED", "", Some(("letter.accepted", None)));
        check("PRINTED", "", None);
        check("ENCLOSED", "", None);
        check("DELIVERED", "", None);
        check("DISPATCHED", "", Some(("letter.dispatched", None)));
        check("RETURNED", "R09", Some(("letter.returned", Some("R09"))));
        check("REJECTED", "HASH", Some(("letter.rejected", Some("HASH"))));
        check("FAILED", "", Some(("letter.rejected", Some("FAILED"))));
        check("CANCELLED", "STOP", Some(("letter.rejected", Some("STOP"))));
        check("CANCELLED", "RECALLED", None);
    }

    #[test]
    fn text_about_a_person_is_no_code() {
        check(
            "REJECTED",
            "191212121212",
            Some(("letter.rejected", Some("unknown"))),
        );
        check(
            "RETURNED",
            "Tolvan Tolvansson",
            Some(("letter.returned", Some("unknown"))),
        );
    }

    #[test]
    fn a_table_says_the_same_as_json() {
        for table in [
            format!("letterId;status;code;time\r\n{ID};RETURNED;R01;2026-09-01T10:00:00Z\r\n"),
            format!("\u{feff}letterId,status,code,time\n{ID},RETURNED,R01,2026-09-01T10:00:00Z\n"),
        ] {
            let lines = parse("a.csv", table.as_bytes()).expect("reads");
            assert_eq!(lines, [line("RETURNED", "R01")]);
        }
        let bare = format!("letterId;status;time\n{ID};ACCEPTED;2026-09-01T10:00:00Z\n");
        assert_eq!(
            parse("a.csv", bare.as_bytes()).expect("reads")[0].code,
            None
        );
    }

    #[test]
    fn nonsense_is_refused() {
        let bad = [
            ("a.json", ""),
            ("a.json", "{}"),
            ("a.json", r#"{"letters":[]}"#),
            (
                "a.json",
                r#"{"letters":[{"letterId":"x","status":"ACCEPTED","time":"2026-09-01T10:00:00Z"}]}"#,
            ),
            ("a.csv", ""),
            ("a.csv", "letterId;status;code;time\n"),
            (
                "a.csv",
                "letterId;status;time\n00000000-0000-0000-0000-000000000001;LOST;2026-09-01T10:00:00Z\n",
            ),
        ];
        for (name, text) in bad {
            assert!(parse(name, text.as_bytes()).is_err(), "{name}: {text}");
        }
    }
}
