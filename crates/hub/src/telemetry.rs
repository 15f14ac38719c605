//! The log: JSON lines for machines or text for people, to standard error or a file.

use std::{fs::OpenOptions, path::Path, sync::Mutex};

use halsonav_domain::{Kind, Problem};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts the log. A second start in the same process changes nothing.
///
/// # Errors
/// `HUB-LOG-001` when the level is not one or the file cannot be written.
pub fn start(level: &str, format: &str, file: Option<&Path>) -> Result<(), Problem> {
    let fault = |message: String| Problem::new(Kind::Invalid, "HUB-LOG-001", message);
    let filter = EnvFilter::try_new(level).map_err(|error| fault(format!("log.level: {error}")))?;
    let json = match format {
        "json" => true,
        "text" => false,
        _ => return Err(fault("log.format is json or text".to_owned())),
    };
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
