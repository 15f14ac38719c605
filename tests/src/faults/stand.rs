//! Standing between the hub and its neighbours, hour by hour.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
    thread,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Plan;
use crate::{
    proxy::{Counts, Proxy},
    round::{self, Round},
};

/// A proxy before each neighbour, by the adapter that speaks to it.
pub(super) struct Stand {
    proxies: BTreeMap<String, Proxy>,
    /// Hours that the round had so far.
    pub(super) hours: usize,
    /// The clock of the round.
    pub(super) now: String,
}

impl Stand {
    /// The proxy before a neighbour.
    pub(super) fn before(&self, adapter: &str) -> Result<&Proxy> {
        let proxy = self.proxies.get(adapter);
        proxy.with_context(|| format!("nobody stands before {adapter}"))
    }

    /// What a proxy did so far.
    pub(super) fn counts(&self, adapter: &str) -> Result<Counts> {
        Ok(self.before(adapter)?.counts())
    }
}

/// Runs a round; each hour `look` may let something go wrong, and answers what is to be put on the topic of
/// events, as the demo's `--between` takes it.
pub(super) fn run(
    plan: &Plan,
    name: &str,
    seed: u64,
    look: impl FnMut(&mut Stand) -> Result<Vec<Value>>,
) -> Result<(Round, Stand)> {
    run_with(plan, name, seed, &json!({}), look)
}

/// The same with these settings laid over the adapters' own.
pub(super) fn run_with(
    plan: &Plan,
    name: &str,
    seed: u64,
    settings: &Value,
    mut look: impl FnMut(&mut Stand) -> Result<Vec<Value>>,
) -> Result<(Round, Stand)> {
    let out = round::empty(&plan.dir, &format!("{seed}-{name}"))?;
    let mut demo = round::command(&plan.binary, &out, seed, plan.residents)
        .arg("--between")
        .stdin(Stdio::piped())
        .spawn()?;
    let (mut to, from) = (
        demo.stdin.take().context("no input")?,
        demo.stdout.take().context("no output")?,
    );
    let mut err = demo.stderr.take().context("no errors")?;
    let errors = thread::spawn(move || {
        let mut text = Vec::new();
        err.read_to_end(&mut text).map(|_| text)
    });
    let mut stand = Stand {
        proxies: BTreeMap::new(),
        hours: 0,
        now: String::new(),
    };
    let mut last = String::new();
    for line in BufReader::new(from).lines() {
        last = line?;
        let told: Value = serde_json::from_str(&last).with_context(|| last.clone())?;
        let answer = if let Some(ports) = told["ports"].as_object() {
            for (name, port) in ports {
                let port = u16::try_from(port.as_u64().unwrap_or_default())?;
                let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
                stand
                    .proxies
                    .insert(name.clone(), Proxy::start(target, seed)?);
            }
            let instead = stand.proxies.iter();
            let instead = instead.map(|(name, proxy)| (name, proxy.address().port()));
            json!({ "ports": instead.collect::<BTreeMap<_, _>>(), "settings": settings })
        } else if let Some(now) = told["now"].as_str() {
            now.clone_into(&mut stand.now);
            stand.hours += 1;
            json!({ "records": look(&mut stand)? })
        } else {
            continue;
        };
        writeln!(to, "{answer}")?;
    }
    let mut output = demo.wait_with_output()?;
    output.stdout = last.into_bytes();
    output.stderr = errors.join().unwrap_or_else(|_| Ok(Vec::new()))?;
    Ok((Round::read(&out, &output)?, stand))
}
