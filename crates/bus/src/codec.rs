//! Events and commands as records: JSON, keyed by the case.

use halsonav_domain::{Command, Envelope};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Record};

/// Media type of an event: a CloudEvent in structured mode.
pub const EVENT: &str = "application/cloudevents+json";
/// Media type of a command.
pub const COMMAND: &str = "application/json";

/// An event, for [`halsonav_domain::Topic::Events`] or `Documentation`.
///
/// # Errors
/// [`Error::Decode`] when it cannot be JSON.
pub fn event(envelope: &Envelope) -> Result<Record, Error> {
    let mut record = Record::new(envelope.key(), write("an event", envelope)?, envelope.time);
    record
        .headers
        .push(("content-type".to_owned(), EVENT.to_owned()));
    if let Some(trace) = &envelope.traceparent {
        record
            .headers
            .push(("traceparent".to_owned(), trace.clone()));
    }
    Ok(record)
}

/// Reads an event.
///
/// # Errors
/// [`Error::Decode`], without any of the content.
pub fn read_event(record: &Record) -> Result<Envelope, Error> {
    read("an event", record)
}

/// A command, for [`halsonav_domain::Topic::Commands`] of its adapter.
///
/// # Errors
/// [`Error::Decode`] when it cannot be JSON.
pub fn command(command: &Command) -> Result<Record, Error> {
    let key = Some(command.case.to_string());
    let mut record = Record::new(key, write("a command", command)?, command.issued);
    record
        .headers
        .push(("content-type".to_owned(), COMMAND.to_owned()));
    Ok(record)
}

/// Reads a command.
///
/// # Errors
/// [`Error::Decode`], without any of the content.
pub fn read_command(record: &Record) -> Result<Command, Error> {
    read("a command", record)
}

fn write<T: Serialize>(expected: &'static str, value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| decode(expected, &error))
}

fn read<T: DeserializeOwned>(expected: &'static str, record: &Record) -> Result<T, Error> {
    serde_json::from_slice(&record.value).map_err(|error| decode(expected, &error))
}

/// serde's own message may repeat a value, so only the kind of fault and its place are kept.
fn decode(expected: &'static str, error: &serde_json::Error) -> Error {
    let fault = match error.classify() {
        serde_json::error::Category::Io => "input",
        serde_json::error::Category::Syntax => "syntax",
        serde_json::error::Category::Data => "shape",
        serde_json::error::Category::Eof => "end of text",
    };
    let reason = format!("{fault}, line {} column {}", error.line(), error.column());
    Error::Decode { expected, reason }
}

#[cfg(test)]
mod tests {
    use halsonav_domain::{CaseId, CommandId, HsaId, SubjectId, Timestamp};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_comes_back_whole() {
        let case = CaseId(uuid::Uuid::from_u128(7));
        let time = Timestamp::from_millisecond(1_790_000_000_123).expect("in range");
        let mut envelope = Envelope::new(
            "/adapters/lab",
            "1",
            "lab.result",
            Some(case),
            time,
            json!({"å": 1.5}),
        )
        .correlated("ORDER1");
        envelope.traceparent = Some("00-1-1-01".to_owned());
        let record = event(&envelope).expect("encodes");
        assert_eq!(record.key, Some(case.to_string()));
        assert_eq!(record.header("content-type"), Some(EVENT));
        assert_eq!(read_event(&record).expect("decodes"), envelope);
    }

    #[test]
    fn a_command_comes_back_whole() {
        let case = CaseId(uuid::Uuid::from_u128(7));
        let sent = Command {
            id: CommandId::derive(case, 1),
            case,
            subject: SubjectId(uuid::Uuid::from_u128(8)),
            kind: "lab.order".parse().expect("a kind"),
            unit: HsaId::new("SE2321000016-1HZ5"),
            payload: json!({"analyses": ["NPU27300"]}),
            headers: Default::default(),
            issued: Timestamp::UNIX_EPOCH,
        };
        let record = command(&sent).expect("encodes");
        assert_eq!(record.key, Some(case.to_string()));
        assert_eq!(read_command(&record).expect("decodes"), sent);
    }

    #[test]
    fn a_bad_record_is_told_without_its_content() {
        let record = Record::new(
            None,
            &b"{\"id\": \"191212121212\", \"time\": 3}"[..],
            Timestamp::UNIX_EPOCH,
        );
        let error = read_event(&record).expect_err("not an event").to_string();
        assert!(
            error.contains("HUB-BUS-006") && !error.contains("1212"),
            "{error}"
        );
    }
}
