//! From a command's JSON to its typed payload.

use halsonav_domain::{Command, Kind, Problem};
use serde::de::DeserializeOwned;

/// Reads the payload of `command`.
///
/// # Errors
/// `Invalid` with code `HUB-ADAPTER-001`, naming the field but not its value.
pub fn payload<T: DeserializeOwned>(command: &Command) -> Result<T, Problem> {
    T::deserialize(&command.payload).map_err(|error| {
        Problem::new(
            Kind::Invalid,
            "HUB-ADAPTER-001",
            format!("payload of {}: {}", command.kind, describe(&error)),
        )
    })
}

/// serde's message without the offending value, which may be personal data.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once("invalid value") {
        Some((before, _)) => format!("{before}invalid value"),
        None => match text.split_once("invalid type") {
            Some((before, after)) => {
                let expected = after
                    .rsplit_once("expected")
                    .map_or("", |(_, expected)| expected);
                format!("{before}invalid type, expected{expected}")
            }
            None => text,
        },
    }
}
