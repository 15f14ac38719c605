//! Events and commands as records: CloudEvents in the binary mode of the Kafka protocol binding,
//! the same on both buses, keyed by the case.
//!
//! | header | event | command |
//! |---|---|---|
//! | `content-type` | `application/json` | the same |
//! | `ce_specversion` | `1.0` | the same |
//! | `ce_id`, `ce_source`, `ce_type`, `ce_time` | as in the envelope | command id, `/engine`, kind, when it was decided |
//! | `ce_subject` | the case, if it concerns one | the case |
//! | `ce_correlationkey` | if it has one | – |
//! | `traceparent` | W3C trace context, if it has one | the same |
//!
//! The value is the event's `data`, or the whole command: who carries a command out needs nothing
//! but the value, and the headers let others route and trace it. What others write may also be in
//! structured mode (`application/cloudevents+json`): an envelope as JSON, or one with a command as
//! its `data`.

use halsonav_domain::{Command, Envelope, Timestamp, trace::TRACEPARENT};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Record};

/// Media type of data in binary mode.
pub const JSON: &str = "application/json";
/// Media type of an event in structured mode.
pub const STRUCTURED: &str = "application/cloudevents+json";
/// Bytes that an id, a source, a type, a correlation key or a trace context may have.
pub const ATTRIBUTE_BYTES: usize = 256;

const VERSION: &str = "1.0";
/// Who decides on commands.
const ENGINE: &str = "/engine";

/// An event, for [`halsonav_domain::Topic::Events`] or `Documentation`.
///
/// # Errors
/// [`Error::Decode`] when it breaks a rule of CloudEvents or a limit, so that nobody could read it.
pub fn event(envelope: &Envelope) -> Result<Record, Error> {
    let expected = "an event";
    check(expected, envelope)?;
    let mut record = Record::new(
        envelope.key(),
        write(expected, &envelope.data)?,
        envelope.time,
    );
    let mut header = |name: &str, value: &str| {
        record.headers.push((name.to_owned(), value.to_owned()));
    };
    header("content-type", JSON);
    header("ce_specversion", VERSION);
    header("ce_id", &envelope.id);
    header("ce_source", &envelope.source);
    header("ce_type", &envelope.kind);
    header("ce_time", &envelope.time.to_string());
    if let Some(case) = envelope.key() {
        header("ce_subject", &case);
    }
    if let Some(key) = &envelope.correlationkey {
        header("ce_correlationkey", key);
    }
    if let Some(trace) = envelope.traceparent.as_ref().filter(|t| fits(t)) {
        header(TRACEPARENT, trace);
    }
    Ok(record)
}

/// Reads an event, in binary or structured mode.
///
/// # Errors
/// [`Error::Decode`], without any of the content.
pub fn read_event(record: &Record) -> Result<Envelope, Error> {
    let expected = "an event";
    let mut envelope = match mode(expected, record)? {
        Mode::Structured => read(expected, &record.value)?,
        Mode::Binary => from_headers(expected, record)?,
    };
    // A trace that nobody can follow is no reason to lose a fact.
    envelope.traceparent = envelope.traceparent.filter(|trace| fits(trace));
    check(expected, &envelope)?;
    Ok(envelope)
}

/// A command, for [`halsonav_domain::Topic::Commands`] of its adapter.
///
/// # Errors
/// [`Error::Decode`] when it cannot be JSON, or breaks a limit.
pub fn command(command: &Command) -> Result<Record, Error> {
    let data = serde_json::to_value(command).map_err(|error| decode("a command", &error))?;
    let mut envelope = Envelope::new(
        ENGINE,
        command.id.to_string(),
        command.kind.as_str(),
        Some(command.case),
        command.issued,
        data,
    );
    envelope.traceparent = command.headers.get(TRACEPARENT).cloned();
    event(&envelope)
}

/// Reads a command. Its headers repeat what the value says and are not looked at.
///
/// # Errors
/// [`Error::Decode`], without any of the content.
pub fn read_command(record: &Record) -> Result<Command, Error> {
    let expected = "a command";
    match mode(expected, record)? {
        Mode::Binary => read(expected, &record.value),
        Mode::Structured => {
            let envelope: Envelope = read(expected, &record.value)?;
            serde_json::from_value(envelope.data).map_err(|error| decode(expected, &error))
        }
    }
}

enum Mode {
    Binary,
    Structured,
}

/// How the record is written, by its content type. Data that is not JSON cannot be read.
fn mode(expected: &'static str, record: &Record) -> Result<Mode, Error> {
    let Some(media) = record.header("content-type") else {
        return Ok(Mode::Binary);
    };
    let media = media.split(';').next().unwrap_or("").trim();
    let is = |wanted: &str| media.eq_ignore_ascii_case(wanted);
    let suffix = media.len().saturating_sub("+json".len());
    if is(STRUCTURED) {
        Ok(Mode::Structured)
    } else if is(JSON)
        || media
            .get(suffix..)
            .is_some_and(|end| end.eq_ignore_ascii_case("+json"))
    {
        Ok(Mode::Binary)
    } else {
        Err(fault(expected, "its content type is not JSON"))
    }
}

fn from_headers(expected: &'static str, record: &Record) -> Result<Envelope, Error> {
    let required = |name: &'static str| {
        record
            .header(name)
            .ok_or_else(|| fault(expected, format!("header {name} is missing")))
    };
    let malformed = |name: &str| fault(expected, format!("header {name} is malformed"));
    let text = |name: &str| record.header(name).map(str::to_owned);
    let subject = record.header("ce_subject").map(str::parse).transpose();
    Ok(Envelope {
        specversion: required("ce_specversion")?.to_owned(),
        id: required("ce_id")?.to_owned(),
        source: required("ce_source")?.to_owned(),
        kind: required("ce_type")?.to_owned(),
        subject: subject.map_err(|_| malformed("ce_subject"))?,
        time: required("ce_time")?
            .parse::<Timestamp>()
            .map_err(|_| malformed("ce_time"))?,
        correlationkey: text("ce_correlationkey"),
        traceparent: text("traceparent").or_else(|| text("ce_traceparent")),
        data: match record.value.is_empty() {
            true => serde_json::Value::Null,
            false => read(expected, &record.value)?,
        },
    })
}

/// What JSON alone does not say.
fn check(expected: &'static str, envelope: &Envelope) -> Result<(), Error> {
    if envelope.specversion != VERSION {
        return Err(fault(expected, "specversion is not 1.0"));
    }
    let attributes = [
        ("id", Some(&envelope.id)),
        ("source", Some(&envelope.source)),
        ("type", Some(&envelope.kind)),
        ("correlationkey", envelope.correlationkey.as_ref()),
    ];
    for (name, value) in attributes {
        if value.is_some_and(|value| value.is_empty() || !fits(value)) {
            let reason =
                format!("{name} is empty, over {ATTRIBUTE_BYTES} bytes or has control characters");
            return Err(fault(expected, reason));
        }
    }
    Ok(())
}

/// Attributes go into rows, logs and headers.
fn fits(attribute: &str) -> bool {
    attribute.len() <= ATTRIBUTE_BYTES && !attribute.chars().any(char::is_control)
}

fn write<T: Serialize>(expected: &'static str, value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| decode(expected, &error))
}

fn read<T: DeserializeOwned>(expected: &'static str, value: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(value).map_err(|error| decode(expected, &error))
}

/// serde's own message may repeat a value, so only the kind of fault and its place are kept.
fn decode(expected: &'static str, error: &serde_json::Error) -> Error {
    let what = match error.classify() {
        serde_json::error::Category::Io => "input",
        serde_json::error::Category::Syntax => "syntax",
        serde_json::error::Category::Data => "shape",
        serde_json::error::Category::Eof => "end of text",
    };
    let reason = format!("{what}, line {} column {}", error.line(), error.column());
    fault(expected, reason)
}

fn fault(expected: &'static str, reason: impl Into<String>) -> Error {
    Error::Decode {
        expected,
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use halsonav_domain::{CaseId, CommandId, HsaId, SubjectId};
    use serde_json::json;

    use super::*;

    const CASE: CaseId = CaseId(uuid::Uuid::from_u128(7));

    fn envelope() -> Envelope {
        let time = Timestamp::from_nanosecond(1_790_000_000_123_456_789).expect("in range");
        let mut envelope = Envelope::new(
            "/adapters/lab",
            "lab-1",
            "lab.result",
            Some(CASE),
            time,
            json!({"å": 1.5}),
        )
        .correlated("ORDER1");
        envelope.traceparent = Some("00-1-1-01".to_owned());
        envelope
    }

    fn asked() -> Command {
        Command {
            id: CommandId::derive(CASE, 1),
            case: CASE,
            subject: SubjectId(uuid::Uuid::from_u128(8)),
            kind: "lab.order".parse().expect("a kind"),
            unit: HsaId::new("SE2321000016-1HZ5"),
            payload: json!({"analyses": ["NPU27300"]}),
            headers: Default::default(),
            issued: Timestamp::UNIX_EPOCH,
        }
    }

    fn set(record: &mut Record, name: &str, value: Option<&str>) {
        record.headers.retain(|(n, _)| n != name);
        if let Some(value) = value {
            record.headers.push((name.to_owned(), value.to_owned()));
        }
    }

    #[test]
    fn an_event_is_its_data_under_headers() {
        let record = event(&envelope()).expect("encodes");
        assert_eq!(record.key, Some(CASE.to_string()));
        assert_eq!(record.value, "{\"å\":1.5}".as_bytes());
        let case = CASE.to_string();
        let headers = [
            ("content-type", "application/json"),
            ("ce_specversion", "1.0"),
            ("ce_id", "lab-1"),
            ("ce_source", "/adapters/lab"),
            ("ce_type", "lab.result"),
            ("ce_time", "2026-09-21T14:13:20.123456789Z"),
            ("ce_subject", &case),
            ("ce_correlationkey", "ORDER1"),
            ("traceparent", "00-1-1-01"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(record.headers, headers);
        assert_eq!(read_event(&record).expect("decodes"), envelope());
    }

    #[test]
    fn an_event_about_nobody_with_nothing_to_say_comes_back() {
        let plain = Envelope::new(
            "/engine",
            "1",
            "signal",
            None,
            Timestamp::UNIX_EPOCH,
            serde_json::Value::Null,
        );
        let mut record = event(&plain).expect("encodes");
        assert_eq!((&record.key, record.headers.len()), (&None, 6));
        assert_eq!(read_event(&record).expect("decodes"), plain);
        record.value = Default::default();
        assert_eq!(read_event(&record).expect("decodes"), plain, "no data");
    }

    #[test]
    fn a_structured_event_is_read() {
        for media in [STRUCTURED, "Application/CloudEvents+JSON; charset=utf-8"] {
            let value = serde_json::to_vec(&envelope()).expect("encodes");
            let mut record = Record::new(None, value, Timestamp::UNIX_EPOCH);
            set(&mut record, "Content-Type", Some(media));
            assert_eq!(read_event(&record).expect("decodes"), envelope());
        }
    }

    #[test]
    fn what_others_write_differently_is_read() {
        let mut record = event(&envelope()).expect("encodes");
        for (name, _) in &mut record.headers {
            *name = name.to_uppercase();
        }
        set(&mut record, "CONTENT-TYPE", None);
        set(&mut record, "ce_unheardof", Some("x"));
        assert_eq!(read_event(&record).expect("decodes"), envelope());
        set(&mut record, "TRACEPARENT", Some(&"0".repeat(300)));
        let read = read_event(&record).expect("a bad trace loses no fact");
        assert_eq!(read.traceparent, None);
    }

    #[test]
    fn a_command_is_a_cloud_event_with_the_whole_command() {
        let record = command(&asked()).expect("encodes");
        assert_eq!(record.key, Some(CASE.to_string()));
        assert_eq!(record.header("ce_type"), Some("lab.order"));
        let id = asked().id.to_string();
        assert_eq!(record.header("ce_id"), Some(id.as_str()));
        assert_eq!(read_command(&record).expect("decodes"), asked());
        assert_eq!(record.header(TRACEPARENT), None);
        let mut traced = asked();
        traced
            .headers
            .insert(TRACEPARENT.into(), "00-1-1-01".into());
        let traced = command(&traced).expect("encodes");
        assert_eq!(traced.header(TRACEPARENT), Some("00-1-1-01"));

        let structured = read_event(&record).expect("a command is an event of its own type");
        let value = serde_json::to_vec(&structured).expect("encodes");
        let mut record = Record::new(None, value, Timestamp::UNIX_EPOCH);
        set(&mut record, "content-type", Some(STRUCTURED));
        assert_eq!(read_command(&record).expect("decodes"), asked());
    }

    #[test]
    fn a_bad_record_is_told_without_its_content() {
        let secret = "191212121212";
        let long = secret.repeat(40);
        let cases = [
            ("ce_specversion", Some(secret), "specversion"),
            ("ce_id", None, "ce_id is missing"),
            ("ce_id", Some(""), "id is empty"),
            ("ce_id", Some(&long), "over 256 bytes"),
            ("ce_source", Some("191212121212\n"), "control"),
            ("ce_source", None, "ce_source is missing"),
            ("ce_type", None, "ce_type is missing"),
            ("ce_time", None, "ce_time is missing"),
            ("ce_time", Some(secret), "ce_time is malformed"),
            ("ce_subject", Some(secret), "ce_subject is malformed"),
            ("ce_correlationkey", Some(&long), "correlationkey"),
            ("content-type", Some("text/191212121212"), "content type"),
            ("content-type", Some(STRUCTURED), "shape, line 1"),
        ];
        for (name, value, expect) in cases {
            let mut record = event(&envelope()).expect("encodes");
            set(&mut record, name, value);
            record.value = format!("{{\"id\": \"{secret}\", \"time\": 3}}").into();
            let error = read_event(&record).expect_err(name);
            assert_eq!(error.code(), "HUB-BUS-006");
            let error = error.to_string();
            assert!(error.contains(expect), "{name}: {error}");
            assert!(!error.contains("1212"), "{error}");
        }
        let mut record = event(&envelope()).expect("encodes");
        record.value = "{\"1212".into();
        let error = read_event(&record).expect_err("no JSON").to_string();
        assert!(error.contains("end of text"), "{error}");
        assert!(!error.contains("1212"), "{error}");
    }

    #[test]
    fn what_nobody_could_read_is_not_written() {
        let mut bad = envelope();
        bad.id = "x".repeat(ATTRIBUTE_BYTES + 1);
        assert!(matches!(event(&bad), Err(Error::Decode { .. })));
    }
}
