//! What the measurements run on. The only place here that looks at the machine and its stopwatch.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Measures how long something takes.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    #[must_use]
    #[allow(
        clippy::disallowed_methods,
        reason = "a measurement is of the machine's own time"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// How much of the processors' time a host gives to others, where this machine is one of several on it
/// and is told: without it nobody can say whether a wait was the program's.
pub struct Stolen(Option<[u64; 2]>);

impl Stolen {
    /// From now on.
    #[must_use]
    pub fn start() -> Self {
        Self(stolen())
    }

    /// Since the start, in words.
    #[must_use]
    pub fn told(&self) -> String {
        let (Some([before, first]), Some([after, last])) = (self.0, stolen()) else {
            return "what a host gave to others is not known".to_owned();
        };
        let all = last.saturating_sub(first).max(1);
        let share = after.saturating_sub(before) as f64 / all as f64;
        format!(
            "the host gave {:.0} % of the processors' time to others",
            100.0 * share
        )
    }
}

/// Time stolen and time in all since the machine started: proc(5), the first line of `/proc/stat`.
fn stolen() -> Option<[u64; 2]> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let fields = stat.lines().next()?.strip_prefix("cpu ")?;
    // What guests had is in the first two as well.
    let times: Vec<u64> = fields
        .split_whitespace()
        .take(8)
        .map_while(|field| field.parse().ok())
        .collect();
    Some([*times.get(7)?, times.iter().sum()])
}

/// So many things in so much time, as a rate.
#[must_use]
pub fn rate(count: usize, spent: Duration) -> f64 {
    count as f64 / spent.as_secs_f64().max(f64::EPSILON)
}

/// Cores and build, in words.
#[must_use]
pub fn told() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let build = if cfg!(debug_assertions) {
        "DEBUG BUILD, not a measure of speed"
    } else {
        "release build"
    };
    let os = std::env::consts::OS;
    let cpu = std::env::consts::ARCH;
    format!("{cores} cores, {os} {cpu}, {build}")
}

/// The kind of file system that `dir` is on, where the machine tells it.
#[must_use]
pub fn file_system(dir: &Path) -> String {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            Some((fields.next()?, fields.next()?))
        })
        .filter(|(mount, _)| dir.starts_with(mount))
        // Of two on the same place the later hides the earlier.
        .max_by_key(|(mount, _)| mount.len())
        .map_or_else(
            || "file system unknown".to_owned(),
            |(_, kind)| {
                let memory = if kind == "tmpfs" {
                    " (memory, not a disk)"
                } else {
                    ""
                };
                format!("on {kind}{memory}")
            },
        )
}

/// Resident memory of this process in bytes, where the machine tells it.
#[must_use]
pub fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_is_named() {
        assert_eq!(told().contains("DEBUG"), cfg!(debug_assertions));
    }
}
