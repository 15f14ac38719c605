//! The fault proxy as a program: `proxy TARGET [SEED]`, both as numbers.
//!
//! Prints where it listens. Each line of its input is a JSON list of rules, such as
//! `[{"fault": "latency", "ms": 50, "jitter_ms": 10}, {"fault": "lose-reply", "chance": 0.1}]`: they are
//! put in force, and what happened so far is printed as one line. Ends with its input.

use std::{env, io};

use anyhow::{Context, Result};
use halsonav_tests::proxy::{Proxy, Rule};

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let target = arguments.next().context("proxy TARGET [SEED]")?.parse()?;
    let seed = arguments.next().map_or(Ok(0), |seed| seed.parse())?;
    let proxy = Proxy::start(target, seed)?;
    println!("{}", proxy.address());
    for line in io::stdin().lines() {
        let rules: Vec<Rule> = serde_json::from_str(&line?)?;
        proxy.set(rules);
        println!("{}", serde_json::to_string(&proxy.counts())?);
    }
    Ok(())
}
