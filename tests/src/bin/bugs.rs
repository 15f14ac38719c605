//! Proof of the proof: puts the deliberate faults of `tests/bugs/bank.toml` into a copy of the sources,
//! builds the simulation there, and demands that it finds each of them, and nothing when all are asleep.
//! One JSON object on standard output, and a line for each on standard error as it is found; exit code 1
//! if one was not found.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use clap::Parser;
use serde::Deserialize;
use serde_json::{Value, json};

/// Wakes deliberate faults, one at a time, and lets the simulation look for them.
#[derive(Debug, Parser)]
struct Options {
    /// Only this one.
    #[arg(long)]
    only: Option<String>,
    /// Seeds until a fault counts as not found.
    #[arg(long, default_value_t = 150)]
    seeds: u64,
}

#[derive(Deserialize)]
struct Bank {
    bug: Vec<Bug>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bug {
    name: String,
    file: String,
    good: String,
    bad: Option<String>,
    put: Option<String>,
}

/// Names the fault that is awake.
const AWAKE: &str = "HALSONAV_BUG";
/// Seeds that most faults are found within.
const FEW: u64 = 20;

impl Bug {
    fn put_into(&self, text: &str) -> Result<String, String> {
        let found = text.matches(&self.good).count();
        if found != 1 {
            let fault = format!(
                "{}: what is to be broken stands {found} times in {}",
                self.name, self.file
            );
            return Err(fault);
        }
        let put = match (&self.bad, &self.put) {
            (Some(bad), None) => format!("(if %BUG% {{ {bad} }} else {{ %GOOD% }})"),
            (None, Some(put)) => put.clone(),
            _ => return Err(format!("{}: say either bad or put", self.name)),
        };
        let awake = format!(
            "std::env::var_os(\"{AWAKE}\").is_some_and(|awake| awake == \"{}\")",
            self.name
        );
        let put = put.replace("%BUG%", &awake).replace("%GOOD%", &self.good);
        Ok(text.replacen(&self.good, &put, 1))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Copies what git knows of, so that nothing of the tree itself is touched.
fn copy(to: &Path) -> Result<(), String> {
    let listed = Command::new("git")
        .current_dir(root())
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .output()
        .map_err(|error| format!("git: {error}"))?;
    for name in String::from_utf8_lossy(&listed.stdout)
        .split('\0')
        .filter(|name| !name.is_empty())
    {
        let (from, to) = (root().join(name), to.join(name));
        let Ok(bytes) = fs::read(&from) else { continue };
        // What is as it was keeps its age, so that it is not built again.
        if fs::read(&to).is_ok_and(|old| old == bytes) {
            continue;
        }
        fs::create_dir_all(to.parent().unwrap_or(&to)).map_err(|error| error.to_string())?;
        fs::write(&to, bytes).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn build(tree: &Path, bank: &Bank) -> Result<PathBuf, String> {
    for bug in &bank.bug {
        let path = tree.join(&bug.file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", bug.file))?;
        fs::write(&path, bug.put_into(&text)?).map_err(|error| error.to_string())?;
    }
    // Packages of another version: they share what they are built of with the sound ones, and nothing else.
    let manifest = tree.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|error| error.to_string())?;
    let version = concat!("version = \"", env!("CARGO_PKG_VERSION"), "\"");
    let broken = format!("{}-bugs\"", version.trim_end_matches('"'));
    let text = text.replacen(version, &broken, 1);
    fs::write(&manifest, text).map_err(|error| error.to_string())?;
    let built = Command::new(env!("CARGO"))
        .current_dir(tree)
        .args([
            "build",
            "--quiet",
            "--offline",
            "-p",
            "halsonav-tests",
            "--bin",
            "simulate",
        ])
        .env("CARGO_TARGET_DIR", target())
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    if !built.success() {
        return Err("the broken sources cannot be built".to_owned());
    }
    // Under a name of its own: the next build of the sound one would take its place.
    let binary = tree.join("simulate");
    fs::copy(target().join("debug/simulate"), &binary).map_err(|error| error.to_string())?;
    Ok(binary)
}

/// The first breach that the simulation finds, if any: as things are, or with deaths while something is
/// on its way. What only one of the two shows is found in seconds, so both look at a few seeds first.
fn hunt(simulate: &Path, bug: &str, seeds: u64) -> Result<Option<Value>, String> {
    let ways: [&[&str]; 2] = [&[], &["--races", "0"]];
    let first = Some(FEW).filter(|few| *few < seeds);
    for seeds in first.into_iter().chain([seeds]) {
        for more in ways {
            let found = hunt_with(simulate, bug, seeds, more)?;
            if found.is_some() {
                return Ok(found);
            }
        }
    }
    Ok(None)
}

fn hunt_with(
    simulate: &Path,
    bug: &str,
    seeds: u64,
    more: &[&str],
) -> Result<Option<Value>, String> {
    let output = Command::new(simulate)
        .args(more)
        .args([
            "--until-breach",
            "--twice",
            "0",
            "--seeds",
            &seeds.to_string(),
        ])
        .env(AWAKE, bug)
        .stderr(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    // A fault that ends the program is found too.
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| json!({ "breaches": [{ "what": "the simulation panicked" }] }));
    Ok(told["breaches"].get(0).cloned())
}

fn run(options: &Options) -> Result<Value, String> {
    let text =
        fs::read_to_string(root().join("tests/bugs/bank.toml")).map_err(|e| e.to_string())?;
    let bank: Bank = toml::from_str(&text).map_err(|error| error.to_string())?;
    let tree = target().join("bugs");
    copy(&tree)?;
    let simulate = build(&tree, &bank)?;
    let asleep = hunt(&simulate, "", options.seeds.min(FEW))?;
    let mut found = Vec::new();
    let mut missed = Vec::new();
    let wanted = |bug: &&Bug| options.only.as_ref().is_none_or(|only| *only == bug.name);
    for bug in bank.bug.iter().filter(wanted) {
        match hunt(&simulate, &bug.name, options.seeds)? {
            Some(breach) => {
                eprintln!("found {}: seed {}", bug.name, breach["seed"]);
                found.push(
                    json!({ "bug": bug.name, "seed": breach["seed"], "breach": breach["what"] }),
                );
            }
            None => {
                eprintln!("NOT FOUND {}", bug.name);
                missed.push(bug.name.clone());
            }
        }
    }
    Ok(
        json!({ "bugs": found.len() + missed.len(), "found": found, "missed": missed, "asleep": asleep }),
    )
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(told) => {
            println!("{told}");
            let proven = told["missed"] == json!([]) && told["asleep"].is_null();
            ExitCode::from(u8::from(!proven))
        }
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::from(2)
        }
    }
}
