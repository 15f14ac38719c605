//! `halsonav check`: everything that is wrong, at once, offline.

use std::process::ExitCode;

use halsonav_bus::Kafka;
use halsonav_domain::{Problem, command::KINDS};
use serde_json::json;

use super::{Answer, Context, run as serving};
use crate::{
    adapters,
    config::{BusKind, Config, Region},
    definitions,
    runtime::{Documents, Parts, Role, bus_problem},
    site,
    spans::Spans,
    telemetry,
};

pub async fn run(context: &Context, online: bool) -> Answer {
    let (config, region) = site::settings(context, None)?;
    let mut problems = refused(&config, &region);
    let built = match adapters::build(&config, &region, &Parts::all()) {
        Ok(built) => Some(built),
        Err(found) => {
            problems.extend(found);
            None
        }
    };
    let vault = site::place(&config).and_then(|place| site::key_file(&config, &place));
    problems.extend(vault.err());
    problems.extend(Documents::load(&region).err().into_iter().flatten());
    problems.extend(site::instruments(&region).err().into_iter().flatten());
    problems.extend(site::forms(&region).err().into_iter().flatten());
    // A site may not have set up its adapters yet: the vocabulary is known all the same.
    let known = |kind: &str| {
        let set_up = |built: &adapters::Built| built.registry.operation(kind).is_some();
        KINDS.contains(&kind) || built.as_ref().is_none_or(set_up)
    };
    let missing: Vec<&str> = built
        .iter()
        .flat_map(|built| {
            adapters::NAMES
                .iter()
                .filter(|name| !built.registry.has(name))
        })
        .copied()
        .collect();
    let mut warnings = Vec::new();
    match definitions::read(&region, &known) {
        Ok(loaded) => warnings = loaded.warnings,
        Err(found) => problems.extend(found),
    }
    let mut reached = serde_json::Map::new();
    if online {
        for adapter in built.iter().flat_map(|built| built.registry.adapters()) {
            let answer = adapter.check().await;
            reached.insert(
                adapter.name().to_owned(),
                json!(
                    answer
                        .as_ref()
                        .map_or_else(ToString::to_string, |()| "ok".to_owned())
                ),
            );
            problems.extend(answer.err());
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let shown = json!({ "region": region.name, "ok": true, "warnings": warnings, "not_set_up": missing, "neighbours": reached });
    context.output.result(&shown, || {
        let mut lines: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        lines.extend(missing.iter().map(|name| {
            format!("adapters.{name} has no settings: the hub cannot serve a process that asks it")
        }));
        lines.push(format!("region '{}' is in order", region.name));
        lines.join("\n")
    });
    Ok(ExitCode::SUCCESS)
}

/// What `serve` would refuse, as the settings stand: options may say otherwise of roles and adapters.
fn refused(config: &Config, region: &Region) -> Vec<Problem> {
    let kafka = || match config.bus.kind {
        BusKind::Kafka => Kafka::check(&site::kafka(config)?).map_err(bus_problem),
        BusKind::Log => Ok(()),
    };
    let api = || match serving::keys(config)? {
        Some(_) => serving::address("http.listen", &config.http.listen),
        None => Ok(()),
    };
    let monitor = match config.monitor.listen.as_str() {
        "" => Ok(()),
        listen => serving::address("monitor.listen", listen),
    };
    let mut all = vec![
        kafka(),
        monitor,
        telemetry::settings(&config.log.level, &config.log.format).map(drop),
        Spans::of(&config.traces).map(drop),
    ];
    if !config.run.roles.is_empty() {
        all.push(serving::parts(config, region).map(drop));
    }
    if config.run.roles.contains(&Role::Api) {
        all.push(api());
    }
    all.into_iter().filter_map(Result::err).collect()
}
