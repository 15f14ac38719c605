//! Adapters are of one shape.

use serde::de::DeserializeOwned;

use crate::house::{members, none, present, text};

fn adapters() -> Vec<String> {
    let named = |member: String| member.strip_prefix("adapters/").map(str::to_owned);
    members().into_iter().filter_map(named).collect()
}

#[test]
fn adapters_have_an_example_of_their_settings() {
    let wanted: Vec<String> = adapters()
        .iter()
        .map(|name| format!("adapters/{name}/config.example.toml"))
        .collect();
    present("adapters without config.example.toml", &wanted);
}

/// Reads an example as the adapter's own type would.
type Reader = fn(toml::Value) -> Result<(), toml::de::Error>;

fn reads<T: DeserializeOwned>(settings: toml::Value) -> Result<(), toml::de::Error> {
    settings.try_into::<T>().map(drop)
}

const READERS: &[(&str, Reader)] = &[
    ("booking", reads::<halsonav_booking::Config>),
    ("forms", reads::<halsonav_forms::Config>),
    ("journal", reads::<halsonav_journal::Config>),
    ("lab", reads::<halsonav_lab::Config>),
    ("messaging", reads::<halsonav_messaging::Config>),
    ("print", reads::<halsonav_print::Config>),
    ("research", reads::<halsonav_research::Config>),
    ("roster", reads::<halsonav_roster::Config>),
];

#[test]
fn examples_are_settings_of_the_adapter() {
    let mut faults = Vec::new();
    for name in adapters() {
        let path = format!("adapters/{name}/config.example.toml");
        let file: toml::Value = match toml::from_str(&text(&path)) {
            Ok(file) => file,
            Err(error) => {
                faults.push(format!("{path}: {error}"));
                continue;
            }
        };
        let settings = file
            .get("adapters")
            .and_then(|adapters| adapters.get(&name));
        let reader = READERS.iter().find(|(known, _)| *known == name);
        match (settings, reader) {
            (None, _) => faults.push(format!("{path}: no [adapters.{name}]")),
            (_, None) => faults.push(format!("{name}: name its Config in READERS of this test")),
            (Some(settings), Some((_, read))) => {
                if let Err(error) = read(settings.clone()) {
                    faults.push(format!("{path}: {error}"));
                }
            }
        }
    }
    none("examples that are no settings", &faults);
}
