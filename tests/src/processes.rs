//! Processes of the hub, as tests start, find and hurt them.

use std::{env, io, path::Path, process::Command};

/// A call of the binary without the caller's settings.
#[must_use]
pub fn halsonav(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("HALSONAV_") {
            command.env_remove(name);
        }
    }
    command
}

/// The processes that a process has started.
///
/// # Errors
/// When nobody can be asked.
pub fn children(of: u32) -> io::Result<Vec<String>> {
    let told = Command::new("pgrep")
        .args(["-P", &of.to_string()])
        .output()?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    Ok(told.lines().map(str::to_owned).collect())
}

/// Sends a signal, such as `-KILL`; false when there is no such process any more.
///
/// # Errors
/// When it cannot be sent at all.
pub fn signal(which: &str, process: &str) -> io::Result<bool> {
    Ok(Command::new("kill")
        .args([which, process])
        .status()?
        .success())
}
