//! Between columns and values.

use halsonav_domain::{CaseId, SubjectId, Timestamp};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result};

pub(crate) fn ms(time: Timestamp) -> i64 {
    time.as_millisecond()
}

pub(crate) fn maybe_ms(time: Option<Timestamp>) -> Option<i64> {
    time.map(ms)
}

pub(crate) fn time(ms: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(ms).map_err(|_| Error::Corrupt("time"))
}

pub(crate) fn maybe_time(ms: Option<i64>) -> Result<Option<Timestamp>> {
    ms.map(time).transpose()
}

pub(crate) fn uuid(bytes: &[u8]) -> Result<uuid::Uuid> {
    uuid::Uuid::from_slice(bytes).map_err(|_| Error::Corrupt("id"))
}

pub(crate) fn case_id(bytes: &[u8]) -> Result<CaseId> {
    uuid(bytes).map(CaseId)
}

pub(crate) fn subject_id(bytes: &[u8]) -> Result<SubjectId> {
    uuid(bytes).map(SubjectId)
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::Invalid("a value has no JSON form"))
}

pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| Error::Corrupt("JSON text"))
}

/// The word that serde gives a unit variant.
pub(crate) fn word<T: Serialize>(value: &T) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(Error::Invalid("a value is not a word")),
    }
}

pub(crate) fn from_word<T: DeserializeOwned>(word: &str) -> Result<T> {
    T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word))
        .map_err(|_| Error::Corrupt("word"))
}

/// A whole number as the databases have it; ours are far below the limit.
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Reads 64 hexadecimal digits into a place that is there: a secret leaves no copy of itself.
pub(crate) fn from_hex(digits: &str, place: &mut [u8; 32]) -> Option<()> {
    let digits = digits.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in place.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(())
}
