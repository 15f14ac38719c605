//! For tests that stand between the hub and its neighbours: the demo says on standard output, a JSON
//! object a line, where the neighbours are and what hour it is, and goes on when it has been answered by
//! a line on standard input.

use std::io::{self, BufRead as _, Write as _};

use halsonav_bus::Record;
use halsonav_domain::{Kind, Problem, Timestamp, Topic};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::runtime::{Core, bus_problem};

/// Where in an adapter's settings its neighbour's port stands.
const PORTS: [(&str, &[&str]); 7] = [
    ("roster", &["register", "endpoint"]),
    ("messaging", &["service", "endpoint"]),
    ("booking", &["client", "endpoint"]),
    ("forms", &["client", "endpoint"]),
    ("lab", &["port"]),
    ("print", &["port"]),
    ("journal", &["base"]),
];

/// Whoever stands there, if anybody does.
#[derive(Clone, Copy, Debug)]
pub struct Between {
    /// Somebody does.
    pub there: bool,
}

/// What is answered: each part may be left out.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Answer {
    /// Ports to reach neighbours by instead of their own.
    ports: std::collections::BTreeMap<String, u16>,
    /// Settings of adapters, laid over those that they have.
    settings: std::collections::BTreeMap<String, toml::Table>,
    /// What somebody puts on the topic of events.
    records: Vec<Put>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Put {
    key: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    value: String,
}

impl Between {
    /// Says where the neighbours are, and takes where they are to be reached.
    ///
    /// # Errors
    /// `HUB-DEMO-009`.
    pub fn meet(self, adapters: &mut toml::Table) -> Result<(), Problem> {
        if !self.there {
            return Ok(());
        }
        let mut ports = serde_json::Map::new();
        for (name, path) in PORTS {
            if let Some(port) = at(adapters, name, path).and_then(|value| port(value)) {
                ports.insert(name.to_owned(), json!(port));
            }
        }
        let answer = ask(&json!({ "ports": ports }))?;
        for (name, path) in PORTS {
            let value = at(adapters, name, path);
            if let (Some(value), Some(new)) = (value, answer.ports.get(name)) {
                put_port(value, *new);
            }
        }
        for (name, settings) in answer.settings {
            if let Some(toml::Value::Table(known)) = adapters.get_mut(&name) {
                known.extend(settings);
            }
        }
        Ok(())
    }

    /// Says what hour it is, and does what is wanted then.
    ///
    /// # Errors
    /// `HUB-DEMO-009`; when the bus refuses.
    pub async fn hour(self, now: Timestamp, core: &Core) -> Result<(), Problem> {
        if !self.there {
            return Ok(());
        }
        let answer = tokio::task::block_in_place(|| ask(&json!({ "now": now })))?;
        if answer.records.is_empty() {
            return Ok(());
        }
        let records = answer.records.into_iter().map(|put| Record {
            key: put.key,
            headers: put.headers,
            value: put.value.into_bytes().into(),
            time: now,
        });
        core.bus
            .publish(&Topic::Events, records.collect())
            .await
            .map_err(bus_problem)
    }
}

fn at<'a>(adapters: &'a mut toml::Table, name: &str, path: &[&str]) -> Option<&'a mut toml::Value> {
    let settings = adapters.get_mut(name);
    path.iter().fold(settings, |value, step| {
        value.and_then(|value| value.get_mut(step))
    })
}

/// Of a number, or of a URL with a port in it.
fn port(value: &toml::Value) -> Option<u16> {
    match value {
        toml::Value::Integer(port) => u16::try_from(*port).ok(),
        other => split(other.as_str()?)?.1.parse().ok(),
    }
}

fn put_port(value: &mut toml::Value, new: u16) {
    let text = value.as_str().and_then(split);
    *value = match text {
        Some((before, _, after)) => toml::Value::String(format!("{before}{new}{after}")),
        None => toml::Value::Integer(new.into()),
    };
}

/// Before, at and after the port.
fn split(url: &str) -> Option<(&str, &str, &str)> {
    let host = url.find("://")? + 3;
    let begins = host + url.get(host..)?.find(':')? + 1;
    let digits = url.get(begins..)?;
    let ends = digits.find(|c: char| !c.is_ascii_digit());
    let (port, after) = digits.split_at(ends.unwrap_or(digits.len()));
    Some((url.get(..begins)?, port, after))
}

fn ask(told: &Value) -> Result<Answer, Problem> {
    let mut line = String::new();
    let mut out = io::stdout().lock();
    let asked = writeln!(out, "{told}")
        .and_then(|()| out.flush())
        .and_then(|()| io::stdin().lock().read_line(&mut line));
    let fault = |what: String| Problem::new(Kind::Invalid, "HUB-DEMO-009", what);
    match asked {
        Ok(0) => Err(fault("nobody answers on standard input".to_owned())),
        Ok(_) => serde_json::from_str(&line).map_err(|error| fault(error.to_string())),
        Err(error) => Err(fault(error.kind().to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_found_and_replaced() {
        let mut url = toml::Value::String("http://127.0.0.1:4711/register".to_owned());
        let mut number = toml::Value::Integer(22);
        assert_eq!((port(&url), port(&number)), (Some(4711), Some(22)));
        put_port(&mut url, 5000);
        put_port(&mut number, 5001);
        assert_eq!(url.as_str(), Some("http://127.0.0.1:5000/register"));
        assert_eq!(number.as_integer(), Some(5001));
    }
}
