//! The log: JSON lines for machines or text for people, to standard error or a file.

use std::{fs::OpenOptions, path::Path, sync::Mutex};

use halsonav_domain::{Kind, Problem};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

fn fault(message: String) -> Problem {
    Problem::new(Kind::Invalid, "HUB-LOG-001", message)
}

/// What is logged, and whether as JSON.
///
/// # Errors
/// `HUB-LOG-001` when level or format is none.
pub fn settings(level: &str, format: &str) -> Result<(EnvFilter, bool), Problem> {
    let filter = EnvFilter::try_new(level).map_err(|error| fault(format!("log.level: {error}")))?;
    match format {
        "json" => Ok((filter, true)),
        "text" => Ok((filter, false)),
        _ => Err(fault("log.format is json or text".to_owned())),
    }
}

/// Starts the log. A second start in the same process changes nothing.
///
/// # Errors
/// `HUB-LOG-001`, also when the file cannot be written.
pub fn start(level: &str, format: &str, file: Option<&Path>) -> Result<(), Problem> {
    let (filter, json) = settings(level, format)?;
    let registry = tracing_subscriber::registry().with(filter);
    let started = match file {
        Some(path) => {
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .map_err(|error| fault(format!("{} cannot be written: {error}", path.display())))?;
            let layer = fmt::layer().with_ansi(false).with_writer(Mutex::new(file));
            if json {
                registry.with(layer.json()).try_init()
            } else {
                registry.with(layer).try_init()
            }
        }
        None => {
            let layer = fmt::layer().with_writer(std::io::stderr);
            if json {
                registry.with(layer.json()).try_init()
            } else {
                registry.with(layer).try_init()
            }
        }
    };
    drop(started);
    Ok(())
}
