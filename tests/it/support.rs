//! Runs the binary and reads what it leaves behind.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, LazyLock, Mutex, OnceLock},
    thread,
    time::{Duration, Instant},
};

use halsonav_storage::{Place, scratch::Scratch};
use halsonav_tests::processes;
use serde_json::Value;

/// The binary, or nothing to test.
pub fn binary() -> Option<&'static Path> {
    static BINARY: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        if let Some(named) = env::var_os("HALSONAV_BIN") {
            let path = PathBuf::from(named);
            assert!(
                path.is_file(),
                "HALSONAV_BIN is no file: {}",
                path.display()
            );
            return Some(path);
        }
        let test = env::current_exe().unwrap();
        let beside = test.parent()?.parent()?.join("halsonav");
        if !beside.is_file() {
            eprintln!("NOT RUN: no binary; cargo build -p halsonav, or tests/run");
            return None;
        }
        Some(beside)
    });
    BINARY.as_deref()
}

/// What the environment names for this run. Loud without it, and a failure in CI.
pub fn named(name: &str) -> Option<String> {
    let value = env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        eprintln!("NOT CHECKED: {name} is not set; tests/run has what it names");
        assert!(env::var("CI").as_deref() != Ok("true"), "{name} is not set");
    }
    value
}

/// PostgreSQL and Kafka, if this run has them.
pub fn services() -> Option<(String, String)> {
    binary()?;
    Some((named("HALSONAV_POSTGRES")?, named("HALSONAV_KAFKA")?))
}

/// A schema of its own for the run.
pub fn schema(server: &str, name: &str) -> Scratch {
    let Place::Postgres(server) = Place::parse(server) else {
        panic!("HALSONAV_POSTGRES names no PostgreSQL server");
    };
    Scratch::make(&server, name).unwrap()
}

/// A folder of its own for this name, empty. It stays for a look after a failure.
pub fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("it").join(name);
    if path.exists() {
        fs::remove_dir_all(&path).unwrap();
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

/// How a call went.
pub struct Said {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

impl Said {
    /// Standard output as the one JSON object that it must be.
    pub fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.out).unwrap_or_else(|error| {
            panic!("not one JSON object: {error}\n{}\n{}", self.out, self.err)
        });
        assert!(value.is_object(), "no object: {value}");
        value
    }

    /// It did not crash, whatever else.
    pub fn did_not_panic(&self) {
        assert!(
            self.status.code().is_some(),
            "killed by a signal: {}",
            self.err
        );
        assert_ne!(self.status.code(), Some(101), "panicked: {}", self.err);
        assert!(!self.err.contains("panicked at"), "panicked: {}", self.err);
    }
}

/// Calls the binary, not in the repository and without the caller's settings.
pub fn halsonav(arguments: &[&str]) -> Said {
    let output = command(arguments).output().unwrap();
    let said = Said {
        status: output.status,
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    said.did_not_panic();
    said
}

/// A call that has not begun.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = processes::halsonav(binary().expect("asked before"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null());
    command
}

/// A finished run of the demo.
pub struct Round {
    pub out: PathBuf,
    pub told: Value,
}

impl Round {
    /// Runs it anew.
    pub fn run(name: &str, arguments: &[&str]) -> Self {
        let out = folder(name);
        let mut all = vec!["demo", "--json", "--out", out.to_str().unwrap()];
        all.extend(arguments);
        let said = halsonav(&all);
        let told = said.json();
        assert!(said.status.success(), "{told}\n{}", said.err);
        Self { out, told }
    }

    pub fn file(&self, name: &str) -> String {
        let path = self.out.join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A number of the told object.
    pub fn number(&self, name: &str) -> u64 {
        let value = &self.told[name];
        value
            .as_u64()
            .unwrap_or_else(|| panic!("{name} is {value} in {}", self.told))
    }

    /// The ended cases by reason.
    pub fn ended(&self) -> BTreeMap<String, u64> {
        let ended = self.told["ended"].as_object().expect("ended is an object");
        ended
            .iter()
            .map(|(reason, n)| (reason.clone(), n.as_u64().unwrap()))
            .collect()
    }

    /// Lines of a file of JSON objects.
    pub fn lines(&self, name: &str) -> Vec<Value> {
        let text = self.file(name);
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The ledger: a map of column to cell per case.
    pub fn ledger(&self) -> Vec<BTreeMap<String, String>> {
        let text = self.file("ledger.csv");
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next().expect("a head").split(',').collect();
        lines
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                assert_eq!(cells.len(), head.len(), "{line}");
                head.iter()
                    .zip(cells)
                    .map(|(h, c)| ((*h).to_owned(), c.to_owned()))
                    .collect()
            })
            .collect()
    }
}

/// The round of a region with 60 residents and seed 3: run once for all tests.
pub fn region(name: &'static str) -> Arc<Round> {
    type Rounds = BTreeMap<&'static str, Arc<OnceLock<Arc<Round>>>>;
    static ROUNDS: Mutex<Rounds> = Mutex::new(BTreeMap::new());
    let cell = ROUNDS.lock().unwrap().entry(name).or_default().clone();
    let run = || {
        let arguments = ["--residents", "60", "--seed", "3", "--region", name];
        Arc::new(Round::run(&format!("region-{name}"), &arguments))
    };
    cell.get_or_init(run).clone()
}

/// Every file below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Names of the files of a folder of the run, if it is there.
pub fn names(round: &Round, folder: &str) -> Vec<String> {
    let path = round.out.join(folder);
    if !path.is_dir() {
        return Vec::new();
    }
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    files(&path).iter().map(name).collect()
}

/// Lines of the ledgers that differ, for a message that can be read.
pub fn ledgers_differ(one: &Round, other: &Round) -> Option<String> {
    let (one, other) = (one.file("ledger.csv"), other.file("ledger.csv"));
    if one == other {
        return None;
    }
    let pairs = one.lines().zip(other.lines()).filter(|(a, b)| a != b);
    let told: Vec<String> = pairs.map(|(a, b)| format!("  {a}\n  {b}")).collect();
    Some(format!(
        "{} cases differ\n{}",
        told.len(),
        told.join("\n\n")
    ))
}

/// Looks until there is what was looked for; fails after `patience`.
pub fn until<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < patience, "still waits: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}
